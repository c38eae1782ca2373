//! One request and its response on one upstream connection, all within the task of the client's
//! connection: no channel, no second task, no wake-up from one to the other.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::TcpStream;

use super::ForwardError;
use super::body::UpstreamBody;
use super::connection::{Connection, SendError, Sending, Upload, Wait, poll_sending};
use super::head::{self, ResponseHead};
use super::pool::{Lease, Pool};
use crate::route::upstream::{Times, Upstream};

/// What is to be sent, apart from its head.
#[derive(Debug)]
pub struct Outgoing {
    /// The body, if the request has one.
    pub upload: Option<Upload>,
    /// Whether the method is idempotent (RFC 9110 §9.2.2): only then may a request that met a
    /// connection which the upstream was closing be sent once more.
    pub is_idempotent: bool,
    /// Whether the response has no body whatever its head says.
    pub is_head: bool,
    /// How long the client may be silent within the request's body.
    pub client_idle: Duration,
}

/// A response whose head has arrived.
#[derive(Debug)]
pub struct Response {
    /// The head.
    pub head: ResponseHead,
    /// What is left of the exchange: the body, or the connection of a 101.
    pub rest: Active,
    /// Whether the request went out on a connection that had served others before.
    pub was_reused: bool,
}

/// An exchange under way.
#[derive(Debug)]
pub struct Active {
    pub(super) connection: Box<Connection>,
    pub(super) upload: Option<Upload>,
    pub(super) lease: Lease,
    pub(super) pool: Rc<Pool>,
    pub(super) times: Times,
    pub(super) client_idle: Duration,
}

/// An upstream's connection that speaks another protocol from now on.
#[derive(Debug)]
pub struct Tunnel {
    /// The connection.
    pub upstream: TcpStream,
    /// What has been read from it already.
    pub early: BytesMut,
    /// Its place among the upstream's connections.
    pub lease: Lease,
}

impl Response {
    /// Turns into the body, giving the connection back as soon as it has ended.
    #[must_use]
    pub fn into_body(self) -> (ResponseHead, UpstreamBody) {
        let body = UpstreamBody::new(&self.head, self.rest);
        (self.head, body)
    }
}

/// Sends a request and waits for the head of its response.
///
/// # Errors
///
/// [`ForwardError`]; unless it says otherwise nothing was answered to the client yet.
pub async fn send(
    pool: &Rc<Pool>,
    upstream: &Upstream,
    outgoing: Outgoing,
    write_head: impl Fn(&mut Vec<u8>),
) -> Result<Response, ForwardError> {
    let Outgoing { mut upload, is_idempotent, is_head, client_idle } = outgoing;
    loop {
        let (connection, lease) = match pool.take() {
            Some(idle) => idle,
            // Boxed: it is seldom needed, and would make every request's future larger.
            None => Box::pin(pool.open(upstream)).await?,
        };
        let was_reused = connection.is_reused;
        let pool = Rc::clone(pool);
        let times = upstream.times;
        let mut active = Active { connection, upload, lease, pool, times, client_idle };
        active.connection.begin(&write_head);
        let mut sent_upstream_error = None;
        let result = poll_fn(|cx| active.poll_head(cx, is_head, &mut sent_upstream_error)).await;
        match result {
            Ok(head) => return Ok(Response { head, rest: active, was_reused }),
            Err(ForwardError::Closed) if was_reused && is_idempotent && active.is_untouched() => {
                upload = active.upload;
            }
            Err(error) => return Err(error),
        }
    }
}

impl Active {
    /// Takes the connection for another protocol, with what has been read from it.
    #[must_use]
    pub fn into_tunnel(self) -> Tunnel {
        let (upstream, early) = self.connection.into_stream();
        Tunnel { upstream, early, lease: self.lease }
    }

    /// Whether neither a byte of a response arrived nor one of the body was taken.
    fn is_untouched(&self) -> bool {
        self.connection.input.is_empty()
            && self.upload.as_ref().is_none_or(|upload| !upload.is_started)
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        is_head: bool,
        write_error: &mut Option<std::io::Error>,
    ) -> Poll<Result<ResponseHead, ForwardError>> {
        let mut sending = Sending::Done;
        if write_error.is_none() {
            match poll_sending(&mut self.connection, &mut self.upload, cx) {
                Ok(state) => sending = state,
                Err(SendError::Request(error)) => return Poll::Ready(Err(error)),
                // The upstream may have answered before it closed: read on.
                Err(SendError::Upstream(error)) => *write_error = Some(error),
            }
        }
        loop {
            match head::take(&mut self.connection.input, is_head) {
                Ok(Some(head)) => {
                    self.connection.progressed();
                    return Poll::Ready(Ok(head));
                }
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(ForwardError::Head(error))),
            }
            match self.connection.poll_fill(cx, 0) {
                Poll::Ready(Ok(0)) => {
                    let error = if self.connection.input.is_empty() {
                        ForwardError::Closed
                    } else {
                        ForwardError::Head(head::HeadError::Malformed)
                    };
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Err(ForwardError::Closed)),
                Poll::Pending => break,
            }
        }
        let (wait, limit, error) = match sending {
            Sending::Client => (Wait::Client, self.client_idle, ForwardError::ClientTimeout),
            Sending::Upstream => (Wait::Upstream, self.times.idle, ForwardError::FirstByteTimeout),
            Sending::Done => {
                (Wait::FirstByte, self.times.first_byte, ForwardError::FirstByteTimeout)
            }
        };
        if self.connection.poll_overdue(cx, wait, limit) {
            return Poll::Ready(Err(error));
        }
        Poll::Pending
    }
}
