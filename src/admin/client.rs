//! The command line's side of the admin listener: one request, one bounded answer, blocking.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    sync::Arc,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use super::address::{Address, connect_unix};
use crate::secret::Secret;

/// More than any answer of ours.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
const HEADER_COUNT: usize = 64;

/// Asks the admin listener at an address.
#[derive(Clone, Debug)]
pub struct Client {
    address: Address,
    patience: Duration,
    token: Option<Arc<Secret>>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens, or it stopped answering.
    #[error("cannot talk to {address}")]
    Io {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// What listens there is no admin listener.
    #[error("{0} does not answer as an admin listener does")]
    NotOurs(Address),
    /// The answer is not complete within the time.
    #[error("no answer from {address} within {}", humantime::format_duration(*patience))]
    TimedOut {
        /// Where.
        address: Address,
        /// How long was waited.
        patience: Duration,
    },
}

impl Client {
    /// A client that waits at most `patience` for a whole answer.
    #[must_use]
    pub fn new(address: Address, patience: Duration) -> Self {
        Self { address, patience, token: None }
    }

    /// Shows this token, over TCP.
    #[must_use]
    pub fn with_token(self, token: Option<Secret>) -> Self {
        Self { token: token.map(Arc::new), ..self }
    }

    /// Where it asks.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a GET.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; an answer with any status is none.
    pub fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.send("GET", path, &[])
    }

    /// Sends a POST without a body.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; an answer with any status is none.
    pub fn post(&self, path: &str) -> Result<Answer, ClientError> {
        self.send("POST", path, &[])
    }

    /// Sends JSON, or nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; an answer with any status is none.
    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer, ClientError> {
        let deadline = Instant::now() + self.patience;
        let host = match &self.address {
            Address::Tcp(address) => address.to_string(),
            Address::Unix(_) => "localhost".to_owned(),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        let mut request = Zeroizing::new(head.into_bytes());
        if let (Some(token), Address::Tcp(_)) = (&self.token, &self.address) {
            request.extend_from_slice(b"Authorization: Bearer ");
            request.extend_from_slice(token.expose());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body);
        let answer = self.exchange(&request, deadline).map_err(|source| {
            let address = self.address.clone();
            if matches!(source.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
                ClientError::TimedOut { address, patience: self.patience }
            } else {
                ClientError::Io { address, source }
            }
        })?;
        parse(&answer).ok_or_else(|| ClientError::NotOurs(self.address.clone()))
    }

    fn exchange(&self, request: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
        let mut stream = Stream::connect(&self.address, remaining(deadline)?)?;
        stream.set_timeout(remaining(deadline)?)?;
        stream.write(request)?;
        let mut answer = Vec::new();
        let mut chunk = [0; 8192];
        while answer.len() <= ANSWER_LIMIT && !is_complete(&answer) {
            stream.set_timeout(remaining(deadline)?)?;
            match stream.read(&mut chunk)? {
                0 => break,
                count => answer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            }
        }
        Ok(answer)
    }
}

fn remaining(deadline: Instant) -> io::Result<Duration> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(remaining) }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn connect(address: &Address, patience: Duration) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => TcpStream::connect_timeout(address, patience).map(Self::Tcp),
            Address::Unix(path) => connect_unix(path).map(Self::Unix),
        }
    }

    fn set_timeout(&self, patience: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))
            }
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |buffer: &mut [u8]| match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        };
        retry(read, buffer)
    }
}

fn retry(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    buffer: &mut [u8],
) -> io::Result<usize> {
    loop {
        match read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Whether the announced body is there, so that nothing waits for the end of the connection.
fn is_complete(answer: &[u8]) -> bool {
    parse(answer).is_some()
}

/// The answer, when its body is as long as announced. The admin listener always announces it.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_COUNT];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = response.parse(bytes).ok()? else { return None };
    let status = response.code?;
    let announced =
        |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case("content-length");
    if status == 204 {
        return Some(Answer { status, body: Vec::new() });
    }
    let length = response.headers.iter().find(announced)?;
    let length: usize = std::str::from_utf8(length.value).ok()?.trim().parse().ok()?;
    let body = bytes.get(start..start.checked_add(length)?)?;
    Some(Answer { status, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// A listener that answers the first connection with `answer`, piece by piece.
    fn fake(answer: &'static [u8], patience: Duration) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for piece in answer.chunks(7) {
                stream.write_all(piece).unwrap();
            }
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.read(&mut [0; 4096]); // until the client goes
        });
        Client::new(Address::Tcp(address), patience)
    }

    #[test]
    fn an_answer_is_read_as_far_as_it_is_announced() {
        let client = fake(
            b"HTTP/1.1 409 Conflict\r\nContent-Length: 4\r\n\r\nnope",
            Duration::from_secs(30),
        );

        let answer = client.post("/reload").unwrap();

        assert_eq!(answer, Answer { status: 409, body: b"nope".to_vec() });
    }

    #[test]
    fn silence_ends_with_the_patience() {
        let client =
            fake(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", Duration::from_millis(200));

        assert!(matches!(client.get("/status"), Err(ClientError::TimedOut { .. })));
    }

    #[test]
    fn nobody_there_is_an_error_with_the_place() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        drop(listener);

        let error = Client::new(address.clone(), Duration::from_secs(1)).get("/").unwrap_err();

        assert!(error.to_string().contains(&address.to_string()));
    }

    #[test]
    fn other_protocols_are_not_taken_for_ours() {
        for bytes in [
            &b"SSH-2.0-x\r\n"[..],
            b"",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
        ] {
            assert_eq!(parse(bytes), None);
        }
    }
}
