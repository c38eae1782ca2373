//! An exchange under way: what has to be sent and read until the response's head has arrived.

use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::TcpStream;

use super::ForwardError;
use super::connection::{Connection, SendError, Sending, Upload, Wait, poll_sending};
use super::head::{self, ResponseHead};
use super::pool::{Lease, Pool};
use crate::route::upstream::Times;

/// An exchange under way.
#[derive(Debug)]
pub struct Active {
    pub(super) connection: Box<Connection>,
    pub(super) upload: Option<Box<Upload>>,
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

impl Active {
    /// Takes the connection for another protocol, with what has been read from it.
    #[must_use]
    pub fn into_tunnel(self) -> Tunnel {
        let (upstream, early) = self.connection.into_stream();
        Tunnel { upstream, early, lease: self.lease }
    }

    /// Whether neither a byte of a response arrived nor one of the body was taken.
    pub(super) fn is_untouched(&self) -> bool {
        self.connection.input.is_empty()
            && self.upload.as_ref().is_none_or(|upload| !upload.is_started)
    }

    /// Drives the sending, and takes the head of the response once it has arrived.
    pub(super) fn poll_head(
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
            let Connection { input, room, .. } = &mut *self.connection;
            match head::take(input, room, is_head) {
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
