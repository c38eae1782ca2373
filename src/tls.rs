//! The TLS side of a listener: certificates chosen by the name that a client asks for.
//!
//! Made whole at load: a chain that cannot be read, a key that does not fit, or a certificate
//! without a name fails the load, and what served before goes on serving.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// A chain and its key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate is not one.
    #[error("{}: not an X.509 certificate", .0.display())]
    Certificate(PathBuf),
    /// The chain holds no certificate.
    #[error("{}: holds no certificate; expected PEM with the server's certificate first", .0.display())]
    EmptyChain(PathBuf),
    /// The key is of a kind that is not supported.
    #[error("{}: this key cannot sign handshakes", path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The key is not the certificate's.
    #[error("{}: this key does not belong to the certificate in {}", key.display(), chain.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The chain's file.
        chain: PathBuf,
    },
    /// The TLS library refuses the settings.
    #[error("the TLS settings do not fit together")]
    Settings(#[from] rustls::Error),
    /// A file that cannot be read as PEM.
    #[error("{}: cannot be read as PEM", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
}

/// Where a certificate and its key are.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The chain in PEM, the server's certificate first.
    pub chain: &'a Path,
    /// The private key in PEM.
    pub key: &'a Path,
}

/// What a listener offers.
#[derive(Clone, Debug)]
pub struct Offer<'a> {
    /// At least one; the first answers clients that ask for no name or an unknown one.
    pub certificates: Vec<Files<'a>>,
    /// Whether TLS 1.2 is spoken beside 1.3.
    pub allows_tls12: bool,
    /// ALPN protocols, the preferred first.
    pub protocols: Vec<&'static str>,
}

/// A listener's TLS, ready to serve.
#[derive(Clone, Debug)]
pub struct Tls {
    /// For the handshake.
    pub config: Arc<ServerConfig>,
    names: Arc<Names>,
    /// Subject and end of validity (Unix seconds) of each certificate.
    pub certificates: Vec<CertificateFacts>,
}

/// What is told of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Its first name, or its file where it has none.
    pub name: String,
    /// When it ends, in Unix seconds.
    pub expires: u64,
}

impl CertificateFacts {
    /// What is to be said of its age at `now`, in Unix seconds.
    #[must_use]
    pub fn warning(&self, now: u64) -> Option<String> {
        const DAY: u64 = 86_400;
        const SOON: u64 = 14;
        let name = &self.name;
        if self.expires <= now {
            return Some(format!("certificate `{name}`: has expired, clients refuse it: renew it"));
        }
        let days = (self.expires - now) / DAY;
        (days < SOON).then(|| format!("certificate `{name}`: expires in {days} days: renew it"))
    }
}

/// Which certificate answers for which name (RFC 9525 §6.3: a wildcard stands for one label).
#[derive(Debug, Default)]
struct Names {
    exact: HashMap<Box<str>, usize>,
    wildcard: HashMap<Box<str>, usize>,
}

impl Names {
    fn add(&mut self, name: &str, index: usize) {
        let name = name.to_ascii_lowercase();
        let (map, name) = match name.strip_prefix("*.") {
            Some(parent) => (&mut self.wildcard, parent),
            None => (&mut self.exact, name.as_str()),
        };
        map.entry(name.into()).or_insert(index);
    }

    fn find(&self, name: &str) -> usize {
        let mut lower = String::new();
        let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            lower.push_str(name);
            lower.make_ascii_lowercase();
            lower.as_str()
        } else {
            name
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let exact = self.exact.get(name);
        let wildcard = || self.wildcard.get(name.split_once('.')?.1);
        exact.or_else(wildcard).copied().unwrap_or(0)
    }
}

/// The cipher suites that come before all others.
const PREFERRED: [CipherSuite; 6] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// The provider of all cryptography. Its cipher suites, which all authenticate what they encrypt
/// and outlive the loss of a key, stand in the order in which a listener prefers them.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        let rank = PREFERRED.iter().position(|preferred| *preferred == suite.suite());
        rank.unwrap_or(PREFERRED.len())
    });
    Arc::new(provider)
}

/// Keys for session tickets, to be kept over reloads so that sessions resume.
///
/// # Errors
///
/// There is no randomness.
pub fn ticketer() -> Result<Arc<dyn ProducesTickets>, TlsError> {
    Ok(rustls::crypto::aws_lc_rs::Ticketer::new()?)
}

impl Tls {
    /// Reads everything and makes the listener's settings.
    ///
    /// # Errors
    ///
    /// [`TlsError`] names the file.
    pub fn load(
        offer: &Offer<'_>,
        provider: &Arc<CryptoProvider>,
        ticketer: Arc<dyn ProducesTickets>,
    ) -> Result<Self, TlsError> {
        let mut names = Names::default();
        let mut keys = Vec::with_capacity(offer.certificates.len());
        let mut certificates = Vec::with_capacity(offer.certificates.len());
        for (index, files) in offer.certificates.iter().enumerate() {
            let (key, facts, found) = load_pair(*files, provider)?;
            for name in &found {
                names.add(name, index);
            }
            keys.push(Arc::new(key));
            certificates.push(facts);
        }
        let names = Arc::new(names);
        let versions: &[_] = if offer.allows_tls12 {
            &[&rustls::version::TLS13, &rustls::version::TLS12]
        } else {
            &[&rustls::version::TLS13]
        };
        let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Resolver { names: Arc::clone(&names), keys }));
        config.alpn_protocols =
            offer.protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config.ignore_client_order = true;
        config.ticketer = ticketer;
        config.send_tls13_tickets = 1;
        config.max_early_data_size = 0; // RFC 8470: a replayed request is no request
        Ok(Self { config: Arc::new(config), names, certificates })
    }

    /// Whether a connection opened for one name may carry requests for another: only if the
    /// same certificate answers for both. Else the answer is 421 (RFC 9110 §15.5.20).
    #[must_use]
    pub fn may_serve(&self, asked: &str, host: &str) -> bool {
        asked.eq_ignore_ascii_case(host) || self.names.find(asked) == self.names.find(host)
    }
}

