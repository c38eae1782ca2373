use serde_json::json;

use super::*;
use crate::support::endpoint::claims;
use crate::support::tokens::{AUDIENCE, ISSUER, basic, now};

#[test]
fn a_password_is_exchanged_for_tokens_that_open_a_route() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    let grant = password_grant("alice", "wonderland-of-alice");
    let response = gateway.post_form("/oauth2/token", &grant, &[]);

    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("pragma"), Some("no-cache"));
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    let tokens = response.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    let access = text(&tokens["access_token"]);
    let said = claims(&access);
    assert_eq!((&said["sub"], &said["iss"]), (&json!("alice"), &json!(ISSUER)));
    assert!(said["aud"] == AUDIENCE || said["aud"] == json!([AUDIENCE]), "{said}");
    let (issued, expires) = (said["iat"].as_u64().unwrap(), said["exp"].as_u64().unwrap());
    assert!(issued.abs_diff(now()) < 20 && expires == issued + 3600, "{said}");
    assert!(said["jti"].as_str().unwrap().len() >= 22, "{said}");
    assert_eq!(on_a_route(&gateway, &access), 200);
    assert_eq!(upstream.requests()[0].header("x-forwarded-user"), Some("alice"));
    assert_eq!(on_a_route(&gateway, &text(&tokens["refresh_token"])), 401);
}

#[test]
fn a_refresh_token_is_good_once_and_its_reuse_ends_the_family() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let first = log_in(&gateway, "alice", "wonderland-of-alice");
    let other = log_in(&gateway, "alice", "wonderland-of-alice");

    let response = refresh(&gateway, &text(&first["refresh_token"]));
    assert_eq!(response.status, 200, "{}", response.text());
    let second = response.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_ne!(second["access_token"], first["access_token"]);
    for tokens in [&first, &second] {
        assert_eq!(on_a_route(&gateway, &text(&tokens["access_token"])), 200);
    }

    assert_refused(&refresh(&gateway, &text(&first["refresh_token"])), 400, "invalid_grant");
    assert_refused(&refresh(&gateway, &text(&second["refresh_token"])), 400, "invalid_grant");
    for tokens in [&first, &second] {
        assert_eq!(on_a_route(&gateway, &text(&tokens["access_token"])), 401);
    }
    assert_eq!(on_a_route(&gateway, &text(&other["access_token"])), 200);
    assert_eq!(refresh(&gateway, &text(&other["refresh_token"])).status, 200);
}

#[test]
fn of_twenty_equal_refreshes_one_wins() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let token = text(&log_in(&gateway, "alice", "wonderland-of-alice")["refresh_token"]);

    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let race: Vec<_> =
            (0..20).map(|_| scope.spawn(|| refresh(&gateway, &token).status)).collect();
        race.into_iter().map(|one| one.join().unwrap()).collect()
    });

    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 19, "{statuses:?}");
}

#[test]
fn an_api_key_is_exchanged_in_each_of_its_ways() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (id, key) = new_key(&gateway, &alice(&gateway), &no_scope("ci"));

    let grant = ("grant_type", "client_credentials");
    let by_id = basic(&id, &key);
    let by_owner = basic("alice", &key);
    let responses = [
        gateway.post_form("/oauth2/token", &[grant], &[("Authorization", &by_id)]),
        gateway.post_form("/oauth2/token", &[grant], &[("Authorization", &by_owner)]),
        gateway.post_form(
            "/oauth2/token",
            &[grant, ("client_id", &id), ("client_secret", &key)],
            &[],
        ),
        gateway.post_form("/oauth2/token", &[("grant_type", API_KEY), ("api_key", &key)], &[]),
    ];

    for response in responses {
        assert_eq!(response.status, 200, "{}", response.text());
        let tokens = response.json();
        assert!(tokens.get("refresh_token").is_none(), "{tokens}");
        let access = text(&tokens["access_token"]);
        assert_eq!(claims(&access)["sub"], "alice");
        assert_eq!(on_a_route(&gateway, &access), 200);
    }
}

