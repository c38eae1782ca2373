//! `JWThenticator`'s dialect, byte by byte.

use serde_json::{Value, json};

use crate::support::client::Response;
use crate::support::configuration::Builder;
use crate::support::endpoint::{STORE_SECRET, claims};
use crate::support::gateway::TestGateway;
use crate::support::tokens::{self, SigningKey, Token, basic, now};
use crate::support::upstream::TestUpstream;

const IDENTIFIER: &str = "0f3c2a9e-1111-4222-8333-444455556666";
const OTHER: &str = "0f3c2a9e-1111-4222-8333-444455556667";
const TRUE: &str = r#"{"result": true, "message": null}"#;
const FALSE: &str = r#"{"result": false, "message": null}"#;

fn before(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream)
        .section(
            "endpoints.jwt",
            "dialect = \"jwthenticator\"\nissuer = \"local\"\nsets = [\"external\", \"internal\"]",
        )
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .with("issuers.local", "bound = false\nclaims = { subject = \"identifier\" }")
}

fn post(gateway: &TestGateway, path: &str, body: &str) -> Response {
    gateway.send_tls("POST", path, &[], body.as_bytes())
}

fn send(gateway: &TestGateway, path: &str, body: &Value) -> Response {
    post(gateway, path, &body.to_string())
}

#[track_caller]
fn assert_answer(response: &Response, status: u16, body: &str) {
    assert_eq!((response.status, &*response.text()), (status, body));
    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("www-authenticate"), None);
}

#[track_caller]
fn assert_plain(response: &Response, status: u16, body: &str) {
    assert_eq!((response.status, &*response.text()), (status, body));
    assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[track_caller]
fn register(gateway: &TestGateway, key: &str, identifier: &str) {
    let response = send(gateway, "/register_key", &json!({ "key": key, "identifier": identifier }));
    assert_answer(&response, 201, TRUE);
}

fn authenticate(gateway: &TestGateway, key: &str, identifier: &str) -> Response {
    send(gateway, "/authenticate", &json!({ "key": key, "identifier": identifier }))
}

/// The JWT and the refresh token.
#[track_caller]
fn tokens_of(response: &Response) -> (String, String) {
    let body = response.json();
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    let (jwt, refresh) = (text("jwt"), text("refresh_token"));
    let expected = format!(r#"{{"jwt": "{jwt}", "refresh_token": "{refresh}"}}"#);
    assert_answer(response, 200, &expected);
    (jwt, refresh)
}

fn refresh(gateway: &TestGateway, token: &str, identifier: &str) -> Response {
    send(gateway, "/refresh", &json!({ "refresh_token": token, "identifier": identifier }))
}

#[test]
fn a_registered_key_is_exchanged_for_a_token_of_its_identifier() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    register(&gateway, "a-key", IDENTIFIER);
    register(&gateway, "a-key", IDENTIFIER);

    let (jwt, _) = tokens_of(&authenticate(&gateway, "a-key", IDENTIFIER));

    let said = claims(&jwt);
    assert_eq!(said["identifier"], IDENTIFIER);
    let id = said["token_id"].as_str().unwrap();
    assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{said}");
    assert_eq!(said["exp"].as_u64().unwrap(), said["iat"].as_u64().unwrap() + 90_000);
    assert!(said["iat"].as_u64().unwrap().abs_diff(now()) < 20);
    assert_eq!(gateway.get("/x").token(&jwt).send().status, 200);
    assert_eq!(upstream.requests()[0].header("x-forwarded-user"), Some(IDENTIFIER));
    let compact = IDENTIFIER.replace('-', "");
    tokens_of(&authenticate(&gateway, "a-key", &compact));
    tokens_of(&authenticate(&gateway, "a-key", &IDENTIFIER.to_uppercase()));
}

#[test]
fn a_key_is_good_for_its_own_identifier_alone() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    register(&gateway, "a-key", IDENTIFIER);

    for (key, identifier) in
        [("a-key", OTHER), ("another", IDENTIFIER), ("", IDENTIFIER), ("A-key", IDENTIFIER)]
    {
        assert_answer(&authenticate(&gateway, key, identifier), 401, "{}");
    }
    let taken = send(&gateway, "/register_key", &json!({ "key": "a-key", "identifier": OTHER }));
    assert_eq!(taken.status, 400);
    tokens_of(&authenticate(&gateway, "a-key", IDENTIFIER));
}

#[test]
fn whether_a_key_is_registered_is_told() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    register(&gateway, "a-key", IDENTIFIER);

    let ask = |key: &str| send(&gateway, "/is_key_registered", &json!({ "key": key }));
    assert_answer(&ask("a-key"), 200, TRUE);
    assert_answer(&ask("another"), 200, FALSE);
}

