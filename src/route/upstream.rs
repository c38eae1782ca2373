//! The settings of an upstream: where it is and how long we wait for it.

use std::time::Duration;

/// An HTTP/1.1 origin behind the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// Host name or address, an IPv6 address without brackets.
    pub host: Box<str>,
    /// Port.
    pub port: u16,
    /// What stands in `Host` where a route does not preserve the client's.
    pub authority: Box<str>,
    /// How long it may take.
    pub times: Times,
    /// The most connections that one worker opens to it.
    pub connections: usize,
}

/// How long each step of an exchange with an upstream may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Resolving the name and connecting.
    pub connect: Duration,
    /// From the request's last byte to the response head.
    pub first_byte: Duration,
    /// Silence within a body, in either direction.
    pub idle: Duration,
    /// How long an unused connection is kept.
    pub pool_idle: Duration,
}
