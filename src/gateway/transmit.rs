//! Permit → upstream → response.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body::Body as _;
use hyper::body::Incoming as RequestBody;

use super::connection::Connection;
use super::incoming::wants_websocket;
use super::journal::Journal;
use super::multistatus::{self, Multistatus};
use super::rejection::Rejection;
use super::response::Body;
use crate::forward::body::UpstreamBody;
use crate::forward::connection::Upload;
use crate::forward::exchange::{self, Outgoing};
use crate::forward::fields::{BodyFraming, CredentialFields, Head};
use crate::forward::head::ResponseHead;
use crate::home::{Mode, Revealer};
use crate::policy::Permit;
use crate::resource::CanonicalHost;
use crate::route::Route;
use crate::telemetry::metrics::UpstreamConnection;
use crate::worker::View;

/// WebDAV's methods whose answers name places.
const NAMING: [&str; 5] = ["LOCK", "PROPFIND", "PROPPATCH", "REPORT", "SEARCH"];

/// What of the client's request is sent besides what the permit says.
#[derive(Debug)]
pub(super) struct Outbound<'r> {
    /// Method and fields.
    pub(super) parts: &'r Parts,
    /// The host that was asked for.
    pub(super) host: &'r CanonicalHost<'r>,
    /// The body as it comes; `None`: it was read before the decision, or there is none, and what is
    /// sent stands in the permit's target.
    pub(super) body: Option<RequestBody>,
}

/// An upstream's answer.
#[derive(Debug)]
pub(super) struct Answer {
    head: ResponseHead,
    body: Option<UpstreamBody>,
    /// The body names places, and is to be translated.
    way: Option<multistatus::Owned>,
    /// When the head had arrived.
    answered: Instant,
}

impl Answer {
    /// Makes the response. What has arrived as a whole is written down at once, the rest when
    /// it has ended.
    pub(super) fn into_response(self: Box<Self>, mut journal: Journal) -> Response<Body> {
        let Self { head, body, way, answered } = *self;
        journal.status = head.status.as_u16();
        let body = match body {
            None => Body::Full(bytes::Bytes::new()),
            Some(body) if let Some(way) = way => {
                Body::translated(Multistatus::new(body, way), journal)
            }
            Some(body) => match body.into_whole() {
                Ok(whole) => {
                    journal.sent = whole.len() as u64;
                    journal.ended = Some(answered);
                    Body::Full(whole)
                }
                Err(body) => Body::streaming(body, journal),
            },
        };
        let mut response = Response::new(body);
        *response.status_mut() = head.status;
        *response.headers_mut() = head.fields;
        response
    }
}

