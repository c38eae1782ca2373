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
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::frames::{FrameLimits, Frames};
use self::framing::{Framing, HeadLimits};
use self::refusal::Refusal;
use self::stream::Stream;
use crate::clock::ticker::{Millis, Watch};

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
    /// Between requests: it may be closed without a word.
    Idle,
    /// In the middle of a head.
    Head,
    /// The client stopped reading.
    Stalled,
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
    refusal: Option<Refusal>,
    has_read: bool,
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
    /// Set when the response was 101: the transport must outlive the engine.
    is_upgraded: Cell<bool>,
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
        watch.set(times.header);
        let inner = Inner {
            stream,
            reading,
            held: Vec::new(),
            is_holding: false,
            refusal: None,
            has_read: false,
            idle_since: now,
            head_since: None,
            stalled_since: None,
            bytes_in: 0,
            bytes_out: 0,
        };
        Rc::new(Self {
            inner: RefCell::new(inner),
            under_way: Cell::new(0),
            is_upgraded: Cell::new(false),
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
        self.watch.clear();
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

    /// Notes that an upgrade was asked for and not granted: what was held is read as HTTP.
    pub fn resume(&self) {
        let mut inner = self.inner.borrow_mut();
        if inner.is_holding {
            inner.is_holding = false;
            if let Reading::Http1(framing) = &mut inner.reading {
                framing.resume();
            }
        }
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
        let (since, limit, expiry) = if let Some(since) = inner.stalled_since {
            (since, self.times.stall, Expiry::Stalled)
        } else if let Some(since) = inner.head_began() {
            (since, self.times.header, Expiry::Head)
        } else if self.under_way.get() > 0 {
            self.watch.clear();
            return None;
        } else if inner.has_read {
            (inner.idle_since, self.times.keep_alive, Expiry::Idle)
        } else {
            (inner.idle_since, self.times.header, Expiry::Head)
        };
        let deadline = since.saturating_add(millis(limit));
        if now >= deadline {
            return Some(expiry);
        }
        self.watch.set_at(deadline);
        None
    }

    /// Writes the answer to a refused head, as far as the transport takes it at once.
    pub fn answer(&self, refusal: Refusal, cx: &mut Context<'_>) {
        let mut inner = self.inner.borrow_mut();
        inner.refusal = Some(refusal);
        if matches!(inner.reading, Reading::Http1(_)) {
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
        inner.idle_since = self.watch.ticker().now();
        if inner.stalled_since.is_none() {
            let limit =
                if inner.head_since.is_some() { self.times.header } else { self.times.keep_alive };
            self.watch.set(limit);
        }
    }

    fn read(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.inner.borrow_mut();
        if inner.refusal.is_some() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if inner.is_holding {
            return self.hold(inner, cx);
        }
        let before = buf.filled().len();
        let was_held = !inner.held.is_empty();
        if was_held {
            let length = inner.held.len().min(buf.remaining());
            buf.put_slice(inner.held.get(..length).unwrap_or_default());
            inner.held.drain(..length);
        } else {
            match Pin::new(&mut inner.stream).poll_read(cx, buf) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
        }
        let read = buf.filled().get(before..).unwrap_or_default();
        if read.is_empty() {
            return Poll::Ready(Ok(()));
        }
        inner.bytes_in += u64::try_from(read.len()).unwrap_or(0);
        inner.has_read = true;
        let now = self.watch.ticker().now();
        match &mut inner.reading {
            Reading::Http2(frames) => match frames.feed(read, now) {
                Ok(()) => {
                    if frames.block_since() == Some(now) {
                        self.watch.set(self.times.header);
                    }
                }
                Err(refusal) => return self.refuse(inner, refusal, cx),
            },
            Reading::Http1(framing) => match framing.feed(read) {
                Ok(seen) => {
                    if !seen.inside_head {
                        inner.head_since = None;
                    } else if inner.head_since.is_none() {
                        inner.head_since = Some(now);
                        if self.under_way.get() == 0 {
                            self.watch.set(self.times.header);
                        }
                    }
                    if let Some(at) = seen.upgrade_at {
                        let mut beyond = read.get(at..).unwrap_or_default().to_vec();
                        beyond.append(&mut inner.held);
                        inner.held = beyond;
                        inner.is_holding = true;
                        buf.set_filled(before + at);
                    }
                }
                Err(refusal) => return self.refuse(inner, refusal, cx),
            },
        }
        Poll::Ready(Ok(()))
    }

    /// Reads on while an upgrade is being decided, without giving anything to the engine.
    /// A little is kept for the protocol to come; more is not read.
    fn hold(&self, inner: &mut Inner, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        const MOST: usize = 16 * 1024;
        if inner.held.len() >= MOST || self.is_upgraded.get() {
            return Poll::Pending; // woken by the engine once the upgrade has been decided
        }
        let mut room = [0; 1024];
        let mut buf = ReadBuf::new(&mut room);
        match Pin::new(&mut inner.stream).poll_read(cx, &mut buf) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) if buf.filled().is_empty() => Poll::Ready(Ok(())),
            Poll::Ready(Ok(())) => {
                inner.held.extend_from_slice(buf.filled());
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }

    fn refuse(
        &self,
        inner: &mut Inner,
        refusal: Refusal,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        inner.refusal = Some(refusal);
        if self.under_way.get() == 0 && matches!(inner.reading, Reading::Http1(_)) {
            let response = refusal.response();
            if Pin::new(&mut inner.stream).poll_write(cx, response.as_bytes()).is_ready() {
                let _ = Pin::new(&mut inner.stream).poll_flush(cx);
            }
        }
        Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
    }

    fn wrote(&self, inner: &mut Inner, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Pending if inner.stalled_since.is_none() => {
                inner.stalled_since = Some(self.watch.ticker().now());
                self.watch.set(self.times.stall);
            }
            Poll::Ready(Ok(length)) => {
                inner.bytes_out += u64::try_from(*length).unwrap_or(0);
                if let Reading::Http2(frames) = &mut inner.reading {
                    frames.sent(*length);
                }
                if inner.stalled_since.take().is_some() {
                    if self.under_way.get() > 0 {
                        self.watch.clear();
                    } else {
                        self.watch.set(self.times.keep_alive);
                    }
                }
            }
            Poll::Pending | Poll::Ready(Err(_)) => {}
        }
        result
    }
}

impl Inner {
    fn head_began(&self) -> Option<Millis> {
        match &self.reading {
            Reading::Http1(_) => self.head_since,
            Reading::Http2(frames) => frames.block_since(),
        }
    }
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
