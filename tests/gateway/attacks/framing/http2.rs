//! HTTP/2 fields become an HTTP/1.1 head: whatever stands in them, what is sent has one reading.

use super::super::exchange::Streams;
use super::*;
use crate::support::frames::{self, Outcome};
use crate::support::tokens::Token;

const PSEUDO: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "https"), (":authority", "files.test"), (":path", "/x")];

/// A field as a literal, from octets, which need not be text.
fn field(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name.as_ref(), value.as_ref()] {
        assert!(text.len() < 0x7f, "an integer of one byte");
        field.push(u8::try_from(text.len()).unwrap());
        field.extend_from_slice(text);
    }
    field
}

/// The pseudo-headers, one of them with another value, and alice's token.
fn with_pseudo(changed: &str, value: &[u8]) -> Vec<u8> {
    let fields = PSEUDO
        .map(|(name, good)| field(name, if name == changed { value } else { good.as_bytes() }));
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    [fields.concat(), frames::block(&[("authorization", &authorization)])].concat()
}

#[test]
fn a_pseudo_header_holds_nothing_that_divides_a_head() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut streams = Streams::of(&gateway);
    let dividing: Vec<u8> = (0..=0x20_u8).chain([0x7f]).collect();

    for (name, value) in PSEUDO {
        for byte in &dividing {
            for at in [0, 1, value.len()] {
                let (left, right) = value.as_bytes().split_at(at);
                let value = [left, &[*byte], right].concat();
                let outcome = streams.block(&with_pseudo(name, &value));
                assert!(outcome.is_refusal(), "{name} {value:?}: {outcome:?}");
            }
        }
        for line in
            [" HTTP/1.1\r\nX-Forwarded-User: forged\r\n\r\n", "\r\nA: b", "\nA: b", "\r", " /y"]
        {
            let value = [value.as_bytes(), line.as_bytes()].concat();
            let outcome = streams.block(&with_pseudo(name, &value));
            assert!(outcome.is_refusal(), "{name} {value:?}: {outcome:?}");
        }
    }
    for (name, bytes) in [
        (":method", "/?#:@[]{}\"(),;<=>\\"),
        (":scheme", "/?#@[] "),
        (":authority", "/?#@ ,;<>\\|%!"),
        (":path", "#\\ <>`"),
    ] {
        let (_, value) = PSEUDO.iter().find(|(it, _)| *it == name).unwrap();
        for byte in bytes.bytes() {
            for at in [0, 1, value.len()] {
                let (left, right) = value.as_bytes().split_at(at);
                let value = [left, &[byte], right].concat();
                let outcome = streams.block(&with_pseudo(name, &value));
                assert!(
                    outcome.is_refusal(),
                    "{name} {:?}: {outcome:?}",
                    String::from_utf8_lossy(&value)
                );
            }
        }
    }
    upstream.assert_untouched();
}

#[test]
fn a_field_holds_nothing_that_divides_a_head() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut streams = Streams::of(&gateway);
    let good = with_pseudo("", b"");

    for byte in
        (0..=0x1f_u8).chain([b' ', 0x7f, b':', b'(', b',', b'/', b'@', b'A', b'"', 0x80, 0xff])
    {
        for name in [
            [&[byte][..], b"x"].concat(),
            [&b"x"[..], &[byte]].concat(),
            [&b"x"[..], &[byte], b"y"].concat(),
        ] {
            let outcome = streams.block(&[good.clone(), field(&name, "v")].concat());
            assert!(outcome.is_refusal(), "{name:?}: {outcome:?}");
        }
    }
    for byte in [0, b'\r', b'\n'] {
        for value in [
            vec![byte],
            [&b"v"[..], &[byte]].concat(),
            [&[byte][..], b"v"].concat(),
            [&b"v"[..], &[byte], b"a: b"].concat(),
        ] {
            for name in ["x", "cookie", "accept", "x-request-id"] {
                let outcome = streams.block(&[good.clone(), field(name, &value)].concat());
                assert!(outcome.is_refusal(), "{name:?} {value:?}: {outcome:?}");
            }
        }
    }
    for (name, value) in [
        ("", "v"),
        ("connection", "x"),
        ("connection", "close"),
        ("keep-alive", "5"),
        ("proxy-connection", "x"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
        ("host", "other.test"),
        ("content-length", "5"),
        ("content-length", "+0"),
        ("content-length", "0, 0"),
        ("content-length", ""),
        (":path", "/y"),
        (":unknown", "x"),
        (":status", "200"),
        (":protocol", "websocket"),
        ("expect", "200-ok"),
    ] {
        let outcome = streams.block(&[good.clone(), field(name, value)].concat());
        assert!(outcome.is_refusal(), "{name:?} {value:?}: {outcome:?}");
    }
    for (one, two) in [("0", "0"), ("0", "5"), ("5", "0"), ("", "0")] {
        let lengths = [field("content-length", one), field("content-length", two)].concat();
        let outcome = streams.block(&[good.clone(), lengths].concat());
        assert!(outcome.is_refusal(), "{one} {two}: {outcome:?}");
    }
    upstream.assert_untouched();
}