#[test]
fn a_key_of_somebody_else_or_none_is_no_client() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (id, key) = new_key(&gateway, &alice(&gateway), &no_scope("ci"));

    let grant = [("grant_type", "client_credentials")];
    for (name, secret) in [
        ("bob", &*key),
        ("", &key),
        (&id, "wonderland-of-alice"),
        ("alice", "wonderland-of-alice"),
        (&id, &key[..key.len() - 1]),
    ] {
        let header = basic(name, secret);
        let response = gateway.post_form("/oauth2/token", &grant, &[("Authorization", &header)]);
        assert_refused(&response, 401, "invalid_client");
        assert!(response.header("www-authenticate").unwrap().starts_with("Basic "));
    }
    assert_refused(&gateway.post_form("/oauth2/token", &grant, &[]), 401, "invalid_client");
}

#[test]
fn a_token_is_as_narrow_as_the_key_it_came_from_and_ends_with_it() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .route("permissions = { GET = \"files:read\", \"*\" = \"files:write\" }")
        .start();
    let alice = alice(&gateway);
    let scope =
        json!({ "label": "read", "scope": { "permissions": ["files:read"], "path": "/alice" } });
    let (id, key) = new_key(&gateway, &alice, &scope);
    let grant = [("grant_type", API_KEY), ("api_key", &*key)];
    let token = text(&gateway.post_form("/oauth2/token", &grant, &[]).json()["access_token"]);

    let ask = |method: &str, path: &str| gateway.ask(method, path).token(&token).send().status;
    assert_eq!(ask("GET", "/alice/x"), 200);
    assert_eq!(ask("PUT", "/alice/x"), 403);
    assert_eq!(ask("GET", "/bob/x"), 403);

    let path = format!("/account/keys/{id}");
    let ended = gateway.send_tls("DELETE", &path, &[("Authorization", &bearer(&alice))], b"");
    assert_eq!(ended.status, 204);
    assert_eq!(ask("GET", "/alice/x"), 401);
    assert_refused(&gateway.post_form("/oauth2/token", &grant, &[]), 400, "invalid_grant");
}

#[test]
fn a_client_may_ask_for_less_and_not_for_more() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section(
            "endpoints.tokens",
            "dialect = \"standard\"\nissuer = \"local\"\nlifetime = \"10m\"\nmax_lifetime = \"1h\"",
        )
        .start();
    let ask = |more: &[(&str, &str)]| {
        let grant = [&password_grant("alice", "wonderland-of-alice"), more].concat();
        gateway.post_form("/oauth2/token", &grant, &[])
    };

    for (asked, given) in [("60", 60), ("600", 600), ("3600", 3600), ("86400", 3600)] {
        let tokens = ask(&[("expires_in", asked)]).json();
        assert_eq!(tokens["expires_in"], given, "{tokens}");
    }
    assert_eq!(ask(&[("audience", AUDIENCE)]).status, 200);
    assert_refused(&ask(&[("audience", "another")]), 400, "invalid_target");
    assert_refused(&ask(&[("scope", "files:read")]), 400, "invalid_scope");
    assert_eq!(ask(&[("scope", "")]).status, 200);
    for asked in ["0", "-1", "1.5", "x", "99999999999999999999999"] {
        assert_refused(&ask(&[("expires_in", asked)]), 400, "invalid_request");
    }
}

#[test]
fn a_user_who_is_disabled_meanwhile_gets_nothing_more() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let tokens = log_in(&gateway, "alice", "wonderland-of-alice");
    let (_, key) = new_key(&gateway, &text(&tokens["access_token"]), &no_scope("ci"));

    let users = crate::support::configuration::USERS;
    let disabled = users.replace("home: /alice", "home: /alice\n    disabled: true");
    gateway.files().replace("users.yaml", disabled);
    gateway.reload();

    assert_eq!(on_a_route(&gateway, &text(&tokens["access_token"])), 401);
    assert_refused(&refresh(&gateway, &text(&tokens["refresh_token"])), 400, "invalid_grant");
    let grant = [("grant_type", API_KEY), ("api_key", &*key)];
    assert_refused(&gateway.post_form("/oauth2/token", &grant, &[]), 400, "invalid_grant");
    let grant = password_grant("alice", "wonderland-of-alice");
    assert_refused(&gateway.post_form("/oauth2/token", &grant, &[]), 400, "invalid_grant");
}
