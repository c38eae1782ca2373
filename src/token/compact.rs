//! The compact form of a JWS (RFC 7515 §7.1): three parts in strict base64url, within bounds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::verifier::{MAX_TOKEN, VerifyError};

/// The longest header that is looked at, in bytes before decoding.
const MAX_HEADER: usize = 4 * 1024;

/// The three parts of a token, still encoded.
pub(super) struct Parts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    /// Header, dot and payload: what is signed.
    pub(super) signed: &'a [u8],
}

/// The three parts, decoded.
pub(super) struct Decoded<'b> {
    pub(super) header: &'b [u8],
    pub(super) payload: &'b [u8],
    pub(super) signature: &'b [u8],
}

impl<'a> Parts<'a> {
    /// Splits a token, within its bounds, at its first and its last dot.
    pub(super) fn split(token: &'a str) -> Result<Self, VerifyError> {
        if token.len() > MAX_TOKEN {
            return Err(VerifyError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(VerifyError::NotAToken)?;
        let (header, payload) = signed.split_once('.').ok_or(VerifyError::NotAToken)?;
        if header.len() > MAX_HEADER {
            return Err(VerifyError::TooLong);
        }
        Ok(Self { header, payload, signature, signed: signed.as_bytes() })
    }

    /// Decodes all parts into one buffer. A further dot is no base64url, and refused by that.
    pub(super) fn decode<'b>(&self, buffer: &'b mut Vec<u8>) -> Result<Decoded<'b>, VerifyError> {
        buffer.resize((self.signed.len() + self.signature.len()) / 4 * 3 + 12, 0);
        let (header, rest) = decode_into(self.header, buffer)?;
        let (payload, rest) = decode_into(self.payload, rest)?;
        let (signature, _) = decode_into(self.signature, rest)?;
        Ok(Decoded { header, payload, signature })
    }
}

/// Decodes strict base64url: no padding, no white space, no bits left over (RFC 7515 §2).
fn decode_into<'b>(
    text: &str,
    buffer: &'b mut [u8],
) -> Result<(&'b [u8], &'b mut [u8]), VerifyError> {
    let length = URL_SAFE_NO_PAD.decode_slice(text, buffer).map_err(|_| VerifyError::NotAToken)?;
    let (decoded, rest) = buffer.split_at_mut_checked(length).ok_or(VerifyError::NotAToken)?;
    Ok((decoded, rest))
}
