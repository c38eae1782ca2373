//! What a connection brings along, from its being accepted to its end.

use std::net::SocketAddr;
use std::rc::Rc;

use super::occupancy::Place;
use crate::config::Limits;
use crate::worker::Worker;

/// What every connection task holds.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) index: usize,
    pub(super) name: Rc<str>,
    pub(super) port: u16,
    pub(super) peer: SocketAddr,
    pub(super) limits: Limits,
    /// Its place among the listener's connections.
    #[expect(dead_code, reason = "held to be dropped")]
    pub(super) place: Place,
    #[expect(dead_code, reason = "held to be dropped")]
    pub(super) open: Open,
}

/// Counts an open connection until it is dropped.
#[derive(Debug)]
pub(super) struct Open {
    worker: Rc<Worker>,
    listener: usize,
}

impl Open {
    pub(super) fn new(worker: &Rc<Worker>, listener: usize) -> Self {
        worker.metrics.connection_opened(listener);
        Self { worker: Rc::clone(worker), listener }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.worker.metrics.connection_closed(self.listener);
    }
}

/// What the handshake settled.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) server_name: Option<Box<str>>,
    pub(super) is_http2: bool,
    pub(super) is_tls: bool,
}
