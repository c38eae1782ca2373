//! What is written down of a request: one line of the access log and the counters, once, when
//! its response has ended.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{HeaderValue, Version, header};

use super::connection::Connection;
use super::reason;
use super::tenure::{Tenure, may_go_on};
use crate::clock;
use crate::endpoint::forward_auth::Proxy;
use crate::forward::body::BodyError;
use crate::identity::{Principal, Proof};
use crate::resource::Readings;
use crate::telemetry::access_log::{Ambiguity, Record, Verdict};
use crate::telemetry::id::{self, Id};
use crate::telemetry::metrics::{Protocol, RouteVerdict, UpstreamConnection};
use crate::wire::UnderWay;
use crate::worker::decisions::Facts;
use crate::worker::{View, Worker};

/// A request's record while it is under way. Dropping it writes it down.
#[derive(Debug)]
pub struct Journal {
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    view: Rc<View>,
    /// The request's head.
    pub parts: Rc<Parts>,
    began: Instant,
    unix: Duration,
    /// What the worker had seen change when the request began.
    changes: Cell<u64>,
    made_id: Option<Id>,
    /// Names the refusal, if it was refused.
    pub decision: Option<Id>,
    /// The path where its canonical form is not the form it came in.
    pub path: Option<Box<str>>,
    /// Index of the route, if one was found.
    pub route: Option<usize>,
    /// Index of the endpoint of ours that it asked.
    pub endpoint: Option<usize>,
    /// Which proxy asks about it, if it is not ours to forward.
    pub proxy: Option<Proxy>,
    /// The address of the client behind that proxy.
    pub client: Option<IpAddr>,
    /// Who it was made by.
    pub principal: Option<Rc<Principal>>,
    /// A cookie that the answer carries, so that the client's session lasts.
    pub renewal: Option<HeaderValue>,
    /// The name that a refused client gave.
    pub claimed: Option<Box<str>>,
    /// The kind of credential.
    pub credential: Option<&'static str>,
    /// Why it was decided as it was.
    pub reason: &'static str,
    /// Which part of the request is being read: what a refusal is about.
    pub part: &'static str,
    /// The readings of it that disagreed, if they did.
    pub readings: Option<Readings>,
    /// How it was decided.
    pub verdict: Verdict,
    /// The status of the response; 0: none was sent.
    pub status: u16,
    /// From the request's being handed on to the response's head.
    pub first_byte: Option<Duration>,
    /// When the answer had arrived as a whole, if it came so.
    pub ended: Option<Instant>,
    /// Bytes of the request's body, counted as they pass.
    pub received: Option<Rc<Cell<u64>>>,
    /// Bytes of the response's body.
    pub sent: u64,
    /// Whether a body was on its way and has not come to its end.
    pub is_streaming: bool,
    _under_way: UnderWay,
}

impl Journal {
    /// Begins when a request's head has been read.
    pub fn new(
        worker: &Rc<Worker>,
        connection: &Rc<Connection>,
        view: &Rc<View>,
        parts: Rc<Parts>,
    ) -> Self {
        worker.metrics.request_started();
        let foreign = parts.headers.get(&REQUEST_ID);
        let is_taken = foreign.is_some_and(|value| id::foreign(value.as_bytes()).is_some());
        Self {
            worker: Rc::clone(worker),
            connection: Rc::clone(connection),
            view: Rc::clone(view),
            made_id: (!is_taken).then(|| worker.next_id()),
            parts,
            began: Instant::now(),
            unix: worker.ticker.unix(),
            changes: Cell::new(worker.changes()),
            decision: None,
            path: None,
            route: None,
            endpoint: None,
            proxy: None,
            client: None,
            principal: None,
            renewal: None,
            claimed: None,
            credential: None,
            reason: reason::PERMITTED,
            part: "host",
            readings: None,
            verdict: Verdict::Deny,
            status: 0,
            first_byte: None,
            ended: None,
            received: None,
            sent: 0,
            is_streaming: false,
            _under_way: connection.wire.begin(),
        }
    }

    /// The request's id: the client's own if it is a sane one, else ours.
    pub fn request_id(&self) -> &[u8] {
        if let Some(made) = &self.made_id {
            return made.as_bytes();
        }
        let foreign = self.parts.headers.get(&REQUEST_ID);
        foreign.and_then(|value| id::foreign(value.as_bytes())).unwrap_or_default().as_bytes()
    }

    /// Keeps a refusal for whoever asks what became of it.
    pub fn keep(&self) {
        let Some(id) = self.decision else { return };
        let snapshot = &self.view.snapshot;
        let behind_proxy =
            || self.connection.client_behind_proxy(&self.parts.headers, &snapshot.trusted_proxies);
        let facts = Facts {
            id,
            unix: self.unix,
            generation: snapshot.generation,
            listener: self.connection.listener_index,
            client: self.client.or_else(behind_proxy).unwrap_or(self.connection.peer.ip()),
            endpoint: self.endpoint,
            is_asked: self.proxy.is_some(),
            credential: self.credential,
            principal: self.principal.clone(),
            is_permitted: self.verdict == Verdict::Allow,
            status: self.status,
            reason: self.reason,
            part: self.part,
            readings: self.readings,
        };
        let mut decisions = self.worker.decisions.borrow_mut();
        let claimed = self.claimed.as_deref();
        decisions.keep(snapshot.decisions, facts, Some(&self.parts), claimed);
    }

    /// What is under way for whoever the request was made by.
    pub fn tenure(&self) -> Option<Tenure> {
        let principal = self.principal.as_ref()?;
        Some(Tenure::new(&self.worker, principal, self.began_at(), self.changes.get()))
    }

