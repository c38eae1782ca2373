//! Peers that send or take a byte at a time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{MIB, SOON, assert_grew_less_than, assert_serves, memory};
use crate::support::answer::{Answer, Step, head};
use crate::support::client;
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

/// Sends each peer a byte more now and then, until all have been closed or `most` has passed.
/// Gives how long it took.
fn dribble(mut peers: Vec<TcpStream>, bytes: &[u8], most: Duration) -> Duration {
    let start = Instant::now();
    for peer in &peers {
        peer.set_nonblocking(true).unwrap();
    }
    while !peers.is_empty() && start.elapsed() < most {
        peers.retain_mut(|peer| {
            let mut answer = [0; 4096];
            let is_open = match peer.read(&mut answer) {
                Ok(count) => count > 0,
                Err(error) => client::is_timeout(&error),
            };
            is_open && (bytes.is_empty() || peer.write_all(bytes).is_ok())
        });
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert!(peers.is_empty(), "{} are still open after {:?}", peers.len(), start.elapsed());
    start.elapsed()
}

fn peers(gateway: &TestGateway, begins: &[String], count: usize) -> Vec<TcpStream> {
    let connect = |begin: &String| {
        let mut stream = client::tcp(gateway.address("main"));
        stream.write_all(begin.as_bytes()).unwrap();
        stream
    };
    begins.iter().cycle().take(count).map(connect).collect()
}

#[test]
fn a_crowd_of_slow_heads_and_idle_connections_is_closed_in_time() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("limits", "header_timeout = \"1s\"\nkeep_alive_timeout = \"1s\"")
        .start();
    let whole = String::from_utf8(gateway.get("/x").bearer("alice").bytes()).unwrap();

    let begins = ["", "G", "GET /x HTTP/1.1\r\nHost: files.test\r\nX: ", &whole[..40]];
    let slow = peers(&gateway, &begins.map(str::to_owned), 150);
    let idle = peers(&gateway, &[whole], 20);
    assert_serves(&gateway);

    let took = dribble(slow, b"y", Duration::from_secs(30));
    assert!(took < Duration::from_secs(1) + 2 * SOON, "{took:?}");
    dribble(idle, b"", Duration::from_secs(30));
    assert_serves(&gateway);
}

#[test]
fn slow_bodies_of_nobody_are_refused_at_once() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("limits", "body_idle_timeout = \"60s\"\nkeep_alive_timeout = \"60s\"")
        .start();
    let head = "POST /x HTTP/1.1\r\nHost: files.test\r\n";
    let begins = [
        format!("{head}Content-Length: 1000000\r\n\r\n"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n"),
        format!("{head}Content-Length: 1000000\r\nAuthorization: Bearer x\r\n\r\nx"),
    ];

    let took = dribble(peers(&gateway, &begins, 50), b"1", Duration::from_secs(30));

    assert!(took < 2 * SOON, "{took:?}");
    upstream.assert_untouched();
    assert_serves(&gateway);
}

fn flooding() -> TestUpstream {
    TestUpstream::answering(|request| match request.target.as_str() {
        "/flood" => {
            Answer::read().then(head(200, &[], "Content-Length: 104857600\r\n")).and(Step::Flood)
        }
        _ => Answer::ok("hello"),
    })
    .start()
}

#[test]
fn a_crowd_that_takes_nothing_is_not_read_ahead_for() {
    const CROWD: u64 = 100;
    let upstream = flooding();
    let gateway = TestGateway::before(&upstream).start();
    assert_serves(&gateway);
    let (before, _) = memory(&gateway);
    let ask = String::from_utf8(gateway.get("/flood").bearer("alice").bytes()).unwrap();

    let crowd = peers(&gateway, &[ask], usize::try_from(CROWD).unwrap());
    upstream.wait_for("everybody's request", |requests| {
        requests.iter().filter(|request| request.target == "/flood").count() == crowd.len()
    });
    assert_serves(&gateway);
    // Until nothing flows any more: twice the same, a while apart.
    let last = std::cell::Cell::new(0);
    gateway.wait("the upstream to be stopped", || {
        std::thread::park_timeout(Duration::from_millis(300));
        last.replace(upstream.sent()) == upstream.sent()
    });

    // Sockets on the way hold what they hold; of 100 MiB each nearly nothing has come.
    let each = u64::try_from(upstream.sent()).unwrap() / CROWD;
    assert!(each < 12 * MIB, "the upstream could send {each} bytes to each");
    assert_grew_less_than(&gateway, before, CROWD * MIB / 4);
}

#[test]
fn what_the_system_holds_for_a_client_that_takes_nothing_is_little_and_goes_with_it() {
    let upstream = flooding();
    let gateway =
        TestGateway::before(&upstream).section("limits", "body_idle_timeout = \"1s\"").start();
    let mut stream = client::tcp(gateway.address("main"));

    stream.write_all(&gateway.get("/flood").bearer("alice").bytes()).unwrap();
    upstream.wait_for_closed(1);
    gateway.wait("the connection's end", || {
        gateway.metric("doorward_connections", "listener=\"main\"") < 1.0
    });

    // A connection that was closed in good order would go on delivering what was held for it.
    let mut taken = Vec::new();
    let error = stream.read_to_end(&mut taken).expect_err("a reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
}

#[test]
fn a_crowd_of_slow_uploads_costs_little_memory() {
    const CROWD: usize = 100;
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "body_idle_timeout = \"2s\"").start();
    assert_serves(&gateway);
    let (before, _) = memory(&gateway);
    let begin = format!(
        "PUT /upload HTTP/1.1\r\nHost: files.test\r\nAuthorization: Bearer {}\r\n\
         Content-Length: 100000000\r\n\r\nbegin",
        Token::of("alice").signed()
    );

    let uploads = peers(&gateway, &[begin], CROWD);
    upstream.wait_for("everybody's upload", |requests| {
        requests.iter().filter(|request| request.target == "/upload").count() == CROWD
    });
    assert_serves(&gateway);
    assert_grew_less_than(&gateway, before, 100 * MIB / 4);
    let took = dribble(uploads, b"", Duration::from_secs(30));

    assert!(took < Duration::from_secs(2) + 2 * SOON, "{took:?}");
    let uploads = upstream.requests();
    assert!(uploads.iter().filter(|r| r.target == "/upload").all(|request| !request.complete));
}
