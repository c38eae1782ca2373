//! `[store]`, `[totp]`, `[sessions]`, `[throttle]`: what stands behind every login.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::secret::Secret;

/// What the gateway itself must remember.
#[derive(Debug)]
pub struct Store {
    /// Where.
    pub place: StorePlace,
    /// Seals sessions and the secrets of second factors; `None`: nothing outlives the process.
    pub secret: Option<Secret>,
    /// What takes longer counts as the store's being away.
    pub timeout: Duration,
}

/// Where it is remembered.
#[derive(Debug)]
pub enum StorePlace {
    /// Nowhere: no endpoint needs it.
    Nowhere,
    /// On a server that several nodes share.
    Postgres {
        /// `postgres://…`
        url: Secret,
        /// PEM file; `None`: the system's roots.
        ca: Option<PathBuf>,
    },
    /// In a file.
    Sqlite(PathBuf),
}

/// One-time codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// What an authenticator app shows.
    pub issuer: String,
    /// How long a code is waited for.
    pub challenge_timeout: Duration,
    /// How many codes may be tried for one password.
    pub challenge_tries: u32,
    /// Whether Basic on a route takes the code behind the password; else it is refused to users
    /// with a second factor.
    pub appends_to_password: bool,
}

/// Sessions of browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// Unused.
    pub idle_timeout: Duration,
    /// Used or not.
    pub lifetime: Duration,
}

/// What wrong passwords cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Of a user from an address.
    pub failures: u32,
    /// Of an address.
    pub failures_per_address: u32,
    /// The first wait.
    pub delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
}

const LEAST_SECRET: usize = 32;
const DATABASE: &str = "doorward.db";

impl Store {
    /// Whether both mean the same store, used in the same way.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let place = match (&self.place, &other.place) {
            (StorePlace::Nowhere, StorePlace::Nowhere) => true,
            (
                StorePlace::Postgres { url, ca },
                StorePlace::Postgres { url: other_url, ca: other_ca },
            ) => url.expose() == other_url.expose() && ca == other_ca,
            (StorePlace::Sqlite(path), StorePlace::Sqlite(other)) => path == other,
            _ => false,
        };
        place
            && self.timeout == other.timeout
            && self.secret.as_ref().map(Secret::expose) == other.secret.as_ref().map(Secret::expose)
    }

    pub(super) fn validate(
        raw: Option<file::Store>,
        is_needed: bool,
        findings: &mut Findings<'_>,
    ) -> Self {
        let is_said = raw.is_some();
        let file::Store { sqlite, postgres, ca, secret, timeout } = raw.unwrap_or_default();
        let key = Key::of("store");
        if let (Some(_), None) = (&ca, &postgres) {
            findings.error(&key.child("ca"), "is of use beside `postgres` only: remove it");
        }
        let place = match (sqlite, postgres) {
            (Some(_), Some(_)) => {
                findings
                    .error(&key.child("sqlite"), "stands beside `postgres`: remove one of them");
                StorePlace::Nowhere
            }
            (None, Some(form)) => {
                let ca = ca.map(|ca| findings.file(&key.child("ca"), &ca));
                match findings.secret(&key.child("postgres"), &form.0) {
                    Some(url) => StorePlace::Postgres { url, ca },
                    None => StorePlace::Nowhere, // an error was noted
                }
            }
            (Some(file), None) => StorePlace::Sqlite(findings.path(&key.child("sqlite"), &file)),
            (None, None) if is_needed || is_said => {
                StorePlace::Sqlite(default_file(&key, findings))
            }
            (None, None) => StorePlace::Nowhere,
        };
        let secret = secret.and_then(|form| findings.secret(&key.child("secret"), &form.0));
        if let Some(secret) = &secret
            && secret.len() < LEAST_SECRET
        {
            let reason =
                format!("is {} bytes long: at least {LEAST_SECRET} are needed", secret.len());
            findings.error(&key.child("secret"), reason);
        }
        if secret.is_none() && is_needed && !findings.has_errors() {
            findings.warn(
                &key.child("secret"),
                "is not set: sessions end with the process, and nobody can enrol a second factor",
            );
        }
        Self {
            place,
            secret,
            timeout: findings.duration(
                &key.child("timeout"),
                timeout.as_deref(),
                Duration::from_secs(5),
                Duration::from_millis(100)..=Duration::from_mins(1),
            ),
        }
    }
}

fn default_file(key: &Key, findings: &mut Findings<'_>) -> PathBuf {
    match findings.variable("STATE_DIRECTORY") {
        // systemd names several, separated by colons; the first is the service's own.
        Some(folders) => {
            PathBuf::from(folders.split(':').next().unwrap_or_default()).join(DATABASE)
        }
        None => findings.path(&key.child("sqlite"), DATABASE),
    }
}

impl Totp {
    pub(super) fn validate(raw: file::Totp, findings: &mut Findings<'_>) -> Self {
        let file::Totp { issuer, challenge_timeout, challenge_tries, basic } = raw;
        let key = Key::of("totp");
        let issuer = issuer.unwrap_or_else(|| "doorward".to_owned());
        if issuer.is_empty() || issuer.len() > 64 || issuer.contains([':', '/', '?', '#', '%']) {
            let reason = "must be 1 to 64 characters without `:`, `/`, `?`, `#` and `%`";
            findings.error(&key.child("issuer"), reason);
        }
        let tries = findings.number(&key.child("challenge_tries"), challenge_tries, 5, 1..=5);
        Self {
            issuer,
            challenge_timeout: findings.duration(
                &key.child("challenge_timeout"),
                challenge_timeout.as_deref(),
                Duration::from_mins(5),
                Duration::from_secs(10)..=Duration::from_mins(5),
            ),
            challenge_tries: tries,
            appends_to_password: matches!(basic, Some(file::TotpBasic::Append)),
        }
    }
}

impl Sessions {
    pub(super) fn validate(raw: file::Sessions, findings: &mut Findings<'_>) -> Self {
        let file::Sessions { idle_timeout, lifetime } = raw;
        let key = Key::of("sessions");
        let mut time = |name: &str, raw: Option<String>, default| {
            let range = Duration::from_secs(1)..=Duration::from_hours(24 * 31);
            findings.duration(&key.child(name), raw.as_deref(), default, range)
        };
        Self {
            idle_timeout: time("idle_timeout", idle_timeout, Duration::from_mins(30)),
            lifetime: time("lifetime", lifetime, Duration::from_hours(12)),
        }
    }
}

impl Throttle {
    pub(super) fn validate(raw: file::Throttle, findings: &mut Findings<'_>) -> Self {
        let file::Throttle { failures, failures_per_address, delay, max_delay } = raw;
        let key = Key::of("throttle");
        let mut count = |name: &str, raw, default| {
            findings.number(&key.child(name), raw, default, 1..=1_000_000)
        };
        let (failures, failures_per_address) = (
            count("failures", failures, 5),
            count("failures_per_address", failures_per_address, 50),
        );
        let mut time = |name: &str, raw: Option<String>, default| {
            let range = Duration::from_millis(10)..=Duration::from_hours(24);
            findings.duration(&key.child(name), raw.as_deref(), default, range)
        };
        let delay = time("delay", delay, Duration::from_secs(1));
        let max_delay = time("max_delay", max_delay, Duration::from_mins(5));
        if max_delay < delay {
            findings.error(&key.child("max_delay"), "is shorter than `delay`");
        }
        Self { failures, failures_per_address, delay, max_delay }
    }
}
