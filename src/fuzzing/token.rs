//! The whole verifier with fixed keys: nothing verifies that was not signed, and what verifies says
//! what another reader of JSON finds in it.
//!
//! An input is a line that says what is asked, and the rest: a token (`token`), a payload to be
//! signed (`claims`), or a header to be signed (`header`).

use std::collections::HashSet;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Oracle, headed};
use crate::token::{
    Algorithm, ClaimPaths, IssuerSettings, Keyring, RequiredClaims, Signer, VerifiedToken, Verifier,
};

const NOW: u64 = 1_800_000_000;
const LEEWAY: u64 = 30;
const SECRET: &[u8; 64] = b"sixty-four bytes that everybody may read, since nobody uses them";

/// RFC 7515, appendices A.2 and A.3, and RFC 8037, appendix A.1.
const RFC7515: &str = include_str!("../../tests/corpora/rfc7515/jws.jsonl");
const ED25519: &str = r#"{"kty": "OKP", "crv": "Ed25519", "kid": "ed",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

struct Token {
    /// Of both issuers, and of that with the secret alone.
    verifiers: [Verifier; 2],
    secret: hmac::Key,
    /// Headers and payloads that were ever signed.
    signed: HashSet<String>,
}

pub(super) fn oracle() -> Option<Oracle> {
    let token = Token::new()?;
    Some(Box::new(move |input| token.ask(input)))
}

/// The key pairs, each of which signs.
fn pairs() -> Option<Keyring> {
    let mut keys = vec![serde_json::from_str::<Value>(ED25519).ok()?];
    for line in RFC7515.lines() {
        let case: Value = serde_json::from_str(line).ok()?;
        let id = match case.get("src")?.as_str()? {
            "rfc7515-A.2" => "rsa",
            "rfc7515-A.3" => "ec",
            _ => continue,
        };
        let mut key = case.get("key")?.as_object()?.clone();
        key.insert("kid".into(), id.into());
        keys.push(Value::Object(key));
    }
    let (keyring, _) = Keyring::from_jwks(json!({ "keys": keys }).to_string().as_bytes()).ok()?;
    Some(keyring)
}

fn settings(issuer: &str, keyring: Keyring) -> IssuerSettings {
    IssuerSettings {
        name: issuer.into(),
        issuer: issuer.into(),
        audience: vec!["gateway".into()],
        required: RequiredClaims::default(),
        keyring,
        algorithms: None,
        leeway: Duration::from_secs(LEEWAY),
        max_lifetime: None,
        claims: ClaimPaths::default(),
        bound: false,
    }
}

fn claims(issuer: &str) -> Map<String, Value> {
    let claims = [
        ("iss", Value::from(issuer)),
        ("aud", "gateway".into()),
        ("sub", "alice".into()),
        ("exp", (NOW + 600).into()),
    ];
    claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Token {
    fn new() -> Option<Self> {
        let algorithms = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        let (secrets, _) = Keyring::from_secret(SECRET, &algorithms).ok()?;
        let pairs = pairs()?;
        let mut known = HashSet::new();
        for id in ["rsa", "ec", "ed"] {
            let token = Signer::with_key_id(&pairs, id, None).ok()?.sign(&claims("pairs")).ok()?;
            known.insert(token.rsplit_once('.')?.0.to_owned());
        }
        for algorithm in algorithms {
            let signer = Signer::newest(&secrets, Some(&[algorithm])).ok()?;
            let token = signer.sign(&claims("secrets")).ok()?;
            known.insert(token.rsplit_once('.')?.0.to_owned());
        }
        let secrets = settings("secrets", secrets);
        let both = Verifier::new(vec![secrets.clone(), settings("pairs", pairs)]).ok()?;
        let verifiers = [both, Verifier::new(vec![secrets]).ok()?];
        Some(Self { verifiers, secret: hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed: known })
    }

    fn ask(&self, input: &[u8]) {
        let (head, rest) = headed(input);
        for verifier in &self.verifiers {
            match head {
                b"token" => {
                    let Ok(token) = std::str::from_utf8(rest) else { return };
                    let Ok(verified) = verifier.verify(token, NOW) else { continue };
                    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
                    assert!(self.signed.contains(signed), "{token} was never signed");
                    assert_eq!(verified.subject, "alice");
                }
                b"claims" => {
                    let token = self.sign(br#"{"alg":"HS256","kid":"inline"}"#, rest);
                    if let Ok(verified) = verifier.verify(&token, NOW) {
                        ask_claims(rest, &verified);
                    }
                }
                b"header" => {
                    let payload = Value::Object(claims("secrets")).to_string();
                    let token = self.sign(rest, payload.as_bytes());
                    if verifier.verify(&token, NOW).is_ok() {
                        ask_header(rest);
                    }
                }
                _ => return,
            }
        }
    }

    /// Signs whatever it is given, with a code of its own.
    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let tag = hmac::sign(&self.secret, token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag, &mut token);
        token
    }
}

fn ask_claims(payload: &[u8], verified: &VerifiedToken) {
    let read: Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = |name: &str| read.get(name).and_then(Value::as_str);
    assert_eq!(text("iss"), Some("secrets"));
    assert_eq!(text("sub"), Some(verified.subject.as_str()));
    assert!(!verified.subject.is_empty() && verified.subject.len() <= 256);
    assert!(!verified.subject.contains(char::is_control));
    let audience = read.get("aud");
    let is_ours = |audience: &Value| audience.as_str() == Some("gateway");
    let listed = audience.and_then(Value::as_array).is_some_and(|list| list.iter().any(is_ours));
    assert!(listed || audience.is_some_and(is_ours), "another audience");
    let time = |name: &str| read.get(name).and_then(Value::as_f64);
    let now = Duration::from_secs(NOW).as_secs_f64();
    let leeway = Duration::from_secs(LEEWAY).as_secs_f64();
    assert!(time("exp").is_some_and(|expires| now < expires + leeway), "expired");
    assert!(time("nbf").is_none_or(|not_before| not_before <= now + leeway), "not yet valid");
    assert!(time("iat").is_none_or(|issued_at| issued_at < now + leeway + 1.0), "of the future");
    assert_eq!(verified.token_id.as_deref(), text("jti"));
    assert_eq!(verified.home.as_deref(), text("home"));
    assert!(verified.valid_until >= NOW);
}

fn ask_header(header: &[u8]) {
    let read: Value = serde_json::from_slice(header).unwrap_or_default();
    let text = |name: &str| read.get(name).and_then(Value::as_str);
    assert_eq!(text("alg"), Some("HS256"));
    for name in ["crit", "b64", "zip"] {
        assert_eq!(read.get(name), None, "{name}");
    }
    assert!(read.get("kid").is_none() || text("kid") == Some("inline"));
    let kind = text("typ").map(str::to_ascii_lowercase);
    let kind = kind.as_deref().map(|kind| kind.strip_prefix("application/").unwrap_or(kind));
    assert!(matches!(kind, None | Some("jwt" | "at+jwt")), "{kind:?}");
}
