use serde_json::json;

use super::*;
use crate::support::tokens::{Token, basic, now};

#[test]
fn an_account_tells_who_one_is() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let token = alice(&gateway);

    let response = gateway.send_tls("GET", "/account", &[("Authorization", &bearer(&token))], b"");

    assert_eq!(response.status, 200, "{}", response.text());
    let account = response.json();
    assert_eq!(account["name"], "alice");
    assert_eq!(account["email"], "alice@example.org");
    assert_eq!(account["roles"], json!(["editor"]));
    assert_eq!(account["permissions"], json!(["files:*"]));
    assert_eq!(account["groups"], json!(["staff", "ops"]));
    assert_eq!(account["home"], "/alice");
    let none = json!({ "enrolled": false, "pending": false, "recovery_codes": 0 });
    assert_eq!(account["second_factor"], none);
    assert!(account["token"]["id"].is_string());
}

#[test]
fn a_user_issues_lists_and_revokes_keys() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (alice, bob) = (bearer(&alice(&gateway)), log_in(&gateway, "bob", "bob-the-builder"));
    let bob = bearer(&text(&bob["access_token"]));
    let list = |token: &str| {
        let response = gateway.send_tls("GET", "/account/keys", &[("Authorization", token)], b"");
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["keys"].clone()
    };
    assert_eq!(list(&alice), json!([]));
    let scope = json!({ "methods": ["GET"], "sources": ["127.0.0.0/8"] });
    let request = json!({ "label": "laptop", "scope": scope, "expires_in": 3600 });

    let headers = [("Authorization", &*alice)];
    let issued = gateway.post_json("/account/keys", &request, &headers).json();

    let (id, key) = (text(&issued["id"]), text(&issued["key"]));
    assert!(key.starts_with(&format!("dw_{id}_")), "{key}");
    assert!(issued["expires_at"].as_u64().unwrap().abs_diff(now() + 3600) < 20);
    let listed = list(&alice);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["id"], &listed[0]["label"]), (&json!(id), &json!("laptop")));
    assert_eq!(listed[0]["scope"], scope);
    assert!(!listed.to_string().contains(&key) && listed[0].get("hash").is_none());
    assert_eq!(list(&bob), json!([]));

    let path = format!("/account/keys/{id}");
    let end = |token: &str| gateway.send_tls("DELETE", &path, &[("Authorization", token)], b"");
    assert_refused(&end(&bob), 404, "not_found");
    assert_eq!(end(&alice).status, 204);
    assert_refused(&end(&alice), 404, "not_found");
    assert_eq!(list(&alice), json!([]));
}

#[test]
fn a_token_of_a_key_manages_no_account() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (_, key) = new_key(&gateway, &alice(&gateway), &no_scope("ci"));
    let grant = [("grant_type", API_KEY), ("api_key", &*key)];
    let token =
        bearer(&text(&gateway.post_form("/oauth2/token", &grant, &[]).json()["access_token"]));
    let headers = [("Authorization", &*token)];

    for (method, path) in
        [("GET", "/account"), ("GET", "/account/keys"), ("DELETE", "/account/keys/x")]
    {
        assert_refused(&gateway.send_tls(method, path, &headers, b""), 403, "insufficient_scope");
    }
    for path in ["/account/keys", "/account/password", "/totp/enrol", "/totp/disable"] {
        let response = gateway.post_json(path, &json!({}), &headers);
        assert_refused(&response, 403, "insufficient_scope");
    }
}

#[test]
fn a_new_password_ends_all_that_came_by_the_old_one() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let tokens = log_in(&gateway, "alice", "wonderland-of-alice");
    let access = text(&tokens["access_token"]);
    let (_, key) = new_key(&gateway, &access, &no_scope("ci"));
    let authorization = bearer(&access);
    let change = |old: &str, new: &str| {
        let request = json!({ "current_password": old, "new_password": new });
        gateway.post_json("/account/password", &request, &[("Authorization", &authorization)])
    };

    assert_refused(&change("wrong", "another-password"), 400, "invalid_grant");
    assert_refused(&change("wonderland-of-alice", ""), 400, "invalid_request");
    let changed = change("wonderland-of-alice", "through-the-looking-glass");
    assert_eq!(changed.status, 204, "{}", changed.text());

    assert_eq!(on_a_route(&gateway, &access), 401);
    assert_refused(&refresh(&gateway, &text(&tokens["refresh_token"])), 400, "invalid_grant");
    let grant = [("grant_type", API_KEY), ("api_key", &*key)];
    assert_refused(&gateway.post_form("/oauth2/token", &grant, &[]), 400, "invalid_grant");
    let old = password_grant("alice", "wonderland-of-alice");
    assert_refused(&gateway.post_form("/oauth2/token", &old, &[]), 400, "invalid_grant");
    log_in(&gateway, "alice", "through-the-looking-glass");
    let header = basic("alice", "through-the-looking-glass");
    assert_eq!(gateway.get("/x").header("Authorization", &header).send().status, 200);
}

#[test]
fn a_logout_ends_one_login_or_all_of_them() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let logins: Vec<_> = (0..3).map(|_| log_in(&gateway, "alice", "wonderland-of-alice")).collect();
    let opens = |index: usize| {
        let tokens: &Value = &logins[index];
        on_a_route(&gateway, &text(&tokens["access_token"])) == 200
    };
    let authorization = |index: usize| bearer(&text(&logins[index]["access_token"]));

    let one = authorization(0);
    let response = gateway.send_tls("POST", "/account/logout", &[("Authorization", &one)], b"");
    assert_eq!(response.status, 204, "{}", response.text());
    assert!(!opens(0) && opens(1) && opens(2));
    assert_refused(&refresh(&gateway, &text(&logins[0]["refresh_token"])), 400, "invalid_grant");

    let one = authorization(1);
    let everywhere = json!({ "everywhere": true });
    let response = gateway.post_json("/account/logout", &everywhere, &[("Authorization", &one)]);
    assert_eq!(response.status, 204, "{}", response.text());
    assert!(!opens(1) && !opens(2));
    for login in &logins[1..] {
        assert_refused(&refresh(&gateway, &text(&login["refresh_token"])), 400, "invalid_grant");
    }
}

#[test]
fn a_token_of_a_user_who_is_none_manages_nothing() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    for subject in ["mallory", "carol"] {
        let token = bearer(&Token::of(subject).signed());
        let response = gateway.send_tls("GET", "/account", &[("Authorization", &token)], b"");
        assert_refused(&response, 401, "invalid_token");
    }
}
