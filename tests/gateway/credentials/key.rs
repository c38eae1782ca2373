//! API keys: where they are taken, how far they reach, when they end.

use serde_json::json;

use super::{assert_refused, before, new_key, operate, text};
use crate::support::tokens::{Token, basic};
use crate::support::upstream::TestUpstream;

#[test]
fn a_key_is_taken_in_each_of_its_places_and_ends_here() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (_, key) = new_key(&gateway, &json!({}));

    for (name, value) in [
        ("X-Api-Key", key.clone()),
        ("Authorization", format!("ApiKey alice:{key}")),
        ("Authorization", format!("apikey alice:{key}")),
        ("Authorization", basic("alice", &key)),
    ] {
        for _ in 0..2 {
            let response = gateway.get("/x").header(name, &value).send();
            assert_eq!(response.status, 200, "{name}: {}", response.text());
        }
    }

    for request in upstream.requests() {
        assert_eq!(request.header("x-forwarded-user"), Some("alice"));
        assert_eq!(request.header("x-forwarded-roles"), Some("editor"));
        assert_eq!((request.header("x-api-key"), request.header("authorization")), (None, None));
    }
    assert!(!gateway.output().contains(&key), "the log holds a key");
}

#[test]
fn what_is_no_key_of_whom_it_says_reaches_nothing() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (_, key) = new_key(&gateway, &json!({}));
    let other = format!("{}a", &key[..key.len() - 1]);
    let other = if other == key { format!("{}b", &key[..key.len() - 1]) } else { other };

    for (headers, status, reason) in [
        (vec![("X-Api-Key", other.clone())], 401, "key_unknown"),
        (vec![("X-Api-Key", "nonsense".to_owned())], 401, "key_unknown"),
        (vec![("Authorization", basic("alice", &other))], 401, "key_unknown"),
        (vec![("Authorization", basic("bob", &key))], 401, "key_user_mismatch"),
        (vec![("Authorization", format!("ApiKey bob:{key}"))], 401, "key_user_mismatch"),
        (vec![("Authorization", format!("ApiKey {key}"))], 401, "credential_malformed"),
        (vec![("X-Api-Key", String::new())], 401, "credential_malformed"),
        (vec![("Authorization", format!("Bearer {key}"))], 401, "not_a_token"),
        (vec![("X-Api-Key", key.clone()), ("X-Api-Key", key.clone())], 400, "credential_ambiguous"),
        (
            vec![
                ("X-Api-Key", key.clone()),
                ("Authorization", format!("Bearer {}", Token::of("alice").signed())),
            ],
            400,
            "credential_ambiguous",
        ),
    ] {
        let mut ask = gateway.get("/x");
        for (name, value) in &headers {
            ask = ask.header(name, value);
        }
        assert_refused(&gateway, &ask.send(), status, reason);
    }
    upstream.assert_untouched();
}

#[test]
fn a_route_that_takes_no_keys_passes_those_of_its_upstream() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).route("accept = [\"basic\"]").start();
    let (_, key) = new_key(&gateway, &json!({}));

    let ask = gateway.get("/x").basic("alice", super::PASSWORD).header("X-Api-Key", "theirs");
    assert_eq!(ask.send().status, 200);
    assert_eq!(upstream.only_request().header("x-api-key"), Some("theirs"));

    assert_refused(&gateway, &gateway.get("/x").basic("alice", &key).send(), 401, "password");
    let response = gateway.get("/x").header("Authorization", &format!("ApiKey alice:{key}")).send();
    assert_refused(&gateway, &response, 401, "credential_unsupported");
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_key_reaches_as_far_as_its_scope_also_as_a_token() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .route("permissions = { GET = \"files:read\", \"*\" = \"files:write\" }")
        .start();
    let scope = json!({
        "permissions": ["files:read"], "path": "/a", "methods": ["GET", "PUT"],
        "sources": ["127.0.0.0/8", "::1"],
    });
    let (_, key) = new_key(&gateway, &scope);
    let (_, far) = new_key(&gateway, &json!({ "sources": ["192.0.2.0/24"] }));
    let grant = [("grant_type", super::super::tokens_standard::API_KEY), ("api_key", &*key)];
    let exchanged = gateway.post_form("/own/oauth2/token", &grant, &[]);
    assert_eq!(exchanged.status, 200, "{}", exchanged.text());
    let bearer = format!("Bearer {}", text(&exchanged.json()["access_token"]));

    for (name, value) in [("X-Api-Key", &key), ("Authorization", &bearer)] {
        let ask = |method, path| gateway.ask(method, path).header(name, value).send();
        assert_eq!(ask("GET", "/a/x").status, 200);
        for (method, path) in [("PUT", "/a/x"), ("GET", "/b"), ("GET", "/a2"), ("HEAD", "/a")] {
            let response = ask(method, path);
            assert_eq!(response.status, 403, "{method} {path}");
        }
        assert_refused(&gateway, &ask("GET", "/b"), 403, "key_scope");
        let copy = gateway.ask("PUT", "/a/x").header("Destination", "/b").header(name, value);
        assert_refused(&gateway, &copy.send(), 403, "key_scope");
    }
    let response = gateway.get("/a").header("X-Api-Key", &far).send();
    assert_refused(&gateway, &response, 403, "key_scope");
    assert_eq!(upstream.requests().len(), 2);
    assert!(upstream.requests().iter().all(|seen| seen.header("x-forwarded-roles").is_none()));
}

#[test]
fn a_key_that_was_ended_is_refused_at_the_next_request_and_its_tokens_as_well() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (id, key) = new_key(&gateway, &json!({}));
    let grant = [("grant_type", super::super::tokens_standard::API_KEY), ("api_key", &*key)];
    let exchanged = gateway.post_form("/own/oauth2/token", &grant, &[]).json();
    let token = text(&exchanged["access_token"]);
    let mut client = gateway.connect();
    let by_key = gateway.get("/x").header("X-Api-Key", &key);
    let by_token = gateway.get("/x").token(&token);
    assert_eq!(by_key.send_over(&mut client).status, 200);
    assert_eq!(by_token.send_over(&mut client).status, 200);

    operate(&gateway, "DELETE", &format!("/keys/{id}"));

    assert_refused(&gateway, &by_key.send_over(&mut client), 401, "key_unknown");
    let response = by_token.send_over(&mut client);
    assert_refused(&gateway, &response, 401, "key_unknown");
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn a_key_ends_with_its_owner() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (_, key) = new_key(&gateway, &json!({}));
    let ask = gateway.get("/x").header("X-Api-Key", &key);
    assert_eq!(ask.send().status, 200);

    operate(&gateway, "POST", "/users/alice/disable");

    let response = ask.send();
    assert_eq!(response.status, 401, "{}", response.text());
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_user_who_was_logged_out_everywhere_needs_a_new_token() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let token = Token::of("alice").claim("jti", "one").signed();
    let other = Token::of("bob").claim("jti", "two").signed();
    let mut client = gateway.connect();
    let ask = gateway.get("/x").token(&token);
    assert_eq!(ask.send_over(&mut client).status, 200);

    operate(&gateway, "POST", "/users/alice/logout");

    assert_refused(&gateway, &ask.send_over(&mut client), 401, "user_revoked");
    let in_password = gateway.get("/x").basic("jwt", &token).send();
    assert_refused(&gateway, &in_password, 401, "user_revoked");
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(gateway.get("/x").token(&other).send().status, 200);
    assert_eq!(gateway.get("/x").basic("alice", super::PASSWORD).send().status, 200);
}
