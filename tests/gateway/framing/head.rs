//! HTTP/1.1 heads: lines, targets, hosts, lengths.

use super::{authorization, gateway, outcome, refused};
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

#[test]
fn lines_end_in_crlf_only() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for text in [
        "GET /x HTTP/1.1\nHost: files.test\n{auth}\n",
        "GET /x HTTP/1.1\r\nHost: files.test\n{auth}\r\n",
        "GET /x HTTP/1.1\r\nHost: files.test\r\nX: y\n{auth}\r\n",
        "GET /x HTTP/1.1\r\nHost: files.test\r\n{auth}\n\r\n",
        "GET /x HTTP/1.1\rHost: files.test\r\n{auth}\r\n",
        "GET /x HTTP/1.1\r\nHost: files.test\r\nX: a\rb\r\n{auth}\r\n",
    ] {
        refused(&gateway, text, &[400]);
    }

    upstream.assert_untouched();
}

#[test]
fn header_lines_are_strict() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for line in [
        "X : y",
        "X\t: y",
        " X: y",
        "\tX: y",
        ": y",
        "X",
        "X y: z",
        "X\0: y",
        "X: y\0z",
        "X: y\u{1}",
        "X: y\u{7f}",
        "X(: y",
        "X/Y: z",
        "\"X\": y",
        "X: y\r\n folded",
        "X: y\r\n\tfolded",
        "Host : files.test",
        "Host: files.test\r\n other",
    ] {
        let text = format!("GET /x HTTP/1.1\r\nHost: files.test\r\n{{auth}}{line}\r\n\r\n");
        refused(&gateway, &text, &[400]);
        let first = format!("GET /x HTTP/1.1\r\n{line}\r\nHost: files.test\r\n{{auth}}\r\n");
        refused(&gateway, &first, &[400]);
    }

    upstream.assert_untouched();
}

#[test]
fn request_lines_are_strict() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for line in [
        "GET  /x HTTP/1.1",
        "GET /x  HTTP/1.1",
        "GET\t/x HTTP/1.1",
        " GET /x HTTP/1.1",
        "GET /x HTTP/1.1 ",
        "GET /x",
        "GET /x HTTP/1.2",
        "GET /x HTTP/2.0",
        "GET /x HTTP/0.9",
        "GET /x http/1.1",
        "GET /x HTTP/1",
        "GET /x HTTP/11",
        "GET /x\0 HTTP/1.1",
        "GET /x\u{7f} HTTP/1.1",
        "GET /a b HTTP/1.1",
        "G(T /x HTTP/1.1",
        "/x HTTP/1.1",
        "GET x HTTP/1.1",
        "GET * HTTP/1.1",
        "GET ?x HTTP/1.1",
        "GET files.test:80 HTTP/1.1",
        "GET /x#y HTTP/1.1",
        "GET /x?a#y HTTP/1.1",
        "OPTIONS */x HTTP/1.1",
        "GET \\x HTTP/1.1",
    ] {
        let text = format!("{line}\r\nHost: files.test\r\n{{auth}}\r\n");
        refused(&gateway, &text, &[400, 405, 505]);
    }

    upstream.assert_untouched();
}

#[test]
fn connect_and_trace_are_never_done() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for line in [
        "CONNECT files.test:443 HTTP/1.1",
        "CONNECT / HTTP/1.1",
        "TRACE /x HTTP/1.1",
        "TRACK /x HTTP/1.1",
    ] {
        let text = format!("{line}\r\nHost: files.test\r\n{{auth}}\r\n");
        refused(&gateway, &text, &[400, 405, 501]);
    }

    upstream.assert_untouched();
}

#[test]
fn a_request_names_one_host() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for host in [
        "",
        "Host: a.test\r\nHost: a.test\r\n",
        "Host: a.test\r\nhost: b.test\r\n",
        "Host:\r\n",
        "Host: \r\n",
        "Host: a.test,evil\r\n",
        "Host: a.test, b.test\r\n",
        "Host: user@a.test\r\n",
        "Host: a.test:65536\r\n",
        "Host: a.test:0\r\n",
        "Host: a.test:-1\r\n",
        "Host: a.test:\u{661}\r\n",
        "Host: a.test/x\r\n",
        "Host: a.test?x\r\n",
        "Host: a.test#x\r\n",
        "Host: a test\r\n",
        "Host: [::1\r\n",
        "Host: [evil]\r\n",
        "Host: a..test\r\n",
        "Host: .\r\n",
        "Host: %61.test\r\n",
        "Host: a.test:80:80\r\n",
        "Host: a\\b\r\n",
    ] {
        let text = format!("GET /x HTTP/1.1\r\n{host}{{auth}}\r\n");
        refused(&gateway, &text, &[400, 421]);
    }

    upstream.assert_untouched();
}

