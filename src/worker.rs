//! What one worker thread owns: its clock, its memories, its pools, its counters. Nothing of it
//! is shared with another worker while a request is under way, so nothing of it is locked.

pub mod decisions;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use self::decisions::Decisions;
use crate::clock::ticker::Ticker;
use crate::endpoint::Desk;
use crate::forward::pool::Pool;
use crate::identity::memory::{Digest, Memory};
use crate::identity::standing::Standing;
use crate::identity::throttle::Throttle;
use crate::identity::{self, Principal};
use crate::route::upstream::Upstream;
use crate::session::Sealer;
use crate::snapshot::{Reader, Snapshot, SnapshotStore};
use crate::telemetry::access_log::LogBuffer;
use crate::telemetry::id::{Id, IdSource};
use crate::telemetry::metrics::{RouteMetrics, WorkerMetrics};
use crate::token::Scratch;

/// After how many ticks log lines are handed over, though their buffer is not full.
const LOG_TICKS: u32 = 4;

/// After how many ticks it is looked for changes that end what is under way.
const CHANGE_TICKS: u32 = 4;

/// How many bytes of right passwords a worker remembers.
const PASSWORD_MEMORY: usize = 4 * 1024 * 1024;

/// How many bytes of API keys, and how many of sessions.
const KEY_MEMORY: usize = 4 * 1024 * 1024;
const SESSION_MEMORY: usize = 8 * 1024 * 1024;

/// Pools of idle connections by host and port.
type Pools = HashMap<(Box<str>, u16), Rc<Pool>>;

/// One worker.
#[derive(Debug)]
pub struct Worker {
    /// Its coarse clock, on which all its deadlines hang.
    pub ticker: Rc<Ticker>,
    /// What it counts.
    pub metrics: Arc<WorkerMetrics>,
    /// What it knows together with the others.
    pub shared: Shared,
    /// Where requests to endpoints of ours are handed over.
    pub desk: Option<Desk>,
    /// Its part of the access log.
    pub log: RefCell<LogBuffer>,
    /// Its latest refusals.
    pub decisions: RefCell<Decisions>,
    ids: RefCell<IdSource>,
    reader: RefCell<Reader>,
    view: RefCell<Rc<View>>,
    pools: RefCell<Pools>,
    is_draining: Cell<bool>,
    ticks: Cell<u32>,
    /// The versions of the snapshot and of what is known beside it that were seen last.
    seen: Cell<(u64, u64)>,
    changes: Cell<u64>,
    /// The reason that was counted last, and its place: mostly it is the next one's as well.
    pub last_reason: Cell<(&'static str, usize)>,
}

/// What all workers and the token service know together, beside the snapshot.
#[derive(Clone, Debug)]
pub struct Shared {
    /// What has ended, and which keys there are.
    pub standing: Arc<Standing>,
    /// Who has failed how often.
    pub throttle: Arc<Throttle>,
    /// Opens the sessions of browsers.
    pub sealer: Arc<Sealer>,
}

/// What a worker makes of one snapshot. Memories live and end with it, so that nothing
/// verified under one version is believed under the next.
#[derive(Debug)]
pub struct View {
    /// The snapshot.
    pub snapshot: Arc<Snapshot>,
    /// Verified tokens.
    pub tokens: RefCell<Memory<Box<str>>>,
    /// What verifying tokens leaves for the next.
    pub scratch: RefCell<Scratch>,
    /// Verified passwords.
    pub passwords: RefCell<Memory<Digest>>,
    /// API keys that have been looked up.
    pub keys: RefCell<Memory<Box<str>>>,
    /// Sessions that have been opened.
    pub sessions: RefCell<Memory<Box<str>>>,
    /// Connections, by index of the upstream.
    pub pools: Vec<Rc<Pool>>,
    /// Counters, by index of the route.
    pub routes: Vec<Arc<RouteMetrics>>,
    /// Nobody in particular.
    pub anonymous: Rc<Principal>,
}

/// What a worker is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where snapshots are found.
    pub snapshots: Arc<SnapshotStore>,
    /// What it counts.
    pub metrics: Arc<WorkerMetrics>,
    /// Its part of the access log.
    pub log: LogBuffer,
    /// What it knows together with the others.
    pub shared: Shared,
    /// Where requests to endpoints of ours are handed over.
    pub desk: Option<Desk>,
    /// Its source of ids.
    pub ids: IdSource,
}

