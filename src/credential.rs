//! What a client presents to prove who it is, not yet verified.
//!
//! Exactly one credential is taken from a request. Two of them, of one kind or of several,
//! are refused: an upstream, a log and a cache could each choose a different one.

mod basic;

use http::{HeaderMap, HeaderName, HeaderValue, header};

pub use self::basic::Basic;

/// The header in which some clients send a bare token.
pub static X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The kinds of credentials that a route takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent switches")]
pub struct Accepted {
    /// No credential at all.
    pub anonymous: bool,
    /// `Authorization: Basic` (RFC 7617).
    pub basic: bool,
    /// `Authorization: Bearer` (RFC 6750).
    pub bearer: bool,
    /// `X-Auth-Token`.
    pub x_auth_token: bool,
}

/// One credential.
#[derive(Debug)]
pub enum Credential<'a> {
    /// None was presented, and none is needed.
    Anonymous,
    /// A user name and a password, or a token in the password's place.
    Basic(Basic),
    /// A token.
    Bearer(&'a str),
    /// A token outside `Authorization`.
    TokenHeader(&'a str),
}

/// Why no credential could be taken from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// More than one.
    #[error("more than one credential")]
    Ambiguous,
    /// A scheme that the route takes, with a value that cannot be read.
    #[error("the credential cannot be read")]
    Malformed,
    /// None, and the route needs one.
    #[error("no credential")]
    Missing,
    /// A kind that the route does not take.
    #[error("a kind of credential that the route does not accept")]
    Unsupported,
}

impl<'a> Credential<'a> {
    /// Takes the one credential of a request, without verifying it.
    ///
    /// The scheme is matched case-insensitively and ends at the first space (RFC 9110 §11.4).
    /// Headers of a kind that the route does not accept count as credentials all the same,
    /// unless it accepts anonymous requests alone: then nothing is judged.
    ///
    /// # Errors
    ///
    /// - [`CredentialError::Ambiguous`]: answer 400.
    /// - The others: answer 401 with a challenge.
    pub fn extract(fields: &'a HeaderMap, accepted: Accepted) -> Result<Self, CredentialError> {
        let judges = accepted.basic || accepted.bearer || accepted.x_auth_token;
        if !judges {
            return if accepted.anonymous {
                Ok(Self::Anonymous)
            } else {
                Err(CredentialError::Missing)
            };
        }
        let authorization = single(fields, &header::AUTHORIZATION)?;
        let token = single(fields, &X_AUTH_TOKEN)?;
        match (authorization, token) {
            (Some(_), Some(_)) => Err(CredentialError::Ambiguous),
            (Some(value), None) => Self::from_authorization(value, accepted),
            (None, Some(_)) if !accepted.x_auth_token => Err(CredentialError::Unsupported),
            (None, Some(value)) => match value.to_str() {
                Ok(token) if !token.is_empty() => Ok(Self::TokenHeader(token)),
                _ => Err(CredentialError::Malformed),
            },
            (None, None) if accepted.anonymous => Ok(Self::Anonymous),
            (None, None) => Err(CredentialError::Missing),
        }
    }

    fn from_authorization(
        value: &'a HeaderValue,
        accepted: Accepted,
    ) -> Result<Self, CredentialError> {
        let value = value.to_str().map_err(|_| CredentialError::Malformed)?;
        let (scheme, parameter) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("bearer") && accepted.bearer {
            let is_token = !parameter.is_empty() && is_token68(parameter);
            return if is_token {
                Ok(Self::Bearer(parameter))
            } else {
                Err(CredentialError::Malformed)
            };
        }
        if scheme.eq_ignore_ascii_case("basic") && accepted.basic {
            return Basic::parse(parameter).map(Self::Basic);
        }
        Err(CredentialError::Unsupported)
    }

    /// The kind as logs name it.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Basic(_) => "basic",
            Self::Bearer(_) => "bearer",
            Self::TokenHeader(_) => "x-auth-token",
        }
    }
}

