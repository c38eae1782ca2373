//! What one worker thread counts.

use std::{sync::Arc, time::Duration};

use super::{
    cell::{Cell, Cells, Label},
    histogram::Histogram,
    route::{RouteMetrics, Routes},
};

/// Which version of HTTP a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0 and HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Label for Protocol {
    const NAMES: &'static [&'static str] = &["h1", "h2"];

    fn index(self) -> usize {
        self as usize
    }
}

/// How a TLS handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// A session stands.
    Completed,
    /// The peer or we gave up: no common version, garbage, a reset.
    Failed,
    /// It took longer than `limits.handshake_timeout`.
    TimedOut,
}

impl Label for Handshake {
    const NAMES: &'static [&'static str] = &["completed", "failed", "timed_out"];

    fn index(self) -> usize {
        self as usize
    }
}

/// Whether a presented token was remembered as verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenMemory {
    /// It was: no signature was verified.
    Hit,
    /// It was not.
    Miss,
}

impl Label for TokenMemory {
    const NAMES: &'static [&'static str] = &["hit", "miss"];

    fn index(self) -> usize {
        self as usize
    }
}

/// How the check of a password ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    /// Hashed, and right.
    Accepted,
    /// No place in the hashing pool's queue.
    Overloaded,
    /// Hashed, and wrong (or a decoy was hashed for an unknown user).
    Refused,
    /// Remembered as right: nothing was hashed.
    Remembered,
    /// Not looked at, after too many failures.
    Throttled,
}

impl Label for PasswordCheck {
    const NAMES: &'static [&'static str] =
        &["accepted", "overloaded", "refused", "remembered", "throttled"];

    fn index(self) -> usize {
        self as usize
    }
}

/// What happened when a request needed a connection to its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamConnection {
    /// No connection could be made.
    Failed,
    /// A new one was opened.
    Opened,
    /// The pool was full, and no place came free.
    Refused,
    /// An idle one was taken from the pool.
    Reused,
}

impl Label for UpstreamConnection {
    const NAMES: &'static [&'static str] = &["failed", "opened", "refused", "reused"];

    fn index(self) -> usize {
        self as usize
    }
}

/// The label values that all workers share; fixed while the program runs.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Reasons of decisions, in the order of their index.
    pub reasons: &'static [&'static str],
    /// Names of the listeners, in the order of their index.
    pub listeners: Vec<Box<str>>,
}

pub(super) const STATUS_CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// One worker's counters. Only the worker's own thread may call what changes them (see [`Cell`]);
/// any thread may read.
#[derive(Debug)]
#[repr(align(128))] // no cache line, and no pair of them, is shared with another worker's
pub struct WorkerMetrics {
    pub(super) layout: Arc<Layout>,
    /// By protocol, then by class of status.
    pub(super) requests: Cells,
    pub(super) request_seconds: Histogram,
    pub(super) requests_active: Cell,
    pub(super) first_byte_seconds: Histogram,
    pub(super) decisions: Cells,
    pub(super) connections_opened: Cells,
    pub(super) connections_active: Cells,
    pub(super) connections_parked: Cells,
    pub(super) connections_refused: Cells,
    pub(super) accept_errors: Cell,
    pub(super) handshakes: Cells,
    pub(super) token_memory: Cells,
    pub(super) token_seconds: Histogram,
    pub(super) passwords: Cells,
    pub(super) password_seconds: Histogram,
    pub(super) bytes_received: Cell,
    pub(super) bytes_sent: Cell,
    pub(super) upstream_connections: Cells,
    pub(super) upstream_active: Cell,
    pub(super) routes: Routes,
}

impl WorkerMetrics {
    /// All zero.
    #[must_use]
    pub fn new(layout: Arc<Layout>) -> Self {
        let listeners = layout.listeners.len();
        Self {
            requests: Cells::new(Protocol::NAMES.len() * STATUS_CLASSES.len()),
            request_seconds: Histogram::new(),
            requests_active: Cell::default(),
            first_byte_seconds: Histogram::new(),
            decisions: Cells::new(layout.reasons.len()),
            connections_opened: Cells::new(listeners),
            connections_active: Cells::new(listeners),
            connections_parked: Cells::new(listeners),
            connections_refused: Cells::new(listeners),
            accept_errors: Cell::default(),
            handshakes: Cells::of::<Handshake>(),
            token_memory: Cells::of::<TokenMemory>(),
            token_seconds: Histogram::new(),
            passwords: Cells::of::<PasswordCheck>(),
            password_seconds: Histogram::new(),
            bytes_received: Cell::default(),
            bytes_sent: Cell::default(),
            upstream_connections: Cells::of::<UpstreamConnection>(),
            upstream_active: Cell::default(),
            routes: Routes::default(),
            layout,
        }
    }

