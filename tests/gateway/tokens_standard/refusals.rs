use serde_json::json;

use super::*;
use crate::support::tokens::{SigningKey, Token, basic};

#[test]
fn every_malformed_request_has_its_error() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let alice = password_grant("alice", "wonderland-of-alice");

    let form = |more: &[(&str, &str)]| gateway.post_form("/oauth2/token", more, &[]);
    assert_refused(&form(&[]), 400, "invalid_request");
    assert_refused(&form(&[("grant_type", "implicit")]), 400, "unsupported_grant_type");
    assert_refused(&form(&[("grant_type", "password")]), 400, "invalid_request");
    assert_refused(&form(&[("grant_type", "refresh_token")]), 400, "invalid_request");
    assert_refused(&form(&[("grant_type", API_KEY)]), 400, "invalid_request");
    assert_refused(&form(&[("grant_type", MFA_OTP), ("otp", "123456")]), 400, "invalid_request");
    assert_refused(&form(&[&alice[..], &[("username", "bob")]].concat()), 400, "invalid_request");
    assert_refused(
        &form(&[&alice[..], &[("client_secret", "x")]].concat()),
        400,
        "invalid_request",
    );

    let raw = |content_type: &str, body: &str| {
        let headers = [("Content-Type", content_type)];
        gateway.send_tls("POST", "/oauth2/token", &headers, body.as_bytes())
    };
    let form_type = "application/x-www-form-urlencoded";
    let json = json!({ "grant_type": "password", "username": "alice" }).to_string();
    assert_refused(&raw("application/json", &json), 400, "invalid_request");
    assert_refused(&raw(form_type, "grant_type=%zz"), 400, "invalid_request");
    assert_refused(
        &raw(form_type, "grant_type=password&username=%00&password=x"),
        400,
        "invalid_request",
    );
    assert_refused(&gateway.send_tls("POST", "/oauth2/token", &[], b""), 400, "invalid_request");
}

#[test]
fn unknown_wrong_and_disabled_have_one_answer() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    let answers = [("mallory", "x"), ("alice", "wrong"), ("carol", "carol-of-the-bells")].map(
        |(user, password)| {
            let grant = password_grant(user, password);
            let response = gateway.post_form("/oauth2/token", &grant, &[]);
            assert_refused(&response, 400, "invalid_grant");
            response.text()
        },
    );

    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[test]
fn a_guesser_has_to_wait_longer_and_longer() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section("throttle", "failures = 3\ndelay = \"1h\"\nmax_delay = \"2h\"")
        .start();
    let guess = |password: &str| {
        gateway.post_form("/oauth2/token", &password_grant("alice", password), &[])
    };

    for _ in 0..3 {
        assert_refused(&guess("wrong"), 400, "invalid_grant");
    }

    let response = guess("wonderland-of-alice");
    assert_refused(&response, 429, "temporarily_unavailable");
    let wait: u64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((3000..=7200).contains(&wait), "{wait}");
}

#[test]
fn a_client_that_authenticates_may_not_use_what_is_its_users() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let (id, key) = new_key(&gateway, &alice(&gateway), &no_scope("ci"));
    let header = basic(&id, &key);

    for grant in [
        password_grant("alice", "wonderland-of-alice"),
        [("grant_type", "refresh_token"), ("refresh_token", "x"), ("y", "z")],
    ] {
        let response = gateway.post_form("/oauth2/token", &grant, &[("Authorization", &header)]);
        assert_refused(&response, 400, "unauthorized_client");
    }
    let public = basic("an-app", "");
    let grant = password_grant("alice", "wonderland-of-alice");
    let response = gateway.post_form("/oauth2/token", &grant, &[("Authorization", &public)]);
    assert_eq!(response.status, 200, "{}", response.text());
}

