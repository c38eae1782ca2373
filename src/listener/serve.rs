//! Serves one connection over HTTP/1.1 or HTTP/2 until it ends, runs out of time, or the
//! worker drains.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::TcpKeepalive;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::task::TaskTracker;

use super::arrival::{Accepted, Arrival};
use crate::config::Limits;
use crate::forward::active::Tunnel;
use crate::forward::connection::tunnel;
use crate::forward::fields::PeerFields;
use crate::gateway::connection::Connection;
use crate::gateway::{self, reason};
use crate::telemetry::access_log::{Origin, Record, Verdict};
use crate::wire::frames::FrameLimits;
use crate::wire::framing::HeadLimits;
use crate::wire::refusal::Refusal;
use crate::wire::stream::Stream;
use crate::wire::{Expiry, Guarded, TimeLimits, Wire};
use crate::worker::Worker;

/// How long, and for how many bytes, a client that was refused is listened to.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// How often a silent tunnel's sides are asked whether they are still there.
const PROBE: Duration = Duration::from_mins(1);

/// Serves the connection in a task of its own.
pub(super) fn spawn(
    worker: Rc<Worker>,
    tasks: &TaskTracker,
    arrival: Arrival,
    stream: Stream,
    accepted: Accepted,
) {
    tasks.spawn_local(async move {
        let limits = arrival.limits;
        let is_http2 = accepted.is_http2;
        let connection = connect(&worker, &arrival, stream, accepted);
        if is_http2 {
            serve_http2(&worker, &connection, &limits).await;
        } else {
            serve_http1(&worker, &connection, &limits).await;
        }
        note_refusal(&worker, &connection, is_http2);
        drop(arrival);
    });
}

fn connect(
    worker: &Rc<Worker>,
    arrival: &Arrival,
    stream: Stream,
    accepted: Accepted,
) -> Rc<Connection> {
    let Arrival { peer, limits, .. } = arrival;
    let times = TimeLimits {
        header: limits.header_timeout,
        keep_alive: limits.keep_alive_timeout,
        stall: limits.body_idle_timeout,
    };
    let watch = worker.ticker.watch();
    let wire = if accepted.is_http2 {
        let frames =
            FrameLimits { resets: limits.h2_resets.get(), control: limits.h2_control_frames.get() };
        Wire::http2(stream, frames, times, watch, worker.next_id())
    } else {
        let head = HeadLimits {
            request_line: limits.request_line,
            header_bytes: limits.header_bytes,
            header_count: limits.header_count,
        };
        Wire::http1(stream, head, times, watch, worker.next_id())
    };
    let scheme = if accepted.is_tls { "https" } else { "http" };
    Rc::new(Connection {
        listener_index: arrival.index,
        peer: *peer,
        origin: Origin::new(Rc::clone(&arrival.name), *peer),
        server_name: accepted.server_name,
        is_tls: accepted.is_tls,
        peer_fields: PeerFields::new(peer.ip().to_canonical(), scheme, arrival.port),
        wire,
        tunnel: RefCell::new(None),
        tenure: RefCell::new(None),
    })
}

async fn serve_http1(worker: &Rc<Worker>, connection: &Rc<Connection>, limits: &Limits) {
    let io = TokioIo::new(Guarded(Rc::clone(&connection.wire)));
    let (handler_worker, handler_connection) = (Rc::clone(worker), Rc::clone(connection));
    let service = service_fn(move |request| {
        gateway::handle(Rc::clone(&handler_worker), Rc::clone(&handler_connection), request)
    });
    let mut builder = http1::Builder::new();
    // The wire keeps the limits and answers for them; the engine's own are only a backstop. Up to
    // a hundred fields it needs no memory of its own.
    if limits.header_count > 100 {
        builder.max_headers(limits.header_count);
    }
    builder.max_buf_size((limits.request_line + limits.header_bytes + 1024).max(16 * 1024));
    {
        let mut engine = std::pin::pin!(builder.serve_connection(io, service));
        let end = http1::Connection::graceful_shutdown;
        let ended = drive(worker, connection, engine.as_mut(), end).await;
        if let Some(Err(error)) = ended
            && error.is_parse()
        {
            // The wire has read it strictly, and the engine found something all the same.
            connection.wire.note(Refusal::HeadMalformed);
        }
    }
    let through = connection.tunnel.borrow_mut().take();
    if let Some(through) = through {
        let (client, held) = connection.wire.take();
        // Either side may end a tunnel as it likes: that is no failure of ours.
        let _ = run_tunnel(worker, connection, client, through, &held).await;
    } else if connection.wire.must_linger() {
        let (client, _) = connection.wire.take();
        linger(client, &connection.wire).await;
    }
}

async fn serve_http2(worker: &Rc<Worker>, connection: &Rc<Connection>, limits: &Limits) {
    let io = TokioIo::new(Guarded(Rc::clone(&connection.wire)));
    let (handler_worker, handler_connection) = (Rc::clone(worker), Rc::clone(connection));
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
    let streams = Streams(Rc::clone(&connection.wire));
    let mut builder = http2::Builder::new(streams);
    builder.max_concurrent_streams(limits.h2_streams.get());
    builder.max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
    builder.max_pending_accept_reset_streams(Some(20));
    builder.max_local_error_reset_streams(Some(100));
    builder.initial_stream_window_size(Some(256 * 1024));
    builder.initial_connection_window_size(Some(1024 * 1024));
    builder.max_send_buf_size(64 * 1024);
    let mut engine = std::pin::pin!(builder.serve_connection(io, service));
    drive(worker, connection, engine.as_mut(), http2::Connection::graceful_shutdown).await;
}

