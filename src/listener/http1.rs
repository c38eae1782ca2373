//! Serves one connection over HTTP/1.1, by turns: an engine while requests come, and a place to
//! wait ([`park`]) while none do.

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use socket2::TcpKeepalive;
use tokio::io::AsyncWriteExt as _;

use super::arrival::{Accepted, Arrival};
use super::linger::linger;
use super::park;
use super::serve::{self, Driven};
use crate::config::Limits;
use crate::forward::active::Tunnel;
use crate::forward::connection::tunnel;
use crate::gateway;
use crate::gateway::connection::Connection;
use crate::gateway::response::Body;
use crate::wire::framing::HeadLimits;
use crate::wire::refusal::Refusal;
use crate::wire::stream::Stream;
use crate::wire::{Guarded, Rest, Wire};
use crate::worker::Worker;

/// How often a silent tunnel's sides are asked whether they are still there.
const PROBE: Duration = Duration::from_mins(1);

/// Serves and parks the connection, by turns, to its end.
pub(super) async fn stay(
    worker: &Rc<Worker>,
    arrival: &Arrival,
    accepted: &Accepted,
    stream: Stream,
) {
    let limits = &arrival.limits;
    let (watch, id) = (worker.ticker.watch(), worker.next_id());
    let mut wire = Wire::http1(stream, head_limits(limits), serve::times(limits), watch, id);
    loop {
        let connection = serve::connection(arrival, accepted, wire);
        let Some(mut rest) = Box::pin(turn(worker, connection, limits)).await else { return };
        let Some(read) = park::wait(worker, arrival.index, &mut rest).await else { return };
        let (watch, id) = (worker.ticker.watch(), worker.next_id());
        let (head, times) = (head_limits(limits), serve::times(limits));
        wire = Wire::resumed(rest, read, head, times, watch, id);
    }
}

fn head_limits(limits: &Limits) -> HeadLimits {
    HeadLimits {
        request_line: limits.request_line,
        header_bytes: limits.header_bytes,
        header_count: limits.header_count,
    }
}

/// Serves until the connection ends, or until it has been quiet for a while.
async fn turn(worker: &Rc<Worker>, connection: Rc<Connection>, limits: &Limits) -> Option<Rest> {
    let io = TokioIo::new(Guarded(Rc::clone(&connection.wire)));
    let (handler_worker, handler_connection) = (Rc::clone(worker), Rc::clone(&connection));
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
    let mut engine = builder.serve_connection(io, service);
    let end = http1::Connection::graceful_shutdown;
    match serve::drive(worker, &connection, Pin::new(&mut engine), end).await {
        Driven::Ended(Err(error)) if error.is_parse() => {
            // The wire has read it strictly, and the engine found something all the same.
            connection.wire.note(Refusal::HeadMalformed);
        }
        Driven::Ended(_) | Driven::Cut => {}
        Driven::Quiet => return take_back(&connection.wire, engine).await,
    }
    drop(engine);
    let through = connection.tunnel.borrow_mut().take();
    if let Some(through) = through {
        let (client, held) = connection.wire.take();
        // Either side may end a tunnel as it likes: that is no failure of ours.
        let _ = run_tunnel(worker, &connection, client, through, &held).await;
    } else if connection.wire.must_linger(false) {
        linger(&connection.wire).await;
    }
    serve::note_refusal(worker, &connection, false);
    None
}

/// Ends the engine of a connection that is at rest, and gives back the transport.
///
/// The engine must agree: told to end, it does so at once, with nothing left to write and no byte
/// that it has not read as a part of a message. If it does not, one of the two has misread the
/// client, and the connection is closed: `None`.
async fn take_back<S>(
    wire: &Wire,
    mut engine: http1::Connection<TokioIo<Guarded>, S>,
) -> Option<Rest>
where
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    http1::Connection<TokioIo<Guarded>, S>: Future<Output = hyper::Result<()>> + Unpin,
{
    let rest = wire.part()?;
    Pin::new(&mut engine).graceful_shutdown();
    let ended = poll_fn(|cx| Poll::Ready(Pin::new(&mut engine).poll(cx))).await;
    let has_ended = matches!(ended, Poll::Ready(Ok(())));
    (has_ended && engine.into_parts().read_buf.is_empty()).then_some(rest)
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
