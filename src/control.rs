//! The control plane: files and environment → configuration → snapshot → swap.
//!
//! It never sees a request, and its work is done on a thread of its own ([`loader`]). One thing
//! happens at a time, and whatever goes wrong leaves the last good version serving.

pub mod files;
pub mod loader;
pub mod retired;
pub mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock;
use crate::config::{self, Config, ConfigErrors, ListenAddress};
use crate::snapshot::{Keep, LoadError, LoadErrors, Snapshot, SnapshotStore};
use crate::telemetry::log::LevelControl;
use crate::telemetry::metrics::{Certificate, ControlMetrics};

use self::files::Fingerprint;
use self::loader::Loader;
use self::retired::Retired;

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// What it names.
    #[error(transparent)]
    Load(#[from] LoadErrors),
}

/// The last attempt to reload.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// When, in Unix seconds.
    pub at: u64,
    /// What was wrong, if anything was.
    pub error: Option<String>,
}

/// Loads, and loads again.
#[derive(Debug)]
pub struct Control {
    loader: Loader,
    path: PathBuf,
    /// What was bound at start, which a reload cannot change.
    bound: Vec<(String, ListenAddress)>,
    snapshots: Arc<SnapshotStore>,
    retired: Retired,
    metrics: Arc<ControlMetrics>,
    level: Option<LevelControl>,
    state: Mutex<State>,
    outcome: Mutex<Option<Outcome>>,
}

/// What belongs to the last good load. Its lock makes reloads one at a time.
#[derive(Debug)]
struct State {
    config: Config,
    keep: Keep,
    /// What a configuration that could not be loaded names besides.
    tried: Vec<PathBuf>,
    seen: Fingerprint,
}

impl State {
    /// Every file and folder of which a change is a reason to load again.
    fn watched(&self) -> impl Iterator<Item = &Path> {
        self.config.watched().chain(self.tried.iter().map(PathBuf::as_path))
    }
}

