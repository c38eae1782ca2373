//! The base64 spellings in which password hashes are written, and fields of PHC strings.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::PasswordHashError;

/// Written without padding; read with or without it, and with stray bits in the last character,
/// as the C implementations do.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, LENIENT);

/// The alphabet of crypt(3), whose digits come lowest first.
const CRYPT: [u8; 64] = *b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Decodes base64 of the standard alphabet, where `.` may stand for `+` as passlib writes it.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.contains('.') {
        STANDARD.decode(text.replace('.', "+")).ok()
    } else {
        STANDARD.decode(text).ok()
    }
}

/// Encodes with the standard alphabet and without padding, as PHC strings want it.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes exactly `N` bytes of bcrypt's alphabet.
pub(super) fn decode_bcrypt<const N: usize>(text: &str) -> Option<[u8; N]> {
    BCRYPT.decode(text).ok()?.try_into().ok()
}

/// Decodes lower- or upper-case hexadecimal.
pub(super) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect()
}

/// Encodes a digest as crypt(3) does: bytes are taken in the given order, three at a time and
/// highest first, and each group gives its four digits lowest first. `order` ends with a group
/// of one or two bytes, which give two or three digits.
pub(super) fn encode_crypt(digest: &[u8], order: &[&[usize]]) -> String {
    let mut text = String::with_capacity(digest.len() * 4 / 3 + 2);
    for group in order {
        let bytes = group.iter().filter_map(|index| digest.get(*index));
        let mut value = bytes.fold(0_usize, |value, byte| (value << 8) | usize::from(*byte));
        for _ in 0..=group.len() {
            text.extend(CRYPT.get(value & 63).map(|digit| char::from(*digit)));
            value >>= 6;
        }
    }
    text
}

/// Whether `text` is all of crypt(3)'s digits.
pub(super) fn is_crypt(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'))
}

/// A decimal number without sign or leading zeros.
pub(super) fn decimal(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

/// Fills `bytes` with random ones.
pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), PasswordHashError> {
    rand::fill(bytes).map_err(|_| PasswordHashError::Unavailable)
}

/// A text of `length` random digits of crypt(3)'s alphabet.
pub(super) fn random_crypt(length: usize) -> Result<String, PasswordHashError> {
    let mut bytes = vec![0; length];
    fill_random(&mut bytes)?;
    let digits = bytes.iter().filter_map(|byte| CRYPT.get(usize::from(byte & 63)));
    Ok(digits.map(|digit| char::from(*digit)).collect())
}