/// A small generator, so that a failure comes again with its number.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const NAMES: [&[u8]; 16] = [
    b":method",
    b":path",
    b":authority",
    b"host",
    b"cookie",
    b"content-length",
    b"x",
    b"x-forwarded-user",
    b"te",
    b"expect",
    b"destination",
    b"transfer_encoding",
    b"accept",
    b"range",
    b"x-http-method-override",
    b"if",
];
const PIECES: [&[u8]; 24] = [
    b"/",
    b"a",
    b"?",
    b"=",
    b"&",
    b"%41",
    b"%2f",
    b"..",
    b";",
    b" ",
    b"\t",
    b"\r\n",
    b"\n",
    b"\0",
    b"0",
    b"5",
    b"GET",
    b"files.test",
    b":",
    b",",
    b"\"",
    b"trailers",
    b"\xc3\xa9",
    b"100-continue",
];

#[test]
fn what_is_made_of_random_fields_has_one_reading() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let mut streams = Streams::of(&gateway);
    let mut passed = 0;

    for number in 1..=1000_u64 {
        let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut good = if random.below(3) == 0 {
            let value: Vec<u8> =
                (0..=random.below(3)).flat_map(|_| random.pick(&PIECES).to_vec()).collect();
            with_pseudo(
                random.pick(&[":path", ":method", ":authority", ":path"]),
                &[&b"/"[..], &value].concat(),
            )
        } else {
            with_pseudo("", b"")
        };
        for _ in 0..random.below(4) {
            let value: Vec<u8> =
                (0..=random.below(2)).flat_map(|_| random.pick(&PIECES).to_vec()).collect();
            good.extend(field(random.pick(&NAMES), &value));
        }
        let outcome = streams.block(&good);
        passed += usize::from(matches!(outcome, Outcome::Response(200, _)));
    }

    // The lint of the upstream judges every byte; nothing of two requests was made of one.
    let requests = upstream.requests();
    assert!(passed > 100, "{passed}");
    assert_eq!(requests.len(), passed);
    nothing_hidden(&upstream);
}

#[test]
fn a_body_is_as_long_as_it_says_or_ends_with_its_stream() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).section("server", "workers = 1").start();
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let mut streams = Streams::of(&gateway);

    let cases: [(&str, &[&str]); 6] = [
        ("10", &["short"]),
        ("10", &["", ""]),
        ("10", &[]),
        ("3", &["too long"]),
        ("5", &["", "four"]),
        ("40", &[HIDDEN]),
    ];
    for (length, pieces) in cases {
        let outcome = streams.with(|raw, stream| {
            let mut fields = PSEUDO.to_vec();
            fields[0].1 = "PUT";
            fields.extend([("authorization", authorization.as_str()), ("content-length", length)]);
            if pieces.is_empty() {
                return raw.headers(stream, frames::END_STREAM, &fields);
            }
            raw.headers(stream, 0, &fields)?;
            for (number, piece) in pieces.iter().enumerate() {
                let end = if number + 1 == pieces.len() { frames::END_STREAM } else { 0 };
                raw.frame(frames::DATA, end, stream, piece.as_bytes())?;
            }
            Ok(())
        });
        assert!(outcome.is_refusal(), "{length} {pieces:?}: {outcome:?}");
        let next = gateway.get("/next").bearer("alice").send();
        assert_eq!((next.status(), next.text().as_str()), (200, "hello"));
    }

    nothing_hidden(&upstream);
    let requests = upstream.requests();
    for (number, request) in requests.iter().enumerate() {
        assert!(request.target == "/next" || !request.complete, "{request:?}");
        let mut later = requests[number + 1..].iter();
        let is_used_again = later.any(|later| later.connection == request.connection);
        assert!(request.complete || !is_used_again, "{requests:#?}");
    }
}

