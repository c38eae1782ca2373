//! Where clients come in: sockets, limits on connections, TLS, and the HTTP engine that is set on
//! the [wire](crate::wire).

pub mod accept;
mod arrival;
pub mod occupancy;
mod serve;
pub mod socket;
