//! Frames without end over HTTP/2: each kind is bounded, nobody else waits, and little is held.

use std::io;

use super::{MIB, assert_grew_less_than, assert_serves, memory, processor_time};
use crate::support::answer::Answer;
use crate::support::frames::{self, END_HEADERS, END_STREAM, Outcome, RawH2};
use crate::support::gateway::TestGateway;
use crate::support::tokens::Token;
use crate::support::upstream::TestUpstream;

const PUSH_PROMISE: u8 = 5;
const RST_CANCEL: [u8; 4] = [0, 0, 0, 8];

/// Sends what an attack consists of; an error is the gateway's end of the connection.
type Attack<'a> = Box<dyn Fn(&mut RawH2) -> io::Result<()> + Sync + 'a>;

fn fields<'a>(method: &'a str, authorization: &'a str) -> [(&'a str, &'a str); 5] {
    [
        (":method", method),
        (":scheme", "https"),
        (":authority", "files.test"),
        (":path", "/attacked"),
        ("authorization", authorization),
    ]
}

fn authorization() -> String {
    format!("Bearer {}", Token::of("alice").signed())
}

/// The same frame again and again, some hundred at a time.
fn repeated(frame: &[u8], count: usize) -> Attack<'static> {
    let batch = frame.repeat(100);
    Box::new(move |raw| (0..count / 100).try_for_each(|_| raw.bytes(&batch)))
}

/// Two connections attack at once while a good user asks: the user is served, both connections
/// are ended, and the memory stays.
#[track_caller]
fn withstands(gateway: &TestGateway, what: &str, attack: &Attack<'_>) {
    let (before, _) = memory(gateway);
    std::thread::scope(|scope| {
        let attackers = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut raw = gateway.connect_frames();
                let _ = attack(&mut raw);
                raw.outcome(u32::MAX)
            })
        });
        while attackers.iter().any(|attacker| !attacker.is_finished()) {
            assert_serves(gateway);
        }
        for attacker in attackers {
            let outcome = attacker.join().expect(what);
            let has_ended = matches!(outcome, Outcome::GoneAway(_) | Outcome::Closed);
            assert!(has_ended, "{what}: {outcome:?}");
        }
    });
    assert_serves(gateway);
    assert_grew_less_than(gateway, before, 20 * MIB);
}

#[test]
fn streams_that_are_reset_as_soon_as_they_are_opened_are_bounded() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    assert_serves(&gateway);
    let authorization = authorization();

    for flags in [END_STREAM, 0] {
        let attack: Attack<'_> = Box::new(|raw| {
            let method = if flags == 0 { "PUT" } else { "GET" };
            (0..3000).map(|number| 2 * number + 1).try_for_each(|stream| {
                raw.headers(stream, flags, &fields(method, &authorization))?;
                raw.frame(frames::RST_STREAM, 0, stream, &RST_CANCEL)
            })
        });
        withstands(&gateway, "resets", &attack);
    }

    let attacked = upstream.requests().iter().filter(|r| r.target == "/attacked").count();
    assert!(attacked <= 4 * 250, "{attacked} requests went upstream on four connections");
}

#[test]
fn streams_that_the_gateway_is_made_to_reset_are_bounded() {
    let upstream = TestUpstream::answering(|request| {
        if request.target == "/attacked" { Answer::never() } else { Answer::ok("hello") }
    })
    .start();
    let gateway = TestGateway::before(&upstream).start();
    assert_serves(&gateway);
    let authorization = authorization();
    let most = 0x7fff_ffff_u32.to_be_bytes();
    // A request that is good so far, its flags, and what makes the gateway take it back.
    let provocations: [(&str, u8, u8, u8, &[u8]); 8] = [
        ("a window of nothing", END_STREAM, frames::WINDOW_UPDATE, 0, &[0; 4]),
        ("a window too large", END_STREAM, frames::WINDOW_UPDATE, 0, &most),
        ("a body after the end", END_STREAM, frames::DATA, 0, b"x"),
        ("trailers after the end", END_STREAM, frames::HEADERS, END_HEADERS | END_STREAM, b""),
        ("trailers that are a head", 0, frames::HEADERS, END_HEADERS | END_STREAM, b"\x82"),
        ("a second head without an end", 0, frames::HEADERS, END_HEADERS, b"\x82"),
        ("a dependency on itself", END_STREAM, frames::PRIORITY, 0, &[0, 0, 0, 1, 0]),
        ("a priority cut short", END_STREAM, frames::PRIORITY, 0, &[0; 3]),
    ];

    for (what, flags, kind, second_flags, payload) in provocations {
        let attack: Attack<'_> = Box::new(|raw| {
            let method = if flags == 0 { "PUT" } else { "GET" };
            (0..1500).map(|number| 2 * number + 1).try_for_each(|stream: u32| {
                raw.headers(stream, flags, &fields(method, &authorization))?;
                let own = stream.to_be_bytes();
                let is_own = kind == frames::PRIORITY && payload.len() == 5;
                let payload = if is_own { &[own[0], own[1], own[2], own[3], 0] } else { payload };
                raw.frame(kind, second_flags, stream, payload)
            })
        });
        withstands(&gateway, what, &attack);
    }

    let attacked = upstream.requests().iter().filter(|r| r.target == "/attacked").count();
    assert!(attacked <= 16 * 250, "{attacked} requests went upstream on sixteen connections");
}