    /// A request's head has been read.
    pub fn request_started(&self) {
        self.requests_active.increment();
    }

    /// A request is over: answered with `status`, or 0 when the peer went away before.
    pub fn request_finished(&self, protocol: Protocol, status: u16, took: Duration) {
        let class = usize::from(status / 100).min(STATUS_CLASSES.len() - 1);
        self.requests.increment(protocol.index() * STATUS_CLASSES.len() + class);
        self.request_seconds.observe(took);
        self.requests_active.decrement();
    }

    /// A decision was made for the reason at `index` of [`Layout::reasons`].
    pub fn decided(&self, index: usize) {
        self.decisions.increment(index);
    }

    /// A connection was accepted on the listener at `index`.
    pub fn connection_opened(&self, listener: usize) {
        self.connections_opened.increment(listener);
        self.connections_active.increment(listener);
    }

    /// An accepted connection is closed.
    pub fn connection_closed(&self, listener: usize) {
        if let Some(cell) = self.connections_active.at(listener) {
            cell.decrement();
        }
    }

    /// An open connection waits without an engine.
    pub fn connection_parked(&self, listener: usize) {
        self.connections_parked.increment(listener);
    }

    /// A connection that was parked is served again, or closed.
    pub fn connection_unparked(&self, listener: usize) {
        if let Some(cell) = self.connections_parked.at(listener) {
            cell.decrement();
        }
    }

    /// A connection was closed at once, because a limit was reached.
    pub fn connection_refused(&self, listener: usize) {
        self.connections_refused.increment(listener);
    }

    /// `accept` failed (no file descriptors, for example), and the listener backs off.
    pub fn accept_failed(&self) {
        self.accept_errors.increment();
    }

    /// A TLS handshake ended.
    pub fn handshake(&self, outcome: Handshake) {
        self.handshakes.increment(outcome.index());
    }

    /// The token memory was asked.
    pub fn token_memory(&self, outcome: TokenMemory) {
        self.token_memory.increment(outcome.index());
    }

    /// A token was verified, rightly or not, in this time.
    pub fn token_verified(&self, took: Duration) {
        self.token_seconds.observe(took);
    }

    /// A password was checked. `took` includes the wait for the pool; `None` if nothing was hashed.
    pub fn password_checked(&self, outcome: PasswordCheck, took: Option<Duration>) {
        self.passwords.increment(outcome.index());
        if let Some(took) = took {
            self.password_seconds.observe(took);
        }
    }

    /// Bytes of request bodies and response bodies that passed.
    pub fn transferred(&self, received: u64, sent: u64) {
        self.bytes_received.add(received);
        self.bytes_sent.add(sent);
    }

    /// A request asked for a connection to its upstream.
    pub fn upstream_connection(&self, outcome: UpstreamConnection) {
        self.upstream_connections.increment(outcome.index());
        if outcome == UpstreamConnection::Opened {
            self.upstream_active.increment();
        }
    }

    /// A connection that was counted as opened is closed.
    pub fn upstream_closed(&self) {
        self.upstream_active.decrement();
    }

    /// The upstream's response head came this long after the request was handed over.
    pub fn upstream_answered(&self, took: Duration) {
        self.first_byte_seconds.observe(took);
    }

    /// The counters of the route of this name; ask once per reload and keep the handle.
    #[must_use]
    pub fn route(&self, name: &str) -> Arc<RouteMetrics> {
        self.routes.named(name)
    }

    /// Open connections of all listeners.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections_active.iter().sum()
    }

    /// Open connections of the listener at this index.
    #[must_use]
    pub fn connections_of(&self, listener: usize) -> u64 {
        self.connections_active.at(listener).map_or(0, Cell::read)
    }

    /// Parked connections of all listeners.
    #[must_use]
    pub fn connections_parked(&self) -> u64 {
        self.connections_parked.iter().sum()
    }

    /// Requests that are being served.
    #[must_use]
    pub fn requests_in_progress(&self) -> u64 {
        self.requests_active.read()
    }

    /// Requests served so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.iter().sum()
    }
}
