//! The way of a request: resource, route, credential, principal, policy, upstream, in that
//! order and in one direction.
//!
//! Each step consumes what the one before it proved; each `?` ends in a [`Rejection`]. Nothing
//! is sent to an upstream before there is a [`Permit`](crate::policy::Permit), nor a byte of a
//! body read: but for routes that look into bodies, where that takes an
//! [`Admission`](crate::policy::Admission).

mod case;
pub mod connection;
pub(crate) mod content;
mod csrf;
mod endpoint;
pub(crate) mod explain;
mod forward_auth;
mod identify;
pub(crate) mod incoming;
mod journal;
mod login;
pub(crate) mod multistatus;
pub mod reason;
pub mod rejection;
pub mod response;
pub mod tenure;
mod transmit;

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming as RequestBody;

use self::case::{Case, Held};
use self::connection::Connection;
use self::incoming::Incoming;
use self::journal::Journal;
use self::rejection::Rejection;
use self::response::Body;
use crate::endpoint::forward_auth::Proxy;
use crate::forward::fields::Trust;
use crate::home::Content;
use crate::resource::CanonicalPath;
use crate::resource::content::Body as Read;
use crate::route::endpoint::Dialect;
use crate::telemetry::access_log::Verdict;
use crate::worker::{View, Worker};

/// Serves one request. It always has an answer; what went wrong is in the answer and the log.
///
/// # Errors
///
/// Never.
pub async fn handle(
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    request: Request<RequestBody>,
) -> Result<Response<Body>, Infallible> {
    connection.tenure.replace(None); // what it served before has ended
    let view = worker.view(); // one version for the whole request
    let (parts, body) = request.into_parts();
    let mut journal = Journal::new(&worker, &connection, &view, Rc::new(parts));
    let result = {
        // Pinned here and lent: a future given away by value lies in its taker twice.
        let serving = pin!(serve(&worker, &connection, &view, &mut journal, body));
        caught(serving).await.unwrap_or(Err(Rejection::Internal))
    };
    let renewal = journal.renewal.take().filter(|_| result.is_ok());
    let mut response = match result {
        Ok(Reply::Own(response)) => *response,
        Ok(Reply::Upstream(answer)) => answer.into_response(journal),
        Err(rejection) => refuse(&worker, &view, journal, rejection),
    };
    if let Some(cookie) = renewal {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    connection.wire.resume();
    Ok(response)
}

/// What answers a request that was let through.
enum Reply {
    /// One of our own endpoints, whole.
    Own(Box<Response<Body>>),
    /// An upstream, on its way.
    Upstream(Box<transmit::Answer>),
}

/// Runs a future to its end; `None` if it panicked. A bug then costs its own request, not the
/// others of the connection, and never lets anything through.
async fn caught<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Some),
        Err(_) => Poll::Ready(None), // and is not polled again
    })
    .await
}

