//! Who connected on which listener: the same in every line of a connection, so it is put into
//! words once.

use std::net::SocketAddr;
use std::rc::Rc;

use super::format;

/// A connection, as its lines tell of it.
#[derive(Clone, Debug)]
pub struct Origin {
    listener: Rc<str>,
    peer: SocketAddr,
    json: Box<[u8]>,
}

impl Origin {
    /// `peer` connected to the listener of this name.
    #[must_use]
    pub fn new(listener: Rc<str>, peer: SocketAddr) -> Self {
        let json = format::origin(&listener, peer).into_boxed_slice();
        Self { listener, peer, json }
    }

    /// The listener's name.
    #[must_use]
    pub fn listener(&self) -> &str {
        &self.listener
    }

    /// Who connected.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The members of a line that tell of it, each behind a comma.
    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }
}
