//! Where clients come in: sockets, limits on connections, TLS, and the HTTP engine that is set on
//! the [wire](crate::wire).

pub mod accept;
mod arrival;
mod http1;
mod http2;
mod linger;
pub mod occupancy;
mod park;
mod serve;
pub mod socket;

#[cfg(test)]
mod tests;
