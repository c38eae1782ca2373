//! Credentials: one of them, verified, and neither passed on nor written down.

use super::super::exchange::{authorization, get, is_refusal, status};
use super::{forged, head};
use crate::support::endpoint::STORE_SECRET;
use crate::support::gateway::TestGateway;
use crate::support::tokens::{SigningKey, Token, basic};
use crate::support::upstream::TestUpstream;

#[test]
fn what_a_decision_rests_on_comes_once() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("home = { in = [\"path\", \"header:destination\"], mode = \"require\", root = \"/\" }\naccept = [\"bearer\", \"basic\", \"x-auth-token\"]")
        .start();
    let good = Token::of("alice").signed();
    let bad = "e30.e30.e30";
    let cases = [
        ("Authorization", format!("Bearer {good}"), format!("Bearer {bad}")),
        ("Authorization", format!("Bearer {good}"), basic("alice", "wonderland-of-alice")),
        ("X-Auth-Token", good.clone(), bad.to_owned()),
        ("Destination", "/alice/y".to_owned(), "/bob/y".to_owned()),
        ("Host", "files.test".to_owned(), "other.test".to_owned()),
        ("Content-Length", "0".to_owned(), "5".to_owned()),
        ("Expect", "100-continue".to_owned(), "200-ok".to_owned()),
        ("Transfer-Encoding", "chunked".to_owned(), "identity".to_owned()),
    ];

    for (name, one, two) in &cases {
        for (one, two) in [(one, two), (two, one), (one, one)] {
            let mut all = vec![
                format!("{name}: {one}\r\n{}: {two}\r\n", name.to_lowercase()),
                format!("{name}: {one}\r\nX-Between: x\r\n{}: {two}\r\n", name.to_uppercase()),
            ];
            if *name != "Destination" {
                // In a path a comma is a letter like others.
                all.extend(
                    [", ", ",", "\t,"].map(|comma| format!("{name}: {one}{comma}{two}\r\n")),
                );
            }
            for lines in all {
                let auth =
                    if name.contains("Auth") { String::new() } else { authorization("alice") };
                let host = if *name == "Host" { "" } else { "Host: files.test\r\n" };
                let text = format!("MOVE /alice/x HTTP/1.1\r\n{host}{auth}{lines}\r\n");
                let status = status(&gateway, text);
                assert!(matches!(status, 400 | 401 | 403 | 417 | 501), "{lines}: {status}");
            }
        }
    }
    upstream.assert_untouched();
}

#[test]
fn a_second_token_anywhere_is_one_too_many() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let (alice, bob) = (Token::of("alice").signed(), Token::of("bob").signed());
    let password = basic("alice", "wonderland-of-alice");
    let good = [
        format!("Authorization: Bearer {alice}"),
        format!("X-Auth-Token: {alice}"),
        format!("Authorization: {password}"),
    ];

    for first in &good {
        for second in [
            format!("Authorization: Bearer {bob}"),
            "Authorization: Bearer e30.e30.e30".to_owned(),
            format!("AUTHORIZATION: {}", basic("bob", "wrong")),
            format!("X-Auth-Token: {bob}"),
            "x-auth-token: nonsense".to_owned(),
        ] {
            for lines in [format!("{first}\r\n{second}\r\n"), format!("{second}\r\n{first}\r\n")] {
                assert_eq!(status(&gateway, get("/x", &lines)), 400, "{lines}");
            }
        }
        for name in ["access_token", "%61ccess_token", "access%5Ftoken"] {
            for query in [
                format!("{name}={bob}"),
                format!("a=b&{name}={bob}"),
                name.to_owned(),
                format!("{name}=&a=b"),
            ] {
                let target = format!("/x?{query}");
                assert_eq!(
                    status(&gateway, get(&target, &format!("{first}\r\n"))),
                    400,
                    "{target}"
                );
            }
        }
    }
    for name in ["access_token", "token", "jwt", "api_key", "auth"] {
        assert_eq!(status(&gateway, get(&format!("/x?{name}={alice}"), "")), 401, "{name}");
        assert_eq!(
            status(&gateway, get("/x", &format!("Cookie: {name}={alice}\r\n"))),
            401,
            "{name}"
        );
        let form = format!("{name}={alice}");
        let text = format!(
            "POST /x HTTP/1.1\r\nHost: files.test\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        );
        assert_eq!(status(&gateway, text), 401, "{name}");
    }
    upstream.assert_untouched();
}