fn single<'a>(
    fields: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, CredentialError> {
    let mut values = fields.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(CredentialError::Ambiguous) } else { Ok(first) }
}

/// RFC 9110 §11.2 `token68`. Without a branch for each byte, so that many are looked at at once:
/// tokens are long.
#[expect(clippy::needless_bitwise_bool, reason = "lazy operators are branches")]
fn is_token68(text: &str) -> bool {
    let is_one = |byte: u8| {
        let letter = byte | 0x20;
        letter.is_ascii_lowercase()
            | (b'-'..=b'9').contains(&byte) // - . / and digits
            | (byte == b'_')
            | (byte == b'~')
            | (byte == b'+')
            | (byte == b'=')
    };
    text.bytes().fold(true, |all, byte| all & is_one(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Accepted =
        Accepted { anonymous: false, basic: true, bearer: true, x_auth_token: true };

    fn fields(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        let mut fields = HeaderMap::new();
        for (name, value) in pairs {
            fields.append(name, value);
        }
        fields
    }

    fn error(pairs: &[(&'static str, &str)], accepted: Accepted) -> CredentialError {
        Credential::extract(&fields(pairs), accepted).unwrap_err()
    }

    #[test]
    fn each_kind_is_taken_from_its_place_whatever_the_case_of_its_scheme() {
        for (pairs, label) in [
            ([("authorization", "Bearer abc.def.ghi")], "bearer"),
            ([("authorization", "bEARER abc")], "bearer"),
            ([("authorization", "basic YWxpY2U6eA==")], "basic"),
            ([("x-auth-token", "abc")], "x-auth-token"),
        ] {
            assert_eq!(Credential::extract(&fields(&pairs), ALL).unwrap().label(), label);
        }
    }

    #[test]
    fn the_characters_of_a_token_are_those_of_rfc_9110() {
        for byte in 0..=127_u8 {
            let text = char::from(byte).to_string();
            let expected = byte.is_ascii_alphanumeric() || "-._~+/=".contains(&text);
            assert_eq!(is_token68(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn two_credentials_are_refused_whatever_their_kinds() {
        let bearer = ("authorization", "Bearer abc");
        let token = ("x-auth-token", "abc");
        assert_eq!(error(&[bearer, bearer], ALL), CredentialError::Ambiguous);
        assert_eq!(error(&[token, token], ALL), CredentialError::Ambiguous);
        assert_eq!(error(&[bearer, token], ALL), CredentialError::Ambiguous);
        let no_token = Accepted { x_auth_token: false, ..ALL };
        assert_eq!(error(&[bearer, token], no_token), CredentialError::Ambiguous);
    }

    #[test]
    fn what_cannot_be_read_or_is_not_accepted_never_becomes_anonymous() {
        let accepted = Accepted { anonymous: true, basic: false, ..ALL };
        for (value, expected) in [
            ("Basic YWxpY2U6eA==", CredentialError::Unsupported),
            ("Digest x", CredentialError::Unsupported),
            ("Bearer", CredentialError::Malformed),
            ("Bearer  abc", CredentialError::Malformed),
            ("Bearer a b", CredentialError::Malformed),
            ("", CredentialError::Unsupported),
        ] {
            assert_eq!(error(&[("authorization", value)], accepted), expected, "{value:?}");
        }
        assert_eq!(error(&[("x-auth-token", "")], accepted), CredentialError::Malformed);
        assert_eq!(error(&[], ALL), CredentialError::Missing);
    }

    #[test]
    fn a_route_for_anybody_judges_nothing() {
        let accepted = Accepted { anonymous: true, ..Accepted::default() };
        let fields = fields(&[("authorization", "Digest x")]);
        assert!(matches!(Credential::extract(&fields, accepted), Ok(Credential::Anonymous)));
    }
}
