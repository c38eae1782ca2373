//! Bounds on what a peer may hold: time, connections, streams. Limits are set short, so that a
//! test waits for an event and not for the clock.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::client;
use crate::support::frames::{self, END_STREAM, Outcome};
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

fn limited(upstream: &TestUpstream, limits: &str) -> TestGateway {
    TestGateway::before(upstream).section("limits", limits).start()
}

/// Reads until the gateway closes; gives what came and how long it took.
#[track_caller]
fn until_closed(mut stream: TcpStream) -> (String, Duration) {
    let start = Instant::now();
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert!(!client::is_timeout(&error), "the gateway keeps the connection open");
    }
    (String::from_utf8_lossy(&answer).into_owned(), start.elapsed())
}

#[test]
fn a_slow_head_ends_in_408_or_silence() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "header_timeout = \"1s\"");

    for begin in ["", "G", "GET /x HTTP/1.1\r\n", "GET /x HTTP/1.1\r\nHost: files.test\r\nX: y"] {
        let mut stream = client::tcp(gateway.address("main"));
        stream.write_all(begin.as_bytes()).unwrap();
        let (answer, took) = until_closed(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{begin:?}: {answer}");
        assert!(took < Duration::from_secs(6), "{begin:?} took {took:?}");
    }

    upstream.assert_untouched();
}

#[test]
fn dribbling_does_not_prolong_the_head() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "header_timeout = \"1s\"");
    let mut stream = client::tcp(gateway.address("main"));
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let start = Instant::now();

    stream.write_all(b"GET /x HTTP/1.1\r\n").unwrap();
    let mut buffer = [0; 512];
    while start.elapsed() < Duration::from_secs(10) {
        if stream.write_all(b"X: y\r\n").is_err()
            || !matches!(stream.read(&mut buffer), Err(error) if client::is_timeout(&error))
        {
            break;
        }
    }

    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    upstream.assert_untouched();
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "keep_alive_timeout = \"1s\"");
    let mut plain = gateway.connect();
    let mut h2 = gateway.connect_h2();

    assert_eq!(gateway.get("/x").bearer("alice").send_over(&mut plain).status(), 200);
    assert_eq!(gateway.get("/x").bearer("alice").send_over_h2(&mut h2).status(), 200);

    plain.assert_closed();
    let _ = h2.wait_for_any_end();
}

#[test]
fn a_silent_body_ends_in_408() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "body_idle_timeout = \"1s\"");
    let mut client = gateway.connect();

    client.send(format!(
        "POST /x HTTP/1.1\r\nHost: files.test\r\nAuthorization: Bearer {}\r\nContent-Length: 10\r\n\r\nbegin",
        Token::of("alice").signed()
    ));
    let answer = String::from_utf8(client.rest()).unwrap();

    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    upstream.wait_for_closed(1);
    assert!(upstream.requests().iter().all(|request| !request.complete));
}

#[test]
fn a_body_that_moves_is_not_cut() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "body_idle_timeout = \"2s\"\nheader_timeout = \"1s\"");
    let mut client = gateway.connect();

    client.send(format!(
        "POST /x HTTP/1.1\r\nHost: files.test\r\nAuthorization: Bearer {}\r\nContent-Length: 6\r\n\r\n",
        Token::of("alice").signed()
    ));
    for count in 1..=6 {
        client.send("x");
        upstream.wait_for("one more byte", |requests| {
            requests.first().is_some_and(|request| request.body.len() >= count)
        });
        std::thread::park_timeout(Duration::from_millis(500));
    }

    assert_eq!(client.response().status(), 200);
}

#[test]
fn a_refused_body_is_not_waited_for() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "body_idle_timeout = \"2s\"");
    let mut client = gateway.connect();

    client.send("POST /x HTTP/1.1\r\nHost: files.test\r\nContent-Length: 1000000000\r\n\r\nbegin");

    assert_eq!(client.response().status(), 401);
    client.assert_closed();
    upstream.assert_untouched();
}

#[test]
fn a_client_that_does_not_read_is_dropped() {
    let upstream = TestUpstream::answering(|_| {
        use crate::support::answer::{Answer, Step, head};
        Answer::read().then(head(200, &[], "Content-Length: 1073741824\r\n")).and(Step::Flood)
    })
    .start();
    let gateway = limited(&upstream, "body_idle_timeout = \"1s\"");
    let mut client = gateway.connect();

    client.send(gateway.get("/x").bearer("alice").bytes());

    upstream.wait_for_closed(1);
}

#[test]
fn a_stream_whose_client_takes_nothing_is_dropped() {
    use crate::support::answer::{Answer, Step, head};
    let upstream = TestUpstream::answering(|_| {
        Answer::read().then(head(200, &[], "Content-Length: 1073741824\r\n")).and(Step::Flood)
    })
    .start();
    let gateway = limited(&upstream, "body_idle_timeout = \"1s\"");
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let mut raw = gateway.connect_frames();

    // SETTINGS_INITIAL_WINDOW_SIZE of 0: a response body may never be sent.
    raw.frame(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).unwrap();
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/x"),
        ("authorization", authorization.as_str()),
    ];
    raw.headers(1, END_STREAM, &fields).unwrap();

    upstream.wait_for_closed(1);
}

#[test]
fn a_stream_whose_body_never_comes_is_ended() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "body_idle_timeout = \"1s\"");
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let mut raw = gateway.connect_frames();

    let fields = [
        (":method", "PUT"),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/x"),
        ("authorization", authorization.as_str()),
    ];
    raw.headers(1, 0, &fields).unwrap();
    let outcome = raw.outcome(1);

    assert!(outcome.is_refusal(), "{outcome:?}");
    assert!(upstream.requests().iter().all(|request| !request.complete));
    assert_eq!(gateway.get("/y").bearer("alice").send_h2().status(), 200);
}