#[test]
fn a_token_that_is_not_verified_tells_nothing() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("accept = [\"bearer\", \"x-auth-token\", \"basic\", \"anonymous\"]")
        .start();
    let good = || Token::of("root").claim("roles", vec!["editor"]).claim("home", "/");
    let other = SigningKey::Hs256(b"another-secret-that-is-long-enough-for-hs256".to_vec());
    let (signed, signature) = {
        let whole = good().signed();
        let (signed, signature) = whole.rsplit_once('.').unwrap();
        (signed.to_owned(), signature.to_owned())
    };
    let tokens = [
        good().unsigned(),
        good().signed_with(&other),
        good().signed_with(&SigningKey::ed25519()),
        signed.clone(),
        format!("{signed}."),
        format!("{signed}.{}", signature.chars().rev().collect::<String>()),
        format!("{signed}.{}", &signature[..signature.len() - 2]),
        good().claim("exp", 1).signed(),
        good().claim("aud", "another").signed(),
    ];

    for token in &tokens {
        for line in [
            format!("Authorization: Bearer {token}"),
            format!("X-Auth-Token: {token}"),
            format!("Authorization: {}", basic("root", token)),
        ] {
            let status = status(&gateway, get("/x", &format!("{line}\r\n")));
            assert!(matches!(status, 401 | 429), "{line}: {status}");
        }
    }
    upstream.assert_untouched();
    // Where nobody's credential is looked at, none tells anything either.
    for name in [
        "X-Id-Token",
        "X-Access-Token",
        "X-JWT-Assertion",
        "X-Amzn-Oidc-Data",
        "X-Goog-IAP-JWT-Assertion",
    ] {
        assert_eq!(status(&gateway, get("/x", &forged(name, &tokens[1]))), 200, "{name}");
    }
    for request in upstream.requests() {
        assert!(!head(&request).contains(&tokens[1]), "{request:?}");
        assert_eq!(request.header("x-forwarded-user"), None);
    }
}

#[test]
fn a_refusal_asks_nobody_else() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).route("roles = [\"boss\"]\nmethods = [\"GET\"]").start();
    let alice = authorization("alice");

    for (text, expected) in [
        (get("/x", &alice), 403),
        (get("/x", "Authorization: Bearer e30.e30.e30\r\nCookie: a=b\r\n"), 401),
        (get("/x", ""), 401),
        (get("/../x", &alice), 400),
        (get("/x", &alice).replace("GET", "PUT"), 405),
    ] {
        assert_eq!(status(&gateway, &text), expected, "{text}");
    }

    upstream.assert_untouched();
    assert_eq!(upstream.connections(), 0);
}

