//! What a request may know of the connection that it came on.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use http::HeaderMap;
use ipnet::IpNet;

use super::tenure::Tenure;
use crate::forward::active::Tunnel;
use crate::forward::fields::{PeerFields, Trust};
use crate::telemetry::access_log::Origin;
use crate::wire::Wire;

/// One client connection.
#[derive(Debug)]
pub struct Connection {
    /// Index of its listener.
    pub listener_index: usize,
    /// Who connected.
    pub peer: SocketAddr,
    /// The same and the listener's name, as log lines tell of them.
    pub origin: Origin,
    /// The name that the client asked for in the TLS handshake.
    pub server_name: Option<Box<str>>,
    /// Whether it is TLS.
    pub is_tls: bool,
    /// What upstreams are told of it.
    pub peer_fields: PeerFields,
    /// Its bytes and its limits.
    pub wire: Rc<Wire>,
    /// Set by a request that became a tunnel.
    pub tunnel: RefCell<Option<Tunnel>>,
    /// For whom an answer is on its way, or the tunnel goes. Over HTTP/2 only until the task of
    /// the stream that left it has taken it, in the same turn.
    pub tenure: RefCell<Option<Tenure>>,
}

impl Connection {
    /// Whether what is under way must end.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.tenure.borrow().as_ref().is_some_and(Tenure::has_ended)
    }

    /// Whether the peer's word about the way so far counts. Asked for each request: the list may
    /// have changed since the connection was made.
    #[must_use]
    pub fn trust(&self, trusted: &[IpNet]) -> Trust {
        if is_trusted(trusted, self.peer.ip()) { Trust::Proxy } else { Trust::Client }
    }

    /// The client's own address: the peer's, or what trusted proxies say.
    #[must_use]
    pub fn client(&self, fields: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
        self.client_behind_proxy(fields, trusted).unwrap_or_else(|| self.peer.ip())
    }

    /// The address of a client behind trusted proxies: the last one in `X-Forwarded-For` that
    /// is not a trusted proxy's own.
    #[must_use]
    pub fn client_behind_proxy(&self, fields: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
        if self.trust(trusted) == Trust::Client {
            return None;
        }
        let values = fields.get_all("x-forwarded-for").iter().rev();
        let mut addresses = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.rsplit(','))
            .map(|address| address.trim().parse::<IpAddr>());
        addresses.find_map(|address| match address {
            Ok(address) if is_trusted(trusted, address) => None,
            other => Some(other.ok()),
        })?
    }
}

/// Whether an address is one of the trusted proxies'.
#[must_use]
pub fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|net| net.contains(&address))
}
