//! Connections that serve more than one request: what was left over of one is never the next.

use super::*;
use crate::support::answer::{Answer, Step};

#[test]
fn a_body_that_was_refused_is_never_read_as_a_request() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).route("roles = [\"editor\"]\nbody_limit = \"1KiB\"").start();
    let hidden = HIDDEN.repeat(3);
    let chunked = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    let length = format!("Content-Length: {}\r\n", hidden.len());
    let bob = authorization("bob");

    for (auth, method, expected) in [
        ("", "POST", 401),
        (bob.as_str(), "POST", 403),
        (&bob, "CONNECT", 405),
        (&bob, "LINK", 405),
        ("Authorization: Bearer x\r\n", "PUT", 401),
    ] {
        for (lines, body) in [
            (length.as_str(), &hidden),
            ("Transfer-Encoding: chunked\r\n", &chunked),
            ("Expect: 100-continue\r\nContent-Length: 40\r\n", &hidden),
        ] {
            let mut client = gateway.connect();
            let target = if method == "CONNECT" { "files.test:80" } else { "/x" };
            client.send(format!(
                "{method} {target} HTTP/1.1\r\nHost: files.test\r\n{auth}{lines}\r\n{body}"
            ));
            let first = client.response();
            assert!(first.status() == expected || first.status() == 400, "{method}: {first:?}");
            let _ = client.try_send(format!(
                "GET /next HTTP/1.1\r\nHost: files.test\r\n{}\r\n",
                authorization("alice")
            ));
            let rest = client.response_to("GET");
            assert!(
                rest.is_err() || rest.is_ok_and(|rest| matches!(rest.status(), 200 | 400 | 401))
            );
        }
    }

    nothing_hidden(&upstream);
    assert!(
        upstream
            .requests()
            .iter()
            .all(|request| request.target == "/next" && request.body.is_empty())
    );
}

#[test]
fn what_follows_a_request_to_upgrade_is_held_until_the_answer() {
    let upstream = TestUpstream::answering(|request| {
        let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
        match request.target.as_str() {
            "/200" => Answer::status(200, &upgrade, "no"),
            "/400" => Answer::status(400, &upgrade, "no"),
            "/426" => Answer::status(426, &upgrade, "no"),
            "/cut" => Answer::hang_up(),
            _ => Answer::ok("hello"),
        }
    })
    .start();
    let gateway = TestGateway::before(&upstream).route("websocket = true").start();
    let alice = authorization("alice");
    let hidden = format!("GET /files/bob/.. HTTP/1.1\r\nHost: files.test\r\n{alice}\r\n{HIDDEN}");

    for target in ["/200", "/400", "/426", "/cut"] {
        for upgrade in ["websocket", "WebSocket", "h2c", "websocket, h2c", "TLS/1.0"] {
            let mut client = gateway.connect();
            client.send(format!(
                "GET {target} HTTP/1.1\r\nHost: files.test\r\n{alice}Connection: Upgrade, HTTP2-Settings\r\n\
                 Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n{hidden}"
            ));
            let first = client.response();
            assert_ne!(first.status(), 101, "{target} {upgrade}");
            let _ = client.response_to("GET");
        }
    }

    nothing_hidden(&upstream);
    for request in upstream.requests() {
        assert!(["/200", "/400", "/426", "/cut"].contains(&request.target.as_str()), "{request:?}");
        assert_eq!(request.header("http2-settings"), None);
        assert!(
            request
                .header("upgrade")
                .is_none_or(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
        );
    }
    assert_eq!(upstream.tunnelled(), b"");
}

#[test]
fn a_connection_that_was_asked_to_leave_http_serves_nobody_else() {
    let upstream = TestUpstream::answering(|request| {
        let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
        if request.target == "/chat" {
            Answer::status(200, &upgrade, "no")
        } else {
            Answer::ok("hello")
        }
    })
    .start();
    let gateway = TestGateway::before(&upstream)
        .section("server", "workers = 1")
        .route("websocket = true")
        .start();
    let alice = authorization("alice");
    let get =
        |target: &str, lines: &str| super::super::exchange::get(target, &format!("{alice}{lines}"));

    assert_eq!(status(&gateway, get("/a", "")), 200);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert_eq!(status(&gateway, get("/chat", upgrade)), 200);
    assert_eq!(status(&gateway, get("/b", "")), 200);
    let connect = format!(
        "CONNECT files.test:80 HTTP/1.1\r\nHost: files.test\r\n{alice}Content-Length: {}\r\n\r\n{HIDDEN}",
        HIDDEN.len()
    );
    assert_eq!(status(&gateway, connect), 405);

    let requests = upstream.requests();
    let targets: Vec<_> = requests.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, ["/a", "/chat", "/b"]);
    assert_ne!(requests[1].connection, requests[2].connection);
}

#[test]
fn an_upload_that_was_cut_leaves_no_connection_behind() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
    let alice = authorization("alice");

    for framing in ["Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"] {
        for begin in ["", "1\r\nx\r\n", HIDDEN] {
            let mut client = gateway.connect();
            client.send(post(framing, begin));
            client.finish();
            client.rest();
            let answer = answer(&gateway, super::super::exchange::get("/next", &alice)).unwrap();
            assert_eq!((answer.status(), answer.text().as_str()), (200, "hello"));
        }
    }

    nothing_hidden(&upstream);
    let requests = upstream.requests();
    for (number, request) in requests.iter().enumerate() {
        assert_eq!(request.complete, request.target == "/next", "{request:?}");
        let mut later = requests[number + 1..].iter();
        let is_used_again = later.any(|later| later.connection == request.connection);
        assert!(request.complete || !is_used_again, "{requests:#?}");
    }
}

#[test]
fn an_answer_before_the_end_of_the_body_is_the_last_of_its_connection() {
    let upstream = TestUpstream::answering(|request| {
        if request.target == "/x" {
            Answer::early(409, "no").and(Step::Stall)
        } else {
            Answer::ok("hello")
        }
    })
    .start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
    let alice = authorization("alice");

    for _ in 0..3 {
        let mut client = gateway.connect();
        client.send(post("Content-Length: 100\r\n", "begin"));
        assert_eq!(client.response().status(), 409);
        let answer = answer(&gateway, super::super::exchange::get("/next", &alice)).unwrap();
        assert_eq!((answer.status(), answer.text().as_str()), (200, "hello"));
    }

    nothing_hidden(&upstream);
}
