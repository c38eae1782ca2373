//! One immutable version of everything that can be reloaded, and the place where workers find
//! the current one.
//!
//! Everything swaps together, so that no request sees two versions. A snapshot is built
//! completely, from files that were all read and found good, before it is swapped in.

mod build;
mod error;
mod profile;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use rustls::crypto::CryptoProvider;
use rustls::server::ProducesTickets;

use crate::config::{self, Limits, Passwords};
use crate::identity::Identities;
use crate::identity::memory::DigestKey;
use crate::identity::verified::{Outcome, VerifiedPasswords};
use crate::password::{self, PasswordHashError, PoolSettings};
use crate::route::Table;
use crate::route::endpoint::Mounts;
use crate::route::upstream::Upstream;
use crate::secret::Secret;
use crate::tls::{CertificateFacts, Tls, TlsError};

pub(crate) use self::build::build_issuer;
pub use self::error::{LoadError, LoadErrors};
pub use self::profile::{Omitted, Profile, Sets};

/// One version.
#[derive(Debug)]
pub struct Snapshot {
    /// Its number, counted from 1.
    pub generation: u64,
    /// When its files had been read, since the Unix epoch.
    pub loaded_at: Duration,
    /// Routes by host, path and method.
    pub routes: Table,
    /// Where our own endpoints answer.
    pub mounts: Mounts,
    /// How they issue, in the order of the mounts.
    pub profiles: Vec<Arc<Profile>>,
    /// One-time codes.
    pub totp: config::Totp,
    /// Sessions of browsers.
    pub sessions: config::Sessions,
    /// What wrong passwords cost.
    pub throttle: config::Throttle,
    /// Upstreams, as routes refer to them.
    pub upstreams: Vec<Upstream>,
    /// Issuers and directories.
    pub identities: Identities,
    /// Listeners, in the order in which they were bound.
    pub listeners: Vec<Listener>,
    /// Peers whose word about the way so far is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether what is under way ends with its user.
    pub cuts_revoked: bool,
    /// How long a right password is remembered.
    pub remember_passwords: Duration,
    /// The key under which it is.
    pub digest_key: DigestKey,
    /// Which of them any worker has found right.
    pub verified_passwords: VerifiedPasswords,
    /// Passwords that are being verified.
    pub verifying_passwords: password::once::Once<Outcome>,
    /// The same at our own endpoints, which look at second factors apart.
    pub verifying_logins: password::once::Once<Result<bool, password::PoolError>>,
    /// Bytes of verified tokens that each worker remembers.
    pub token_memory: usize,
    /// Where passwords are verified.
    pub hashing: Arc<password::Pool>,
    /// With how many threads.
    pub hashing_threads: usize,
    /// How many refusals each worker keeps.
    pub decisions: usize,
    /// What is to be shown over TCP by who wants to change something.
    pub admin_token: Option<Secret>,
    /// How long the tokens of each issuer live, in the verifier's order.
    pub lifetimes: Vec<Duration>,
    /// What is told of it.
    pub summary: Summary,
}

/// The reloadable part of a listener.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// Its bounds.
    pub limits: Limits,
    /// `None`: plain HTTP.
    pub tls: Option<Tls>,
}

/// What is told of a snapshot: numbers and dates, no secrets.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Users in all directories.
    pub users: usize,
    /// Keys of all issuers.
    pub keys: usize,
    /// Certificates of all listeners.
    pub certificates: Vec<CertificateFacts>,
    /// What works and is seldom meant so, with its place.
    pub warnings: Vec<String>,
}

/// What outlives a snapshot, so that a reload costs nobody their session.
#[derive(Debug)]
pub struct Keep {
    provider: Arc<CryptoProvider>,
    ticketers: HashMap<String, Arc<dyn ProducesTickets>>,
    /// The pool in use is the last. Those before it end here, never on a worker: ending one
    /// waits for its threads.
    pools: Vec<(Passwords, Arc<password::Pool>)>,
    /// Tells whether a plaintext password is another than that of the snapshot before.
    marker: Option<password::Marker>,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            provider: crate::tls::provider(),
            ticketers: HashMap::new(),
            pools: Vec::new(),
            marker: None,
        }
    }
}

impl Keep {
    /// The marker of this run.
    fn marker(&mut self) -> Result<&password::Marker, PasswordHashError> {
        let made = match self.marker.take() {
            Some(marker) => marker,
            None => password::Marker::random()?,
        };
        Ok(self.marker.insert(made))
    }

    /// The pool of these settings: the one in use if they have not changed.
    fn pool(&mut self, settings: &Passwords) -> std::io::Result<Arc<password::Pool>> {
        if let Some((known, pool)) = self.pools.last()
            && known == settings
        {
            return Ok(Arc::clone(pool));
        }
        self.pools.retain(|(_, pool)| Arc::strong_count(pool) > 1);
        let pool = Arc::new(password::Pool::new(PoolSettings {
            workers: settings.workers.get(),
            queue: settings.queue.get(),
            queue_per_address: settings.queue_per_address.get(),
        })?);
        self.pools.push((*settings, Arc::clone(&pool)));
        Ok(pool)
    }

    fn ticketer(&mut self, listener: &str) -> Result<Arc<dyn ProducesTickets>, TlsError> {
        if let Some(known) = self.ticketers.get(listener) {
            return Ok(Arc::clone(known));
        }
        let made = crate::tls::ticketer()?;
        self.ticketers.insert(listener.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

/// The current snapshot.
#[derive(Debug)]
pub struct SnapshotStore(ArcSwap<Snapshot>);

impl SnapshotStore {
    /// Begins with a first version.
    #[must_use]
    pub fn new(first: Snapshot) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(first)))
    }

    /// The current version, for the control plane.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Replaces the current version: from the next request on, the new one counts. Returns the one
    /// before, which is freed by whoever drops it last.
    #[must_use]
    pub fn swap(&self, next: Snapshot) -> Arc<Snapshot> {
        self.0.swap(Arc::new(next))
    }

    /// Lets a worker see the current version without counting references on each request.
    #[must_use]
    pub fn reader(self: &Arc<Self>) -> Reader {
        Reader(arc_swap::Cache::new(Shared(Arc::clone(self))))
    }
}

#[derive(Debug)]
struct Shared(Arc<SnapshotStore>);

impl std::ops::Deref for Shared {
    type Target = ArcSwap<Snapshot>;

    fn deref(&self) -> &Self::Target {
        &self.0.0
    }
}

/// A worker's view of the current snapshot.
pub struct Reader(arc_swap::Cache<Shared, Arc<Snapshot>>);

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// The current version: one load, no write to anything shared.
    pub fn current(&mut self) -> &Arc<Snapshot> {
        self.0.load()
    }
}
