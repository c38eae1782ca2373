//! How answers are written, and what a refusal says.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use utoipa::ToSchema;

const JSON: &str = "application/json";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// Why a request is not answered.
#[derive(Serialize, ToSchema)]
pub(super) struct Refused {
    /// Why.
    pub(super) error: Cow<'static, str>,
}

/// The refusals of whatever is asked, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "tells what `Refusal` answers")]
pub(super) enum Refusals {
    /// A web page may not ask, or what changes something is not asked for on this machine
    #[response(status = 403)]
    Forbidden(#[to_schema] Refused),
    /// The Host is another's
    #[response(status = 421)]
    ForeignHost(#[to_schema] Refused),
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_vec(body) {
        Ok(mut body) => {
            body.push(b'\n');
            text(status, JSON, body)
        }
        Err(error) => {
            tracing::error!(error = %error, "Could not write an admin response");
            text(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the response could not be written\n")
        }
    }
}

pub(super) fn text(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    guard(&mut response);
    response
}

/// Nothing that is answered here is kept, or taken for anything else.
pub(super) fn guard(response: &mut Response<Full<Bytes>>) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
