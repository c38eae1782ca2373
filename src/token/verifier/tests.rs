use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::token::{Algorithm, ClaimPaths, Keyring, RequiredClaims, Signer, generate};

const NOW: u64 = 1_800_000_000;
const SECRET: &[u8] = b"a secret of sixty-four bytes, which is long enough for every hash";

fn secret_ring() -> Keyring {
    Keyring::from_secret(SECRET, &[Algorithm::HS256]).unwrap().0
}

/// A keyring of freshly generated keys: file name without extension, algorithm.
fn generated(keys: &[(&str, Algorithm)]) -> Keyring {
    let directory = tempfile::tempdir().unwrap();
    for (name, algorithm) in keys {
        let key = generate(*algorithm).unwrap();
        let file = directory.path().join(format!("{name}.{}", key.extension));
        fs::write(file, &*key.content).unwrap();
    }
    Keyring::load(directory.path()).unwrap().0
}

fn settings(keyring: Keyring) -> IssuerSettings {
    IssuerSettings {
        name: "local".into(),
        issuer: "https://gw.example.org".into(),
        audience: vec!["doorward".into(), "files".into()],
        required: RequiredClaims::default(),
        keyring,
        algorithms: None,
        leeway: Duration::from_secs(30),
        max_lifetime: None,
        claims: ClaimPaths::default(),
        bound: true,
    }
}

fn verifier(keyring: Keyring) -> Verifier {
    Verifier::new(vec![settings(keyring)]).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": "https://gw.example.org", "aud": "doorward", "sub": "alice",
        "exp": NOW + 600, "iat": NOW - 10, "nbf": NOW - 10, "jti": "one",
    })
}

/// The claims with one of them replaced, or left out if `value` is null.
fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn sign(keyring: &Keyring, claims: &Value) -> String {
    Signer::newest(keyring, None).unwrap().sign(claims.as_object().unwrap()).unwrap()
}

/// Signs any header and any payload with [`SECRET`], as an issuer gone wrong would.
fn forge(header: &str, payload: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", encode(header), encode(payload));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET);
    let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

#[track_caller]
fn assert_refused(claims: &Value, error: VerifyError) {
    let keyring = secret_ring();
    let token = sign(&keyring, claims);
    assert_eq!(verifier(keyring).verify(&token, NOW), Err(error), "{claims}");
}

#[test]
fn a_token_says_what_its_issuer_wrote() {
    let keyring = secret_ring();
    let mut issuer = settings(keyring.clone());
    issuer.claims.roles = "realm_access.roles".parse().unwrap();
    issuer.claims.permissions = "scope".parse().unwrap();
    let mut claims = claims_with("aud", json!(["other", "files"]));
    claims["realm_access"] = json!({"roles": ["staff"], "other": [1, {"a": null}]});
    claims["scope"] = json!("files:read files:write");
    claims["home"] = json!("/alice");
    claims["email"] = json!("alice@example.org");
    claims["cluster_tag"] = json!("c1");
    claims["sid"] = json!("login");
    claims["unknown"] = json!([1.5, null, {"deep": true}]);

    let token = sign(&keyring, &claims);
    let verified = Verifier::new(vec![issuer]).unwrap().verify(&token, NOW).unwrap();

    assert_eq!(
        verified,
        VerifiedToken {
            issuer: 0,
            subject: "alice".into(),
            roles: Some(vec!["staff".into()]),
            permissions: Some(vec!["files:read".into(), "files:write".into()]),
            groups: None,
            home: Some("/alice".into()),
            email: Some("alice@example.org".into()),
            tag: Some("c1".into()),
            expires: NOW + 600,
            valid_until: NOW + 629,
            issued_at: Some(NOW - 10),
            token_id: Some("one".into()),
            family: Some("login".into()),
            client: None,
        }
    );
}

#[test]
fn every_algorithm_signs_and_verifies_and_no_other_does() {
    for algorithm in Algorithm::ALL {
        let keyring = generated(&[("k", algorithm)]);
        let signer = Signer::newest(&keyring, Some(&[algorithm])).unwrap();
        let token = signer.sign(claims().as_object().unwrap()).unwrap();
        let allow = |algorithms: Vec<Algorithm>| {
            let algorithms = Some(algorithms);
            Verifier::new(vec![IssuerSettings { algorithms, ..settings(keyring.clone()) }])
        };

        assert!(allow(vec![algorithm]).unwrap().verify(&token, NOW).is_ok(), "{algorithm}");
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            if let Ok(verifier) = allow(vec![other]) {
                let error = verifier.verify(&token, NOW).unwrap_err();
                assert_eq!(error, VerifyError::AlgorithmNotAllowed, "{algorithm} as {other}");
            }
        }
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let keyring = generated(&[("k", Algorithm::RS256)]);
    let jwk = keyring.public_jwks().keys.remove(0);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"k"}"#);
    let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
    let signed = format!("{header}.{payload}");
    let json = serde_json::to_string(&jwk).unwrap();
    let value = serde_json::to_value(&jwk).unwrap();
    let modulus = value["n"].as_str().unwrap();
    let modulus_bytes = URL_SAFE_NO_PAD.decode(modulus).unwrap();

    for secret in [json.as_bytes(), modulus.as_bytes(), &modulus_bytes] {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        let tag = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()));
        let outcome = verifier(keyring.clone()).verify(&format!("{signed}.{tag}"), NOW);
        assert_eq!(outcome, Err(VerifyError::AlgorithmNotAllowed));
    }
}

