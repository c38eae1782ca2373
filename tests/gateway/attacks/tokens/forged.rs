//! No signature, or one made with what is no secret.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::{assert_refused, assert_serves, parts};
use crate::support::tokens::{self, SigningKey, Token};
use crate::support::upstream::TestUpstream;

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Every way to write a word in capitals and small letters.
fn cases(word: &str) -> Vec<String> {
    let spell = |mask: u32| {
        let letters = word.chars().enumerate();
        let letters =
            letters.map(
                |(at, letter)| {
                    if mask >> at & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
                },
            );
        letters.collect::<String>()
    };
    (0..1 << word.len()).map(spell).collect()
}

#[test]
fn a_token_without_a_signature_is_none_whatever_its_header_says() {
    let upstream = TestUpstream::start();
    let gateway = super::before(&upstream).start();
    let [good, payload, signature] = parts();
    let mut algorithms =
        cases("none").iter().map(|name| json!(name).to_string()).collect::<Vec<_>>();
    algorithms.extend(
        [
            r#""""#,
            "null",
            "false",
            "0",
            "[]",
            "{}",
            r#"["none"]"#,
            r#"["HS256"]"#,
            r#""none ""#,
            r#"" none""#,
            r#""none\u0000""#,
            r#""n\u043ene""#,
            r#""\u006eone""#,
            r#""HS256 ""#,
            r#""hs256""#,
            r#""HS0""#,
            r#""NULL""#,
            r#""*""#,
        ]
        .map(str::to_owned),
    );

    let mut forged = vec![format!("{good}.{payload}."), format!("{good}.{payload}")];
    for algorithm in algorithms {
        for header in [
            format!(r#"{{"alg":{algorithm}}}"#),
            format!(r#"{{"typ":"JWT","alg":{algorithm}}}"#),
            format!(r#"{{"alg":"HS256","alg":{algorithm}}}"#),
        ] {
            for signature in ["", "AA", &signature] {
                forged.push(format!("{}.{payload}.{signature}", encode(&header)));
            }
        }
    }
    forged.push(format!("{}.{payload}.", encode("{}")));
    forged.push(format!(".{payload}.{signature}"));

    assert_refused(&gateway, &upstream, &forged);
    assert_serves(&gateway, &format!("{good}.{payload}.{signature}"));
}

/// All that somebody who knows a public key might try as a secret.
fn public_texts(spki: &[u8], pkcs1: Option<&[u8]>) -> Vec<Vec<u8>> {
    let pem = |label: &str, der: &[u8]| {
        let encoded = STANDARD.encode(der);
        let lines = encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
        let lines = lines.collect::<Vec<_>>().join("\n");
        format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
    };
    let mut pems = vec![pem("PUBLIC KEY", spki)];
    pems.extend(pkcs1.map(|der| pem("RSA PUBLIC KEY", der)));
    let mut texts = vec![Vec::new(), vec![0], vec![0; 32], spki.to_vec()];
    texts.extend(pkcs1.map(<[u8]>::to_vec));
    for pem in pems {
        for text in [
            pem.clone(),
            pem.trim_end().to_owned(),
            format!(" {pem}"),
            format!("\n{pem}"),
            format!("\t{pem} "),
            format!("{pem}\n"),
            format!("{pem}\0"),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', ""),
            pem.lines().filter(|line| !line.starts_with('-')).collect::<String>(),
        ] {
            texts.push(text.into_bytes());
        }
    }
    texts
}

#[test]
fn a_public_key_is_nobodys_secret() {
    let upstream = TestUpstream::start();
    let rsa = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let (ed25519, es256) = (SigningKey::ed25519(), SigningKey::es256());
    let pair = rsa.public_key();
    let spki: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.as_der().unwrap();
    let pem = |der: &[u8]| {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    };
    let der = |pem: String| STANDARD.decode(pem.lines().nth(1).unwrap()).unwrap();
    let gateway = super::before(&upstream)
        .file("keys/rsa.pem", pem(spki.as_ref()))
        .file("keys/ed.pem", ed25519.public_pem())
        .file("keys/ec.pem", es256.public_pem())
        .section(
            "issuers.local",
            &format!(
                "keys = \"keys\"\nissuer = \"{}\"\naudience = [\"{}\"]\nbound = true",
                tokens::ISSUER,
                tokens::AUDIENCE
            ),
        )
        .section("endpoints.tokens", "")
        .start();
    let known = [
        ("rsa", public_texts(spki.as_ref(), Some(pair.as_ref()))),
        ("ed", public_texts(&der(ed25519.public_pem()), None)),
        ("ec", public_texts(&der(es256.public_pem()), None)),
    ];
    let macs =
        [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    let [_, payload, _] = parts();

    let mut forged = Vec::new();
    for (kid, texts) in known {
        for text in &texts {
            for (name, algorithm) in macs {
                for header in [json!({ "alg": name, "kid": kid }), json!({ "alg": name })] {
                    let signed = format!("{}.{payload}", encode(header.to_string()));
                    let tag = hmac::sign(&hmac::Key::new(algorithm, text), signed.as_bytes());
                    forged.push(format!("{signed}.{}", encode(tag)));
                }
            }
        }
    }
    assert!(forged.len() > 300);

    assert_refused(&gateway, &upstream, &forged);
    for (key, kid) in [(&ed25519, "ed"), (&es256, "ec")] {
        assert_serves(&gateway, &Token::of("alice").header("kid", kid).signed_with(key));
    }
}

#[test]
fn a_key_that_a_token_brings_along_is_not_asked_for() {
    let upstream = TestUpstream::start();
    let gateway = super::before(&upstream)
        .file("keys/current.pem", SigningKey::es256().public_pem())
        .section(
            "issuers.local",
            &format!(
                "keys = \"keys\"\nissuer = \"{}\"\naudience = [\"{}\"]\nbound = true",
                tokens::ISSUER,
                tokens::AUDIENCE
            ),
        )
        .start();
    let theirs = SigningKey::es256();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys.json", listener.local_addr().unwrap());
    let point = STANDARD.decode(theirs.public_pem().lines().nth(1).unwrap()).unwrap();
    let (x, y) = point[point.len() - 64..].split_at(32);
    let jwk =
        json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "alg": "ES256" });

    let mut forged = Vec::new();
    for kid in [None, Some("current"), Some("theirs")] {
        for (name, value) in [
            ("jwk", jwk.clone()),
            ("jwk", json!({ "keys": [jwk] })),
            ("jku", json!(url)),
            ("jku", json!(url.replace("http://", "https://"))),
            ("jku", json!([url])),
            ("x5u", json!(url)),
            ("x5c", json!([STANDARD.encode(&point)])),
            ("x5t", json!("AAAA")),
            ("x5t#S256", json!("AAAA")),
            ("iss", json!(url)),
            ("kid", json!(url)),
        ] {
            let mut token = Token::of("alice").header(name, value);
            if let Some(kid) = kid.filter(|_| name != "kid") {
                token = token.header("kid", kid);
            }
            forged.push(token.clone().signed_with(&theirs));
            forged.push(token.claim("iss", url.as_str()).signed_with(&theirs));
        }
    }

    assert_refused(&gateway, &upstream, &forged);
    let caller = listener.accept().map(|(_, address)| address);
    assert!(caller.is_err(), "the gateway asked {url}: {caller:?}");
}
