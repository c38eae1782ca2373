//! What a token says about its subject: mapped, bounded, and never more than the directory says
//! where the issuer is bound to it.

use serde_json::{Value, json};

use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::tokens::{SigningKey, Token};
use crate::support::upstream::TestUpstream;

/// A gateway that takes the tokens of a foreign issuer at their word.
fn foreign(upstream: &TestUpstream, key: &SigningKey) -> Builder {
    TestGateway::before(upstream).file("foreign.pem", key.public_pem()).section(
        "issuers.foreign",
        "keys = \"foreign.pem\"\nissuer = \"https://idp.test\"\naudience = [\"api\"]\nbound = false",
    )
}

fn token() -> Token {
    Token::of("erin").claim("iss", "https://idp.test").claim("aud", "api")
}

#[test]
fn a_bound_token_cannot_widen_what_the_directory_says() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section(
            "routes.homes",
            "upstream = \"files\"\npath = \"/files\"\nhome = { in = [\"path\"], mode = \"require\" }",
        )
        .section(
            "routes.write",
            "upstream = \"files\"\npath = \"/write\"\npermissions = { \"*\" = \"files:write\" }",
        )
        .section("routes.ops", "upstream = \"files\"\npath = \"/ops\"\ngroups = [\"ops\"]")
        .section("routes.role", "upstream = \"files\"\npath = \"/role\"\nroles = [\"editor\"]")
        .start();
    let wide = Token::of("bob")
        .claim("roles", json!(["editor"]))
        .claim("permissions", json!(["*", "files:write"]))
        .claim("groups", json!(["ops"]))
        .claim("home", "/")
        .claim("email", "forged@example.org")
        .signed();

    for target in ["/files/alice/x", "/write", "/ops", "/role"] {
        assert_eq!(gateway.get(target).token(&wide).send().status(), 403, "{target}");
    }
    upstream.assert_untouched();
    assert_eq!(gateway.get("/files/bob/x").token(&wide).send().status(), 200);
    assert_eq!(upstream.only_request().header("x-forwarded-groups"), None);
}

#[test]
fn a_claim_of_the_wrong_type_gives_nothing() {
    let upstream = TestUpstream::start();
    let key = SigningKey::es256();
    let gateway = foreign(&upstream, &key)
        .section("routes.role", "upstream = \"files\"\npath = \"/role\"\nroles = [\"editor\"]")
        .section("routes.group", "upstream = \"files\"\npath = \"/group\"\ngroups = [\"ops\"]")
        .start();
    let good = token().claim("roles", json!(["editor"])).signed_with(&key);
    assert_eq!(gateway.get("/role").token(&good).send().status(), 200);

    for (target, claim, value) in [
        ("/role", "roles", json!({ "editor": true })),
        ("/role", "roles", json!([["editor"]])),
        ("/role", "roles", json!([{ "name": "editor" }])),
        ("/role", "roles", json!(1)),
        ("/role", "roles", json!(true)),
        ("/role", "roles", Value::Null),
        ("/role", "roles", json!(["Editor"])),
        ("/role", "roles", json!(["editor "])),
        ("/role", "roles", json!(["editorx", "*"])),
        ("/group", "groups", json!({ "ops": "ops" })),
        ("/group", "groups", json!([["ops"]])),
        ("/group", "groups", json!(["x,ops"])),
    ] {
        let token = token().claim(claim, value.clone()).signed_with(&key);
        let status = gateway.get(target).token(&token).send().status();
        assert!(matches!(status, 401 | 403), "{claim} = {value} gave {status}");
    }

    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_home_out_of_a_claim_is_a_path_or_nothing() {
    let upstream = TestUpstream::start();
    let key = SigningKey::es256();
    let gateway = foreign(&upstream, &key)
        .route("path = \"/files\"\nhome = { in = [\"path\"], mode = \"require\" }")
        .start();
    let status = |home: Value, target: &str| {
        let token = token().claim("home", home).signed_with(&key);
        gateway.get(target).token(&token).send().status()
    };

    for home in [
        json!(""),
        json!("."),
        json!(".."),
        json!("/.."),
        json!("/alice/.."),
        json!("/alice/../bob"),
        json!("/%2e%2e"),
        json!("//"),
        json!("/alice%2f..%2fbob"),
        json!("/alice\0"),
        json!("\\"),
        json!(["/"]),
        json!({ "path": "/" }),
        json!(1),
        json!(true),
        Value::Null,
    ] {
        let status = status(home.clone(), "/files/bob/x");
        assert!(matches!(status, 401 | 403), "{home} gave {status}");
    }
    upstream.assert_untouched();
    assert_eq!(status(json!("/erin"), "/files/erin/x"), 200);
    assert_eq!(status(json!("/erin"), "/files/bob/x"), 403);
}

#[test]
fn no_claim_forges_a_header() {
    let upstream = TestUpstream::start();
    let key = SigningKey::es256();
    let gateway = foreign(&upstream, &key).start();

    for (claim, value) in [
        ("sub", json!("erin\r\nX-Forwarded-Groups: forged")),
        ("sub", json!("erin\nX: forged")),
        ("sub", json!("erin\0")),
        ("email", json!("erin@idp.test\r\nX-Forwarded-User: forged")),
        ("groups", json!(["staff\r\nX-Forwarded-User: forged"])),
        ("roles", json!(["reader\r\nX-Forwarded-User: forged"])),
        ("home", json!("/erin\r\nX-Forwarded-User: forged")),
    ] {
        let token = token().claim(claim, value.clone()).signed_with(&key);
        let status = gateway.get("/x").token(&token).send().status();
        assert!(matches!(status, 200 | 400 | 401 | 403), "{claim} = {value}: {status}");
    }

    for request in upstream.requests() {
        assert_eq!(request.header("x-forwarded-user"), Some("erin"));
        assert!(!String::from_utf8_lossy(&request.head).contains("forged"));
    }
}

#[test]
fn tokens_beyond_all_measure_are_refused() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for token in [
        ".".repeat(20_000),
        "a.".repeat(10_000),
        format!("{}.{}.{}", "e".repeat(6000), "y".repeat(6000), "J".repeat(6000)),
        "a.b.c.d.e".to_owned(),
        "..".to_owned(),
        Token::of("alice")
            .claim("zip", "DEF")
            .header("zip", "DEF")
            .header("p2c", 1_u64 << 40)
            .signed()
            + ".a.b",
    ] {
        let status = gateway.get("/x").token(&token).send().status();
        assert!(matches!(status, 401 | 431), "{}: {status}", &token[..token.len().min(40)]);
    }

    upstream.assert_untouched();
}
