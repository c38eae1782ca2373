//! Keys in PEM and DER: PKCS#1, PKCS#8, SEC1, SPKI and X.509 certificates.
//!
//! What a structure is, is read from the structure, not from the label above it. Only the key
//! of a certificate is taken: its names and its validity are nobody's business here.

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::server::ParsedCertificate;
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::der::{self, Shape};
use super::key::KeyFault;
use super::public::{Curve, Public, refuse_weak_rsa, rsa_public};
use super::signer::Signing;

/// A key as a file holds it: the public half, and the private one if it is there.
pub(super) type Pair = (Public, Option<Signing>);

/// Whether the text has a PEM section.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"-----BEGIN ").is_some()
}

/// Reads the one key of a PEM file: its private or public key, else its first certificate.
pub(super) fn from_pem(bytes: &[u8]) -> Result<Pair, KeyFault> {
    let mut key = None;
    let mut certificate = None;
    let mut rest = bytes;
    while let Some((label, body, tail)) = next_section(rest)? {
        rest = tail;
        match label {
            b"EC PARAMETERS" => {}
            b"CERTIFICATE" => certificate = certificate.or(Some(body)),
            b"ENCRYPTED PRIVATE KEY" => return Err(KeyFault::Encrypted),
            b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" | b"PUBLIC KEY"
            | b"RSA PUBLIC KEY" => {
                if key.replace(body).is_some() {
                    return Err(KeyFault::SeveralKeys);
                }
            }
            _ => return Err(KeyFault::Unsupported("a PEM section of an unknown kind")),
        }
    }
    from_der(&key.or(certificate).ok_or(KeyFault::InvalidPem)?)
}

type Section<'a> = (&'a [u8], Zeroizing<Vec<u8>>, &'a [u8]);

/// The label and content of the next section, and what follows it (RFC 7468 §2).
fn next_section(bytes: &[u8]) -> Result<Option<Section<'_>>, KeyFault> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let Some(start) = memchr::memmem::find(bytes, BEGIN) else { return Ok(None) };
    let split = || {
        let rest = bytes.get(start + BEGIN.len()..)?;
        let label = rest.get(..memchr::memmem::find(rest, b"-----")?)?;
        let rest = rest.get(label.len() + 5..)?;
        let body = rest.get(..memchr::memmem::find(rest, b"-----END ")?)?;
        let tail = rest.get(body.len() + 9..)?.strip_prefix(label)?.strip_prefix(b"-----")?;
        Some((label, body, tail))
    };
    let (label, body, tail) = split().ok_or(KeyFault::InvalidPem)?;
    if body.contains(&b':') {
        return Err(KeyFault::Encrypted); // the headers of RFC 1421, which mean just this today
    }
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    text.extend(body.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let content = STANDARD.decode(&*text).map_err(|_| KeyFault::InvalidPem)?;
    Ok(Some((label, Zeroizing::new(content), tail)))
}

/// Reads one key in DER.
pub(super) fn from_der(der: &[u8]) -> Result<Pair, KeyFault> {
    match der::shape(der).ok_or(KeyFault::NotAKey)? {
        Shape::Certificate => {
            let certificate = CertificateDer::from(der);
            let parsed =
                ParsedCertificate::try_from(&certificate).map_err(|_| KeyFault::InvalidKey)?;
            Ok((from_spki(&parsed.subject_public_key_info())?, None))
        }
        Shape::EncryptedPrivateKey => Err(KeyFault::Encrypted),
        Shape::Pkcs1Private => from_pkcs1(der),
        Shape::Pkcs1Public => {
            let (n, e) = der::rsa_public(der).ok_or(KeyFault::InvalidKey)?;
            Ok((Public::Rsa { n: n.to_vec(), e: e.to_vec() }, None))
        }
        Shape::Pkcs8 => from_pkcs8(der),
        Shape::Sec1 => from_sec1(der),
        Shape::Spki => Ok((from_spki(der)?, None)),
    }
}

fn from_spki(der: &[u8]) -> Result<Public, KeyFault> {
    let spki = der::spki(der).ok_or(KeyFault::InvalidKey)?;
    match (spki.algorithm, spki.curve) {
        (der::RSA, _) => {
            let (n, e) = der::rsa_public(spki.key).ok_or(KeyFault::InvalidKey)?;
            Ok(Public::Rsa { n: n.to_vec(), e: e.to_vec() })
        }
        (der::EC, Some(der::P256)) => {
            Ok(Public::Ec { curve: Curve::P256, point: spki.key.to_vec() })
        }
        (der::EC, Some(der::P384)) => {
            Ok(Public::Ec { curve: Curve::P384, point: spki.key.to_vec() })
        }
        (der::ED25519, None) => Ok(Public::Ed25519(spki.key.to_vec())),
        _ => Err(UNSUPPORTED),
    }
}

const UNSUPPORTED: KeyFault =
    KeyFault::Unsupported("not RSA, EC on P-256 or P-384 (named), or Ed25519");

fn from_pkcs8(der: &[u8]) -> Result<Pair, KeyFault> {
    let key = der::pkcs8(der).ok_or(KeyFault::InvalidKey)?;
    match (key.algorithm, key.curve) {
        (der::RSA, _) => from_pkcs1(key.key),
        (der::EC, Some(der::P256)) => {
            ec_pair(Curve::P256, |algorithm| EcdsaKeyPair::from_private_key_der(algorithm, der))
        }
        (der::EC, Some(der::P384)) => {
            ec_pair(Curve::P384, |algorithm| EcdsaKeyPair::from_private_key_der(algorithm, der))
        }
        (der::ED25519, None) => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                .map_err(|_| KeyFault::InvalidKey)?;
            let public = Public::Ed25519(pair.public_key().as_ref().to_vec());
            Ok((public, Some(Signing::Ed25519(pair))))
        }
        _ => Err(UNSUPPORTED),
    }
}

fn from_pkcs1(der: &[u8]) -> Result<Pair, KeyFault> {
    let (n, e) = der::rsa_private(der).ok_or(KeyFault::InvalidKey)?;
    refuse_weak_rsa(n, e)?;
    let pair = rsa::KeyPair::from_der(der).map_err(|_| KeyFault::InvalidKey)?;
    Ok((rsa_public(&pair).ok_or(KeyFault::InvalidKey)?, Some(Signing::Rsa(pair))))
}

fn from_sec1(der: &[u8]) -> Result<Pair, KeyFault> {
    [Curve::P256, Curve::P384]
        .into_iter()
        .find_map(|curve| {
            let read = |algorithm| EcdsaKeyPair::from_private_key_der(algorithm, der);
            ec_pair(curve, read).ok()
        })
        .ok_or(UNSUPPORTED)
}

/// An EC key pair on `curve`, however `read` comes by it.
pub(super) fn ec_pair<E>(
    curve: Curve,
    read: impl FnOnce(&'static EcdsaSigningAlgorithm) -> Result<EcdsaKeyPair, E>,
) -> Result<Pair, KeyFault> {
    let algorithm = match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
    };
    let pair = read(algorithm).map_err(|_| KeyFault::InvalidKey)?;
    let point = pair.public_key().as_ref().to_vec();
    Ok((Public::Ec { curve, point }, Some(Signing::Ec(pair))))
}