#[test]
fn no_secret_is_written_down_wherever_it_stands() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "header_bytes = \"8KiB\"").start();
    let marker = |number: usize| format!("marker-of-a-secret-{number}");
    let token = Token::of("alice").signed();
    let mut number = 0;
    let mut secret = || {
        number += 1;
        marker(number)
    };
    let texts = [
        get("/x", &format!("Authorization: {}\r\n", basic("alice", &secret()))),
        get("/x", &format!("Authorization: Basic {}\r\n", secret())),
        get("/x", &format!("Authorization: Bearer {}\r\n", secret())),
        get("/x", &format!("Authorization: Bearer {token}.{}\r\n", secret())),
        get("/x", &format!("Authorization: {}\r\n", secret())),
        get("/x", &format!("Authorization : Bearer {}\r\n", secret())),
        get(
            "/x",
            &format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {}\r\n", secret()),
        ),
        get("/x", &format!("X-Auth-Token: {}\r\n", secret())),
        get("/x", &format!("X-Api-Key: {}\r\n", secret())),
        get("/x", &format!("Cookie: __Host-doorward={}; a={}\r\n", secret(), secret())),
        get("/x", &format!("Proxy-Authorization: Basic {}\r\n", secret())),
        get(&format!("/x?access_token={}", secret()), ""),
        get(&format!("/x?access_token={}", secret()), &authorization("alice")),
        get(&format!("/../x?password={}", secret()), ""),
        get(&format!("/x?password={}#", secret()), ""),
        get("/x", &format!("Referer: http://files.test/?token={}\r\n", secret())),
        get("/x", &format!("Authorization: Bearer {}\r\nX: {}\r\n", secret(), "x".repeat(9000))),
        format!(
            "POST /x HTTP/1.1\r\nHost: files.test\r\nContent-Length: 40\r\n\r\npassword={:<31}",
            secret()
        ),
        format!("GET http://alice:{}@files.test/x HTTP/1.1\r\nHost: files.test\r\n\r\n", secret()),
        format!("GET /x HTTP/1.1\r\nHost: alice:{}@files.test\r\n\r\n", secret()),
        format!("GET /x HTTP/1.1\nAuthorization: Bearer {}\n\n", secret()),
    ];

    for text in &texts {
        status(&gateway, text);
    }
    assert_eq!(status(&gateway, get("/the-end", "")), 401);
    gateway.log_lines("/the-end");

    let told = [gateway.output(), gateway.metrics(), gateway.status().to_string()].concat();
    for number in 1..=number {
        assert!(!told.contains(&marker(number)), "{number}: {told}");
    }
    let signature = token.rsplit('.').next().unwrap();
    assert!(!told.contains(signature));
}

#[test]
fn a_credential_ends_at_the_gateway_wherever_it_stands() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .route("accept = [\"bearer\", \"basic\", \"x-auth-token\", \"api-key\", \"anonymous\"]")
        .section("endpoints.tokens", "dialect = \"standard\"\nissuer = \"local\"\npath = \"/auth\"")
        .section("store", &format!("secret = \"{STORE_SECRET}\""))
        .start();
    let token = Token::of("alice").signed();
    let password = basic("alice", "wonderland-of-alice");
    let secrets =
        [token.as_str(), password.trim_start_matches("Basic "), "wonderland", "sealed-by-nobody"];

    for line in [
        format!("Authorization: Bearer {token}"),
        format!("authorization: bearer {token}"),
        format!("AUTHORIZATION: {password}"),
        format!("Authorization: {}", basic("alice", &token)),
        format!("X-Auth-Token: {token}"),
        format!("x-AUTH-token: {token}"),
        format!(
            "Authorization: Bearer {token}\r\nAuthorization_: x\r\nCookie: a=b; doorward-form=sealed-by-nobody; c=d"
        ),
        format!("Authorization: Bearer {token}\r\nProxy-Authorization: {password}"),
        format!("Authorization: Bearer {token}\r\n{}", forged("X-Access-Token", &token).trim_end()),
        format!("Authorization: Bearer {token}\r\nX_Auth_Token: {token}\r\nX.Api.Key: {token}"),
    ] {
        let status = status(&gateway, get("/x", &format!("{line}\r\n")));
        assert!(status == 200 || is_refusal(status), "{line}: {status}");
        assert!(status == 200 || line.contains("X_Auth"), "{line}: {status}");
    }

    assert!(upstream.requests().len() >= 9);
    for request in upstream.requests() {
        let all = head(&request);
        assert!(secrets.iter().all(|secret| !all.contains(secret)), "{all}");
    }
}
