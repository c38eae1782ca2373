//! A strict little reader of HTTP/1.1 messages, shared by the upstream and the client.

use std::io::{self, Read};

/// Bytes read ahead of what was asked for, over any stream.
#[derive(Debug)]
pub(crate) struct Buffered<S> {
    pub(crate) stream: S,
    pub(crate) ahead: Vec<u8>,
}

impl<S: Read> Buffered<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    /// Reads once more. `Ok(false)`: the peer has closed.
    pub(crate) fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        let count = self.stream.read(&mut chunk)?;
        self.ahead.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    /// Takes everything up to and with `end`. `None`: closed before a byte came.
    pub(crate) fn take_until(&mut self, end: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let found = self.ahead[searched..].windows(end.len()).position(|part| part == end);
            if let Some(at) = found {
                let rest = self.ahead.split_off(searched + at + end.len());
                return Ok(Some(std::mem::replace(&mut self.ahead, rest)));
            }
            searched = self.ahead.len().saturating_sub(end.len() - 1);
            if !self.fill()? {
                if self.ahead.is_empty() {
                    return Ok(None);
                }
                let cut = String::from_utf8_lossy(&self.ahead).into_owned();
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("cut: {cut:?}")));
            }
        }
    }

    /// Takes at most `limit` bytes, at least one. Empty: closed.
    pub(crate) fn take_some(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        if self.ahead.is_empty() && !self.fill()? {
            return Ok(Vec::new());
        }
        let rest = self.ahead.split_off(limit.min(self.ahead.len()));
        Ok(std::mem::replace(&mut self.ahead, rest))
    }
}

/// Header lines after the first line of a head, split at the first colon, spelled as sent.
pub(crate) fn header_lines(head: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let lines = text.split("\r\n").skip(1).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_owned(), value.trim_matches([' ', '\t']).to_owned())
        })
        .collect()
}

/// All values of a header, by case-insensitive name.
pub(crate) fn values<'h>(headers: &'h [(String, String)], name: &str) -> Vec<&'h str> {
    let same = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    same.map(|(_, value)| value.as_str()).collect()
}

/// How a body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Chunked,
    Length(usize),
    None,
}

impl Framing {
    pub(crate) fn of(headers: &[(String, String)]) -> Self {
        if !values(headers, "transfer-encoding").is_empty() {
            return Self::Chunked;
        }
        match values(headers, "content-length").first().and_then(|value| value.parse().ok()) {
            Some(length) => Self::Length(length),
            None => Self::None,
        }
    }
}

/// Reads a body piece by piece. `violations` takes what is not canonical chunked coding.
pub(crate) fn read_body<S: Read>(
    stream: &mut Buffered<S>,
    framing: Framing,
    mut piece: impl FnMut(&[u8]),
    violations: &mut Vec<String>,
) -> io::Result<()> {
    match framing {
        Framing::None => Ok(()),
        Framing::Length(length) => read_exactly(stream, length, &mut piece),
        Framing::Chunked => loop {
            let line = stream.take_until(b"\r\n")?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let digits = String::from_utf8_lossy(&line[..line.len() - 2]).into_owned();
            let size = usize::from_str_radix(digits.split(';').next().unwrap_or(""), 16);
            if !size.as_ref().is_ok_and(|size| digits.eq_ignore_ascii_case(&format!("{size:x}"))) {
                violations.push(format!("chunk size line {digits:?}"));
            }
            let size = size.map_err(|_| io::Error::other("chunk size"))?;
            read_exactly(stream, size, &mut piece)?;
            let end = stream.take_until(b"\r\n")?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if size == 0 {
                if end != b"\r\n" {
                    violations.push(format!("trailer {:?}", String::from_utf8_lossy(&end)));
                    while stream.take_until(b"\r\n")?.is_some_and(|line| line != b"\r\n") {}
                }
                return Ok(());
            }
            if end != b"\r\n" {
                violations.push(format!("chunk of {size} not ended by CRLF"));
            }
        },
    }
}

fn read_exactly<S: Read>(
    stream: &mut Buffered<S>,
    length: usize,
    piece: &mut impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut missing = length;
    while missing > 0 {
        let bytes = stream.take_some(missing)?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        missing -= bytes.len();
        piece(&bytes);
    }
    Ok(())
}
