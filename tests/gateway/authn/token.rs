//! Tokens: signature, algorithm, claims, and where they may stand.

use crate::support::gateway::TestGateway;
use crate::support::tokens::{self, SigningKey, Token, now};
use crate::support::upstream::TestUpstream;

#[test]
fn a_good_token_is_let_through() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let response = gateway.get("/x").bearer("alice").send();

    assert_eq!(response.status(), 200, "{response:?}");
    assert_eq!(response.text(), "hello");
    let seen = upstream.only_request();
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
    assert_eq!(seen.header("authorization"), None);
}

#[test]
fn a_token_may_stand_in_the_place_of_the_password() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let token = Token::of("alice").signed();

    for user in ["alice", "jwt"] {
        assert_eq!(gateway.get("/x").basic(user, &token).send().status(), 200, "{user}");
    }

    let users = upstream.requests();
    let users = users.iter().map(|r| r.header("x-forwarded-user").unwrap()).collect::<Vec<_>>();
    assert_eq!(users, ["alice", "alice"]);
}

#[test]
fn a_token_as_password_of_another_user_is_refused() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let token = Token::of("alice").signed();

    for user in ["bob", "ALICE", "", "alice ", "nobody"] {
        assert_eq!(gateway.get("/x").basic(user, &token).send().status(), 401, "{user:?}");
    }

    upstream.assert_untouched();
}

#[test]
fn x_auth_token_carries_a_bare_token() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    let token = Token::of("alice").signed();
    let response = gateway.get("/x").header("X-Auth-Token", &token).send();

    assert_eq!(response.status(), 200);
    let seen = upstream.only_request();
    assert_eq!(seen.header("x-auth-token"), None);
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
}

#[test]
fn the_query_string_is_no_place_for_a_token() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let token = Token::of("alice").signed();

    for name in ["access_token", "token", "jwt"] {
        assert_eq!(gateway.get(&format!("/x?{name}={token}")).send().status(), 401);
    }
    assert_eq!(gateway.get("/x").header("Cookie", &format!("token={token}")).send().status(), 401);

    upstream.assert_untouched();
    assert!(!gateway.output().contains(&token), "a query string was logged");
}

#[test]
fn a_token_is_refused_unless_every_claim_is_right() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let good = || Token::of("alice");
    let wrong = [
        ("expired", good().claim("exp", now() - 3600)),
        ("exp missing", good().without("exp")),
        ("exp as text", good().claim("exp", (now() + 60).to_string())),
        ("exp null", good().claim("exp", serde_json::Value::Null)),
        ("not yet", good().claim("nbf", now() + 3600)),
        ("nbf as text", good().claim("nbf", "0")),
        ("iss missing", good().without("iss")),
        ("iss wrong", good().claim("iss", "https://gateway.test.evil")),
        ("iss as list", good().claim("iss", vec![tokens::ISSUER])),
        ("aud missing", good().without("aud")),
        ("aud wrong", good().claim("aud", "doorward2")),
        ("aud empty", good().claim("aud", Vec::<String>::new())),
        ("sub missing", good().without("sub")),
        ("sub empty", good().claim("sub", "")),
        ("sub a number", good().claim("sub", 7)),
        ("sub with a line break", good().claim("sub", "alice\r\nX-Forwarded-User: forged")),
        ("unknown user", good().claim("sub", "nobody")),
        ("disabled user", good().claim("sub", "carol")),
        ("crit", good().header("crit", vec!["exp"])),
        ("b64", good().header("crit", vec!["b64"]).header("b64", false)),
    ];

    for (what, token) in wrong {
        let response = gateway.get("/x").token(&token.signed()).send();
        assert_eq!(response.status(), 401, "{what}: {response:?}");
    }

    upstream.assert_untouched();
}

