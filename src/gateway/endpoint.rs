//! Requests to the gateway's own endpoints: handed over whole, answered elsewhere.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming as RequestBody;

use super::connection::Connection;
use super::incoming::Incoming;
use super::journal::Journal;
use super::reason;
use super::rejection::Rejection;
use super::response::Body;
use crate::endpoint::MAX_BODY;
use crate::forward::fields::Trust;
use crate::resource::{CanonicalPath, Dialect};
use crate::service::{Call, Outcome};
use crate::telemetry::access_log::Verdict;
use crate::worker::{View, Worker};

/// What of a request is handed over.
#[derive(Debug)]
pub(super) struct Request<'r> {
    /// Host and query.
    pub(super) incoming: &'r Incoming<'r>,
    /// The path.
    pub(super) path: &'r CanonicalPath<'r>,
    /// The body.
    pub(super) body: RequestBody,
}

/// Reads the body of a request to an endpoint, and has it answered.
///
/// # Errors
///
/// The [`Rejection`] to answer with; the endpoint itself never refuses so.
pub(super) async fn answer(
    worker: &Worker,
    connection: &Connection,
    view: &View,
    index: usize,
    request: Request<'_>,
    journal: &mut Journal,
) -> Result<Response<Body>, Rejection> {
    let Request { incoming, path, body } = request;
    let snapshot = &view.snapshot;
    journal.endpoint = Some(index);
    path.admit(Dialect::Posix)?;
    let query = incoming.query()?;
    let desk = worker.desk.as_ref().ok_or(Rejection::NoRoute)?;
    let profile = snapshot.profiles.get(index).ok_or(Rejection::NoRoute)?;
    let parts = Rc::clone(&journal.parts);
    let call = Call {
        snapshot: Arc::clone(snapshot),
        profile: Arc::clone(profile),
        client: connection.client(&parts.headers, &snapshot.trusted_proxies),
        peer: connection.peer.ip(),
        is_secure: is_secure(connection, &parts.headers, view),
        authority: incoming.host.to_string().into(),
        service: Arc::clone(desk.service()),
    };
    let patience = snapshot.listeners.get(connection.listener_index);
    let patience = patience.map(|listener| listener.limits).unwrap_or_default().body_idle_timeout;
    let body = tokio::time::timeout(patience, read(body)).await;
    let body = body.map_err(|_| Rejection::ClientTimeout)??;
    journal.received = Some(Rc::new(Cell::new(body.len() as u64)));
    let target = match query.as_str() {
        Some(query) => format!("{}?{query}", path.as_str()),
        None => path.as_str().to_owned(),
    };
    let mut request = http::Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = target.parse().map_err(|_| Rejection::TargetForm)?;
    *request.headers_mut() = parts.headers.clone();
    let answer = desk.answer(call, request).await.map_err(|_| Rejection::Overloaded)?;
    Ok(respond(answer, journal))
}

/// All of a body, within the bound.
async fn read(body: RequestBody) -> Result<Bytes, Rejection> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Rejection::BodyTooLarge),
        Err(_) => Err(Rejection::ClientBody),
    }
}

fn respond(answer: Response<Bytes>, journal: &mut Journal) -> Response<Body> {
    let (mut parts, body) = answer.into_parts();
    let is_refused = parts.status.is_client_error() || parts.status.is_server_error();
    journal.status = parts.status.as_u16();
    journal.verdict = if is_refused { Verdict::Deny } else { Verdict::Allow };
    journal.reason = if is_refused { reason::ENDPOINT_REFUSED } else { reason::ENDPOINT };
    if let Some(outcome) = parts.extensions.remove::<Outcome>() {
        journal.claimed = outcome.user;
        journal.reason = outcome.reason.unwrap_or(journal.reason);
    }
    if journal.parts.method != Method::HEAD && parts.status != StatusCode::NO_CONTENT {
        journal.sent = body.len() as u64;
    }
    Response::from_parts(parts, Body::Full(body))
}

/// Whether the client itself came by TLS: to us, or to a proxy before us that says so.
pub(super) fn is_secure(connection: &Connection, fields: &HeaderMap, view: &View) -> bool {
    if connection.is_tls || connection.trust(&view.snapshot.trusted_proxies) == Trust::Client {
        return connection.is_tls;
    }
    let mut schemes = fields.get_all("x-forwarded-proto").iter();
    let is_https = schemes.next().is_some_and(|scheme| scheme.as_bytes() == b"https");
    is_https && schemes.next().is_none()
}
