//! The access log: one line for each request, allowed or refused, with the same fields.
//!
//! A worker formats lines into a buffer of its own ([`LogBuffer`]) and hands it over, whole, to
//! the writer's thread. The queue between them is bounded in bytes; what does not fit is dropped
//! and counted, and a request never waits. Everything that came from the network is escaped, so
//! that a value can neither end a line nor steer a terminal. Query strings, credentials and
//! cookies are not among the fields.

mod buffer;
mod escape;
mod format;
mod origin;
mod queue;
mod record;
mod writer;

pub use self::{
    buffer::LogBuffer,
    origin::Origin,
    queue::LogCounters,
    record::{Ambiguity, Record, Verdict},
    writer::{LogWriter, Sink},
};
pub(in crate::telemetry) use self::{escape::is_hidden, writer::Lines};
pub use crate::telemetry::log::Format;
