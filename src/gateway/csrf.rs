//! Requests that another site made a browser send, with the cookie of its user's session.
//!
//! A cookie proves who the browser's user is, not that they meant the request. What changes
//! something, or opens a connection, must therefore come from a page of the same origin: by
//! `Sec-Fetch-Site`, which scripts cannot set, or, from browsers that do not send it, by `Origin`.
//! One of them must be there.

use http::request::Parts;
use http::{HeaderMap, HeaderName, header};

use super::incoming::wants_websocket;
use crate::resource::CanonicalHost;

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request with a session may be believed to be meant.
pub(super) fn is_meant(parts: &Parts, host: &CanonicalHost<'_>, is_secure: bool) -> bool {
    let is_harmless = parts.method.is_safe() && !wants_websocket(parts);
    is_harmless || is_from_here(&parts.headers, host, is_secure)
}

fn is_from_here(fields: &HeaderMap, host: &CanonicalHost<'_>, is_secure: bool) -> bool {
    if fields.contains_key(&SEC_FETCH_SITE) {
        return matches!(only(fields, &SEC_FETCH_SITE), Some("same-origin" | "none"));
    }
    let Some(origin) = only(fields, &header::ORIGIN) else { return false };
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let origin_secure = match scheme {
        "https" => true,
        "http" => false,
        _ => return false,
    };
    let Ok(authority) = CanonicalHost::parse(authority) else { return false };
    origin_secure == is_secure && authority.is_same_origin(origin_secure, host, is_secure)
}

/// The value of a field that may stand once; `None`: it does not, or is no text.
fn only<'f>(fields: &'f HeaderMap, name: &HeaderName) -> Option<&'f str> {
    let mut values = fields.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_meant(method: &str, fields: &[(&str, &str)], is_secure: bool) -> bool {
        let mut request = http::Request::builder().method(method).uri("/x");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        super::is_meant(&parts, &CanonicalHost::parse("files.test").unwrap(), is_secure)
    }

    #[test]
    fn what_only_reads_needs_no_proof() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert!(is_meant(method, &[("sec-fetch-site", "cross-site")], true), "{method}");
        }
        let upgrade = ("upgrade", "websocket");
        let connection = ("connection", "upgrade");
        assert!(!is_meant("GET", &[upgrade, connection], true));
        assert!(!is_meant("GET", &[upgrade, connection, ("origin", "https://evil.test")], true));
        assert!(is_meant("GET", &[upgrade, connection, ("origin", "https://files.test")], true));
    }

    #[test]
    fn what_changes_something_comes_from_the_same_origin() {
        for (fields, meant) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://files.test")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")], false),
            (&[("origin", "https://files.test")], true),
            (&[("origin", "https://FILES.test:443")], true),
            (&[("origin", "https://files.test:8443")], false),
            (&[("origin", "http://files.test")], false),
            (&[("origin", "https://files.test.evil.test")], false),
            (&[("origin", "https://evil.test")], false),
            (&[("origin", "null")], false),
            (&[("origin", "files.test")], false),
            (&[("origin", "ftp://files.test")], false),
            (&[("origin", "https://files.test"), ("origin", "https://files.test")], false),
        ] {
            assert_eq!(is_meant("POST", fields, true), meant, "{fields:?}");
        }
        assert!(is_meant("DELETE", &[("origin", "http://files.test")], false));
        assert!(!is_meant("PROPFIND", &[], true));
    }
}
