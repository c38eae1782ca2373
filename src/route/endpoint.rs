//! The gateway's own endpoints: which paths each dialect answers, and where it is mounted.
//!
//! A mount answers the paths of its dialect, below its prefix, and no others: beside `/login` of
//! a mount a route may answer for everything else. Two mounts that would answer the same path of
//! the same host on the same listener are a mistake of the configuration.

use std::fmt;
use std::str::FromStr;

use crate::resource::{CanonicalHost, CanonicalPath, HostPattern, PathPrefix};

mod paths;

/// The wire format in which endpoints speak to a given family of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// App Mesh's SDKs and command line.
    Appmesh,
    /// `ClusterCockpit`: its login form and its page that issues tokens.
    Clustercockpit,
    /// Proxies that ask whether a request may pass: nginx, Traefik, Caddy, Envoy.
    ForwardAuth,
    /// `JWThenticator`'s clients.
    Jwthenticator,
    /// omegaml's clients.
    Omegaml,
    /// Browsers: login, account.
    Page,
    /// ryft-server's clients.
    Ryft,
    /// OAuth 2.0 (RFC 6749).
    Standard,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Appmesh,
        Self::Clustercockpit,
        Self::ForwardAuth,
        Self::Jwthenticator,
        Self::Omegaml,
        Self::Page,
        Self::Ryft,
        Self::Standard,
    ];

    /// Its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Appmesh => "appmesh",
            Self::Clustercockpit => "clustercockpit",
            Self::ForwardAuth => "forward-auth",
            Self::Jwthenticator => "jwthenticator",
            Self::Omegaml => "omegaml",
            Self::Page => "page",
            Self::Ryft => "ryft",
            Self::Standard => "standard",
        }
    }

    /// The paths that it answers, below the prefix; `{name}` stands for one segment.
    #[must_use]
    pub fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Appmesh => paths::APPMESH,
            Self::Clustercockpit => paths::CLUSTERCOCKPIT,
            Self::ForwardAuth => paths::FORWARD_AUTH,
            Self::Jwthenticator => paths::JWTHENTICATOR,
            Self::Omegaml => paths::OMEGAML,
            Self::Page => paths::PAGE,
            Self::Ryft => paths::RYFT,
            Self::Standard => paths::STANDARD,
        }
    }

    /// The one of [`Self::paths`] at which it describes itself (OpenAPI); `None`: nowhere, since
    /// proxies alone may ask there.
    #[must_use]
    pub fn document(self) -> Option<&'static str> {
        match self {
            Self::Appmesh => Some("/openapi/appmesh.json"),
            Self::Clustercockpit => Some("/openapi/clustercockpit.json"),
            Self::ForwardAuth => None,
            Self::Jwthenticator => Some("/openapi/jwthenticator.json"),
            Self::Omegaml => Some("/openapi/omegaml.json"),
            Self::Page => Some("/openapi/page.json"),
            Self::Ryft => Some("/openapi/ryft.json"),
            Self::Standard => Some("/openapi.json"),
        }
    }

    /// Whether it issues tokens, and so needs an issuer that can sign.
    #[must_use]
    pub fn issues(self) -> bool {
        self != Self::ForwardAuth
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No dialect has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no dialect of this name")]
pub struct UnknownDialect;

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, UnknownDialect> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name).ok_or(UnknownDialect)
    }
}