#[test]
fn header_blocks_without_an_end_are_bounded() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    assert_serves(&gateway);
    let head = frames::block(&fields("GET", "Bearer x"));

    for (length, count) in [(0, 20_000), (64, 8000), (1000, 8000), (16_000, 800)] {
        let piece =
            if length == 0 { Vec::new() } else { frames::block(&[("x", &"y".repeat(length))]) };
        let endless = repeated(&frames::encode(frames::CONTINUATION, 0, 1, &piece), count);
        let attack: Attack<'_> = Box::new(|raw| {
            raw.frame(frames::HEADERS, END_STREAM, 1, &head)?;
            endless(raw)
        });
        withstands(&gateway, &format!("CONTINUATION of {length} bytes"), &attack);
    }

    assert!(upstream.requests().iter().all(|request| request.target == "/good"));
}

#[test]
fn frames_that_say_nothing_are_bounded() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    assert_serves(&gateway);
    let authorization = authorization();

    for payload in [&b""[..], &[0], &[3, 0, 0, 0]] {
        let flags = if payload.is_empty() { 0 } else { 8 }; // PADDED, and padding alone
        let endless = repeated(&frames::encode(frames::DATA, flags, 1, payload), 20_000);
        let attack: Attack<'_> = Box::new(|raw| {
            raw.headers(1, 0, &fields("PUT", &authorization))?;
            endless(raw)
        });
        withstands(&gateway, &format!("DATA of {payload:?}"), &attack);
    }
}

#[test]
fn frames_about_the_connection_are_bounded() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    assert_serves(&gateway);

    for (what, frame) in [
        ("PING", frames::encode(frames::PING, 0, 0, &[0; 8])),
        ("PING of acknowledgement", frames::encode(frames::PING, frames::ACK, 0, &[0; 8])),
        ("SETTINGS", frames::encode(frames::SETTINGS, 0, 0, b"")),
        ("SETTINGS of one value", frames::encode(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 1, 0])),
        ("SETTINGS of acknowledgement", frames::encode(frames::SETTINGS, frames::ACK, 0, b"")),
        ("PRIORITY", frames::encode(frames::PRIORITY, 0, 1, &[0, 0, 0, 3, 0])),
        ("WINDOW_UPDATE of nothing", frames::encode(frames::WINDOW_UPDATE, 0, 0, &[0; 4])),
        ("WINDOW_UPDATE of one byte", frames::encode(frames::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("WINDOW_UPDATE of no stream", frames::encode(frames::WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])),
        ("RST_STREAM of no stream", frames::encode(frames::RST_STREAM, 0, 1, &RST_CANCEL)),
        ("PUSH_PROMISE", frames::encode(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2])),
        ("a kind that nobody knows", frames::encode(0xfa, 0, 0, b"x")),
        ("a kind that nobody knows, empty", frames::encode(0xfa, 0, 0, b"")),
    ] {
        let endless = repeated(&frame, 20_000);
        let attack: Attack<'_> = Box::new(|raw| {
            endless(raw)?;
            // What nobody knows is to be passed over (RFC 9113 §4.1): this is not.
            raw.frame(frames::DATA, 0, 0, b"x")
        });
        withstands(&gateway, what, &attack);
    }

    assert!(upstream.requests().iter().all(|request| request.target == "/good"));
}

#[test]
fn many_open_streams_are_let_go_at_little_cost() {
    const STREAMS: u32 = 1000;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap(); // accepts nobody
    let gateway = TestGateway::before_address(silent.local_addr().unwrap())
        .section("limits", "h2_streams = 1000")
        .with("upstreams.files", "pool_size = 2000\nconnect_timeout = \"1m\"")
        .start();
    let authorization = authorization();

    for farewell in [
        frames::encode(frames::GOAWAY, 0, 0, &[0; 8]),
        frames::encode(frames::DATA, 0, 0, b"x"), // which ends everything
        Vec::new(),
    ] {
        let mut raw = gateway.connect_frames();
        for number in 0..STREAMS {
            raw.headers(2 * number + 1, END_STREAM, &fields("GET", &authorization)).unwrap();
        }
        let begun = "doorward_requests_active";
        gateway.wait("all streams to be open", || gateway.metric(begun, "") >= 900.0);
        let before = processor_time(&gateway);
        raw.bytes(&farewell).unwrap();
        drop(raw);
        gateway.wait("all streams to be gone", || gateway.metric(begun, "") < 1.0);
        let used = processor_time(&gateway).saturating_sub(before);
        assert!(used.as_secs() < 2, "{used:?} for the end of {STREAMS} streams");
    }
}

/// A small generator (xorshift): the same frames at every run.
struct Dice(usize);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn byte(&mut self, sides: usize) -> u8 {
        u8::try_from(self.roll(sides)).unwrap()
    }
}

#[test]
fn frames_at_random_end_a_connection_at_most() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();
    let block = frames::block(&fields("GET", &authorization()));
    let mut dice = Dice(0x5eed_5eed_5eed_5eed);

    for _ in 0..100 {
        let mut raw = gateway.connect_frames();
        let mut bytes = Vec::new();
        for _ in 0..40 {
            let kind = dice.byte(11);
            let stream = u32::try_from([0, 1, 1, 3, 5, 2, 0x7fff_ffff][dice.roll(7)]);
            let length = [0, 1, 4, 5, 6, 8, 30, 300][dice.roll(8)];
            let payload = if dice.roll(3) == 0 {
                block.clone()
            } else {
                (0..length).map(|_| dice.byte(256)).collect()
            };
            let flags = [0, 1, 4, 5, 8, 0x20, 0x2d, 0xff][dice.roll(8)];
            let mut frame = frames::encode(kind, flags, stream.unwrap(), &payload);
            if dice.roll(10) == 0 {
                let at = dice.roll(frame.len());
                frame[at] ^= 1 << dice.roll(8);
            }
            bytes.extend(frame);
        }
        let _ = raw.bytes(&bytes);
    }

    assert_serves(&gateway);
    assert!(gateway.is_running());
}
