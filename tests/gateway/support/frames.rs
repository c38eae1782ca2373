//! HTTP/2 by hand (RFC 9113): any frame, well formed or not, and header blocks as literals
//! without indexing or Huffman coding (RFC 7541 §6.2.2).

use std::fmt;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConnection, StreamOwned};

use super::client::{Tls, is_timeout};
use super::message::Buffered;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const ACK: u8 = 1;

/// A frame as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// How a stream, or the connection below it, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The connection was closed without a word.
    Closed,
    /// GOAWAY with this error code.
    GoneAway(u32),
    /// `RST_STREAM` with this error code.
    Reset(u32),
    /// A response with this status and body.
    Response(u16, Vec<u8>),
}

impl Outcome {
    /// The gateway refused, in any way that HTTP/2 has for it.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(self, Self::Response(..400, _))
    }
}

/// A connection that speaks frames.
pub(crate) struct RawH2 {
    stream: Buffered<StreamOwned<ClientConnection, TcpStream>>,
}

impl fmt::Debug for RawH2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawH2").finish_non_exhaustive()
    }
}

impl RawH2 {
    /// Connects and sends the preface with empty SETTINGS.
    pub(crate) fn connect(
        address: SocketAddr,
        server_name: &str,
        trusted: &CertificateDer<'static>,
    ) -> Self {
        let tls = Tls::new(server_name, &["h2"]).connect(address, trusted).unwrap();
        assert_eq!(tls.conn.alpn_protocol(), Some(b"h2".as_slice()));
        let mut this = Self { stream: Buffered::new(tls) };
        this.stream.stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        this.frame(SETTINGS, 0, 0, b"").unwrap();
        this
    }

    /// Sends one frame. `Err`: the gateway has closed.
    pub(crate) fn frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> io::Result<()> {
        let frame = encode(kind, flags, stream, payload);
        self.bytes(&frame)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.stream.write_all(bytes)?;
        self.stream.stream.flush()
    }

    /// Sends a whole header block in one HEADERS frame.
    pub(crate) fn headers(
        &mut self,
        stream: u32,
        flags: u8,
        fields: &[(&str, &str)],
    ) -> io::Result<()> {
        self.frame(HEADERS, flags | END_HEADERS, stream, &block(fields))
    }

    /// Receives one frame. `None`: closed.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Frame>> {
        let mut head = Vec::new();
        while head.len() < 9 {
            match self.stream.take_some(9 - head.len()) {
                Ok(bytes) if bytes.is_empty() => return Ok(None),
                Ok(bytes) => head.extend_from_slice(&bytes),
                Err(error) if is_timeout(&error) => return Err(error),
                Err(_) => return Ok(None),
            }
        }
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        let mut payload = Vec::new();
        while payload.len() < length {
            let bytes = self.stream.take_some(length - payload.len())?;
            if bytes.is_empty() {
                return Ok(None);
            }
            payload.extend_from_slice(&bytes);
        }
        Ok(Some(Frame { kind: head[3], flags: head[4], stream, payload }))
    }

    /// Receives frames until the gateway says that it has ended. `Err`: it went without a word.
    pub(crate) fn farewell(&mut self) -> io::Result<Vec<Frame>> {
        let mut bytes = Vec::new();
        loop {
            match self.stream.take_some(usize::MAX)? {
                more if more.is_empty() => break,
                more => bytes.extend(more),
            }
        }
        let mut frames = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some((&[a, b, c, kind, flags, d, e, f, g], behind)) = rest.split_first_chunk() {
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            let (payload, behind) = behind.split_at(length);
            let stream = u32::from_be_bytes([d, e, f, g]);
            frames.push(Frame { kind, flags, stream, payload: payload.to_vec() });
            rest = behind;
        }
        Ok(frames)
    }

    /// Reads frames until `stream` or the connection ends, granting windows as data comes.
    #[track_caller]
    pub(crate) fn outcome(&mut self, stream: u32) -> Outcome {
        let (mut status, mut body) = (0, Vec::new());
        loop {
            let Some(frame) = self.receive().expect("the gateway is silent") else {
                return Outcome::Closed;
            };
            let end = frame.flags & END_STREAM != 0;
            match frame.kind {
                GOAWAY => {
                    let code = &frame.payload[4..8];
                    let code = u32::from_be_bytes([code[0], code[1], code[2], code[3]]);
                    if code != 0 || frame.payload[..4] == [0; 4] {
                        return Outcome::GoneAway(code);
                    }
                }
                SETTINGS if frame.flags & ACK == 0 => {
                    let _ = self.frame(SETTINGS, ACK, 0, b"");
                }
                RST_STREAM if frame.stream == stream => {
                    let code = &frame.payload;
                    let code = u32::from_be_bytes([code[0], code[1], code[2], code[3]]);
                    if status == 0 {
                        return Outcome::Reset(code);
                    }
                    return Outcome::Response(status, body);
                }
                HEADERS if frame.stream == stream => {
                    status = status_of(&frame.payload).unwrap_or_else(|| panic!("{frame:?}"));
                }
                DATA if frame.stream == stream => body.extend_from_slice(&frame.payload),
                _ => {}
            }
            if end && status != 0 && frame.stream == stream {
                return Outcome::Response(status, body);
            }
        }
    }
}

/// One frame as bytes, whatever its length field ought to be.
pub(crate) fn encode(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A header block of literals.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            integer(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// An integer with a 7-bit prefix (RFC 7541 §5.1).
fn integer(block: &mut Vec<u8>, value: usize) {
    let Some(mut rest) = value.checked_sub(0x7f) else {
        return block.push(u8::try_from(value).unwrap());
    };
    block.push(0x7f);
    while rest >= 0x80 {
        block.push(u8::try_from(rest % 0x80).unwrap() | 0x80);
        rest /= 0x80;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// `:status`, which stands first in every response's block: indexed, or a literal with three
/// digits, plain or in Huffman code.
fn status_of(block: &[u8]) -> Option<u16> {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    let first = block.iter().position(|byte| byte & 0xe0 != 0x20)?;
    let block = &block[first..];
    if let index @ 0x88..=0x8e = *block.first()? {
        return Some(INDEXED[usize::from(index - 0x88)]);
    }
    let length = usize::from(block.get(1)? & 0x7f);
    let value = block.get(2..2 + length)?;
    if block[1] & 0x80 == 0 {
        return std::str::from_utf8(value).ok()?.parse().ok();
    }
    let bits = value.iter().fold(String::new(), |bits, byte| format!("{bits}{byte:08b}"));
    let (mut status, mut at) = (0, 0);
    for _ in 0..3 {
        let short = u16::from_str_radix(bits.get(at..at + 5)?, 2).ok()?;
        let (digit, taken) = if short <= 2 {
            (short, 5)
        } else {
            (u16::from_str_radix(bits.get(at..at + 6)?, 2).ok()?.checked_sub(0b01_1001)? + 3, 6)
        };
        status = status * 10 + digit;
        at += taken;
    }
    Some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_every_coding() {
        assert_eq!(status_of(&[0x88]), Some(200));
        assert_eq!(status_of(&[0x48, 3, b'4', b'0', b'1']), Some(401));
        // RFC 7541 §C.6.1: 302 in Huffman code.
        assert_eq!(status_of(&[0x48, 0x82, 0x64, 0x02]), Some(302));
    }
}