#[derive(Debug)]
struct Resolver {
    names: Arc<Names>,
    keys: Vec<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let index = hello.server_name().map_or(0, |name| self.names.find(name));
        self.keys.get(index).cloned()
    }
}

fn load_pair(
    files: Files<'_>,
    provider: &CryptoProvider,
) -> Result<(CertifiedKey, CertificateFacts, Vec<String>), TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Unreadable { path, source }
    };
    let chain = CertificateDer::pem_file_iter(files.chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(files.chain))?;
    let first = chain.first().ok_or_else(|| TlsError::EmptyChain(files.chain.to_owned()))?;
    let (facts, names) = read_certificate(first, files.chain)?;
    let key = PrivateKeyDer::from_pem_file(files.key).map_err(unreadable(files.key))?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|source| TlsError::Key { path: files.key.to_owned(), source })?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(_) => {
            let (key, chain) = (files.key.to_owned(), files.chain.to_owned());
            return Err(TlsError::Mismatch { key, chain });
        }
    }
    Ok((pair, facts, names))
}

fn read_certificate(
    der: &CertificateDer<'_>,
    path: &Path,
) -> Result<(CertificateFacts, Vec<String>), TlsError> {
    let malformed = || TlsError::Certificate(path.to_owned());
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| malformed())?;
    let expires = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
    let names = certificate.subject_alternative_name().map_err(|_| malformed())?;
    let names: Vec<_> = names
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| {
            if let GeneralName::DNSName(name) = name { Some((*name).to_owned()) } else { None }
        })
        .collect();
    let name = names.first().cloned().unwrap_or_else(|| path.display().to_string());
    Ok((CertificateFacts { name, expires }, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_ends_soon_or_has_ended_is_warned_of() {
        let facts = CertificateFacts { name: "a.test".to_owned(), expires: 100 * 86_400 };
        assert_eq!(facts.warning(80 * 86_400), None);
        assert!(facts.warning(97 * 86_400).unwrap().contains("`a.test`: expires in 3 days"));
        assert!(facts.warning(100 * 86_400).unwrap().contains("has expired"));
    }

    fn files(folder: &Path, stem: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let (chain, key) = (folder.join(format!("{stem}.crt")), folder.join(format!("{stem}.key")));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (chain, key)
    }

    fn load(pairs: &[&(PathBuf, PathBuf)]) -> Result<Tls, TlsError> {
        let certificates =
            pairs.iter().map(|(chain, key)| Files { chain, key }).collect::<Vec<_>>();
        let offer = Offer { certificates, allows_tls12: true, protocols: vec!["h2", "http/1.1"] };
        Tls::load(&offer, &provider(), ticketer().unwrap())
    }

    #[test]
    fn every_cipher_suite_authenticates_and_keeps_the_past_secret() {
        let provider = provider();
        let suites: Vec<_> =
            provider.cipher_suites.iter().map(|suite| format!("{:?}", suite.suite())).collect();

        for suite in &suites {
            let keeps = suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_");
            let is_aead = suite.contains("_GCM_") || suite.contains("_POLY1305_");
            assert!(keeps && is_aead, "{suite}");
        }
        assert!(suites.first().is_some_and(|suite| suite.contains("AES_128_GCM")), "{suites:?}");
        assert!(suites.last().is_some_and(|suite| suite.contains("CHACHA20")), "{suites:?}");
    }

    #[test]
    fn a_name_is_answered_by_the_certificate_that_bears_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = files(folder.path(), "first", &["a.test"]);
        let second = files(folder.path(), "second", &["b.test", "*.b.test"]);

        let tls = load(&[&first, &second]).unwrap();

        for (name, index) in [
            ("a.test", 0),
            ("A.Test", 0),
            ("b.test", 1),
            ("x.b.test.", 1),
            ("x.y.b.test", 0),
            ("other", 0),
        ] {
            assert_eq!(tls.names.find(name), index, "{name}");
        }
        assert!(tls.may_serve("b.test", "x.b.test"));
        assert!(!tls.may_serve("a.test", "b.test"));
        assert!(tls.certificates.iter().all(|facts| facts.expires > 1_800_000_000));
    }

    #[test]
    fn what_cannot_serve_is_refused_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = files(folder.path(), "one", &["a.test"]);
        let (_, other) = files(folder.path(), "two", &["a.test"]);
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "").unwrap();
        let missing = folder.path().join("missing.pem");

        for (chain, key, part) in [
            (&chain, &other, "does not belong"),
            (&empty, &key, "holds no certificate"),
            (&missing, &key, "missing.pem"),
            (&chain, &missing, "missing.pem"),
            (&key, &key, "holds no certificate"),
        ] {
            let error = load(&[&(chain.clone(), key.clone())]).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
