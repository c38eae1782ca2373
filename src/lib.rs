//! doorward: a reverse-proxy authentication gateway.

pub mod config;
pub mod secret;
pub mod telemetry;
