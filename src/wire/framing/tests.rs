use super::*;
use proptest::prelude::*;

const LIMITS: HeadLimits = HeadLimits { request_line: 100, header_bytes: 300, header_count: 5 };

fn read(bytes: &[u8]) -> Result<Seen, Refusal> {
    Framing::new(LIMITS).feed(bytes)
}

#[test]
fn messages_with_one_reading_pass() {
    for bytes in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        assert_eq!(read(bytes.as_bytes()), Ok(Seen::default()), "{bytes:?}");
    }
}

#[test]
fn messages_with_two_readings_are_refused() {
    use Refusal as R;
    let chunked =
        |body: &str| format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let cases = [
        ("GET / HTTP/1.1\nHost: a\r\n\r\n".into(), R::BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n".into(), R::BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n".into(), R::BareLineFeed),
        ("\r\n\r\nGET / HTTP/1.1\r\n\r\n".into(), R::RequestLineMalformed),
        ("GET  / HTTP/1.1\r\n\r\n".into(), R::RequestLineMalformed),
        ("GET / HTTP/1.1 \r\n\r\n".into(), R::RequestLineMalformed),
        ("GET /a\tb HTTP/1.1\r\n\r\n".into(), R::RequestLineMalformed),
        ("GET /\r/ HTTP/1.1\r\n\r\n".into(), R::RequestLineMalformed),
        ("G(T / HTTP/1.1\r\n\r\n".into(), R::RequestLineMalformed),
        ("GET /x#/../y HTTP/1.1\r\n\r\n".into(), R::Fragment),
        ("GET / HTTP/2.0\r\n\r\n".into(), R::VersionNotSupported),
        ("GET / http/1.1\r\n\r\n".into(), R::VersionNotSupported),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n".into(), R::FieldMalformed),
        ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n".into(), R::FieldMalformed),
        ("GET / HTTP/1.1\r\n: v\r\n\r\n".into(), R::FieldMalformed),
        ("GET / HTTP/1.1\r\nnocolon\r\n\r\n".into(), R::FieldMalformed),
        ("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n".into(), R::FieldMalformed),
        ("GET / HTTP/1.1\r\nA: b\r\r\n\r\n".into(), R::FieldMalformed),
        ("POST / HTTP/1.1\r\nContent-Length:\x0c5\r\n\r\n".into(), R::FieldMalformed),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n".into(), R::FieldMalformed),
        ("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n".into(), R::FieldMalformed),
        ("POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n".into(), R::ContentLengthMalformed),
        ("POST / HTTP/1.1\r\nContent-Length: 5,5\r\n\r\n".into(), R::ContentLengthMalformed),
        ("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n".into(), R::ContentLengthMalformed),
        (
            "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n".into(),
            R::ContentLengthMalformed,
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n".into(),
            R::ContentLengthRepeated,
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
            R::LengthAndEncoding,
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n".into(),
            R::LengthAndEncoding,
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
                .into(),
            R::TransferEncodingRepeated,
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".into(),
            R::TransferEncodingUnknown,
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n".into(),
            R::TransferEncodingUnknown,
        ),
        (
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
            R::TransferEncodingUnknown,
        ),
        (chunked("3\nabc\r\n"), R::BareLineFeed),
        (chunked("3;a\nb\r\n"), R::BareLineFeed),
        (chunked("3 \r\nabc\r\n"), R::ChunkMalformed),
        (chunked("0x3\r\nabc\r\n"), R::ChunkMalformed),
        (chunked("\r\nabc\r\n"), R::ChunkMalformed),
        (chunked("fffffffffffffffff\r\n"), R::ChunkMalformed),
        (chunked("3\r\nabcd\r\n"), R::ChunkMalformed),
    ];
    for (bytes, refusal) in cases {
        assert_eq!(read(bytes.as_bytes()), Err(refusal), "{bytes:?}");
    }
}

#[test]
fn limits_bite_before_the_line_has_ended() {
    let line = format!("GET /{}", "a".repeat(100));
    assert_eq!(read(line.as_bytes()), Err(Refusal::RequestLineTooLong));

    let fields = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(300));
    assert_eq!(read(fields.as_bytes()), Err(Refusal::HeadTooLarge));

    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(6));
    assert_eq!(read(many.as_bytes()), Err(Refusal::HeadTooLarge));
}

#[test]
fn a_line_of_the_greatest_length_passes_wherever_it_was_cut() {
    let line = format!("GET /{} HTTP/1.1", "a".repeat(LIMITS.request_line - 14));
    let field = format!("A: {}", "b".repeat(LIMITS.header_bytes - 5));
    let head = format!("{line}\r\n{field}\r\n\r\n");
    assert_eq!(line.len(), LIMITS.request_line);
    for longer in [false, true] {
        let head = if longer { head.replacen('a', "aa", 1) } else { head.clone() };
        for cut in 0..head.len() {
            let (left, right) = head.as_bytes().split_at(cut);
            let mut framing = Framing::new(LIMITS);
            let verdict = framing.feed(left).and_then(|_| framing.feed(right));
            assert_eq!(verdict.err(), longer.then_some(Refusal::RequestLineTooLong), "{cut}");
        }
    }
}

#[test]
fn what_follows_a_request_to_upgrade_is_not_read() {
    let head = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    let bytes = format!("{head}\nGET /secret HTTP/1.1");

    let seen = read(bytes.as_bytes()).unwrap();

    assert_eq!(seen.upgrade_at, Some(head.len()));
}

#[test]
fn what_lies_before_a_refused_message_is_told() {
    let good = "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n";
    for bad in ["GET  /c HTTP/1.1\r\n", "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx"] {
        let mut framing = Framing::new(LIMITS);
        let bytes = format!("{good}{bad}\r\n");

        assert!(framing.feed(bytes.as_bytes()).is_err());

        assert_eq!((framing.boundary(), framing.completed()), (good.len(), 2), "{bad}");
    }
}

#[test]
fn only_between_messages_is_nothing_begun() {
    let messages = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
    ];
    for message in messages {
        let mut framing = Framing::new(LIMITS);
        for _ in 0..2 {
            assert!(framing.is_between_messages());
            for byte in &message.as_bytes()[..message.len() - 1] {
                framing.feed(&[*byte]).unwrap();
                assert!(!framing.is_between_messages(), "{message:?}");
            }
            framing.feed(&message.as_bytes()[message.len() - 1..]).unwrap();
        }
    }
    let mut framing = Framing::new(LIMITS);
    framing.feed(b"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n").unwrap();
    assert!(!framing.is_between_messages(), "nobody knows what comes");
}

proptest! {
    #[test]
    fn the_reading_does_not_depend_on_how_the_bytes_were_cut(
        cut in 0usize..200, tail in "[ -~\r\n]{0,40}", chunked in any::<bool>()
    ) {
        let head = if chunked {
            "POST /a HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
        } else {
            "POST /a HTTP/1.1\r\nHost: b\r\nContent-Length: 4\r\n\r\nabcd"
        };
        let bytes = format!("{head}{tail}");
        let cut = cut.min(bytes.len());
        let whole = read(bytes.as_bytes());

        let mut framing = Framing::new(LIMITS);
        let pieces = framing
            .feed(&bytes.as_bytes()[..cut])
            .and_then(|seen| if cut == bytes.len() { Ok(seen) } else { framing.feed(&bytes.as_bytes()[cut..]) });

        prop_assert_eq!(whole.is_ok(), pieces.is_ok());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
    }
}
