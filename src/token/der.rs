//! The few DER shapes that keys come in, read strictly: definite, minimal lengths, nothing
//! behind the end.

/// rsaEncryption (RFC 8017 appendix A.1).
pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-ecPublicKey (RFC 5480 §2.1.1).
pub(super) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// secp256r1.
pub(super) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// secp384r1.
pub(super) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// id-Ed25519 (RFC 8410 §3).
pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// What a DER structure is, by its outer shape alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Certificate,
    EncryptedPrivateKey,
    Pkcs1Private,
    Pkcs1Public,
    Pkcs8,
    Sec1,
    Spki,
}

/// A public key as SPKI names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spki<'a> {
    pub(super) algorithm: &'a [u8],
    pub(super) curve: Option<&'a [u8]>,
    pub(super) key: &'a [u8],
}

/// Tells what `der` is. `None`: not one whole structure that could be a key.
pub(super) fn shape(der: &[u8]) -> Option<Shape> {
    let mut outer = Reader(whole(der, SEQUENCE)?);
    let (first, content) = outer.any()?;
    let second = outer.any().map(|(tag, _)| tag);
    match (first, second?) {
        (INTEGER, SEQUENCE) => Some(Shape::Pkcs8),
        (INTEGER, OCTET_STRING) => Some(Shape::Sec1),
        (INTEGER, INTEGER) if content == [0] => Some(Shape::Pkcs1Private),
        (INTEGER, INTEGER) => Some(Shape::Pkcs1Public),
        (SEQUENCE, BIT_STRING) => Some(Shape::Spki),
        (SEQUENCE, OCTET_STRING) => Some(Shape::EncryptedPrivateKey),
        (SEQUENCE, SEQUENCE) => Some(Shape::Certificate),
        _ => None,
    }
}

/// Reads a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
pub(super) fn spki(der: &[u8]) -> Option<Spki<'_>> {
    let mut outer = Reader(whole(der, SEQUENCE)?);
    let (algorithm, curve) = algorithm_identifier(outer.element(SEQUENCE)?)?;
    let (unused, key) = outer.element(BIT_STRING)?.split_first()?;
    (*unused == 0 && outer.0.is_empty()).then_some(Spki { algorithm, curve, key })
}

/// Reads the algorithm of a PKCS#8 key, its curve, and the key inside (RFC 5958 §2).
pub(super) fn pkcs8(der: &[u8]) -> Option<Spki<'_>> {
    let mut outer = Reader(whole(der, SEQUENCE)?);
    outer.element(INTEGER)?;
    let (algorithm, curve) = algorithm_identifier(outer.element(SEQUENCE)?)?;
    Some(Spki { algorithm, curve, key: outer.element(OCTET_STRING)? })
}

/// Reads modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1), as positive
/// numbers without leading zeros.
pub(super) fn rsa_public(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Reader(whole(der, SEQUENCE)?);
    let pair = (outer.positive()?, outer.positive()?);
    outer.0.is_empty().then_some(pair)
}

/// Reads modulus and exponent out of an `RSAPrivateKey` (RFC 8017 appendix A.1.2).
pub(super) fn rsa_private(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Reader(whole(der, SEQUENCE)?);
    outer.element(INTEGER)?;
    Some((outer.positive()?, outer.positive()?))
}

fn algorithm_identifier(content: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let mut reader = Reader(content);
    let algorithm = reader.element(OBJECT_IDENTIFIER)?;
    Some((algorithm, reader.element(OBJECT_IDENTIFIER)))
}

/// The content of `der` if it is exactly one element with this tag.
fn whole(der: &[u8], tag: u8) -> Option<&[u8]> {
    let mut reader = Reader(der);
    let content = reader.element(tag)?;
    reader.0.is_empty().then_some(content)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn element(&mut self, tag: u8) -> Option<&'a [u8]> {
        if *self.0.first()? != tag {
            return None;
        }
        self.any().map(|(_, content)| content)
    }

    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, short], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match short {
            0..=0x7f => (usize::from(short), rest),
            0x81 => {
                let (&[length], rest) = rest.split_first_chunk()?;
                (usize::from(length), rest)
            }
            0x82 => {
                let (&length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(length)), rest)
            }
            _ => return None, // no key or certificate of ours is longer than 64 KiB
        };
        let is_minimal = match short {
            0x81 => length > 0x7f,
            0x82 => length > 0xff,
            _ => true,
        };
        if !is_minimal {
            return None;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn positive(&mut self) -> Option<&'a [u8]> {
        match self.element(INTEGER)? {
            [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => Some(rest),
            number @ [1..=0x7f, ..] => Some(number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_minimal_and_nothing_follows() {
        assert_eq!(whole(&[0x30, 0x01, 0x05], SEQUENCE), Some(&[0x05][..]));
        for broken in [
            &[0x30][..],
            &[0x30, 0x02, 0x05],
            &[0x30, 0x01, 0x05, 0x00],
            &[0x30, 0x81, 0x01, 0x05],
            &[0x30, 0x80, 0x05, 0x00, 0x00],
            &[0x31, 0x01, 0x05],
        ] {
            assert_eq!(whole(broken, SEQUENCE), None, "{broken:?}");
        }
    }

    #[test]
    fn a_number_has_no_needless_zero_and_no_sign() {
        let read = |der: &'static [u8]| Reader(der).positive();
        assert_eq!(read(&[2, 1, 3]), Some(&[3][..]));
        assert_eq!(read(&[2, 2, 0, 0x80]), Some(&[0x80][..]));
        for broken in [&[2, 0][..], &[2, 1, 0], &[2, 2, 0, 3], &[2, 1, 0x80]] {
            assert_eq!(read(broken), None, "{broken:?}");
        }
    }
}
