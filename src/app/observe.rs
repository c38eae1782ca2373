//! What an operator can see of the running gateway, gathered from its parts when asked.

use std::sync::Arc;
use std::time::Instant;

use crate::admin::status::{
    CertificateStatus, LastReload, ListenerStatus, Status, ThrottleStatus, WaitStatus,
};
use crate::admin::{AdminState, Api, Readiness, ReloadOutcome};
use crate::clock;
use crate::control::Control;
use crate::gateway::explain::Explainers;
use crate::identity::throttle::Throttle;
use crate::listener::socket::Bound;
use crate::telemetry::access_log::LogCounters;
use crate::telemetry::metrics::{ControlMetrics, HashingPool, Sources, WorkerMetrics, registry};

/// The parts that have something to tell.
pub(super) struct Observed {
    pub(super) readiness: Arc<Readiness>,
    listeners: Vec<(String, String)>,
    control: Arc<Control>,
    control_metrics: Arc<ControlMetrics>,
    workers: Vec<Arc<WorkerMetrics>>,
    access_log: Option<Arc<LogCounters>>,
    log: Arc<LogCounters>,
    started: Instant,
    started_at: u64,
}

impl Observed {
    pub(super) fn new(
        bound: &[Bound],
        control: Arc<Control>,
        control_metrics: Arc<ControlMetrics>,
        workers: Vec<Arc<WorkerMetrics>>,
        access_log: Option<Arc<LogCounters>>,
        log: Arc<LogCounters>,
    ) -> Arc<Self> {
        let address = |bound: &Bound| (bound.name.to_string(), bound.address.to_string());
        Arc::new(Self {
            readiness: Arc::new(Readiness::new()),
            listeners: bound.iter().map(address).collect(),
            control,
            control_metrics,
            workers,
            access_log,
            log,
            started: Instant::now(),
            started_at: clock::unix_seconds(),
        })
    }

    /// One line for the service manager.
    pub(super) fn status_line(&self) -> String {
        let addresses: Vec<_> = self.listeners.iter().map(|(_, address)| &**address).collect();
        format!(
            "Serving generation {} on {}",
            self.control_metrics.generation(),
            addresses.join(", ")
        )
    }

    /// What the admin listener reads from and acts on.
    pub(super) fn admin_state(
        self: &Arc<Self>,
        api: Api,
        explainers: Explainers,
    ) -> prometheus::Result<AdminState> {
        let pool = Arc::clone(&self.control);
        let registry = registry(Sources {
            workers: self.workers.clone(),
            control: Arc::clone(&self.control_metrics),
            access_log: self.access_log.clone(),
            log: Some(Arc::clone(&self.log)),
            hashing: Some(Box::new(move || hashing(&pool))),
            started_at: self.started_at,
        })?;
        let observed = Arc::clone(self);
        let control = Arc::clone(&self.control);
        let throttle = Arc::clone(api.throttle());
        Ok(AdminState {
            registry,
            readiness: Arc::clone(&self.readiness),
            status: Box::new(move || observed.status(&throttle)),
            decision: Box::new(move |id| {
                let explainers = explainers.clone();
                Box::pin(async move { explainers.explain(&id).await })
            }),
            reload: Box::new(move || {
                let control = Arc::clone(&control);
                Box::pin(async move { reload(control).await })
            }),
            api: Some(api),
            hosts: Vec::new(),
        })
    }

    fn status(&self, throttle: &Throttle) -> Status {
        let snapshot = self.control.snapshots().current();
        let now = clock::unix_seconds();
        let sum =
            |read: fn(&WorkerMetrics) -> u64| self.workers.iter().map(|worker| read(worker)).sum();
        let certificates = snapshot.summary.certificates.iter();
        let dropped = self.access_log.as_ref().map_or(0, |log| log.dropped());
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_seconds: self.started.elapsed().as_secs(),
            draining: self.readiness.is_draining(),
            degraded: self.readiness.degraded().into_iter().map(ToOwned::to_owned).collect(),
            generation: snapshot.generation,
            loaded_at: self.control_metrics.loaded_at(),
            last_reload: self.control.outcome().map(|outcome| LastReload {
                at: outcome.at,
                succeeded: outcome.error.is_none(),
                error: outcome.error,
            }),
            listeners: self.listeners(&snapshot),
            workers: count(self.workers.len()),
            routes: count(snapshot.routes.routes().len()),
            users: count(snapshot.summary.users),
            keys: count(snapshot.summary.keys),
            certificates: certificates
                .map(|facts| CertificateStatus {
                    name: facts.name.clone(),
                    expires: facts.expires,
                    remaining_seconds: facts.expires.cast_signed() - now.cast_signed(),
                })
                .collect(),
            connections: sum(WorkerMetrics::connections),
            requests_active: sum(WorkerMetrics::requests_in_progress),
            requests: sum(WorkerMetrics::requests),
            throttle: throttle_status(throttle),
            log_lines_dropped: dropped + self.log.dropped(),
            warnings: snapshot.summary.warnings.clone(),
        }
    }

    fn listeners(&self, snapshot: &crate::snapshot::Snapshot) -> Vec<ListenerStatus> {
        let each = self.listeners.iter().enumerate();
        each.map(|(index, (name, address))| ListenerStatus {
            name: name.clone(),
            address: address.clone(),
            tls: snapshot.listeners.get(index).is_some_and(|listener| listener.tls.is_some()),
            connections: self.workers.iter().map(|worker| worker.connections_of(index)).sum(),
        })
        .collect()
    }
}

/// How many of those who wait are told.
const MOST_WAITING: usize = 100;

fn throttle_status(throttle: &Throttle) -> ThrottleStatus {
    let counts = throttle.counts();
    let (all, waiting) = throttle.waiting(clock::since_epoch(), MOST_WAITING);
    ThrottleStatus {
        users: count(counts.users),
        addresses: count(counts.addresses),
        failed: counts.failed,
        throttled: counts.throttled,
        waiting_now: count(all),
        waiting: waiting
            .into_iter()
            .map(|wait| WaitStatus {
                user: wait.user.map(String::from),
                address: wait.address.map(|address| address.to_string()),
                failures: wait.failures,
                seconds: wait.wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
            })
            .collect(),
    }
}

async fn reload(control: Arc<Control>) -> ReloadOutcome {
    control.reload().await
}

fn hashing(control: &Control) -> HashingPool {
    let snapshot = control.snapshots().current();
    let status = snapshot.hashing.status();
    HashingPool {
        threads: count(snapshot.hashing_threads),
        busy: status.running,
        waiting: status.queued,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
