//! Where a quiet connection waits for its client, without an engine: all that it holds is its
//! transport and a little of its own.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use crate::telemetry::metrics::WorkerMetrics;
use crate::wire::Rest;
use crate::worker::Worker;

/// How much is read of what ends the wait; the engine reads the rest from the transport.
const ROOM: usize = 1024;

/// Waits for the client to send something, and gives what was read of it. `None`: the connection
/// is over, since the client or the worker ended it or its time was up.
pub(super) async fn wait(worker: &Worker, listener: usize, rest: &mut Rest) -> Option<Vec<u8>> {
    let _parked = Parked::new(&worker.metrics, listener);
    let watch = worker.ticker.watch();
    watch.set_at(rest.until);
    poll_fn(|cx| {
        let mut stream = Pin::new(&mut rest.stream);
        if !worker.is_draining() {
            let mut room = [MaybeUninit::uninit(); ROOM]; // on the stack, while it is polled
            let mut read = ReadBuf::uninit(&mut room);
            match stream.as_mut().poll_read(cx, &mut read) {
                Poll::Pending if !watch.poll_expired(cx) => return Poll::Pending,
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    return Poll::Ready(Some(read.filled().to_vec()));
                }
                Poll::Ready(Err(_)) => return Poll::Ready(None),
                Poll::Pending | Poll::Ready(Ok(())) => {} // its time is up, or it has ended
            }
        }
        // Nothing waits to be written, so that the farewell goes at once or never will.
        let _ = stream.poll_shutdown(cx);
        Poll::Ready(None)
    })
    .await
}

/// Counts a parked connection until it is dropped.
struct Parked<'w> {
    metrics: &'w WorkerMetrics,
    listener: usize,
}

impl<'w> Parked<'w> {
    fn new(metrics: &'w WorkerMetrics, listener: usize) -> Self {
        metrics.connection_parked(listener);
        Self { metrics, listener }
    }
}

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        self.metrics.connection_unparked(self.listener);
    }
}
