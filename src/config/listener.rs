//! `[listeners.NAME]`: where requests come in.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::Limits;

/// Where requests come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name in the configuration.
    pub name: String,
    /// What it is bound to.
    pub address: ListenAddress,
    /// What is offered by ALPN, in this order; on plain HTTP only `http/1.1` is spoken.
    pub protocols: Vec<Protocol>,
    /// `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// `[limits]`, overridden key by key by `[listeners.NAME.limits]`.
    pub limits: Limits,
}

/// What a listener is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// An address and a port of this machine; port 0 takes a free one.
    Socket(SocketAddr),
    /// A socket passed by systemd: by `FileDescriptorName=`, or by its index if this is a number.
    Systemd(String),
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

/// A version of HTTP that a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `http/1.1`.
    Http1,
    /// `h2`.
    Http2,
}

impl Protocol {
    /// The name in ALPN and in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}

/// The TLS side of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// At least one; chosen by the name that the client asks for, the first is the default.
    pub certificates: Vec<Certificate>,
    /// The oldest version that is spoken.
    pub minimum: TlsVersion,
}

/// A certificate chain and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The chain, the listener's own certificate first.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}
