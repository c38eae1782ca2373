//! The compact form of a JWS (RFC 7515 §7.1): three parts in strict base64url, within bounds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::verifier::{MAX_TOKEN, VerifyError};

/// The longest header that is looked at, in bytes before decoding.
const MAX_HEADER: usize = 4 * 1024;

/// The three parts of a token, still encoded.
pub(super) struct Parts<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    /// Header, dot and payload: what is signed.
    pub(super) signed: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Splits a token, within its bounds, at its first and its last dot.
    pub(super) fn split(token: &'a str) -> Result<Self, VerifyError> {
        if token.len() > MAX_TOKEN {
            return Err(VerifyError::TooLong);
        }
        let split = |text: &'a str, dot: Option<usize>| {
            let dot = dot.ok_or(VerifyError::NotAToken)?;
            let parts = text.get(..dot).zip(text.get(dot + 1..));
            parts.ok_or(VerifyError::NotAToken)
        };
        let (signed, signature) = split(token, memchr::memrchr(b'.', token.as_bytes()))?;
        let (header, payload) = split(signed, memchr::memchr(b'.', signed.as_bytes()))?;
        if header.len() > MAX_HEADER {
            return Err(VerifyError::TooLong);
        }
        Ok(Self { header, payload, signature, signed: signed.as_bytes() })
    }

    /// Makes room enough for the three parts, decoded.
    pub(super) fn make_room<'b>(&self, room: &'b mut Vec<u8>) -> &'b mut [u8] {
        let length = (self.signed.len() + self.signature.len()) / 4 * 3 + 12;
        if room.len() < length {
            room.resize(length, 0);
        }
        room
    }
}

/// Decodes strict base64url: no padding, no white space, no bits left over (RFC 7515 §2). A dot
/// is no base64url, so that a fourth part is refused by that. Returns the room that is left.
pub(super) fn decode_into<'b>(
    text: &str,
    buffer: &'b mut [u8],
) -> Result<(&'b [u8], &'b mut [u8]), VerifyError> {
    let length = URL_SAFE_NO_PAD.decode_slice(text, buffer).map_err(|_| VerifyError::NotAToken)?;
    let (decoded, rest) = buffer.split_at_mut_checked(length).ok_or(VerifyError::NotAToken)?;
    Ok((decoded, rest))
}
