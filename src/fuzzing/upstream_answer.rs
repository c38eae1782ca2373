//! What an upstream answers over HTTP/1.1: head and body are read alike however the bytes were cut,
//! framed as another parser frames them, and nothing that concerned the connection goes on.
//!
//! An input is the bytes of an answer.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::forward::chunked::{Chunked, Decoded};
use crate::forward::head::{self, Framing, HeadError, Room};

/// What of a head goes on, and the bytes behind it.
#[derive(Debug, PartialEq)]
struct Head {
    status: StatusCode,
    fields: HeaderMap,
    framing: Framing,
    is_persistent: bool,
    rest: Vec<u8>,
}

pub(super) fn ask(input: &[u8]) {
    let (left, right) = super::cut(input);
    for to_head in [false, true] {
        let whole = read([input].into_iter(), to_head);
        assert_eq!(whole, read([left, right].into_iter(), to_head), "cut at {}", left.len());
        assert_eq!(whole, read(input.chunks(1), to_head), "byte by byte");
        let Ok(Some(head)) = whole else { continue };
        ask_fields(&head);
        if head.framing == Framing::Chunked {
            ask_chunks(&head.rest);
        }
        ask_second(input, to_head, &head);
    }
    ask_chunks(input);
}

fn read<'b>(
    pieces: impl Iterator<Item = &'b [u8]>,
    to_head: bool,
) -> Result<Option<Head>, HeadError> {
    let (mut input, mut room) = (BytesMut::new(), Room::default());
    let mut taken = None;
    for piece in pieces {
        input.extend_from_slice(piece);
        if taken.is_none() {
            taken = head::take(&mut input, &mut room, to_head)?;
        }
    }
    Ok(taken.map(|head| Head {
        status: head.status,
        fields: head.fields,
        framing: head.framing,
        is_persistent: head.is_persistent,
        rest: input.to_vec(),
    }))
}

/// Nothing of one connection is passed on to another, nor a length that is not the body's.
fn ask_fields(head: &Head) {
    let ours = [header::CONNECTION, header::TE, header::TRAILER, header::TRANSFER_ENCODING];
    let others = ["keep-alive", "proxy-connection", "proxy-authenticate", "upgrade"];
    for name in ours.iter().map(HeaderName::as_str).chain(others) {
        assert!(!head.fields.contains_key(name), "{name}");
    }
    let lengths: Vec<_> = head.fields.get_all(header::CONTENT_LENGTH).iter().collect();
    match (lengths.as_slice(), head.framing) {
        ([], _) => {}
        ([length], Framing::Length(framed)) => {
            let length = length.to_str().ok().and_then(|length| length.parse::<u64>().ok());
            assert!(length == Some(framed) || framed == 0, "{length:?}");
        }
        (lengths, framing) => assert_eq!(lengths.len(), 0, "{framing:?}"),
    }
}

/// Another parser finds the same head, and one length for its body.
fn ask_second(input: &[u8], to_head: bool, head: &Head) {
    let mut place = 0;
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut fields);
        let parsed = response.parse(input.get(place..).unwrap_or_default());
        let Ok(httparse::Status::Complete(length)) = parsed else {
            assert_eq!(parsed, Ok(httparse::Status::Complete(0)), "a head that is none");
            return;
        };
        place += length;
        let code = response.code.unwrap_or(0);
        if (100..200).contains(&code) && code != 101 {
            continue;
        }
        assert_eq!(code, head.status.as_u16());
        assert_eq!(input.get(place..), Some(head.rest.as_slice()), "what is behind the head");
        let named = |name: &'static str| {
            response.headers.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
        };
        for option in named("connection").flat_map(|field| field.value.split(|it| *it == b',')) {
            let Ok(option) = HeaderName::from_bytes(option.trim_ascii()) else { continue };
            let is_gone = !head.fields.contains_key(&option);
            assert!(is_gone || option == header::CONTENT_LENGTH || option == "close", "{option}");
        }
        let has_no_body = to_head || matches!(code, 101 | 204 | 304);
        let is_chunked = named("transfer-encoding").next().is_some();
        assert!(!is_chunked || named("content-length").next().is_none(), "two lengths");
        let expected = match named("content-length").next() {
            _ if has_no_body => Framing::Length(0),
            _ if is_chunked => Framing::Chunked,
            Some(length) => Framing::Length(
                std::str::from_utf8(length.value).ok().and_then(|it| it.parse().ok()).unwrap_or(0),
            ),
            None => Framing::UntilClose,
        };
        assert_eq!(head.framing, expected);
        return;
    }
}

/// A body, whether it has ended, and how many bytes are left behind it.
type Decoding = Option<(Vec<u8>, bool, usize)>;

fn ask_chunks(input: &[u8]) {
    let (left, right) = super::cut(input);
    let whole = decode([input].into_iter());
    assert_eq!(whole, decode([left, right].into_iter()), "chunks cut at {}", left.len());
    assert_eq!(whole, decode(input.chunks(1)), "chunks byte by byte");
    let Some((body, has_ended, _)) = whole else { return };
    let second = decode_second(input);
    assert!(!has_ended || second == body, "another body");
}

fn decode<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Decoding {
    let (mut state, mut input, mut body) = (Chunked::Size, BytesMut::new(), Vec::new());
    let mut has_ended = false;
    for piece in pieces {
        input.extend_from_slice(piece);
        while !has_ended {
            match state.decode(&mut input).ok()? {
                Decoded::Data(data) => body.extend_from_slice(&data),
                Decoded::Incomplete => break,
                Decoded::End => has_ended = true,
            }
        }
    }
    // How much of a line has been taken in says nothing before the end.
    let left = if has_ended { input.len() } else { 0 };
    Some((body, has_ended, left))
}

fn decode_second(input: &[u8]) -> Bytes {
    let (mut body, mut place) = (BytesMut::new(), 0);
    while let Ok(httparse::Status::Complete((length, size))) =
        httparse::parse_chunk_size(input.get(place..).unwrap_or_default())
    {
        place += length;
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size == 0 {
            break;
        }
        let Some(data) = place.checked_add(size).and_then(|end| input.get(place..end)) else {
            break;
        };
        body.extend_from_slice(data);
        place += size + 2;
    }
    body.freeze()
}