impl Worker {
    /// Starts with the current snapshot. Must be called on the worker's own thread.
    #[must_use]
    pub fn new(parts: Parts) -> Rc<Self> {
        let Parts { snapshots, metrics, shared, desk, log, ids } = parts;
        let ticker = Ticker::new(crate::clock::since_epoch());
        let mut reader = snapshots.reader();
        let mut pools = HashMap::new();
        let view = View::new(Arc::clone(reader.current()), &ticker, &metrics, &mut pools);
        Rc::new(Self {
            ticker,
            metrics,
            shared,
            desk,
            log: RefCell::new(log),
            decisions: RefCell::default(),
            ids: RefCell::new(ids),
            reader: RefCell::new(reader),
            view: RefCell::new(Rc::new(view)),
            pools: RefCell::new(pools),
            is_draining: Cell::new(false),
            ticks: Cell::new(0),
            seen: Cell::default(),
            changes: Cell::new(0),
            last_reason: Cell::new(("", 0)),
        })
    }

    /// The current snapshot as this worker sees it. Called once per request.
    pub fn view(&self) -> Rc<View> {
        let mut reader = self.reader.borrow_mut();
        let current = reader.current();
        let mut view = self.view.borrow_mut();
        if !Arc::ptr_eq(current, &view.snapshot) {
            let pools = &mut *self.pools.borrow_mut();
            *view = Rc::new(View::new(Arc::clone(current), &self.ticker, &self.metrics, pools));
        }
        Rc::clone(&view)
    }

    /// A new id.
    pub fn next_id(&self) -> Id {
        self.ids.borrow_mut().next_id()
    }

    /// Moves the clock on, and does what is due: deadlines, idle connections, the log.
    pub fn tick(&self) {
        self.ticker.advance(crate::clock::since_epoch());
        let view = self.view();
        for (upstream, pool) in view.snapshot.upstreams.iter().zip(&view.pools) {
            pool.sweep(millis(upstream.times.pool_idle));
        }
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks.is_multiple_of(LOG_TICKS) {
            self.log.borrow_mut().flush();
        }
        if ticks.is_multiple_of(CHANGE_TICKS) {
            self.look_for_changes(&view);
        }
    }

    /// Wakes whatever is under way when something has changed that may end it.
    fn look_for_changes(&self, view: &View) {
        let found = (view.snapshot.generation, self.shared.standing.epoch());
        if self.seen.replace(found) != found {
            self.changes.set(self.changes.get().wrapping_add(1));
            if view.snapshot.cuts_revoked {
                self.ticker.wake_all();
            }
        }
    }

    /// How often something has changed that may end what is under way, as far as this worker has
    /// noticed: within a quarter of a second.
    pub fn changes(&self) -> u64 {
        self.changes.get()
    }

    /// Tells every connection that the worker takes no more requests.
    pub fn drain(&self) {
        self.is_draining.set(true);
        self.ticker.wake_all();
    }

    /// Whether connections are to end with their current request.
    pub fn is_draining(&self) -> bool {
        self.is_draining.get()
    }
}

impl View {
    fn new(
        snapshot: Arc<Snapshot>,
        ticker: &Rc<Ticker>,
        metrics: &WorkerMetrics,
        pools: &mut Pools,
    ) -> Self {
        let key = |upstream: &Upstream| (upstream.host.clone(), upstream.port);
        let wanted: Vec<_> = snapshot.upstreams.iter().map(key).collect();
        pools.retain(|key, _| wanted.contains(key));
        let pools = wanted
            .into_iter()
            .map(|key| Rc::clone(pools.entry(key).or_insert_with(|| Pool::new(Rc::clone(ticker)))))
            .collect();
        Self {
            tokens: RefCell::new(Memory::new(snapshot.token_memory)),
            scratch: RefCell::default(),
            passwords: RefCell::new(Memory::new(PASSWORD_MEMORY)),
            keys: RefCell::new(Memory::new(KEY_MEMORY)),
            sessions: RefCell::new(Memory::new(SESSION_MEMORY)),
            pools,
            routes: snapshot
                .routes
                .routes()
                .iter()
                .map(|route| metrics.route(&route.name))
                .collect(),
            anonymous: Rc::new(identity::anonymous()),
            snapshot,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
