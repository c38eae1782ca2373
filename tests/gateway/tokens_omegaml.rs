//! omegaml's dialect, byte by byte.

use serde_json::{Value, json};

use crate::support::client::Response;
use crate::support::configuration::Builder;
use crate::support::endpoint::{STORE_SECRET, claims};
use crate::support::gateway::TestGateway;
use crate::support::tokens::{SigningKey, Token, now};
use crate::support::upstream::TestUpstream;

const REFUSED: &str = r#"{"errors": {"__all__": ["Unable to login with provided credentials."]}}"#;
const UNDECODABLE: &str = r#"{"errors": {"__all__": ["Error decoding signature."]}}"#;
const MALFORMED: &str = r#"{"errors": ["Improperly formatted request"]}"#;
const LOGIN: &str = "/token-auth/";
const REFRESH: &str = "/token-refresh/";

fn before(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section("endpoints.omegaml", "dialect = \"omegaml\"\nissuer = \"local\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
}

fn post(gateway: &TestGateway, path: &str, body: &str) -> Response {
    // What curl -d sends; the body is JSON all the same.
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    gateway.send_tls("POST", path, &headers, body.as_bytes())
}

#[track_caller]
fn log_in(gateway: &TestGateway, user: &str, password: &str) -> Response {
    post(gateway, LOGIN, &json!({ "username": user, "password": password }).to_string())
}

#[track_caller]
fn assert_answer(response: &Response, status: u16, body: &str) {
    assert_eq!((response.status, &*response.text()), (status, body));
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("www-authenticate"), None);
}

#[track_caller]
fn token(response: &Response) -> String {
    let body = response.json();
    let token = body["token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    let expected =
        format!(r#"{{"token_type": "Bearer", "token": "{token}", "expires_in": 300.0}}"#);
    assert_answer(response, 200, &expected);
    token
}

#[test]
fn a_user_logs_in_by_name_or_address_and_the_token_opens_a_route() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    for name in ["alice", "alice@example.org", "Alice@Example.org"] {
        let token = token(&log_in(&gateway, name, "wonderland-of-alice"));
        let said = claims(&token);
        assert_eq!(said["username"], "alice");
        assert_eq!(said["email"], "alice@example.org");
        assert!(said["user_id"].is_u64(), "{said}");
        assert_eq!(said["exp"].as_u64().unwrap(), said["orig_iat"].as_u64().unwrap() + 300);
        assert!(said["orig_iat"].as_u64().unwrap().abs_diff(now()) < 20, "{said}");
        assert_eq!(gateway.get("/x").token(&token).send().status, 200);
    }
    assert_eq!(upstream.requests()[0].header("x-forwarded-user"), Some("alice"));
}

#[test]
fn whoever_cannot_log_in_has_one_answer() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).section("throttle", "failures = 100").start();

    for (user, password) in [
        ("alice", "wrong"),
        ("alice@example.org", "wrong"),
        ("nobody@example.org", "wonderland-of-alice"),
        ("mallory", "x"),
        ("carol", "carol-of-the-bells"),
        ("alice", "Wonderland-of-alice"),
        ("Alice", "wonderland-of-alice"),
    ] {
        assert_answer(&log_in(&gateway, user, password), 400, REFUSED);
    }
}

#[test]
fn an_address_of_two_users_is_nobodys() {
    let upstream = TestUpstream::start();
    let users = "users:\n  - {username: a, password: pass-of-a, email: shared@example.org}\n  - {username: b, password: pass-of-b, email: shared@example.org}\n";
    let gateway = before(&upstream).users(users).start();

    assert_answer(&log_in(&gateway, "shared@example.org", "pass-of-a"), 400, REFUSED);
    token(&log_in(&gateway, "a", "pass-of-a"));
}

