//! What a client presents to prove who it is, not yet verified.
//!
//! Exactly one credential is taken from a request. Two of them, of one kind or of several,
//! are refused: an upstream, a log and a cache could each choose a different one.
//!
//! A browser's session is the one exception, since browsers add its cookie to whatever a page
//! sends: beside a credential in a header it is not looked at, nor on a route that takes no
//! sessions. It never stands in for a header that is wrong.

mod basic;

use http::{HeaderMap, HeaderName, HeaderValue, header};

pub use self::basic::Basic;
use crate::session::cookie::CookieName;

/// The header in which some clients send a bare token.
pub static X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The header in which some clients send an API key. It counts only where a route takes API keys:
/// elsewhere it may be a key of the upstream's own.
pub static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The kinds of credentials that a route takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent switches")]
pub struct Accepted {
    /// No credential at all.
    pub anonymous: bool,
    /// `Authorization: ApiKey` and `X-Api-Key`; with `basic` also in the place of a password.
    pub api_key: bool,
    /// `Authorization: Basic` (RFC 7617).
    pub basic: bool,
    /// `Authorization: Bearer` (RFC 6750).
    pub bearer: bool,
    /// The cookie of a browser's session.
    pub session: bool,
    /// `X-Auth-Token`.
    pub x_auth_token: bool,
}

/// One credential.
#[derive(Debug)]
pub enum Credential<'a> {
    /// None was presented, and none is needed.
    Anonymous,
    /// An API key.
    ApiKey {
        /// Whose it is said to be, where that is said.
        user: Option<&'a str>,
        /// The key.
        key: &'a str,
    },
    /// A user name and a password, or a token in the password's place.
    Basic(Basic),
    /// A token.
    Bearer(&'a str),
    /// A browser's session, sealed.
    Session(&'a str),
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
    /// unless it accepts anonymous requests alone: then nothing is judged. `session` is the cookie
    /// that holds sessions on this connection, if any may.
    ///
    /// # Errors
    ///
    /// - [`CredentialError::Ambiguous`]: answer 400.
    /// - The others: answer 401 with a challenge.
    pub fn extract(
        fields: &'a HeaderMap,
        accepted: Accepted,
        session: Option<CookieName>,
    ) -> Result<Self, CredentialError> {
        if !accepted.judges() {
            return if accepted.anonymous {
                Ok(Self::Anonymous)
            } else {
                Err(CredentialError::Missing)
            };
        }
        let authorization = single(fields, &header::AUTHORIZATION)?;
        let token = single(fields, &X_AUTH_TOKEN)?;
        let key = if accepted.api_key { single(fields, &X_API_KEY)? } else { None };
        match (authorization, token, key) {
            (Some(value), None, None) => Self::from_authorization(value, accepted),
            (None, Some(_), None) if !accepted.x_auth_token => Err(CredentialError::Unsupported),
            (None, Some(value), None) => match value.to_str() {
                Ok(token) if !token.is_empty() => Ok(Self::TokenHeader(token)),
                _ => Err(CredentialError::Malformed),
            },
            (None, None, Some(value)) => {
                let key = text(value).filter(|key| !key.is_empty());
                let key = key.ok_or(CredentialError::Malformed)?;
                Ok(Self::ApiKey { user: None, key })
            }
            (None, None, None) => Self::from_cookie(fields, accepted, session),
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                Err(CredentialError::Ambiguous)
            }
        }
    }

    fn from_cookie(
        fields: &'a HeaderMap,
        accepted: Accepted,
        session: Option<CookieName>,
    ) -> Result<Self, CredentialError> {
        if let Some(name) = session.filter(|_| accepted.session) {
            let cookies = fields.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
            if let Some(sealed) = name.find(cookies).map_err(|_| CredentialError::Ambiguous)? {
                return Ok(Self::Session(sealed));
            }
        }
        if accepted.anonymous { Ok(Self::Anonymous) } else { Err(CredentialError::Missing) }
    }

    fn from_authorization(
        value: &'a HeaderValue,
        accepted: Accepted,
    ) -> Result<Self, CredentialError> {
        let value = text(value).ok_or(CredentialError::Malformed)?;
        let space = memchr::memchr(b' ', value.as_bytes());
        let (scheme, parameter) = match space.and_then(|at| value.split_at_checked(at)) {
            Some((scheme, rest)) => (scheme, rest.get(1..).unwrap_or_default()),
            None => (value, ""),
        };
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
        if scheme.eq_ignore_ascii_case("apikey") && accepted.api_key {
            let (user, key) = parameter.split_once(':').ok_or(CredentialError::Malformed)?;
            if user.is_empty() || key.is_empty() {
                return Err(CredentialError::Malformed);
            }
            return Ok(Self::ApiKey { user: Some(user), key });
        }
        Err(CredentialError::Unsupported)
    }

    /// The kind as logs name it.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::ApiKey { .. } => "api-key",
            Self::Basic(_) => "basic",
            Self::Bearer(_) => "bearer",
            Self::Session(_) => "session",
            Self::TokenHeader(_) => "x-auth-token",
        }
    }
}

