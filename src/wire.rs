//! What stands between a client's transport and the HTTP engine: it sees every byte that
//! comes in, knows what the connection is waiting for, and so keeps the limits in time and
//! size for which the engine would need a timer for each request. HTTP/1.1 is read strictly
//! here before the engine reads it ([`framing`]), HTTP/2 frames are counted ([`frames`]).

pub mod frames;
pub mod framing;
pub mod refusal;
pub mod stream;

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::frames::{FrameLimits, Frames};
use self::framing::{Framing, HeadLimits};
use self::refusal::Refusal;
use self::stream::Stream;
use crate::clock::ticker::{Millis, TICK, Watch};

/// How long a connection may stay in each state.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimits {
    /// From a head's first byte (the first head's: from the connection) to its end.
    pub header: Duration,
    /// Between two requests.
    pub keep_alive: Duration,
    /// While the client takes nothing of what is to be written.
    pub stall: Duration,
}

/// Why a connection's time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Between requests, or before the first: it may be closed without a word.
    Idle,
    /// In the middle of a head.
    Head,
    /// The client stopped reading.
    Stalled,
}

/// How long a connection may stay idle once no more requests are wanted.
const LAST_IDLE: Duration = Duration::from_secs(2);

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
    /// Set when the response was 101: the transport must outlive the engine.
    is_upgraded: Cell<bool>,
    /// Whether no more requests are wanted.
    is_ending: Cell<bool>,
    /// What the task polled last left off with.
    turn: Cell<Turn>,
    watch: Watch,
    times: TimeLimits,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

impl Wire {
    /// Wraps the transport of an HTTP/1.1 connection.
    #[must_use]
    pub fn http1(stream: Stream, limits: HeadLimits, times: TimeLimits, watch: Watch) -> Rc<Self> {
        Self::new(stream, Reading::Http1(Framing::new(limits)), times, watch)
    }

    /// Wraps the transport of an HTTP/2 connection.
    #[must_use]
    pub fn http2(stream: Stream, limits: FrameLimits, times: TimeLimits, watch: Watch) -> Rc<Self> {
        Self::new(stream, Reading::Http2(Frames::new(limits)), times, watch)
    }

