//! `Authorization: Basic` (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::CredentialError;
use crate::api_key;

const MAX_BYTES: usize = 16 * 1024;

/// A user name and what stands in the password's place.
pub struct Basic {
    /// The user-id. Without control characters, and never empty.
    pub user: String,
    /// The password: any UTF-8 without control characters, or a token.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Basic").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Basic {
    /// Reads the parameter of the scheme: strict base64 of `user-id ":" password`, of which the
    /// first colon separates (RFC 7617 §2), in UTF-8 (§2.1).
    ///
    /// # Errors
    ///
    /// [`CredentialError::Malformed`] for anything else, and for control characters, which
    /// other software cuts a string at.
    pub fn parse(parameter: &str) -> Result<Self, CredentialError> {
        if parameter.len() > MAX_BYTES {
            return Err(CredentialError::Malformed);
        }
        let decoded = STANDARD.decode(parameter).map_err(|_| CredentialError::Malformed)?;
        let decoded = Zeroizing::new(decoded);
        let text = std::str::from_utf8(&decoded).map_err(|_| CredentialError::Malformed)?;
        let (user, password) = text.split_once(':').ok_or(CredentialError::Malformed)?;
        if user.is_empty() || text.chars().any(char::is_control) {
            return Err(CredentialError::Malformed);
        }
        Ok(Self { user: user.to_owned(), password: Zeroizing::new(password.to_owned()) })
    }

    /// Whether the password is written as our API keys are. It is then judged as one and as
    /// nothing else.
    #[must_use]
    pub fn holds_key(&self) -> bool {
        api_key::is_key(&self.password)
    }

    /// Whether the password reads as a JWT in compact form: three parts of base64url, the
    /// first of which begins a JSON object. It is then judged as a token and as nothing else.
    #[must_use]
    pub fn holds_token(&self) -> bool {
        let password = self.password.as_str();
        password.starts_with("eyJ")
            && password.bytes().filter(|&byte| byte == b'.').count() == 2
            && password
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: impl AsRef<[u8]>) -> Result<Basic, CredentialError> {
        Basic::parse(&STANDARD.encode(text))
    }

    #[test]
    fn the_first_colon_separates_and_utf_8_is_read() {
        let basic = parse("Aladdin:open:sesame £").unwrap();
        assert_eq!((basic.user.as_str(), basic.password.as_str()), ("Aladdin", "open:sesame £"));
        // RFC 7617 §2.1
        assert_eq!(Basic::parse("dGVzdDoxMjPCow==").unwrap().password.as_str(), "123£");
    }

    #[test]
    fn anything_with_a_second_reading_is_refused() {
        for text in
            [&b"alice"[..], b":x", b"alice:x\0y", b"al\nice:x", b"alice:x\x7f", b"alice:\xff"]
        {
            assert_eq!(parse(text).unwrap_err(), CredentialError::Malformed, "{text:?}");
        }
        for parameter in ["", "YWxpY2U6eA", "YWxpY2U6eA== ", "YWxp Y2U6eA==", "YWxpY2U6eB==", "!!!"]
        {
            assert!(Basic::parse(parameter).is_err(), "{parameter:?}");
        }
    }

    #[test]
    fn a_token_in_the_password_is_told_from_a_password() {
        assert!(parse("jwt:eyJhbGciOiJub25lIn0.e30.").unwrap().holds_token());
        assert!(!parse("alice:a.b.c").unwrap().holds_token());
        assert!(!parse("alice:eyJ.a b.c").unwrap().holds_token());
    }

    #[test]
    fn a_key_in_the_password_is_told_from_a_password() {
        let key = format!("dw_{}_{}", "a".repeat(16), "b".repeat(32));
        assert!(parse(format!("alice:{key}")).unwrap().holds_key());
        assert!(!parse(format!("alice:{key}b")).unwrap().holds_key());
        assert!(!parse("alice:dw_a_b").unwrap().holds_key());
    }

    #[test]
    fn its_debug_form_does_not_hold_the_password() {
        assert!(!format!("{:?}", parse("alice:secret").unwrap()).contains("secret"));
    }
}
