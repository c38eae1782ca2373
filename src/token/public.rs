//! The public half of a key pair.
//!
//! Refused are RSA keys below 2048 bits, with an exponent that is even or one, or with the
//! fingerprint of CVE-2017-15361, and points that are not whole or not on their curve.

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents};

use super::algorithm::{Algorithm, KeyType};
use super::der;
use super::key::{KeyFault, Verifying};

/// The public numbers of a key pair, in their JOSE shape.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Public {
    /// Modulus and exponent without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// An uncompressed point on P-256 or P-384.
    Ec { curve: Curve, point: Vec<u8> },
    /// The point's 32 bytes.
    Ed25519(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

impl Curve {
    pub(super) fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

impl Public {
    pub(super) fn key_type(&self) -> KeyType {
        match self {
            Self::Rsa { .. } => KeyType::Rsa,
            Self::Ec { curve: Curve::P256, .. } => KeyType::P256,
            Self::Ec { curve: Curve::P384, .. } => KeyType::P384,
            Self::Ed25519(_) => KeyType::Ed25519,
        }
    }

    /// Parses the key once, for one algorithm.
    pub(super) fn parse(&self, algorithm: Algorithm) -> Result<Verifying, KeyFault> {
        let (key, length) = match self {
            Self::Rsa { n, e } => {
                refuse_weak_rsa(n, e)?;
                let (parameters, _) = algorithm.rsa().ok_or(KeyFault::InvalidKey)?;
                (RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters), n.len())
            }
            Self::Ec { curve, point } => {
                let length = curve.coordinate_length();
                if point.len() != 1 + 2 * length || point.first() != Some(&4) {
                    return Err(KeyFault::InvalidKey);
                }
                let parameters = match curve {
                    Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
                    Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
                };
                (ParsedPublicKey::new(parameters, point), 2 * length)
            }
            Self::Ed25519(point) if point.len() == 32 => {
                (ParsedPublicKey::new(&signature::ED25519, point), 64)
            }
            Self::Ed25519(_) => return Err(KeyFault::InvalidKey),
        };
        Ok(Verifying::Public(key.map_err(|_| KeyFault::InvalidKey)?, length))
    }
}

/// Refuses RSA keys that nobody should trust, before the library sees them.
pub(super) fn refuse_weak_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyFault> {
    let Some(first) = n.first().filter(|first| **first != 0) else {
        return Err(KeyFault::InvalidKey);
    };
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    if bits < 2048 {
        return Err(KeyFault::WeakRsa("less than 2048 bits"));
    }
    if bits > 8192 {
        return Err(KeyFault::WeakRsa("more than 8192 bits cost too much to verify"));
    }
    if n.last().is_none_or(|last| last % 2 == 0) {
        return Err(KeyFault::InvalidKey);
    }
    let is_odd = e.last().is_some_and(|last| last % 2 == 1);
    if !is_odd || e == [1] || e.len() > 4 || e.first() == Some(&0) {
        return Err(KeyFault::WeakRsa("the exponent is even, one, or longer than four bytes"));
    }
    if is_roca(n) {
        return Err(KeyFault::WeakRsa("its primes can be found (CVE-2017-15361)"));
    }
    Ok(())
}

/// Whether the modulus is a power of 65537 modulo each of these primes, as all moduli of the
/// flawed generator are and others practically never.
fn is_roca(n: &[u8]) -> bool {
    const PRIMES: [u32; 22] =
        [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151];
    PRIMES.into_iter().all(|prime| {
        let residue = n.iter().fold(0, |sum, byte| (sum * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * 65537 % prime;
            power == residue
        })
    })
}

/// The public half of an RSA key pair.
pub(super) fn rsa_public(pair: &rsa::KeyPair) -> Option<Public> {
    use aws_lc_rs::signature::KeyPair as _;
    let (n, e) = der::rsa_public(pair.public_key().as_ref())?;
    Some(Public::Rsa { n: n.to_vec(), e: e.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_rsa_keys_are_refused() {
        let mut modulus = vec![0xc5; 256];
        assert_eq!(refuse_weak_rsa(&modulus, &[1, 0, 1]), Ok(()));
        assert!(refuse_weak_rsa(&modulus, &[1]).is_err());
        assert!(refuse_weak_rsa(&modulus, &[2]).is_err());
        assert!(refuse_weak_rsa(&modulus, &[]).is_err());
        assert!(refuse_weak_rsa(&modulus, &[1, 0, 0, 0, 1]).is_err());
        assert!(refuse_weak_rsa(&[0x7f; 256], &[1, 0, 1]).is_err(), "2047 bits");
        assert!(refuse_weak_rsa(&[], &[1, 0, 1]).is_err());
        modulus[255] = 0xc4;
        assert_eq!(refuse_weak_rsa(&modulus, &[1, 0, 1]), Err(KeyFault::InvalidKey));
    }
}