#[test]
fn trailers_are_no_fields() {
    let upstream = TestUpstream::start();
    let gateway = gateway(&upstream);
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let mut streams = Streams::of(&gateway);

    for trailers in [
        &[("x-forwarded-user", "forged")][..],
        &[("x-auth-user", "forged"), ("x", "forged")],
        &[("content-length", "0")],
        &[("authorization", "Bearer forged")],
        &[(":path", "/forged")],
        &[("connection", "forged")],
    ] {
        let outcome = streams.with(|raw, stream| {
            let mut fields = PSEUDO.to_vec();
            fields[0].1 = "PUT";
            fields.push(("authorization", authorization.as_str()));
            raw.headers(stream, 0, &fields)?;
            raw.frame(frames::DATA, 0, stream, b"hello")?;
            raw.headers(stream, frames::END_STREAM, trailers)
        });
        let fits = matches!(outcome, Outcome::Response(200, _)) || outcome.is_refusal();
        assert!(fits, "{trailers:?}: {outcome:?}");
    }

    nothing_hidden(&upstream);
    for request in upstream.requests() {
        assert!(!String::from_utf8_lossy(&request.head).contains("forged"), "{request:?}");
        assert!(!request.complete || request.text() == "hello", "{request:?}");
        assert_eq!(request.header("content-length"), None);
    }
}

#[test]
fn an_http_2_client_never_leaves_http() {
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).route("websocket = true").start();
    let authorization = format!("Bearer {}", Token::of("alice").signed());
    let mut streams = Streams::of(&gateway);

    for fields in [
        &[(":method", "CONNECT"), (":authority", "files.test:443")][..],
        &[
            (":method", "CONNECT"),
            (":scheme", "https"),
            (":authority", "files.test"),
            (":path", "/x"),
        ],
        &[
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "https"),
            (":authority", "files.test"),
            (":path", "/x"),
        ],
        &[
            (":method", "TRACE"),
            (":scheme", "https"),
            (":authority", "files.test"),
            (":path", "/x"),
        ],
        &[(":method", "TRACE"), (":scheme", "https"), (":authority", "files.test"), (":path", "*")],
        &[
            (":method", "GET"),
            (":protocol", "websocket"),
            (":scheme", "https"),
            (":authority", "files.test"),
            (":path", "/x"),
        ],
    ] {
        let mut fields = fields.to_vec();
        fields.push(("authorization", &authorization));
        let outcome = streams.fields(&fields);
        assert!(outcome.is_refusal(), "{fields:?}: {outcome:?}");
    }
    upstream.assert_untouched();
}

/// A connection that is closed upon unread bytes is reset, and takes away what was said before.
#[test]
fn whoever_breaks_the_rules_of_frames_is_told_so_even_while_it_goes_on_sending() {
    const PROTOCOL_ERROR: u8 = 0x1;
    const ENHANCE_YOUR_CALM: u8 = 0xb;
    let upstream = TestUpstream::start();
    let gateway = TestGateway::before(&upstream).start();

    for (code, breach) in [
        (PROTOCOL_ERROR, frames::encode(frames::HEADERS, 0xc, 5, &[9, 0x82])), // padded beyond its end
        (PROTOCOL_ERROR, frames::encode(frames::HEADERS, 0x24, 5, &[0, 0, 0, 5, 0, 0x82])),
        (PROTOCOL_ERROR, frames::encode(frames::DATA, 0, 0, b"x")), // which the engine finds
        (ENHANCE_YOUR_CALM, frames::encode(frames::PING, 0, 0, &[0; 8]).repeat(20_000)),
    ] {
        let mut raw = gateway.connect_frames();
        raw.bytes(&breach[..breach.len() - 1]).unwrap();
        raw.bytes(&breach[breach.len() - 1..]).unwrap();
        for _ in 0..100 {
            raw.bytes(&[0; 1000]).unwrap();
        }

        let frames = raw.farewell().unwrap();

        let last = frames.last().unwrap();
        assert_eq!((last.kind, last.payload.get(7)), (frames::GOAWAY, Some(&code)), "{frames:?}");
    }
    assert_eq!(upstream.requests().len(), 0);
}