#[test]
fn an_absolute_target_must_agree_with_host() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for line in [
        "GET http://other.test/x HTTP/1.1",
        "GET http://user@files.test/x HTTP/1.1",
        "GET ftp://files.test/x HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http:/x HTTP/1.1",
        "GET //files.test/x HTTP/1.1",
        "GET http://files.test:81/x HTTP/1.1",
        "GET http://files.test\\@evil/x HTTP/1.1",
        "GET javascript:x HTTP/1.1",
    ] {
        refused(&gateway, &format!("{line}\r\nHost: files.test\r\n{{auth}}\r\n"), &[400, 404, 421]);
    }
    // Nothing is encrypted here.
    let https = "GET https://files.test/x HTTP/1.1\r\nHost: files.test\r\n{auth}\r\n";
    refused(&gateway, https, &[421]);
    upstream.assert_untouched();

    let good = format!(
        "GET http://FILES.test/x?y HTTP/1.1\r\nHost: files.test\r\n{}\r\n",
        authorization()
    );
    let response = outcome(&gateway, good.as_bytes()).unwrap();
    assert_eq!(response.status(), 200, "{response:?}");
    assert_eq!(upstream.only_request().target, "/x?y");
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    let mut client = gateway.connect();
    client.send(format!(
        "POST /x HTTP/1.0\r\nHost: files.test\r\n{}\r\nGET /y HTTP/1.1\r\n",
        authorization()
    ));
    let answer = String::from_utf8(client.rest()).unwrap();

    let status = answer.get(9..12).unwrap_or("");
    assert!(matches!(status, "200" | "505"), "{answer}");
    assert!(answer.matches("HTTP/1.").count() == 1, "{answer}");
    for request in upstream.requests() {
        assert_eq!((request.target.as_str(), request.body.len()), ("/x", 0));
    }
}

#[test]
fn over_long_heads_are_told_apart() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("limits", "request_line = \"1KiB\"\nheader_bytes = \"8KiB\"\nheader_count = 20")
        .start();
    let long = |length: usize| "x".repeat(length);
    let with = |lines: &str| format!("GET /x HTTP/1.1\r\nHost: files.test\r\n{{auth}}{lines}\r\n");

    refused(
        &gateway,
        &format!("GET /{} HTTP/1.1\r\nHost: files.test\r\n{{auth}}\r\n", long(2000)),
        &[414],
    );
    refused(
        &gateway,
        &format!("GET /{} HTTP/1.1\r\nHost: files.test\r\n{{auth}}\r\n", long(100_000)),
        &[414],
    );
    refused(&gateway, &with(&format!("X: {}\r\n", long(9000))), &[431]);
    refused(&gateway, &with(&format!("X: {}\r\n", long(1_000_000))), &[431]);
    refused(&gateway, &with(&format!("{}: y\r\n", long(70_000))), &[400, 431]);
    refused(&gateway, &with(&"X: y\r\n".repeat(30)), &[431]);
    upstream.assert_untouched();

    let fits = with(&"X: y\r\n".repeat(10)).replace("{auth}", &authorization());
    assert_eq!(outcome(&gateway, fits.as_bytes()).unwrap().status(), 200);
}

#[test]
fn the_status_of_a_long_head_is_told_before_its_end() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "request_line = \"1KiB\"").start();

    let mut client = gateway.connect();
    client.send(format!("GET /{}", "x".repeat(4096)));

    assert_eq!(client.response().status(), 414);
    client.rest();
    upstream.assert_untouched();
}

#[test]
fn garbage_is_refused_or_closed() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"\0\0\0\0\0\0\0\0",
        b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"\xff\xfe\xfd\xfc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"G",
        b"",
    ] {
        let mut client = gateway.connect();
        let _ = client.try_send(bytes);
        client.finish();
        let answer = client.response_to("GET").ok();
        let fits = answer.as_ref().is_none_or(|response| (400..600).contains(&response.status()));
        assert!(fits, "{bytes:?}: {answer:?}");
    }

    upstream.assert_untouched();
    assert!(gateway.is_running());
}

#[test]
fn what_never_became_a_request_is_answered_and_logged_under_one_id() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for (text, status, reason) in [
        ("garbage\r\n\r\n", 400, "request_line_malformed"),
        ("GET / HTTP/1.1\r\nHost : files.test\r\n\r\n", 400, "field_malformed"),
        ("GET / HTTP/3.0\r\nHost: files.test\r\n\r\n", 505, "version_not_supported"),
    ] {
        let response = outcome(&gateway, text.as_bytes()).unwrap();
        assert_eq!(response.status(), status, "{response:?}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let decision = response.problem()["decision"].as_str().unwrap().to_owned();
        let lines = gateway.log_lines(&decision);
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!((&line["reason"], &line["verdict"]), (&reason.into(), &"deny".into()));
        assert_eq!(line["status"], status);
    }
    upstream.assert_untouched();
}
