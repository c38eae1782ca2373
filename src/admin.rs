//! The admin listener: what an operator's tools ask a running gateway, apart from the data plane.
//!
//! It listens on loopback or a Unix socket (mode 0600) unless told otherwise. A page in somebody's
//! browser must not reach it: requests with an `Origin`, from another site, or for a host name
//! that is not this machine's are refused. What changes something is for local peers only, and
//! users, keys, tokens and decisions are for the socket's owner or who shows `admin.token`. Nothing it answers
//! holds a secret that was there before.
//!
//! | file | what |
//! |---|---|
//! | `address` | where it listens, and the socket |
//! | `server` | accept, limits, HTTP |
//! | `router` | which path answers what, and who is refused |
//! | `api` | users, keys, tokens, revocations, second factors |
//! | `issue` | a token on an operator's word |
//! | `status` | what `/status` tells, and readiness |
//! | `openapi` | the document of all of it |
//! | `client` | the other side, for the command line |

pub mod address;
pub mod api;
pub mod client;
mod health;
pub mod issue;
pub mod openapi;
mod reply;
mod router;
mod server;
pub mod status;

use std::{fmt, future::Future, pin::Pin};

use prometheus::Registry;

pub use self::{
    address::{Address, BindError, Bound, bind},
    api::Api,
    server::serve,
    status::{Readiness, Status},
};

/// The outcome of a reload: the new generation, or the errors with their places.
pub type ReloadOutcome = Result<u64, String>;

/// Asks the control plane for a reload.
pub type Reload = dyn Fn() -> Pin<Box<dyn Future<Output = ReloadOutcome> + Send>> + Send + Sync;

/// Asks the data plane about a decision.
pub type Decide =
    dyn Fn(String) -> Pin<Box<dyn Future<Output = Option<serde_json::Value>> + Send>> + Send + Sync;

/// What the endpoints read from and act on.
pub struct AdminState {
    /// For `/metrics`.
    pub registry: Registry,
    /// For `/readyz`.
    pub readiness: std::sync::Arc<Readiness>,
    /// For `/status`; called once per request.
    pub status: Box<dyn Fn() -> Status + Send + Sync>,
    /// For `GET /decisions/ID`: what is known of a refusal.
    pub decision: Box<Decide>,
    /// For `POST /reload`.
    pub reload: Box<Reload>,
    /// For users, keys and tokens; `None`: there is no token service.
    pub api: Option<Api>,
    /// Host names, beside `localhost` and IP addresses, by which this listener may be called.
    pub hosts: Vec<String>,
}

impl fmt::Debug for AdminState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AdminState")
            .field("readiness", &self.readiness)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}