/// Sends what the permit permits, and takes the head of the answer.
pub(super) async fn transmit(
    connection: &Connection,
    view: &Rc<View>,
    permit: Permit<'_>,
    outbound: Outbound<'_>,
    journal: &mut Journal,
) -> Result<Box<Answer>, Rejection> {
    let Outbound { parts, host, body } = outbound;
    let route = permit.route();
    let (Some(upstream), Some(pool)) =
        (view.snapshot.upstreams.get(route.upstream), view.pools.get(route.upstream))
    else {
        return Err(Rejection::NoRoute);
    };
    let upgrade = (route.websocket && wants_websocket(parts)).then_some("websocket");
    let (framing, upload) = match body {
        Some(body) => {
            let framing = body_framing(parts, body.size_hint().exact());
            (framing, upload(route, framing, body, journal)?)
        }
        None => decided_body(parts, &permit, journal),
    };
    let head = Head {
        method: &parts.method,
        target: permit.target(),
        host: (!route.preserves_host).then_some(&*upstream.authority),
        fields: &parts.headers,
        credential: CredentialFields {
            passes: route.forwards_credential,
            has_keys: route.accepted.api_key,
            has_sessions: route.accepted.session,
        },
        trust: connection.trust(&view.snapshot.trusted_proxies),
        peer_fields: &connection.peer_fields,
        identity: permit.principal().fields(route.identity),
        request_id: journal.request_id(),
        framing,
        upgrade,
        is_read: NAMING.contains(&parts.method.as_str())
            && route.home.as_ref().is_some_and(|rule| rule.mode == Mode::Rewrite),
        client_host: host,
    };
    let limits =
        view.snapshot.listeners.get(connection.listener_index).map(|listener| listener.limits);
    let outgoing = Outgoing {
        upload,
        is_idempotent: parts.method.is_idempotent(),
        is_head: parts.method == Method::HEAD,
        client_idle: limits.unwrap_or_default().body_idle_timeout,
    };
    let began = Instant::now();
    let sent = {
        let mut sending = pin!(exchange::send(pool, upstream, outgoing, |out| head.write(out)));
        poll_fn(|cx| {
            if journal.has_ended() {
                return Poll::Ready(Err(Rejection::CutOff));
            }
            sending.as_mut().poll(cx).map(Ok)
        })
        .await?
    };
    let answered = Instant::now();
    journal.first_byte = Some(answered - began);
    let response = sent.map_err(|error| note_failure(journal, &error))?;
    journal.answered(if response.was_reused {
        UpstreamConnection::Reused
    } else {
        UpstreamConnection::Opened
    });
    if response.head.status == StatusCode::SWITCHING_PROTOCOLS {
        let answer = switch(connection, upgrade, response, answered)?;
        connection.tenure.replace(journal.tenure());
        return Ok(answer);
    }
    let mut response = response;
    if upgrade.is_some() {
        response.head.is_persistent = false; // asked to leave HTTP: it serves nobody else
    }
    let (mut head, body) = response.into_body();
    let way = translate(route, &permit, host, &upstream.authority, &mut head);
    let way = way.filter(|_| names_places(&parts.method, &head));
    if way.is_some() {
        if is_coded(&head) {
            return Err(Rejection::UpstreamAnswer);
        }
        head.fields.remove(header::CONTENT_LENGTH); // it will be another
    }
    Ok(Box::new(Answer { head, body: Some(body), way, answered }))
}

/// How the body goes to the upstream: as the client framed it, but always in one way.
fn body_framing(parts: &Parts, length: Option<u64>) -> BodyFraming {
    match length {
        Some(0) => {
            let says_so = parts.headers.contains_key(header::CONTENT_LENGTH)
                || parts.method == Method::POST
                || parts.method == Method::PUT
                || parts.method == Method::PATCH;
            if says_so { BodyFraming::Length(0) } else { BodyFraming::None }
        }
        Some(length) => BodyFraming::Length(length),
        None => BodyFraming::Chunked,
    }
}

/// The body that was decided on, always by its length.
fn decided_body(
    parts: &Parts,
    permit: &Permit<'_>,
    journal: &Journal,
) -> (BodyFraming, Option<Box<Upload>>) {
    match permit.target().content() {
        None => (body_framing(parts, Some(0)), None),
        Some(content) if content.is_empty() => (BodyFraming::Length(0), None),
        Some(content) => {
            let received = journal.received.clone().unwrap_or_default();
            let upload = Box::new(Upload::whole(content.clone(), received));
            (BodyFraming::Length(content.len() as u64), Some(upload))
        }
    }
}

fn upload(
    route: &Route,
    framing: BodyFraming,
    body: RequestBody,
    journal: &mut Journal,
) -> Result<Option<Box<Upload>>, Rejection> {
    let is_chunked = match framing {
        BodyFraming::None | BodyFraming::Length(0) => return Ok(None),
        BodyFraming::Length(length) if route.body_limit.is_some_and(|limit| length > limit) => {
            return Err(Rejection::BodyTooLarge);
        }
        BodyFraming::Length(_) => false,
        BodyFraming::Chunked => true,
    };
    let received = Rc::new(Cell::new(0));
    journal.received = Some(Rc::clone(&received));
    Ok(Some(Box::new(Upload::new(body, is_chunked, route.body_limit, received))))
}

