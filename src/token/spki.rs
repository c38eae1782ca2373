//! Public keys as SPKI (RFC 5280 §4.1.2.7) in DER, for those who publish them so.

use super::der;
use super::key::Key;
use super::public::{Curve, Public};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: [u8; 2] = [0x05, 0x00];
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

impl Key {
    /// The public half as a `SubjectPublicKeyInfo` in DER. `None`: a secret has no such half.
    #[must_use]
    pub fn public_der(&self) -> Option<Vec<u8>> {
        self.public().map(Public::to_der)
    }
}

impl Public {
    fn to_der(&self) -> Vec<u8> {
        let identifier = |content: &[u8]| element(OBJECT_IDENTIFIER, &[content]);
        let (algorithm, parameters, key) = match self {
            Self::Rsa { n, e } => {
                let numbers = element(SEQUENCE, &[&positive(n), &positive(e)]);
                (der::RSA, NULL.to_vec(), numbers)
            }
            Self::Ec { curve: Curve::P256, point } => {
                (der::EC, identifier(der::P256), point.clone())
            }
            Self::Ec { curve: Curve::P384, point } => {
                (der::EC, identifier(der::P384), point.clone())
            }
            Self::Ed25519(point) => (der::ED25519, Vec::new(), point.clone()),
        };
        let algorithm = element(SEQUENCE, &[&identifier(algorithm), &parameters]);
        element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], &key])])
    }
}

/// A number without leading zeros, none of whose bits is a sign.
fn positive(number: &[u8]) -> Vec<u8> {
    let is_signed = number.first().is_some_and(|first| first & 0x80 != 0);
    element(INTEGER, &[if is_signed { &[0] } else { &[] }, number])
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut element = vec![tag];
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        element.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let used = bytes.iter().copied().skip_while(|byte| *byte == 0);
        let used: Vec<u8> = used.collect();
        let count = u8::try_from(used.len()).unwrap_or_default(); // at most eight
        element.push(0x80 | count);
        element.extend(used);
    }
    element.extend(parts.iter().flat_map(|part| part.iter()));
    element
}

#[cfg(test)]
mod tests {
    use super::super::{KeyType, Keyring, generate};

    #[test]
    fn what_is_written_is_read_as_the_same_key() {
        for algorithm in ["RS256", "ES256", "ES384", "EdDSA"] {
            let generated = generate(algorithm.parse().unwrap()).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("k.pem");
            std::fs::write(&path, &*generated.content).unwrap();
            let keyring = Keyring::load(&path).unwrap().0;
            let key = keyring.key("k").unwrap();

            let der = key.public_der().unwrap();
            std::fs::write(folder.path().join("p.der"), &der).unwrap();
            let again = Keyring::load(&folder.path().join("p.der")).unwrap().0;

            assert_eq!(again.key("p").unwrap().thumbprint(), key.thumbprint(), "{algorithm}");
            assert_eq!(again.key("p").unwrap().public_der().unwrap(), der, "{algorithm}");
        }
    }

    #[test]
    fn a_secret_is_not_published() {
        let keyring = Keyring::from_secret(&[7; 32], &["HS256".parse().unwrap()]).unwrap().0;
        let key = keyring.keys().next().unwrap();
        assert_eq!(key.key_type(), KeyType::Secret);
        assert_eq!(key.public_der(), None);
    }
}
