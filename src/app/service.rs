//! What answers at the gateway's own endpoints: the store, the token service, and a runtime of
//! their own, so that a slow store holds up no worker.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::MissedTickBehavior;

use super::StartError;
use crate::admin::Readiness;
use crate::clock;
use crate::config::{self, Config, StorePlace};
use crate::control::Control;
use crate::endpoint::{Desk, Endpoints};
use crate::identity::standing::Standing;
use crate::identity::throttle::{Settings, Throttle};
use crate::service::{Parts, Reload, Secrets, SystemClock, TokenService};
use crate::session::Sealer;
use crate::snapshot::Snapshot;
use crate::store::{self, Store};
use crate::worker::Shared;

/// More would take time from the workers.
const THREADS: usize = 2;

/// How often the store is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The service at work.
pub(super) struct Service {
    runtime: Runtime,
    shared: Shared,
    desk: Desk,
}

impl Service {
    /// Opens the store and begins. Where the store cannot be used, nothing starts: who
    /// configured one counts on it.
    pub(super) fn start(
        config: &Config,
        control: &Arc<Control>,
        readiness: &Arc<Readiness>,
    ) -> Result<Self, StartError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("service")
            .enable_all()
            .build()
            .map_err(|error| StartError::System("a thread", error))?;
        let secrets = Secrets::derive(config.store.secret.as_ref())?;
        let standing = Standing::new();
        let throttle = Arc::new(Throttle::new(settings(config.throttle)));
        let sealer = Arc::new(Sealer::new(&*secrets.subkey("session")?)?);
        let store = runtime.block_on(open(&config.store, &standing))?;
        if let Some(store) = &store {
            runtime.spawn(store::feed::run(Arc::clone(store), Arc::clone(&standing)));
        }
        let service = TokenService::new(Parts {
            store: store.clone(),
            standing: Arc::clone(&standing),
            throttle: Arc::clone(&throttle),
            secrets,
            clock: Arc::new(SystemClock),
            reload: Some(Arc::new(Reloader(Arc::clone(control)))),
        });
        let service = Arc::new(service);
        let (control, readiness) = (Arc::clone(control), Arc::clone(readiness));
        runtime.spawn(look(Arc::clone(&service), control, readiness));
        let shared = Shared { standing, throttle, sealer };
        let desk = Desk::new(Arc::new(Endpoints::new(service)), runtime.handle().clone());
        Ok(Self { runtime, shared, desk })
    }

    /// What the workers know together with it.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Where workers hand requests over.
    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Ends it. What was acknowledged is stored; what was not may be lost.
    pub(super) fn stop(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// Loads changed files of users for the service.
struct Reloader(Arc<Control>);

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reloader")
    }
}

impl Reload for Reloader {
    fn reload(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        let control = Arc::clone(&self.0);
        Box::pin(async move { control.reload().await.is_ok() })
    }

    fn current(&self) -> Arc<Snapshot> {
        self.0.snapshots().current()
    }
}

/// Looks, every now and then, whether the store is well, at what the throttle goes by since the
/// last reload, and who can no longer log in.
async fn look(service: Arc<TokenService>, control: Arc<Control>, readiness: Arc<Readiness>) {
    let has_store = service.store().is_ok();
    let mut seen = control.snapshots().current();
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let current = control.snapshots().current();
        service.throttle().configure(settings(current.throttle));
        if has_store {
            readiness.store(service.is_well().await);
        }
        if current.generation != seen.generation
            && (!has_store || service.end_shut_out(&seen, &current).await.is_ok())
        {
            seen = current; // else it is tried again
        }
    }
}

/// What the throttle goes by.
fn settings(throttle: config::Throttle) -> Settings {
    Settings {
        failures: throttle.failures,
        failures_per_address: throttle.failures_per_address,
        delay: throttle.delay,
        max_delay: throttle.max_delay,
    }
}

async fn open(
    store: &config::Store,
    standing: &Arc<Standing>,
) -> Result<Option<Arc<dyn Store>>, StartError> {
    let (standing, now) = (Arc::clone(standing), clock::unix_seconds());
    match &store.place {
        StorePlace::Nowhere => Ok(None),
        StorePlace::Sqlite(path) => {
            let opened = store::sqlite::Sqlite::open(path, store.timeout, standing, now)?;
            Ok(Some(Arc::new(opened)))
        }
        #[cfg(feature = "postgres")]
        StorePlace::Postgres { url, ca } => {
            let settings = store::postgres::Settings {
                address: crate::secret::Secret::new(url.expose().trim_ascii().to_vec()),
                authorities: ca.clone(),
                timeout: store.timeout,
            };
            Ok(Some(Arc::new(store::Postgres::open(&settings, standing, now).await?)))
        }
        #[cfg(not(feature = "postgres"))]
        StorePlace::Postgres { .. } => Err(StartError::NoPostgres),
    }
}
