//! The transport as the HTTP engine sees it: every byte in is read strictly before it is handed
//! on, every byte out moves the deadline.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::refusal::Refusal;
use super::{Inner, Reading, Wire};

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
        let result = Pin::new(&mut inner.stream).poll_flush(cx);
        if let Poll::Ready(Ok(())) = result {
            self.0.is_flushed.set(true);
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.0.is_handed_over.get() {
            return Poll::Ready(Ok(())); // the transport lives on without the engine
        }
        let inner = &mut *self.0.inner.borrow_mut();
        Pin::new(&mut inner.stream).poll_shutdown(cx)
    }
}

impl Wire {
    fn read(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.inner.borrow_mut();
        if self.is_handed_over.get() {
            return inner.wait(cx); // what comes now is not the engine's
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
        self.is_flushed.set(false);
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
}
