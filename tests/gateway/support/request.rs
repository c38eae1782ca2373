//! A request in the words of a test, sent over whichever protocol the test is about.

use std::io;

use super::client::{Client, Response};
use super::gateway::TestGateway;
use super::h2::H2;
use super::tokens::{Token, basic};

/// A request that is not yet sent.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'g> {
    gateway: &'g TestGateway,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl<'g> Ask<'g> {
    pub(crate) fn new(gateway: &'g TestGateway, method: &str, target: &str) -> Self {
        Self {
            gateway,
            method: method.to_owned(),
            target: target.to_owned(),
            host: "files.test".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With a good token of `subject`.
    pub(crate) fn bearer(self, subject: &str) -> Self {
        self.token(&Token::of(subject).signed())
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, user: &str, password: &str) -> Self {
        self.header("Authorization", &basic(user, password))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// The request as HTTP/1.1 bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method, self.target, self.host);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let framed =
            self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if !self.body.is_empty() && !framed {
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    /// Over HTTP/1.1 on a connection of its own.
    #[track_caller]
    pub(crate) fn send(&self) -> Response {
        self.send_over(&mut self.gateway.connect())
    }

    /// Over HTTP/1.1 on an open connection.
    #[track_caller]
    pub(crate) fn send_over(&self, client: &mut Client) -> Response {
        let _ = client.try_send(self.bytes());
        let response = client.response_to(&self.method);
        response.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
    }

    /// Over HTTP/2 on a connection of its own.
    #[track_caller]
    pub(crate) fn send_h2(&self) -> Response {
        self.send_over_h2(&mut self.gateway.connect_h2())
    }

    /// Over HTTP/2 on a connection of its own, where the answer may break off.
    pub(crate) fn try_send_h2(&self) -> io::Result<Response> {
        self.gateway.connect_h2().send(self)
    }

    /// Over HTTP/2 on an open connection.
    #[track_caller]
    pub(crate) fn send_over_h2(&self, client: &mut H2) -> Response {
        let response = client.send(self);
        response.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
    }
}
