//! Where clients come in: sockets, limits on connections, TLS, and the wire itself.

pub mod accept;
pub mod frames;
pub mod framing;
pub mod occupancy;
pub mod refusal;
mod serve;
pub mod socket;
pub mod stream;
pub mod wire;
