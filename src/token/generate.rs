//! Makes new keys.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, KeyType};
use super::key::KeyFault;

/// A new key as its file should hold it, for the owner's eyes only.
pub struct GeneratedKey {
    /// What the file holds: PKCS#8 in PEM, or a secret, which is the text itself.
    pub content: Zeroizing<Vec<u8>>,
    /// The extension that tells [`super::Keyring::load`] what it is: `pem` or `hs`.
    pub extension: &'static str,
}

impl std::fmt::Debug for GeneratedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeneratedKey").field("extension", &self.extension).finish_non_exhaustive()
    }
}

/// Makes a key for `algorithm`: RSA with 3072 bits; a secret as long as its hash, written in
/// base64url, whose characters are the secret.
///
/// # Errors
///
/// [`KeyFault::Generation`]: the library refuses, or there is no randomness.
pub fn generate(algorithm: Algorithm) -> Result<GeneratedKey, KeyFault> {
    let failed = |_| KeyFault::Generation;
    let ec = |algorithm| {
        let pair = EcdsaKeyPair::generate(algorithm).map_err(failed)?;
        Ok(pem(pair.to_pkcs8v1().map_err(failed)?.as_ref()))
    };
    match algorithm.key_type() {
        KeyType::Secret => {
            let (_, length) = algorithm.hmac().ok_or(KeyFault::Generation)?;
            let mut bytes = Zeroizing::new(vec![0; length]);
            rand::fill(&mut bytes).map_err(failed)?;
            let content = Zeroizing::new(URL_SAFE_NO_PAD.encode(&*bytes).into_bytes());
            Ok(GeneratedKey { content, extension: "hs" })
        }
        KeyType::Rsa => {
            let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
            Ok(pem(der.as_ref()))
        }
        KeyType::P256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
        KeyType::P384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
        KeyType::Ed25519 => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            // Version 1 of PKCS#8, without the public half, is what every OpenSSL reads.
            Ok(pem(pair.to_pkcs8v1().map_err(failed)?.as_ref()))
        }
    }
}

/// Lays a PKCS#8 key out as RFC 7468 §2 says, 64 characters a line.
fn pem(der: &[u8]) -> GeneratedKey {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut content = Zeroizing::new(Vec::with_capacity(body.len() + body.len() / 64 + 64));
    content.extend_from_slice(b"-----BEGIN PRIVATE KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        content.extend_from_slice(line);
        content.push(b'\n');
    }
    content.extend_from_slice(b"-----END PRIVATE KEY-----\n");
    GeneratedKey { content, extension: "pem" }
}
