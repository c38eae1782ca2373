//! Serves one connection over HTTP/2 until it ends, runs out of time, or the worker drains.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;

use super::arrival::{Accepted, Arrival};
use super::linger::linger;
use super::serve::{self, Driven};
use crate::clock::ticker::Watch;
use crate::gateway;
use crate::gateway::connection::Connection;
use crate::gateway::tenure::Tenure;
use crate::wire::frames::FrameLimits;
use crate::wire::stream::Stream;
use crate::wire::{Guarded, Wire};
use crate::worker::Worker;

/// Serves the connection to its end.
pub(super) async fn serve(
    worker: &Rc<Worker>,
    arrival: &Arrival,
    accepted: &Accepted,
    stream: Stream,
) {
    let limits = &arrival.limits;
    let frames =
        FrameLimits { resets: limits.h2_resets.get(), control: limits.h2_control_frames.get() };
    let watch = worker.ticker.watch();
    let wire = Wire::http2(stream, frames, serve::times(limits), watch, worker.next_id());
    let connection = serve::connection(arrival, accepted, wire);
    let io = TokioIo::new(Guarded(Rc::clone(&connection.wire)));
    let (handler_worker, handler_connection) = (Rc::clone(worker), Rc::clone(&connection));
    let service = service_fn(move |request| {
        let (worker, connection) = (Rc::clone(&handler_worker), Rc::clone(&handler_connection));
        let wire = Rc::clone(&connection.wire);
        Handling { handling: gateway::handle(worker, connection, request), wire }
    });
    let streams = Streams(Rc::clone(&connection));
    let mut builder = http2::Builder::new(streams);
    builder.max_concurrent_streams(limits.h2_streams.get());
    builder.max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
    builder.max_pending_accept_reset_streams(Some(20));
    builder.max_local_error_reset_streams(Some(100));
    builder.initial_stream_window_size(Some(256 * 1024));
    builder.initial_connection_window_size(Some(1024 * 1024));
    builder.max_send_buf_size(64 * 1024);
    let has_failed = {
        let mut engine = std::pin::pin!(builder.serve_connection(io, service));
        let end = http2::Connection::graceful_shutdown;
        let driven = serve::drive(worker, &connection, engine.as_mut(), end).await;
        matches!(driven, Driven::Ended(Err(_)))
    };
    if connection.wire.must_linger(has_failed) {
        linger(&connection.wire).await;
    }
    serve::note_refusal(worker, &connection, true);
}

/// Runs the streams of one connection as tasks on the worker's own thread, and ends those whose
/// client takes nothing of what it was sent (RFC 9113 §10.5: a window that is never opened), at
/// once if whoever it was for has ended.
#[derive(Clone, Debug)]
struct Streams(Rc<Connection>);

impl<F: Future + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, future: F) {
        let connection = Rc::clone(&self.0);
        tokio::task::spawn_local(Serving { stream: future, connection, watch: None, tenure: None });
    }
}

// Futures by hand: what an `async` block takes over lies in it twice, and is moved once more.
pin_project! {
    /// A request under way, which waits for others than its client where it waits.
    struct Handling<F> {
        #[pin]
        handling: F,
        wire: Rc<Wire>,
    }
}

impl<F: Future> Future for Handling<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.handling.poll(cx);
        if polled.is_pending() {
            this.wire.wait_for_others(); // which have deadlines of their own
        }
        polled
    }
}

pin_project! {
    /// The task of one stream.
    struct Serving<F> {
        #[pin]
        stream: F,
        connection: Rc<Connection>,
        watch: Option<Watch>, // most streams never wait for their client
        tenure: Option<Tenure>,
    }
}

impl<F: Future> Future for Serving<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let wire = &this.connection.wire;
        wire.begin_turn();
        let polled = this.stream.poll(cx);
        if let Some(left) = this.connection.tenure.take() {
            *this.tenure = Some(left);
        }
        if polled.is_ready() {
            return Poll::Ready(());
        }
        let turn = wire.turn();
        if !turn.waits_for_client {
            *this.watch = None;
            return Poll::Pending;
        }
        // The answer's body, which is not asked for more, cannot see to that.
        if this.tenure.as_ref().is_some_and(Tenure::has_ended) {
            return Poll::Ready(());
        }
        let is_new = this.watch.is_none() || turn.has_moved;
        let watch = this.watch.get_or_insert_with(|| wire.watch().ticker().watch());
        if is_new {
            watch.set(wire.stall());
        }
        if watch.poll_expired(cx) { Poll::Ready(()) } else { Poll::Pending }
    }
}
