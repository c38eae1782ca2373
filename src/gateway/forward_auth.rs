//! A proxy's question, answered as the request that it holds would be.

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderValue, Response, header};

use super::case::{Case, Held};
use super::connection::Connection;
use super::incoming::Incoming;
use super::journal::Journal;
use super::rejection::Rejection;
use super::response::Body;
use crate::endpoint::forward_auth::{
    AskError, Original, Proxy, check_target, forged, may_ask, told,
};
use crate::home::Content;
use crate::resource::CanonicalPath;
use crate::telemetry::access_log::Verdict;
use crate::worker::{View, Worker};

/// Decides on the request that the proxy holds. From here on the journal speaks of that one.
///
/// # Errors
///
/// The [`Rejection`] to answer with.
pub(super) async fn answer(
    worker: &Worker,
    connection: &Connection,
    view: &View,
    index: usize,
    path: &CanonicalPath<'_>,
    journal: &mut Journal,
) -> Result<Response<Body>, Rejection> {
    let snapshot = &view.snapshot;
    journal.endpoint = Some(index);
    let profile = snapshot.profiles.get(index).ok_or(Rejection::NoRoute)?;
    let below = path.as_str().strip_prefix(&*profile.prefix).ok_or(Rejection::NoRoute)?;
    let proxy = Proxy::of(below).ok_or(Rejection::NoRoute)?;
    journal.proxy = Some(proxy);
    if !may_ask(&profile.trusted, connection.peer.ip()) {
        return Err(AskError::UntrustedProxy.into());
    }
    let Original { parts, is_secure } = proxy.original(&journal.parts, &profile.prefix)?;
    let client = connection.client(&parts.headers, &profile.trusted);
    let parts = Rc::new(parts);
    journal.client = Some(client);
    journal.parts = Rc::clone(&parts);
    journal.path = None;
    journal.part = "host";

    let listener_index = connection.listener_index;
    let listener = snapshot.listeners.get(listener_index).ok_or(Rejection::NoRoute)?;
    let incoming = Incoming::read(&parts, &listener.limits)?;
    journal.part = "path";
    let path = CanonicalPath::parse(incoming.path)?;
    if path.as_str() != incoming.path {
        journal.path = Some(path.as_str().into());
    }
    let held = Held {
        parts: &parts,
        incoming: &incoming,
        listener_index,
        is_secure,
        is_client_secure: is_secure,
        client,
    };
    let case = Case::open(&held, view, path, journal)?;
    let principal = case.identify(worker, view, journal).await?;
    // The proxy keeps the body: where it would have to be looked into, nothing can be permitted.
    let permit = case.decide(&principal, Content::Unread, journal)?;
    // What follows takes back what was permitted: the proxy would pass on something else.
    journal.verdict = Verdict::Deny;
    check_target(&parts, permit.target())?;
    let family = permit.route().identity;
    let told = told(family, permit.principal().fields(family));
    forged(&parts.headers, &told)?;
    journal.verdict = Verdict::Allow;
    journal.status = 200;
    let mut response = Response::new(Body::Full(Bytes::new()));
    *response.headers_mut() = told;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
