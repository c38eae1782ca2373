//! What is no token at all, or two at once: encrypted, damaged, ambiguous JSON.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{assert_refused, assert_serves, parts};
use crate::support::tokens::{self, Token, now};
use crate::support::upstream::TestUpstream;

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Any header and any payload, signed with the gateway's own secret, as an issuer gone wrong would.
fn forge(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, tokens::SECRET.as_bytes());
    format!("{signed}.{}", encode(hmac::sign(&key, signed.as_bytes())))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The claims of a good token without their brace at the end.
fn claims() -> String {
    let claims = json!({
        "sub": "alice", "iss": tokens::ISSUER, "aud": tokens::AUDIENCE, "exp": now() + 3600,
        "nbf": now() - 10, "iat": now() - 10, "jti": "one",
    });
    claims.to_string().trim_end_matches('}').to_owned()
}

#[test]
fn an_encrypted_token_is_refused_without_a_look_inside() {
    let upstream = TestUpstream::start();
    let gateway = super::before(&upstream).start();
    let [header, payload, signature] = parts();
    let (inside, unsigned) = (Token::of("alice").signed(), Token::of("alice").unsigned());

    let mut forged = Vec::new();
    for algorithm in [
        "dir",
        "A128KW",
        "A256GCMKW",
        "RSA1_5",
        "RSA-OAEP",
        "RSA-OAEP-256",
        "ECDH-ES",
        "ECDH-ES+A256KW",
        "PBES2-HS256+A128KW",
        "PBES2-HS512+A256KW",
        "HS256",
        "none",
    ] {
        for encryption in ["A128GCM", "A256GCM", "A128CBC-HS256", "none"] {
            let header = json!({
                "alg": algorithm, "enc": encryption, "zip": "DEF", "cty": "JWT",
                "p2c": 2_147_483_647_u32, "p2s": "AAAA", "epk": { "kty": "EC", "crv": "P-256" },
            });
            let header = encode(header.to_string());
            for ciphertext in [&payload, &encode(&inside), &encode(&unsigned)] {
                forged.push(format!("{header}..AAAA.{ciphertext}.AAAA"));
                forged.push(format!("{header}.{ciphertext}.AAAA.AAAA.AAAA"));
                forged.push(format!("{header}.{ciphertext}.{signature}"));
            }
        }
    }
    for header_json in [
        json!({ "alg": "HS256", "zip": "DEF" }),
        json!({ "alg": "HS256", "enc": "A128GCM", "zip": "DEF" }),
        json!({ "alg": "HS256", "cty": "JWT", "typ": "JWE" }),
        json!({ "alg": "HS256", "b64": false, "crit": ["b64"] }),
        json!({ "alg": "HS256", "crit": ["exp"] }),
        json!({ "alg": "HS256", "crit": [] }),
        json!({ "alg": "HS256", "crit": null }),
        json!({ "alg": "HS256", "crit": ["x"], "x": true }),
    ] {
        forged.push(forge(header_json.to_string(), claims() + "}"));
    }
    forged.extend([
        forge(HEADER, &inside),
        forge(HEADER, json!(inside).to_string()),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.."),
        format!("..{payload}.{signature}"),
        encode(
            json!({ "payload": payload, "protected": header, "signature": signature }).to_string(),
        ),
    ]);

    assert_refused(&gateway, &upstream, &forged);
    assert_serves(&gateway, &forge(HEADER, claims() + "}"));
}

