//! One connection to an upstream, and the sending of one request on it.

use std::cell::Cell;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::ForwardError;
use super::head::Room;
use crate::clock::ticker::{Millis, Watch};

const READ_SMALL: usize = 8 * 1024;
const READ_LARGE: usize = 128 * 1024;

/// From when on a connection's silence is checked.
const LONG_REST: Millis = 500;

/// A connection to an upstream. It belongs to one exchange at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// Read and not yet consumed.
    pub(super) input: BytesMut,
    pub(super) room: Room,
    /// To be written before anything of a request's body.
    pub(super) output: Vec<u8>,
    written: usize,
    /// Checked by every exchange in turn.
    pub(super) watch: Watch,
    /// Whether it has served a request before.
    pub(super) is_reused: bool,
    pub(super) idle_since: Millis,
    waiting: Option<Wait>,
}

/// What an exchange is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The client's next piece of the request body.
    Client,
    /// The response head.
    FirstByte,
    /// The upstream to take bytes, or to send more of a body.
    Upstream,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, watch: Watch) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            room: Room::default(),
            output: Vec::with_capacity(1024),
            written: 0,
            watch,
            is_reused: false,
            idle_since: 0,
            waiting: None,
        }
    }

    /// Begins another request: what was to be written for the one before is forgotten.
    pub(super) fn begin(&mut self, write_head: impl FnOnce(&mut Vec<u8>)) {
        self.output.clear();
        self.written = 0;
        write_head(&mut self.output);
    }

    /// Whether an idle connection is still open and silent. After a short rest that is told by
    /// what the event loop has heard; after a long one the kernel is asked, because a loop under
    /// load hears of a close late, and a request sent into one may not be sent again.
    pub(super) fn is_alive(&self, now: Millis) -> bool {
        let is_silent = |error: io::Error| error.kind() == io::ErrorKind::WouldBlock;
        let is_heard = || self.stream.try_read(&mut [0; 1]).is_err_and(is_silent);
        let is_asked = || {
            let socket = socket2::SockRef::from(&self.stream);
            socket.peek(&mut [MaybeUninit::uninit(); 1]).is_err_and(is_silent)
        };
        let has_rested = now.saturating_sub(self.idle_since) > LONG_REST;
        self.input.is_empty() && is_heard() && (!has_rested || is_asked())
    }

    /// Takes the transport and what has been read from it, for another protocol.
    pub(super) fn into_stream(self) -> (TcpStream, BytesMut) {
        (self.stream, self.input)
    }

    /// Reads more, up to `hint` bytes expected. `Ok(0)` is the end.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>, hint: u64) -> Poll<io::Result<usize>> {
        let room = if hint > READ_SMALL as u64 { READ_LARGE } else { READ_SMALL };
        self.input.reserve(room.min(READ_LARGE));
        let Self { stream, input, .. } = self;
        let read = std::pin::pin!(tokio::io::AsyncReadExt::read_buf(stream, input));
        Future::poll(read, cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_slices(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn poll_flush_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.output.get(self.written..).filter(|rest| !rest.is_empty()) {
            let length = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += length;
        }
        self.output.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Sets the deadline when what is waited for changes; [`Connection::progressed`] makes the
    /// next wait a new one. True if the time is up.
    pub(super) fn poll_overdue(&mut self, cx: &Context<'_>, wait: Wait, limit: Duration) -> bool {
        if self.waiting != Some(wait) {
            self.waiting = Some(wait);
            self.watch.set(limit);
        }
        self.watch.poll_expired(cx)
    }

    /// Something arrived or left.
    pub(super) fn progressed(&mut self) {
        self.waiting = None;
    }

    /// Puts the connection to rest.
    pub(super) fn rest(&mut self, now: Millis) {
        self.waiting = None;
        self.watch.clear();
        self.is_reused = true;
        self.idle_since = now;
    }
}

/// The rest of a request's body on its way to the upstream.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what has happened, each on its own")]
pub struct Upload {
    /// `None`: all of it is in `data`.
    body: Option<Incoming>,
    is_chunked: bool,
    left: Option<u64>,
    prefix: Bytes,
    data: Bytes,
    suffix: &'static [u8],
    has_ended: bool,
    is_broken: bool,
    /// Whether any of it was taken from the client: from then on the request can't be sent
    /// to another connection.
    pub(super) is_started: bool,
    /// Bytes taken from the client so far.
    taken: Rc<Cell<u64>>,
}

impl Upload {
    /// A body to be sent with the chunked coding, or by its length; `limit` bounds its bytes,
    /// `taken` counts them.
    #[must_use]
    pub fn new(body: Incoming, is_chunked: bool, limit: Option<u64>, taken: Rc<Cell<u64>>) -> Self {
        Self {
            body: Some(body),
            is_chunked,
            left: limit,
            prefix: Bytes::new(),
            data: Bytes::new(),
            suffix: b"",
            has_ended: false,
            is_broken: false,
            is_started: false,
            taken,
        }
    }

    /// A body that was decided on as a whole.
    #[must_use]
    pub fn whole(data: Bytes, taken: Rc<Cell<u64>>) -> Self {
        Self {
            body: None,
            is_chunked: false,
            left: None,
            prefix: Bytes::new(),
            data,
            suffix: b"",
            has_ended: true,
            is_broken: false,
            is_started: true,
            taken,
        }
    }

    fn is_drained(&self) -> bool {
        self.prefix.is_empty() && self.data.is_empty() && self.suffix.is_empty()
    }

    /// Takes the next piece from the client. Ready when there is something to write, or
    /// nothing will follow.
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ForwardError>> {
        loop {
            self.is_started = true;
            let Some(body) = &mut self.body else { return Poll::Ready(Ok(())) };
            match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Trailers are dropped: they came after the decision.
                    let Ok(data) = frame.into_data() else { continue };
                    if data.is_empty() {
                        continue;
                    }
                    let length = data.len() as u64;
                    self.taken.set(self.taken.get() + length);
                    if let Some(left) = &mut self.left {
                        *left = left.checked_sub(length).ok_or(ForwardError::BodyTooLarge)?;
                    }
                    if self.is_chunked {
                        self.prefix = Bytes::from(format!("{:x}\r\n", data.len()));
                        self.suffix = b"\r\n";
                    }
                    self.data = data;
                }
                Some(Err(error)) => return Poll::Ready(Err(ForwardError::Client(error))),
                None => {
                    self.has_ended = true;
                    if self.is_chunked {
                        self.suffix = b"0\r\n\r\n";
                    }
                }
            }
            return Poll::Ready(Ok(()));
        }
    }

    /// Sends what can be sent. Ready once the whole body is with the upstream.
    fn poll_send(
        &mut self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        loop {
            if self.is_drained() {
                if self.has_ended {
                    return Poll::Ready(Ok(()));
                }
                match self.poll_take(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(result) => result.map_err(SendError::Request)?,
                }
                continue;
            }
            let written = if self.is_chunked {
                let slices = [
                    io::IoSlice::new(&self.prefix),
                    io::IoSlice::new(&self.data),
                    io::IoSlice::new(self.suffix),
                ];
                ready!(connection.poll_write_slices(cx, &slices))
            } else {
                ready!(connection.poll_write(cx, &self.data))
            };
            let mut written = written.map_err(SendError::Upstream)?;
            if written == 0 {
                return Poll::Ready(Err(SendError::Upstream(io::ErrorKind::WriteZero.into())));
            }
            connection.progressed();
            for part in [&mut self.prefix, &mut self.data] {
                let length = written.min(part.len());
                part.advance(length);
                written -= length;
            }
            self.suffix = self.suffix.get(written..).unwrap_or_default();
        }
    }

    /// Gives up on the rest: the request can no longer be completed.
    pub(super) fn abandon(&mut self) {
        self.is_broken = true;
    }

    /// Whether it was given up.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether it waits for the client rather than for the upstream.
    fn waits_for_client(&self) -> bool {
        self.is_drained()
    }
}

