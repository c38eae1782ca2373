//! A connection that has gone quiet between two messages, and how it is taken from its engine.
//!
//! What is read after a connection was parked is read as the head of a request, by an engine and
//! a [`framing`](super::framing) that know nothing of what was before. A byte of a body among it
//! would be a smuggled request. So a connection is at rest only if everything agrees: the framing
//! on the bytes, the count of requests handed on, the bytes that are held, and what was written.

use std::rc::Rc;

use super::framing::HeadLimits;
use super::stream::Stream;
use super::{Inner, Reading, TimeLimits, Wire};
use crate::clock::ticker::{Millis, Watch};
use crate::telemetry::id::Id;

/// A connection between two messages, without an engine: its transport, and until when it may
/// wait for the next.
#[derive(Debug)]
pub struct Rest {
    /// The transport. Nothing that was read from it is kept anywhere.
    pub stream: Stream,
    /// When it is closed if nothing comes, by the worker's coarse clock.
    pub until: Millis,
    idle_since: Millis,
    has_read: bool,
}

impl Wire {
    /// Takes the transport from the engine, which will read nothing more from it and cannot write
    /// to it any more. `None` if the connection is not at rest, and then nothing has changed.
    pub fn part(&self) -> Option<Rest> {
        let mut inner = self.inner.borrow_mut();
        if !self.is_at_rest(&inner) {
            return None;
        }
        self.is_handed_over.set(true);
        let stream = inner.stream.take();
        let (idle_since, has_read) = (inner.idle_since, inner.has_read);
        Some(Rest { stream, until: self.idle_until(&inner), idle_since, has_read })
    }

    /// Wraps the transport of an HTTP/1.1 connection that was at rest until `read` came, which is
    /// read first. Its time runs on from where it stood.
    #[must_use]
    pub fn resumed(
        rest: Rest,
        read: Vec<u8>,
        limits: HeadLimits,
        times: TimeLimits,
        watch: Watch,
        decision: Id,
    ) -> Rc<Self> {
        let wire = Self::http1(rest.stream, limits, times, watch, decision);
        {
            let mut inner = wire.inner.borrow_mut();
            inner.idle_since = rest.idle_since;
            inner.has_read = rest.has_read;
            inner.held = read;
            wire.arm(&inner);
        }
        wire
    }

    /// Whether the connection stands between two messages in every respect.
    pub(super) fn is_at_rest(&self, inner: &Inner) -> bool {
        let Reading::Http1(framing) = &inner.reading else { return false };
        let has_nothing_begun = framing.is_between_messages()
            && framing.completed() == self.begun.get()
            && inner.head_since.is_none()
            && self.is_idle();
        let has_nothing_left = inner.held.is_empty()
            && !inner.is_holding
            && self.is_flushed.get()
            && inner.stalled_since.is_none();
        let goes_on = inner.refusal.is_none()
            && inner.deferred.is_none()
            && !inner.has_ended
            && !self.is_ending.get()
            && !self.is_handed_over.get();
        has_nothing_begun && has_nothing_left && goes_on
    }
}