#[test]
fn a_refresh_token_is_reusable_and_bound_to_its_identifier() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    register(&gateway, "a-key", IDENTIFIER);
    let (first, token) = tokens_of(&authenticate(&gateway, "a-key", IDENTIFIER));

    for wrong in [OTHER, "00000000-0000-0000-0000-000000000000"] {
        assert_answer(&refresh(&gateway, &token, wrong), 401, "{}");
    }
    for wrong in [&first, "x", ""] {
        assert_answer(&refresh(&gateway, wrong, IDENTIFIER), 401, "{}");
    }
    for _ in 0..3 {
        let response = refresh(&gateway, &token, IDENTIFIER);
        let jwt = response.json()["jwt"].as_str().unwrap().to_owned();
        assert_answer(&response, 200, &format!(r#"{{"jwt": "{jwt}", "refresh_token": null}}"#));
        assert_ne!(jwt, first);
        assert_eq!(claims(&jwt)["identifier"], IDENTIFIER);
        assert_answer(&send(&gateway, "/validate", &json!({ "jwt": jwt })), 200, TRUE);
    }
    let headers = [("Authorization", &*format!("Bearer {token}"))];
    let response = gateway.send_tls("GET", "/validate_request", &headers, b"");
    assert_answer(&response, 401, "{}");
}

#[test]
fn a_token_is_validated_in_a_body_and_in_a_header() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    register(&gateway, "a-key", IDENTIFIER);
    let (jwt, _) = tokens_of(&authenticate(&gateway, "a-key", IDENTIFIER));
    let validate = |jwt: &str| send(&gateway, "/validate", &json!({ "jwt": jwt }));
    let request = |method: &str, header: &str| {
        gateway.send_tls(method, "/validate_request", &[("Authorization", header)], b"")
    };
    let ours = || Token::of("x").claim("identifier", IDENTIFIER).claim("token_id", OTHER);

    assert_answer(&validate(&jwt), 200, TRUE);
    assert_answer(&request("GET", &format!("Bearer {jwt}")), 200, "{}");
    assert_eq!(request("HEAD", &format!("Bearer {jwt}")).status, 200);
    for dead in [
        ours().claim("exp", now() - 3600).signed(),
        ours().signed_with(&SigningKey::Hs256(vec![7; 64])),
        ours().claim("aud", "another").signed(),
        ours().unsigned(),
        "garbage".to_owned(),
        "a.b.c".to_owned(),
    ] {
        assert_answer(&validate(&dead), 401, "{}");
        assert_answer(&request("GET", &format!("Bearer {dead}")), 401, "{}");
    }
    assert_answer(&validate(""), 401, "{}");
    for header in [
        format!("bearer {jwt}"),
        format!("Bearer  {jwt}"),
        format!("Bearer {jwt} x"),
        "Bearer".to_owned(),
        jwt.clone(),
        basic("alice", "wonderland-of-alice"),
    ] {
        assert_answer(&request("GET", &header), 403, "{}");
    }
    assert_answer(&gateway.send_tls("GET", "/validate_request", &[], b""), 403, "{}");
    let good = format!("Bearer {jwt}");
    let twice = [("Authorization", &*good), ("Authorization", &*good)];
    assert!(matches!(gateway.send_tls("GET", "/validate_request", &twice, b"").status, 400 | 403));
}