/// What went wrong while a request was sent.
#[derive(Debug)]
pub(super) enum SendError {
    /// With the client's side of it: the exchange is over.
    Request(ForwardError),
    /// With the upstream: it may have answered all the same.
    Upstream(io::Error),
}

/// How far the sending of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// It waits for the client.
    Client,
    /// It is complete.
    Done,
    /// It waits for the upstream to take more.
    Upstream,
}

/// Drives the sending: first the head, then the body as it comes.
pub(super) fn poll_sending(
    connection: &mut Connection,
    upload: &mut Option<Box<Upload>>,
    cx: &mut Context<'_>,
) -> Result<Sending, SendError> {
    if !connection.output.is_empty() {
        match connection.poll_flush_output(cx) {
            Poll::Pending => return Ok(Sending::Upstream),
            Poll::Ready(result) => result.map_err(SendError::Upstream)?,
        }
    }
    let Some(body) = upload else { return Ok(Sending::Done) };
    match body.poll_send(connection, cx) {
        Poll::Pending if body.waits_for_client() => Ok(Sending::Client),
        Poll::Pending => Ok(Sending::Upstream),
        Poll::Ready(Ok(())) => {
            *upload = None;
            Ok(Sending::Done)
        }
        Poll::Ready(Err(error)) => Err(error),
    }
}

/// Copies bytes both ways between a client and an upstream until both have ended.
///
/// # Errors
///
/// The first error of either side.
pub async fn tunnel(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    mut upstream: TcpStream,
) -> io::Result<(u64, u64)> {
    tokio::io::copy_bidirectional_with_sizes(&mut client, &mut upstream, READ_SMALL, READ_SMALL)
        .await
}