impl Accepted {
    /// Whether anything that a request presents is looked at.
    fn judges(self) -> bool {
        self.api_key || self.basic || self.bearer || self.session || self.x_auth_token
    }
}

/// A value as text: UTF-8 without control characters.
fn text(value: &HeaderValue) -> Option<&str> {
    let bytes = value.as_bytes();
    if memchr::memchr(b'\t', bytes).is_some() {
        return None; // the only one that a value can hold
    }
    std::str::from_utf8(bytes).ok()
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

    const ALL: Accepted = Accepted {
        anonymous: false,
        api_key: true,
        basic: true,
        bearer: true,
        session: true,
        x_auth_token: true,
    };
    const COOKIE: Option<CookieName> = Some(CookieName::Session { secure: true });

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
        Credential::extract(&fields(pairs), accepted, COOKIE).unwrap_err()
    }

    #[test]
    fn each_kind_is_taken_from_its_place_whatever_the_case_of_its_scheme() {
        for (pairs, label) in [
            ([("authorization", "Bearer abc.def.ghi")], "bearer"),
            ([("authorization", "bEARER abc")], "bearer"),
            ([("authorization", "basic YWxpY2U6eA==")], "basic"),
            ([("x-auth-token", "abc")], "x-auth-token"),
            ([("authorization", "aPIkEY älice:dw_a_b")], "api-key"),
            ([("x-api-key", "dw_a_b")], "api-key"),
            ([("cookie", "a=b; __Host-doorward=abc")], "session"),
        ] {
            assert_eq!(Credential::extract(&fields(&pairs), ALL, COOKIE).unwrap().label(), label);
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
        let key = ("x-api-key", "dw_a_b");
        for others in [&[bearer, key][..], &[token, key], &[key, key], &[bearer, token, key]] {
            assert_eq!(error(others, ALL), CredentialError::Ambiguous, "{others:?}");
        }
        let session = ("cookie", "__Host-doorward=a");
        assert_eq!(error(&[session, session], ALL), CredentialError::Ambiguous);
    }

    #[test]
    fn a_key_of_the_upstreams_own_is_none_of_our_business() {
        let accepted = Accepted { api_key: false, ..ALL };
        let fields = fields(&[("x-api-key", "theirs"), ("authorization", "Bearer abc")]);
        let credential = Credential::extract(&fields, accepted, COOKIE).unwrap();
        assert_eq!(credential.label(), "bearer");
        assert_eq!(
            error(&[("authorization", "ApiKey alice:dw_a_b")], accepted),
            CredentialError::Unsupported
        );
    }

    #[test]
    fn a_session_is_looked_at_only_where_it_is_taken_and_nothing_else_is_there() {
        let cookie = ("cookie", "__Host-doorward=abc");
        let bearer = ("authorization", "Bearer abc");
        let extract = |pairs: &[(&'static str, &str)], accepted, name| {
            let fields = fields(pairs);
            Credential::extract(&fields, accepted, name).map(|credential| credential.label())
        };

        assert_eq!(extract(&[cookie, bearer], ALL, COOKIE), Ok("bearer"));
        assert_eq!(extract(&[cookie, cookie, bearer], ALL, COOKIE), Ok("bearer"));
        let wrong = ("authorization", "Digest x");
        assert_eq!(extract(&[cookie, wrong], ALL, COOKIE), Err(CredentialError::Unsupported));
        assert_eq!(extract(&[cookie], ALL, None), Err(CredentialError::Missing));
        let plain = Some(CookieName::Session { secure: false });
        assert_eq!(extract(&[cookie], ALL, plain), Err(CredentialError::Missing));
        let no_session = Accepted { session: false, ..ALL };
        assert_eq!(extract(&[cookie, cookie], no_session, COOKIE), Err(CredentialError::Missing));
        let anybody = Accepted { anonymous: true, ..ALL };
        assert_eq!(extract(&[cookie], anybody, COOKIE), Ok("session"));
        assert_eq!(extract(&[("cookie", "__Host-doorward=")], anybody, COOKIE), Ok("session"));
        assert_eq!(extract(&[("cookie", "a=b")], anybody, COOKIE), Ok("anonymous"));
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
            ("ApiKey", CredentialError::Malformed),
            ("ApiKey dw_a_b", CredentialError::Malformed),
            ("ApiKey :dw_a_b", CredentialError::Malformed),
            ("ApiKey alice:", CredentialError::Malformed),
            ("ApiKey alice:dw_a\tb", CredentialError::Malformed),
        ] {
            assert_eq!(error(&[("authorization", value)], accepted), expected, "{value:?}");
        }
        assert_eq!(error(&[("x-auth-token", "")], accepted), CredentialError::Malformed);
        assert_eq!(error(&[("x-api-key", "")], accepted), CredentialError::Malformed);
        assert_eq!(error(&[], ALL), CredentialError::Missing);
    }

    #[test]
    fn a_route_for_anybody_judges_nothing() {
        let accepted = Accepted { anonymous: true, ..Accepted::default() };
        let fields = fields(&[("authorization", "Digest x")]);
        assert!(matches!(Credential::extract(&fields, accepted, None), Ok(Credential::Anonymous)));
    }
}
