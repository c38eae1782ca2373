//! Which key verifies, with which algorithm: never what the token says.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{assert_refused, assert_serves};
use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::tokens::{self, SigningKey, Token};
use crate::support::upstream::TestUpstream;

fn with_keys(upstream: &TestUpstream, keys: &str) -> Builder {
    super::before(upstream).section(
        "issuers.local",
        &format!(
            "keys = \"{keys}\"\nissuer = \"{}\"\naudience = [\"{}\"]\nbound = true",
            tokens::ISSUER,
            tokens::AUDIENCE
        ),
    )
}

/// The end of a public key's SPKI: the key itself.
fn public(key: &SigningKey, length: usize) -> Vec<u8> {
    let der = STANDARD.decode(key.public_pem().lines().nth(1).unwrap()).unwrap();
    der[der.len() - length..].to_vec()
}

/// A token with any header, signed with any algorithm and secret.
fn hmac_token(header: &Value, algorithm: hmac::Algorithm, secret: &[u8]) -> String {
    let [_, payload, _] = super::parts();
    let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

#[test]
fn a_key_without_an_algorithm_serves_that_of_its_type_alone() {
    let upstream = TestUpstream::start();
    let (ec, ed) = (SigningKey::es256(), SigningKey::ed25519());
    let point = public(&ec, 64);
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let set = json!({ "keys": [
        { "kty": "EC", "kid": "ec", "crv": "P-256", "x": encode(&point[..32]), "y": encode(&point[32..]) },
        { "kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": encode(&public(&ed, 32)) },
    ]});
    let gateway = with_keys(&upstream, "set.json").file("set.json", set.to_string()).start();

    let mut forged = Vec::new();
    for kid in [Some("ec"), Some("ed"), None] {
        for name in
            ["HS256", "HS384", "HS512", "RS256", "PS256", "ES384", "ES512", "ES256K", "none"]
        {
            for secret in [&b""[..], &point, &public(&ed, 32)] {
                let mut header = json!({ "alg": name });
                if let Some(kid) = kid {
                    header["kid"] = json!(kid);
                }
                forged.push(hmac_token(&header, hmac::HMAC_SHA256, secret));
            }
        }
    }
    // The right kind of signature, of the wrong key.
    forged.push(Token::of("alice").header("kid", "ed").signed_with(&ec));
    forged.push(Token::of("alice").header("kid", "ec").signed_with(&ed));
    forged.push(Token::of("alice").header("kid", "ec").signed_with(&SigningKey::es256()));

    assert_refused(&gateway, &upstream, &forged);
    assert_serves(&gateway, &Token::of("alice").header("kid", "ec").signed_with(&ec));
    assert_serves(&gateway, &Token::of("alice").header("kid", "ed").signed_with(&ed));
}

#[test]
fn an_issuer_without_a_key_does_not_start() {
    let upstream = TestUpstream::start();
    let short = URL_SAFE_NO_PAD.encode([7; 16]);
    for set in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"keys":[]}"#,
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":[{}]}"#,
        r#"{"keys":[{"kty":"oct","kid":"a","k":""}]}"#,
        r#"{"keys":[{"kty":"oct","kid":"a"}]}"#,
        r#"{"keys":[{"kty":"oct","kid":"a","k":"AAAA","alg":"none"}]}"#,
        r#"{"keys":[{"kty":"RSA","kid":"a","n":"","e":"AQAB"}]}"#,
        r#"{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"","y":""}]}"#,
        &format!(r#"{{"keys":[{{"kty":"oct","kid":"a","k":"{short}"}}]}}"#),
    ] {
        let said = with_keys(&upstream, "set.json").file("set.json", set).fail_to_start();
        assert!(said.contains("set.json") || said.contains("issuers.local"), "{set}: {said}");
        assert!(!said.contains(&short), "{said}");
    }

    let empty = with_keys(&upstream, "keys").file("keys/.keep", "").fail_to_start();
    assert!(empty.contains("keys"), "{empty}");
    let missing = with_keys(&upstream, "absent").fail_to_start();
    assert!(missing.contains("absent"), "{missing}");
    for secret in ["", "short", "@absent.key", "env:DOORWARD_ABSENT", "hex:", "base64:"] {
        let said = TestGateway::before(&upstream)
            .section(
                "issuers.local",
                &format!(
                    "secret = \"{secret}\"\nalgorithms = [\"HS256\"]\nissuer = \"i\"\naudience = [\"a\"]"
                ),
            )
            .fail_to_start();
        assert!(said.contains("issuers.local"), "{secret:?}: {said}");
    }
    let said = TestGateway::before(&upstream)
        .section("issuers.local", "")
        .route("accept = [\"bearer\"]")
        .fail_to_start();
    assert!(said.contains("routes.all.accept"), "{said}");
}

