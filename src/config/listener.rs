//! `[listeners.NAME]`: where requests come in.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::config::Limits;
use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::shape::suggest;

/// Where requests come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name in the configuration.
    pub name: String,
    /// What it is bound to.
    pub address: ListenAddress,
    /// What is offered by ALPN, in this order; on plain HTTP only `http/1.1` is spoken.
    pub protocols: Vec<Protocol>,
    /// `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// `[limits]`, overridden key by key by `[listeners.NAME.limits]`.
    pub limits: Limits,
}

/// What a listener is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// An address and a port of this machine; port 0 takes a free one.
    Socket(SocketAddr),
    /// A socket passed by systemd: by `FileDescriptorName=`, or by its index if this is a number.
    Systemd(String),
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

/// A version of HTTP that a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `http/1.1`.
    Http1,
    /// `h2`.
    Http2,
}

impl Protocol {
    /// The name in ALPN and in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}

/// The TLS side of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// At least one; chosen by the name that the client asks for, the first is the default.
    pub certificates: Vec<Certificate>,
    /// The oldest version that is spoken.
    pub minimum: TlsVersion,
}

/// A certificate chain and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The chain, the listener's own certificate first.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

impl Listener {
    pub(super) fn validate(
        name: String,
        raw: file::Listener,
        base: Limits,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let file::Listener { address, protocols, tls, limits } = raw;
        let key = Key::of("listeners").child(&name);
        findings.name(&key, &name);
        let tls = tls.map(|tls| Tls::validate(tls, &key.child("tls"), findings));
        let limits =
            Limits::validate(limits.unwrap_or_default(), &key.child("limits"), base, findings);
        let protocols =
            self::protocols(&key.child("protocols"), protocols, tls.is_some(), findings);
        let address_key = key.child("address");
        let address = match ListenAddress::parse(&address) {
            Ok(address) => address,
            Err(reason) => {
                findings.error(&address_key, reason);
                return None;
            }
        };
        if let ListenAddress::Socket(address) = &address
            && tls.is_none()
            && !address.ip().is_loopback()
        {
            findings.warn(
                &address_key,
                format!(
                    "speaks plain HTTP beyond this machine, so that credentials can be read on \
                     the way: add [listeners.{name}.tls], or listen on 127.0.0.1"
                ),
            );
        }
        Some(Self { name, address, protocols, tls, limits })
    }

    /// Finds listeners that want the same address.
    pub(super) fn validate_together(listeners: &[Self], findings: &mut Findings<'_>) {
        for (index, listener) in listeners.iter().enumerate() {
            let is_same = |other: &&Self| match (&other.address, &listener.address) {
                (ListenAddress::Socket(left), ListenAddress::Socket(right)) => {
                    left == right && left.port() != 0
                }
                (left, right) => left == right,
            };
            if let Some(first) = listeners.iter().take(index).find(is_same) {
                let key =
                    |listener: &Self| Key::of("listeners").child(&listener.name).child("address");
                let reason = format!(
                    "`{}` is taken by `{}` at {}: use another port",
                    listener.address,
                    key(first),
                    findings.place(&key(first)),
                );
                findings.error(&key(listener), reason);
            }
        }
    }
}

impl ListenAddress {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("systemd:") {
            let is_plain = |b: u8| b.is_ascii_graphic() && b != b':';
            if name.is_empty() || name.len() > 255 || !name.bytes().all(is_plain) {
                return Err("names no socket: write the FileDescriptorName= of the socket unit, \
                            such as \"systemd:doorward.socket\""
                    .to_owned());
            }
            return Ok(Self::Systemd(name.to_owned()));
        }
        socket(text).map(Self::Socket)
    }
}

/// An address and a port, with a word about what is usually written instead.
pub(super) fn socket(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let instead = match text.rsplit_once(':') {
        Some(("" | "*", port)) if port.parse::<u16>().is_ok() => format!("0.0.0.0:{port}"),
        Some(("localhost", port)) if port.parse::<u16>().is_ok() => format!("127.0.0.1:{port}"),
        _ if text.parse::<u16>().is_ok() => format!("0.0.0.0:{text}"),
        _ => match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => format!("{address}:8443"),
            Ok(IpAddr::V6(address)) => format!("[{address}]:8443"),
            Err(_) => "0.0.0.0:8443".to_owned(),
        },
    };
    Err(format!("`{text}` is no address with a port: write \"{instead}\""))
}

fn protocols(
    key: &Key,
    raw: Option<Vec<String>>,
    has_tls: bool,
    findings: &mut Findings<'_>,
) -> Vec<Protocol> {
    let Some(raw) = raw else {
        return if has_tls {
            vec![Protocol::Http2, Protocol::Http1]
        } else {
            vec![Protocol::Http1]
        };
    };
    let mut protocols = Vec::new();
    for (index, name) in raw.iter().enumerate() {
        let key = key.item(index);
        match [Protocol::Http1, Protocol::Http2].into_iter().find(|known| known.as_str() == name) {
            Some(protocol) if protocols.contains(&protocol) => {
                findings.error(&key, format!("`{name}` is named twice"));
            }
            Some(protocol) => protocols.push(protocol),
            None => {
                let hint = suggest(name, ["h2", "http/1.1"].into_iter());
                findings.error(&key, format!("`{name}` is {hint}"));
            }
        }
    }
    if raw.is_empty() {
        findings.error(key, "is empty: write [\"h2\", \"http/1.1\"]");
    } else if !has_tls && protocols == [Protocol::Http2] {
        findings.error(key, "HTTP/2 needs TLS: add `http/1.1`, or a `tls` table");
    }
    if !has_tls {
        protocols.retain(|protocol| *protocol == Protocol::Http1);
    }
    protocols
}

impl Tls {
    fn validate(raw: file::Tls, key: &Key, findings: &mut Findings<'_>) -> Self {
        let file::Tls { certificates, minimum } = raw;
        let key_of = key.child("certificates");
        if certificates.is_empty() {
            findings
                .error(&key_of, "is empty: write [{ chain = \"cert.pem\", key = \"key.pem\" }]");
        }
        let certificates = certificates.into_iter().enumerate().map(|(index, raw)| {
            let file::Certificate { chain, key } = raw;
            let place = key_of.item(index);
            Certificate {
                chain: findings.file(&place.child("chain"), &chain),
                key: findings.private_file(&place.child("key"), &key),
            }
        });
        let certificates = certificates.collect();
        let minimum = match minimum.as_deref() {
            Some("1.3") => TlsVersion::V1_3,
            Some(_) | None => TlsVersion::V1_2, // the shape admits no other
        };
        Self { certificates, minimum }
    }
}
