//! The configuration: TOML files and environment in, one validated [`Config`] out.
//!
//! It decides nothing about requests. What it holds is complete: every default is filled in,
//! every name of a listener or upstream is resolved, every path is joined to the folder of the
//! file that names it. A configuration with one mistake is refused as a whole, and every mistake
//! that can be found is reported with its file, line, column and key.

mod directory;
mod endpoint;
mod environment;
mod error;
mod file;
mod findings;
mod include;
mod issuer;
mod key;
mod limits;
mod listener;
mod log;
mod named;
mod passwords;
mod route;
mod server;
mod shape;
mod source;
mod store;
mod tree;
pub(crate) mod unit;
mod upstream;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::directory::{Directory, Role, UserFormat};
pub use self::endpoint::Endpoint;
pub use self::error::{ConfigError, ConfigErrors, NamedFile, Place, Warning};
pub use self::issuer::{Bound, Issuer, KeySource};
pub use self::limits::Limits;
pub use self::listener::{Certificate, ListenAddress, Listener, Protocol, Tls, TlsVersion};
pub use self::log::{Admin, Log, LogFile, LogFormat, LogLevel};
pub use self::passwords::{Passwords, Tokens};
pub use self::route::{Accept, CredentialPolicy, HostPolicy, IdentityHeaders, MethodRule, Route};
pub use self::server::Server;
pub use self::store::{Sessions, Store, StorePlace, Throttle, Totp};
pub use self::upstream::Upstream;

use crate::secret::Secret;

use self::findings::{Environment, Findings};
use self::include::Reading;
use self::key::Key;
use self::route::Surroundings;
use self::shape::Shape;
use self::source::{Origin, Sources};
use self::tree::{Node, Value};

/// What the program runs on.
#[derive(Debug)]
pub struct Config {
    /// The process as a whole.
    pub server: Server,
    /// `[limits]`; a listener's own are in the listener.
    pub limits: Limits,
    /// In the order of the files; at least one.
    pub listeners: Vec<Listener>,
    /// In the order of the files.
    pub upstreams: Vec<Upstream>,
    /// In the order of the files, which means nothing.
    pub routes: Vec<Route>,
    /// In the order of the files.
    pub issuers: Vec<Issuer>,
    /// In the order in which they are asked.
    pub directories: Vec<Directory>,
    /// What each role may do.
    pub roles: Vec<Role>,
    /// The password pool.
    pub passwords: Passwords,
    /// The token memory.
    pub tokens: Tokens,
    /// What the gateway itself must remember.
    pub store: Store,
    /// One-time codes.
    pub totp: Totp,
    /// Sessions of browsers.
    pub sessions: Sessions,
    /// What wrong passwords cost.
    pub throttle: Throttle,
    /// The gateway's own endpoints, in the order of the files.
    pub endpoints: Vec<Endpoint>,
    /// The log.
    pub log: Log,
    /// The admin listener.
    pub admin: Admin,
    /// What is to be shown there, over TCP, by who wants to change something.
    pub admin_token: Option<Secret>,
    /// How many refusals are kept to be told there.
    pub admin_decisions: usize,
    /// The files that this was read from, the main one first, as the caller gave it.
    pub files: Vec<PathBuf>,
    /// Folders in which a new file would be included.
    pub include_folders: Vec<PathBuf>,
    /// What the configuration names and somebody else reads: certificates, keys, secrets, users.
    /// A key folder is named as such.
    pub named_files: Vec<NamedFile>,
    /// What works, and is seldom meant so.
    pub warnings: Vec<Warning>,
}

impl Config {
    /// Reads the configuration at `path`, what it includes, and what `environment` overrides. An
    /// empty path is no file: the environment then says everything.
    ///
    /// Certificates, keys and users are named in it, and read by others.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its place. Nothing may be done with the rest.
    pub fn load(
        path: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let environment: BTreeMap<String, String> = environment.into_iter().collect();
        let variables: Vec<_> = environment.clone().into_iter().collect();
        let lookup = |name: &str| environment.get(name).cloned();

        let mut reading = Reading::default();
        let mut tree = reading.read(path);
        let Reading { mut sources, found, folders, .. } = reading;
        let mut found = found.into_errors()?;

        let shape = Shape::root();
        environment::overlay(&mut tree, &shape, &variables, &mut sources, &mut found);
        let root = Node { origin: Origin { source: 0, offset: 0 }, value: Value::Table(tree) };
        let raw = read_shape(&shape, &root, &sources, &lookup, found)?;

        Self::validate(raw, &root, &sources, &lookup, folders)
    }

