//! One key: what it can verify and sign, fixed when it is loaded.
//!
//! The public part is parsed once for each algorithm that the key may serve; HMAC keys are
//! prepared. Which algorithm a token is verified with is a matter of its key, never of the
//! token (RFC 8725 §3.1). A secret shorter than its hash is refused.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

use super::algorithm::{Algorithm, KeyType};
use super::public::Public;
use super::signer::Signing;

/// The longest key id that a token may name, in bytes.
pub(super) const MAX_KEY_ID: usize = 128;

/// Why bytes are not a key that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Private keys under a pass phrase cannot be read.
    #[error("the private key is encrypted; store it decrypted, readable by the gateway alone")]
    Encrypted,
    /// A generator could not make a key.
    #[error("the key could not be generated")]
    Generation,
    /// The JSON is not a JWK or a JWK set.
    #[error("not a JWK or a JWK set")]
    InvalidJwk,
    /// The parts of the key do not fit each other, or the curve.
    #[error("the key is damaged")]
    InvalidKey,
    /// The id is missing, empty, longer than 128 bytes, or has a control character.
    #[error("the key id is missing, empty, longer than 128 bytes, or has a control character")]
    InvalidKeyId,
    /// A PEM section does not end, or is not base64.
    #[error("the PEM is damaged")]
    InvalidPem,
    /// Neither PEM, DER, JWK nor a file whose name says that it is a secret.
    #[error("not a key: neither PEM, DER nor JWK, and not named .secret, .hs or .key")]
    NotAKey,
    /// A PEM or DER key under the name of a raw secret.
    #[error("a PEM key is not a secret; name the file .pem")]
    PemAsSecret,
    /// More than one private or public key in one PEM file.
    #[error("several keys in one file; give each its own")]
    SeveralKeys,
    /// A secret shorter than the hash of its algorithm (RFC 7518 §3.2).
    #[error("the secret is {length} bytes long, {algorithm} demands {minimum}")]
    ShortSecret {
        /// What the secret is for.
        algorithm: Algorithm,
        /// How long it is.
        length: usize,
        /// How long it must be.
        minimum: usize,
    },
    /// The file is longer than 256 KiB.
    #[error("longer than 256 KiB")]
    TooLong,
    /// A type, curve, use or algorithm that is not offered.
    #[error("{0}")]
    Unsupported(&'static str),
    /// An RSA key below 2048 bits, with a bad exponent, or of the ROCA family.
    #[error("the RSA key is weak: {0}")]
    WeakRsa(&'static str),
}

/// One way to verify a signature.
pub(super) enum Verifying {
    Hmac(Box<hmac::Key>),
    /// With the one length that a signature of this key has.
    Public(ParsedPublicKey, usize),
}

impl Verifying {
    /// Whether `signature` is this key's over `message`.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key, length) => {
                signature.len() == *length && key.verify_sig(message, signature).is_ok()
            }
        }
    }
}

/// A key with its id, the algorithms it may serve, and where it came from.
pub struct Key {
    id: Box<str>,
    kind: KeyType,
    declared: Option<Algorithm>,
    public: Option<Public>,
    verifying: Vec<(Algorithm, Verifying)>,
    signing: Option<Signing>,
    source: Option<PathBuf>,
    modified: Option<SystemTime>,
}

impl Key {
    /// A key pair, or its public half. `declared` is the one algorithm that a JWK names.
    pub(super) fn asymmetric(
        id: &str,
        public: Public,
        signing: Option<Signing>,
        declared: Option<Algorithm>,
    ) -> Result<Self, KeyFault> {
        let kind = public.key_type();
        let verifying = candidates(kind, declared)?
            .map(|algorithm| Ok((algorithm, public.parse(algorithm)?)))
            .collect::<Result<_, KeyFault>>()?;
        let public = Some(public);
        Self { id: key_id(id)?, kind, declared, public, verifying, signing, ..Self::bare() }.ok()
    }

    /// A shared secret, for every HMAC algorithm that it is long enough for.
    pub(super) fn secret(
        id: &str,
        secret: &[u8],
        declared: Option<Algorithm>,
    ) -> Result<Self, KeyFault> {
        let required = declared.unwrap_or(Algorithm::HS256);
        require_length(secret, required)?;
        let verifying = candidates(KeyType::Secret, declared)?
            .filter_map(|algorithm| Some((algorithm, algorithm.hmac()?)))
            .filter(|(_, (_, minimum))| secret.len() >= *minimum)
            .map(|(algorithm, (hash, _))| {
                (algorithm, Verifying::Hmac(Box::new(hmac::Key::new(hash, secret))))
            })
            .collect();
        Self { id: key_id(id)?, declared, verifying, ..Self::bare() }.ok()
    }

    fn bare() -> Self {
        Self {
            id: Box::default(),
            kind: KeyType::Secret,
            declared: None,
            public: None,
            verifying: Vec::new(),
            signing: None,
            source: None,
            modified: None,
        }
    }

