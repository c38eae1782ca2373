//! Heads that grow as they are unfolded, or come byte by byte.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::{MIB, assert_grew_less_than, assert_serves, memory, processor_time};
use crate::support::client;
use crate::support::frames::{self, END_HEADERS, END_STREAM, Outcome};
use crate::support::gateway::TestGateway;
use crate::support::upstream::TestUpstream;

const WINDOW_0: [u8; 6] = [0, 4, 0, 0, 0, 0];

/// A header block in as many frames as it needs.
fn in_frames(stream: u32, block: &[u8]) -> Vec<u8> {
    let mut pieces = block.chunks(16_000).peekable();
    let (mut bytes, mut kind, mut flags) = (Vec::new(), frames::HEADERS, END_STREAM);
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
        bytes.extend(frames::encode(kind, flags | end, stream, piece));
        (kind, flags) = (frames::CONTINUATION, 0);
    }
    bytes
}

/// An entry for the dynamic table (RFC 7541 §6.2.1), which is then the first one in it.
fn entry(name: &str, length: u8) -> Vec<u8> {
    let mut entry = vec![0x40, u8::try_from(name.len()).unwrap()];
    entry.extend(name.bytes());
    entry.push(length);
    entry.extend(std::iter::repeat_n(b'y', usize::from(length)));
    entry
}

#[test]
fn header_lists_that_unfold_without_end_are_refused_before_they_are_held() {
    let upstream = TestUpstream::start();
    let gateway =
        TestGateway::before(&upstream).section("limits", "body_idle_timeout = \"1s\"").start();
    assert_serves(&gateway);
    let good = frames::block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/bomb"),
    ]);
    // References of one byte each: to the newest entry of the table, or to one that is always there.
    let newest = vec![0xbe; 12_000];
    let lists = [
        ("a long field", [entry("x", 126), newest.clone()].concat()),
        ("a cookie", [entry("cookie", 1), newest.clone()].concat()),
        ("an empty field", [entry("x", 0), newest].concat()),
        ("a field of the standard", vec![0x90; 12_000]),
        ("crumbs", frames::block(&[("cookie", "a")]).repeat(5000)),
        ("one more than may be", frames::block(&[("x", "y")]).repeat(101)),
    ];

    for (what, list) in lists {
        let (before, _) = memory(&gateway);
        let block = [&good[..], &list].concat();
        let mut raw = gateway.connect_frames();
        raw.frame(frames::SETTINGS, 0, 0, &WINDOW_0).unwrap();
        let streams = (0..40).map(|number| 2 * number + 1).collect::<Vec<u32>>();
        let sent = streams.iter().try_for_each(|&stream| raw.bytes(&in_frames(stream, &block)));
        let outcome = raw.outcome(if sent.is_ok() { 1 } else { u32::MAX });

        let is_refused = match &outcome {
            Outcome::Response(status, _) => *status == 431,
            Outcome::Closed | Outcome::GoneAway(_) | Outcome::Reset(_) => true,
        };
        assert!(is_refused, "{what}: {outcome:?}");
        drop(raw);
        assert_serves(&gateway);
        assert_grew_less_than(&gateway, before, 32 * MIB);
    }

    assert!(upstream.requests().iter().all(|request| request.target == "/good"));
}

#[test]
fn a_head_that_comes_byte_by_byte_costs_no_more_than_its_length() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let long = "y".repeat(31 * 1024);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";

    for begin in [
        format!("GET /x HTTP/1.1\r\nHost: files.test\r\nX: {long}"),
        format!("GET /x HTTP/1.1\r\nHost: files.test\r\n{upgrade}\r\nX: {long}"),
        format!("GET /x HTTP/1.1\r\nHost: files.test\r\n{}", "X: y\r\n".repeat(99)),
        format!("GET /{} HTTP/1.1\r\nHost: files.test\r\n", &long[..8000]),
    ] {
        let before = processor_time(&gateway);
        let mut stream = client::tcp(gateway.address("main"));
        for byte in begin.bytes() {
            if stream.write_all(&[byte]).is_err() {
                break;
            }
        }
        drop(stream);
        assert_serves(&gateway);
        let used = processor_time(&gateway).saturating_sub(before);
        assert!(used < Duration::from_secs(4), "{used:?} for {:?}", &begin[..60]);
    }

    assert!(upstream.requests().iter().all(|request| request.target == "/good"));
}

#[test]
fn a_header_block_that_dribbles_is_given_no_more_time() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream)
        .section("limits", "header_timeout = \"1s\"\nkeep_alive_timeout = \"60s\"")
        .start();
    let mut raw = gateway.connect_frames();
    let block = frames::block(&[(":method", "GET"), (":scheme", "https")]);
    let start = Instant::now();

    raw.frame(frames::HEADERS, END_STREAM, 1, &block).unwrap();
    let crumb = frames::encode(frames::CONTINUATION, 0, 1, &[0x84]);
    while start.elapsed() < Duration::from_secs(15) && raw.bytes(&crumb).is_ok() {
        std::thread::park_timeout(Duration::from_millis(50));
    }

    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    upstream.assert_untouched();
}
