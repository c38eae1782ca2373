//! HTTP/2 by hand (RFC 9113): header blocks as literals without indexing or Huffman coding
//! (RFC 7541 §6.2.2), so that any octet can stand anywhere.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::dial::{Protocol, Stream, Target};
use super::http1::Outcome;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// The largest frame that every peer takes.
const FRAME: usize = 16_384;
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Whether HTTP/2 is spoken there, by ALPN or by prior knowledge.
pub async fn is_spoken(target: &Target) -> bool {
    let Ok(mut stream) = target.connect(Protocol::Http2).await else { return false };
    if greet(&mut stream).await.is_err() {
        return false;
    }
    let first = timeout(target.patience(), receive(&mut stream)).await;
    matches!(first, Ok(Ok(Some(Frame { kind: SETTINGS, .. }))))
}

/// Sends a request without a body on a connection of its own.
///
/// # Errors
///
/// There is no connection.
pub async fn exchange(target: &Target, fields: &[(String, String)]) -> io::Result<Outcome> {
    let mut stream = target.connect(Protocol::Http2).await?;
    let sent = async {
        greet(&mut stream).await?;
        let block = block(fields);
        let mut pieces = block.chunks(FRAME).peekable();
        let (mut kind, mut flags) = (HEADERS, END_STREAM);
        while let Some(piece) = pieces.next() {
            let last = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            stream.write_all(&encode(kind, flags | last, 1, piece)).await?;
            (kind, flags) = (CONTINUATION, 0);
        }
        stream.flush().await
    };
    // What the peer says about it counts, even if it did not take all of it.
    let _ = timeout(target.patience(), sent).await;
    let outcome = timeout(target.patience(), outcome(&mut stream)).await;
    Ok(outcome.unwrap_or(Outcome::Silent))
}

async fn greet(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
    stream.write_all(&encode(SETTINGS, 0, 0, b"")).await?;
    stream.flush().await
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

async fn receive(stream: &mut Stream) -> io::Result<Option<Frame>> {
    let mut head = [0; 9];
    if stream.read_exact(&mut head).await.is_err() {
        return Ok(None);
    }
    let [high, middle, low, kind, flags, id @ ..] = head;
    let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    if length > FRAME {
        return Ok(None); // not HTTP/2, or not for us
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await?;
    Ok(Some(Frame { kind, flags, stream: u32::from_be_bytes(id) & 0x7fff_ffff, payload }))
}

/// Reads frames until the stream or the connection ends.
async fn outcome(stream: &mut Stream) -> Outcome {
    let (mut status, mut body) = (None, Vec::new());
    loop {
        let Ok(Some(frame)) = receive(stream).await else {
            return status.map_or(Outcome::Closed, |status| Outcome::Answered { status, body });
        };
        let is_ours = frame.stream == 1;
        match frame.kind {
            GOAWAY if frame.payload.get(4..8).is_none_or(|code| code != [0; 4]) => {
                return Outcome::Reset(format!("GOAWAY {}", code(&frame.payload, 4)));
            }
            SETTINGS if frame.flags & ACK == 0 => {
                let _ = stream.write_all(&encode(SETTINGS, ACK, 0, b"")).await;
                let _ = stream.flush().await;
            }
            RST_STREAM if is_ours && status.is_none() => {
                return Outcome::Reset(format!("RST_STREAM {}", code(&frame.payload, 0)));
            }
            HEADERS if is_ours && status.is_none() => {
                status = status_of(&frame.payload).filter(|status| *status >= 200);
            }
            DATA if is_ours && body.len() < ANSWER_LIMIT => {
                body.extend_from_slice(&frame.payload);
            }
            _ => {}
        }
        let is_end = is_ours && (frame.flags & END_STREAM != 0 || frame.kind == RST_STREAM);
        if let (true, HEADERS | DATA | RST_STREAM) = (is_end, frame.kind) {
            let status = status.unwrap_or_default();
            return Outcome::Answered { status, body };
        }
    }
}

fn code(payload: &[u8], at: usize) -> u32 {
    let code = payload.get(at..at + 4).and_then(|code| code.try_into().ok());
    code.map_or(0, u32::from_be_bytes)
}

/// One frame as bytes. Payloads are at most [`FRAME`] long.
fn encode(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut frame = vec![high, middle, low, kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A header block of literals.
fn block(fields: &[(String, String)]) -> Vec<u8> {
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
    let low = |value: usize| u8::try_from(value & 0x7f).unwrap_or_default();
    let Some(mut rest) = value.checked_sub(0x7f) else { return block.push(low(value)) };
    block.push(0x7f);
    while rest >= 0x80 {
        block.push(low(rest) | 0x80);
        rest >>= 7;
    }
    block.push(low(rest));
}

/// `:status`, which stands first in every response's block: indexed, or a literal with three
/// digits, plain or in Huffman code.
fn status_of(block: &[u8]) -> Option<u16> {
    let first = block.iter().position(|byte| byte & 0xe0 != 0x20)?; // behind table sizes
    let block = block.get(first..)?;
    match block {
        [0x88, ..] => Some(200),
        [0x89, ..] => Some(204),
        [0x8a, ..] => Some(206),
        [0x8b, ..] => Some(304),
        [0x8c, ..] => Some(400),
        [0x8d, ..] => Some(404),
        [0x8e, ..] => Some(500),
        [_, length, rest @ ..] => {
            let value = rest.get(..usize::from(length & 0x7f))?;
            if length & 0x80 == 0 {
                std::str::from_utf8(value).ok()?.parse().ok()
            } else {
                huffman_digits(value)
            }
        }
        _ => None,
    }
}

/// Three digits in Huffman code: `0` to `2` have five bits, the others six (RFC 7541 B).
fn huffman_digits(value: &[u8]) -> Option<u16> {
    let bits: Vec<u16> = value
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)))
        .collect();
    let number = |bits: &[u16]| bits.iter().fold(0, |number, bit| number << 1 | bit);
    let (mut status, mut at) = (0, 0);
    for _ in 0..3 {
        let short = number(bits.get(at..at + 5)?);
        let (digit, taken) = if short <= 2 {
            (short, 5)
        } else {
            (number(bits.get(at..at + 6)?).checked_sub(0b01_1001)? + 3, 6)
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
        assert_eq!(status_of(&[0x20, 0x8c]), Some(400));
        assert_eq!(status_of(&[0x48, 3, b'4', b'0', b'1']), Some(401));
        // RFC 7541 §C.6.1: 302 in Huffman code.
        assert_eq!(status_of(&[0x48, 0x82, 0x64, 0x02]), Some(302));
        assert_eq!(status_of(&[]), None);
        assert_eq!(status_of(&[0x48, 0x82, 0x64]), None);
    }

    #[test]
    fn an_integer_grows_beyond_its_prefix() {
        for (value, written) in
            [(10, &[10][..]), (126, &[126]), (127, &[127, 0]), (1337, &[0x7f, 0xba, 0x09])]
        {
            let mut block = Vec::new();
            integer(&mut block, value);
            assert_eq!(block, written, "{value}");
        }
    }

    #[test]
    fn a_field_is_a_literal_whatever_is_in_it() {
        let block = block(&[(":path".to_owned(), "/\r\n".to_owned())]);

        assert_eq!(block, b"\0\x05:path\x03/\r\n");
    }
}
