//! Whether a browser was made to send a request by another site.

use http::header::{HeaderMap, HeaderName, HeaderValue, ORIGIN};

use crate::service::Call;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether what the browser says of the sender is another site: `Sec-Fetch-Site` (Fetch
/// Metadata) and `Origin` (RFC 6454 §7), each of which must hold where it is present. A client
/// that sends neither is no browser of these years; a token in the form is its other proof.
#[must_use]
pub(crate) fn is_foreign(call: &Call, headers: &HeaderMap) -> bool {
    is_foreign_to(&call.origin(), &call.profile.origins, headers)
}

/// Whether a browser says that another site led it here; for requests that send nothing.
#[must_use]
pub(crate) fn is_led_by_others(headers: &HeaderMap) -> bool {
    !headers.get_all(SEC_FETCH_SITE).iter().all(|site| site == "same-origin" || site == "none")
}

fn is_foreign_to(own: &str, others: &[Box<str>], headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next().map(HeaderValue::to_str), origins.next()) {
        (None, _) => is_led_by_others(headers),
        (Some(Ok(origin)), None) if origin.eq_ignore_ascii_case(own) => is_led_by_others(headers),
        // A listed origin is another site to the browser, which says so in the other field.
        (Some(Ok(origin)), None) => !others.iter().any(|other| origin.eq_ignore_ascii_case(other)),
        (Some(_), _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        is_foreign_to("https://files.test:8443", &["https://ui.test".into()], &headers)
    }

    #[test]
    fn a_page_of_the_same_origin_may_send() {
        for pairs in [
            &[][..],
            &[("origin", "https://files.test:8443")],
            &[("origin", "https://FILES.test:8443"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://ui.test"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(!foreign(pairs), "{pairs:?}");
        }
    }

    #[test]
    fn no_other_site_may() {
        for pairs in [
            &[("origin", "https://evil.test")][..],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "http://files.test:8443")],
            &[("origin", "https://files.test")],
            &[("origin", "https://files.test:8443.evil.test")],
            &[("origin", "https://files.test:8443"), ("origin", "https://evil.test")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.test"), ("sec-fetch-site", "same-origin")],
            &[("origin", "https://files.test:8443"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://files.test:8443"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(foreign(pairs), "{pairs:?}");
        }
    }
}
