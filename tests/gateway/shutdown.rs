//! The end of a gateway: what runs is finished, within bounds.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::answer::{Answer, Step, gate, head};
use crate::support::gateway::{Signal, TestGateway};
use crate::support::upstream::TestUpstream;

#[test]
fn a_request_in_flight_is_finished() {
    for signal in [Signal::Term, Signal::Int] {
        let (opener, gate) = gate();
        let upstream = TestUpstream::scripted([Answer::read()
            .wait(gate)
            .then("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")]);
        let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
        let mut client = gateway.connect();
        client.send(gateway.get("/x").bearer("alice").bytes());
        upstream.wait_for("the request", |requests| !requests.is_empty());

        gateway.signal(signal);
        gateway.wait("the listener to be closed", || {
            TcpStream::connect(gateway.address("main")).is_err()
        });
        opener.open();

        let response = client.response();
        assert_eq!((response.status(), response.text().as_str()), (200, "late"));
        assert_eq!(response.header("connection"), Some("close"));
        client.assert_closed();
        assert!(gateway.wait_for_exit().success());
    }
}

#[test]
fn a_stream_in_flight_is_finished_after_goaway() {
    let (opener, gate) = gate();
    let upstream = TestUpstream::scripted([Answer::read()
        .wait(gate)
        .then("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")]);
    let gateway = TestGateway::before(&upstream).start();
    let address = gateway.address("tls");
    std::thread::scope(|scope| {
        let gateway = &gateway;
        let client = scope.spawn(move || {
            let mut h2 = gateway.connect_h2();
            let response = gateway.get("/x").bearer("alice").send_over_h2(&mut h2);
            h2.wait_for_end();
            response
        });
        upstream.wait_for("the request", |requests| !requests.is_empty());

        gateway.signal(Signal::Term);
        gateway.wait_for_notification("STOPPING=1");
        opener.open();

        let response = client.join().unwrap();
        assert_eq!((response.status(), response.text().as_str()), (200, "late"));
    });

    assert!(gateway.wait_for_exit().success());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn idle_connections_are_closed_at_once() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let (mut plain, mut h2, mut silent) =
        (gateway.connect(), gateway.connect_h2(), gateway.connect());
    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut plain).status(), 200);
    assert_eq!(gateway.get("/x").bearer("alice").send_over_h2(&mut h2).status(), 200);

    let start = Instant::now();
    gateway.signal(Signal::Term);

    plain.assert_closed();
    h2.wait_for_end();
    silent.assert_closed();
    assert!(gateway.wait_for_exit().success());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn new_connections_are_not_served_while_draining() {
    let upstream = TestUpstream::scripted([Answer::never()]);
    let gateway = TestGateway::before(&upstream).start();
    let mut running = gateway.connect();
    running.send(gateway.get("/x").bearer("alice").bytes());
    upstream.wait_for("the request", |requests| !requests.is_empty());

    gateway.signal(Signal::Term);
    gateway.wait_for_notification("STOPPING=1");

    gateway.wait("no more connections", || match TcpStream::connect(gateway.address("main")) {
        Err(_) => true,
        Ok(mut stream) => {
            stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
            matches!(stream.read(&mut [0; 1]), Ok(0)) || stream.read(&mut [0; 1]).is_err()
        }
    });
    assert_eq!(gateway.admin("GET", "/readyz").status(), 503);
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn the_grace_period_ends_what_does_not() {
    let upstream = TestUpstream::answering(|_| {
        Answer::read().then(head(200, &[], "Content-Length: 10\r\n")).then("begin").and(Step::Stall)
    })
    .start();
    let gateway =
        TestGateway::before(&upstream).section("server", "workers = 1\ngrace = \"1s\"").start();
    let mut client = gateway.connect();
    client.send(gateway.get("/x").bearer("alice").bytes());
    client.response_head().unwrap();

    let start = Instant::now();
    gateway.signal(Signal::Term);
    let status = gateway.wait_for_exit();

    assert!(status.success(), "{status}");
    assert!(start.elapsed() > Duration::from_millis(800), "{:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(client.rest(), b"begin");
}

#[test]
fn a_second_signal_ends_at_once() {
    let upstream = TestUpstream::answering(|_| Answer::never()).start();
    let gateway =
        TestGateway::before(&upstream).section("server", "workers = 1\ngrace = \"60s\"").start();
    let mut client = gateway.connect();
    client.send(gateway.get("/x").bearer("alice").bytes());
    upstream.wait_for("the request", |requests| !requests.is_empty());

    gateway.signal(Signal::Term);
    gateway.wait_for_notification("STOPPING=1");
    assert!(gateway.is_running());
    gateway.signal(Signal::Term);

    gateway.wait_for_exit();
}

#[test]
fn the_service_manager_is_told() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).spawn();

    gateway.wait_for_notification("READY=1");
    gateway.signal(Signal::Hup);
    let reloading = gateway.wait_for_notification("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    gateway.wait_for_notification("READY=1");
    gateway.signal(Signal::Term);
    gateway.wait_for_notification("STOPPING=1");

    assert!(gateway.wait_for_exit().success());
}

#[test]
fn the_watchdog_is_fed() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).environment("WATCHDOG_USEC", "400000").start();

    gateway.wait_for_notification("WATCHDOG=1");
    gateway.wait_for_notification("WATCHDOG=1");
}

#[test]
fn a_websocket_does_not_hold_the_end() {
    let upstream = TestUpstream::answering(|_| Answer::websocket()).start();
    let gateway = TestGateway::before(&upstream)
        .route("websocket = true")
        .section("server", "workers = 1\ngrace = \"1s\"")
        .start();
    let token = crate::support::tokens::Token::of("alice").signed();
    let headers = [("Authorization", &*format!("Bearer {token}"))];
    let stream = gateway.connect().into_stream();
    let mut socket =
        crate::support::websocket::open(stream, "ws://files.test/chat", &headers).unwrap();

    gateway.signal(Signal::Term);

    assert!(gateway.wait_for_exit().success());
    while socket.read().is_ok() {}
}
