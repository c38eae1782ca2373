use std::convert::Infallible;
use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::*;
use crate::clock::ticker::Ticker;
use crate::telemetry::id::IdSource;

const HEAD: HeadLimits = HeadLimits { request_line: 100, header_bytes: 300, header_count: 9 };
const TIMES: TimeLimits = TimeLimits {
    header: Duration::from_secs(10),
    keep_alive: Duration::from_secs(75),
    stall: Duration::from_secs(30),
    park: None,
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
    let id = IdSource::random().unwrap().next_id();
    let wire = Wire::http1(Stream::Plain(served), HEAD, TIMES, ticker.watch(), id);
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

/// Waits until the wire has taken so many bytes, be they read or held.
async fn taken(wire: &Wire, length: usize) {
    let so_far = || {
        let inner = wire.inner.borrow();
        usize::try_from(inner.bytes_in).unwrap() + inner.held.len()
    };
    while so_far() < length {
        tokio::task::yield_now().await;
    }
}

/// Runs a client against a served wire, and gives all that it was sent.
async fn talk(pieces: &[&str]) -> String {
    let Pair { wire, mut client, .. } = pair().await;
    let go = Rc::new(Notify::new());
    let local = LocalSet::new();
    local.spawn_local(serve(Rc::clone(&wire), Rc::clone(&go)));
    let talking = async {
        let mut sent = 0;
        for piece in pieces {
            client.write_all(piece.as_bytes()).await.unwrap();
            sent += piece.len();
            let taking = taken(&wire, sent); // so each is a segment of its own
            tokio::time::timeout(Duration::from_secs(10), taking).await.unwrap();
        }
        drop(wire);
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

/// Bytes in which a second request hides, should the reading of a body go astray.
const HIDDEN: &str = "\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

/// One of several ways to send a request for `/number`.
fn message(kind: u8, number: usize) -> String {
    let head = |method: &str| format!("{method} /{number} HTTP/1.1\r\nHost: a\r\n");
    let length = HIDDEN.len();
    match kind {
        0 => format!("{}\r\n", head("GET")),
        1 => format!("{}Upgrade: h2c\r\nConnection: upgrade\r\n\r\n", head("GET")),
        2 => format!("{}Content-Length: {length}\r\n\r\n{HIDDEN}", head("POST")),
        3 => format!(
            "{}Transfer-Encoding: chunked\r\n\r\n{length:x};x=y\r\n{HIDDEN}\r\n0\r\nA: b\r\n\r\n",
            head("PUT")
        ),
        4 => format!("{}Content-Length: {length}\r\n\r\n{HIDDEN}", head("GET")),
        _ => format!("{}Upgrade: x\r\nContent-Length: 5\r\n\r\nabcde", head("GET")),
    }
}

/// The paths that the engine hands on when it reads the bytes cut up like this.
async fn handed_on(bytes: &[u8], piece: usize, expected: usize) -> Vec<String> {
    let Pair { wire, mut client, .. } = pair().await;
    let paths = Rc::new(RefCell::new(Vec::new()));
    let (seen, shared) = (Rc::clone(&paths), Rc::clone(&wire));
    let service = service_fn(move |request: Request<Incoming>| {
        let (wire, seen) = (Rc::clone(&shared), Rc::clone(&seen));
        async move {
            let under_way = wire.begin();
            seen.borrow_mut().push(request.uri().path().to_owned());
            let _ = request.into_body().collect().await;
            drop(under_way);
            wire.resume();
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"."))))
        }
    });
    let io = TokioIo::new(Guarded(wire));
    let serving = hyper::server::conn::http1::Builder::new().serve_connection(io, service);
    let talking = async {
        client.set_nodelay(true).unwrap();
        for piece in bytes.chunks(piece) {
            let _ = client.write_all(piece).await;
            tokio::task::yield_now().await;
        }
        let mut room = [0; 4096];
        let wanted = Duration::from_secs(2);
        while paths.borrow().len() < expected {
            match tokio::time::timeout(wanted, client.read(&mut room)).await {
                Ok(Ok(length)) if length > 0 => {}
                _ => break,
            }
        }
        // A hidden one would follow at once.
        let _ = tokio::time::timeout(Duration::from_millis(10), client.read(&mut room)).await;
        drop(client);
    };
    let _ = tokio::join!(serving, talking);
    paths.borrow().clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_engine_reads_what_was_sent_however_it_was_cut(
        kinds in proptest::collection::vec(0u8..6, 1..6), piece in 1usize..200
    ) {
        let bytes: String =
            kinds.iter().enumerate().map(|(number, &kind)| message(kind, number)).collect();
        let expected: Vec<_> = (0..kinds.len()).map(|number| format!("/{number}")).collect();

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let paths = runtime.block_on(handed_on(bytes.as_bytes(), piece, expected.len()));

        prop_assert_eq!(paths, expected);
    }
}
