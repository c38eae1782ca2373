//! The fields of a question: which are the original request's own, which must not be among them,
//! and which are told in the answer.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{AskError, Names, SCHEME};
use crate::route::IdentityFields;

/// Fields by which an upstream may take a request for another than the one that was judged.
const OVERRIDES: [&str; 6] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-middleware-subrequest",
    "x-original-url",
    "x-rewrite-url",
];

/// The fields of the original request: those of the question without what the proxy added, and
/// with the host that was asked for.
pub(super) fn original(fields: &HeaderMap, host: &HeaderValue, added: [Names; 2]) -> HeaderMap {
    let mut fields = fields.clone();
    for names in added {
        for name in [names.method, names.uri, names.host] {
            fields.remove(name);
        }
    }
    fields.remove(SCHEME);
    fields.insert(header::HOST, host.clone());
    fields
}

/// Who it is, in the route's family of fields. Those that have nothing to tell are told empty:
/// a proxy that takes over what is in the answer then overwrites what a client sent.
#[must_use]
pub fn told(family: IdentityFields, lines: &[u8]) -> HeaderMap {
    let mut told = HeaderMap::new();
    for name in family.names() {
        told.insert(HeaderName::from_static(name), HeaderValue::from_static(""));
    }
    for line in lines.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b": ").unwrap_or_default();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            told.insert(name, value);
        }
    }
    told
}

/// Refuses a request with a field that tells an upstream who it is, unless the answer tells
/// otherwise under that very name, and one with a field that makes another request of it.
///
/// # Errors
///
/// [`AskError::ForgedField`].
pub fn forged(original: &HeaderMap, told: &HeaderMap) -> Result<(), AskError> {
    let is_told = |name: &HeaderName| told.get(name).is_some_and(|value| !value.is_empty());
    let is_forged = |name: &HeaderName| {
        let folded = folded(name.as_str());
        let mut ours = IdentityFields::ALL.into_iter().flat_map(IdentityFields::names);
        OVERRIDES.contains(&&*folded) || (ours.any(|ours| **ours == *folded) && !is_told(name))
    };
    if original.keys().any(is_forged) { Err(AskError::ForgedField) } else { Ok(()) }
}

/// The name as an upstream may read it: a CGI or WSGI application does not tell `_` from `-`.
fn folded(name: &str) -> String {
    let fold = |byte: char| if byte.is_ascii_alphanumeric() { byte } else { '-' };
    name.chars().map(fold).collect()
}