#[test]
fn a_body_that_is_not_as_it_must_be_is_answered_field_by_field() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let missing = "Missing data for required field.";
    for (path, body, expected) in [
        ("/authenticate", r#"{"key": "k"}"#, format!(r#"{{"identifier": ["{missing}"]}}"#)),
        (
            "/authenticate",
            "{}",
            format!(r#"{{"key": ["{missing}"], "identifier": ["{missing}"]}}"#),
        ),
        (
            "/refresh",
            "{}",
            format!(r#"{{"refresh_token": ["{missing}"], "identifier": ["{missing}"]}}"#),
        ),
        ("/validate", "{}", format!(r#"{{"jwt": ["{missing}"]}}"#)),
        ("/validate", r#"{"jwt": 5}"#, r#"{"jwt": ["Not a valid string."]}"#.into()),
        ("/is_key_registered", r#"{"key": "k", "x": 1}"#, r#"{"x": ["Unknown field."]}"#.into()),
        ("/is_key_registered", r#"{"key": null}"#, r#"{"key": ["Field may not be null."]}"#.into()),
        (
            "/register_key",
            r#"{"key": "k", "identifier": "x"}"#,
            r#"{"identifier": ["Not a valid UUID."]}"#.into(),
        ),
        (
            "/register_key",
            r#"{"key": "k", "identifier": 5}"#,
            r#"{"identifier": ["Not a valid UUID."]}"#.into(),
        ),
        ("/register_key", "[]", r#"{"_schema": ["Invalid input type."]}"#.into()),
        ("/authenticate", "\"x\"", r#"{"_schema": ["Invalid input type."]}"#.into()),
        ("/authenticate", "", "{}".into()),
        ("/authenticate", "{", "{}".into()),
        ("/authenticate", "key=k&identifier=x", "{}".into()),
        (
            "/validate",
            "{\"jwt\": \"x\", \"\u{e9}\": 1}",
            r#"{"\u00e9": ["Unknown field."]}"#.into(),
        ),
    ] {
        assert_answer(&post(&gateway, path, body), 400, &expected);
    }
}

#[test]
fn health_is_told_and_other_methods_are_not_offered() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();

    for path in ["/", "/health"] {
        assert_answer(&gateway.send_tls("GET", path, &[], b""), 200, TRUE);
        assert_eq!(gateway.send_tls("HEAD", path, &[], b"").status, 200);
    }
    for (method, path, allowed) in [
        ("POST", "/health", "GET,HEAD"),
        ("GET", "/authenticate", "POST"),
        ("PUT", "/register_key", "POST"),
        ("POST", "/validate_request", "GET,HEAD"),
        ("DELETE", "/jwks", "GET,HEAD"),
    ] {
        let response = gateway.send_tls(method, path, &[], b"");
        assert_plain(&response, 405, "405: Method Not Allowed");
        assert_eq!(response.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[test]
fn each_set_can_be_off_and_both_can_be_apart() {
    let upstream = TestUpstream::start();
    let external = "dialect = \"jwthenticator\"\nissuer = \"local\"\nsets = [\"external\"]\nhosts = [\"files.test\"]";
    let internal = "dialect = \"jwthenticator\"\nissuer = \"local\"\nsets = [\"internal\"]\nhosts = [\"localhost\"]\nlisteners = [\"main\"]";
    let gateway = before(&upstream)
        .section("endpoints.jwt", external)
        .section("endpoints.inside", internal)
        .start();
    let key = json!({ "key": "a-key", "identifier": IDENTIFIER }).to_string();

    for path in ["/register_key", "/is_key_registered"] {
        assert_plain(&post(&gateway, path, &key), 404, "404: Not Found");
        assert_plain(&gateway.send_tls("GET", path, &[], b""), 404, "404: Not Found");
    }
    let inside = |path: &str| gateway.ask("POST", path).host("localhost").body(&key).send();
    assert_answer(&inside("/register_key"), 201, TRUE);
    for path in ["/authenticate", "/refresh", "/validate", "/validate_request"] {
        assert_plain(&inside(path), 404, "404: Not Found");
    }
    assert_answer(&gateway.get("/health").host("localhost").send(), 200, TRUE);
    tokens_of(&post(&gateway, "/authenticate", &key));
}

#[test]
fn keys_are_published_as_its_clients_know_them() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).signing_with("RS256").start();

    let response = gateway.send_tls("GET", "/jwks", &[], b"");

    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
    let body = response.text();
    let order = ["x5c", "n", "e", "x5t", "kid", "alg", "kty", "use"];
    let places = order.map(|name| body.find(&format!("\"{name}\": ")).unwrap());
    assert!(places.is_sorted(), "{body}");
    let key = response.json()["keys"][0].clone();
    assert_eq!(key.as_object().unwrap().len(), order.len());
    assert_eq!(
        (&key["kid"], &key["alg"], &key["e"]),
        (&json!("first"), &json!("RS256"), &json!("AQAB"))
    );
    let decode = |text: &Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap()).unwrap()
    };
    let digest = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
        &decode(&key["x5c"][0]),
    );
    let thumbprint = {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
    };
    assert_eq!(key["x5t"], thumbprint);
}

#[test]
fn keys_are_not_kept_as_they_are() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream).start();
    let key = "a-key-that-nobody-else-would-write";
    register(&gateway, key, IDENTIFIER);
    let (jwt, token) = tokens_of(&authenticate(&gateway, key, IDENTIFIER));

    for file in std::fs::read_dir(gateway.files().root()).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap_or_default();
        for secret in [key, &token, &jwt] {
            let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "kept in clear: {secret}");
        }
    }
    assert!(!gateway.output().contains(key) && !gateway.output().contains(&token));
    assert_eq!(tokens::AUDIENCE, "doorward");
}
