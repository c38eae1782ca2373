//! `[server]`: the process as a whole.

use std::num::NonZeroUsize;
use std::time::Duration;

use ipnet::IpNet;

/// What concerns the process as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Worker threads; `workers = 0` has become the number of cores.
    pub workers: NonZeroUsize,
    /// How long requests may run on after SIGTERM.
    pub grace: Duration,
    /// Peers whose `X-Forwarded-*` and `Forwarded` are extended instead of overwritten.
    pub trusted_proxies: Vec<IpNet>,
    /// The realm in challenges; holds nothing that needs escaping in a quoted string.
    pub realm: String,
}
