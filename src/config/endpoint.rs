//! `[endpoints.NAME]`: the gateway's own endpoints.

use std::time::Duration;

use ipnet::IpNet;

use super::file;
use super::findings::Findings;
use super::issuer::Issuer;
use super::key::Key;
use super::named::Named;
use super::route::{Surroundings, refer};
use super::server::networks;
use crate::resource::{Dialect as Spelling, HostPattern, PathPrefix};
use crate::route::endpoint::{Dialect, Mount};

/// One set of endpoints in one place.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the file")]
pub struct Endpoint {
    /// Its name in the configuration.
    pub name: String,
    /// How it speaks.
    pub dialect: Dialect,
    /// The hosts it answers for; empty: any.
    pub hosts: Vec<HostPattern>,
    /// Indices into [`Config::listeners`](crate::config::Config::listeners); never empty.
    pub listeners: Vec<usize>,
    /// In front of the dialect's own paths.
    pub path: PathPrefix,
    /// Index into [`Config::issuers`](crate::config::Config::issuers); `None`: it issues nothing.
    pub issuer: Option<usize>,
    /// How long tokens live.
    pub lifetime: Duration,
    /// The longest that a client may ask for.
    pub max_lifetime: Duration,
    /// How long a login can be refreshed.
    pub refresh_lifetime: Duration,
    /// For how many lifetimes a token may be renewed by itself.
    pub refresh_window: u32,
    /// The `aud` of its tokens; empty: the issuer's.
    pub audience: Vec<String>,
    /// Claim and attribute.
    pub extra_claims: Vec<(String, String)>,
    /// Tokens carry no `iss`.
    pub omits_issuer: bool,
    /// Tokens carry no `aud`.
    pub omits_audience: bool,
    /// Tokens carry no `sub`.
    pub omits_subject: bool,
    /// Whether a one-time code may be used again within its step.
    pub totp_reuse: bool,
    /// `JWThenticator`'s external set answers.
    pub is_external: bool,
    /// `JWThenticator`'s internal set answers.
    pub is_internal: bool,
    /// How long registered keys live.
    pub key_lifetime: Duration,
    /// Origins from which browsers may send with a cookie.
    pub origins: Vec<String>,
    /// Indices of the issuers whose tokens log a browser in.
    pub login_issuers: Vec<usize>,
    /// The proxies that may ask.
    pub trusted: Vec<IpNet>,
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const YEAR: Duration = Duration::from_hours(24 * 366);

/// What the clients of a dialect expect: a token's lifetime, and the longest they may ask for.
fn lifetimes(dialect: Dialect) -> (Duration, Duration) {
    match dialect {
        Dialect::Appmesh => (7 * DAY, 30 * DAY),
        Dialect::Jwthenticator => (25 * HOUR, 25 * HOUR),
        Dialect::Omegaml => (5 * MINUTE, 5 * MINUTE),
        Dialect::Ryft => (HOUR, HOUR),
        Dialect::Clustercockpit | Dialect::ForwardAuth | Dialect::Page | Dialect::Standard => {
            (HOUR, DAY)
        }
    }
}

/// For how long, and for how many lifetimes of a token, the clients of a dialect expect to refresh.
fn refreshing(dialect: Dialect) -> (Duration, u32) {
    match dialect {
        Dialect::Jwthenticator => (DAY, 10),
        Dialect::Omegaml => (30 * DAY, 7 * 24 * 12), // seven days of tokens that live 5 minutes
        Dialect::Appmesh
        | Dialect::Clustercockpit
        | Dialect::ForwardAuth
        | Dialect::Page
        | Dialect::Ryft
        | Dialect::Standard => (30 * DAY, 10),
    }
}

fn dialect(raw: file::Dialect) -> Dialect {
    match raw {
        file::Dialect::Appmesh => Dialect::Appmesh,
        file::Dialect::Clustercockpit => Dialect::Clustercockpit,
        file::Dialect::ForwardAuth => Dialect::ForwardAuth,
        file::Dialect::Jwthenticator => Dialect::Jwthenticator,
        file::Dialect::Omegaml => Dialect::Omegaml,
        file::Dialect::Page => Dialect::Page,
        file::Dialect::Ryft => Dialect::Ryft,
        file::Dialect::Standard => Dialect::Standard,
    }
}

impl file::Dialect {
    /// Whether it is of no use without a store.
    pub(super) fn needs_store(self) -> bool {
        dialect(self).issues()
    }

