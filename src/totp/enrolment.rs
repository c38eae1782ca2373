//! How an authenticator app learns a secret: a URI, and a picture of it.

use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::{DIGITS, PERIOD, TotpSecret};

/// What a URI may hold as it is (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The `otpauth` URI of a secret, for `user` at `issuer`. Both are encoded, so that no name can
/// add a parameter.
#[must_use]
pub fn uri(secret: &TotpSecret, issuer: &str, user: &str) -> Zeroizing<String> {
    let issuer = utf8_percent_encode(issuer, RESERVED);
    let user = utf8_percent_encode(user, RESERVED);
    let secret = secret.to_base32();
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{user}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}",
        *secret
    ))
}

/// A text is too long for a QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too long for a QR code")]
pub struct QrError;

/// A text as a QR code in SVG, black on white with the quiet zone that readers need. It has no
/// script, style or link, so that it may stand in a page of any policy. A screen has no dirt on it,
/// so that the least redundancy does, and keeps the modules large.
///
/// # Errors
///
/// [`QrError`].
pub fn svg(text: &str) -> Result<Zeroizing<String>, QrError> {
    let code = QRBuilder::new(text).ecl(ECL::L).build().map_err(|_| QrError)?;
    Ok(Zeroizing::new(SvgBuilder::default().margin(4).to_str(&code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890".to_vec()).unwrap()
    }

    #[test]
    fn the_uri_says_what_an_app_must_know() {
        assert_eq!(
            *uri(&secret(), "doorward", "alice"),
            "otpauth://totp/doorward:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=doorward&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn no_name_adds_a_parameter() {
        let uri = uri(&secret(), "a&b=c", "x?secret=A:b/ü");
        assert!(uri.starts_with("otpauth://totp/a%26b%3Dc:x%3Fsecret%3DA%3Ab%2F%C3%BC?secret=GEZ"));
        assert_eq!(uri.matches("secret=").count(), 1);
    }

    #[test]
    fn the_picture_is_plain_svg() {
        let svg = svg(&uri(&secret(), "doorward", "alice")).unwrap();
        assert!(svg.starts_with("<svg viewBox=\"0 0 ") && svg.ends_with("</svg>"));
        for word in ["script", "href", "style", "<image"] {
            assert!(!svg.contains(word), "{word}");
        }
    }

    #[test]
    fn a_name_of_any_allowed_length_has_a_picture_and_more_is_refused() {
        let long = "ü".repeat(crate::user::MAX_NAME_BYTES / 2);
        assert!(svg(&uri(&secret(), &long, &long)).is_ok());
        assert_eq!(svg(&"x".repeat(4000)).unwrap_err(), QrError);
    }
}
