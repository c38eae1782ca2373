//! The body of an upstream's response, read as the client takes it: a client that does not
//! read stops the reading from the upstream (back-pressure), and no byte is held twice.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::active::Active;
use super::chunked::{Chunked, Decoded, Malformed};
use super::connection::{SendError, Sending, Wait, poll_sending};
use super::head::{Framing, ResponseHead};

/// Why a response ended before its end. The client's connection is closed, so that it can
/// tell.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The chunked coding is broken.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The upstream closed before the end.
    #[error("the upstream closed its connection within a body")]
    Closed,
    /// Whoever it was for was ended.
    #[error("whoever the body was for was disabled, removed or ended otherwise")]
    Ended,
    /// The upstream was silent for too long.
    #[error("the upstream was silent for too long within a body")]
    Timeout,
    /// It names places, and cannot be read.
    #[error("the upstream's answer cannot be translated")]
    Untranslatable,
    /// Reading failed.
    #[error("the upstream's connection failed within a body")]
    Io(#[from] io::Error),
}

#[derive(Clone, Copy, Debug)]
enum State {
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

/// A response body on its way.
#[derive(Debug)]
pub struct UpstreamBody {
    /// `None` once the exchange is over.
    active: Option<Active>,
    /// All of a body that came with its head.
    whole: Option<Bytes>,
    state: State,
    is_persistent: bool,
}

impl UpstreamBody {
    pub(super) fn new(head: &ResponseHead, active: Active) -> Self {
        let state = match head.framing {
            Framing::Chunked => State::Chunked(Chunked::Size),
            Framing::Length(length) => State::Length(length),
            Framing::UntilClose => State::UntilClose,
        };
        let is_persistent = head.is_persistent;
        let mut body = Self { active: Some(active), whole: None, state, is_persistent };
        body.take_whole();
        body
    }

    /// Ends the exchange at once if the whole body has arrived already.
    fn take_whole(&mut self) {
        let State::Length(length) = self.state else { return };
        let Some(active) = &mut self.active else { return };
        if active.upload.is_some() || (active.connection.input.len() as u64) < length {
            return;
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > 0 {
            self.whole = Some(active.connection.input.split_to(length).freeze());
        }
        self.state = State::Length(0);
        self.finish();
    }

    /// The length of the whole body if it is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match (&self.whole, self.state) {
            (Some(whole), _) => Some(whole.len() as u64),
            (None, State::Length(left)) => Some(left),
            (None, State::Chunked(_) | State::UntilClose) => None,
        }
    }

    /// The whole body if the exchange with the upstream is over, else itself.
    ///
    /// # Errors
    ///
    /// The body is still on its way.
    #[expect(clippy::result_large_err, reason = "the body itself, moved and not boxed")]
    pub fn into_whole(mut self) -> Result<Bytes, Self> {
        if self.active.is_some() { Err(self) } else { Ok(self.whole.take().unwrap_or_default()) }
    }

    /// Gives the connection back if it can serve another request.
    fn finish(&mut self) {
        let Some(active) = self.active.take() else { return };
        let is_clean = active.upload.is_none() && active.connection.input.is_empty();
        if self.is_persistent && is_clean {
            active.pool.put(active.connection, active.lease);
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            let Some(active) = &mut self.active else { return Poll::Ready(None) };
            let sending = drive_upload(active, cx);
            let input = &mut active.connection.input;
            let hint = match &mut self.state {
                State::Length(0) => {
                    self.finish();
                    return Poll::Ready(None);
                }
                State::Length(left) => {
                    if !input.is_empty() {
                        let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                        *left -= length as u64;
                        let data = input.split_to(length).freeze();
                        if *left == 0 {
                            self.finish();
                        }
                        return Poll::Ready(Some(Ok(data)));
                    }
                    *left
                }
                State::Chunked(chunked) => match chunked.decode(input) {
                    Ok(Decoded::Data(data)) => return Poll::Ready(Some(Ok(data))),
                    Ok(Decoded::Incomplete) => u64::MAX,
                    Ok(Decoded::End) => {
                        self.finish();
                        return Poll::Ready(None);
                    }
                    Err(error) => return Poll::Ready(Some(Err(self.fail(error.into())))),
                },
                State::UntilClose => {
                    if !input.is_empty() {
                        return Poll::Ready(Some(Ok(input.split().freeze())));
                    }
                    u64::MAX
                }
            };
            match active.connection.poll_fill(cx, hint) {
                Poll::Ready(Ok(0)) => {
                    let is_end = matches!(self.state, State::UntilClose);
                    if is_end {
                        self.active = None;
                        return Poll::Ready(None);
                    }
                    return Poll::Ready(Some(Err(self.fail(BodyError::Closed))));
                }
                Poll::Ready(Ok(_)) => active.connection.progressed(),
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Some(Err(self.fail(error.into()))));
                }
                Poll::Pending => {
                    let (wait, limit) = match sending {
                        Sending::Client => (Wait::Client, active.client_idle),
                        Sending::Upstream | Sending::Done => (Wait::Upstream, active.times.idle),
                    };
                    if active.connection.poll_overdue(cx, wait, limit) {
                        return Poll::Ready(Some(Err(self.fail(BodyError::Timeout))));
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    fn fail(&mut self, error: BodyError) -> BodyError {
        self.active = None;
        error
    }
}

/// Goes on sending a request body whose response has begun. What fails there is no failure of
/// the response, but the connection is not used again.
fn drive_upload(active: &mut Active, cx: &mut Context<'_>) -> Sending {
    if active.upload.as_ref().is_none_or(|upload| upload.is_broken()) {
        return Sending::Done;
    }
    match poll_sending(&mut active.connection, &mut active.upload, cx) {
        Ok(sending) => sending,
        Err(SendError::Request(_) | SendError::Upstream(_)) => {
            if let Some(upload) = &mut active.upload {
                upload.abandon();
            }
            Sending::Done
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(whole) = this.whole.take() {
            return Poll::Ready(Some(Ok(Frame::data(whole))));
        }
        this.poll_data(cx).map(|data| data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.whole.is_none() && self.active.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
