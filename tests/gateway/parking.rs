//! Quiet connections are parked: they stay open, are counted and bounded as before, and nothing
//! of what they send is read in another way.

use std::time::{Duration, Instant};

use crate::support::gateway::{Signal, TestGateway};
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

/// Stands in bodies, without a credential: an upstream that sees it was desynchronised.
const INNER: &str = "GET /smuggled HTTP/1.1\r\nHost: files.test\r\n\r\n";

fn before(upstream: &TestUpstream, limits: &str) -> TestGateway {
    let limits = format!("park_after = \"100ms\"\n{limits}");
    TestGateway::before(upstream).section("limits", &limits).start()
}

#[track_caller]
fn wait_for_parked(gateway: &TestGateway, number: f64) {
    gateway.wait("connections to be parked", || {
        (gateway.metric("doorward_connections_parked", "") - number).abs() < 0.5
    });
}

#[test]
fn a_parked_connection_is_served_again() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream, "");
    let (mut plain, mut tls) = (gateway.connect(), gateway.connect_tls());

    for _ in 0..3 {
        for client in [&mut plain, &mut tls] {
            assert_eq!(gateway.get("/x").bearer("alice").send_over(client).status(), 200);
        }
        wait_for_parked(&gateway, 2.0);
    }

    assert!((gateway.metric("doorward_connections", "") - 2.0).abs() < 0.5, "they are open");
    assert!((gateway.metric("doorward_connections_total", "") - 2.0).abs() < 0.5);
    plain.send("GET  / HTTP/1.1\r\n\r\n");
    assert_eq!(plain.response().status(), 400);
    plain.assert_closed();
    tls.finish();
    tls.assert_closed();
    assert_eq!(upstream.requests().len(), 6);
}

#[test]
fn parked_connections_keep_their_places() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream, "connections = 2");
    let (_first, second) = (gateway.connect(), gateway.connect());
    wait_for_parked(&gateway, 2.0);

    let mut third = gateway.connect();
    let _ = third.try_send(gateway.get("/x").bearer("alice").bytes());
    assert!(third.response_to("GET").is_err(), "there is no place");

    drop(second);
    wait_for_parked(&gateway, 1.0);
    let mut fourth = gateway.connect();
    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut fourth).status(), 200);
}

#[test]
fn parked_connections_are_closed_in_time_and_at_the_end() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream, "keep_alive_timeout = \"2s\"");
    let start = Instant::now();
    let mut early = gateway.connect_tls();
    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut early).status(), 200);
    wait_for_parked(&gateway, 1.0);
    early.assert_closed();
    assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());

    let (mut plain, mut tls) = (gateway.connect(), gateway.connect_tls());
    for client in [&mut plain, &mut tls] {
        assert_eq!(gateway.get("/x").bearer("alice").send_over(client).status(), 200);
    }
    wait_for_parked(&gateway, 2.0);
    gateway.signal(Signal::Term);

    plain.assert_closed();
    tls.assert_closed();
    assert!(gateway.wait_for_exit().success());
}

#[test]
fn parked_connections_outlive_a_reload() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream, "");
    let mut client = gateway.connect_tls();
    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut client).status(), 200);
    wait_for_parked(&gateway, 1.0);

    gateway.reload();

    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut client).status(), 200);
}

#[test]
fn the_rest_of_a_body_is_no_request_however_late_it_comes() {
    let upstream = TestUpstream::start();
    let gateway = before(&upstream, "");
    let token = Token::of("alice").signed();
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", INNER.len());
    let length = format!("Content-Length: {}\r\n\r\n", INNER.len());
    let mut watcher = gateway.connect(); // is parked once a quiet time is over
    for (credential, framing, end) in [
        (format!("Bearer {token}"), &length, ""),
        (format!("Bearer {token}"), &chunked, "\r\n0\r\n\r\n"),
        ("Bearer wrong".to_owned(), &length, ""),
        ("Bearer wrong".to_owned(), &chunked, "\r\n0\r\n\r\n"),
    ] {
        let mut client = gateway.connect();
        client.send(format!(
            "POST /x HTTP/1.1\r\nHost: files.test\r\nAuthorization: {credential}\r\n{framing}"
        ));
        assert_eq!(gateway.get("/y").bearer("alice").send_over(&mut watcher).status(), 200);
        wait_for_parked(&gateway, 1.0);

        let last = format!(
            "GET /last HTTP/1.1\r\nHost: files.test\r\nAuthorization: Bearer {token}\r\n\
             Connection: close\r\n\r\n"
        );
        let _ = client.try_send(format!("{INNER}{end}{last}"));
        let answer = client.rest();

        let text = String::from_utf8_lossy(&answer);
        // What was refused without its body having come is answered, and the connection ends.
        let answers = if credential.ends_with("wrong") { 1 } else { 2 };
        assert_eq!(text.matches("HTTP/1.1 ").count(), answers, "{text}");
    }
    let requests = upstream.requests();
    let mut bodies = requests.iter().filter(|request| request.target == "/x");
    assert!(bodies.all(|request| request.text() == INNER));
    assert_eq!(requests.iter().filter(|request| request.target == "/last").count(), 2);
    assert!(requests.iter().all(|request| request.target != "/smuggled"));
}
