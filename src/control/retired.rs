//! Where old versions end.
//!
//! To free a hundred thousand users takes longer than a request may wait. So the last to let go of a
//! version must not be the worker whose request was the last that used it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::Control;
use crate::snapshot::Snapshot;

/// How often it is looked whether a version is still in use.
const LOOK: Duration = Duration::from_millis(250);

/// Versions that serve no more, as long as something under way may still use them.
#[derive(Debug, Default)]
pub(super) struct Retired {
    versions: Mutex<Vec<Arc<Snapshot>>>,
    news: Notify,
}

impl Retired {
    /// Takes over a version that was replaced.
    pub(super) fn add(&self, version: Arc<Snapshot>) {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).push(version);
        self.news.notify_one();
    }

    /// Frees what nobody uses any more. True if nothing is left.
    fn sweep(&self) -> bool {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever holds the only reference is the only one who could make another.
        let unused: Vec<_> =
            versions.extract_if(.., |version| Arc::strong_count(version) == 1).collect();
        let is_empty = versions.is_empty();
        drop(versions);
        drop(unused);
        is_empty
    }
}

/// Frees old versions for as long as it is polled.
pub async fn run(control: Arc<Control>) {
    loop {
        control.retired.news.notified().await;
        let mut has_more = true;
        while has_more {
            sleep(LOOK).await;
            let sweeping = Arc::clone(&control);
            let is_empty = control.loader.run(move || sweeping.retired.sweep()).await;
            has_more = is_empty == Some(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::loader::Loader;
    use crate::telemetry::metrics::ControlMetrics;

    const CONFIG: &str = "[listeners.main]\naddress = \"127.0.0.1:0\"\n[passwords]\nworkers = 1\n";

    #[tokio::test(start_paused = true)]
    async fn a_version_is_freed_once_nothing_uses_it_and_not_by_its_last_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.toml");
        std::fs::write(&path, CONFIG).unwrap();
        let config = Control::read(&path).unwrap();
        let metrics = Arc::new(ControlMetrics::new());
        let loader = Loader::start().unwrap();
        let control = Control::start(loader, path, config, metrics, None).unwrap();
        let in_use = control.snapshots().current();
        let version = Arc::downgrade(&in_use);

        control.reload().await.unwrap();
        assert!(!control.retired.sweep());
        drop(in_use);
        assert_eq!(version.strong_count(), 1, "held for whoever frees it");

        let freeing = tokio::spawn(run(Arc::clone(&control)));
        while version.strong_count() > 0 {
            sleep(LOOK).await;
        }
        freeing.abort();
        assert_eq!(control.snapshots().current().generation, 2);
    }
}
