//! Serves one connection over HTTP/2 until it ends, runs out of time, or the worker drains.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::arrival::{Accepted, Arrival};
use super::serve;
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
        async move {
            let wire = Rc::clone(&connection.wire);
            let mut handling = std::pin::pin!(gateway::handle(worker, connection, request));
            poll_fn(|cx| {
                let polled = handling.as_mut().poll(cx);
                if polled.is_pending() {
                    wire.wait_for_others(); // which have deadlines of their own
                }
                polled
            })
            .await
        }
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
    let mut engine = std::pin::pin!(builder.serve_connection(io, service));
    let end = http2::Connection::graceful_shutdown;
    serve::drive(worker, &connection, engine.as_mut(), end).await;
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
        tokio::task::spawn_local(async move {
            let wire = &connection.wire;
            let mut stream = std::pin::pin!(future);
            let mut watch = None; // most streams never wait for their client
            let mut tenure = None;
            poll_fn(|cx| {
                wire.begin_turn();
                let polled = stream.as_mut().poll(cx);
                if let Some(left) = connection.tenure.take() {
                    tenure = Some(left);
                }
                if polled.is_ready() {
                    return Poll::Ready(());
                }
                let turn = wire.turn();
                if !turn.waits_for_client {
                    watch = None;
                    return Poll::Pending;
                }
                // The answer's body, which is not asked for more, cannot see to that.
                if tenure.as_ref().is_some_and(Tenure::has_ended) {
                    return Poll::Ready(());
                }
                let is_new = watch.is_none() || turn.has_moved;
                let watch = watch.get_or_insert_with(|| wire.watch().ticker().watch());
                if is_new {
                    watch.set(wire.stall());
                }
                if watch.poll_expired(cx) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        });
    }
}
