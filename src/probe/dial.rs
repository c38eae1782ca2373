//! Connections to what is probed: TCP, or TLS with the protocol asked for.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::tls::provider;

/// Both directions of a connection.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// A connection.
pub type Stream = Box<dyn Duplex>;

/// Whose certificates are believed.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Everybody's: nothing is proved about who answers.
    Anyone,
    /// Those that these authorities have signed.
    Authorities(RootCertStore),
    /// These, byte by byte.
    These(Vec<CertificateDer<'static>>),
}

/// What is probed.
#[derive(Clone)]
pub struct Target {
    host: String,
    port: u16,
    patience: Duration,
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls {
    name: ServerName<'static>,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Which version of HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Why something cannot be probed by TLS.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// No name that TLS could ask for.
    #[error("`{0}` is no host name")]
    Name(String),
    /// The TLS library.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

impl Target {
    /// Plain HTTP at a host and port. `patience` bounds each wait.
    #[must_use]
    pub fn plain(host: &str, port: u16, patience: Duration) -> Self {
        Self { host: host.to_owned(), port, patience, tls: None }
    }

    /// The same by TLS, asking for the certificate of `name`.
    ///
    /// # Errors
    ///
    /// [`TrustError`].
    pub fn with_tls(self, name: &str, trust: &Trust) -> Result<Self, TrustError> {
        let bare = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| TrustError::Name(name.to_owned()))?;
        let configure = |protocol: &[u8]| -> Result<_, TrustError> {
            let builder = ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()?;
            let builder = match trust {
                Trust::Authorities(roots) => builder.with_root_certificates(roots.clone()),
                Trust::Anyone => {
                    builder.dangerous().with_custom_certificate_verifier(Pinned::new(None))
                }
                Trust::These(certificates) => {
                    let pinned = Pinned::new(Some(certificates.clone()));
                    builder.dangerous().with_custom_certificate_verifier(pinned)
                }
            };
            let mut config = builder.with_no_client_auth();
            config.alpn_protocols = vec![protocol.to_vec()];
            Ok(Arc::new(config))
        };
        let tls = Tls { name, http1: configure(b"http/1.1")?, http2: configure(b"h2")? };
        Ok(Self { tls: Some(tls), ..self })
    }

    /// How long each wait may take.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether it is reached by TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Host and port, for people and shells.
    #[must_use]
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// Nobody answers there, the handshake fails, or it takes too long.
    pub async fn connect(&self, protocol: Protocol) -> io::Result<Stream> {
        let silent = |_| io::Error::from(io::ErrorKind::TimedOut);
        timeout(self.patience, self.connect_now(protocol)).await.map_err(silent)?
    }

    async fn connect_now(&self, protocol: Protocol) -> io::Result<Stream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let config = match protocol {
            Protocol::Http1 => &tls.http1,
            Protocol::Http2 => &tls.http2,
        };
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(tls.name.clone(), stream).await?;
        if protocol == Protocol::Http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Box::new(stream))
    }
}

/// Believes known certificates, or all.
#[derive(Debug)]
struct Pinned {
    known: Option<Vec<CertificateDer<'static>>>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn new(known: Option<Vec<CertificateDer<'static>>>) -> Arc<Self> {
        Arc::new(Self { known, provider: provider() })
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let is_known = |known: &Vec<CertificateDer<'_>>| known.contains(end_entity);
        if self.known.as_ref().is_none_or(is_known) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