fn note_failure(journal: &Journal, error: &crate::forward::ForwardError) -> Rejection {
    use crate::forward::ForwardError as F;
    match error {
        F::Connect(_) | F::ConnectTimeout => journal.answered(UpstreamConnection::Failed),
        F::Exhausted => journal.answered(UpstreamConnection::Refused),
        F::BodyTooLarge
        | F::Client(_)
        | F::ClientTimeout
        | F::Closed
        | F::FirstByteTimeout
        | F::Head(_)
        | F::UnaskedUpgrade => {}
    }
    Rejection::from(error)
}

/// The upstream switches protocols: the client's connection becomes a tunnel to it, once the
/// HTTP engine has written the answer.
fn switch(
    connection: &Connection,
    asked: Option<&'static str>,
    response: exchange::Response,
    answered: Instant,
) -> Result<Box<Answer>, Rejection> {
    let exchange::Response { mut head, rest, .. } = response;
    let agreed = head.upgrade.as_ref().map(HeaderValue::as_bytes);
    let is_asked = matches!(
        (asked, agreed),
        (Some(asked), Some(agreed)) if agreed.eq_ignore_ascii_case(asked.as_bytes())
    );
    let Some(protocol) = asked.filter(|_| is_asked) else {
        return Err(Rejection::from(&crate::forward::ForwardError::UnaskedUpgrade));
    };
    head.fields.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    head.fields.insert(header::UPGRADE, HeaderValue::from_static(protocol));
    connection.wire.upgrade();
    *connection.tunnel.borrow_mut() = Some(rest.into_tunnel());
    Ok(Box::new(Answer { head, body: None, way: None, answered }))
}

/// Shows the principal its own paths in the answer, where the gateway put a home in front. What
/// has no name for it is left out.
fn translate(
    route: &Route,
    permit: &Permit<'_>,
    host: &CanonicalHost<'_>,
    authority: &str,
    head: &mut ResponseHead,
) -> Option<multistatus::Owned> {
    let (rule, home) = (route.home.as_ref()?, permit.principal().facts().home.as_ref()?);
    let revealer = Revealer { rule, home, host, authority };
    if !revealer.translates() {
        return None;
    }
    let reference = |value: &str| revealer.reference(value);
    each(head, &header::LOCATION, reference);
    each(head, &header::CONTENT_LOCATION, reference);
    each(head, &header::LINK, |value| revealer.link(value));
    each(head, &header::REFRESH, |value| revealer.refresh(value));
    each(head, &header::SET_COOKIE, |value| revealer.cookie(value));
    Some(multistatus::Owned {
        rule: rule.clone(),
        home: home.clone(),
        host: host.to_string(),
        authority: authority.into(),
    })
}

/// Whether the answer is one of WebDAV's that name places (RFC 4918 §13 and §9.10).
fn names_places(method: &Method, head: &ResponseHead) -> bool {
    let content = head.fields.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content = content.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_xml =
        ["application/xml", "text/xml"].iter().any(|xml| content.eq_ignore_ascii_case(xml));
    let is_naming = NAMING.contains(&method.as_str());
    is_xml && (is_naming || head.status == StatusCode::MULTI_STATUS)
}

/// Whether the body is compressed, though we asked for none of it.
fn is_coded(head: &ResponseHead) -> bool {
    let mut codings = head.fields.get_all(header::CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Translates every value of a field.
fn each(head: &mut ResponseHead, name: &HeaderName, see: impl Fn(&str) -> Option<String>) {
    let header::Entry::Occupied(field) = head.fields.entry(name) else { return };
    let (name, values) = field.remove_entry_mult();
    let seen = |value: HeaderValue| HeaderValue::try_from(see(value.to_str().ok()?)?).ok();
    let values: Vec<_> = values.filter_map(seen).collect();
    for value in values {
        head.fields.append(&name, value);
    }
}
