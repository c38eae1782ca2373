//! What a client sends over HTTP/1.1: the strict reading finds the same messages however the bytes
//! were cut, and the same that another parser finds.
//!
//! An input is the bytes of a connection.

use crate::wire::framing::{Framing, HeadLimits};
use crate::wire::refusal::Refusal;

/// Small, so that inputs reach them.
const LIMITS: HeadLimits = HeadLimits { request_line: 100, header_bytes: 300, header_count: 8 };

/// What one reading of all bytes came to.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    verdict: Result<(), Refusal>,
    upgrade_at: Option<usize>,
    completed: u64,
    is_inside_body: bool,
    is_inside_head: bool,
}

pub(super) fn ask(input: &[u8]) {
    let whole = read([input].into_iter());
    let (left, right) = super::cut(input);
    assert_eq!(whole, read([left, right].into_iter()), "cut at {}", left.len());
    assert_eq!(whole, read(input.chunks(1)), "byte by byte");
    ask_second(input, &whole);
}

fn read<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Read {
    let mut framing = Framing::new(LIMITS);
    let mut read = Read {
        verdict: Ok(()),
        upgrade_at: None,
        completed: 0,
        is_inside_body: false,
        is_inside_head: false,
    };
    let mut before = 0;
    for piece in pieces {
        match framing.feed(piece) {
            Ok(seen) => {
                read.is_inside_head = seen.inside_head;
                read.upgrade_at = seen.upgrade_at.map(|at| at + before);
            }
            Err(refusal) => read.verdict = Err(refusal),
        }
        before += piece.len();
        if read.verdict.is_err() || read.upgrade_at.is_some() {
            break;
        }
    }
    read.completed = framing.completed();
    // Behind a refusal the connection is not read from, wherever it stood.
    read.is_inside_body = read.verdict.is_ok() && framing.is_inside_body();
    read.is_inside_head &= read.verdict.is_ok();
    read
}

/// Finds the messages with another parser, as far as it goes along.
fn ask_second(input: &[u8], whole: &Read) {
    let (mut place, mut found) = (0, 0_u64);
    loop {
        let rest = input.get(place..).unwrap_or_default();
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut request = httparse::Request::new(&mut fields);
        let length = match request.parse(rest) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => break,
            Err(_) => return, // the engine refuses what the strict reading let pass
        };
        if whole.verdict.is_err() && found == whole.completed {
            return; // refused at or behind this message
        }
        place += length;
        let has = |name: &str| request.headers.iter().any(|it| it.name.eq_ignore_ascii_case(name));
        let body = body_of(request.headers);
        if has("upgrade") && body == Body::Length(0) {
            assert_eq!(whole.upgrade_at, Some(place), "an upgrade");
            found += 1;
            break;
        }
        let rest = input.get(place..).unwrap_or_default();
        let end = match body {
            Body::Length(length) => (rest.len() >= length).then_some(length),
            Body::Chunked => end_of_chunks(rest),
        };
        let Some(end) = end else {
            assert!(whole.verdict.is_err() || whole.is_inside_body, "a body goes on");
            break;
        };
        place += end;
        found += 1;
    }
    if whole.verdict.is_ok() {
        assert_eq!(found, whole.completed, "messages found");
    } else {
        assert!(found <= whole.completed, "messages found behind a refusal");
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Body {
    Chunked,
    Length(usize),
}

fn body_of(fields: &[httparse::Header<'_>]) -> Body {
    let named = |name: &'static str| {
        fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    };
    assert!(named("content-length").count() + named("transfer-encoding").count() < 2, "two");
    if named("transfer-encoding").count() == 1 {
        return Body::Chunked;
    }
    let length = named("content-length").next().map_or("0", |field| {
        std::str::from_utf8(field.value).unwrap_or("not text").trim_matches([' ', '\t'])
    });
    assert!(length.bytes().all(|byte| byte.is_ascii_digit()), "{length}");
    Body::Length(length.parse().unwrap_or(usize::MAX))
}

/// Where a chunked body ends, trailers included; `None`: not in these bytes.
fn end_of_chunks(bytes: &[u8]) -> Option<usize> {
    let mut place = 0;
    loop {
        let rest = bytes.get(place..)?;
        let Ok(httparse::Status::Complete((length, size))) = httparse::parse_chunk_size(rest)
        else {
            return None;
        };
        place += length;
        if size == 0 {
            let mut fields = [httparse::EMPTY_HEADER; 16];
            let rest = bytes.get(place..)?;
            return match httparse::parse_headers(rest, &mut fields) {
                Ok(httparse::Status::Complete((length, _))) => Some(place + length),
                _ => None,
            };
        }
        place = place.checked_add(usize::try_from(size).ok()?)?.checked_add(2)?;
    }
}