#[test]
fn the_algorithm_belongs_to_the_key() {
    let upstream = TestUpstream::start();
    let key = SigningKey::ed25519();
    let pem = key.public_pem();
    let gateway = TestGateway::before(&upstream)
        .file("keys/current.pem", &pem)
        .section(
            "issuers.local",
            "keys = \"keys\"\nissuer = \"https://gateway.test\"\naudience = [\"doorward\"]\nbound = true",
        )
        .start();
    let with_public_key =
        |text: &str| Token::of("alice").signed_with(&SigningKey::Hs256(text.as_bytes().to_vec()));

    let forged = [
        Token::of("alice").unsigned(),
        Token::of("alice").signed(),
        Token::of("alice").signed_with(&SigningKey::ed25519()),
        Token::of("alice").signed_with(&SigningKey::es256()),
        Token::of("alice")
            .header("jku", "http://127.0.0.1:1/jwks")
            .signed_with(&SigningKey::ed25519()),
        with_public_key(&pem),
        with_public_key(pem.trim_end()),
        with_public_key(""),
    ];

    for token in forged {
        assert_eq!(gateway.get("/x").token(&token).send().status(), 401, "{token}");
    }
    upstream.assert_untouched();
    let good = Token::of("alice").signed_with(&key);
    assert_eq!(gateway.get("/x").token(&good).send().status(), 200);
}

#[test]
fn no_changed_token_is_good() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let token = Token::of("alice").signed();
    let mut connection = gateway.connect();
    let step = (token.len() / 40).max(1);

    for at in (0..token.len()).step_by(step) {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let response = gateway.get("/x").token(&changed).send_over(&mut connection);
        assert_eq!(response.status(), 401, "changed at {at}: {changed}");
    }

    upstream.assert_untouched();
}

#[test]
fn foreign_claims_are_mapped_to_ours() {
    let upstream = TestUpstream::start();
    let key = SigningKey::es256();
    let gateway = TestGateway::before(&upstream)
        .file("foreign.pem", key.public_pem())
        .section(
            "issuers.foreign",
            "keys = \"foreign.pem\"\nissuer = \"https://idp.test\"\naudience = [\"api\"]\nbound = false",
        )
        .section(
            "issuers.foreign.claims",
            "subject = \"preferred_username\"\nroles = \"realm_access.roles\"\nemail = \"mail\"",
        )
        .route("permissions = { \"*\" = \"files:read\" }")
        .start();
    let token = |roles: &[&str]| {
        Token::of("4711")
            .claim("iss", "https://idp.test")
            .claim("aud", "api")
            .claim("preferred_username", "erin")
            .claim("mail", "erin@idp.test")
            .claim("realm_access", serde_json::json!({ "roles": roles }))
            .signed_with(&key)
    };

    assert_eq!(gateway.get("/x").token(&token(&["unknown"])).send().status(), 403);
    upstream.assert_untouched();
    assert_eq!(gateway.get("/x").token(&token(&["reader"])).send().status(), 200);
    let seen = upstream.only_request();
    assert_eq!(seen.header("x-forwarded-user"), Some("erin"));
    assert_eq!(seen.header("x-forwarded-email"), Some("erin@idp.test"));
}

#[test]
fn a_token_is_refused_once_it_has_expired() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).with("issuers.local", "leeway = \"0s\"").start();
    let expires = now() + 3;
    let ask = gateway.get("/x").token(&Token::of("alice").claim("exp", expires).signed());
    let (mut plain, mut h2) = (gateway.connect(), gateway.connect_h2());
    assert_eq!(ask.send_over(&mut plain).status(), 200);
    assert_eq!(ask.send_over_h2(&mut h2).status(), 200);

    // Each worker has a clock of its own, to within a twentieth of a second.
    gateway.wait("the refusal", || ask.send_over(&mut plain).status() == 401);
    gateway.wait("the refusal", || ask.send_over_h2(&mut h2).status() == 401);

    assert!(now() <= expires + 1, "remembered for too long");
    let reached = upstream.requests().len();
    assert_eq!(ask.send_over(&mut plain).status(), 401);
    assert_eq!(ask.send_over_h2(&mut h2).status(), 401);
    assert_eq!(upstream.requests().len(), reached);
}
