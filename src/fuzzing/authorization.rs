//! The credential of a request: exactly what one header says, of a kind that the route takes, and
//! never anonymous where something was presented.
//!
//! An input is the lines of header fields. It is asked of every set of kinds that a route can take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::credential::{Accepted, Basic, Credential, CredentialError, X_API_KEY, X_AUTH_TOKEN};
use crate::session::cookie::CookieName;

pub(super) fn ask(input: &[u8]) {
    let mut fields = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n').take(16) {
        let Some((name, value)) = memchr::memchr(b':', line).map(|at| line.split_at(at)) else {
            continue;
        };
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let name = HeaderName::from_bytes(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            fields.append(name, value);
        }
    }
    for kinds in 0..64_u8 {
        let has = |bit: u8| kinds & (1 << bit) != 0;
        let accepted = Accepted {
            anonymous: has(0),
            api_key: has(1),
            basic: has(2),
            bearer: has(3),
            session: has(4),
            x_auth_token: has(5),
        };
        for cookie in [None, Some(CookieName::Session { secure: true })] {
            ask_one(&fields, accepted, cookie);
        }
    }
}

fn ask_one(fields: &HeaderMap, accepted: Accepted, cookie: Option<CookieName>) {
    let credential = Credential::extract(fields, accepted, cookie);
    let count = |name: &HeaderName| fields.get_all(name).iter().count();
    let keys = if accepted.api_key { count(&X_API_KEY) } else { 0 };
    let presented = count(&header::AUTHORIZATION) + count(&X_AUTH_TOKEN) + keys;
    let Accepted { anonymous, api_key, basic, bearer, session, x_auth_token } = accepted;
    if !(api_key || basic || bearer || session || x_auth_token) {
        let expected = if anonymous { "anonymous" } else { "missing" };
        let found = credential.as_ref().map_or("missing", Credential::label);
        assert_eq!(found, expected, "a route that looks at nothing");
        return;
    }
    if presented > 1 {
        assert_eq!(credential.err(), Some(CredentialError::Ambiguous), "{fields:?}");
        return;
    }
    let value = [&header::AUTHORIZATION, &X_AUTH_TOKEN, &X_API_KEY].into_iter().find_map(|name| {
        fields.get(name).filter(|_| presented == 1 && (*name != X_API_KEY || api_key))
    });
    let value = value.map_or(&b""[..], HeaderValue::as_bytes);
    match credential {
        Err(error) => assert!(
            error != CredentialError::Missing || (presented == 0 && !anonymous),
            "{error} of {fields:?}"
        ),
        Ok(Credential::Anonymous) => {
            assert!(anonymous && presented == 0, "{fields:?}");
            if let Some(name) = cookie.filter(|_| session) {
                let cookies = fields.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
                assert_eq!(name.find(cookies), Ok(None));
            }
        }
        Ok(Credential::Session(sealed)) => {
            assert!(session && presented == 0 && cookie.is_some());
            let is_there = fields.get_all(header::COOKIE).iter().any(|value| {
                sealed.is_empty()
                    || memchr::memmem::find(value.as_bytes(), sealed.as_bytes()).is_some()
            });
            assert!(is_there, "{sealed}");
        }
        Ok(Credential::Bearer(token)) => {
            assert!(bearer && !token.is_empty());
            ask_scheme(value, b"bearer", token.as_bytes());
            assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{token}");
        }
        Ok(Credential::TokenHeader(token)) => {
            assert!(x_auth_token && !token.is_empty() && value == token.as_bytes());
        }
        Ok(Credential::ApiKey { user: None, key }) => {
            assert!(api_key && !key.is_empty() && value == key.as_bytes());
        }
        Ok(Credential::ApiKey { user: Some(user), key }) => {
            assert!(api_key && !key.is_empty() && !user.is_empty() && !user.contains(':'));
            ask_scheme(value, b"apikey", format!("{user}:{key}").as_bytes());
        }
        Ok(Credential::Basic(read)) => {
            assert!(basic);
            ask_basic(value, &read);
        }
    }
}

fn ask_scheme(value: &[u8], scheme: &[u8], parameter: &[u8]) {
    let (written, rest) = value.split_at_checked(scheme.len()).unwrap_or_default();
    assert!(written.eq_ignore_ascii_case(scheme));
    assert_eq!(rest.split_first(), Some((&b' ', parameter)));
}

/// There is one spelling of a name and a password, and it is the one that was sent.
fn ask_basic(value: &[u8], read: &Basic) {
    let text = [read.user.as_str(), ":", &read.password].concat();
    ask_scheme(value, b"basic", STANDARD.encode(&text).as_bytes());
    assert!(!read.user.is_empty() && !read.user.contains(':'));
    assert!(!text.contains(char::is_control));
    assert!(!(read.holds_key() && read.holds_token()), "a key that is a token");
}