async fn serve(
    worker: &Rc<Worker>,
    connection: &Connection,
    view: &Rc<View>,
    journal: &mut Journal,
    body: RequestBody,
) -> Result<Reply, Rejection> {
    let snapshot = &view.snapshot;
    let listener = snapshot.listeners.get(connection.listener_index).ok_or(Rejection::NoRoute)?;
    let parts = Rc::clone(&journal.parts);
    let incoming = Incoming::read(&parts, &listener.limits)?;
    // RFC 9110 §7.4: https is not served where nothing is encrypted, unless a proxy before us did.
    if parts.uri.scheme() == Some(&http::uri::Scheme::HTTPS)
        && !connection.is_tls
        && connection.trust(&snapshot.trusted_proxies) == Trust::Client
    {
        return Err(Rejection::Misdirected);
    }
    if let (Some(tls), Some(asked)) = (&listener.tls, &connection.server_name)
        && !tls.may_serve(asked, incoming.host.name())
    {
        return Err(Rejection::Misdirected);
    }
    journal.part = "path";
    let path = CanonicalPath::parse(incoming.path)?;
    if path.as_str() != incoming.path {
        journal.path = Some(path.as_str().into());
    }
    let mount = snapshot.mounts.find(connection.listener_index, &incoming.host, &path);
    if let Some(mount) = mount {
        if snapshot.profiles.get(mount).is_some_and(|it| it.dialect == Dialect::ForwardAuth) {
            let answered = forward_auth::answer(worker, connection, view, mount, &path, journal);
            return Box::pin(answered).await.map(|response| Reply::Own(Box::new(response)));
        }
        let request = endpoint::Request { incoming: &incoming, path: &path, body };
        let answered = endpoint::answer(worker, connection, view, mount, request, journal);
        return Box::pin(answered).await.map(|response| Reply::Own(Box::new(response)));
    }
    let held = Held {
        parts: &parts,
        incoming: &incoming,
        listener_index: connection.listener_index,
        is_secure: connection.is_tls,
        is_client_secure: endpoint::is_secure(connection, &parts.headers, view),
        client: connection.client(&parts.headers, &snapshot.trusted_proxies),
    };
    let case = Case::open(&held, view, path, journal)?;
    let principal = case.identify(worker, view, journal).await?;
    let Some(rule) = case.inspecting() else {
        let permit = case.decide(&principal, Content::Unread, journal)?;
        let request = transmit::Outbound { parts: &parts, host: &incoming.host, body: Some(body) };
        // Boxed: a refused request need not carry the room for what it is refused.
        return Box::pin(transmit::transmit(connection, view, permit, request, journal))
            .await
            .map(Reply::Upstream);
    };
    let whole = if content::is_present(&body) {
        let admission = case.admit(&principal, journal)?;
        let patience = listener.limits.body_idle_timeout;
        Box::pin(content::read(&admission, rule, &parts, body, patience, journal)).await?
    } else {
        None
    };
    let read = match &whole {
        Some(whole) => Some(Read::parse(&whole.bytes, whole.media)?),
        None => None,
    };
    let content = read.as_ref().map_or(Content::Absent, Content::Read);
    let permit = case.decide(&principal, content, journal)?;
    let request = transmit::Outbound { parts: &parts, host: &incoming.host, body: None };
    Box::pin(transmit::transmit(connection, view, permit, request, journal))
        .await
        .map(Reply::Upstream)
}

fn refuse(
    worker: &Worker,
    view: &View,
    mut journal: Journal,
    rejection: Rejection,
) -> Response<Body> {
    let route = journal.route.and_then(|index| view.snapshot.routes.routes().get(index));
    let decision = worker.next_id();
    let is_by_token = matches!(journal.credential, Some("bearer" | "x-auth-token"));
    let challenge = rejection.challenge(is_by_token);
    let allow = (rejection.status() == StatusCode::METHOD_NOT_ALLOWED).then(|| {
        // RFC 9110 §10.2.1: an empty field says that no method is let through.
        allowed(view, &journal).unwrap_or_else(|| HeaderValue::from_static(""))
    });
    if !rejection.is_after_permit() {
        journal.verdict = Verdict::Deny;
    }
    journal.reason = rejection.label();
    journal.readings = rejection.readings();
    journal.decision = Some(decision);
    let told = |proxy: Proxy| proxy.status(rejection.status());
    let status = journal.proxy.map_or(rejection.status(), told);
    journal.status = status.as_u16();
    if let Some(response) = login::redirect(view, route, rejection, &journal) {
        journal.status = response.status().as_u16();
        journal.keep();
        return response;
    }
    journal.keep();
    let challenges = route.map(|route| &route.challenges);
    let challenges = challenges.map_or(&[][..], |challenges| challenges.of(challenge));
    let mut response = response::refusal(rejection, decision.as_bytes(), challenges, allow);
    *response.status_mut() = status;
    if journal.parts.method != http::Method::HEAD {
        journal.sent = http_body::Body::size_hint(response.body()).exact().unwrap_or(0);
    }
    response
}

/// What is let through of the host and the path that a request names. Read once more, since
/// only a refusal asks for it.
fn allowed(view: &View, journal: &Journal) -> Option<HeaderValue> {
    let listener = journal.connection().listener_index;
    let limits = &view.snapshot.listeners.get(listener)?.limits;
    let incoming = Incoming::read(&journal.parts, limits).ok()?;
    let path = CanonicalPath::parse(incoming.path).ok()?;
    let methods = view.snapshot.routes.methods(listener, &incoming.host, &path);
    let methods: Vec<_> = methods.map(http::Method::as_str).collect();
    HeaderValue::try_from(methods.join(", ")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_in_nothing_and_not_in_a_permit() {
        assert_eq!(caught(pin!(async { 1 })).await, Some(1));
        let broken = async {
            tokio::task::yield_now().await;
            panic!("on purpose");
        };
        assert_eq!(caught::<_>(pin!(broken)).await.map(|(): ()| 1), None);
    }
}