#[test]
fn silence_after_the_handshake_is_ended() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "header_timeout = \"1s\"");

    for protocols in [&["h2"][..], &["http/1.1"], &[]] {
        let mut stream = gateway.handshake(&client::Tls::new("files.test", protocols)).unwrap();
        let start = Instant::now();
        if let Err(error) = stream.read_to_end(&mut Vec::new()) {
            assert!(!client::is_timeout(&error), "{protocols:?}: the connection is kept open");
        }
        assert!(start.elapsed() < Duration::from_secs(6), "{protocols:?}: {:?}", start.elapsed());
    }

    upstream.assert_untouched();
}

#[test]
fn an_unfinished_handshake_is_ended() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "handshake_timeout = \"1s\"");

    for begin in [b"".as_slice(), b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]
    {
        let mut stream = client::tcp(gateway.address("tls"));
        stream.write_all(begin).unwrap();
        let (_, took) = until_closed(stream);
        assert!(took < Duration::from_secs(6), "{begin:?} took {took:?}");
    }

    assert_eq!(gateway.get("/x").bearer("alice").send_h2().status(), 200);
}

#[test]
fn an_http_2_head_without_an_end_is_ended() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "header_timeout = \"1s\"\nkeep_alive_timeout = \"60s\"");
    let mut raw = gateway.connect_frames();

    raw.frame(frames::HEADERS, END_STREAM, 1, &frames::block(&[(":method", "GET")])).unwrap();
    let start = Instant::now();
    let outcome = raw.outcome(1);

    assert!(outcome.is_refusal(), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    upstream.assert_untouched();
}

#[test]
fn one_address_has_so_many_connections() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream, "connections_per_address = 4");
    let mut open = (0..4).map(|_| gateway.connect()).collect::<Vec<_>>();
    for client in &mut open {
        assert_eq!(gateway.get("/x").bearer("alice").send_over(client).status(), 200);
    }

    let mut fifth = gateway.connect();
    let _ = fifth.try_send(gateway.get("/fifth").bearer("alice").bytes());
    let refused = fifth.response_to("GET").ok();

    assert!(refused.as_ref().is_none_or(|response| response.status() == 503), "{refused:?}");
    assert!(upstream.requests().iter().all(|request| request.target == "/x"));
    drop(open.pop());
    gateway.wait("a place to be free", || {
        let mut client = gateway.connect();
        let _ = client.try_send(gateway.get("/x").bearer("alice").bytes());
        client.response_to("GET").is_ok_and(|response| response.status() == 200)
    });
    let counted = gateway.metrics();
    assert!(counted.contains("doorward_connections"), "{counted}");
}

#[test]
fn a_listener_has_so_many_connections() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("listeners.main.limits", "connections = 4").start();
    let mut open = (0..4).map(|_| gateway.connect()).collect::<Vec<_>>();
    for client in &mut open {
        assert_eq!(gateway.get("/x").bearer("alice").send_over(client).status(), 200);
    }

    let mut fifth = gateway.connect();
    let _ = fifth.try_send(gateway.get("/fifth").bearer("alice").bytes());
    let refused = fifth.response_to("GET").ok();

    assert!(refused.as_ref().is_none_or(|response| response.status() == 503), "{refused:?}");
    assert!(upstream.requests().iter().all(|request| request.target == "/x"));
    assert_eq!(gateway.get("/x").bearer("alice").send_h2().status(), 200, "the other listener");
}

#[test]
fn streams_beyond_the_limit_are_refused() {
    let upstream = TestUpstream::answering(|_| crate::support::answer::Answer::never()).start();
    let gateway = limited(&upstream, "h2_streams = 5");
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/x"),
        ("authorization", authorization.as_str()),
    ];
    let mut raw = gateway.connect_frames();

    for number in 0..6 {
        raw.headers(2 * number + 1, END_STREAM, &fields).unwrap();
    }

    let outcome = raw.outcome(11);
    assert!(matches!(outcome, Outcome::Reset(7) | Outcome::GoneAway(_)), "{outcome:?}");
    assert!(upstream.requests().len() <= 5);
}

#[test]
fn descriptors_may_run_out_and_come_back() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).limit_descriptors(64).start();
    let held = (0..120).map(|_| TcpStream::connect(gateway.address("main"))).collect::<Vec<_>>();
    assert!(gateway.is_running());

    drop(held);

    gateway.wait("new connections to be served", || {
        let mut client = gateway.connect();
        let _ = client.try_send(gateway.get("/x").bearer("alice").bytes());
        client.response_to("GET").is_ok_and(|response| response.status() == 200)
    });
    assert!(gateway.output().matches("Too many open files").count() < 50);
}

#[test]
fn hashing_has_a_bound_that_good_users_do_not_feel() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("server", "workers = 1")
        .section("passwords", "workers = 1\nqueue = 4\nqueue_per_address = 2")
        .start();
    assert_eq!(gateway.get("/x").basic("alice", "wonderland-of-alice").send().status(), 200);

    std::thread::scope(|scope| {
        let wrong = (0..16)
            .map(|number| {
                let gateway = &gateway;
                scope.spawn(move || {
                    gateway.get("/x").basic("alice", &format!("wrong {number}")).send().status()
                })
            })
            .collect::<Vec<_>>();
        for _ in 0..10 {
            let good = gateway.get("/x").basic("alice", "wonderland-of-alice").send();
            assert_eq!(good.status(), 200, "a remembered success needs no hashing");
        }
        for thread in wrong {
            assert!(matches!(thread.join().unwrap(), 401 | 429 | 503));
        }
    });

    assert_eq!(upstream.requests().len(), 11);
}
