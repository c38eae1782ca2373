//! A gateway that runs elsewhere, and what is known of it.

use std::path::PathBuf;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::credential::Kinds;
use super::sites::{self, Place};
use crate::probe::dial::{Target, Trust, TrustError};
use crate::probe::run::Sight;
use crate::probe::site::{Field, Owner, Site};
use crate::resource::{CanonicalHost, CanonicalPath, Dialect, ResourceError};

/// A gateway that runs.
#[derive(Debug, clap::Args)]
pub(super) struct Remote {
    /// A gateway that runs, such as `https://gateway.example.org` [default: one is started from
    /// the configuration, before a recording upstream]
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The recording upstream that stands behind it: `doorward probe upstream`
    #[arg(long, value_name = "URL", requires = "url", conflicts_with = "canary")]
    recorder: Option<String>,
    /// What stands in the file of --theirs, and nowhere else, where the real upstream stands behind
    #[arg(long, value_name = "TEXT", requires_all = ["url", "own", "theirs"])]
    canary: Option<String>,
    /// A file of the attacker's own, by its path at the upstream: `/files/alice/a.txt`
    #[arg(long, value_name = "PATH", requires = "url")]
    own: Option<String>,
    /// A file of the other's, by its path at the upstream: `/files/bob/secret.txt`
    #[arg(long, value_name = "PATH", requires = "url")]
    theirs: Option<String>,
    /// A query parameter that names a resource
    #[arg(long = "parameter", value_name = "NAME", requires = "url")]
    parameters: Vec<String>,
    /// A field of a body that names a resource, such as `json:files` or `form:dir`
    #[arg(long = "field", value_name = "KIND:NAME", requires = "url", value_parser = field)]
    fields: Vec<Field>,
    /// Users see their home as the root
    #[arg(long, requires = "url")]
    rewrite: bool,
    /// How the upstream reads paths: posix, windows, tomcat or raw
    #[arg(long, value_name = "DIALECT", requires = "url", default_value = "posix")]
    paths: Dialect,
    /// Believe only certificates that this PEM file's authorities signed [default: the system's]
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
    /// Believe any certificate
    #[arg(long, requires = "url", conflicts_with = "ca")]
    insecure: bool,
}

fn field(text: &str) -> Result<Field, &'static str> {
    let found = text.split_once(':').filter(|(_, name)| !name.is_empty());
    let found = found.and_then(|(kind, name)| sites::field(kind, name));
    found.ok_or("write it as `json:NAME` or `form:NAME`")
}

/// Why a gateway cannot be attacked there.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteSiteError {
    #[error("`{}` holds no certificate", .0.display())]
    Authority(PathBuf),
    #[error("without a configuration, --own and --theirs say what belongs to whom")]
    NoFiles,
    #[error("`{path}` does not lie in the home {home}, below the root {root}")]
    NotThere { path: String, home: String, root: String },
    #[error("`{0}` and `{1}` do not differ in the folder that tells homes apart")]
    NotApart(String, String),
    #[error("say with --recorder or --canary how an escape is known")]
    NoSight,
    #[error("`{path}` {source}")]
    Path { path: String, source: ResourceError },
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("`{0}` is no URL of a gateway: write one such as `https://gateway.example.org`")]
    Url(String),
}

/// Scheme, host and port.
struct Origin {
    is_secure: bool,
    authority: String,
    host: String,
    port: u16,
}

fn origin(url: &str) -> Result<Origin, RemoteSiteError> {
    let malformed = || RemoteSiteError::Url(url.to_owned());
    let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
    let is_secure = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return Err(malformed()),
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let host = CanonicalHost::parse(authority).map_err(|_| malformed())?;
    let port = host.port().unwrap_or(if is_secure { 443 } else { 80 });
    let bare = host.name().trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Origin { is_secure, authority: host.to_string(), host: bare, port })
}

/// Plain HTTP there.
pub(super) fn plain(url: &str, patience: Duration) -> Result<(Target, String), RemoteSiteError> {
    let origin = origin(url)?;
    if origin.is_secure {
        return Err(RemoteSiteError::Url(url.to_owned()));
    }
    Ok((Target::plain(&origin.host, origin.port, patience), origin.authority))
}

impl Remote {
    fn origin(&self) -> Result<Origin, RemoteSiteError> {
        origin(self.url.as_deref().unwrap_or_default())
    }

    pub(super) fn target(&self, patience: Duration) -> Result<Target, RemoteSiteError> {
        let origin = self.origin()?;
        let target = Target::plain(&origin.host, origin.port, patience);
        if !origin.is_secure {
            return Ok(target);
        }
        Ok(target.with_tls(&origin.host, &self.trust()?)?)
    }

    fn trust(&self) -> Result<Trust, RemoteSiteError> {
        if self.insecure {
            return Ok(Trust::Anyone);
        }
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.ca {
            let none = || RemoteSiteError::Authority(path.clone());
            let read = CertificateDer::pem_file_iter(path).map_err(|_| none())?;
            let (added, _) = roots.add_parsable_certificates(read.filter_map(Result::ok));
            if added == 0 {
                return Err(none());
            }
        } else {
            let native = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(native.certs);
        }
        Ok(Trust::Authorities(roots))
    }

