//! HTTP/1.1 bodies: one framing, strict chunks, and nothing left over.

use super::{authorization, gateway, outcome, refused};
use crate::support::answer::Answer;
use crate::support::configuration::Builder;
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[test]
fn a_message_framed_in_two_ways_is_refused() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: 4\r\nContent-Length: 4",
        "Content-Length: 4, 4",
        "Content-Length: 4\r\ncontent-length: 0",
        "Content-Length:\r\nContent-Length: 59",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\ntransfer-encoding: identity",
    ] {
        let text = format!(
            "POST /x HTTP/1.1\r\nHost: files.test\r\n{{auth}}{framing}\r\n\r\n\
             0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: files.test\r\n{{auth}}\r\n"
        );
        refused(&gateway, &text, &[400, 501]);
    }

    upstream.assert_untouched();
}

#[test]
fn a_content_length_is_digits_and_nothing_else() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for length in [
        "+5",
        "-1",
        "0x5",
        "5_0",
        "5 0",
        "5,6",
        "",
        "5;x",
        "five",
        "5.0",
        "99999999999999999999",
        "18446744073709551616",
        "\u{665}",
        "5\u{b}",
    ] {
        let text = format!(
            "POST /x HTTP/1.1\r\nHost: files.test\r\n{{auth}}Content-Length: {length}\r\n\r\nhello"
        );
        refused(&gateway, &text, &[400, 413]);
    }

    upstream.assert_untouched();
}

#[test]
fn a_transfer_coding_is_chunked_and_nothing_else() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for coding in [
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding:",
        "Transfer-Encoding: ,chunked",
        "Transfer-Encoding: chunked,",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding : chunked",
        " Transfer-Encoding: chunked",
        "Transfer\u{b}Encoding: chunked",
        "Transfer-Encoding\t: chunked",
        "Transfer-Encoding: chun\r\n ked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
    ] {
        let text =
            format!("POST /x HTTP/1.1\r\nHost: files.test\r\n{{auth}}{coding}\r\n\r\n0\r\n\r\n");
        refused(&gateway, &text, &[400, 501]);
    }

    upstream.assert_untouched();
}

#[test]
fn an_underscore_does_not_frame_a_message() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    let bytes = format!(
        "GET /x HTTP/1.1\r\nHost: files.test\r\n{}Transfer_Encoding: chunked\r\nContent_Length: 5\r\n\r\n",
        authorization()
    );
    let response = outcome(&gateway, bytes.as_bytes()).unwrap();

    assert!(matches!(response.status(), 200 | 400), "{response:?}");
    for request in upstream.requests() {
        let folded = request.headers.iter().map(|(name, _)| name.to_lowercase().replace('_', "-"));
        for name in folded {
            assert!(!["transfer-encoding", "content-length"].contains(&&*name), "{request:?}");
        }
    }
}

#[test]
fn chunks_are_strict() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let head = "POST /x HTTP/1.1\r\nHost: files.test\r\n{auth}Transfer-Encoding: chunked\r\n\r\n";

    for body in [
        "3\nabc\r\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "3 \nabc\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\nabc\r\n0\r\n\r\n",
        "10000000000000003\r\nabc\r\n0\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        "g\r\nabc\r\n0\r\n\r\n",
        "3\rabc\r\n0\r\n\r\n",
    ] {
        let text =
            format!("{head}{body}GET /smuggled HTTP/1.1\r\nHost: files.test\r\n{{auth}}\r\n");
        refused(&gateway, &text, &[400, 502]);
    }

    for request in upstream.requests() {
        assert_ne!(request.target, "/smuggled");
        assert!(!request.complete, "a broken body ended well upstream: {request:?}");
    }
}

#[test]
fn trailers_are_dropped() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    let bytes = format!(
        "POST /x HTTP/1.1\r\nHost: files.test\r\n{}Transfer-Encoding: chunked\r\nTrailer: X-Forwarded-User\r\n\r\n\
         5;extension=1\r\nhello\r\n0\r\nX-Forwarded-User: forged\r\n\r\n",
        authorization()
    );
    let response = outcome(&gateway, bytes.as_bytes()).unwrap();

    assert_eq!(response.status(), 200);
    let seen = upstream.only_request();
    assert_eq!(seen.text(), "hello");
    assert_eq!(seen.header("x-forwarded-user"), Some("alice"));
}

#[test]
fn http_1_0_has_no_transfer_coding() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    refused(
        &gateway,
        "POST /x HTTP/1.0\r\nHost: files.test\r\n{auth}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400, 501, 505],
    );

    upstream.assert_untouched();
}

