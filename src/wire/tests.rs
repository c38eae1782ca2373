use std::convert::Infallible;
use std::future::poll_fn;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::*;
use crate::clock::ticker::Ticker;

const HEAD: HeadLimits = HeadLimits { request_line: 100, header_bytes: 300, header_count: 9 };
const TIMES: TimeLimits = TimeLimits {
    header: Duration::from_secs(10),
    keep_alive: Duration::from_secs(75),
    stall: Duration::from_secs(30),
};

struct Pair {
    ticker: Rc<Ticker>,
    wire: Rc<Wire>,
    client: TcpStream,
}

async fn pair() -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (served, _) = listener.accept().await.unwrap();
    let ticker = Ticker::new(Duration::ZERO);
    let wire = Wire::http1(Stream::Plain(served), HEAD, TIMES, ticker.watch());
    Pair { ticker, wire, client }
}

/// Serves the wire; each request is answered with its path once `go` allows it.
async fn serve(wire: Rc<Wire>, go: Rc<Notify>) {
    let shared = Rc::clone(&wire);
    let service = service_fn(move |request: Request<Incoming>| {
        let (wire, go) = (Rc::clone(&shared), Rc::clone(&go));
        async move {
            let under_way = wire.begin();
            if request.uri().path().starts_with("/slow") {
                go.notified().await;
            }
            drop(under_way);
            wire.resume();
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(request.uri().to_string()))))
        }
    });
    let io = TokioIo::new(Guarded(wire));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
}

/// Runs a client against a served wire, and gives all that it was sent.
async fn talk(pieces: &[&str]) -> String {
    let Pair { wire, mut client, .. } = pair().await;
    let go = Rc::new(Notify::new());
    let local = LocalSet::new();
    local.spawn_local(serve(wire, Rc::clone(&go)));
    let talking = async {
        for piece in pieces {
            client.write_all(piece.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(30)).await; // a segment of its own
        }
        go.notify_one();
        let mut answer = Vec::new();
        let reading = client.read_to_end(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(1), reading).await;
        String::from_utf8(answer).unwrap()
    };
    local.run_until(talking).await
}

fn statuses(answer: &str) -> Vec<&str> {
    let heads = answer.split("HTTP/1.1 ").skip(1);
    heads.map(|head| head.split(' ').next().unwrap()).collect()
}

#[tokio::test]
async fn what_came_before_a_refused_head_is_answered_first() {
    let answer =
        talk(&["GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost : a\r\n\r\n"]).await;

    assert_eq!(statuses(&answer), ["200", "400"], "{answer}");
}

#[tokio::test]
async fn a_head_refused_behind_a_request_under_way_does_not_take_its_answer() {
    let answer = talk(&["GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", "GET  /b HTTP/1.1\r\n\r\n"]).await;

    assert_eq!(statuses(&answer), ["200", "400"], "{answer}");
}

#[tokio::test]
async fn what_was_held_behind_an_upgrade_is_read_once_it_was_not_granted() {
    let upgrade = "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n";
    let next = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    for pieces in [&[upgrade, next][..], &[&format!("{upgrade}{next}")]] {
        let answer = talk(pieces).await;

        assert_eq!(statuses(&answer), ["200", "200"], "{answer}");
        assert!(answer.ends_with("/next"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_reads_nothing_runs_out_of_time_whatever_it_sends() {
    let Pair { ticker, wire, client: _client } = pair().await;
    let data = vec![0; 1024 * 1024];
    let mut guarded = Guarded(Rc::clone(&wire));
    poll_fn(|cx| {
        while Pin::new(&mut guarded).poll_write(cx, &data).is_ready() {}
        Poll::Ready(())
    })
    .await;

    let under_way = wire.begin();
    ticker.advance_to(30_200, Duration::ZERO);

    poll_fn(|cx| {
        assert!(wire.watch().poll_expired(cx));
        Poll::Ready(())
    })
    .await;
    assert_eq!(wire.expired(), Some(Expiry::Stalled));
    drop(under_way);
    assert_eq!(wire.expired(), Some(Expiry::Stalled));
}

#[tokio::test]
async fn the_time_of_a_head_begins_when_it_is_its_turn() {
    let Pair { ticker, wire, mut client } = pair().await;
    client.write_all(b"GET / HTTP/1.1\r\n\r\nGET /next HT").await.unwrap();
    read_some(&wire).await;

    let under_way = wire.begin();
    ticker.advance_to(60_000, Duration::ZERO);
    assert_eq!(wire.expired(), None);
    drop(under_way);

    assert_eq!(wire.expired(), None);
    ticker.advance_to(70_100, Duration::ZERO);
    assert_eq!(wire.expired(), Some(Expiry::Head));
}

#[tokio::test]
async fn nothing_is_read_once_the_connection_speaks_another_protocol() {
    let Pair { wire, mut client, .. } = pair().await;
    client.write_all(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\nframe").await.unwrap();
    assert!(read_some(&wire).await.ends_with(b"\r\n\r\n"));

    wire.upgrade();
    wire.resume();

    let mut guarded = Guarded(Rc::clone(&wire));
    let reading = tokio::io::AsyncReadExt::read_u8(&mut guarded);
    assert!(tokio::time::timeout(Duration::from_millis(50), reading).await.is_err());
    assert_eq!(wire.take().1, b"frame");
}

#[tokio::test]
async fn an_idle_connection_is_closed_soon_once_the_worker_drains() {
    let Pair { ticker, wire, mut client } = pair().await;
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    read_some(&wire).await;
    drop(wire.begin());
    ticker.advance_to(50_000, Duration::ZERO);
    assert_eq!(wire.expired(), None);

    wire.hurry();

    assert_eq!(wire.expired(), None);
    ticker.advance_to(52_100, Duration::ZERO);
    assert_eq!(wire.expired(), Some(Expiry::Idle));
}

async fn read_some(wire: &Rc<Wire>) -> Vec<u8> {
    let mut room = vec![0; 4096];
    let length = Guarded(Rc::clone(wire)).read(&mut room).await.unwrap();
    room.truncate(length);
    room
}
