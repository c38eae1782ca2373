//! One request and its response on one upstream connection, all within the task of the client's
//! connection: no channel, no second task, no wake-up from one to the other.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use super::ForwardError;
use super::active::Active;
use super::body::UpstreamBody;
use super::connection::Upload;
use super::head::ResponseHead;
use super::pool::Pool;
use crate::route::upstream::Upstream;

/// What is to be sent, apart from its head.
#[derive(Debug)]
pub struct Outgoing {
    /// The body, if the request has one; in a box, since most have none and all are moved.
    pub upload: Option<Box<Upload>>,
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