    /// Whether it shows a login page, and keeps browsers logged in.
    pub(super) fn has_pages(self) -> bool {
        matches!(self, Self::Clustercockpit | Self::Page)
    }
}

impl Endpoint {
    pub(super) fn validate(
        name: String,
        raw: file::Endpoint,
        around: &Surroundings,
        issuers: &[Issuer],
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let key = Key::of("endpoints").child(&name);
        findings.name(&key, &name);
        let dialect = dialect(raw.dialect);
        let path = raw.path.as_deref().unwrap_or("/");
        let path = refer::prefix(&key.child("path"), path, Spelling::Posix, findings);
        let hosts = refer::hosts(&key.child("hosts"), raw.hosts.as_deref(), findings);
        let listeners = match &raw.listeners {
            Some(names) => {
                refer::listeners(&key.child("listeners"), names, &around.listeners, findings)
            }
            None => (0..around.listeners.len()).collect(),
        };
        let issuer = issuer(&key, dialect, raw.issuer.as_deref(), &around.issuers, findings);
        // One that is wrong itself is not among them, and was complained of.
        let issuer = issuer.and_then(|name| issuers.iter().position(|known| known.name == *name));
        let (usual, usual_max) = lifetimes(dialect);
        let usual = issuer.and_then(|index| issuers.get(index)).map_or(usual, |issuer| {
            issuer.max_lifetime.map_or(usual, |longest| usual.min(longest))
        });
        let is_said = raw.lifetime.is_some();
        let mut time = |name: &str, raw: Option<&str>, default| {
            findings.duration(&key.child(name), raw, default, Duration::from_secs(1)..=YEAR)
        };
        let lifetime = time("lifetime", raw.lifetime.as_deref(), usual);
        let max_lifetime =
            time("max_lifetime", raw.max_lifetime.as_deref(), usual_max.max(lifetime));
        let (usual_refresh, usual_window) = refreshing(dialect);
        let refresh_lifetime =
            time("refresh_lifetime", raw.refresh_lifetime.as_deref(), usual_refresh);
        let key_lifetime = time("key_lifetime", raw.key_lifetime.as_deref(), 2 * DAY);
        if max_lifetime < lifetime {
            let (longer, reason) = if is_said {
                ("lifetime", "is longer than `max_lifetime`")
            } else {
                ("max_lifetime", "is shorter than the dialect's `lifetime`: write that as well")
            };
            findings.error(&key.child(longer), reason);
        }
        let longest = issuer.and_then(|index| issuers.get(index)?.max_lifetime);
        if longest.is_some_and(|longest| longest < max_lifetime) && raw.max_lifetime.is_some() {
            let reason = "is longer than the issuer's `max_lifetime`: such tokens would be refused";
            findings.error(&key.child("max_lifetime"), reason);
        }
        let max_lifetime = longest.map_or(max_lifetime, |longest| longest.min(max_lifetime));
        let omits = |wanted: fn(&file::OmittedClaim) -> bool| {
            raw.omit_claims.as_deref().unwrap_or_default().iter().any(wanted)
        };
        let has_set = |wanted: fn(&file::EndpointSet) -> bool| {
            raw.sets.as_deref().unwrap_or(&[file::EndpointSet::External]).iter().any(wanted)
        };
        Some(Self {
            hosts: hosts?,
            path: path?,
            listeners,
            issuer,
            lifetime,
            max_lifetime,
            refresh_lifetime,
            refresh_window: findings.number(
                &key.child("refresh_window"),
                raw.refresh_window,
                usual_window,
                0..=100_000,
            ),
            audience: match raw.audience {
                None => Vec::new(),
                Some(file::OneOrMore::One(audience)) => vec![audience],
                Some(file::OneOrMore::More(audience)) => audience,
            },
            extra_claims: extra_claims(&key, raw.extra_claims, findings),
            omits_issuer: omits(|claim| matches!(claim, file::OmittedClaim::Iss)),
            omits_audience: omits(|claim| matches!(claim, file::OmittedClaim::Aud)),
            omits_subject: omits(|claim| matches!(claim, file::OmittedClaim::Sub)),
            totp_reuse: raw.totp_reuse.unwrap_or(false),
            is_external: has_set(|set| matches!(set, file::EndpointSet::External)),
            is_internal: has_set(|set| matches!(set, file::EndpointSet::Internal)),
            key_lifetime,
            origins: origins(&key, raw.origins.unwrap_or_default(), findings),
            login_issuers: login_issuers(
                &key.child("login_issuers"),
                raw.login_issuers.as_deref().unwrap_or_default(),
                around,
                issuers,
                findings,
            ),
            trusted: match &raw.trusted {
                Some(named) => networks(&key.child("trusted"), named, findings),
                None => loopback(),
            },
            name,
            dialect,
        })
    }

