//! What connections of both versions of HTTP have in common: what their requests may know of them,
//! their one deadline, and what is written down of those that never became a request.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use super::arrival::{Accepted, Arrival};
use crate::config::Limits;
use crate::forward::fields::PeerFields;
use crate::gateway::connection::Connection;
use crate::gateway::reason;
use crate::telemetry::access_log::{Origin, Record, Verdict};
use crate::wire::{Expiry, TimeLimits, Wire};
use crate::worker::Worker;
use crate::worker::decisions::Facts;

/// What requests may know of the connection whose bytes are these.
pub(super) fn connection(arrival: &Arrival, accepted: &Accepted, wire: Rc<Wire>) -> Rc<Connection> {
    let Arrival { peer, .. } = arrival;
    let scheme = if accepted.is_tls { "https" } else { "http" };
    Rc::new(Connection {
        listener_index: arrival.index,
        peer: *peer,
        origin: Origin::new(Rc::clone(&arrival.name), *peer),
        server_name: accepted.server_name.clone(),
        is_tls: accepted.is_tls,
        peer_fields: PeerFields::new(peer.ip().to_canonical(), scheme, arrival.port),
        wire,
        tunnel: RefCell::new(None),
        tenure: RefCell::new(None),
    })
}

pub(super) fn times(limits: &Limits) -> TimeLimits {
    TimeLimits {
        header: limits.header_timeout,
        keep_alive: limits.keep_alive_timeout,
        stall: limits.body_idle_timeout,
        park: limits.park_after,
    }
}

/// How the driving of an engine ended.
#[derive(Debug)]
pub(super) enum Driven<T> {
    /// The engine ended.
    Ended(T),
    /// The connection's time was up, or what it served must end.
    Cut,
    /// Nothing has come for a while, and nothing is under way.
    Quiet,
}

/// Polls the engine, and beside it the connection's one deadline and the worker's drain.
pub(super) async fn drive<E: Future>(
    worker: &Worker,
    connection: &Connection,
    mut engine: Pin<&mut E>,
    end: impl Fn(Pin<&mut E>),
) -> Driven<E::Output> {
    let wire = &connection.wire;
    let mut is_told = false;
    poll_fn(|cx| {
        if worker.is_draining() && !is_told {
            is_told = true;
            end(engine.as_mut());
            wire.hurry();
        }
        if connection.has_ended() {
            return Poll::Ready(Driven::Cut);
        }
        if let Poll::Ready(ended) = engine.as_mut().poll(cx) {
            return Poll::Ready(Driven::Ended(ended));
        }
        // Where nobody's time is up the watch is set anew, and must be polled to wake the task.
        while wire.watch().poll_expired(cx) {
            match wire.expired() {
                None => {}
                Some(Expiry::Quiet) => return Poll::Ready(Driven::Quiet),
                Some(Expiry::Head) => {
                    wire.time_out(cx);
                    return Poll::Ready(Driven::Cut);
                }
                Some(Expiry::Stalled) => {
                    wire.abandon();
                    return Poll::Ready(Driven::Cut);
                }
                Some(Expiry::Idle) => return Poll::Ready(Driven::Cut),
            }
        }
        Poll::Pending
    })
    .await
}

/// A refusal of the wire never became a request: it is counted and written down here.
pub(super) fn note_refusal(worker: &Worker, connection: &Connection, is_http2: bool) {
    let Some(refusal) = connection.wire.refusal() else { return };
    worker.metrics.decided(reason::index(refusal.label()));
    let decision = connection.wire.decision();
    let status = if is_http2 { 0 } else { refusal.status() }; // there it ends without an answer
    let view = worker.view();
    let facts = Facts {
        id: decision,
        unix: worker.ticker.unix(),
        generation: view.snapshot.generation,
        listener: connection.listener_index,
        client: connection.peer.ip(),
        endpoint: None,
        is_asked: false,
        credential: None,
        principal: None,
        is_permitted: false,
        status,
        reason: refusal.label(),
        part: "head",
        readings: None,
    };
    worker.decisions.borrow_mut().keep(view.snapshot.decisions, facts, None, None);
    let mut log = worker.log.borrow_mut();
    if !log.is_on() {
        return;
    }
    log.write(&Record {
        time_unix_ms: u64::try_from(worker.ticker.unix().as_millis()).unwrap_or(0),
        request_id: decision.as_bytes(),
        decision_id: Some(decision.as_bytes()),
        origin: &connection.origin,
        client: None,
        protocol: if is_http2 { "HTTP/2" } else { "HTTP/1.1" },
        method: "",
        host: None,
        path: b"",
        has_query: false,
        status,
        verdict: Verdict::Deny,
        reason: refusal.label(),
        ambiguity: None,
        user: None,
        credential: None,
        authority: None,
        route: None,
        endpoint: None,
        upstream: None,
        request_bytes: 0,
        response_bytes: 0,
        duration_us: 0,
        first_byte_us: None,
        generation: worker.view().snapshot.generation,
        user_agent: None,
    });
}