    pub(super) fn sight(&self, patience: Duration) -> Result<Sight, RemoteSiteError> {
        match (&self.recorder, &self.canary) {
            (Some(url), _) => Ok(Sight::There(plain(url, patience)?.0)),
            (None, Some(canary)) => Ok(Sight::Canary(canary.clone().into_bytes())),
            (None, None) => Err(RemoteSiteError::NoSight),
        }
    }

    /// The site that the arguments describe.
    pub(super) fn place(&self, attacker: &str, victim: &str) -> Result<Place, RemoteSiteError> {
        let (Some(own), Some(theirs)) = (&self.own, &self.theirs) else {
            return Err(RemoteSiteError::NoFiles);
        };
        let (own_parts, their_parts) = (parts(own)?, parts(theirs)?);
        let common =
            own_parts.iter().zip(&their_parts).take_while(|(one, other)| one == other).count();
        let apart = || RemoteSiteError::NotApart(own.clone(), theirs.clone());
        let owner = |name: &str, parts: &[String]| {
            let home = parts.get(common).filter(|home| !home.is_empty()).ok_or_else(apart)?;
            let rest = parts.get(common + 1..).unwrap_or_default().join("/");
            let file = if rest.is_empty() { format!("of-{name}.txt") } else { rest };
            Ok::<_, RemoteSiteError>(Owner {
                name: name.to_owned(),
                home: format!("/{home}"),
                file,
            })
        };
        let root: String =
            own_parts.iter().take(common).flat_map(|segment| ["/", segment.as_str()]).collect();
        let origin = self.origin()?;
        let site = Site {
            name: origin.authority.clone(),
            authority: origin.authority,
            is_secure: origin.is_secure,
            path: root.clone(),
            root,
            own: owner(attacker, &own_parts)?,
            other: owner(victim, &their_parts)?,
            is_rewritten: self.rewrite,
            dialect: self.paths,
            guards_path: true,
            guards_destination: true,
            guards_condition: true,
            parameters: self.parameters.clone(),
            fields: self.fields.clone(),
            method: "GET".to_owned(),
            is_trusted: false,
        };
        let accepted = Kinds { bearer: true, x_auth_token: false };
        Ok(Place { site, listener: 0, accepted, tls_name: origin.host })
    }

    /// Sites of a configuration, at this gateway and with these files.
    pub(super) fn settle(&self, mut places: Vec<Place>) -> Result<Vec<Place>, RemoteSiteError> {
        let origin = self.origin()?;
        for Place { site, .. } in &mut places {
            if site.authority == "localhost" {
                site.authority.clone_from(&origin.authority);
            }
            for (path, owner) in [(&self.own, &mut site.own), (&self.theirs, &mut site.other)] {
                let Some(path) = path else { continue };
                parts(path)?;
                let front = format!("{}{}/", site.root, owner.home);
                let file = path.strip_prefix(&front).filter(|file| !file.is_empty());
                owner.file = file
                    .ok_or_else(|| RemoteSiteError::NotThere {
                        path: path.clone(),
                        home: owner.home.clone(),
                        root: site.root.clone(),
                    })?
                    .to_owned();
            }
        }
        Ok(places)
    }
}

/// The segments of a path that is written as it is.
fn parts(path: &str) -> Result<Vec<String>, RemoteSiteError> {
    let wrong = |source| RemoteSiteError::Path { path: path.to_owned(), source };
    let canonical = CanonicalPath::parse(path).map_err(wrong)?;
    Ok(canonical.segments().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(own: &str, theirs: &str) -> Remote {
        Remote {
            url: Some("https://Gateway.test:8443/".to_owned()),
            recorder: None,
            canary: None,
            own: Some(own.to_owned()),
            theirs: Some(theirs.to_owned()),
            parameters: Vec::new(),
            fields: Vec::new(),
            rewrite: false,
            paths: Dialect::Posix,
            ca: None,
            insecure: false,
        }
    }

    #[test]
    fn homes_are_where_two_files_part() {
        let Place { site, .. } =
            remote("/files/alice/a/b.txt", "/files/bob/").place("alice", "bob").unwrap();

        assert_eq!((site.root.as_str(), site.own.home.as_str()), ("/files", "/alice"));
        assert_eq!((site.own.file.as_str(), site.other.file.as_str()), ("a/b.txt", "of-bob.txt"));
        assert_eq!(site.authority, "gateway.test:8443");
        assert!(remote("/files/alice", "/files/alice").place("alice", "bob").is_err());
        assert!(remote("/files/../alice", "/files/bob").place("alice", "bob").is_err());
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in ["gateway", "ftp://x", "https://", "https://x/path", "https://u@x"] {
            assert!(origin(url).is_err(), "{url}");
        }
        assert!(plain("https://x", Duration::ZERO).is_err());
    }
}
