//! Reads the head of an upstream's response: status, fields, and how the body is framed.

use std::mem::MaybeUninit;

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

const MAX_HEAD: usize = 128 * 1024;
const MAX_FIELDS: usize = 128;

/// The head of a response, without what concerned the connection alone.
#[derive(Debug)]
pub struct ResponseHead {
    /// The status; never 1xx but 101.
    pub status: StatusCode,
    /// End-to-end fields only (RFC 9110 §7.6.1).
    pub fields: HeaderMap,
    /// How the body is framed.
    pub framing: Framing,
    /// Whether the connection may serve another request.
    pub is_persistent: bool,
    /// The value of `Upgrade`, for a 101.
    pub upgrade: Option<HeaderValue>,
}

/// How the body of a response is framed (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By the chunked coding.
    Chunked,
    /// By its length.
    Length(u64),
    /// By the end of the connection.
    UntilClose,
}

/// A response head that cannot be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Not HTTP/1.x, or fields that are none.
    #[error("the upstream's response head is malformed")]
    Malformed,
    /// More than we take.
    #[error("the upstream's response head is too large")]
    TooLarge,
    /// Lengths that contradict one another, or an unknown coding.
    #[error("the upstream's response has no single length")]
    Framing,
}

/// Room for the fields of a head while it is read, kept from one to the next: each name, and
/// where its value begins and how long it is.
#[derive(Debug, Default)]
pub struct Room(Vec<(HeaderName, usize, usize)>);

/// Takes a response head from the buffer once it is complete. Interim responses (1xx but 101)
/// are skipped.
///
/// # Errors
///
/// [`HeadError`]; the connection must not be used again.
pub fn take(
    input: &mut BytesMut,
    room: &mut Room,
    to_head_request: bool,
) -> Result<Option<ResponseHead>, HeadError> {
    loop {
        let Some(raw) = take_raw(input, room)? else { return Ok(None) };
        if raw.status.is_informational() && raw.status != StatusCode::SWITCHING_PROTOCOLS {
            continue;
        }
        return raw.finish(to_head_request).map(Some);
    }
}

struct Raw {
    status: StatusCode,
    is_http_10: bool,
    fields: HeaderMap,
    connection: Vec<HeaderValue>,
    length: Option<(u64, HeaderValue)>,
    encodings: u32,
    is_chunked: bool,
    upgrade: Option<HeaderValue>,
}

fn take_raw(input: &mut BytesMut, room: &mut Room) -> Result<Option<Raw>, HeadError> {
    if input.is_empty() {
        return Ok(None);
    }
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let parsed = parser.parse_response_with_uninit_headers(&mut response, input, &mut fields);
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if input.len() > MAX_HEAD => return Err(HeadError::TooLarge),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
        Err(_) => return Err(HeadError::Malformed),
    };
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    let mut raw = Raw {
        status: status.ok_or(HeadError::Malformed)?,
        is_http_10: response.version == Some(0),
        fields: HeaderMap::with_capacity(response.headers.len() + 2),
        connection: Vec::new(),
        length: None,
        encodings: 0,
        is_chunked: false,
        upgrade: None,
    };
    // Offsets first, so that the values can share the buffer they were read into.
    let base = input.as_ptr().addr();
    let Room(named) = room;
    named.clear();
    for field in &*response.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let start = field.value.as_ptr().addr().wrapping_sub(base);
        named.push((name.map_err(|_| HeadError::Malformed)?, start, field.value.len()));
    }
    let head = input.split_to(length).freeze();
    for (name, start, length) in named.drain(..) {
        // An empty value may point anywhere: it is a slice of nothing.
        let value = if length == 0 {
            HeaderValue::from_static("")
        } else {
            let end = start.saturating_add(length);
            if end > head.len() {
                return Err(HeadError::Malformed);
            }
            HeaderValue::from_maybe_shared(head.slice(start..end))
                .map_err(|_| HeadError::Malformed)?
        };
        raw.field(name, value)?;
    }
    Ok(Some(raw))
}

