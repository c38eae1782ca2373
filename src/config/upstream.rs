//! `[upstreams.NAME]`: where requests go.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Where requests go: an HTTP/1.1 origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in the configuration.
    pub name: String,
    /// Host name or address, an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The value of `Host` when a route says `host = "upstream"`: no port if it is 80.
    pub authority: String,
    /// Bounds resolving and connecting.
    pub connect_timeout: Duration,
    /// From the request's end to the response's first byte.
    pub first_byte_timeout: Duration,
    /// Silence of the upstream within a body.
    pub idle_timeout: Duration,
    /// An unused connection is closed after this.
    pub pool_idle: Duration,
    /// Connections per worker.
    pub pool_size: NonZeroUsize,
}
