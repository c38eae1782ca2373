//! HTTP/2: malformed heads, broken frames, floods.

use super::gateway;
use crate::support::frames::{self, END_HEADERS, END_STREAM, Outcome};
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

#[test]
fn long_heads_are_refused_over_http_2() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("limits", "request_line = \"1KiB\"\nheader_bytes = \"8KiB\"\nheader_count = 20")
        .start();
    let long = "x".repeat(9000);
    let mut many = gateway.get("/x").bearer("alice");
    for number in 0..30 {
        many = many.header(&format!("x-{number}"), "y");
    }

    let line = gateway.get(&format!("/{}", &long[..2000])).bearer("alice").send_h2();
    assert_eq!(line.status(), 414);
    assert_eq!(many.send_h2().status(), 431);
    let mut raw = gateway.connect_frames();
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/x"),
        ("x", &*long),
    ];
    raw.headers(1, END_STREAM, &fields).unwrap();
    let outcome = raw.outcome(1);
    let fits =
        matches!(outcome, Outcome::Response(431, _) | Outcome::Reset(_) | Outcome::GoneAway(_));
    assert!(fits, "{outcome:?}");

    upstream.assert_untouched();
}

const GOOD: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":authority", "files.test"), (":path", "/x")];

#[test]
fn malformed_http_2_requests_are_refused() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let without = |name: &str| GOOD.iter().filter(|(n, _)| *n != name).copied().collect::<Vec<_>>();
    let replaced = |name: &'static str, value: &'static str| {
        let mut fields = without(name);
        fields.insert(0, (name, value));
        fields
    };
    let and = |name: &'static str, value: &'static str| {
        GOOD.iter().copied().chain([(name, value)]).collect::<Vec<_>>()
    };
    let cases = [
        without(":method"),
        without(":scheme"),
        without(":path"),
        without(":authority"),
        replaced(":method", "GE T"),
        replaced(":method", "GET /smuggled HTTP/1.1\r\nX:"),
        replaced(":method", ""),
        replaced(":method", "CONNECT"),
        replaced(":path", "x"),
        replaced(":path", ""),
        replaced(":path", "*"),
        replaced(":path", "/x y"),
        replaced(":path", "/x HTTP/1.1\r\nX-Forwarded-User: forged"),
        replaced(":path", "/x\0"),
        replaced(":path", "//x/../y"),
        replaced(":authority", "files.test/x"),
        replaced(":authority", "a@files.test"),
        replaced(":authority", "files.test\r\nX: y"),
        replaced(":authority", ""),
        replaced(":scheme", "http s"),
        replaced(":scheme", "https://files.test/?"),
        and(":method", "PUT"),
        and(":path", "/y"),
        and(":status", "200"),
        and(":protocol", "websocket"),
        and(":unknown", "x"),
        and("host", "other.test"),
        and("connection", "x-forwarded-user"),
        and("transfer-encoding", "chunked"),
        and("keep-alive", "5"),
        and("proxy-connection", "close"),
        and("upgrade", "websocket"),
        and("te", "gzip"),
        and("X-Upper", "y"),
        and("x y", "z"),
        and("", "z"),
        and("x", "a\r\nb: c"),
        and("x", "a\nb"),
        and("x", "a\0b"),
        and("x", " a"),
        and("x", "a\t"),
        and("content-length", "5"),
        and("content-length", "+0"),
    ];

    for mut fields in cases {
        let mut raw = gateway.connect_frames();
        fields.push(("authorization", &authorization));
        raw.headers(1, END_STREAM, &fields).unwrap();
        let outcome = raw.outcome(1);
        assert!(outcome.is_refusal(), "{fields:?}: {outcome:?}");
    }

    upstream.assert_untouched();
}

#[test]
fn a_pseudo_header_after_a_field_is_refused() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let authorization = format!("Bearer {}", Token::of("alice").signed());

    let mut raw = gateway.connect_frames();
    let mut fields = vec![("authorization", authorization.as_str())];
    fields.extend(GOOD);
    raw.headers(1, END_STREAM, &fields).unwrap();

    assert!(raw.outcome(1).is_refusal());
    upstream.assert_untouched();
}

#[test]
fn a_body_that_disagrees_with_its_length_never_ends_well_upstream() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let authorization = format!("Bearer {}", Token::of("alice").signed());

    for (length, body) in [("10", "short"), ("3", "too long")] {
        let mut raw = gateway.connect_frames();
        let mut fields = GOOD.to_vec();
        fields[0].1 = "PUT";
        fields.extend([("authorization", authorization.as_str()), ("content-length", length)]);
        raw.headers(1, 0, &fields).unwrap();
        raw.frame(frames::DATA, END_STREAM, 1, body.as_bytes()).unwrap();
        let outcome = raw.outcome(1);
        assert!(outcome.is_refusal(), "{length}: {outcome:?}");
    }

    for request in upstream.requests() {
        assert!(!request.complete, "{request:?}");
    }
}