impl Raw {
    fn field(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), HeadError> {
        if name == header::CONTENT_LENGTH {
            let length = decimal(value.as_bytes()).ok_or(HeadError::Framing)?;
            if self.length.as_ref().is_some_and(|(before, _)| *before != length) {
                return Err(HeadError::Framing);
            }
            let is_canonical = !value.as_bytes().starts_with(b"0") || value == "0";
            let value = if is_canonical { value } else { HeaderValue::from(length) };
            self.length = Some((length, value));
        } else if name == header::TRANSFER_ENCODING {
            self.encodings += 1;
            self.is_chunked = value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
        } else if name == header::CONNECTION {
            // The common one says what holds anyway, and `Keep-Alive` never passes.
            if !value.as_bytes().eq_ignore_ascii_case(b"keep-alive") {
                self.connection.push(value);
            }
        } else if name == header::UPGRADE {
            self.upgrade = Some(value);
        } else if !is_hop_by_hop(&name) {
            self.fields.append(name, value);
        }
        Ok(())
    }

    fn finish(mut self, to_head_request: bool) -> Result<ResponseHead, HeadError> {
        if self.encodings > 1 || (self.encodings == 1 && !self.is_chunked) {
            return Err(HeadError::Framing);
        }
        if self.is_chunked && self.length.is_some() {
            return Err(HeadError::Framing); // RFC 9112 §6.3: ought to be handled as an error
        }
        let mut is_persistent = !self.is_http_10;
        for value in &self.connection {
            for option in value.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                if option.eq_ignore_ascii_case(b"close") {
                    is_persistent = false;
                } else if let Ok(name) = HeaderName::from_bytes(option) {
                    self.fields.remove(name);
                }
            }
        }
        let has_no_body = to_head_request
            || self.status == StatusCode::NO_CONTENT
            || self.status == StatusCode::NOT_MODIFIED
            || self.status == StatusCode::SWITCHING_PROTOCOLS;
        let framing = match &self.length {
            _ if has_no_body => Framing::Length(0),
            _ if self.is_chunked => Framing::Chunked,
            Some((length, _)) => Framing::Length(*length),
            None => Framing::UntilClose,
        };
        if let Some((_, length)) = self.length {
            self.fields.insert(header::CONTENT_LENGTH, length);
        }
        if framing == Framing::UntilClose {
            is_persistent = false;
        }
        Ok(ResponseHead {
            status: self.status,
            fields: self.fields,
            framing,
            is_persistent,
            upgrade: self.upgrade,
        })
    }
}

/// Fields that concern one connection only (RFC 9110 §7.6.1), besides those handled by name.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    *name == header::TE
        || *name == header::TRAILER
        || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "proxy-authenticate")
}

fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<ResponseHead>, HeadError> {
        take(&mut BytesMut::from(text), &mut Room::default(), false)
    }

    #[test]
    fn the_body_is_framed_as_rfc_9112_says() {
        let cases = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::Chunked, true),
            ("HTTP/1.1 200 OK\r\n\r\n", Framing::UntilClose, false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), false),
            ("HTTP/1.1 204 No Content\r\n\r\n", Framing::Length(0), true),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Framing::Length(0), true),
            (
                "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n",
                Framing::Length(0),
                false,
            ),
        ];
        for (text, framing, is_persistent) in cases {
            let head = parse(text).unwrap().unwrap();
            assert_eq!((head.framing, head.is_persistent), (framing, is_persistent), "{text:?}");
        }
    }

    #[test]
    fn lengths_that_contradict_one_another_are_refused() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        ] {
            assert_eq!(parse(text).unwrap_err(), HeadError::Framing, "{text:?}");
        }
    }

    #[test]
    fn a_length_has_one_spelling() {
        for (sent, length) in [("0", "0"), ("17", "17"), ("007", "7"), ("00", "0")] {
            let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {sent}\r\n\r\n");
            let head = parse(&text).unwrap().unwrap();
            assert_eq!(head.fields.get(header::CONTENT_LENGTH).unwrap(), length, "{sent}");
        }
    }

    #[test]
    fn interim_responses_are_skipped_and_hop_by_hop_fields_dropped() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: x-a, Keep-Alive\r\n\
                    Keep-Alive: 5\r\nX-A: b\r\nX-B: c\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n";

        let head = parse(text).unwrap().unwrap();

        let mut names: Vec<_> = head.fields.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "x-b", "x-empty"]);
    }

    #[test]
    fn a_head_is_not_read_before_it_is_complete() {
        assert!(parse("HTTP/1.1 200 OK\r\nContent-Le").unwrap().is_none());
        assert_eq!(parse("SSH-2.0-x\r\n\r\n").unwrap_err(), HeadError::Malformed);
    }
}
