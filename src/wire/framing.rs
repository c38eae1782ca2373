//! A strict second reading of what an HTTP/1 client sends, on the bytes themselves.
//!
//! The HTTP engine behind it is lenient where RFC 9112 lets a recipient be so (a bare LF ends
//! a line, equal `Content-Length` fields collapse, `Transfer-Encoding` overrides
//! `Content-Length`, a fragment is cut off). Every such leniency is a second reading of one
//! message, and two readings are how requests are smuggled. [`Framing`] follows the message
//! boundaries, keeps the head's limits, and refuses what has two readings (RFC 9112 §2.2, §5,
//! §6.3, §7.1).

use super::refusal::Refusal;

/// What one connection may send in a head. Sizes in bytes.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// The longest request line, without its line end.
    pub request_line: usize,
    /// All header fields together, with their line ends.
    pub header_bytes: usize,
    /// How many header fields.
    pub header_count: usize,
}

const MAX_CHUNK_LINE: usize = 256;

/// Where the reading stands between two messages of a connection.
#[derive(Debug)]
pub struct Framing {
    limits: HeadLimits,
    phase: Phase,
    /// The beginning of a line whose end has not been read yet.
    line: Vec<u8>,
    head: Head,
    /// Where in the bytes fed last the message at hand began; 0 if before them.
    boundary: usize,
    completed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    RequestLine,
    Fields,
    Body(u64),
    ChunkSize,
    ChunkData(u64),
    /// CR LF after a chunk; how many of the two are still missing.
    ChunkEnd(u8),
    Trailers,
    /// Nothing more is read here: the connection speaks another protocol.
    Foreign,
}

#[derive(Debug, Default)]
struct Head {
    empty_lines: u8,
    field_bytes: usize,
    field_count: usize,
    is_http_10: bool,
    content_length: Option<u64>,
    is_chunked: bool,
    has_upgrade: bool,
}

/// What [`Framing::feed`] saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// A head has begun and has not ended yet.
    pub inside_head: bool,
    /// A head that asks for another protocol ended at this offset of the bytes fed. What lies
    /// behind it must not be read as HTTP, and the reading stops here.
    pub upgrade_at: Option<usize>,
}