    /// Finds endpoints that want the same paths.
    pub(super) fn validate_together(endpoints: &[Self], findings: &mut Findings<'_>) {
        let mounts: Vec<_> = endpoints.iter().map(Self::mount).collect();
        for (index, mount) in mounts.iter().enumerate() {
            let mut before = mounts.iter().take(index);
            let hit = before.find_map(|first| Some((first, first.collision(mount)?)));
            if let Some((first, path)) = hit {
                let key = |mount: &Mount| Key::of("endpoints").child(&mount.name);
                let reason = format!(
                    "answers `{path}`, as `{}` at {} does: give it another host, listener or `path`",
                    key(first),
                    findings.place(&key(first)),
                );
                findings.error(&key(mount), reason);
            }
        }
    }

    /// Where it answers.
    #[must_use]
    pub fn mount(&self) -> Mount {
        let (hosts, listeners) = (self.hosts.clone(), self.listeners.clone());
        Mount::new(&self.name, self.dialect, hosts, listeners, self.path.clone())
    }
}

fn issuer<'n>(
    key: &Key,
    dialect: Dialect,
    raw: Option<&str>,
    known: &'n [String],
    findings: &mut Findings<'_>,
) -> Option<&'n String> {
    let Some(name) = raw else {
        if dialect.issues() {
            let names =
                if known.is_empty() { "add [issuers.NAME]".to_owned() } else { known.join(", ") };
            let reason = format!("issues tokens: name the `issuer` that signs them ({names})");
            findings.error(key, reason);
        }
        return None;
    };
    if !dialect.issues() {
        findings.error(&key.child("issuer"), "is of no use to a dialect that issues nothing");
        return None;
    }
    let index = refer::refer(&key.child("issuer"), name, known, findings)?;
    known.get(index)
}

fn login_issuers(
    key: &Key,
    names: &[String],
    around: &Surroundings,
    issuers: &[Issuer],
    findings: &mut Findings<'_>,
) -> Vec<usize> {
    let known = &around.issuers;
    let names = names.iter().filter_map(|name| {
        let index = refer::refer(key, name, known, findings)?;
        known.get(index)
    });
    // One that is wrong itself is not among them, and was complained of.
    names.filter_map(|name| issuers.iter().position(|known| known.name == *name)).collect()
}

/// Claims that are not an attribute's to fill.
const RESERVED: &[&str] = &[
    "iss",
    "aud",
    "sub",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "client_id",
    "orig_iat",
    "roles",
    "permissions",
    "home",
];

fn extra_claims(
    key: &Key,
    raw: Option<Named<String>>,
    findings: &mut Findings<'_>,
) -> Vec<(String, String)> {
    let claims = raw.unwrap_or_default().0;
    for (claim, _) in &claims {
        if RESERVED.contains(&claim.as_str()) {
            let key = key.child("extra_claims").child(claim);
            findings.error(&key, "is a claim with a meaning of its own: choose another name");
        }
    }
    claims
}

/// An origin as browsers send it (RFC 6454 §7): scheme, host and port.
fn origins(key: &Key, raw: Vec<String>, findings: &mut Findings<'_>) -> Vec<String> {
    for (index, origin) in raw.iter().enumerate() {
        let parsed = origin.parse::<http::Uri>().ok();
        let is_origin = parsed.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("https" | "http"))
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                && uri.path() == "/"
                && uri.query().is_none()
                && !origin.ends_with('/')
        });
        if !is_origin {
            let reason = format!("`{origin}` is no origin: write \"https://app.example.org\"");
            findings.error(&key.child("origins").item(index), reason);
        }
    }
    raw
}

fn loopback() -> Vec<IpNet> {
    ["127.0.0.0/8", "::1/128"].iter().filter_map(|network| network.parse().ok()).collect()
}
