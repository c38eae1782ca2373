//! One connection, plain or by TLS 1.3, and requests on it one after the other.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};

/// The longest silence of the other side.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections that a client may resume.
const SESSIONS: usize = 1024;

/// Whom to connect to, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    resumes: bool,
}

impl Target {
    /// `certificate`: what vouches for the server, in PEM; `-`: plain HTTP.
    pub(crate) fn new(address: &str, certificate: &str, resumes: bool) -> Self {
        let tls = (certificate != "-").then(|| Arc::new(settings(certificate)));
        Self { address: address.parse().unwrap(), tls, resumes }.apart()
    }

    /// The same, with sessions of its own to resume.
    pub(crate) fn apart(&self) -> Self {
        let tls = self.tls.as_ref().map(|tls| {
            let mut tls = ClientConfig::clone(tls);
            tls.resumption = if self.resumes {
                Resumption::in_memory_sessions(SESSIONS)
            } else {
                Resumption::disabled()
            };
            Arc::new(tls)
        });
        Self { tls, ..*self }
    }

    pub(crate) fn connect(&self) -> io::Result<Client> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = match &self.tls {
            None => Stream::Plain(stream),
            Some(tls) => {
                let name = ServerName::try_from("localhost").unwrap();
                let session = ClientConnection::new(Arc::clone(tls), name);
                let session = session.map_err(io::Error::other)?;
                Stream::Tls(Box::new(StreamOwned::new(session, stream)))
            }
        };
        Ok(Client { stream, answer: Vec::new() })
    }
}

fn settings(certificate: &str) -> ClientConfig {
    let mut provider = aws_lc_rs::default_provider();
    // The one group that every server has: so all do the same exchange of keys.
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let mut settings = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    settings
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: Stream,
    answer: Vec<u8>,
}

impl Client {
    /// Sends a request and reads its answer to the end; gives its status.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(request)?,
            Stream::Tls(stream) => stream.write_all(request)?,
        }
        self.answer.clear();
        let mut piece = [0; 16 * 1024];
        loop {
            let length = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut piece)?,
                Stream::Tls(stream) => stream.read(&mut piece)?,
            };
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.answer.extend_from_slice(piece.get(..length).unwrap_or_default());
            if let Some((status, end)) = read(&self.answer)?
                && self.answer.len() >= end
            {
                return Ok(status);
            }
        }
    }

    /// Whether the connection came about without a new exchange of certificates.
    pub(crate) fn was_resumed(&self) -> bool {
        match &self.stream {
            Stream::Plain(_) => false,
            Stream::Tls(stream) => stream.conn.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }
}

/// The status of an answer and where it ends, once its head is there. Only bodies that tell their
/// length are understood.
fn read(answer: &[u8]) -> io::Result<Option<(u16, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut fields);
    let parsed = head.parse(answer).map_err(io::Error::other)?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let is_length =
        |field: &&httparse::Header<'_>| field.name.eq_ignore_ascii_case("content-length");
    let body = head.headers.iter().find(is_length);
    let body = body.and_then(|field| std::str::from_utf8(field.value).ok()?.trim().parse().ok());
    let body: usize = body.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Some((head.code.unwrap_or(0), length + body)))
}

/// A request for this path with these further fields (`Name: value`).
pub(crate) fn get(path: &str, fields: &[&str]) -> Vec<u8> {
    let first = [format!("GET {path} HTTP/1.1"), "Host: localhost".to_owned()];
    let fields = fields.iter().map(|&field| field.to_owned());
    let lines: Vec<_> = first.into_iter().chain(fields).collect();
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}

/// The value below which this share of a sorted list lies.
pub(crate) fn quantile(sorted: &[u64], share: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    #[expect(clippy::cast_precision_loss, reason = "lists are not that long")]
    let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or(0)
}
