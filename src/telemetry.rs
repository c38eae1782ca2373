//! What can be seen of a running gateway: metrics, the access log, the program's own log.
//!
//! Nothing here decides anything, and nothing here may slow or fail a request: counters are
//! plain stores by the one thread that owns them, log lines go through a bounded queue and are
//! dropped (and counted) when it is full. No credential, cookie or query string is ever written,
//! and no metric label holds a value from the network.

pub mod access_log;
pub mod id;
pub mod log;
pub mod metrics;
