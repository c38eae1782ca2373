//! `[server]`: the process as a whole.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;

/// What concerns the process as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Worker threads; `workers = 0` has become the number of cores.
    pub workers: NonZeroUsize,
    /// How long requests may run on after SIGTERM.
    pub grace: Duration,
    /// Peers whose `X-Forwarded-*` and `Forwarded` are extended instead of overwritten.
    pub trusted_proxies: Vec<IpNet>,
    /// The realm in challenges; holds nothing that needs escaping in a quoted string.
    pub realm: String,
    /// Whether what is under way ends with its user.
    pub cut_revoked: bool,
}

const MOST_GRACE: Duration = Duration::from_hours(1);

impl Server {
    pub(super) fn validate(raw: file::Server, findings: &mut Findings<'_>) -> Self {
        let file::Server { workers, grace, trusted_proxies, realm, cut_revoked } = raw;
        let key = Key::of("server");
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            workers: findings.threads(&key.child("workers"), workers, cores),
            grace: findings.duration(
                &key.child("grace"),
                grace.as_deref(),
                Duration::from_secs(30),
                Duration::ZERO..=MOST_GRACE,
            ),
            trusted_proxies: networks(
                &key.child("trusted_proxies"),
                &trusted_proxies.unwrap_or_default(),
                findings,
            ),
            realm: self::realm(&key.child("realm"), realm, findings),
            cut_revoked: cut_revoked.unwrap_or(true),
        }
    }
}

pub(super) fn networks(key: &Key, raw: &[String], findings: &mut Findings<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for (index, text) in raw.iter().enumerate() {
        let key = key.item(index);
        let parsed = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        match parsed {
            Ok(network) => {
                if network.prefix_len() == 0 {
                    findings.warn(&key, "trusts what every client says about its address");
                }
                networks.push(network.trunc());
            }
            Err(_) => findings.error(
                &key,
                format!("`{text}` is no network: write one such as \"10.0.0.0/8\" or \"fd00::/8\""),
            ),
        }
    }
    networks
}

/// A realm is sent in a quoted string (RFC 9110 §11.5), unescaped.
fn realm(key: &Key, raw: Option<String>, findings: &mut Findings<'_>) -> String {
    let Some(realm) = raw else { return "doorward".to_owned() };
    let is_plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\';
    if realm.is_empty() || realm.len() > 128 || !realm.bytes().all(is_plain) {
        findings.error(key, "must be 1 to 128 ASCII characters without `\"` and `\\`");
    }
    realm
}
