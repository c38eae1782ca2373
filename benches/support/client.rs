//! A client that keeps one connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The longest time that an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, answer: Vec::new() }
    }

    /// Sends a request and reads its answer to the end; gives its status.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> u16 {
        self.stream.write_all(request).unwrap();
        self.answer.clear();
        let mut piece = [0; 8192];
        loop {
            let length = self.stream.read(&mut piece).unwrap();
            assert_ne!(length, 0, "the connection was closed");
            self.answer.extend_from_slice(piece.get(..length).unwrap_or_default());
            if let Some((status, end)) = read(&self.answer)
                && self.answer.len() >= end
            {
                return status;
            }
        }
    }
}

/// The status of an answer and where it ends, once its head is there.
fn read(answer: &[u8]) -> Option<(u16, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = head.parse(answer).unwrap() else {
        return None;
    };
    let mut fields = head.headers.iter();
    let body = fields.find(|field| field.name.eq_ignore_ascii_case("content-length")).unwrap();
    let body: usize = std::str::from_utf8(body.value).unwrap().parse().unwrap();
    Some((head.code.unwrap(), length + body))
}

/// A request for this path with these further fields.
pub(crate) fn get(path: &str, fields: &str) -> Vec<u8> {
    let fields = format!("Host: files.example.org\r\nUser-Agent: bench/1.0\r\n{fields}");
    format!("GET {path} HTTP/1.1\r\n{fields}\r\n").into_bytes()
}

/// The field with a token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// The field with a user name and a password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")))
}
