//! What stands between a client's transport and the HTTP engine: it sees every byte that
//! comes in, knows what the connection is waiting for, and so keeps the limits in time and
//! size for which the engine would need a timer for each request. HTTP/1.1 is read strictly
//! here before the engine reads it ([`framing`]), HTTP/2 frames are counted ([`frames`]).

mod block;
mod deadline;
pub mod frames;
pub mod framing;
mod guarded;
pub mod refusal;
mod rest;
pub mod stream;

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::io::AsyncWrite as _;

pub use self::deadline::{Expiry, TimeLimits};
pub use self::guarded::Guarded;
pub use self::rest::Rest;

use self::frames::{FrameLimits, Frames};
use self::framing::{Framing, HeadLimits};
use self::refusal::Refusal;
use self::stream::Stream;
use crate::clock::ticker::{Millis, Watch};
use crate::telemetry::id::Id;

/// What a task of an HTTP/2 connection waits for when it has been polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// For the client to take what it was sent, and for nothing else.
    pub waits_for_client: bool,
    /// Whether a part of a response was handed on meanwhile.
    pub has_moved: bool,
}

impl Default for Turn {
    fn default() -> Self {
        Self { waits_for_client: true, has_moved: false }
    }
}

enum Reading {
    Http1(Framing),
    Http2(Frames),
}

struct Inner {
    stream: Stream,
    reading: Reading,
    /// Bytes that came behind a request to upgrade: they are nobody's until it is granted.
    held: Vec<u8>,
    is_holding: bool,
    /// Why nothing more is read.
    refusal: Option<Refusal>,
    /// Why nothing will be read once what is under way has been answered.
    deferred: Option<Refusal>,
    /// The engine's task, where it waits for something that no socket will tell it.
    reader: Option<Waker>,
    has_read: bool,
    /// The client has sent its last byte.
    has_ended: bool,
    idle_since: Millis,
    /// When it was last found not to be at rest though it was quiet.
    disturbed_at: Millis,
    head_since: Option<Millis>,
    stalled_since: Option<Millis>,
    bytes_in: u64,
    bytes_out: u64,
}

/// One client connection as seen from its bytes. Shared by the engine's transport
/// ([`Guarded`]), the connection's task and the requests under way.
pub struct Wire {
    inner: RefCell<Inner>,
    /// Requests whose response has not been produced to its end.
    under_way: Cell<u32>,
    /// Requests that the engine has handed on so far.
    begun: Cell<u64>,
    /// Set when the transport outlives the engine: the response was 101, or the connection is
    /// parked.
    is_handed_over: Cell<bool>,
    /// Whether no more requests are wanted.
    is_ending: Cell<bool>,
    /// Whether all that was written has been handed to the socket.
    is_flushed: Cell<bool>,
    /// What the task polled last left off with.
    turn: Cell<Turn>,
    watch: Watch,
    times: TimeLimits,
    /// What names a refusal that is answered here.
    decision: Id,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

impl Wire {
    /// Wraps the transport of an HTTP/1.1 connection.
    #[must_use]
    pub fn http1(
        stream: Stream,
        limits: HeadLimits,
        times: TimeLimits,
        watch: Watch,
        decision: Id,
    ) -> Rc<Self> {
        Self::new(stream, Reading::Http1(Framing::new(limits)), times, watch, decision)
    }

    /// Wraps the transport of an HTTP/2 connection.
    #[must_use]
    pub fn http2(
        stream: Stream,
        limits: FrameLimits,
        times: TimeLimits,
        watch: Watch,
        decision: Id,
    ) -> Rc<Self> {
        Self::new(stream, Reading::Http2(Frames::new(limits)), times, watch, decision)
    }

    fn new(
        stream: Stream,
        reading: Reading,
        times: TimeLimits,
        watch: Watch,
        decision: Id,
    ) -> Rc<Self> {
        let now = watch.ticker().now();
        let inner = Inner {
            stream,
            reading,
            held: Vec::new(),
            is_holding: false,
            refusal: None,
            deferred: None,
            reader: None,
            has_read: false,
            has_ended: false,
            idle_since: now,
            disturbed_at: 0,
            head_since: None,
            stalled_since: None,
            bytes_in: 0,
            bytes_out: 0,
        };
        let wire = Rc::new(Self {
            inner: RefCell::new(inner),
            under_way: Cell::new(0),
            begun: Cell::new(0),
            is_handed_over: Cell::new(false),
            is_ending: Cell::new(false),
            is_flushed: Cell::new(true),
            turn: Cell::default(),
            watch,
            times,
            decision,
        });
        wire.arm(&wire.inner.borrow());
        wire
    }

    /// The deadline of the connection, to be polled by its task.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// A request has been read: until the guard is dropped, the connection is not idle.
    #[must_use]
    pub fn begin(self: &Rc<Self>) -> UnderWay {
        self.under_way.set(self.under_way.get() + 1);
        self.begun.set(self.begun.get() + 1);
        self.arm(&self.inner.borrow());
        UnderWay(Rc::clone(self))
    }