impl Control {
    /// Reads the configuration as a start would.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn read(path: &Path) -> Result<Config, ConfigErrors> {
        // Not `vars`, which panics at what is not UTF-8: that is nobody's key, or a wrong value.
        let environment = std::env::vars_os().map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        });
        Config::load(path, environment)
    }

    /// Builds the first snapshot and takes over. Blocks.
    ///
    /// # Errors
    ///
    /// Everything that keeps it from being built.
    pub fn start(
        loader: Loader,
        path: PathBuf,
        config: Config,
        metrics: Arc<ControlMetrics>,
        level: Option<LevelControl>,
    ) -> Result<Arc<Self>, LoadErrors> {
        let building = loader.run_blocking(move || {
            let seen = Fingerprint::of(config.watched());
            let mut keep = Keep::default();
            let snapshot = Snapshot::build(&config, 1, &mut keep)?;
            Ok((snapshot, State { config, keep, tried: Vec::new(), seen }))
        });
        let (snapshot, state) =
            building.unwrap_or_else(|| Err(LoadErrors(vec![LoadError::BrokeOff])))?;
        note_loaded(&metrics, &snapshot);
        let bound = addresses(&state.config);
        Ok(Arc::new(Self {
            loader,
            path,
            bound,
            snapshots: SnapshotStore::new(snapshot),
            retired: Retired::default(),
            metrics,
            level,
            state: Mutex::new(state),
            outcome: Mutex::new(None),
        }))
    }

    /// Where workers find the current version.
    #[must_use]
    pub fn snapshots(&self) -> &Arc<SnapshotStore> {
        &self.snapshots
    }

    /// The last attempt to reload, if there was one.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads something of the configuration that serves now.
    pub fn with_config<T>(&self, read: impl FnOnce(&Config) -> T) -> T {
        read(&self.state.lock().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// The folders in which a change is looked for.
    pub(crate) async fn folders(self: &Arc<Self>) -> BTreeSet<PathBuf> {
        self.ask(|state| files::folders(state.watched())).await.unwrap_or_default()
    }

    /// What the files that matter look like now; `None`: nobody can tell.
    pub(crate) async fn fingerprint(self: &Arc<Self>) -> Option<Fingerprint> {
        self.ask(|state| Fingerprint::of(state.watched())).await
    }

    /// Asks when what is being loaded has been loaded, without blocking anybody meanwhile.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Option<T> {
        let control = Arc::clone(self);
        let answer =
            move || question(&control.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.loader.run(answer).await
    }

    /// Loads if any file that matters has changed since the last attempt, and where that failed
    /// also if `insists`: what was missing may be a file that nobody knew of.
    pub async fn reload_if_changed(self: &Arc<Self>, insists: bool) {
        let control = Arc::clone(self);
        self.loader.run(move || control.load_if_changed(insists)).await;
    }

    /// Loads and swaps; on any error what serves goes on serving.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, with its places.
    pub async fn reload(self: &Arc<Self>) -> Result<u64, String> {
        let control = Arc::clone(self);
        let loaded = self.loader.run(move || control.load_anew()).await;
        loaded.unwrap_or_else(|| Err(LoadError::BrokeOff.to_string()))
    }

    fn load_if_changed(&self, insists: bool) {
        let has_changed = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            Fingerprint::of(state.watched()) != state.seen
        };
        let has_failed = || self.outcome().is_some_and(|outcome| outcome.error.is_some());
        if has_changed || (insists && has_failed()) {
            let _ = self.load_anew();
        }
    }

    fn load_anew(&self) -> Result<u64, String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.load(&mut state).map_err(|error| error.to_string());
        let outcome = Outcome { at: clock::unix_seconds(), error: result.as_ref().err().cloned() };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        match &result {
            Ok(generation) => {
                tracing::info!(generation, "Reloaded: generation {generation} serves");
            }
            Err(error) => {
                self.metrics.reload_failed();
                tracing::error!("Not reloaded, the last good version serves on: {error}");
            }
        }
        result
    }

    fn load(&self, state: &mut State) -> Result<u64, ReloadError> {
        // Taken first: what changes while we read is read again.
        state.seen = Fingerprint::of(state.watched());
        let config = Self::read(&self.path)?;
        let seen = Fingerprint::of(config.watched());
        // Until it has been loaded, its files count beside those of what serves.
        state.tried = config.watched().map(Path::to_owned).collect();
        state.seen = Fingerprint::of(state.watched());
        if let Some(changed) = self.changed_listener(&config) {
            return Err(LoadErrors(vec![LoadError::Listeners(changed)]).into());
        }
        let generation = self.snapshots.current().generation + 1;
        let snapshot = Snapshot::build(&config, generation, &mut state.keep)?;
        note_loaded(&self.metrics, &snapshot);
        note_fixed(&state.config, &config);
        if let Some(level) = &self.level {
            level.set(level_of(config.log.level));
        }
        self.retired.add(self.snapshots.swap(snapshot));
        state.config = config;
        state.tried.clear();
        state.seen = seen;
        Ok(generation)
    }

    fn changed_listener(&self, config: &Config) -> Option<String> {
        let now = addresses(config);
        if now.len() != self.bound.len() {
            return Some("their number".to_owned());
        }
        let differs = self.bound.iter().zip(&now).find(|(before, after)| before != after);
        differs.map(|(_, (name, _))| format!("`{name}`"))
    }
}

/// The level as the log knows it.
#[must_use]
pub fn level_of(level: config::LogLevel) -> tracing::Level {
    match level {
        config::LogLevel::Error => tracing::Level::ERROR,
        config::LogLevel::Warn => tracing::Level::WARN,
        config::LogLevel::Info => tracing::Level::INFO,
        config::LogLevel::Debug => tracing::Level::DEBUG,
        config::LogLevel::Trace => tracing::Level::TRACE,
    }
}

fn addresses(config: &Config) -> Vec<(String, ListenAddress)> {
    let listeners = config.listeners.iter();
    listeners.map(|listener| (listener.name.clone(), listener.address.clone())).collect()
}

fn note_loaded(metrics: &ControlMetrics, snapshot: &Snapshot) {
    for warning in &snapshot.summary.warnings {
        tracing::warn!("{warning}");
    }
    let certificates = snapshot.summary.certificates.iter();
    let certificates = certificates
        .map(|facts| Certificate { name: facts.name.as_str().into(), expires: facts.expires })
        .collect();
    metrics.loaded(snapshot.generation, clock::unix_seconds(), certificates);
}

/// Says what of a change waits for a restart.
fn note_fixed(before: &Config, after: &Config) {
    let is_fixed = before.server.workers != after.server.workers
        || before.admin != after.admin
        || before.log.format != after.log.format
        || before.log.file != after.log.file
        || before.log.access != after.log.access
        || before.log.queue != after.log.queue
        || !before.store.is_same(&after.store);
    if is_fixed {
        tracing::warn!(
            "`server.workers`, `admin.address`, `[store]` and `[log]` but its level take effect \
             with the next start"
        );
    }
}