#[test]
fn json_with_two_readings_is_no_token() {
    let upstream = TestUpstream::start();
    let gateway = super::before(&upstream).start();
    let claims = claims();
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));

    let mut forged = Vec::new();
    for (name, value) in [
        ("sub", r#""bob""#),
        ("sub", r#""alice""#),
        ("\\u0073ub", r#""bob""#),
        ("s\\u0075b", r#""alice""#),
        ("exp", "9999999999"),
        ("nbf", "0"),
        ("iat", "0"),
        ("iss", r#""x""#),
        ("aud", r#"["doorward"]"#),
        ("jti", r#""two""#),
        ("sub\\u0000", r#""bob","sub":"bob""#),
    ] {
        forged.push(forge(HEADER, format!(r#"{claims},"{name}":{value}}}"#)));
        forged.push(forge(HEADER, format!(r#"{{"{name}":{value},{}}}"#, &claims[1..])));
    }
    let whole = claims.clone() + "}";
    for payload in [
        format!("{whole}{{}}"),
        format!("{whole}{whole}"),
        format!("{whole} x"),
        format!("{whole}\0"),
        format!("\u{feff}{whole}"),
        format!("[{whole}]"),
        format!("{claims},}}"),
        format!("{claims},\"x\":{}}}", deep(2000)),
        format!("{claims},\"x\":01}}"),
        format!("{claims},\"x\":+1}}"),
        format!("{claims},\"x\":.5}}"),
        format!("{claims},\"x\":NaN}}"),
        format!("{claims},\"x\":'y'}}"),
        format!("{claims},x:1}}"),
        format!("{claims}/**/}}"),
        format!("{claims},\"x\":\"\n\"}}"),
        format!("{claims},\"x\":\"\\ud800\"}}"),
        whole.replace('"', "'"),
        claims.clone(),
        String::new(),
        "null".to_owned(),
        "\"alice\"".to_owned(),
    ] {
        forged.push(forge(HEADER, payload));
    }
    let invalid = [claims.as_bytes(), b",\"x\":\"\xff\"}"].concat();
    forged.push(forge(HEADER, invalid));
    let utf16 = whole.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    forged.push(forge(HEADER, utf16));
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
        r#"{"alg":"HS256"}{}"#,
        r#"{"alg":"HS256"} x"#,
        r#"["HS256"]"#,
        "\u{feff}{\"alg\":\"HS256\"}",
        &format!(r#"{{"alg":"HS256","x":{}}}"#, deep(1000)),
        &format!(
            r#"{{"alg":"HS256",{}"x":1}}"#,
            (0..40).fold(String::new(), |all, n| all + &format!("\"m{n}\":1,"))
        ),
    ] {
        forged.push(forge(header, &whole));
    }

    assert_refused(&gateway, &upstream, &forged);
    assert_serves(&gateway, &forge(HEADER, &whole));
}

#[test]
fn times_and_audiences_of_any_other_type_are_refused() {
    let upstream = TestUpstream::start();
    let gateway = super::before(&upstream).start();
    let later = now() + 3600;
    let with = |name: &str, value: &str| {
        let base = json!({
            "sub": "alice", "iss": tokens::ISSUER, "aud": tokens::AUDIENCE, "exp": later,
        });
        let mut base = base.as_object().unwrap().clone();
        base.remove(name);
        let rest = serde_json::to_string(&base).unwrap();
        forge(HEADER, format!("{},\"{name}\":{value}}}", rest.trim_end_matches('}')))
    };

    let mut forged = Vec::new();
    for name in ["exp", "nbf", "iat"] {
        for value in [
            format!("\"{later}\""),
            "\"9999999999\"".to_owned(),
            "\"0\"".to_owned(),
            "null".to_owned(),
            "true".to_owned(),
            format!("[{later}]"),
            format!("{{\"value\":{later}}}"),
            "1e400".to_owned(),
            "-1".to_owned(),
            "-1e300".to_owned(),
        ] {
            forged.push(with(name, &value));
        }
    }
    for (name, value) in [
        ("exp", "0"),
        ("exp", "1e-300"),
        ("nbf", "99999999999"),
        ("iat", "99999999999"),
        ("nbf", "1e300"),
        ("aud", "[]"),
        ("aud", "\"door\""),
        ("aud", "\"doorward2\""),
        ("aud", "\"doorward \""),
        ("aud", "\"DOORWARD\""),
        ("aud", "\"doorward,other\""),
        ("aud", "[[\"doorward\"]]"),
        ("aud", "{\"doorward\":true}"),
        ("aud", "[\"doorward\",1]"),
        ("aud", "[\"other\"]"),
        ("aud", "null"),
        ("aud", "true"),
        ("iss", "[\"https://gateway.test\"]"),
        ("iss", "\"https://gateway.test/\""),
        ("iss", "\"HTTPS://gateway.test\""),
        ("iss", "null"),
        ("sub", "7"),
        ("sub", "[\"alice\"]"),
        ("sub", "{\"sub\":\"alice\"}"),
        ("sub", "null"),
        ("sub", "\"\""),
    ] {
        forged.push(with(name, value));
    }
    for (missing, other) in [("exp", "nbf"), ("aud", "x"), ("iss", "x"), ("sub", "x")] {
        let token = Token::of("alice").without(missing).claim(other, 0);
        forged.push(token.signed());
    }

    assert_refused(&gateway, &upstream, &forged);
    assert_serves(&gateway, &with("nbf", "0"));
}

#[test]
fn a_damaged_signature_is_a_refusal_and_never_a_failure() {
    let upstream = TestUpstream::start();
    let gateway = super::before(&upstream).start();
    let [header, payload, signature] = parts();
    let signed = format!("{header}.{payload}");
    let bytes = URL_SAFE_NO_PAD.decode(&signature).unwrap();

    let mut forged: Vec<String> = (0..=signature.len() + 4)
        .filter(|&length| length != signature.len())
        .map(|length| format!("{signed}.{}", "A".repeat(length)))
        .collect();
    for length in 0..bytes.len() {
        forged.push(format!("{signed}.{}", encode(&bytes[..length])));
    }
    for damaged in [
        "@@@@".to_owned(),
        "AAA".to_owned(),
        "=".to_owned(),
        "====".to_owned(),
        format!("{signature}="),
        format!("{signature}=="),
        format!("{signature}A"),
        format!("A{signature}"),
        format!("{signature}%3D"),
        format!("{signature}+/"),
        signature.to_lowercase(),
        signature.chars().rev().collect(),
        encode([&bytes[..], b"\0"].concat()),
        encode(&bytes[1..]),
    ] {
        forged.push(format!("{signed}.{damaged}"));
    }
    // The bits that a base64 letter has beyond the last byte.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let others = alphabet.chars().filter(|other| *other != last);
    forged.extend(others.map(|o| format!("{signed}.{}{o}", &signature[..signature.len() - 1])));
    let expired = Token::of("alice").claim("exp", now() - 3600).signed();
    forged.push(format!("{}A", &expired[..expired.len() - 1]));

    assert_refused(&gateway, &upstream, &forged);
    assert_serves(&gateway, &format!("{signed}.{signature}"));
}