#[test]
fn rapid_resets_end_the_connection() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let mut fields = GOOD.to_vec();
    fields.push(("authorization", &authorization));
    let mut raw = gateway.connect_frames();

    for number in 0..3000 {
        let stream = 2 * number + 1;
        let sent = raw
            .headers(stream, END_STREAM, &fields)
            .and_then(|()| raw.frame(frames::RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        if sent.is_err() {
            break;
        }
    }

    let outcome = raw.outcome(u32::MAX);
    assert!(matches!(outcome, Outcome::GoneAway(_) | Outcome::Closed), "{outcome:?}");
    let reached = upstream.requests().len();
    assert!(reached <= 400, "{reached} requests went upstream");
    assert_eq!(gateway.get("/good").bearer("alice").send_h2().status(), 200);
}

#[track_caller]
fn flood_ends(gateway: &TestGateway, frame: &[u8], count: usize) {
    let mut raw = gateway.connect_frames();
    let batch = frame.repeat(100);
    for _ in 0..count / 100 {
        if raw.bytes(&batch).is_err() {
            break;
        }
    }
    let outcome = raw.outcome(u32::MAX);
    assert!(matches!(outcome, Outcome::GoneAway(_) | Outcome::Closed), "{outcome:?}");
    assert_eq!(gateway.get("/good").bearer("alice").send_h2().status(), 200);
}

#[test]
fn floods_of_control_frames_end_the_connection() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    flood_ends(&gateway, &frames::encode(frames::PING, 0, 0, &[0; 8]), 20_000);
    flood_ends(&gateway, &frames::encode(frames::SETTINGS, 0, 0, b""), 20_000);
    flood_ends(&gateway, &frames::encode(frames::PRIORITY, 0, 1, &[0, 0, 0, 3, 0]), 20_000);
    flood_ends(&gateway, &frames::encode(frames::WINDOW_UPDATE, 0, 0, &0_u32.to_be_bytes()), 1_500);

    assert!(upstream.requests().iter().all(|request| request.target == "/good"));
}

#[test]
fn floods_of_empty_data_end_the_connection() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let mut fields = GOOD.to_vec();
    fields[0].1 = "PUT";
    fields.push(("authorization", &authorization));
    let mut raw = gateway.connect_frames();

    raw.headers(1, 0, &fields).unwrap();
    let batch = frames::encode(frames::DATA, 0, 1, b"").repeat(100);
    for _ in 0..200 {
        if raw.bytes(&batch).is_err() {
            break;
        }
    }

    let outcome = raw.outcome(u32::MAX);
    assert!(matches!(outcome, Outcome::GoneAway(_) | Outcome::Closed), "{outcome:?}");
}

#[test]
fn endless_header_blocks_end_the_connection() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);

    for payload in [vec![], frames::block(&[("x", &"y".repeat(1000))])] {
        let mut raw = gateway.connect_frames();
        raw.frame(frames::HEADERS, END_STREAM, 1, &frames::block(&GOOD)).unwrap();
        let mut sent = 0;
        let frame = frames::encode(frames::CONTINUATION, 0, 1, &payload);
        while sent < 8 << 20 && raw.bytes(&frame).is_ok() {
            sent += frame.len();
        }
        let outcome = raw.outcome(u32::MAX);
        assert!(matches!(outcome, Outcome::GoneAway(_) | Outcome::Closed), "{outcome:?}");
    }

    upstream.assert_untouched();
    assert_eq!(gateway.get("/good").bearer("alice").send_h2().status(), 200);
}

#[test]
fn broken_frames_end_the_connection_and_nothing_else() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let block = frames::block(&GOOD);

    for bytes in [
        frames::encode(frames::DATA, 0, 0, b"x"),
        frames::encode(frames::HEADERS, END_HEADERS, 0, &block),
        frames::encode(frames::HEADERS, END_HEADERS, 2, &block),
        frames::encode(frames::HEADERS, END_HEADERS, 1, &[0xff; 40]),
        frames::encode(frames::HEADERS, END_HEADERS, 1, &[0x80]),
        frames::encode(frames::CONTINUATION, END_HEADERS, 1, &block),
        frames::encode(frames::RST_STREAM, 0, 1, &[0; 4]),
        frames::encode(frames::RST_STREAM, 0, 0, &[0; 4]),
        frames::encode(frames::SETTINGS, 0, 0, &[0; 5]),
        frames::encode(frames::SETTINGS, frames::ACK, 0, &[0; 6]),
        frames::encode(frames::PING, 0, 0, &[0; 7]),
        frames::encode(frames::WINDOW_UPDATE, 0, 0, &[0; 3]),
        frames::encode(5, 0, 1, &[0; 8]),
        frames::encode(frames::DATA, 0, 1, &vec![0; 20_000]),
        b"GET / HTTP/1.1\r\nHost: files.test\r\n\r\n".to_vec(),
    ] {
        let mut raw = gateway.connect_frames();
        raw.bytes(&bytes).unwrap();
        let outcome = raw.outcome(u32::MAX);
        assert!(
            matches!(outcome, Outcome::GoneAway(_) | Outcome::Closed),
            "{bytes:?}: {outcome:?}"
        );
    }

    upstream.assert_untouched();
    assert!(gateway.is_running());
}

#[test]
fn header_lists_are_counted_as_they_unfold() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    // One entry of 3,000 bytes in the dynamic table (RFC 7541 §6.2.1), then references to it.
    let mut bomb = frames::block(&GOOD);
    bomb.extend([0x40, 1, b'x', 0x7f, 0xb9, 0x16]);
    bomb.extend([b'y'; 3000]);
    bomb.extend([0xbe; 12_000]);
    let crumbs = frames::block(&[("cookie", "a")]).repeat(5000);

    for block in [bomb, [frames::block(&GOOD), crumbs].concat()] {
        let mut raw = gateway.connect_frames();
        let mut pieces = block.chunks(16_000).peekable();
        let first = pieces.next().unwrap();
        let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
        let mut sent = raw.frame(frames::HEADERS, END_STREAM | end, 1, first);
        while let Some(piece) = pieces.next() {
            let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            sent = sent.and_then(|()| raw.frame(frames::CONTINUATION, end, 1, piece));
        }
        let outcome = raw.outcome(1);
        assert!(outcome.is_refusal(), "{outcome:?}");
    }

    upstream.assert_untouched();
    assert_eq!(gateway.get("/good").bearer("alice").send_h2().status(), 200);
}
