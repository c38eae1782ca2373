//! Whither a browser goes that asks for a page and is nobody yet: to the login page of the same
//! host, and back. Nobody else is ever sent anywhere.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::incoming::Incoming;
use super::journal::Journal;
use super::rejection::Rejection;
use super::response::Body;
use crate::credential::CredentialError;
use crate::resource::CanonicalPath;
use crate::route::Route;
use crate::route::endpoint::Dialect;
use crate::worker::View;

/// A longer target is not come back to.
const MAX_TARGET: usize = 2048;

/// All that a value within a query need not hold as it is.
const VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The answer instead of a refusal, if the refused is a browser that a login would help.
pub(super) fn redirect(
    view: &View,
    route: Option<&Route>,
    rejection: Rejection,
    journal: &Journal,
) -> Option<Response<Body>> {
    let lacks_login = matches!(
        rejection,
        Rejection::Credential(CredentialError::Missing) | Rejection::Session(_)
    );
    if !lacks_login || journal.proxy.is_some() || !route?.has_login_page {
        return None;
    }
    let Parts { method, headers, .. } = &*journal.parts;
    if method != Method::GET || !wants_html(headers) {
        return None;
    }
    let mut response = Response::new(Body::Full(bytes::Bytes::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    let fields = response.headers_mut();
    fields.insert(header::LOCATION, location(view, journal)?);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

/// The path of the login page that answers for this host on this listener, and whither it leads
/// then. `None`: there is none.
fn location(view: &View, journal: &Journal) -> Option<HeaderValue> {
    let snapshot = &view.snapshot;
    let listener = journal.connection().listener_index;
    let incoming =
        Incoming::read(&journal.parts, &snapshot.listeners.get(listener)?.limits).ok()?;
    let page = [Dialect::Page, Dialect::Clustercockpit].into_iter().find_map(|dialect| {
        let mounts = snapshot.mounts.all().iter().enumerate();
        mounts.filter(|(_, mount)| mount.dialect == dialect).find_map(|(index, mount)| {
            let page = format!("{}/login", mount.prefix.as_str());
            let path = CanonicalPath::parse(&page).ok()?;
            let answers = snapshot.mounts.find(listener, &incoming.host, &path) == Some(index);
            answers.then(|| page.clone())
        })
    })?;
    let path = CanonicalPath::parse(incoming.path).ok()?;
    let query = incoming.query().ok()?;
    let mut target = path.as_str().to_owned();
    if let Some(query) = query.as_str() {
        target.push('?');
        target.push_str(query);
    }
    // `//host` is another host to a browser.
    let is_own = target.starts_with('/') && !target.starts_with("//") && target.len() <= MAX_TARGET;
    let location = if is_own && target != "/" {
        format!("{page}?next={}", utf8_percent_encode(&target, VALUE))
    } else {
        page
    };
    HeaderValue::try_from(location).ok()
}

/// Whether `Accept` names HTML (RFC 9110 §12.5.1). `*/*` does not: programs send that.
fn wants_html(fields: &HeaderMap) -> bool {
    let values = fields.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let names_html = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
        names_html && !parts.any(is_zero_weight)
    })
}

fn is_zero_weight(parameter: &str) -> bool {
    let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    weight.is_some_and(|weight| !weight.bytes().any(|byte| (b'1'..=b'9').contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_by_its_naming_html() {
        for (accept, expected) in [
            ("text/html", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, TEXT/HTML;q=0.5", true),
            ("text/html;level=1", true),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
            ("text/html;q=0", false),
            ("text/html; q=0.000, */*", false),
            ("text/htmlx", false),
            ("", false),
        ] {
            let mut fields = HeaderMap::new();
            fields.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(wants_html(&fields), expected, "{accept}");
        }
        assert!(!wants_html(&HeaderMap::new()));
    }
}