/// One dialect in one place.
#[derive(Clone)]
pub struct Mount {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// How it speaks.
    pub dialect: Dialect,
    /// The hosts it answers for; empty: any.
    pub hosts: Vec<HostPattern>,
    /// Index of the listeners it is reached by.
    pub listeners: Vec<usize>,
    /// What stands in front of the dialect's own paths.
    pub prefix: PathPrefix,
    paths: matchit::Router<()>,
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount")
            .field("name", &self.name)
            .field("dialect", &self.dialect)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Mount {
    /// Mounts a dialect. A pattern that cannot be read answers nothing; a test reads all.
    #[must_use]
    pub fn new(
        name: &str,
        dialect: Dialect,
        hosts: Vec<HostPattern>,
        listeners: Vec<usize>,
        prefix: PathPrefix,
    ) -> Self {
        let mut paths = matchit::Router::new();
        for path in dialect.paths() {
            let _ = paths.insert(format!("{}{path}", prefix.as_str()), ());
        }
        Self { name: name.into(), dialect, hosts, listeners, prefix, paths }
    }

    fn answers(&self, listener: usize, host: &CanonicalHost<'_>, path: &str) -> Option<u8> {
        if !self.listeners.contains(&listener) || self.paths.at(path).is_err() {
            return None;
        }
        // A proxy's question may name the host that it asks about; it must never become a request
        // to a route.
        if self.hosts.is_empty() || self.dialect == Dialect::ForwardAuth {
            return Some(0);
        }
        let matching = self.hosts.iter().filter(|pattern| pattern.matches(host));
        let specific = |pattern: &HostPattern| match pattern {
            HostPattern::Exact(_) => 2,
            HostPattern::Wildcard(_) => 1,
        };
        matching.map(specific).max()
    }

    /// A path that both would answer, if there is one.
    #[must_use]
    pub fn collision(&self, other: &Self) -> Option<String> {
        let both_ask = self.dialect == Dialect::ForwardAuth && other.dialect == self.dialect;
        let hosts = both_ask
            || (self.hosts.is_empty() && other.hosts.is_empty())
            || self.hosts.iter().any(|host| other.hosts.contains(host));
        let listeners = self.listeners.iter().any(|index| other.listeners.contains(index));
        if !hosts || !listeners {
            return None;
        }
        let mut both = self.paths.clone();
        other.dialect.paths().iter().find_map(|path| {
            let path = format!("{}{path}", other.prefix.as_str());
            both.insert(path.clone(), ()).err().map(|_| path)
        })
    }
}

/// All mounts of a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// In the order of the configuration.
    #[must_use]
    pub fn new(mounts: Vec<Mount>) -> Self {
        Self(mounts)
    }

    /// The mount that answers for a path: of several, the one with the most specific host.
    #[must_use]
    pub fn find(
        &self,
        listener: usize,
        host: &CanonicalHost<'_>,
        path: &CanonicalPath<'_>,
    ) -> Option<usize> {
        if self.0.is_empty() {
            return None;
        }
        let path = path.as_str();
        let answering = self.0.iter().enumerate();
        let answering = answering
            .filter_map(|(index, mount)| Some((mount.answers(listener, host, path)?, index)));
        answering.max_by_key(|(specific, _)| *specific).map(|(_, index)| index)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Mount] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(dialect: Dialect, host: Option<&str>, prefix: &str) -> Mount {
        let hosts = host.map(|host| host.parse().unwrap()).into_iter().collect();
        Mount::new("m", dialect, hosts, vec![0], prefix.parse().unwrap())
    }

    #[test]
    fn every_path_of_every_dialect_can_be_mounted() {
        for dialect in Dialect::ALL {
            let mut paths = matchit::Router::new();
            for path in dialect.paths() {
                assert!(path.starts_with('/'), "{path}");
                paths.insert((*path).to_owned(), ()).unwrap();
            }
            assert_eq!(dialect.as_str().parse(), Ok(dialect));
        }
    }

    #[test]
    fn a_mount_answers_its_own_paths_and_no_others() {
        let mounts = Mounts::new(vec![
            mount(Dialect::Omegaml, None, "/"),
            mount(Dialect::Omegaml, Some("a.example"), "/"),
            mount(Dialect::Omegaml, Some("*.example"), "/"),
        ]);
        let find = |host: &str, path: &str| {
            let (host, path) = (CanonicalHost::parse(host), CanonicalPath::parse(path));
            mounts.find(0, &host.unwrap(), &path.unwrap())
        };

        assert_eq!(find("b.test", "/token-auth/"), Some(0));
        assert_eq!(find("a.example", "/token-auth/"), Some(1));
        assert_eq!(find("b.example", "/token-auth/"), Some(2));
        assert_eq!(find("b.test", "/token-auth"), None);
        assert_eq!(find("b.test", "/token-auth/x"), None);
        assert_eq!(find("b.test", "/"), None);
    }

    #[test]
    fn two_that_want_the_same_path_collide() {
        let one = mount(Dialect::Omegaml, None, "/");
        assert_eq!(one.collision(&one.clone()).as_deref(), Some("/token-auth/"));
        assert_eq!(one.collision(&mount(Dialect::Omegaml, None, "/o")), None);
        assert_eq!(one.collision(&mount(Dialect::Omegaml, Some("a.example"), "/")), None);
    }
}
