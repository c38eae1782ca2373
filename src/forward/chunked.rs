//! Takes the chunked transfer coding off an upstream's response (RFC 9112 §7.1), strictly.
//!
//! Trailers are dropped: nothing that arrives after the decision may become a header.

use bytes::{Buf, Bytes, BytesMut};

const MAX_SIZE_LINE: usize = 256;
const MAX_TRAILERS: usize = 16 * 1024;

/// A chunked body that does not keep to its framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's chunked body is malformed")]
pub struct Malformed;

/// Where the reading of a chunked body stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunked {
    /// Before a chunk-size line.
    Size,
    /// Inside a chunk.
    Data(u64),
    /// Before the CR LF that ends a chunk.
    DataEnd,
    /// Behind the last chunk; bytes of trailers so far.
    Trailers(usize),
    /// Behind the end of the body.
    End,
}

/// What the bytes at hand gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A piece of the body.
    Data(Bytes),
    /// The body has ended; what is left in the buffer is behind it.
    End,
    /// More bytes are needed.
    Incomplete,
}

impl Chunked {
    /// Takes the next piece from the buffer.
    ///
    /// # Errors
    ///
    /// [`Malformed`]; the connection must not be used again.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Decoded, Malformed> {
        loop {
            match *self {
                Self::Data(left) => {
                    if input.is_empty() {
                        return Ok(Decoded::Incomplete);
                    }
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let data = input.split_to(length).freeze();
                    let left = left - u64::try_from(length).unwrap_or(left);
                    *self = if left == 0 { Self::DataEnd } else { Self::Data(left) };
                    return Ok(Decoded::Data(data));
                }
                Self::DataEnd => match (input.first(), input.get(1)) {
                    (Some(b'\r'), Some(b'\n')) => {
                        input.advance(2);
                        *self = Self::Size;
                    }
                    (None, _) | (Some(b'\r'), None) => return Ok(Decoded::Incomplete),
                    _ => return Err(Malformed),
                },
                Self::Size => {
                    let Some(line) = take_line(input, MAX_SIZE_LINE)? else {
                        return Ok(Decoded::Incomplete);
                    };
                    let size = chunk_size(&line)?;
                    *self = if size == 0 { Self::Trailers(0) } else { Self::Data(size) };
                }
                Self::Trailers(seen) => {
                    let Some(line) = take_line(input, MAX_TRAILERS)? else {
                        return Ok(Decoded::Incomplete);
                    };
                    let seen = seen + line.len() + 2;
                    if seen > MAX_TRAILERS {
                        return Err(Malformed);
                    }
                    *self = if line.is_empty() { Self::End } else { Self::Trailers(seen) };
                }
                Self::End => return Ok(Decoded::End),
            }
        }
    }
}

/// Takes one line that ends in CR LF, without its end.
fn take_line(input: &mut BytesMut, most: usize) -> Result<Option<BytesMut>, Malformed> {
    let Some(end) = memchr::memchr(b'\n', input) else {
        return if input.len() > most { Err(Malformed) } else { Ok(None) };
    };
    if end > most {
        return Err(Malformed);
    }
    let mut line = input.split_to(end + 1);
    if !line.ends_with(b"\r\n") {
        return Err(Malformed);
    }
    line.truncate(end - 1);
    Ok(Some(line))
}

fn chunk_size(line: &[u8]) -> Result<u64, Malformed> {
    let mut digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    while let [rest @ .., b' ' | b'\t'] = digits {
        digits = rest; // RFC 9112 §7.1.1: "bad" white space, and no other
    }
    if digits.is_empty() || digits.len() > 15 || line.contains(&b'\r') {
        return Err(Malformed);
    }
    digits.iter().try_fold(0, |size: u64, &digit| {
        let value = char::from(digit).to_digit(16).ok_or(Malformed)?;
        Ok(size << 4 | u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode_all(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool, usize), Malformed> {
        let (mut state, mut input, mut body) = (Chunked::Size, BytesMut::new(), Vec::new());
        for piece in pieces {
            input.extend_from_slice(piece);
            loop {
                match state.decode(&mut input)? {
                    Decoded::Data(data) => body.extend_from_slice(&data),
                    Decoded::Incomplete => break,
                    Decoded::End => return Ok((body, true, input.len())),
                }
            }
        }
        Ok((body, false, input.len()))
    }

    #[test]
    fn a_body_is_joined_from_its_chunks_and_trailers_are_dropped() {
        let body = b"5;x=1\r\nhello\r\n6 \r\n world\r\n0\r\nX-Auth-User: admin\r\n\r\nHTTP/1.1";

        let decoded = decode_all(&[body]);

        assert_eq!(decoded, Ok((b"hello world".to_vec(), true, 8)));
    }

    #[test]
    fn a_body_that_breaks_its_framing_is_refused() {
        for body in [
            "5\nhello\r\n",
            "5\r\nhello!\r\n",
            "g\r\n",
            "\r\n",
            "-1\r\n",
            "ffffffffffffffff\r\n",
            "5\r\r\nhello\r\n",
            "5;x\ry\r\nhello\r\n",
            "5\x0c\r\nhello\r\n",
        ] {
            assert_eq!(decode_all(&[body.as_bytes()]), Err(Malformed), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn chunks_do_not_depend_on_how_the_bytes_were_cut(cut in 0usize..40) {
            let body = b"5\r\nhello\r\na\r\n0123456789\r\n0\r\n\r\n";
            let cut = cut.min(body.len());
            let (left, right) = body.split_at(cut);
            prop_assert_eq!(decode_all(&[left, right]), decode_all(&[body]));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode_all(&[&bytes]);
        }
    }
}