#[test]
fn a_form_that_is_not_filled_in_is_answered_field_by_field() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let password = r#"{"errors": {"password": ["This field is required."], "__all__": ["Must include 'username' and 'password'."]}}"#;
    let username = r#"{"errors": {"username": ["This field is required."], "__all__": ["Must include 'username' and 'password'."]}}"#;
    let both = r#"{"errors": {"password": ["This field is required."], "username": ["This field is required."], "__all__": ["Must include 'username' and 'password'."]}}"#;

    for (body, expected) in [
        (r#"{"username": "alice"}"#, password),
        (r#"{"username": "alice", "password": ""}"#, password),
        (r#"{"username": "alice", "password": null}"#, password),
        (r#"{"username": "alice", "password": []}"#, password),
        (r#"{"password": "x"}"#, username),
        ("{}", both),
        ("", MALFORMED),
        ("username=alice&password=x", MALFORMED),
        ("[]", MALFORMED),
        ("\"x\"", MALFORMED),
        ("null", MALFORMED),
        ("{\"username\": \"\u{1}", MALFORMED),
        (r#"{"username": "alice", "password": 12345}"#, REFUSED),
        (r#"{"username": "alice", "password": "wrong", "extra": 1}"#, REFUSED),
    ] {
        assert_answer(&post(&gateway, LOGIN, body), 400, expected);
    }
    assert_answer(&post(&gateway, REFRESH, "[]"), 400, MALFORMED);
    let missing = r#"{"errors": {"token": ["This field is required."]}}"#;
    assert_answer(&post(&gateway, REFRESH, "{}"), 400, missing);
}

#[test]
fn other_methods_and_a_missing_slash_are_refused() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    for (method, path) in [("GET", LOGIN), ("PUT", LOGIN), ("DELETE", REFRESH), ("GET", REFRESH)] {
        let response = gateway.send_tls(method, path, &[], b"");
        assert_eq!((response.status, response.text()), (405, String::new()), "{method} {path}");
        assert_eq!(response.header("allow"), Some("POST"));
    }
    let body = json!({ "username": "alice", "password": "wonderland-of-alice" }).to_string();
    assert_eq!(post(&gateway, "/token-auth", &body).status, 401); // a path of the upstream
    assert!(upstream.requests().is_empty());
}

fn refresh(gateway: &TestGateway, token: &str) -> Response {
    post(gateway, REFRESH, &json!({ "token": token }).to_string())
}

#[test]
fn a_token_is_refreshed_by_itself_and_keeps_its_origin() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let first = token(&log_in(&gateway, "alice", "wonderland-of-alice"));

    let second = token(&refresh(&gateway, &first));

    assert_ne!(first, second);
    assert_eq!(claims(&second)["orig_iat"], claims(&first)["orig_iat"]);
    assert_eq!(claims(&second)["username"], "alice");
    assert_eq!(gateway.get("/x").token(&second).send().status, 200);
}

#[test]
fn what_cannot_be_refreshed_is_told_why() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let all = |message: &str| format!(r#"{{"errors": {{"__all__": ["{message}"]}}}}"#);
    let ours = |subject: &str| Token::of(subject).claim("orig_iat", now()).claim("jti", "x");
    let week = 7 * 24 * 3600;

    assert_eq!(
        refresh(&gateway, &ours("alice").claim("orig_iat", now() - week + 60).signed()).status,
        200
    );
    for (token, message) in [
        (Token::of("alice").claim("jti", "x").signed(), "orig_iat was missing from payload."),
        (ours("alice").claim("orig_iat", now() - week - 60).signed(), "Refresh has expired."),
        (ours("alice").claim("exp", now() - 3600).signed(), "Signature has expired."),
        (ours("mallory").signed(), "Unable to login with provided credentials."),
        (ours("carol").signed(), "User account is disabled."),
        (ours("alice").signed_with(&SigningKey::Hs256(vec![7; 64])), "Error decoding signature."),
        (ours("alice").unsigned(), "Error decoding signature."),
        ("garbage".to_owned(), "Error decoding signature."),
        ("a.b.c".to_owned(), "Error decoding signature."),
    ] {
        assert_answer(&refresh(&gateway, &token), 400, &all(message));
    }
    assert_answer(&refresh(&gateway, "x"), 400, UNDECODABLE);
}

#[test]
fn a_guesser_has_to_wait() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream)
        .section("throttle", "failures = 2\ndelay = \"1h\"\nmax_delay = \"2h\"")
        .start();
    for user in ["alice", "alice@example.org"] {
        assert_answer(&log_in(&gateway, user, "wrong"), 400, REFUSED);
    }

    let response = log_in(&gateway, "alice", "wonderland-of-alice");

    assert_answer(&response, 429, r#"{"errors": {"__all__": ["Try again later."]}}"#);
    assert!(response.header("retry-after").unwrap().parse::<u64>().unwrap() > 60);
}

#[test]
fn a_dialect_may_be_mounted_below_a_prefix() {
    let upstream = TestUpstream::start();
    let settings = "dialect = \"omegaml\"\nissuer = \"local\"\npath = \"/hub\"\nlifetime = \"10m\"\nmax_lifetime = \"10m\"";
    let gateway = before(&upstream).section("endpoints.omegaml", settings).start();

    let body = json!({ "username": "alice", "password": "wonderland-of-alice" }).to_string();
    let answer: Value = post(&gateway, "/hub/token-auth/", &body).json();

    assert_eq!(answer["expires_in"], json!(600.0));
}
