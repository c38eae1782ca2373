//! Tokens made without the gateway's own code: claims as JSON, signatures straight from the
//! cryptography library.

use std::time::SystemTime;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// The shared secret of the issuer `local` in the standard configuration.
pub(crate) const SECRET: &str = "a-secret-of-the-tests-that-is-long-enough-for-every-hash-in-use!";

/// The `iss` that the standard configuration demands.
pub(crate) const ISSUER: &str = "https://gateway.test";

/// The `aud` that the standard configuration demands.
pub(crate) const AUDIENCE: &str = "doorward";

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the binary under test reads the same clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A token in the making: good for an hour, unless a claim is changed.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Token {
    pub(crate) fn of(subject: &str) -> Self {
        let claims = json!({
            "sub": subject, "iss": ISSUER, "aud": AUDIENCE, "iat": now(), "exp": now() + 3600,
        });
        let Value::Object(claims) = claims else { unreachable!() };
        Self { header: Map::from_iter([("typ".to_owned(), json!("JWT"))]), claims }
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Signed with the standard configuration's secret.
    pub(crate) fn signed(self) -> String {
        self.signed_with(&SigningKey::Hs256(SECRET.as_bytes().to_vec()))
    }

    pub(crate) fn signed_with(self, key: &SigningKey) -> String {
        let input = self.header("alg", key.algorithm()).input();
        let signature = key.sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// With `alg: none` and no signature.
    pub(crate) fn unsigned(self) -> String {
        format!("{}.", self.header("alg", "none").input())
    }

    fn input(&self) -> String {
        let part =
            |map: &Map<String, Value>| URL_SAFE_NO_PAD.encode(serde_json::to_vec(map).unwrap());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }
}

/// A private key or a shared secret.
pub(crate) enum SigningKey {
    Ed25519(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Hs256(Vec<u8>),
}

impl SigningKey {
    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    pub(crate) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::Es256(_) => "ES256",
            Self::Hs256(_) => "HS256",
        }
    }

    fn sign(&self, input: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.sign(input).as_ref().to_vec(),
            Self::Es256(key) => key.sign(&SystemRandom::new(), input).unwrap().as_ref().to_vec(),
            Self::Hs256(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input).as_ref().to_vec()
            }
        }
    }

    /// The public key as PEM (SPKI).
    pub(crate) fn public_pem(&self) -> String {
        let der = match self {
            Self::Ed25519(key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
            Self::Es256(key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
            Self::Hs256(_) => panic!("a shared secret has no public half"),
        };
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }
}

/// The value of `Authorization` for Basic (RFC 7617).
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