#[test]
fn a_token_of_another_kind_is_none() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let tokens = log_in(&gateway, "alice", "wonderland-of-alice");
    let (access, refresh_token) = (text(&tokens["access_token"]), text(&tokens["refresh_token"]));
    let (_, key) = new_key(&gateway, &access, &no_scope("ci"));

    for wrong in [&access, &key, "x", "dwr__"] {
        assert_refused(&refresh(&gateway, wrong), 400, "invalid_grant");
    }
    for wrong in [&access, &refresh_token, "x"] {
        let grant = [("grant_type", API_KEY), ("api_key", wrong)];
        assert_refused(&gateway.post_form("/oauth2/token", &grant, &[]), 400, "invalid_grant");
    }
    let foreign = Token::of("alice").signed_with(&SigningKey::Hs256(vec![7; 64]));
    let expired = Token::of("alice").claim("exp", 1_000_000_000).signed();
    for wrong in [&refresh_token, &key, &foreign, &expired, &Token::of("alice").unsigned()] {
        let headers = [("Authorization", &*bearer(wrong))];
        let response = gateway.send_tls("GET", "/account", &headers, b"");
        assert_refused(&response, 401, "invalid_token");
        let challenge = response.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("invalid_token"));
    }
}

#[test]
fn an_account_needs_exactly_one_token() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let token = bearer(&alice(&gateway));

    let missing = gateway.send_tls("GET", "/account", &[], b"");
    assert_refused(&missing, 401, "invalid_token");
    assert_eq!(missing.header("www-authenticate"), Some("Bearer realm=\"doorward\""));
    let basic = basic("alice", "wonderland-of-alice");
    let headers = [("Authorization", &*basic)];
    assert_refused(&gateway.send_tls("GET", "/account", &headers, b""), 401, "invalid_token");
    let headers = [("Authorization", &*token), ("Authorization", &*token)];
    assert_eq!(gateway.send_tls("GET", "/account", &headers, b"").status, 400);
}

#[test]
fn other_methods_are_refused_with_those_that_are_offered() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    for (method, path, allowed) in [
        ("GET", "/oauth2/token", "POST"),
        ("PUT", "/oauth2/revoke", "POST"),
        ("DELETE", "/oauth2/introspect", "POST"),
        ("POST", "/.well-known/jwks.json", "GET,HEAD"),
        ("DELETE", "/account", "GET,HEAD"),
        ("PUT", "/account/keys", "GET,HEAD,POST"),
        ("GET", "/account/keys/x", "DELETE"),
    ] {
        let response = gateway.send_tls(method, path, &[], b"");
        assert_refused(&response, 405, "invalid_request");
        assert_eq!(response.header("allow"), Some(allowed), "{method} {path}");
    }
    assert!(upstream.requests().is_empty());
}

#[test]
fn json_is_read_strictly() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let token = bearer(&alice(&gateway));
    let send = |path: &str, content_type: &str, body: &str| {
        let headers = [("Authorization", &*token), ("Content-Type", content_type)];
        gateway.send_tls("POST", path, &headers, body.as_bytes())
    };

    for path in [
        "/account/keys",
        "/account/password",
        "/account/logout",
        "/totp/enrol",
        "/totp/confirm",
        "/totp/disable",
    ] {
        let deep = "[".repeat(30_000);
        for body in
            ["{", "[]", "null", "\"x\"", "{\"unknown\": 1}", "{\"label\": 5}", &deep, "{} x"]
        {
            assert_refused(&send(path, "application/json", body), 400, "invalid_request");
        }
        assert_refused(&send(path, "text/plain", "{}"), 415, "invalid_request");
    }
    for body in [
        r#"{"label": "a", "label": "b"}"#,
        r#"{"label": "a", "scope": {"everything": true}}"#,
        r#"{"label": "a", "scope": {"methods": "GET"}}"#,
        r#"{"label": "a", "scope": {"path": "/../x"}}"#,
        r#"{"label": "a", "expires_in": "60"}"#,
        r#"{"label": "a", "expires_in": 0}"#,
        r#"{"label": "a", "expires_in": -1}"#,
        r#"{"label": "a", "expires_in": 9223372036854775807}"#,
    ] {
        assert_refused(&send("/account/keys", "application/json", body), 400, "invalid_request");
    }
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let long = "x".repeat(100 * 1024);
    let grant = [("grant_type", "password"), ("username", "alice"), ("password", &*long)];

    let response = gateway.post_form("/oauth2/token", &grant, &[]);

    assert_eq!(response.status, 413);
}