    /// Whether what is under way must end: whoever it was for has ended.
    pub fn has_ended(&self) -> bool {
        let changes = self.worker.changes();
        if changes == self.changes.get() {
            return false;
        }
        let began_ms = u64::try_from(self.began_at().as_millis()).unwrap_or(u64::MAX);
        let may_go_on = self
            .principal
            .as_ref()
            .is_none_or(|principal| may_go_on(&self.worker, principal, began_ms));
        if may_go_on {
            self.changes.set(changes);
        }
        !may_go_on
    }

    /// When the head was read, to the millisecond: by the worker's coarse clock, what began right
    /// after somebody was ended would seem to have begun before.
    fn began_at(&self) -> Duration {
        clock::since_epoch().saturating_sub(self.began.elapsed())
    }

    /// Notes why a response did not come to its end.
    pub fn broke_off(&mut self, error: &BodyError) {
        self.reason = match error {
            BodyError::Ended => reason::CUT_OFF,
            BodyError::Timeout => "upstream_timeout",
            BodyError::Closed | BodyError::Io(_) => "upstream_closed",
            BodyError::Malformed(_) | BodyError::Untranslatable => "upstream_answer",
        };
    }

    /// The connection that the request came on.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Time since the head was read.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Counts how the upstream's connection came about.
    pub fn answered(&self, how: UpstreamConnection) {
        self.worker.metrics.upstream_connection(how);
        if let Some(took) = self.first_byte {
            self.worker.metrics.upstream_answered(took);
        }
    }

    /// The place of the reason among all of them, which is looked for only when it is another
    /// than the last one's.
    fn reason_index(&self) -> usize {
        let (last, place) = self.worker.last_reason.get();
        if std::ptr::eq(last, self.reason) {
            return place;
        }
        let place = reason::index(self.reason);
        self.worker.last_reason.set((self.reason, place));
        place
    }

    fn count(&self, took: Duration, received: u64) {
        let metrics = &self.worker.metrics;
        let protocol =
            if self.parts.version == Version::HTTP_2 { Protocol::Http2 } else { Protocol::Http1 };
        metrics.request_finished(protocol, self.status, took);
        metrics.decided(self.reason_index());
        metrics.transferred(received, self.sent);
        if let Some(route) = self.route.and_then(|index| self.view.routes.get(index)) {
            let verdict = match self.verdict {
                Verdict::Allow => RouteVerdict::Allowed,
                Verdict::Deny => RouteVerdict::Denied,
            };
            route.served(verdict, self.status, took);
        }
    }

    fn write(&self, took: Duration, received: u64) {
        let mut log = self.worker.log.borrow_mut();
        if !log.is_on() {
            return;
        }
        let snapshot = &self.view.snapshot;
        let route = self.route.and_then(|index| snapshot.routes.routes().get(index));
        let upstream = route.and_then(|route| snapshot.upstreams.get(route.upstream));
        let principal = self.principal.as_deref();
        let uri = &self.parts.uri;
        let host = match uri.host() {
            Some(host) => Some(host),
            None => self.parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()),
        };
        // User information is refused, and may hold a password.
        let host = host.map(|host| match memchr::memrchr(b'@', host.as_bytes()) {
            Some(at) => host.get(at + 1..).unwrap_or_default(),
            None => host,
        });
        let authority =
            principal.map(Principal::facts).filter(|facts| facts.proof != Proof::Nothing);
        log.write(&Record {
            time_unix_ms: u64::try_from(self.unix.as_millis()).unwrap_or(0),
            request_id: self.request_id(),
            decision_id: self.decision.as_ref().map(Id::as_bytes),
            origin: &self.connection.origin,
            client: self.client.or_else(|| {
                self.connection.client_behind_proxy(&self.parts.headers, &snapshot.trusted_proxies)
            }),
            protocol: match self.parts.version {
                Version::HTTP_2 => "HTTP/2",
                Version::HTTP_10 => "HTTP/1.0",
                _ => "HTTP/1.1",
            },
            method: self.parts.method.as_str(),
            host,
            path: self.path.as_deref().unwrap_or_else(|| uri.path()).as_bytes(),
            has_query: uri.query().is_some(),
            status: self.status,
            verdict: self.verdict,
            reason: self.reason,
            ambiguity: self.readings.map(|readings| Ambiguity { part: self.part, readings }),
            user: principal.and_then(Principal::name).or(self.claimed.as_deref()),
            credential: self.credential,
            authority: authority.map(|facts| &*facts.authority),
            route: route.map(|route| &*route.name),
            endpoint: self
                .endpoint
                .and_then(|index| snapshot.mounts.all().get(index))
                .map(|mount| &*mount.name),
            upstream: upstream.map(|upstream| &*upstream.name),
            request_bytes: received,
            response_bytes: self.sent,
            duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            first_byte_us: self.first_byte.and_then(|took| u64::try_from(took.as_micros()).ok()),
            generation: snapshot.generation,
            user_agent: self.parts.headers.get(header::USER_AGENT).map(HeaderValue::as_bytes),
        });
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.status == 0 {
            self.reason = reason::CLIENT_GONE;
        } else if self.is_streaming && self.has_ended() {
            self.reason = reason::CUT_OFF; // by its connection, without the body being asked
        }
        let took = self.ended.map_or_else(|| self.elapsed(), |ended| ended - self.began);
        let received = self.received.as_ref().map_or(0, |received| received.get());
        self.count(took, received);
        self.write(took, received);
    }
}

static REQUEST_ID: http::HeaderName = http::HeaderName::from_static("x-request-id");
