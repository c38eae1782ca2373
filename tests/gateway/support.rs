//! What the tests stand on: a recording upstream, the real binary, and clients that send exact
//! bytes. Nothing here uses the gateway's own code, so that a bug is not on both sides.

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod configuration;
pub(crate) mod endpoint;
pub(crate) mod files;
pub(crate) mod frames;
pub(crate) mod gateway;
pub(crate) mod h2;
pub(crate) mod lint;
pub(crate) mod message;
pub(crate) mod postgres;
pub(crate) mod programs;
pub(crate) mod request;
pub(crate) mod tokens;
pub(crate) mod upstream;
pub(crate) mod websocket;

use std::time::Duration;

/// How long a test waits for what must come. Only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
