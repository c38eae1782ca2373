//! An HTTP/1.1 client that sends exactly what it is told and reads answers strictly.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use super::PATIENCE;
use super::message::{Buffered, Framing, header_lines, read_body, values};

/// Any stream that a client may speak over.
pub(crate) trait Stream: Read + Write + Send {
    /// Says that nothing more will be sent.
    fn finish(&mut self);
}

impl Stream for TcpStream {
    fn finish(&mut self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Stream for UnixStream {
    fn finish(&mut self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Stream for StreamOwned<ClientConnection, TcpStream> {
    fn finish(&mut self) {
        self.conn.send_close_notify();
        let _ = self.flush();
        let _ = self.sock.shutdown(Shutdown::Write);
    }
}

/// A response, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// The single value of a header. Panics if there are several.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        assert!(values.len() < 2, "{name} came several times: {values:?}");
        values.first().copied()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        values(&self.headers, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {:?}", self.text()))
    }

    /// The problem details (RFC 9457) of a refusal by the gateway itself.
    #[track_caller]
    pub(crate) fn problem(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        self.json()
    }
}

/// One connection to the gateway.
pub(crate) struct Client {
    stream: Buffered<Box<dyn Stream>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        Self::over(Box::new(tcp(address)))
    }

    pub(crate) fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream: Buffered::new(stream) }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.try_send(bytes).unwrap();
        self
    }

    /// Sends to a peer that may have closed already.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.stream.write_all(bytes.as_ref())?;
        self.stream.stream.flush()
    }

    /// Reads the next response, for a request that was not HEAD.
    #[track_caller]
    pub(crate) fn response(&mut self) -> Response {
        self.response_to("GET").unwrap_or_else(|error| panic!("no response: {error}"))
    }

    /// Reads the next head that is not informational, then its body.
    pub(crate) fn response_to(&mut self, method: &str) -> io::Result<Response> {
        loop {
            let (status, headers) = self.response_head()?;
            if status == 101 || status >= 200 {
                let body = self.body(method, status, &headers)?;
                return Ok(Response { status, headers, body });
            }
        }
    }

    /// Reads one head, informational or not, and leaves the body.
    pub(crate) fn response_head(&mut self) -> io::Result<(u16, Vec<(String, String)>)> {
        let head = self.stream.take_until(b"\r\n\r\n")?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let text = String::from_utf8_lossy(&head).into_owned();
        let line = text.split("\r\n").next().unwrap_or("");
        let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
        let status = status.and_then(|digits| digits.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("status line {line:?}")))?;
        Ok((status, header_lines(&head)))
    }

    fn body(
        &mut self,
        method: &str,
        status: u16,
        headers: &[(String, String)],
    ) -> io::Result<Vec<u8>> {
        let (mut body, mut violations) = (Vec::new(), Vec::new());
        if method == "HEAD" || status == 101 || status == 204 || status == 304 {
            return Ok(body);
        }
        let framing = Framing::of(headers);
        read_body(
            &mut self.stream,
            framing,
            |piece| body.extend_from_slice(piece),
            &mut violations,
        )?;
        assert!(violations.is_empty(), "{violations:?}");
        if framing == Framing::None {
            self.stream.stream.read_to_end(&mut body)?;
        }
        Ok(body)
    }

    /// Reads exactly `count` bytes of what comes next.
    pub(crate) fn read(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let some = self.stream.take_some(count - bytes.len())?;
            if some.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(&some);
        }
        Ok(bytes)
    }

    /// Reads until the gateway closes, and gives what came.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.stream.ahead);
        if let Err(error) = self.stream.stream.read_to_end(&mut rest) {
            assert!(!is_timeout(&error), "the gateway keeps the connection open");
        }
        rest
    }

    /// Panics unless the gateway closes without another byte.
    #[track_caller]
    pub(crate) fn assert_closed(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "more came: {:?}", String::from_utf8_lossy(&rest));
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        self.stream.stream.finish();
    }

    /// The stream below, with nothing read ahead.
    #[track_caller]
    pub(crate) fn into_stream(self) -> Box<dyn Stream> {
        assert!(self.stream.ahead.is_empty(), "bytes were read ahead");
        self.stream.stream
    }
}

/// The peer was silent for as long as a test waits.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// A TCP connection with a bound on every wait.
pub(crate) fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// What a TLS client offers.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) server_name: String,
    pub(crate) protocols: Vec<&'static str>,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

impl Tls {
    /// TLS 1.2 and 1.3 with these ALPN protocols.
    pub(crate) fn new(server_name: &str, protocols: &[&'static str]) -> Self {
        let versions = rustls::ALL_VERSIONS.to_vec();
        Self { server_name: server_name.to_owned(), protocols: protocols.to_vec(), versions }
    }

    pub(crate) fn only(self, version: &'static SupportedProtocolVersion) -> Self {
        Self { versions: vec![version], ..self }
    }

    pub(crate) fn config(&self, trusted: &CertificateDer<'static>) -> Arc<ClientConfig> {
        self.config_with(rustls::crypto::aws_lc_rs::default_provider(), trusted)
    }

    fn config_with(
        &self,
        provider: CryptoProvider,
        trusted: &CertificateDer<'static>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = self.protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// Shakes hands over a new connection.
    pub(crate) fn connect(
        &self,
        address: SocketAddr,
        trusted: &CertificateDer<'static>,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        self.shake_hands(self.config(trusted), address)
    }

    /// As [`Self::connect`], with cryptography of the test's choice.
    pub(crate) fn connect_with(
        &self,
        provider: CryptoProvider,
        address: SocketAddr,
        trusted: &CertificateDer<'static>,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        self.shake_hands(self.config_with(provider, trusted), address)
    }

    /// As [`Self::connect`], with settings of the test's own.
    pub(crate) fn shake_hands(
        &self,
        config: Arc<ClientConfig>,
        address: SocketAddr,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = ServerName::try_from(self.server_name.clone()).unwrap();
        let connection = ClientConnection::new(config, name).unwrap();
        let mut stream = StreamOwned::new(connection, tcp(address));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }
}