/// Polls the engine, and beside it the connection's one deadline and the worker's drain. `None`:
/// its time was up.
async fn drive<E: Future>(
    worker: &Worker,
    connection: &Connection,
    mut engine: Pin<&mut E>,
    end: impl Fn(Pin<&mut E>),
) -> Option<E::Output> {
    let wire = &connection.wire;
    let mut is_told = false;
    poll_fn(|cx| {
        if worker.is_draining() && !is_told {
            is_told = true;
            end(engine.as_mut());
            wire.hurry();
        }
        if connection.has_ended() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(ended) = engine.as_mut().poll(cx) {
            return Poll::Ready(Some(ended));
        }
        // Where nobody's time is up the watch is set anew, and must be polled to wake the task.
        while wire.watch().poll_expired(cx) {
            if let Some(expiry) = wire.expired() {
                on_expiry(expiry, connection, cx);
                return Poll::Ready(None);
            }
        }
        Poll::Pending
    })
    .await
}

fn on_expiry(expiry: Expiry, connection: &Connection, cx: &mut Context<'_>) {
    match expiry {
        Expiry::Head => connection.wire.time_out(cx),
        Expiry::Idle => {}
        Expiry::Stalled => connection.wire.abandon(),
    }
}

/// A refusal of the wire never became a request: it is counted and written down here.
fn note_refusal(worker: &Worker, connection: &Connection, is_http2: bool) {
    let Some(refusal) = connection.wire.refusal() else { return };
    worker.metrics.decided(reason::index(refusal.label()));
    let mut log = worker.log.borrow_mut();
    if !log.is_on() {
        return;
    }
    let decision = connection.wire.decision();
    log.write(&Record {
        time_unix_ms: u64::try_from(worker.ticker.unix().as_millis()).unwrap_or(0),
        request_id: decision.as_bytes(),
        decision_id: Some(decision.as_bytes()),
        origin: &connection.origin,
        client: None,
        protocol: if is_http2 { "HTTP/2" } else { "HTTP/1.1" },
        method: "",
        host: None,
        path: b"",
        has_query: false,
        status: if is_http2 { 0 } else { refusal.status() }, // there it ends without an answer
        verdict: Verdict::Deny,
        reason: refusal.label(),
        user: None,
        credential: None,
        authority: None,
        route: None,
        endpoint: None,
        upstream: None,
        request_bytes: 0,
        response_bytes: 0,
        duration_us: 0,
        first_byte_us: None,
        generation: worker.view().snapshot.generation,
        user_agent: None,
    });
}

/// Passes bytes both ways until both sides have ended. A tunnel has no requests to finish: while
/// the worker drains, it runs on until the grace is over.
async fn run_tunnel(
    worker: &Worker,
    connection: &Connection,
    mut client: Stream,
    through: Tunnel,
    held: &[u8],
) -> io::Result<()> {
    let Tunnel { mut upstream, early, lease: _lease } = through;
    // A tunnel may be silent for as long as it likes, but not once a side is gone.
    for socket in client.socket().into_iter().chain([&upstream]) {
        let probes = TcpKeepalive::new().with_time(PROBE).with_interval(PROBE);
        socket2::SockRef::from(socket).set_tcp_keepalive(&probes)?;
    }
    let mut tunnel = std::pin::pin!(async {
        upstream.write_all(held).await?;
        client.write_all(&early).await?;
        client.flush().await?;
        tunnel(client, upstream).await
    });
    let watch = worker.ticker.watch(); // without a deadline: it is woken when something changes
    poll_fn(|cx| {
        if connection.has_ended() {
            return Poll::Ready(Ok(()));
        }
        let _ = watch.poll_expired(cx);
        tunnel.as_mut().poll(cx).map_ok(drop)
    })
    .await
}

/// Says that nothing more will be said, and then reads for a while what the client still sends:
/// a connection that is closed upon unread bytes is reset, and the client loses the answer.
async fn linger(mut client: Stream, wire: &Wire) {
    let watch = wire.watch();
    watch.set(LINGER);
    let mut left = LINGER_BYTES;
    let mut room = vec![0; 8 * 1024];
    let mut reading = std::pin::pin!(async {
        let _ = client.shutdown().await;
        while left > 0 {
            match client.read(&mut room).await {
                Ok(length) if length > 0 => left = left.saturating_sub(length),
                Ok(_) | Err(_) => return,
            }
        }
    });
    poll_fn(|cx| if watch.poll_expired(cx) { Poll::Ready(()) } else { reading.as_mut().poll(cx) })
        .await;
}

/// Runs the streams of one connection as tasks on the worker's own thread, and ends those whose
/// client takes nothing of what it was sent (RFC 9113 §10.5: a window that is never opened).
#[derive(Clone, Debug)]
struct Streams(Rc<Wire>);

impl<F: Future + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, future: F) {
        let wire = Rc::clone(&self.0);
        tokio::task::spawn_local(async move {
            let mut stream = std::pin::pin!(future);
            let mut watch = None; // most streams never wait for their client
            poll_fn(|cx| {
                wire.begin_turn();
                if stream.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                let turn = wire.turn();
                if !turn.waits_for_client {
                    watch = None;
                    return Poll::Pending;
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
