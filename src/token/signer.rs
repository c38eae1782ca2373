//! Signs tokens with one key, which was parsed when it was loaded.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::key::{Key, Verifying};
use super::keyring::Keyring;

/// The private half of a key pair. The library wipes it when it is dropped.
pub(super) enum Signing {
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The claims or the header cannot be written as JSON.
    #[error("the claims cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// No private key or secret, or none with this id, serves an allowed algorithm.
    #[error("no private key that may sign")]
    NoPrivateKey,
    /// The library refuses to sign, or has no randomness.
    #[error("the signature could not be made")]
    Refused,
}

/// Signs with one key and one algorithm.
pub struct Signer {
    key: Arc<Key>,
    algorithm: Algorithm,
    /// The encoded header with the dot behind it.
    header: String,
}

impl Signer {
    /// A signer with the newest private key: by the file's time, then by id.
    ///
    /// `algorithms` narrows what a key may sign with; the first that the key serves is taken.
    ///
    /// # Errors
    ///
    /// [`SignError::NoPrivateKey`].
    pub fn newest(keyring: &Keyring, algorithms: Option<&[Algorithm]>) -> Result<Self, SignError> {
        let newest = keyring
            .shared()
            .filter(|key| key.is_private() && !key.allowed(algorithms).is_empty())
            .max_by(|a, b| (a.modified(), a.id()).cmp(&(b.modified(), b.id())));
        Self::new(newest, algorithms)
    }

    /// A signer with the key of this id.
    ///
    /// # Errors
    ///
    /// [`SignError::NoPrivateKey`]: there is none, it is public, or it serves none of
    /// `algorithms`.
    pub fn with_key_id(
        keyring: &Keyring,
        id: &str,
        algorithms: Option<&[Algorithm]>,
    ) -> Result<Self, SignError> {
        let key = keyring.shared().find(|key| key.id() == id && key.is_private());
        Self::new(key, algorithms)
    }

    fn new(key: Option<&Arc<Key>>, algorithms: Option<&[Algorithm]>) -> Result<Self, SignError> {
        let key = Arc::clone(key.ok_or(SignError::NoPrivateKey)?);
        let algorithm = key.allowed(algorithms).first().copied().ok_or(SignError::NoPrivateKey)?;
        let mut header = jsonwebtoken::Header::new(algorithm.into());
        header.kid = Some(key.id().to_owned());
        let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?) + ".";
        Ok(Self { key, algorithm, header })
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id of the key it signs with.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.key.id()
    }

    /// Signs these claims, and no others: a `jti` comes from [`token_id`].
    ///
    /// # Errors
    ///
    /// [`SignError::Json`], [`SignError::Refused`].
    pub fn sign(&self, claims: &Map<String, Value>) -> Result<String, SignError> {
        let mut token = self.header.clone();
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signature = self.key.sign(self.algorithm, token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key.id())
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// A fresh `jti`: 128 random bits in base64url.
///
/// # Errors
///
/// [`SignError::Refused`]: the system has no randomness.
pub fn token_id() -> Result<String, SignError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| SignError::Refused)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Key {
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        let refused = |_| SignError::Refused;
        match (self.signing(), self.verifying(algorithm)) {
            (None, Some(Verifying::Hmac(key))) => {
                Ok(aws_lc_rs::hmac::sign(key, message).as_ref().to_vec())
            }
            (Some(Signing::Ec(pair)), Some(_)) => {
                Ok(pair.sign(&random, message).map_err(refused)?.as_ref().to_vec())
            }
            (Some(Signing::Ed25519(pair)), Some(_)) => {
                Ok(pair.try_sign(message).map_err(refused)?.as_ref().to_vec())
            }
            (Some(Signing::Rsa(pair)), Some(_)) => {
                let (_, encoding) = algorithm.rsa().ok_or(SignError::NoPrivateKey)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).map_err(refused)?;
                Ok(signature)
            }
            (None, Some(Verifying::Public(..))) | (_, None) => Err(SignError::NoPrivateKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        let keyring = Keyring::from_secret(&[7; 32], &[Algorithm::HS256]).unwrap().0;
        Signer::newest(&keyring, None).unwrap()
    }

    #[test]
    fn the_header_names_algorithm_key_and_type() {
        let token = signer().sign(&Map::new()).unwrap();

        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, serde_json::json!({"alg": "HS256", "kid": "inline", "typ": "JWT"}));
    }

    #[test]
    fn token_ids_are_long_and_differ() {
        let (first, second) = (token_id().unwrap(), token_id().unwrap());
        assert_eq!(first.len(), 22);
        assert_ne!(first, second);
    }

    #[test]
    fn a_signer_never_prints_its_key() {
        let printed = format!("{:?}", signer());
        assert!(printed.contains("HS256") && !printed.contains("header"));
    }
}
