use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::token::{Signer, generate};

/// A directory of key files: name and content.
fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

fn load(files: &[(&str, &[u8])]) -> Result<(Keyring, Vec<Warning>), KeyError> {
    Keyring::load(directory(files).path())
}

/// What makes the one file of a directory unfit.
#[track_caller]
fn fault(name: &str, content: &[u8]) -> KeyFault {
    match load(&[(name, content)]) {
        Err(KeyError::File { path, source }) => {
            assert!(path.ends_with(name));
            source
        }
        other => panic!("{other:?}"),
    }
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)).into()
}

/// One key pair in every spelling: extension, content, whether it is private.
type Spellings = Vec<(&'static str, Vec<u8>, bool)>;

fn spellings(pkcs8: &[u8], private: (&str, &[u8]), spki: &[u8]) -> Spellings {
    let (label, private) = private;
    let pair = rcgen::KeyPair::from_pem(str::from_utf8(&pem("PRIVATE KEY", pkcs8)).unwrap());
    let certificate =
        rcgen::CertificateParams::default().self_signed(&pair.unwrap()).unwrap().der().to_vec();
    let chain = [pem("CERTIFICATE", &certificate), pem("CERTIFICATE", &certificate)].concat();
    let with_parameters = [pem("EC PARAMETERS", b"\x06\x00"), pem(label, private)].concat();
    vec![
        ("pem", pem("PRIVATE KEY", pkcs8), true),
        ("key", pem(label, private), true),
        ("pem", with_parameters, true),
        ("der", pkcs8.to_vec(), true),
        ("key", private.to_vec(), true),
        ("pub", pem("PUBLIC KEY", spki), false),
        ("der", spki.to_vec(), false),
        ("crt", pem("CERTIFICATE", &certificate), false),
        ("pem", chain, false),
        ("cer", certificate, false),
        ("pem", [b" \r\nSubject: a\n", &*pem("PUBLIC KEY", spki)].concat(), false),
    ]
}

fn rsa(size: KeySize) -> (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>) {
    let pair = RsaKeyPair::generate(size).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pkcs1 = crate::token::der::pkcs8(pkcs8.as_ref()).unwrap().key.to_vec();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let public = pair.public_key().as_ref().to_vec();
    (pkcs8.as_ref().to_vec(), pkcs1, spki.as_ref().to_vec(), public)
}

fn ec(algorithm: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm) -> Spellings {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let pkcs8 = pair.to_pkcs8v1().unwrap();
    spellings(pkcs8.as_ref(), ("EC PRIVATE KEY", sec1.as_ref()), spki.as_ref())
}

fn ed25519() -> Spellings {
    let pair = Ed25519KeyPair::generate().unwrap();
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let (v1, v2) = (pair.to_pkcs8v1().unwrap(), pair.to_pkcs8().unwrap());
    spellings(v1.as_ref(), ("PRIVATE KEY", v2.as_ref()), spki.as_ref())
}

#[track_caller]
fn assert_all_are_one_key(spellings: &Spellings, key_type: KeyType) {
    let mut thumbprints = Vec::new();
    for (index, (extension, content, is_private)) in spellings.iter().enumerate() {
        let (keyring, warnings) = load(&[(&format!("k.{extension}"), content)])
            .unwrap_or_else(|error| panic!("{index} {extension}: {error:?}"));
        let key = keyring.key("k").unwrap();
        assert_eq!(key.is_private(), *is_private, "{index} {extension}");
        assert_eq!(key.key_type(), key_type);
        assert_eq!(key.algorithms(), key_type.algorithms());
        assert_eq!(warnings, []);
        thumbprints.push(key.thumbprint().unwrap());
    }
    thumbprints.dedup();
    assert_eq!(thumbprints.len(), 1);
}

#[test]
fn ec_and_ed25519_keys_load_in_every_spelling() {
    assert_all_are_one_key(&ec(&ECDSA_P256_SHA256_FIXED_SIGNING), KeyType::P256);
    assert_all_are_one_key(&ec(&ECDSA_P384_SHA384_FIXED_SIGNING), KeyType::P384);
    assert_all_are_one_key(&ed25519(), KeyType::Ed25519);
}

#[test]
fn rsa_keys_load_in_every_spelling() {
    let (pkcs8, pkcs1, spki, public) = rsa(KeySize::Rsa2048);
    let mut all = spellings(&pkcs8, ("RSA PRIVATE KEY", &pkcs1), &spki);
    all.push(("pem", pem("RSA PUBLIC KEY", &public), false));
    all.push(("der", public, false));

    assert_all_are_one_key(&all, KeyType::Rsa);
}

#[test]
fn generated_keys_load_and_sign() {
    for algorithm in [Algorithm::HS512, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let key = generate(algorithm).unwrap();
        let (keyring, warnings) =
            load(&[(&format!("2026.{}", key.extension), &*key.content)]).unwrap();
        assert!(keyring.can_sign());
        assert_eq!(warnings, []);
        let signer = Signer::newest(&keyring, Some(&[algorithm])).unwrap();
        assert_eq!((signer.key_id(), signer.algorithm()), ("2026", algorithm));
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }
}

#[test]
fn a_raw_secret_is_every_byte_of_its_file() {
    let secret = b"0123456789abcdef0123456789abcdef";
    for name in ["k.secret", "k.hs", "k.key"] {
        assert!(load(&[(name, secret)]).unwrap().1.is_empty());
        let long = [&secret[..], b"\n"].concat();
        assert!(matches!(&*load(&[(name, &long)]).unwrap().1, [Warning::EndsWithNewline(_)]));
        assert!(matches!(fault(name, &secret[1..]), KeyFault::ShortSecret { length: 31, .. }));
        assert!(matches!(fault(name, b""), KeyFault::ShortSecret { length: 0, .. }));
        assert!(matches!(&*load(&[(name, &[7; 32])]).unwrap().1, [Warning::Guessable(_)]));
    }
    assert_eq!(fault("k.txt", secret), KeyFault::NotAKey);
    assert_eq!(fault("k", secret), KeyFault::NotAKey);
}

#[test]
fn a_public_key_never_becomes_a_secret() {
    let (_, content, _) = &ed25519()[5];
    for name in ["k.secret", "k.hs"] {
        assert_eq!(fault(name, content), KeyFault::PemAsSecret);
        let spaced = [b" \n", &**content].concat();
        assert_eq!(fault(name, &spaced), KeyFault::PemAsSecret);
    }
    assert!(load(&[("k.key", content)]).unwrap().0.key("k").unwrap().public().is_some());
}

#[test]
fn what_is_no_key_refuses_the_load_by_name() {
    let good = &ed25519()[0].1;
    let twice = [&**good, good].concat();
    let bad_base64 = b"-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----\n";
    let cut = b"-----BEGIN PUBLIC KEY-----\nMCow";
    let encrypted = pem("ENCRYPTED PRIVATE KEY", b"\x30\x03\x02\x01\x00");
    let old = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n\
                -----END RSA PRIVATE KEY-----\n";
    for (content, expected) in [
        (&b"hello"[..], KeyFault::NotAKey),
        (b"", KeyFault::NotAKey),
        (bad_base64, KeyFault::InvalidPem),
        (cut, KeyFault::InvalidPem),
        (&encrypted, KeyFault::Encrypted),
        (old, KeyFault::Encrypted),
        (&twice, KeyFault::SeveralKeys),
        (&pem("PUBLIC KEY", b"\x30\x00"), KeyFault::NotAKey),
        (&pem("X509 CRL", b"\x30\x00"), KeyFault::Unsupported("a PEM section of an unknown kind")),
        (&vec![b'a'; 256 * 1024 + 1], KeyFault::TooLong),
    ] {
        assert_eq!(fault("k.pem", content), expected);
    }
    assert_eq!(fault("k.json", b"{"), KeyFault::InvalidJwk);
    assert_eq!(fault("k.jwks", b"[]"), KeyFault::InvalidJwk);

    let folder = directory(&[("a.pem", good)]);
    fs::create_dir(folder.path().join("sub")).unwrap();
    assert!(matches!(Keyring::load(folder.path()), Err(KeyError::File { .. })));
}

#[test]
fn hidden_files_and_notes_are_passed_over() {
    let (_, content, _) = &ed25519()[0];
    let files: &[(&str, &[u8])] = &[
        ("k.pem", content),
        (".k.pem.swp", b"x"),
        ("README", b"x"),
        ("README.txt", b"x"),
        ("notes.md", b"x"),
    ];
    assert_eq!(load(files).unwrap().0.keys().count(), 1);
    assert!(matches!(load(&files[1..]), Err(KeyError::Empty(_))));
    assert!(matches!(
        Keyring::load(Path::new("/nonexistent/keys")),
        Err(KeyError::Unreadable { .. })
    ));
}

#[test]
fn one_id_is_one_key() {
    let (ours, theirs) = (ed25519(), ed25519());
    let (private, public) = (&ours[0].1, &ours[5].1);

    let (keyring, _) = load(&[("k.pub", public), ("k.pem", private)]).unwrap();
    assert_eq!(keyring.keys().count(), 1);
    assert!(keyring.key("k").unwrap().is_private());
    for files in
        [[("k.pem", private), ("k.pub", &theirs[5].1)], [("k.pem", private), ("k.key", private)]]
    {
        let files = files.map(|(name, content)| (name, &**content));
        assert!(matches!(load(&files), Err(KeyError::DuplicateId { .. })));
    }
    let secrets: &[(&str, &[u8])] = &[("k.hs", &[1; 32]), ("k.secret", &[1; 32])];
    assert!(matches!(load(secrets), Err(KeyError::DuplicateId { .. })));
}

#[test]
fn secrets_do_not_stand_beside_public_keys() {
    let (_, public, _) = &ed25519()[5];
    let files: &[(&str, &[u8])] =
        &[("a.pub", public), ("b.hs", b"0123456789abcdef0123456789abcdef")];
    assert!(matches!(load(files), Err(KeyError::Mixed(_))));
}

#[test]
fn the_newest_private_key_signs() {
    let (old, new, public) = (ed25519(), ed25519(), ed25519());
    let folder = directory(&[("b.pem", &old[0].1), ("a.pem", &new[0].1), ("c.pub", &public[5].1)]);
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(100_000);
    for (name, age) in [("b.pem", 60), ("a.pem", 0), ("c.pub", 0)] {
        let file = File::options().write(true).open(folder.path().join(name)).unwrap();
        file.set_modified(now - Duration::from_secs(age)).unwrap();
    }

    let (keyring, _) = Keyring::load(folder.path()).unwrap();

    assert_eq!(Signer::newest(&keyring, None).unwrap().key_id(), "a");
    assert_eq!(Signer::with_key_id(&keyring, "b", None).unwrap().key_id(), "b");
    assert!(Signer::with_key_id(&keyring, "c", None).is_err());
    assert!(Signer::with_key_id(&keyring, "a", Some(&[Algorithm::HS256])).is_err());
}

#[test]
fn a_set_is_loaded_without_what_is_not_ours() {
    let jwk = |spellings: Spellings| {
        let (keyring, _) = load(&[("k.pem", &spellings[5].1)]).unwrap();
        serde_json::to_value(keyring.key("k").unwrap().public_jwk().unwrap()).unwrap()
    };
    let with = |mut jwk: Value, changes: Value| {
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    };
    let (ed, ec) = (jwk(ed25519()), jwk(ec(&ECDSA_P256_SHA256_FIXED_SIGNING)));
    let mut nameless = ec.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    let set = json!({ "keys": [
        with(ed.clone(), json!({"kid": "one"})),
        nameless,
        with(ed.clone(), json!({"kid": "enc", "use": "enc"})),
        with(ed.clone(), json!({"kid": "ops", "key_ops": ["encrypt"]})),
        with(ed.clone(), json!({"kid": "crv", "crv": "X25519"})),
        with(ed.clone(), json!({"kid": "kty", "kty": "AKP"})),
        with(ed.clone(), json!({"kid": "alg", "alg": "ES512"})),
        with(ed.clone(), json!({"kid": "fit", "alg": "RS256"})),
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"},
    ]});

    let (keyring, warnings) = load(&[("idp.jwks", set.to_string().as_bytes())]).unwrap();

    let ids: Vec<_> = keyring.keys().map(Key::id).collect();
    assert_eq!(ids, ["one", &keyring.keys().nth(1).unwrap().thumbprint().unwrap()]);
    let skipped: Vec<_> = warnings
        .iter()
        .filter_map(|warning| match warning {
            Warning::Skipped { key, .. } => Some(key.as_str()),
            Warning::EndsWithNewline(_) | Warning::Guessable(_) => None,
        })
        .collect();
    assert_eq!(skipped, ["enc", "ops", "crv", "kty", "alg", "fit", "#8"]);

    for broken in [
        json!({"keys": [with(ed.clone(), json!({"x": "AA"}))]}),
        json!({"keys": [with(ec.clone(), json!({"y": "AA"}))]}),
        json!({"keys": [with(ec.clone(), json!({"y": ec["x"]}))]}),
        json!({"keys": [{"kty": "oct", "k": "AAAA", "kid": "a"}]}),
        json!({"keys": [{"kid": "a"}]}),
        json!({"keys": []}),
        json!({"keys": {}}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
        json!([ed]),
    ] {
        let broken = broken.to_string();
        assert!(load(&[("idp.jwks", broken.as_bytes())]).is_err(), "{broken}");
        assert!(Keyring::from_jwks(broken.as_bytes()).is_err(), "{broken}");
    }
    assert!(Keyring::from_jwks(br#"{"keys":[],"keys":[]}"#).is_err());
}

#[test]
fn nothing_private_is_published() {
    const RFC7515: &str = include_str!("../../../tests/corpora/rfc7515/jws.jsonl");
    for line in RFC7515.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let Ok((keyring, _)) = Keyring::from_jwks(case["key"].to_string().as_bytes()) else {
            continue;
        };
        assert!(keyring.can_sign());
        let published = serde_json::to_value(keyring.public_jwks()).unwrap();
        for jwk in published["keys"].as_array().unwrap() {
            let members: BTreeMap<String, Value> = serde_json::from_value(jwk.clone()).unwrap();
            let public = ["alg", "crv", "e", "kid", "kty", "n", "use", "x", "y"];
            assert!(members.keys().all(|name| public.contains(&name.as_str())), "{members:?}");
            assert_eq!(members["use"], "sig");
        }
        let is_secret = case["key"]["kty"] == "oct";
        assert_eq!(published["keys"].as_array().unwrap().is_empty(), is_secret);
        assert!(!format!("{keyring:?}").contains(case["key"]["d"].as_str().unwrap_or("\u{0}")));
    }
}

#[test]
fn a_private_jwk_with_a_foreign_public_half_is_damaged() {
    const RFC7515: &str = include_str!("../../../tests/corpora/rfc7515/jws.jsonl");
    let case = RFC7515.lines().find(|line| line.contains("rfc7515-A.3")).unwrap();
    let mut key = serde_json::from_str::<Value>(case).unwrap()["key"].clone();
    assert!(Keyring::from_jwks(key.to_string().as_bytes()).unwrap().0.can_sign());

    key["d"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE");
    let error = Keyring::from_jwks(key.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, KeyError::Fault(KeyFault::InvalidKey)));
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    // The key of RFC 7638 §3.1, and the one of RFC 8037 appendix A.3.
    let rsa = r#"{"kty":"RSA","e":"AQAB","alg":"RS256","kid":"2011-04-29","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#;
    let okp = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for (jwk, thumbprint) in [
        (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (okp, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        let (keyring, _) = Keyring::from_jwks(jwk.as_bytes()).unwrap();
        let key = keyring.keys().next().unwrap();
        assert_eq!(key.thumbprint().unwrap(), thumbprint);
        let sha256 = jsonwebtoken::jwk::ThumbprintHash::SHA256;
        assert_eq!(key.public_jwk().unwrap().thumbprint(sha256).unwrap(), thumbprint);
    }
}

#[test]
fn an_inline_secret_serves_the_algorithms_it_is_given_for() {
    let both = [Algorithm::HS256, Algorithm::HS384];
    let (keyring, warnings) =
        Keyring::from_secret(b"0123456789abcdef0123456789abcdef0123456789abcdef", &both).unwrap();

    assert_eq!(keyring.key("inline").unwrap().allowed(Some(&both)), both);
    assert_eq!(warnings, []);
    assert!(Keyring::from_secret(&[7; 47], &both).is_err());
    assert!(Keyring::from_secret(&[7; 64], &[]).is_err());
    assert!(Keyring::from_secret(&[7; 64], &[Algorithm::ES256]).is_err());
}
