//! Prometheus metrics: one set of counters per worker thread, summed when somebody scrapes.
//!
//! A worker writes its own [`WorkerMetrics`] with relaxed loads and stores: no lock, no bus
//! traffic between cores. The registry is passed, never global. Label values are enums, or names
//! from the configuration with a hard bound on their number.

mod cell;
mod collector;
mod control;
mod family;
mod histogram;
mod process;
mod route;
mod worker;

use prometheus::{Registry, TextEncoder};

pub use self::{
    cell::{Cell, Label},
    collector::Sources,
    control::{Certificate, ControlMetrics, HashingPool},
    histogram::Histogram,
    route::{RouteMetrics, RouteVerdict},
    worker::{
        Handshake, Layout, PasswordCheck, Protocol, TokenMemory, UpstreamConnection, WorkerMetrics,
    },
};

/// The content type of [`encode`]'s text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A registry that reads from `sources` at each scrape.
///
/// # Errors
///
/// When a family is defined twice or badly: a mistake of this program, found at start.
pub fn registry(sources: Sources) -> prometheus::Result<Registry> {
    let registry = Registry::new();
    registry.register(Box::new(collector::Collector::new(sources)?))?;
    Ok(registry)
}

/// The registry's current values in Prometheus' text format.
///
/// # Errors
///
/// When a family cannot be written in that format.
pub fn encode(registry: &Registry) -> prometheus::Result<String> {
    TextEncoder::new().encode_to_string(&registry.gather())
}
