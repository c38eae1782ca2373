//! `doorward key show`: the public part of keys, as PEM or as a JWK set. Of a secret there is
//! none, and nothing private is ever printed.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};

use crate::cli::{Answer, Failure, Verdict};
use crate::token::Keyring;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A key file, or a folder of them
    file: PathBuf,
    /// Print a JWK set instead of PEM
    #[arg(long, visible_alias = "json")]
    jwks: bool,
}

/// Why nothing is shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShowError {
    #[error("a secret has no public part")]
    Secret,
    #[error("a key of this kind cannot be written as PEM: use --jwks")]
    Unknown,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let (keyring, warnings) = Keyring::load(&arguments.file)?;
    let public = keyring.public_jwks();
    if public.keys.is_empty() {
        return Err(ShowError::Secret.into());
    }
    let answer = if arguments.jwks {
        Answer::json(&public, Verdict::Good)?
    } else {
        let keys = public.keys.iter().map(|key| pem(key).ok_or(ShowError::Unknown));
        Answer::good(keys.collect::<Result<String, _>>()?)
    };
    Ok(Answer { warnings: warnings.iter().map(ToString::to_string).collect(), ..answer })
}

/// The key as `SubjectPublicKeyInfo` (RFC 5280 §4.1) in PEM (RFC 7468 §13).
fn pem(key: &Jwk) -> Option<String> {
    let body = STANDARD.encode(public_key_info(key)?);
    let mut text = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    Some(text + "-----END PUBLIC KEY-----\n")
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
/// `rsaEncryption`, with the NULL that RFC 3279 §2.3.1 demands.
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// `id-ecPublicKey` on `secp256r1` (RFC 5480 §2.1.1).
const P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// `id-ecPublicKey` on `secp384r1`.
const P384: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
/// `id-Ed25519`, without parameters (RFC 8410 §3).
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";

fn public_key_info(key: &Jwk) -> Option<Vec<u8>> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let (algorithm, key) = if let AlgorithmParameters::RSA(rsa) = &key.algorithm {
        let numbers = [integer(&bytes(&rsa.n)?), integer(&bytes(&rsa.e)?)].concat();
        (RSA, element(SEQUENCE, &numbers))
    } else if let AlgorithmParameters::EllipticCurve(point) = &key.algorithm {
        let curves = [(EllipticCurve::P256, P256), (EllipticCurve::P384, P384)];
        let (_, curve) = curves.into_iter().find(|(curve, _)| *curve == point.curve)?;
        (curve, [vec![4], bytes(&point.x)?, bytes(&point.y)?].concat())
    } else if let AlgorithmParameters::OctetKeyPair(pair) = &key.algorithm
        && pair.curve == EllipticCurve::Ed25519
    {
        (ED25519, bytes(&pair.x)?)
    } else {
        return None;
    };
    let key = element(BIT_STRING, &[&[0], key.as_slice()].concat());
    Some(element(SEQUENCE, &[element(SEQUENCE, algorithm), key].concat()))
}

/// A positive integer: a zero in front where the first bit would make it negative.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, bytes].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let length = match significant.as_slice() {
        [] => vec![0],
        [short] if *short < 0x80 => vec![*short],
        long => {
            let count = u8::try_from(long.len()).unwrap_or_default(); // of at most 8
            [&[0x80 | count], long].concat()
        }
    };
    [&[tag], length.as_slice(), content].concat()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::token::{Algorithm, generate};

    fn show(algorithm: Algorithm, jwks: bool) -> (Result<Answer, Failure>, String) {
        let folder = tempfile::tempdir().unwrap();
        let key = generate(algorithm).unwrap();
        let file = folder.path().join(format!("k.{}", key.extension));
        fs::write(&file, &*key.content).unwrap();
        let private = String::from_utf8(key.content.to_vec()).unwrap();
        (run(&Arguments { file, jwks }), private)
    }

    #[test]
    fn the_pem_is_the_public_half_of_the_same_key() {
        for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::ES384, Algorithm::RS256] {
            let folder = tempfile::tempdir().unwrap();
            let private = folder.path().join("k.pem");
            fs::write(&private, &*generate(algorithm).unwrap().content).unwrap();

            let shown = run(&Arguments { file: private.clone(), jwks: false }).unwrap().text;

            let public = folder.path().join("public.pem");
            fs::write(&public, shown).unwrap();
            let numbers = |file| {
                let set = Keyring::load(file).unwrap().0.public_jwks();
                serde_json::to_value(&set.keys[0].algorithm).unwrap()
            };
            assert_eq!(numbers(&public), numbers(&private), "{algorithm}");
            assert!(!Keyring::load(&public).unwrap().0.can_sign(), "{algorithm}");
        }
    }

    #[test]
    fn a_jwk_set_holds_nothing_private() {
        let json = show(Algorithm::EdDSA, true).0.unwrap().text;

        assert!(json.contains("\"kid\": \"k\""), "{json}");
        assert!(!json.contains("\"d\""), "{json}");
    }

    #[test]
    fn a_secret_is_not_shown() {
        for jwks in [false, true] {
            let (shown, secret) = show(Algorithm::HS256, jwks);

            let Err(Failure(error)) = shown else { panic!() };
            assert!(!format!("{error:?}").contains(&secret));
        }
    }
}
