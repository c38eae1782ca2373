//! Serves one connection over HTTP/1.1 or HTTP/2 until it ends, runs out of time, or the
//! worker drains.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio_util::task::TaskTracker;

use super::accept::Arrival;
use crate::config::Limits;
use crate::forward::connection::tunnel;
use crate::forward::fields::{PeerFields, Trust};
use crate::gateway::connection::{Connection, is_trusted};
use crate::gateway::{self, reason};
use crate::wire::frames::FrameLimits;
use crate::wire::framing::HeadLimits;
use crate::wire::refusal::Refusal;
use crate::wire::stream::Stream;
use crate::wire::{Expiry, Guarded, TimeLimits, Wire};
use crate::worker::Worker;

/// What the handshake settled.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) server_name: Option<Box<str>>,
    pub(super) is_http2: bool,
    pub(super) is_tls: bool,
}

/// Serves the connection in a task of its own.
pub(super) fn spawn(
    worker: Rc<Worker>,
    tasks: &TaskTracker,
    arrival: Arrival,
    stream: Stream,
    accepted: Accepted,
) {
    tasks.spawn_local(async move {
        let Arrival { index, name, port, peer, limits, place } = arrival;
        let is_http2 = accepted.is_http2;
        let connection = connect(&worker, index, name, port, peer, &limits, stream, accepted);
        if is_http2 {
            serve_http2(&worker, &connection, &limits).await;
        } else {
            serve_http1(&worker, &connection, &limits).await;
        }
        note_refusal(&worker, &connection);
        worker.metrics.connection_closed(index);
        drop(place);
    });
}

#[expect(clippy::too_many_arguments, reason = "all of what a connection is")]
fn connect(
    worker: &Rc<Worker>,
    listener_index: usize,
    listener: Rc<str>,
    port: u16,
    peer: std::net::SocketAddr,
    limits: &Limits,
    stream: Stream,
    accepted: Accepted,
) -> Rc<Connection> {
    let times = TimeLimits {
        header: limits.header_timeout,
        keep_alive: limits.keep_alive_timeout,
        stall: limits.body_idle_timeout,
    };
    let watch = worker.ticker.watch();
    let wire = if accepted.is_http2 {
        let frames =
            FrameLimits { resets: limits.h2_resets.get(), control: limits.h2_control_frames.get() };
        Wire::http2(stream, frames, times, watch)
    } else {
        let head = HeadLimits {
            request_line: limits.request_line,
            header_bytes: limits.header_bytes,
            header_count: limits.header_count,
        };
        Wire::http1(stream, head, times, watch)
    };
    let view = worker.view();
    let trusted: Rc<[_]> = Rc::from(view.snapshot.trusted_proxies.as_slice());
    let trust = if is_trusted(&trusted, peer.ip()) { Trust::Proxy } else { Trust::Client };
    let scheme = if accepted.is_tls { "https" } else { "http" };
    Rc::new(Connection {
        listener_index,
        listener,
        peer,
        server_name: accepted.server_name,
        is_tls: accepted.is_tls,
        trust,
        peer_fields: PeerFields::new(peer.ip().to_canonical(), scheme, port),
        wire,
        tunnel: RefCell::new(None),
        trusted,
    })
}

async fn serve_http1(worker: &Rc<Worker>, connection: &Rc<Connection>, limits: &Limits) {
    let io = TokioIo::new(Guarded(Rc::clone(&connection.wire)));
    let (handler_worker, handler_connection) = (Rc::clone(worker), Rc::clone(connection));
    let service = service_fn(move |request| {
        let (worker, connection) = (Rc::clone(&handler_worker), Rc::clone(&handler_connection));
        async move { Ok::<_, Infallible>(gateway::handle(worker, connection, request).await) }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    // The wire keeps the limits and answers for them; the engine's own are only a backstop.
    builder.max_headers(limits.header_count + 1);
    builder.max_buf_size((limits.request_line + limits.header_bytes + 1024).max(16 * 1024));
    {
        let mut engine = std::pin::pin!(builder.serve_connection(io, service));
        drive(worker, connection, engine.as_mut(), |engine| engine.graceful_shutdown()).await;
    }
    let Some((upstream, early)) = connection.tunnel.borrow_mut().take() else { return };
    let (client, held) = connection.wire.take();
    // Either side may end a tunnel as it likes: that is no failure of ours.
    let _ = run_tunnel(client, upstream, &held, &early).await;
}

async fn serve_http2(worker: &Rc<Worker>, connection: &Rc<Connection>, limits: &Limits) {
    let io = TokioIo::new(Guarded(Rc::clone(&connection.wire)));
    let (handler_worker, handler_connection) = (Rc::clone(worker), Rc::clone(connection));
    let service = service_fn(move |request| {
        let (worker, connection) = (Rc::clone(&handler_worker), Rc::clone(&handler_connection));
        async move { Ok::<_, Infallible>(gateway::handle(worker, connection, request).await) }
    });
    let mut builder = hyper::server::conn::http2::Builder::new(LocalExecutor);
    builder.max_concurrent_streams(limits.h2_streams.get());
    builder.max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
    builder.max_pending_accept_reset_streams(Some(20));
    builder.max_local_error_reset_streams(Some(100));
    builder.initial_stream_window_size(Some(256 * 1024));
    builder.initial_connection_window_size(Some(1024 * 1024));
    builder.max_send_buf_size(64 * 1024);
    let mut engine = std::pin::pin!(builder.serve_connection(io, service));
    drive(worker, connection, engine.as_mut(), |engine| engine.graceful_shutdown()).await;
}

/// Polls the engine, and beside it the connection's one deadline and the worker's drain.
async fn drive<E: Future>(
    worker: &Worker,
    connection: &Connection,
    mut engine: Pin<&mut E>,
    end: impl Fn(Pin<&mut E>),
) {
    let wire = &connection.wire;
    let mut is_told = false;
    poll_fn(|cx| {
        if worker.is_draining() && !is_told {
            is_told = true;
            end(engine.as_mut());
        }
        if engine.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let is_over = wire.watch().poll_expired(cx)
            && match wire.expired() {
                None => {
                    // Set anew: the task must be woken by the new deadline.
                    wire.watch().poll_expired(cx);
                    false
                }
                Some(expiry) => on_expiry(expiry, connection, cx),
            };
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn on_expiry(expiry: Expiry, connection: &Connection, cx: &mut Context<'_>) -> bool {
    if expiry == Expiry::Head {
        connection.wire.answer(Refusal::HeadTimeout, cx);
    }
    true
}

/// A refusal of the wire never became a request: it is counted here.
fn note_refusal(worker: &Worker, connection: &Connection) {
    let Some(refusal) = connection.wire.refusal() else { return };
    worker.metrics.decided(reason::index(refusal.label()));
    tracing::info!(
        listener.name = %connection.listener,
        peer = %connection.peer,
        status = refusal.status(),
        reason = refusal.label(),
        "Refused what a client sent: {refusal}",
    );
}

/// Passes bytes both ways until both sides have ended. A tunnel has no requests to finish: while
/// the worker drains, it runs on until the grace is over.
async fn run_tunnel(
    mut client: Stream,
    mut upstream: tokio::net::TcpStream,
    held: &[u8],
    early: &[u8],
) -> io::Result<()> {
    upstream.write_all(held).await?;
    client.write_all(early).await?;
    client.flush().await?;
    tunnel(client, upstream).await?;
    Ok(())
}

/// Runs the engine's tasks on the worker's own thread.
#[derive(Clone, Copy, Debug)]
struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}
