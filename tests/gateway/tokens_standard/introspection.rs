use serde_json::json;

use super::*;
use crate::support::tokens::{AUDIENCE, ISSUER, Token, basic};

const ROLES: &str = "reader = [\"files:read\", \"tokens:introspect\"]\neditor = [\"files:*\"]";

#[test]
fn who_may_ask_is_told_what_a_token_is() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("roles", ROLES).start();
    let tokens = log_in(&gateway, "alice", "wonderland-of-alice");
    let (access, refresh_token) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    let bob = text(&log_in(&gateway, "bob", "bob-the-builder")["access_token"]);
    let (id, key) = new_key(&gateway, &bob, &no_scope("introspection"));
    let (by_token, by_key) = (bearer(&bob), basic(&id, &key));

    for caller in [&by_token, &by_key] {
        let ask = |token: &str| {
            let headers = [("Authorization", &**caller)];
            let response = gateway.post_form("/oauth2/introspect", &[("token", token)], &headers);
            assert_eq!(response.status, 200, "{}", response.text());
            response.json()
        };
        let told = ask(&access);
        assert_eq!(told["active"], true, "{told}");
        assert_eq!(told["token_type"], "Bearer");
        assert_eq!((&told["sub"], &told["username"]), (&json!("alice"), &json!("alice")));
        assert_eq!(told["iss"], ISSUER);
        assert!(told["exp"].is_u64() && told["iat"].is_u64() && told["jti"].is_string(), "{told}");
        let told = ask(&refresh_token);
        assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!("alice")), "{told}");
        assert_eq!(told.get("token_type"), None);
        let foreign = Token::of("alice").claim("aud", "another").signed();
        let expired = Token::of("alice").claim("exp", 1_000_000_000).signed();
        for dead in ["x", "", &foreign, &expired, &Token::of("carol").signed(), &access[1..]] {
            if dead.is_empty() {
                continue;
            }
            assert_eq!(ask(dead), json!({ "active": false }), "{dead}");
        }
    }
    let grant = [("token", &*access), ("client_id", &*id), ("client_secret", &*key)];
    assert_eq!(gateway.post_form("/oauth2/introspect", &grant, &[]).json()["active"], true);
    assert_eq!(AUDIENCE, "doorward");
}

#[test]
fn nobody_else_is_told_anything() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("roles", ROLES).start();
    let alice = alice(&gateway);
    let bob = text(&log_in(&gateway, "bob", "bob-the-builder")["access_token"]);
    let narrow = json!({ "label": "narrow", "scope": { "permissions": ["files:read"] } });
    let (id, narrow) = new_key(&gateway, &bob, &narrow);
    let ask = |headers: &[(&str, &str)]| {
        gateway.post_form("/oauth2/introspect", &[("token", &alice)], headers)
    };

    assert_refused(&ask(&[]), 401, "invalid_token");
    assert_refused(&ask(&[("Authorization", "Bearer x")]), 401, "invalid_token");
    assert_refused(
        &ask(&[("Authorization", &basic("bob", "bob-the-builder"))]),
        401,
        "invalid_client",
    );
    assert_refused(&ask(&[("Authorization", &basic("bob", ""))]), 401, "invalid_token");
    assert_refused(&ask(&[("Authorization", &bearer(&alice))]), 403, "insufficient_scope");
    assert_refused(&ask(&[("Authorization", &basic(&id, &narrow))]), 403, "insufficient_scope");
    let grant = [("grant_type", API_KEY), ("api_key", &*narrow)];
    let token = text(&gateway.post_form("/oauth2/token", &grant, &[]).json()["access_token"]);
    assert_refused(&ask(&[("Authorization", &bearer(&token))]), 403, "insufficient_scope");
}

#[test]
fn a_revoked_token_ends_at_once_and_a_refresh_token_takes_its_family_along() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let first = log_in(&gateway, "alice", "wonderland-of-alice");
    let second = log_in(&gateway, "alice", "wonderland-of-alice");
    let revoke = |token: &Value, hint: &str| {
        let form = [("token", token.as_str().unwrap()), ("token_type_hint", hint)];
        let response = gateway.post_form("/oauth2/revoke", &form, &[]);
        (response.status, response.text())
    };
    let opens = |tokens: &Value| on_a_route(&gateway, &text(&tokens["access_token"])) == 200;
    assert!(opens(&first) && opens(&second));

    assert_eq!(revoke(&first["access_token"], ""), (200, String::new()));
    assert!(!opens(&first) && opens(&second));
    assert_eq!(refresh(&gateway, &text(&first["refresh_token"])).status, 200);

    assert_eq!(revoke(&second["refresh_token"], "access_token"), (200, String::new()));
    assert!(!opens(&second));
    assert_refused(&refresh(&gateway, &text(&second["refresh_token"])), 400, "invalid_grant");

    for again in [&first["access_token"], &second["refresh_token"], &json!("x")] {
        assert_eq!(revoke(again, "whatever"), (200, String::new()));
    }
}

#[test]
fn a_revocation_is_a_request_as_well() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let token = alice(&gateway);
    let revoke = |form: &[(&str, &str)], headers: &[(&str, &str)]| {
        gateway.post_form("/oauth2/revoke", form, headers)
    };

    assert_refused(&revoke(&[], &[]), 400, "invalid_request");
    let stranger = basic("x", "y");
    let headers = [("Authorization", &*stranger)];
    assert_refused(&revoke(&[("token", &token)], &headers), 401, "invalid_client");
    assert_eq!(on_a_route(&gateway, &token), 200);
}

#[test]
fn whoever_finds_a_key_can_end_it() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (_, key) = new_key(&gateway, &alice(&gateway), &no_scope("lost"));
    let grant = [("grant_type", API_KEY), ("api_key", &*key)];
    let token = text(&gateway.post_form("/oauth2/token", &grant, &[]).json()["access_token"]);

    let revoked = gateway.post_form("/oauth2/revoke", &[("token", &key)], &[]);

    assert_eq!((revoked.status, revoked.text()), (200, String::new()));
    assert_refused(&gateway.post_form("/oauth2/token", &grant, &[]), 400, "invalid_grant");
    assert_eq!(on_a_route(&gateway, &token), 401);
}