    fn ok(self) -> Result<Self, KeyFault> {
        if self.verifying.is_empty() { Err(KeyFault::InvalidKey) } else { Ok(self) }
    }

    /// The same key, with the file it came from.
    pub(super) fn attributed(self, path: &Path, modified: Option<SystemTime>) -> Self {
        Self { source: Some(path.to_owned()), modified, ..self }
    }

    /// The key id, as a token names it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What kind of key it is.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.kind
    }

    /// The algorithms it serves where the issuer does not narrow them: the one that its JWK
    /// declares, HS256 for a bare secret, else all of its type.
    #[must_use]
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.allowed(None)
    }

    /// Whether it can sign: a private key or a secret.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.signing.is_some() || self.kind == KeyType::Secret
    }

    /// The file it came from.
    #[must_use]
    pub fn source(&self) -> Option<&Path> {
        self.source.as_deref()
    }

    /// The algorithms it serves under what the issuer allows.
    pub(super) fn allowed(&self, narrowing: Option<&[Algorithm]>) -> Vec<Algorithm> {
        let served = self.verifying.iter().map(|(algorithm, _)| *algorithm);
        match narrowing {
            Some(narrowing) => served.filter(|algorithm| narrowing.contains(algorithm)).collect(),
            None if self.kind == KeyType::Secret && self.declared.is_none() => {
                served.filter(|algorithm| *algorithm == Algorithm::HS256).collect()
            }
            None => served.collect(),
        }
    }

    pub(super) fn verifying(&self, algorithm: Algorithm) -> Option<&Verifying> {
        self.verifying.iter().find(|(served, _)| *served == algorithm).map(|(_, key)| key)
    }

    pub(super) fn public(&self) -> Option<&Public> {
        self.public.as_ref()
    }

    pub(super) fn signing(&self) -> Option<&Signing> {
        self.signing.as_ref()
    }

    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    pub(super) fn declared(&self) -> Option<Algorithm> {
        self.declared
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithms", &self.algorithms())
            .field("private", &self.is_private())
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// Refuses a secret that is shorter than the hash of `algorithm`.
pub(super) fn require_length(secret: &[u8], algorithm: Algorithm) -> Result<(), KeyFault> {
    let Some((_, minimum)) = algorithm.hmac() else {
        return Err(KeyFault::Unsupported("a secret serves HS256, HS384 and HS512 only"));
    };
    let length = secret.len();
    if length < minimum {
        return Err(KeyFault::ShortSecret { algorithm, length, minimum });
    }
    Ok(())
}

fn candidates(
    kind: KeyType,
    declared: Option<Algorithm>,
) -> Result<impl Iterator<Item = Algorithm>, KeyFault> {
    if declared.is_some_and(|algorithm| algorithm.key_type() != kind) {
        return Err(KeyFault::Unsupported("the algorithm of the key does not fit its type"));
    }
    let all = kind.algorithms().iter().copied();
    Ok(all.filter(move |algorithm| declared.is_none_or(|declared| declared == *algorithm)))
}

fn key_id(id: &str) -> Result<Box<str>, KeyFault> {
    if id.is_empty() || id.len() > MAX_KEY_ID || id.chars().any(char::is_control) {
        return Err(KeyFault::InvalidKeyId);
    }
    Ok(id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_serves_what_it_is_long_enough_for_but_only_hs256_by_itself() {
        let key = Key::secret("a", &[7; 48], None).unwrap();

        assert_eq!(key.algorithms(), [Algorithm::HS256]);
        assert_eq!(key.allowed(Some(&[Algorithm::HS384])), [Algorithm::HS384]);
        assert_eq!(key.allowed(Some(&[Algorithm::HS512, Algorithm::RS256])), []);
        assert!(key.is_private());
    }

    #[test]
    fn a_secret_shorter_than_its_hash_is_refused() {
        for (algorithm, minimum) in
            [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)]
        {
            let length = minimum - 1;
            let error = Key::secret("a", &vec![7; length], Some(algorithm)).unwrap_err();
            assert_eq!(error, KeyFault::ShortSecret { algorithm, length, minimum });
            assert!(Key::secret("a", &vec![7; minimum], Some(algorithm)).is_ok());
        }
        assert!(Key::secret("a", &[], None).is_err());
        assert!(Key::secret("a", &[7; 64], Some(Algorithm::RS256)).is_err());
    }

    #[test]
    fn a_key_id_is_short_and_printable() {
        for id in ["", "a\0b", "a\nb", &"a".repeat(129)] {
            assert_eq!(Key::secret(id, &[7; 32], None).unwrap_err(), KeyFault::InvalidKeyId);
        }
    }

    #[test]
    fn a_key_never_prints_itself() {
        let key = Key::secret("a", b"correct horse battery staple, twice", None).unwrap();
        assert!(!format!("{key:?}").contains("horse"));
    }
}
