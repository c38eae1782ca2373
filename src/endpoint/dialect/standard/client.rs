//! Client authentication (RFC 6749 §2.3.1): an API key, by Basic or in the form; or none.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

use super::form::{self, Form};
use super::refusal::Refusal;
use crate::credential::Basic;

/// How a client says who it is.
#[derive(Debug)]
pub(super) enum Client {
    /// It has no secret; what it calls itself proves nothing.
    Public,
    /// It has an API key.
    Key(Presented),
}

/// An API key as a client presents it.
pub(super) struct Presented {
    /// What it calls itself: the key's id, or its owner.
    pub(super) id: String,
    /// The key.
    pub(super) secret: Zeroizing<String>,
    /// Whether it came in `Authorization`.
    pub(super) basic: bool,
}

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Client {
    /// Takes what a client presents. A secret in both places, or two names, are refused; an empty
    /// secret is none (a public client that knows only Basic).
    pub(super) fn of(fields: &HeaderMap, form: &Form) -> Result<Self, Refusal> {
        let (id, secret) = (form.get("client_id"), form.get("client_secret"));
        let mut headers = fields.get_all(AUTHORIZATION).iter();
        let header = headers.next();
        if headers.next().is_some() {
            return Err(Refusal::InvalidRequest("more than one Authorization header"));
        }
        let Some(header) = header else {
            return match (id, secret) {
                (_, None) => Ok(Self::Public),
                (None, Some(_)) => Err(Refusal::InvalidRequest("client_secret without client_id")),
                (Some(id), Some(secret)) => Ok(Self::Key(Presented {
                    id: id.to_owned(),
                    secret: Zeroizing::new(secret.to_owned()),
                    basic: false,
                })),
            };
        };
        if secret.is_some() {
            return Err(Refusal::InvalidRequest("the client authenticates twice"));
        }
        let refused = Refusal::InvalidClient { basic: true };
        let Some(basic) = header.to_str().ok().and_then(from_header) else { return Err(refused) };
        if id.is_some_and(|id| *id != basic.id) {
            return Err(Refusal::InvalidRequest("the client has two names"));
        }
        if basic.secret.is_empty() { Ok(Self::Public) } else { Ok(Self::Key(basic)) }
    }

    /// Refuses a client that authenticates where only its user does.
    pub(super) fn require_public(&self) -> Result<(), Refusal> {
        match self {
            Self::Public => Ok(()),
            Self::Key(_) => Err(Refusal::UnauthorizedClient),
        }
    }
}

/// Reads `Basic`, whose two parts are encoded as in a form.
fn from_header(header: &str) -> Option<Presented> {
    let (scheme, parameter) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let basic = Basic::parse(parameter).ok()?;
    let id = form::decode(basic.user.as_bytes())?;
    let secret = form::decode(basic.password.as_bytes())?;
    Some(Presented { id: id.to_string(), secret, basic: true })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    use super::*;

    fn client(authorization: Option<&str>, form: &str) -> Result<Client, Refusal> {
        let mut fields = HeaderMap::new();
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        fields.insert(CONTENT_TYPE, form_type);
        let form = Form::parse(&fields, form.as_bytes())?;
        if let Some(value) = authorization {
            fields.insert(AUTHORIZATION, value.parse().unwrap());
        }
        Client::of(&fields, &form)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    fn key(authorization: Option<&str>, form: &str) -> (String, String) {
        match client(authorization, form).unwrap() {
            Client::Key(key) => (key.id, key.secret.to_string()),
            Client::Public => panic!("public"),
        }
    }

    #[test]
    fn a_secret_is_taken_from_either_place_and_decoded_there() {
        let expected = ("a:b".to_owned(), "s 1".to_owned());
        assert_eq!(key(Some(&basic("a%3Ab:s+1")), ""), expected);
        assert_eq!(key(Some(&basic("a%3Ab:s%201")), "client_id=a%3Ab"), expected);
        assert_eq!(key(None, "client_id=a%3Ab&client_secret=s+1"), expected);
    }

    #[test]
    fn a_client_without_a_secret_is_public() {
        for (authorization, form) in [
            (None, ""),
            (None, "client_id=x"),
            (Some(basic("x:")), ""),
            (Some(basic("x:")), "client_id=x"),
        ] {
            let client = client(authorization.as_deref(), form).unwrap();
            assert!(matches!(client, Client::Public), "{form}");
            assert_eq!(client.require_public(), Ok(()));
        }
        let presented = client(None, "client_id=x&client_secret=s3cr3t").unwrap();
        assert_eq!(presented.require_public(), Err(Refusal::UnauthorizedClient));
        assert!(!format!("{presented:?}").contains("s3cr3t"));
    }

    #[test]
    fn two_ways_at_once_are_refused() {
        for (authorization, form) in [
            (Some(basic("a:b")), "client_id=a&client_secret=b"),
            (Some(basic("a:b")), "client_id=c"),
            (None, "client_secret=b"),
        ] {
            let refused = client(authorization.as_deref(), form).unwrap_err();
            assert!(matches!(refused, Refusal::InvalidRequest(_)), "{form}");
        }
        for authorization in
            ["Bearer x", "Basic", "Basic !", "Negotiate x", &basic("a"), &basic("a%zz:b")]
        {
            let refused = client(Some(authorization), "").unwrap_err();
            assert_eq!(refused, Refusal::InvalidClient { basic: true }, "{authorization}");
        }
    }
}