    /// Whether no request is under way.
    pub fn is_idle(&self) -> bool {
        self.under_way.get() == 0
    }

    /// What the client sent that was refused before it became a request, if anything.
    pub fn refusal(&self) -> Option<Refusal> {
        self.inner.borrow().refusal
    }

    /// Bytes read and written so far.
    pub fn bytes(&self) -> (u64, u64) {
        let inner = self.inner.borrow();
        (inner.bytes_in, inner.bytes_out)
    }

    /// Notes that the connection is handed over to another protocol once the engine is done.
    pub fn upgrade(&self) {
        self.is_handed_over.set(true);
    }

    /// Notes that a request was answered: if it asked for an upgrade that was not granted, what
    /// was held is read as HTTP.
    pub fn resume(&self) {
        let mut inner = self.inner.borrow_mut();
        if inner.is_holding && !self.is_handed_over.get() {
            inner.is_holding = false;
            if let Reading::Http1(framing) = &mut inner.reading {
                framing.resume();
            }
            inner.wake_reader();
        }
    }

    /// The id under which a refusal is answered.
    pub fn decision(&self) -> Id {
        self.decision
    }

    /// Notes what the HTTP engine refused, and has answered, itself.
    pub fn note(&self, refusal: Refusal) {
        self.inner.borrow_mut().refusal.get_or_insert(refusal);
    }

    /// Whether the client may still be sending what nobody will read, so that closing at once
    /// would take the answer away from it (RFC 9112 §9.6). `has_failed`: the engine gave up.
    pub fn must_linger(&self, has_failed: bool) -> bool {
        let inner = self.inner.borrow();
        let has_unread = inner.refusal.is_some()
            || match &inner.reading {
                Reading::Http1(framing) => framing.is_inside_body(),
                Reading::Http2(_) => has_failed,
            };
        has_unread && !inner.has_ended && inner.stalled_since.is_none()
    }

    /// A task of this connection is about to be polled.
    pub fn begin_turn(&self) {
        self.turn.set(Turn::default());
    }

    /// The task waits for something other than the client's reading.
    pub fn wait_for_others(&self) {
        self.turn.set(Turn { waits_for_client: false, ..self.turn.get() });
    }

    /// The task handed on a part of a response.
    pub fn hand_on(&self) {
        self.turn.set(Turn { has_moved: true, ..self.turn.get() });
    }

    /// What became of the task's turn.
    pub fn turn(&self) -> Turn {
        self.turn.get()
    }

    /// How long a client may take nothing of what is to be written.
    pub fn stall(&self) -> Duration {
        self.times.stall
    }

    /// Takes the transport and the bytes held since the request to upgrade.
    pub fn take(&self) -> (Stream, Vec<u8>) {
        let mut inner = self.inner.borrow_mut();
        (inner.stream.take(), std::mem::take(&mut inner.held))
    }

    /// The client takes nothing of what it was sent: what the kernel still holds for it is thrown
    /// away when the connection closes, which would else live on without us for minutes.
    pub fn abandon(&self) {
        if let Some(socket) = self.inner.borrow().stream.socket() {
            let _ = socket.set_zero_linger(); // it may be gone already
        }
    }

    /// Refuses a head that did not come to its end in time.
    pub fn time_out(&self, cx: &mut Context<'_>) {
        self.answer(&mut self.inner.borrow_mut(), Refusal::HeadTimeout, cx);
    }

    /// Writes the answer to what was refused, as far as the transport takes it at once: a response,
    /// where none is under way, or the frame that ends an HTTP/2 connection.
    fn answer(&self, inner: &mut Inner, refusal: Refusal, cx: &mut Context<'_>) {
        inner.refusal = Some(refusal);
        if inner.stalled_since.is_some() {
            return; // in the middle of what the engine says
        }
        match &inner.reading {
            Reading::Http1(_) if self.is_idle() => {
                inner.say(refusal.response(self.decision.as_str()).as_bytes(), cx);
            }
            Reading::Http1(_) => {}
            Reading::Http2(frames) => inner.say(&refusal.goaway(frames.newest()), cx),
        }
    }

    fn end(&self) {
        let left = self.under_way.get().saturating_sub(1);
        self.under_way.set(left);
        if left > 0 {
            return;
        }
        let mut inner = self.inner.borrow_mut();
        let now = self.watch.ticker().now();
        inner.idle_since = now;
        inner.head_since = inner.head_since.map(|_| now);
        if inner.deferred.is_some() {
            inner.wake_reader();
        }
        self.arm(&inner);
    }
}

impl Inner {
    fn say(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        if Pin::new(&mut self.stream).poll_write(cx, bytes).is_ready() {
            let _ = Pin::new(&mut self.stream).poll_flush(cx);
        }
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// Held while a request is under way; see [`Wire::begin`].
#[derive(Debug)]
pub struct UnderWay(Rc<Wire>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests;