    fn validate(
        raw: file::Root,
        root: &Node,
        sources: &Sources,
        environment: Environment<'_>,
        include_folders: Vec<PathBuf>,
    ) -> Result<Self, ConfigErrors> {
        let file::Root {
            include: _, // done
            server,
            limits,
            listeners,
            upstreams,
            routes,
            issuers,
            directories,
            roles,
            passwords,
            tokens,
            store,
            totp,
            sessions,
            throttle,
            endpoints,
            log,
            admin,
        } = raw;
        let (listeners, upstreams) = (listeners.unwrap_or_default(), upstreams.unwrap_or_default());
        let (issuers, directories) = (issuers.unwrap_or_default(), directories.unwrap_or_default());
        let dialects = endpoints.iter().flat_map(|endpoints| &endpoints.0);
        let dialects: Vec<_> = dialects.map(|(_, endpoint)| endpoint.dialect).collect();
        let around = Surroundings {
            listeners: listeners.names(),
            upstreams: upstreams.names(),
            issuers: issuers.names(),
            has_issuers: !issuers.0.is_empty(),
            has_directories: !directories.0.is_empty(),
            has_store: store.is_some() || dialects.iter().any(|dialect| dialect.needs_store()),
            has_pages: dialects.iter().any(|dialect| dialect.has_pages()),
        };
        let mut findings = Findings::new(root, sources, environment);
        let findings_ = &mut findings;
        let server = Server::validate(server.unwrap_or_default(), findings_);
        let limits = Limits::validate(
            limits.unwrap_or_default(),
            &Key::of("limits"),
            Limits::default(),
            findings_,
        );
        let listeners =
            each(listeners, |name, raw| Listener::validate(name, raw, limits, findings_));
        let upstreams = each(upstreams, |name, raw| Upstream::validate(name, raw, findings_));
        let routes = each(routes.unwrap_or_default(), |name, raw| {
            Route::validate(name, raw, &around, findings_)
        });
        let issuers = each(issuers, |name, raw| {
            Issuer::validate(name, raw, around.has_directories, findings_)
        });
        let directories = each(directories, |name, raw| Directory::validate(name, raw, findings_));
        let endpoints = each(endpoints.unwrap_or_default(), |name, raw| {
            Endpoint::validate(name, raw, &around, &issuers, findings_)
        });
        let needs_store = endpoints.iter().any(|endpoint| endpoint.dialect.issues());
        let (admin, admin_token, admin_decisions) =
            Admin::validate(admin.unwrap_or_default(), &listeners, findings_);
        let config = Self {
            roles: Role::validate_all(roles.unwrap_or_default(), findings_),
            passwords: Passwords::validate(passwords.unwrap_or_default(), findings_),
            tokens: Tokens::validate(tokens.unwrap_or_default(), findings_),
            store: Store::validate(store, needs_store, findings_),
            totp: Totp::validate(totp.unwrap_or_default(), findings_),
            sessions: Sessions::validate(sessions.unwrap_or_default(), findings_),
            throttle: Throttle::validate(throttle.unwrap_or_default(), findings_),
            log: Log::validate(log.unwrap_or_default(), findings_),
            admin,
            admin_token,
            admin_decisions,
            server,
            limits,
            listeners,
            upstreams,
            routes,
            issuers,
            directories,
            endpoints,
            files: sources.files().map(Path::to_owned).collect(),
            include_folders,
            named_files: Vec::new(),
            warnings: Vec::new(),
        };
        config.validate_together(&around, findings_);
        let found = findings.into_found().into_errors()?;
        Ok(Self { named_files: found.files, warnings: found.warnings, ..config })
    }

    fn validate_together(&self, around: &Surroundings, findings: &mut Findings<'_>) {
        let root = Key::default();
        if around.listeners.is_empty() {
            let reason = "has no listener: add [listeners.main] with an `address`";
            findings.error(&root, reason);
        }
        if self.routes.is_empty() && self.endpoints.is_empty() && !findings.has_errors() {
            findings.warn(&root, "has no route: every request is answered 404");
        }
        Listener::validate_together(&self.listeners, findings);
        Route::validate_together(&self.routes, findings);
        Issuer::validate_together(&self.issuers, findings);
        Endpoint::validate_together(&self.endpoints, findings);
        for (index, upstream) in self.upstreams.iter().enumerate() {
            let is_used = self.routes.iter().any(|route| route.upstream == index);
            if !is_used && !findings.has_errors() {
                findings.warn(&Key::of("upstreams").child(&upstream.name), "no route leads here");
            }
        }
    }

    /// Every file and folder of which a change means a new configuration.
    pub fn watched(&self) -> impl Iterator<Item = &Path> {
        let named = self.named_files.iter().map(|named| &named.path);
        self.files.iter().chain(&self.include_folders).chain(named).map(PathBuf::as_path)
    }
}

/// The JSON Schema of the configuration file.
#[must_use]
pub fn schema() -> serde_json::Value {
    file::schema(false)
}

/// Checks the tree against the shape of the file, then reads it into that shape.
fn read_shape(
    shape: &Shape,
    root: &Node,
    sources: &Sources,
    environment: Environment<'_>,
    found: findings::Found,
) -> Result<file::Root, ConfigErrors> {
    let mut findings = Findings::new(root, sources, environment).with(found);
    shape.check(root, &Key::default(), &mut findings);
    let raw = file::Root::deserialize(root);
    if let Err(error) = &raw
        && !findings.has_errors()
    {
        findings.error(&Key::default(), format!("cannot be read: {error}"));
    }
    findings.into_found().into_errors()?;
    Ok(raw.unwrap_or_default())
}

fn each<R, T>(named: named::Named<R>, mut validate: impl FnMut(String, R) -> Option<T>) -> Vec<T> {
    named.0.into_iter().filter_map(|(name, raw)| validate(name, raw)).collect()
}

#[cfg(test)]
mod tests;
