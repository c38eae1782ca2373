//! Accepts: limit, accept, spawn, and nothing else. Handshake and HTTP run in the
//! connection's own tasks. An error backs off and goes on.
//!
//! The workers share a socket, and the system wakes whom it likes: a connection goes to the worker
//! that has the fewest, whoever accepted it.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::arrival::{Accepted, Arrival, Open};
use super::occupancy::{Occupancy, Place};
use super::{http1, http2};
use crate::clock::ticker::Millis;
use crate::gateway::connection::is_trusted;
use crate::telemetry::metrics::Handshake;
use crate::wire::stream::Stream;
use crate::worker::Worker;

const BACK_OFF: Duration = Duration::from_millis(100);

/// How far apart two lines about the same trouble are.
const LOG_EVERY: Millis = 10_000;

/// One listener as one worker sees it.
#[derive(Debug)]
pub struct Acceptor {
    /// Index in the snapshot.
    pub index: usize,
    /// Its name.
    pub name: Rc<str>,
    /// The port that clients reach it by.
    pub port: u16,
    /// The worker's handle to the socket.
    pub socket: TcpListener,
    /// Its connections, over all workers.
    pub occupancy: Arc<Occupancy>,
    /// The worker's number.
    pub worker: usize,
    /// What others accept for this worker.
    pub passed: UnboundedReceiver<Passed>,
    /// The ways to all workers, by their number.
    pub workers: Vec<UnboundedSender<Passed>>,
}

/// A connection that one worker accepts and another one serves. As many may be on their way as the
/// listener takes connections: each has its place.
#[derive(Debug)]
pub struct Passed {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    place: Place,
}

impl Acceptor {
    /// Accepts until told to stop. Connections are tracked, so that the end can be waited for.
    pub async fn run(mut self, worker: Rc<Worker>, tasks: TaskTracker, stop: CancellationToken) {
        let mut logged = None;
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    while let Ok(passed) = self.passed.try_recv() {
                        self.take(&worker, &tasks, passed);
                    }
                    return;
                }
                Some(passed) = self.passed.recv() => {
                    self.take(&worker, &tasks, passed);
                    continue;
                }
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(&worker, &tasks, stream, peer),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of file descriptors, most of all: the queue stays, and so would a
                    // busy loop.
                    worker.metrics.accept_failed();
                    let now = worker.ticker.now();
                    if logged.is_none_or(|logged| now >= logged + LOG_EVERY) {
                        logged = Some(now);
                        tracing::error!(listener.name = %self.name, %error, "Cannot accept connections");
                    }
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(BACK_OFF) => {}
                    }
                }
            }
        }
    }

    fn admit(&self, worker: &Rc<Worker>, tasks: &TaskTracker, stream: TcpStream, peer: SocketAddr) {
        let view = worker.view();
        let Some(listener) = view.snapshot.listeners.get(self.index) else { return };
        let mut limits = listener.limits;
        if is_trusted(&view.snapshot.trusted_proxies, peer.ip()) {
            limits.connections_per_address = None; // it speaks for many
        }
        let Some(place) = self.occupancy.enter(peer.ip(), &limits, self.worker) else {
            worker.metrics.connection_refused(self.index);
            return; // closed by being dropped
        };
        if stream.set_nodelay(true).is_err() {
            return; // it is gone already
        }
        if place.worker() == self.worker {
            self.settle(worker, tasks, stream, peer, place);
        } else if let (Some(other), Ok(stream)) =
            (self.workers.get(place.worker()), stream.into_std())
        {
            let _ = other.send(Passed { stream, peer, place }); // closed where nobody serves it
        }
    }

    /// Serves what another worker accepted.
    fn take(&self, worker: &Rc<Worker>, tasks: &TaskTracker, passed: Passed) {
        let Passed { stream, peer, place } = passed;
        if let Ok(stream) = TcpStream::from_std(stream) {
            self.settle(worker, tasks, stream, peer, place);
        }
    }

    /// Begins to serve a connection.
    fn settle(
        &self,
        worker: &Rc<Worker>,
        tasks: &TaskTracker,
        stream: TcpStream,
        peer: SocketAddr,
        place: Place,
    ) {
        let view = worker.view();
        let Some(listener) = view.snapshot.listeners.get(self.index) else { return };
        let limits = listener.limits;
        let open = Open::new(worker, self.index);
        let (index, name, port) = (self.index, Rc::clone(&self.name), self.port);
        let arrival = Arrival { index, name, port, peer, limits, place, open };
        let tls = listener.tls.as_ref().map(|tls| Arc::clone(&tls.config));
        let worker = Rc::clone(worker);
        let later = tasks.clone();
        tasks.spawn_local(async move {
            match tls {
                None => {
                    let accepted = Accepted { server_name: None, is_http2: false, is_tls: false };
                    serve(worker, &later, arrival, Stream::Plain(stream), accepted);
                }
                Some(config) => {
                    let acceptor = TlsAcceptor::from(config);
                    shake_hands(worker, later, arrival, acceptor, stream).await;
                }
            }
        });
    }
}

/// The handshake in a task of its own, so that its state is gone when HTTP begins.
async fn shake_hands(
    worker: Rc<Worker>,
    tasks: TaskTracker,
    arrival: Arrival,
    acceptor: TlsAcceptor,
    stream: TcpStream,
) {
    let watch = worker.ticker.watch();
    watch.set(arrival.limits.handshake_timeout);
    let shaken = {
        let mut handshake = std::pin::pin!(acceptor.accept(stream));
        std::future::poll_fn(|cx| {
            if let Poll::Ready(result) = handshake.as_mut().poll(cx) {
                return Poll::Ready(result.map_err(|_| Handshake::Failed));
            }
            if watch.poll_expired(cx) || worker.is_draining() {
                return Poll::Ready(Err(Handshake::TimedOut));
            }
            Poll::Pending
        })
        .await
    };
    drop(watch);
    match shaken {
        Ok(stream) => {
            worker.metrics.handshake(Handshake::Completed);
            let session = stream.get_ref().1;
            let accepted = Accepted {
                server_name: session.server_name().map(Into::into),
                is_http2: session.alpn_protocol() == Some(b"h2"),
                is_tls: true,
            };
            serve(worker, &tasks, arrival, Stream::Tls(Box::new(stream)), accepted);
        }
        Err(outcome) => {
            worker.metrics.handshake(outcome);
            drop(arrival);
        }
    }
}

/// Serves the connection in a task of its own. The task is small: what serves is in a box, so
/// that a connection that is parked does not keep the room for it.
pub(super) fn serve(
    worker: Rc<Worker>,
    tasks: &TaskTracker,
    arrival: Arrival,
    stream: Stream,
    accepted: Accepted,
) {
    tasks.spawn_local(async move {
        if accepted.is_http2 {
            Box::pin(http2::serve(&worker, &arrival, &accepted, stream)).await;
        } else {
            http1::stay(&worker, &arrival, &accepted, stream).await;
        }
        drop(arrival);
    });
}

/// Errors that concern the one connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::WouldBlock
    )
}