#[test]
fn a_key_id_is_a_name_and_nothing_else() {
    let upstream = TestUpstream::start();
    let key = SigningKey::es256();
    let gateway = with_keys(&upstream, "keys").file("keys/current.pem", key.public_pem()).start();
    let ids = [
        json!("../../../../dev/null"),
        json!("/dev/null"),
        json!("/proc/self/environ"),
        json!("file:///dev/null"),
        json!("keys/current.pem"),
        json!("current.pem"),
        json!("./current"),
        json!("Current"),
        json!("current "),
        json!("current\0"),
        json!("cur\u{200b}rent"),
        json!("ｃurrent"),
        json!("current' OR '1'='1"),
        json!("x' UNION SELECT '' --"),
        json!("$(id)"),
        json!("${HOME}"),
        json!("*"),
        json!(""),
        json!("x".repeat(129)),
        json!("x".repeat(2500)),
        json!({ "kid": "current" }),
        json!(["current"]),
        json!(0),
        json!(true),
        json!(null),
    ];

    let mut forged = Vec::new();
    for id in &ids {
        for secret in [&b""[..], b"\n", &[0; 32], key.public_pem().as_bytes()] {
            forged.push(hmac_token(
                &json!({ "alg": "HS256", "kid": id }),
                hmac::HMAC_SHA256,
                secret,
            ));
        }
        // Signed with the very key, under a name that is not its own.
        forged.push(Token::of("alice").header("kid", id.clone()).signed_with(&key));
    }

    assert_refused(&gateway, &upstream, &forged);
    assert_serves(&gateway, &Token::of("alice").header("kid", "current").signed_with(&key));
    let long = Token::of("alice").header("kid", "x".repeat(70_000)).signed_with(&key);
    assert_eq!(gateway.get("/x").token(&long).send().status(), 431);
}

#[test]
fn a_signature_over_a_curve_has_one_shape_and_no_trivial_values() {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let upstream = TestUpstream::start();
    let key = SigningKey::es256();
    let gateway = with_keys(&upstream, "keys").file("keys/current.pem", key.public_pem()).start();
    let good = Token::of("alice").header("kid", "current").signed_with(&key);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = bytes.split_at(32);
    let mut one = [0; 32];
    one[31] = 1;
    let values = [&[0; 32][..], &one, &ORDER, &[0xff; 32], r, s];

    let mut signatures: Vec<Vec<u8>> = Vec::new();
    for first in values {
        for second in values {
            if (first, second) != (r, s) {
                signatures.push([first, second].concat());
            }
        }
    }
    let integer = |value: &[u8]| [&[2, 33, 0][..], value].concat();
    let der = [&[0x30, 70][..], &integer(r), &integer(s)].concat();
    signatures.extend([
        der,
        bytes[..63].to_vec(),
        [&bytes[..], &[0]].concat(),
        [&[0][..], &bytes].concat(),
        [&[0][..], r, &[0], s].concat(),
        [r, r, s, s].concat(),
        bytes.repeat(2),
    ]);
    signatures.extend((0..=64).map(|length| vec![0; length]));
    let forged =
        signatures.iter().map(|bytes| format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes)));

    assert_refused(&gateway, &upstream, &forged.collect::<Vec<_>>());
    assert_serves(&gateway, &good);
}