#[test]
fn a_key_is_chosen_by_its_id() {
    let keyring = generated(&[("a", Algorithm::ES256), ("b", Algorithm::ES256)]);
    let verifier = verifier(keyring.clone());
    for id in ["a", "b"] {
        let signer = Signer::with_key_id(&keyring, id, None).unwrap();
        let token = signer.sign(claims().as_object().unwrap()).unwrap();
        assert!(verifier.verify(&token, NOW).is_ok());

        let (_, rest) = token.split_once('.').unwrap();
        let header = |header: &str| format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
        for (header, error) in [
            (header(r#"{"alg":"ES256"}"#), VerifyError::AmbiguousKey),
            (header(r#"{"alg":"ES256","kid":"c"}"#), VerifyError::UnknownKey),
            (header(r#"{"alg":"ES256","kid":""}"#), VerifyError::UnknownKey),
            (header(r#"{"alg":"ES256","kid":"../../dev/null"}"#), VerifyError::UnknownKey),
            (header(r#"{"alg":"ES256","kid":"a' OR 1=1 --"}"#), VerifyError::UnknownKey),
            (header(r#"{"alg":"ES256","kid":"a\u0000"}"#), VerifyError::UnknownKey),
            (header(r#"{"alg":"ES256","kid":{"a":1}}"#), VerifyError::MalformedHeader),
            (
                header(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "a".repeat(129))),
                VerifyError::UnknownKey,
            ),
            (
                header(&format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "a".repeat(70_000))),
                VerifyError::TooLong,
            ),
            (header(r#"{"alg":"ES384"}"#), VerifyError::UnknownKey),
            (header(r#"{"alg":"ES384","kid":"a"}"#), VerifyError::AlgorithmNotAllowed),
        ] {
            assert_eq!(verifier.verify(&header, NOW), Err(error));
        }
    }
}

#[test]
fn without_a_key_id_the_only_key_of_the_algorithm_is_taken() {
    let keyring = generated(&[("a", Algorithm::ES256), ("b", Algorithm::EdDSA)]);
    let jwk = |id: &str| keyring.key(id).unwrap().signing().is_some();
    assert!(jwk("a") && jwk("b"));
    let token = forge(r#"{"alg":"HS256"}"#, &claims().to_string());

    assert!(verifier(secret_ring()).verify(&token, NOW).is_ok());
    assert_eq!(verifier(keyring).verify(&token, NOW), Err(VerifyError::UnknownKey));
}

#[test]
fn times_are_numbers_and_bounded_by_the_leeway() {
    for (name, value, error) in [
        ("exp", Value::Null, VerifyError::MissingClaim("exp")),
        ("exp", json!(NOW - 30), VerifyError::Expired { expires: NOW - 30, now: NOW }),
        ("exp", json!(0), VerifyError::Expired { expires: 0, now: NOW }),
        ("nbf", json!(NOW + 31), VerifyError::NotYetValid { not_before: NOW + 31, now: NOW }),
        ("nbf", json!(u64::MAX), VerifyError::NotYetValid { not_before: u64::MAX, now: NOW }),
        ("iat", json!(NOW + 31), VerifyError::IssuedInFuture { issued_at: NOW + 31, now: NOW }),
    ] {
        assert_refused(&claims_with(name, value), error);
    }
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!((NOW + 9).to_string()),
            json!("9999999999"),
            json!(true),
            json!([NOW]),
            json!({}),
            json!(-1),
            json!(-0.5),
            json!(1e300),
        ] {
            assert_refused(&claims_with(name, value), VerifyError::WrongType(name));
        }
    }
    let keyring = secret_ring();
    for (name, value) in [
        ("exp", json!(NOW - 29)),
        ("exp", json!(1_800_000_000.5)),
        ("exp", json!(u64::MAX)),
        ("nbf", json!(NOW + 30)),
        ("nbf", Value::Null),
        ("iat", json!(NOW + 30)),
        ("iat", Value::Null),
    ] {
        let token = sign(&keyring, &claims_with(name, value));
        assert!(verifier(keyring.clone()).verify(&token, NOW).is_ok(), "{name}");
    }
}

#[test]
fn the_last_good_second_is_told() {
    let keyring = secret_ring();
    let (token, verifier) = (sign(&keyring, &claims()), verifier(keyring));
    let last = verifier.verify(&token, NOW).unwrap().valid_until;

    assert!(verifier.verify(&token, last).is_ok());
    assert!(matches!(verifier.verify(&token, last + 1), Err(VerifyError::Expired { .. })));
}

#[test]
fn raw_json_oddities_in_times_are_refused() {
    for (payload, error) in [
        (r#""exp":1e400"#, VerifyError::MalformedClaims),
        (r#""exp":NaN"#, VerifyError::MalformedClaims),
        (r#""exp":null"#, VerifyError::WrongType("exp")),
        (r#""exp":1900000000,"exp":1900000000"#, VerifyError::MalformedClaims),
        (r#""exp":1900000000,"nbf":null"#, VerifyError::WrongType("nbf")),
        (r#""exp":1900000000,"sub":"bob""#, VerifyError::MalformedClaims),
        (r#""exp":1900000000,"x":1,"x":1"#, VerifyError::MalformedClaims),
        (r#""exp":1900000000,"\u0073ub":"bob""#, VerifyError::MalformedClaims),
    ] {
        let payload = format!(
            r#"{{"iss":"https://gw.example.org","aud":"doorward","sub":"alice",{payload}}}"#
        );
        let token = forge(r#"{"alg":"HS256"}"#, &payload);
        assert_eq!(verifier(secret_ring()).verify(&token, NOW), Err(error), "{payload}");
    }
}

#[test]
fn a_lifetime_is_bounded_where_the_issuer_says_so() {
    let keyring = secret_ring();
    let max_lifetime = Some(Duration::from_secs(610));
    let settings = IssuerSettings { max_lifetime, ..settings(keyring.clone()) };
    let verifier = Verifier::new(vec![settings]).unwrap();
    let verify = |claims| verifier.verify(&sign(&keyring, &claims), NOW).map(drop);

    assert_eq!(verify(claims()), Ok(()));
    let error = VerifyError::LifetimeTooLong { seconds: 611 };
    assert_eq!(verify(claims_with("exp", json!(NOW + 601))), Err(error));
    assert_eq!(verify(claims_with("iat", Value::Null)), Err(VerifyError::MissingClaim("iat")));
}

#[test]
fn issuer_and_audience_are_exact_and_required() {
    for (name, value, error) in [
        ("iss", Value::Null, VerifyError::MissingClaim("iss")),
        ("iss", json!("https://gw.example.org/"), VerifyError::UnknownIssuer),
        ("iss", json!("https://GW.example.org"), VerifyError::UnknownIssuer),
        ("iss", json!(["https://gw.example.org"]), VerifyError::WrongType("iss")),
        ("aud", Value::Null, VerifyError::MissingClaim("aud")),
        ("aud", json!([]), VerifyError::WrongAudience),
        ("aud", json!("door"), VerifyError::WrongAudience),
        ("aud", json!("doorward "), VerifyError::WrongAudience),
        ("aud", json!("doorward files"), VerifyError::WrongAudience),
        ("aud", json!(["other"]), VerifyError::WrongAudience),
        ("aud", json!({"doorward": true}), VerifyError::WrongType("aud")),
        ("aud", json!(["doorward", 1]), VerifyError::WrongType("aud")),
        ("aud", json!([["doorward"]]), VerifyError::WrongType("aud")),
    ] {
        assert_refused(&claims_with(name, value), error);
    }
}

#[test]
fn subjects_and_other_texts_are_tame() {
    for (name, value, error) in [
        ("sub", Value::Null, VerifyError::MissingClaim("subject")),
        ("sub", json!(""), VerifyError::WrongLength("subject")),
        ("sub", json!("a".repeat(257)), VerifyError::WrongLength("subject")),
        ("sub", json!("a\0b"), VerifyError::ControlCharacter("subject")),
        ("sub", json!("a\r\nX-User: root"), VerifyError::ControlCharacter("subject")),
        ("sub", json!("a\u{85}"), VerifyError::ControlCharacter("subject")),
        ("sub", json!(7), VerifyError::WrongType("subject")),
        ("sub", json!(["alice"]), VerifyError::WrongType("subject")),
        ("jti", json!(7), VerifyError::WrongType("jti")),
        ("jti", json!(""), VerifyError::WrongLength("jti")),
        ("home", json!(["/"]), VerifyError::WrongType("home")),
        ("home", json!(false), VerifyError::WrongType("home")),
        ("home", json!("/a\n"), VerifyError::ControlCharacter("home")),
        ("roles", json!({"admin": true}), VerifyError::WrongType("roles")),
        ("roles", json!(["a", 1]), VerifyError::WrongType("roles")),
        ("roles", json!(["a\nb"]), VerifyError::ControlCharacter("roles")),
        ("permissions", json!(1), VerifyError::WrongType("permissions")),
    ] {
        assert_refused(&claims_with(name, value), error);
    }
}

#[test]
fn anything_but_three_strict_parts_is_no_token() {
    let keyring = secret_ring();
    let token = sign(&keyring, &claims());
    let verifier = verifier(keyring);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for broken in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "a".into(),
        signed.into(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{token}.e30.e30"),
        format!("{token}="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{signed}.@@@@"),
        token.replace('.', "=."),
        token.replace('.', " . "),
    ] {
        let outcome = verifier.verify(&broken, NOW);
        let is_refused = matches!(
            outcome,
            Err(VerifyError::BadSignature | VerifyError::MalformedHeader | VerifyError::NotAToken)
        );
        assert!(is_refused, "{broken}: {outcome:?}");
    }
    for signature in ["", "AAAA", "AAA"] {
        let outcome = verifier.verify(&format!("{signed}.{signature}"), NOW).unwrap_err();
        assert!(matches!(outcome, VerifyError::BadSignature | VerifyError::NotAToken));
    }
    assert_eq!(verifier.verify(&".".repeat(1 << 20), NOW), Err(VerifyError::TooLong));
    let dots = verifier.verify(&".".repeat(MAX_TOKEN), NOW);
    assert!(matches!(dots, Err(VerifyError::MalformedHeader | VerifyError::NotAToken)));
}

#[test]
fn an_unsigned_token_is_refused_in_every_spelling() {
    let verifier = verifier(secret_ring());
    for algorithm in [r#""none""#, r#""None""#, r#""nOnE""#, r#""""#, "null"] {
        let signed = forge(&format!(r#"{{"alg":{algorithm}}}"#), &claims().to_string());
        let (unsigned, _) = signed.rsplit_once('.').unwrap();
        for token in [signed.clone(), format!("{unsigned}.")] {
            assert_eq!(verifier.verify(&token, NOW), Err(VerifyError::UnsupportedAlgorithm));
        }
    }
}

#[test]
fn the_signature_comes_before_the_claims() {
    let keyring = secret_ring();
    let token = sign(&keyring, &claims_with("exp", json!(1)));
    let mut broken = token.clone();
    let last = if token.ends_with('A') { "E" } else { "A" };
    broken.replace_range(token.len() - 1.., last);
    let other = Keyring::from_secret(&[9; 32], &[Algorithm::HS256]).unwrap().0;

    assert!(matches!(verifier(keyring).verify(&token, NOW), Err(VerifyError::Expired { .. })));
    assert_eq!(verifier(other.clone()).verify(&token, NOW), Err(VerifyError::BadSignature));
    let garbage = forge(r#"{"alg":"HS256"}"#, "{}{}");
    assert_eq!(verifier(other).verify(&garbage, NOW), Err(VerifyError::BadSignature));
}

#[test]
fn tokens_of_another_kind_are_refused() {
    for kind in ["refresh+jwt", "id+jwt", "totp+jwt", "logout+jwt"] {
        let header = format!(r#"{{"alg":"HS256","typ":"{kind}"}}"#);
        let token = forge(&header, &claims().to_string());
        let outcome = verifier(secret_ring()).verify(&token, NOW);
        assert_eq!(outcome, Err(VerifyError::WrongTokenType));
    }
}

#[test]
fn each_issuer_has_its_own_keys() {
    let (ours, theirs) = (secret_ring(), generated(&[("k", Algorithm::EdDSA)]));
    let other = "https://idp.example.com";
    let verifier = Verifier::new(vec![
        settings(ours.clone()),
        IssuerSettings { name: "idp".into(), issuer: other.into(), ..settings(theirs.clone()) },
    ])
    .unwrap();
    let foreign = claims_with("iss", json!(other));

    assert_eq!(verifier.verify(&sign(&ours, &claims()), NOW).unwrap().issuer, 0);
    assert_eq!(verifier.verify(&sign(&theirs, &foreign), NOW).unwrap().issuer, 1);
    for (keyring, claims, error) in [
        (&ours, foreign.clone(), VerifyError::UnknownKey),
        (&theirs, claims(), VerifyError::UnknownKey),
        (&ours, claims_with("iss", json!("https://e.example")), VerifyError::UnknownIssuer),
        (&ours, claims_with("iss", Value::Null), VerifyError::MissingClaim("iss")),
        (&ours, claims_with("iss", json!(1)), VerifyError::WrongType("iss")),
    ] {
        assert_eq!(verifier.verify(&sign(keyring, &claims), NOW), Err(error));
    }
    let nobody = Verifier::new(vec![]).unwrap();
    assert_eq!(nobody.verify(&sign(&ours, &claims()), NOW), Err(VerifyError::UnknownIssuer));
}

#[test]
fn unsound_settings_build_no_verifier() {
    let long = Keyring::from_secret(&[3; 40], &[Algorithm::HS256, Algorithm::HS256]).unwrap().0;
    let base = || settings(secret_ring());
    let build = |settings: IssuerSettings| Verifier::new(vec![settings]).map(drop);
    let local = || "local".to_owned();

    assert_eq!(build(base()), Ok(()));
    for (settings, error) in [
        (IssuerSettings { issuer: String::new(), ..base() }, IssuerError::NoIssuer(local())),
        (IssuerSettings { audience: vec![], ..base() }, IssuerError::NoAudience(local())),
        (
            IssuerSettings { audience: vec![String::new()], ..base() },
            IssuerError::NoAudience(local()),
        ),
        (
            IssuerSettings { leeway: Duration::from_secs(61), ..base() },
            IssuerError::LongLeeway(local()),
        ),
        (
            IssuerSettings { algorithms: Some(vec![Algorithm::ES256]), ..base() },
            IssuerError::NoUsableKey(local()),
        ),
        (IssuerSettings { algorithms: Some(vec![]), ..base() }, IssuerError::NoUsableKey(local())),
        (
            IssuerSettings { algorithms: Some(vec![Algorithm::HS256, Algorithm::RS256]), ..base() },
            IssuerError::MixedAlgorithms(local()),
        ),
        (
            IssuerSettings { algorithms: Some(vec![Algorithm::HS384]), ..settings(long) },
            IssuerError::ShortSecret {
                issuer: local(),
                key: "inline".into(),
                algorithm: Algorithm::HS384,
            },
        ),
    ] {
        assert_eq!(build(settings), Err(error));
    }
    let mut overlapping = base();
    overlapping.claims.home = "roles.home".parse().unwrap();
    assert!(matches!(build(overlapping), Err(IssuerError::OverlappingClaims { .. })));
    let twins = Verifier::new(vec![base(), IssuerSettings { name: "twin".into(), ..base() }]);
    assert!(matches!(twins, Err(IssuerError::Duplicate { .. })));
    let required = RequiredClaims { issuer: false, audience: true };
    let anonymous =
        |name: &str| IssuerSettings { name: name.into(), issuer: name.into(), required, ..base() };
    let both = Verifier::new(vec![anonymous("a"), anonymous("b")]);
    assert!(matches!(both, Err(IssuerError::Anonymous { .. })));
}

#[test]
fn a_token_that_names_no_issuer_is_that_ones_which_does_without() {
    let (ours, theirs) = (secret_ring(), generated(&[("k", Algorithm::EdDSA)]));
    let required = RequiredClaims { issuer: false, audience: true };
    let named = settings(theirs.clone());
    let anonymous = IssuerSettings {
        name: "other".into(),
        issuer: "other".into(),
        required,
        ..settings(ours.clone())
    };
    let both = Verifier::new(vec![named, anonymous.clone()]).unwrap();
    let alone = Verifier::new(vec![anonymous]).unwrap();
    let without = claims_with("iss", Value::Null);

    assert_eq!(both.verify(&sign(&ours, &without), NOW).unwrap().issuer, 1);
    assert_eq!(alone.verify(&sign(&ours, &without), NOW).unwrap().issuer, 0);
    assert_eq!(both.verify(&sign(&theirs, &without), NOW), Err(VerifyError::UnknownKey));
    for (claim, value, error) in [
        ("iss", json!("https://e.example"), VerifyError::UnknownIssuer),
        ("iss", json!(1), VerifyError::WrongType("iss")),
        ("iss", json!(""), VerifyError::UnknownIssuer),
        ("aud", json!("doorward"), VerifyError::UnknownKey), // `iss` names the issuer with others
    ] {
        let token = sign(&ours, &claims_with(claim, value));
        assert_eq!(both.verify(&token, NOW), Err(error));
    }
}

#[test]
fn an_audience_that_need_not_be_there_must_be_right_where_it_is() {
    let keyring = secret_ring();
    let required = RequiredClaims { issuer: true, audience: false };
    let verifier =
        Verifier::new(vec![IssuerSettings { required, ..settings(keyring.clone()) }]).unwrap();
    let verify = |claims| verifier.verify(&sign(&keyring, &claims), NOW).map(drop);

    assert_eq!(verify(claims_with("aud", Value::Null)), Ok(()));
    for (audience, error) in [
        (json!("other"), VerifyError::WrongAudience),
        (json!([]), VerifyError::WrongAudience),
        (json!(1), VerifyError::WrongType("aud")),
    ] {
        assert_eq!(verify(claims_with("aud", audience)), Err(error));
    }
    assert_eq!(verify(claims_with("iss", Value::Null)), Err(VerifyError::MissingClaim("iss")));
    assert_eq!(verify(claims_with("exp", Value::Null)), Err(VerifyError::MissingClaim("exp")));
}

#[test]
fn an_independent_implementation_agrees() {
    let keyring = secret_ring();
    let ours = sign(&keyring, &claims());
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    rules.set_audience(&["doorward"]);
    rules.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_secret(SECRET);
    assert_eq!(jsonwebtoken::decode::<Value>(&ours, &key, &rules).unwrap().claims, claims());

    let key = jsonwebtoken::EncodingKey::from_secret(SECRET);
    let theirs = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims(), &key).unwrap();
    assert!(verifier(keyring).verify(&theirs, NOW).is_ok());
}

#[test]
fn any_single_byte_change_is_refused() {
    for algorithm in [Algorithm::HS256, Algorithm::ES256, Algorithm::EdDSA] {
        let keyring = generated(&[("k", algorithm)]);
        let token = sign(&keyring, &claims());
        let verifier = verifier(keyring);
        for index in 0..token.len() {
            for byte in [b'A', b'B', b'.', b'=', b'_', b'%', b' ', 0] {
                let mut changed = token.clone().into_bytes();
                if changed[index] != byte {
                    changed[index] = byte;
                    let changed = String::from_utf8(changed).unwrap();
                    assert!(verifier.verify(&changed, NOW).is_err(), "{index}: {byte}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_mutation_is_refused(index in any::<prop::sample::Index>(), byte in 0_u8..0x80) {
        let keyring = secret_ring();
        let token = sign(&keyring, &claims());
        let mut changed = token.clone().into_bytes();
        let index = index.index(changed.len());
        changed[index] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assume!(changed != token);

        prop_assert!(verifier(keyring).verify(&changed, NOW).is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", parts in "[A-Za-z0-9_.-]{0,300}") {
        let verifier = verifier(secret_ring());
        prop_assert!(verifier.verify(&text, NOW).is_err());
        prop_assert!(verifier.verify(&parts, NOW).is_err());
    }

    #[test]
    fn no_signed_payload_makes_it_panic(payload in "[\\[\\]{}\",:a-z0-9eE.+\\\\-]{0,80}") {
        let token = forge(r#"{"alg":"HS256"}"#, &payload);
        prop_assert!(verifier(secret_ring()).verify(&token, NOW).is_err());
    }
}
