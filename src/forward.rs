//! Sends a permitted request to its upstream and streams the answer back.
//!
//! Only a [`Permit`](crate::policy::Permit) can be forwarded, and what is sent is serialised
//! from it: no byte of the client's request line or head is copied unread.

pub mod active;
pub mod body;
pub mod chunked;
pub mod connection;
pub mod exchange;
pub mod fields;
pub mod head;
pub mod pool;

use std::io;

/// Why an upstream gave no answer that could be passed on.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The request body exceeds the route's limit.
    #[error("the request body exceeds the limit")]
    BodyTooLarge,
    /// The client's body broke off.
    #[error("the client's request body broke off")]
    Client(#[source] hyper::Error),
    /// The client was silent for too long within its body.
    #[error("the client was silent for too long within its body")]
    ClientTimeout,
    /// The upstream closed without an answer.
    #[error("the upstream closed its connection without an answer")]
    Closed,
    /// No connection could be made.
    #[error("the upstream cannot be reached")]
    Connect(#[source] io::Error),
    /// No connection was made in time.
    #[error("the upstream did not accept the connection in time")]
    ConnectTimeout,
    /// The worker has as many connections to the upstream as it may.
    #[error("all connections to the upstream are in use")]
    Exhausted,
    /// The request was complete and no answer came in time.
    #[error("the upstream did not answer in time")]
    FirstByteTimeout,
    /// The answer's head cannot be passed on.
    #[error(transparent)]
    Head(#[from] head::HeadError),
    /// 101 to a request that had not asked for it, or for another protocol.
    #[error("the upstream switched protocols unasked")]
    UnaskedUpgrade,
}