    fn new(stream: Stream, reading: Reading, times: TimeLimits, watch: Watch) -> Rc<Self> {
        let now = watch.ticker().now();
        watch.set_at(deadline(now, times.header));
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
            head_since: None,
            stalled_since: None,
            bytes_in: 0,
            bytes_out: 0,
        };
        Rc::new(Self {
            inner: RefCell::new(inner),
            under_way: Cell::new(0),
            begun: Cell::new(0),
            is_upgraded: Cell::new(false),
            is_ending: Cell::new(false),
            turn: Cell::default(),
            watch,
            times,
        })
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
        self.is_upgraded.set(true);
    }

    /// Notes that a request was answered: if it asked for an upgrade that was not granted, what
    /// was held is read as HTTP.
    pub fn resume(&self) {
        let mut inner = self.inner.borrow_mut();
        if inner.is_holding && !self.is_upgraded.get() {
            inner.is_holding = false;
            if let Reading::Http1(framing) = &mut inner.reading {
                framing.resume();
            }
            inner.wake_reader();
        }
    }

    /// No more requests are wanted: a connection that stays idle is closed soon.
    pub fn hurry(&self) {
        self.is_ending.set(true);
        let mut inner = self.inner.borrow_mut();
        inner.idle_since = self.watch.ticker().now();
        self.arm(&inner);
    }

    /// Notes what the HTTP engine refused, and has answered, itself.
    pub fn note(&self, refusal: Refusal) {
        self.inner.borrow_mut().refusal.get_or_insert(refusal);
    }

    /// Whether the client may still be sending what nobody will read, so that closing at once
    /// would take the answer away from it (RFC 9112 §9.6).
    pub fn must_linger(&self) -> bool {
        let inner = self.inner.borrow();
        let Reading::Http1(framing) = &inner.reading else { return false };
        let has_unread = inner.refusal.is_some() || framing.is_inside_body();
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

    /// Looks at the clock after the watch has run out: whose time is up, if anybody's.
    /// Otherwise the watch is set anew.
    pub fn expired(&self) -> Option<Expiry> {
        let inner = self.inner.borrow();
        let now = self.watch.ticker().now();
        let expired = self.limit(&inner).filter(|&(deadline, _)| now >= deadline);
        if expired.is_none() {
            self.arm(&inner);
        }
        expired.map(|(_, expiry)| expiry)
    }

    /// Sets the watch to what is due next.
    fn arm(&self, inner: &Inner) {
        match self.limit(inner) {
            Some((deadline, _)) => self.watch.set_at(deadline),
            None => self.watch.clear(),
        }
    }

    /// What is due next, and when.
    fn limit(&self, inner: &Inner) -> Option<(Millis, Expiry)> {
        let is_idle = self.is_idle();
        let stalled =
            inner.stalled_since.map(|since| (deadline(since, self.times.stall), Expiry::Stalled));
        let head = match &inner.reading {
            // The next head waits until the request before it has been answered.
            Reading::Http1(_) => inner.head_since.filter(|_| is_idle),
            // Nothing else can be read before the header block has ended.
            Reading::Http2(frames) => frames.block_since(),
        };
        let head = head.map(|since| (deadline(since, self.times.header), Expiry::Head));
        if let Some(first) = stalled.into_iter().chain(head).min_by_key(|&(at, _)| at) {
            return Some(first);
        }
        let idle = match inner.has_read {
            false => self.times.header,
            true if self.is_ending.get() => self.times.keep_alive.min(LAST_IDLE),
            true => self.times.keep_alive,
        };
        is_idle.then(|| (deadline(inner.idle_since, idle), Expiry::Idle))
    }

    /// Refuses a head that did not come to its end in time.
    pub fn time_out(&self, cx: &mut Context<'_>) {
        self.answer(&mut self.inner.borrow_mut(), Refusal::HeadTimeout, cx);
    }

    /// Writes the answer to a refused head, as far as the transport takes it at once.
    fn answer(&self, inner: &mut Inner, refusal: Refusal, cx: &mut Context<'_>) {
        inner.refusal = Some(refusal);
        let is_free = self.is_idle() && inner.stalled_since.is_none();
        if is_free && matches!(inner.reading, Reading::Http1(_)) {
            let response = refusal.response();
            let stream = &mut inner.stream;
            if Pin::new(&mut *stream).poll_write(cx, response.as_bytes()).is_ready() {
                let _ = Pin::new(stream).poll_flush(cx);
            }
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

    fn read(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.inner.borrow_mut();
        if self.is_upgraded.get() {
            return inner.wait(cx); // what comes now belongs to the other protocol
        }
        if inner.refusal.is_some() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if let Some(refusal) = inner.deferred {
            return self.refuse(inner, refusal, cx);
        }
        if inner.is_holding {
            return inner.hold(cx);
        }
        let before = buf.filled().len();
        if inner.held.is_empty() {
            match Pin::new(&mut inner.stream).poll_read(cx, buf) {
                Poll::Ready(Ok(())) => {}
                unread @ (Poll::Pending | Poll::Ready(Err(_))) => return unread,
            }
        } else {
            let length = inner.held.len().min(buf.remaining());
            buf.put_slice(inner.held.get(..length).unwrap_or_default());
            inner.held.drain(..length);
        }
        let read = buf.filled().get(before..).unwrap_or_default();
        if read.is_empty() {
            inner.has_ended = true;
            return Poll::Ready(Ok(()));
        }
        inner.bytes_in += u64::try_from(read.len()).unwrap_or(0);
        inner.has_read = true;
        let now = self.watch.ticker().now();
        match &mut inner.reading {
            Reading::Http2(frames) => match frames.feed(read, now) {
                Ok(()) => {
                    if frames.block_since() == Some(now) {
                        self.arm(inner);
                    }
                    Poll::Ready(Ok(()))
                }
                Err(refusal) => self.refuse(inner, refusal, cx),
            },
            Reading::Http1(framing) => match framing.feed(read) {
                Ok(seen) => {
                    if !seen.inside_head {
                        inner.head_since = None;
                    } else if inner.head_since.is_none() || framing.boundary() > 0 {
                        inner.head_since = Some(now);
                        self.arm(inner);
                    }
                    if let Some(at) = seen.upgrade_at {
                        let mut beyond = read.get(at..).unwrap_or_default().to_vec();
                        beyond.append(&mut inner.held);
                        inner.held = beyond;
                        inner.is_holding = true;
                        buf.set_filled(before + at);
                    }
                    Poll::Ready(Ok(()))
                }
                Err(refusal) => {
                    let good = framing.boundary();
                    buf.set_filled(before + good);
                    if good == 0 {
                        return self.refuse(inner, refusal, cx);
                    }
                    // The messages before it are good and are answered first.
                    inner.head_since = None;
                    inner.deferred = Some(refusal);
                    Poll::Ready(Ok(()))
                }
            },
        }
    }

    /// Ends the reading; a head that is refused behind a request under way is refused once that
    /// has been answered.
    fn refuse(
        &self,
        inner: &mut Inner,
        refusal: Refusal,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if let Reading::Http1(framing) = &inner.reading
            && !framing.is_inside_body()
            && (!self.is_idle()
                || inner.stalled_since.is_some()
                || framing.completed() > self.begun.get())
        {
            inner.deferred = Some(refusal);
            return inner.wait(cx);
        }
        self.answer(inner, refusal, cx);
        Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
    }

    fn wrote(&self, inner: &mut Inner, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Pending if inner.stalled_since.is_none() => {
                inner.stalled_since = Some(self.watch.ticker().now());
                self.arm(inner);
            }
            Poll::Ready(Ok(length)) => {
                inner.bytes_out += u64::try_from(*length).unwrap_or(0);
                if let Reading::Http2(frames) = &mut inner.reading {
                    frames.sent(*length);
                }
                if self.is_ending.get() {
                    inner.idle_since = self.watch.ticker().now(); // what is left is on its way
                }
                if inner.stalled_since.take().is_some() {
                    inner.idle_since = self.watch.ticker().now();
                    if inner.deferred.is_some() {
                        inner.wake_reader();
                    }
                    self.arm(inner);
                }
            }
            Poll::Pending | Poll::Ready(Err(_)) => {}
        }
        result
    }
}

impl Inner {
    /// Waits for what no socket will tell: see [`Inner::wake_reader`].
    fn wait(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Reads on while an upgrade is being decided, without giving anything to the engine.
    /// A little is kept for the protocol to come; more is not read.
    fn hold(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        const MOST: usize = 16 * 1024;
        if self.held.len() >= MOST {
            return self.wait(cx);
        }
        let mut room = [0; 1024];
        let mut buf = ReadBuf::new(&mut room);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
            Poll::Pending => self.wait(cx), // for the socket, or for the decision
            Poll::Ready(Ok(())) if buf.filled().is_empty() => {
                self.has_ended = true;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Ok(())) => {
                self.held.extend_from_slice(buf.filled());
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// When the time is up that began at `since`: never early, though `since` is coarse.
fn deadline(since: Millis, limit: Duration) -> Millis {
    since.saturating_add(millis(limit)).saturating_add(millis(TICK))
}

fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// Held while a request is under way; see [`Wire::begin`].
#[derive(Debug)]
pub struct UnderWay(Rc<Wire>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The transport as the HTTP engine sees it.
#[derive(Debug)]
pub struct Guarded(pub Rc<Wire>);

impl AsyncRead for Guarded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let inner = &mut *self.0.inner.borrow_mut();
        let result = Pin::new(&mut inner.stream).poll_write(cx, buf);
        self.0.wrote(inner, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let inner = &mut *self.0.inner.borrow_mut();
        let result = Pin::new(&mut inner.stream).poll_write_vectored(cx, bufs);
        self.0.wrote(inner, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.inner.borrow().stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.0.inner.borrow_mut();
        Pin::new(&mut inner.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.is_upgraded.get() {
            return Poll::Ready(Ok(())); // the transport lives on in another protocol
        }
        let inner = &mut *self.0.inner.borrow_mut();
        Pin::new(&mut inner.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
