//! Bodies: streamed both ways, whole or visibly cut.

use super::post;
use crate::support::answer::{Answer, Step, gate, head};
use crate::support::client;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[test]
fn a_request_body_streams() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    client.send(post("Content-Length: 10")).send("first");
    upstream.wait_for("the first half", |requests| {
        requests.first().is_some_and(|request| request.body == b"first")
    });
    client.send("later");

    assert_eq!(client.response().status(), 200);
    let seen = upstream.only_request();
    assert_eq!(seen.text(), "firstlater");
    assert_eq!(seen.header("content-length"), Some("10"));
    assert_eq!(seen.header("transfer-encoding"), None);
}

#[test]
fn a_chunked_request_body_streams() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    client.send(post("Transfer-Encoding: chunked")).send("5\r\nfirst\r\n");
    upstream.wait_for("the first chunk", |requests| {
        requests.first().is_some_and(|request| request.body == b"first")
    });
    client.send("5\r\nlater\r\n0\r\n\r\n");

    assert_eq!(client.response().status(), 200);
    let seen = upstream.only_request();
    assert_eq!(seen.text(), "firstlater");
    assert_eq!(seen.header("transfer-encoding"), Some("chunked"));
    assert_eq!(seen.header("content-length"), None);
}

#[test]
fn a_response_body_streams() {
    let (opener, gate) = gate();
    let upstream = TestUpstream::scripted([Answer::read()
        .then(head(200, &[], "Transfer-Encoding: chunked\r\n"))
        .then("5\r\nfirst\r\n")
        .wait(gate)
        .then("5\r\nlater\r\n0\r\n\r\n")]);
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    client.send(gateway.get("/x").bearer("alice").bytes());
    let (status, headers) = client.response_head().unwrap();
    assert_eq!(status, 200);
    assert!(headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding")));
    assert_eq!(client.read(10).unwrap(), b"5\r\nfirst\r\n");
    opener.open();

    assert_eq!(client.read(15).unwrap(), b"5\r\nlater\r\n0\r\n\r\n");
}

#[test]
fn a_fast_upstream_waits_for_a_slow_client() {
    let upstream = TestUpstream::answering(|_| {
        Answer::read().then(head(200, &[], "Content-Length: 1073741824\r\n")).and(Step::Flood)
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    client.send(gateway.get("/x").bearer("alice").bytes());
    client.response_head().unwrap();
    let progress = std::cell::Cell::new((0, 0));
    gateway.wait("the upstream to be held", || {
        let (last, still) = progress.get();
        let now = upstream.sent();
        progress.set((now, if now == last { still + 1 } else { 0 }));
        still > 30
    });
    let (last, _) = progress.get();

    // Socket buffers on both sides and one of ours; a gateway without back-pressure takes all.
    assert!(last < 64 << 20, "{last} bytes were taken from the upstream");
    assert!(client.read(1 << 20).is_ok());
}

#[test]
fn a_fast_client_waits_for_a_slow_upstream() {
    let (_opener, gate) = gate();
    let upstream = TestUpstream::scripted([Answer::default().wait(gate).and(Step::Close)]);
    let gateway = TestGateway::before(&upstream).start();
    let mut stream = client::tcp(gateway.address("main"));
    stream.set_write_timeout(Some(std::time::Duration::from_millis(500))).unwrap();

    std::io::Write::write_all(&mut stream, post("Content-Length: 1073741824").as_bytes()).unwrap();
    let piece = vec![b'x'; 1 << 16];
    let mut sent = 0;
    while sent < 256 << 20 {
        match std::io::Write::write(&mut stream, &piece) {
            Ok(count) => sent += count,
            Err(error) => {
                assert!(client::is_timeout(&error), "{error}");
                break;
            }
        }
    }

    assert!(sent < 64 << 20, "{sent} bytes were taken from the client");
}

#[test]
fn trailers_of_the_upstream_are_dropped() {
    let upstream = TestUpstream::answering(|_| {
        Answer::raw(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n5\r\nhello\r\n0\r\nX-Late: 1\r\n\r\n",
        )
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();

    for response in
        [gateway.get("/x").bearer("alice").send(), gateway.get("/x").bearer("alice").send_h2()]
    {
        assert_eq!((response.status(), response.text().as_str()), (200, "hello"));
    }
}

#[test]
fn continue_is_said_before_the_body_and_only_after_the_decision() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    client.send(post("Expect: 100-continue\r\nContent-Length: 5"));
    let (status, _) = client.response_head().unwrap();
    assert_eq!(status, 100);
    client.send("hello");
    assert_eq!(client.response().status(), 200);
    assert_eq!(upstream.only_request().text(), "hello");

    let mut client = gateway.connect();
    client.send(
        "POST /x HTTP/1.1\r\nHost: files.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    );
    let (status, _) = client.response_head().unwrap();
    assert_eq!(status, 401);
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn an_early_answer_is_passed_before_the_body_has_ended() {
    let upstream = TestUpstream::scripted([Answer::early(409, "no").and(Step::Close)]);
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    client.send(post("Content-Length: 1000000")).send("begin");

    let response = client.response();
    assert_eq!((response.status(), response.text().as_str()), (409, "no"));
}

#[test]
fn head_has_no_body() {
    let upstream =
        TestUpstream::answering(|_| Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
            .start();
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    for _ in 0..2 {
        let response = gateway.ask("HEAD", "/x").bearer("alice").send_over(&mut client);
        assert_eq!(response.status(), 200);
        assert_eq!(response.header("content-length"), Some("5"));
    }
    assert_eq!(gateway.ask("HEAD", "/x").bearer("alice").send_h2().status(), 200);
    assert_eq!(gateway.ask("HEAD", "/x").send_over(&mut client).status(), 401);
}

#[test]
fn answers_without_a_body_leave_the_connection_usable() {
    let upstream = TestUpstream::scripted([
        Answer::raw("HTTP/1.1 204 No Content\r\n\r\n"),
        Answer::raw("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 70\r\n\r\n"),
        Answer::raw(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        ),
    ]);
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();
    let mut status = || gateway.get("/x").bearer("alice").send_over(&mut client).status();

    assert_eq!([status(), status(), status(), status()], [204, 304, 200, 200]);
}

#[test]
fn a_body_until_close_is_passed_whole() {
    let upstream = TestUpstream::answering(|_| {
        Answer::raw("HTTP/1.1 200 OK\r\n\r\nuntil the end").and(Step::Close)
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();

    for response in
        [gateway.get("/x").bearer("alice").send(), gateway.get("/x").bearer("alice").send_h2()]
    {
        assert_eq!((response.status(), response.text().as_str()), (200, "until the end"));
    }
}

#[test]
fn a_large_upload_and_download_arrive_whole() {
    let upstream = TestUpstream::answering(|request| {
        if request.method == "PUT" {
            Answer::ok("stored")
        } else {
            Answer::ok(&"0123456789abcdef".repeat(1 << 18))
        }
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();
    let body = "0123456789abcdef".repeat(1 << 18);

    for http2 in [false, true] {
        let put = gateway.ask("PUT", "/big").bearer("alice").body(&body);
        let get = gateway.get("/big").bearer("alice");
        let (put, get) =
            if http2 { (put.send_h2(), get.send_h2()) } else { (put.send(), get.send()) };
        assert_eq!(put.text(), "stored");
        assert!(get.text() == body, "the download differs");
    }

    for request in upstream.requests().iter().filter(|request| request.method == "PUT") {
        assert!(request.complete && request.text() == body, "the upload differs");
    }
}

#[test]
fn an_http_1_0_client_gets_no_chunks() {
    let upstream = TestUpstream::answering(|_| {
        Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();
    let mut client = gateway.connect();

    let token = crate::support::tokens::Token::of("alice").signed();
    client.send(format!(
        "GET /x HTTP/1.0\r\nHost: files.test\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
    let answer = String::from_utf8(client.rest()).unwrap();

    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert!(!answer.to_lowercase().contains("transfer-encoding"), "{answer}");
}

#[test]
fn a_range_is_asked_for_and_answered() {
    let upstream = TestUpstream::answering(|request| {
        assert_eq!(request.header("range"), Some("bytes=1-2"));
        Answer::status(206, &[("Content-Range", "bytes 1-2/5"), ("ETag", "\"x\"")], "el")
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();
    let ask = gateway.get("/x").bearer("alice").header("Range", "bytes=1-2");

    for response in [ask.send(), ask.send_h2()] {
        assert_eq!((response.status(), response.text().as_str()), (206, "el"));
        assert_eq!(response.header("content-range"), Some("bytes 1-2/5"));
        assert_eq!(response.header("etag"), Some("\"x\""));
    }
}