impl Framing {
    /// Begins before the first request of a connection.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        let (line, head) = (Vec::new(), Head::default());
        Self { limits, phase: Phase::RequestLine, line, head, boundary: 0, completed: 0 }
    }

    /// Where in the bytes fed last the message at hand began; 0 if it began before them. After a
    /// refusal, what lies before this is good.
    #[must_use]
    pub fn boundary(&self) -> usize {
        self.boundary
    }

    /// How many messages came to their end.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.completed
    }

    /// Whether a message's head has been read and its body has not ended.
    #[must_use]
    pub fn is_inside_body(&self) -> bool {
        match self.phase {
            Phase::Body(_)
            | Phase::ChunkSize
            | Phase::ChunkData(_)
            | Phase::ChunkEnd(_)
            | Phase::Trailers => true,
            Phase::RequestLine | Phase::Fields | Phase::Foreign => false,
        }
    }

    /// Whether the bytes so far ended with a message, and not one more has come.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.phase == Phase::RequestLine && self.line.is_empty() && self.head.empty_lines == 0
    }

    /// Goes on after an upgrade that was not granted: the next bytes are a head again.
    pub fn resume(&mut self) {
        if self.phase == Phase::Foreign {
            self.phase = Phase::RequestLine;
        }
    }

    /// Reads on.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] of the first thing that has no single reading or exceeds a limit. The
    /// connection must not be read from again.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Seen, Refusal> {
        let mut rest = bytes;
        self.boundary = 0;
        while !rest.is_empty() {
            let before = self.phase;
            rest = match self.phase {
                Phase::Foreign => break,
                Phase::Body(left) => {
                    let (rest, left) = skip(rest, left);
                    self.phase = if left == 0 { Phase::RequestLine } else { Phase::Body(left) };
                    rest
                }
                Phase::ChunkData(left) => {
                    let (rest, left) = skip(rest, left);
                    self.phase =
                        if left == 0 { Phase::ChunkEnd(2) } else { Phase::ChunkData(left) };
                    rest
                }
                Phase::ChunkEnd(missing) => {
                    let expected = if missing == 2 { b'\r' } else { b'\n' };
                    let Some((&first, rest)) = rest.split_first() else { break };
                    if first != expected {
                        return Err(Refusal::ChunkMalformed);
                    }
                    self.phase = if missing == 2 { Phase::ChunkEnd(1) } else { Phase::ChunkSize };
                    rest
                }
                Phase::RequestLine | Phase::Fields | Phase::ChunkSize | Phase::Trailers => {
                    self.feed_line(rest)?
                }
            };
            if self.phase == Phase::Foreign {
                self.completed += 1;
                let upgrade_at = Some(bytes.len() - rest.len());
                return Ok(Seen { inside_head: false, upgrade_at });
            }
            if self.phase == Phase::RequestLine && before != Phase::RequestLine {
                self.boundary = bytes.len() - rest.len();
                self.completed += 1;
            }
        }
        Ok(Seen { inside_head: self.is_inside_head(), upgrade_at: None })
    }

    fn is_inside_head(&self) -> bool {
        self.phase == Phase::Fields || (self.phase == Phase::RequestLine && !self.line.is_empty())
    }

    /// Takes one line, or stores its beginning. Returns what follows it.
    fn feed_line<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Refusal> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.check_room(bytes)?;
            self.line.extend_from_slice(bytes);
            return Ok(&[]);
        };
        let (line, rest) = bytes.split_at(end + 1);
        self.check_room(line)?;
        if self.line.is_empty() {
            self.end_line(line)?;
        } else {
            let mut whole = std::mem::take(&mut self.line);
            whole.extend_from_slice(line);
            self.end_line(&whole)?;
            whole.clear();
            self.line = whole;
        }
        Ok(rest)
    }

    /// The line's end does not count, nor a CR that may yet be a part of it: wherever the bytes were
    /// cut, a line of the greatest length passes and a longer one does not.
    fn check_room(&self, more: &[u8]) -> Result<(), Refusal> {
        let text = more.strip_suffix(b"\n").unwrap_or(more);
        let has_return = text.last().or(self.line.last()) == Some(&b'\r');
        let length = self.line.len() + text.len() - usize::from(has_return);
        match self.phase {
            Phase::RequestLine if length > self.limits.request_line => {
                Err(Refusal::RequestLineTooLong)
            }
            Phase::Fields | Phase::Trailers
                if self.head.field_bytes + length > self.limits.header_bytes =>
            {
                Err(Refusal::HeadTooLarge)
            }
            Phase::ChunkSize if length > MAX_CHUNK_LINE => Err(Refusal::ChunkMalformed),
            Phase::RequestLine
            | Phase::Fields
            | Phase::Trailers
            | Phase::ChunkSize
            | Phase::Body(_)
            | Phase::ChunkData(_)
            | Phase::ChunkEnd(_)
            | Phase::Foreign => Ok(()),
        }
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let line = line.strip_suffix(b"\r\n").ok_or(Refusal::BareLineFeed)?;
        match self.phase {
            Phase::RequestLine => self.request_line(line),
            Phase::Fields if line.is_empty() => self.end_head(),
            Phase::Fields => self.field(line),
            Phase::ChunkSize => self.chunk_size(line),
            Phase::Trailers if line.is_empty() => {
                self.phase = Phase::RequestLine;
                Ok(())
            }
            Phase::Trailers => self.trailer(line),
            Phase::Body(_) | Phase::ChunkData(_) | Phase::ChunkEnd(_) | Phase::Foreign => Ok(()),
        }
    }

    fn request_line(&mut self, line: &[u8]) -> Result<(), Refusal> {
        if line.is_empty() {
            // RFC 9112 §2.2: one empty line before a request is forgiven, a stream of them is not.
            self.head.empty_lines += 1;
            return if self.head.empty_lines > 1 {
                Err(Refusal::RequestLineMalformed)
            } else {
                Ok(())
            };
        }
        let mut parts = line.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::RequestLineMalformed);
        };
        if method.is_empty() || !method.iter().copied().all(is_token) || target.is_empty() {
            return Err(Refusal::RequestLineMalformed);
        }
        if target.contains(&b'#') {
            return Err(Refusal::Fragment);
        }
        if target.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
            return Err(Refusal::RequestLineMalformed);
        }
        let is_http_10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(Refusal::VersionNotSupported),
        };
        self.head = Head { is_http_10, ..Head::default() };
        self.phase = Phase::Fields;
        Ok(())
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let (name, value) = split_field(line)?;
        self.count_field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = decimal(value).ok_or(Refusal::ContentLengthMalformed)?;
            if self.head.content_length.replace(length).is_some() {
                return Err(Refusal::ContentLengthRepeated);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.head.is_chunked {
                return Err(Refusal::TransferEncodingRepeated);
            }
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::TransferEncodingUnknown);
            }
            self.head.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.head.has_upgrade = true;
        }
        Ok(())
    }

    fn count_field(&mut self, line: &[u8]) -> Result<(), Refusal> {
        self.head.field_bytes += line.len() + 2;
        self.head.field_count += 1;
        let is_too_much = self.head.field_count > self.limits.header_count
            || self.head.field_bytes > self.limits.header_bytes;
        if is_too_much { Err(Refusal::HeadTooLarge) } else { Ok(()) }
    }

    fn end_head(&mut self) -> Result<(), Refusal> {
        let head = std::mem::take(&mut self.head);
        if head.is_chunked && head.content_length.is_some() {
            return Err(Refusal::LengthAndEncoding);
        }
        if head.is_chunked && head.is_http_10 {
            return Err(Refusal::TransferEncodingUnknown);
        }
        self.phase = if head.is_chunked {
            Phase::ChunkSize
        } else {
            match head.content_length {
                None | Some(0) if head.has_upgrade => Phase::Foreign,
                None | Some(0) => Phase::RequestLine,
                Some(length) => Phase::Body(length),
            }
        };
        Ok(())
    }

    fn chunk_size(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
        if digits.is_empty() || digits.len() > 15 || line.contains(&b'\r') {
            return Err(Refusal::ChunkMalformed);
        }
        let mut size: u64 = 0;
        for &digit in digits {
            let value = char::from(digit).to_digit(16).ok_or(Refusal::ChunkMalformed)?;
            size = size << 4 | u64::from(value);
        }
        self.head.field_bytes = 0;
        self.head.field_count = 0;
        self.phase = if size == 0 { Phase::Trailers } else { Phase::ChunkData(size) };
        Ok(())
    }

    fn trailer(&mut self, line: &[u8]) -> Result<(), Refusal> {
        split_field(line)?;
        self.count_field(line)
    }
}

fn skip(bytes: &[u8], left: u64) -> (&[u8], u64) {
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    let rest = bytes.get(length..).unwrap_or_default();
    (rest, left - u64::try_from(length).unwrap_or(left))
}

/// Splits a field line (RFC 9112 §5) and checks both halves.
#[expect(clippy::needless_bitwise_bool, reason = "lazy operators are branches")]
fn split_field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let colon = memchr::memchr(b':', line).ok_or(Refusal::FieldMalformed)?;
    let (name, value) = line.split_at(colon);
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(Refusal::FieldMalformed); // also a continuation line (obs-fold, §5.2)
    }
    let value = trim(value.get(1..).unwrap_or_default());
    // Without a branch for each byte, so that many are looked at at once.
    let is_control = |byte: u8| ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f);
    if value.iter().fold(false, |found, &byte| found | is_control(byte)) {
        return Err(Refusal::FieldMalformed);
    }
    Ok((name, value))
}

/// Takes the optional white space off both ends (RFC 9110 §5.6.3): spaces and tabs alone.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// `1*DIGIT` without a sign, within 18 digits (RFC 9112 §6.2).
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests;
