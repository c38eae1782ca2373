//! What the control plane counts: reloads, generation, certificates, and what the pools report.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// How many certificates are shown.
const CERTIFICATE_BOUND: usize = 256;

/// A served certificate and its end.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Certificate {
    /// The name under which it stands in the configuration: its first DNS name or its file.
    pub name: Box<str>,
    /// `notAfter`, in Unix seconds.
    pub expires: u64,
}

/// The state of the pool of hashing threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct HashingPool {
    /// Threads that hash.
    pub threads: u64,
    /// Threads that hash at this moment.
    pub busy: u64,
    /// Verifications that wait.
    pub waiting: u64,
}

/// Counters and gauges of the control plane; any thread may write them.
#[derive(Debug, Default)]
pub struct ControlMetrics {
    generation: AtomicU64,
    loaded_at: AtomicU64,
    reloads_succeeded: AtomicU64,
    reloads_failed: AtomicU64,
    last_reload_failed: AtomicU64,
    certificates: Mutex<Vec<Certificate>>,
}

impl ControlMetrics {
    /// All zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A snapshot took effect at `now` (Unix seconds) as `generation`, with these certificates.
    /// The first is the start, not a reload.
    pub fn loaded(&self, generation: u64, now: u64, mut certificates: Vec<Certificate>) {
        if self.generation.swap(generation, Relaxed) != 0 {
            self.reloads_succeeded.fetch_add(1, Relaxed);
        }
        self.loaded_at.store(now, Relaxed);
        self.last_reload_failed.store(0, Relaxed);
        certificates
            .sort_by(|one, other| one.name.cmp(&other.name).then(one.expires.cmp(&other.expires)));
        certificates.dedup_by(|later, earlier| later.name == earlier.name);
        certificates.truncate(CERTIFICATE_BOUND);
        *self.certificates.lock().unwrap_or_else(PoisonError::into_inner) = certificates;
    }

    /// A reload was refused; the last good snapshot keeps serving.
    pub fn reload_failed(&self) {
        self.reloads_failed.fetch_add(1, Relaxed);
        self.last_reload_failed.store(1, Relaxed);
    }

    /// The number of the snapshot that is served.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    /// When it took effect, in Unix seconds.
    #[must_use]
    pub fn loaded_at(&self) -> u64 {
        self.loaded_at.load(Relaxed)
    }

    /// Whether the last reload succeeded, or none was tried.
    #[must_use]
    pub fn is_last_reload_good(&self) -> bool {
        self.last_reload_failed.load(Relaxed) == 0
    }

    /// Reloads that took effect, and that were refused.
    #[must_use]
    pub fn reloads(&self) -> (u64, u64) {
        (self.reloads_succeeded.load(Relaxed), self.reloads_failed.load(Relaxed))
    }

    /// The certificates in service.
    #[must_use]
    pub fn certificates(&self) -> Vec<Certificate> {
        self.certificates.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_not_a_reload_and_a_failure_is_forgotten_at_the_next_success() {
        let metrics = ControlMetrics::new();

        metrics.loaded(1, 100, Vec::new());
        metrics.reload_failed();
        assert!(!metrics.is_last_reload_good());
        metrics.loaded(2, 200, Vec::new());

        assert!(metrics.is_last_reload_good());
        assert_eq!(metrics.reloads(), (1, 1));
        assert_eq!((metrics.generation(), metrics.loaded_at()), (2, 200));
    }

    #[test]
    fn of_certificates_with_one_name_the_first_to_expire_is_shown() {
        let metrics = ControlMetrics::new();
        let certificate = |expires| Certificate { name: "gw.example.org".into(), expires };

        metrics.loaded(1, 0, vec![certificate(20), certificate(10)]);

        assert_eq!(metrics.certificates(), [certificate(10)]);
    }
}
