//! doorward: a reverse-proxy authentication gateway.

pub mod config;
pub mod password;
pub mod secret;
pub mod telemetry;
