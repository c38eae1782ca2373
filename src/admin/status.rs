//! What `/status` and `/readyz` tell.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether requests can be served, as far as the parts that must stand before have told.
#[derive(Debug, Default)]
pub struct Readiness {
    listening: AtomicBool,
    loaded: AtomicBool,
    draining: AtomicBool,
    store_away: AtomicBool,
}

impl Readiness {
    /// Nothing stands yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every listener is bound and accepts.
    pub fn listening(&self) {
        self.listening.store(true, Relaxed);
    }

    /// A snapshot is in service.
    pub fn loaded(&self) {
        self.loaded.store(true, Relaxed);
    }

    /// The gateway ends: what runs is finished, nothing new should come.
    pub fn draining(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Whether the gateway is ending.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Whether the store answers. Without it nothing is issued, and everything else goes on.
    pub fn store(&self, is_well: bool) {
        self.store_away.store(!is_well, Relaxed);
    }

    /// What does not work, though requests are welcome.
    #[must_use]
    pub fn degraded(&self) -> Vec<&'static str> {
        let is_away = self.store_away.load(Relaxed);
        is_away.then_some("the store is away: nothing is issued").into_iter().collect()
    }

    /// Why requests should not be sent here; empty when ready.
    #[must_use]
    pub fn obstacles(&self) -> Vec<&'static str> {
        [
            (!self.listening.load(Relaxed), "listeners are not bound"),
            (!self.loaded.load(Relaxed), "no configuration is loaded"),
            (self.draining.load(Relaxed), "draining"),
        ]
        .into_iter()
        .filter_map(|(stands, reason)| stands.then_some(reason))
        .collect()
    }
}

/// The body of `/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Seconds since the start.
    pub uptime_seconds: u64,
    /// Whether it is ending.
    pub draining: bool,
    /// What does not work, though requests are welcome.
    #[serde(default)]
    pub degraded: Vec<String>,
    /// The snapshot's number.
    pub generation: u64,
    /// When that took effect, in Unix seconds.
    pub loaded_at: u64,
    /// The last reload, if there was one.
    pub last_reload: Option<LastReload>,
    /// Listeners, in the configuration's order.
    pub listeners: Vec<ListenerStatus>,
    /// Worker threads.
    pub workers: u64,
    /// Routes in service.
    pub routes: u64,
    /// Users in all directories.
    pub users: u64,
    /// Keys in all keyrings.
    pub keys: u64,
    /// Certificates in service.
    pub certificates: Vec<CertificateStatus>,
    /// Open connections of clients.
    pub connections: u64,
    /// Requests in progress.
    pub requests_active: u64,
    /// Requests served since the start.
    pub requests: u64,
    /// Who has failed to log in, and who has to wait.
    #[serde(default)]
    pub throttle: ThrottleStatus,
    /// Access log lines that were dropped.
    pub log_lines_dropped: u64,
    /// Warnings of the configuration in service.
    pub warnings: Vec<String>,
}

/// How the last reload ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastReload {
    /// When, in Unix seconds.
    pub at: u64,
    /// Whether it took effect.
    pub succeeded: bool,
    /// Why not: places and reasons.
    pub error: Option<String>,
}

/// What the throttle counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ThrottleStatus {
    /// Users about whom something is known.
    pub users: u64,
    /// Addresses with failures.
    pub addresses: u64,
    /// Attempts that failed, since the start.
    pub failed: u64,
    /// Attempts that were not made because somebody had to wait, since the start.
    pub throttled: u64,
    /// Users and addresses that have to wait now.
    pub waiting_now: u64,
    /// Some of them, those with the longest waits first. For operators alone.
    #[serde(default)]
    pub waiting: Vec<WaitStatus>,
}

/// A user or an address that has to wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitStatus {
    /// The name, as it was given first. `None`: it is about the address, whoever it names.
    pub user: Option<String>,
    /// The address, or the network of 64 bits. `None`: it is about the user from everywhere.
    pub address: Option<String>,
    /// Failures since the last success.
    pub failures: u32,
    /// For how many seconds.
    pub seconds: u64,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListenerStatus {
    /// Its name in the configuration.
    pub name: String,
    /// The address to which it is bound.
    pub address: String,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Open connections.
    pub connections: u64,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateStatus {
    /// Its name in the configuration.
    pub name: String,
    /// `notAfter`, in Unix seconds.
    pub expires: u64,
    /// Seconds until then; negative when it is over.
    pub remaining_seconds: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_bound_loaded_and_not_draining() {
        let readiness = Readiness::new();
        assert_eq!(readiness.obstacles().len(), 2);

        readiness.listening();
        readiness.loaded();
        assert!(readiness.obstacles().is_empty());

        readiness.draining();
        assert_eq!(readiness.obstacles(), ["draining"]);
    }
}
