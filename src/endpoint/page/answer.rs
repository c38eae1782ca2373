//! Answers for browsers: whole pages, redirects, and the fields that keep pages to themselves.

use askama::Template;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

use crate::service::{Call, Outcome};

const COOP: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// An answer that ends a request early: a refusal, or a redirect to the login page.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Response>);

impl From<Response> for Refusal {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// What stands around every page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The host, as the browser shows it.
    pub(crate) site: Box<str>,
    /// Vouches for the style sheet in the page (CSP).
    pub(crate) nonce: String,
    /// What stands in front of the paths of the endpoint.
    pub(crate) prefix: Box<str>,
}

impl Frame {
    /// That of one answer. Without randomness the page has no style, and is as safe as before.
    #[must_use]
    pub(crate) fn of(call: &Call) -> Self {
        let mut nonce = [0; 16];
        let nonce = match aws_lc_rs::rand::fill(&mut nonce) {
            Ok(()) => BASE64URL_NOPAD.encode(&nonce),
            Err(_) => String::new(),
        };
        Self { site: call.authority.clone(), nonce, prefix: call.profile.prefix.clone() }
    }
}

/// A page that has a [`Frame`].
pub(crate) trait Page: Template {
    /// Its frame.
    fn frame(&self) -> &Frame;
}

/// Answers with a page.
#[must_use]
pub(crate) fn page(status: StatusCode, page: &impl Page) -> Response {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    protect(headers, &page.frame().nonce);
    response
}

fn protect(headers: &mut HeaderMap, nonce: &str) {
    let style = match nonce {
        "" => "'none'".to_owned(),
        nonce => format!("'nonce-{nonce}'"),
    };
    let policy = format!(
        "default-src 'none'; style-src {style}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (COOP, "same-origin"),
        (CORP, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Sends the browser on with GET, to a place that we made or [`super::onward`] has read.
#[must_use]
pub(crate) fn see(status: StatusCode, place: &str) -> Response {
    let Ok(place) = HeaderValue::try_from(place) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = status.into_response();
    response.headers_mut().insert(header::LOCATION, place);
    protect(response.headers_mut(), "");
    response
}

/// Adds a cookie to an answer.
#[must_use]
pub(crate) fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Tells the log whom an answer is about, and why it is a refusal, if it is one of its own kind.
#[must_use]
pub(crate) fn told(
    mut response: Response,
    user: Option<&str>,
    reason: Option<&'static str>,
) -> Response {
    response.extensions_mut().insert(Outcome { user: user.map(Into::into), reason });
    response
}

/// Says for how many seconds to wait.
#[must_use]
pub(crate) fn after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A page with one message.
#[derive(Debug, Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    /// What stands around.
    pub(crate) frame: Frame,
    /// Its heading.
    pub(crate) title: &'a str,
    /// What there is to say.
    pub(crate) text: &'a str,
    /// Where to go from here, and what that is called.
    pub(crate) onward: Option<(&'a str, &'a str)>,
}

impl Page for Message<'_> {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// Answers with one message.
#[must_use]
pub(crate) fn message(call: &Call, status: StatusCode, title: &str, text: &str) -> Response {
    page(status, &Message { frame: Frame::of(call), title, text, onward: None })
}

/// As [`message`], with a link.
#[must_use]
pub(crate) fn message_with(
    call: &Call,
    status: StatusCode,
    (title, text): (&str, &str),
    onward: (&str, &str),
) -> Response {
    page(status, &Message { frame: Frame::of(call), title, text, onward: Some(onward) })
}
