//! A well-behaved HTTP/2 client over TLS, driven only while a test waits for it.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;

use super::PATIENCE;
use super::client::{Response, Tls};
use super::request::Ask;

/// One HTTP/2 connection.
pub(crate) struct H2 {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    connection: tokio::task::JoinHandle<hyper::Result<()>>,
}

impl fmt::Debug for H2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("H2").finish_non_exhaustive()
    }
}

impl H2 {
    pub(crate) fn connect(
        address: SocketAddr,
        server_name: &str,
        trusted: &CertificateDer<'static>,
    ) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connector = TlsConnector::from(Tls::new(server_name, &["h2"]).config(trusted));
        let name = ServerName::try_from(server_name.to_owned()).unwrap();
        let (sender, connection) = runtime.block_on(async {
            let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
            let tls = connector.connect(name, tcp).await.unwrap();
            let io = TokioIo::new(tls);
            let (sender, connection) = handshake(TokioExecutor::new(), io).await.unwrap();
            (sender, tokio::spawn(connection))
        });
        Self { runtime, sender, connection }
    }

    /// Sends one request and reads its answer to the end.
    pub(crate) fn send(&mut self, ask: &Ask<'_>) -> io::Result<Response> {
        let uri = format!("https://{}{}", ask.host, ask.target);
        let mut request = http::Request::builder().method(ask.method.as_str()).uri(uri);
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::from(ask.body.clone())).map_err(io::Error::other)?;
        let sender = &mut self.sender;
        let exchange = async {
            sender.ready().await.map_err(io::Error::other)?;
            let response = sender.send_request(request).await.map_err(io::Error::other)?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
            let text =
                |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = head.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect();
            Ok(Response { status: head.status.as_u16(), headers, body })
        };
        self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, exchange).await.map_err(io::Error::other)?
        })
    }

    /// Waits until the gateway has ended the connection in good order.
    #[track_caller]
    pub(crate) fn wait_for_end(&mut self) {
        self.wait_for_any_end().unwrap();
    }

    /// Waits until the gateway has ended the connection, in whatever way.
    #[track_caller]
    pub(crate) fn wait_for_any_end(&mut self) -> hyper::Result<()> {
        let connection = &mut self.connection;
        let ended =
            self.runtime.block_on(async { tokio::time::timeout(PATIENCE, connection).await });
        ended.expect("the gateway keeps the connection open").unwrap()
    }
}