fn limited(upstream: &TestUpstream) -> Builder {
    TestGateway::before(upstream).route("body_limit = \"10B\"")
}

#[test]
fn a_body_over_the_limit_is_413() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream).start();
    let put = |body: &str| gateway.ask("PUT", "/x").bearer("alice").body(body);

    assert_eq!(put("12345678901").send().status(), 413);
    assert_eq!(put("12345678901").send_h2().status(), 413);
    upstream.assert_untouched();

    assert_eq!(put("1234567890").send().status(), 200);
    assert_eq!(upstream.only_request().text(), "1234567890");
}

#[test]
fn a_chunked_body_over_the_limit_never_ends_well_upstream() {
    let upstream = TestUpstream::start();
    let gateway = limited(&upstream).start();

    let bytes = format!(
        "PUT /x HTTP/1.1\r\nHost: files.test\r\n{}Transfer-Encoding: chunked\r\n\r\n\
         8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n",
        authorization()
    );
    let response = gateway.exchange(bytes);

    assert_eq!(response.status(), 413);
    for request in upstream.requests() {
        assert!(!request.complete && request.body.len() <= 10, "{request:?}");
    }
}

#[test]
fn only_100_continue_may_be_expected() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for expect in ["100-continued", "y 100-continue", "200-ok", "100-continue, x", ""] {
        let text = format!(
            "POST /x HTTP/1.1\r\nHost: files.test\r\n{{auth}}Expect: {expect}\r\nContent-Length: 5\r\n\r\nhello"
        );
        refused(&gateway, &text, &[417, 400]);
    }

    upstream.assert_untouched();
}

#[test]
fn a_refused_request_does_not_become_the_next_one() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let smuggled = format!("GET /smuggled HTTP/1.1\r\nHost: files.test\r\n{}\r\n", authorization());

    let mut client = gateway.connect();
    client.send(format!(
        "POST /x HTTP/1.1\r\nHost: files.test\r\nContent-Length: {}\r\n\r\n{smuggled}",
        smuggled.len()
    ));
    assert_eq!(client.response().status(), 401);
    let _ = client
        .try_send(format!("GET /next HTTP/1.1\r\nHost: files.test\r\n{}\r\n", authorization()));
    let next = client.response_to("GET").ok();

    assert!(next.is_none_or(|response| response.status() == 200));
    assert!(upstream.requests().iter().all(|request| request.target == "/next"));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let get = |target: &str, auth: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: files.test\r\n{auth}\r\n")
    };
    let auth = authorization();

    let mut client = gateway.connect();
    client.send([get("/1", &auth), get("/2", ""), get("/3", &auth)].concat());
    let statuses =
        [client.response().status(), client.response().status(), client.response().status()];

    assert_eq!(statuses, [200, 401, 200]);
    let targets = upstream.requests().into_iter().map(|request| request.target).collect::<Vec<_>>();
    assert_eq!(targets, ["/1", "/3"]);
}

#[test]
fn a_body_that_a_method_seldom_has_is_framed_exactly() {
    let upstream = TestUpstream::answering(|request| {
        let head = Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        if request.method == "HEAD" { head } else { head.then("hello") }
    })
    .start();
    let gateway = gateway(&upstream);

    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        let mut client = gateway.connect();
        client.send(gateway.ask(method, "/x").bearer("alice").body("hello").bytes());
        assert_eq!(client.response_to(method).unwrap().status(), 200, "{method}");
        let chunked = format!(
            "{method} /y HTTP/1.1\r\nHost: files.test\r\n{}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            authorization()
        );
        client.send(chunked);
        assert_eq!(client.response_to(method).unwrap().status(), 200, "{method}");
    }

    let requests = upstream.requests();
    assert_eq!(requests.len(), 8);
    assert!(requests.iter().all(|request| request.text() == "hello"), "{requests:#?}");
}

#[test]
fn a_method_without_a_body_has_no_framing() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for method in ["GET", "DELETE", "PUT", "POST"] {
        assert_eq!(gateway.ask(method, "/x").bearer("alice").send().status(), 200);
        assert_eq!(gateway.ask(method, "/x").bearer("alice").send_h2().status(), 200);
    }

    for request in upstream.requests() {
        assert_eq!(request.header("transfer-encoding"), None, "{}", request.method);
        let length = request.header("content-length");
        assert!(matches!(length, None | Some("0")), "{}: {length:?}", request.method);
    }
}
