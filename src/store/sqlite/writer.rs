//! The one thread that has the file open.
//!
//! Callers hand it their work over a bounded queue and wait for the answer no longer than the
//! timeout. It takes all work that waits into one transaction, so that those who wait at the same
//! time share one `fsync`, tells the workers what has changed, and only then answers. Work whose
//! caller has gone is not begun.

use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::super::StoreError;
use super::open;
use crate::identity::standing::{Change, Standing};

/// How much work may wait.
const QUEUE: usize = 1_024;

/// How much work shares a transaction.
const BATCH: usize = 128;

/// What a piece of work comes to, and what it changes of what the workers know.
pub(super) type Outcome<T> = Result<(T, Vec<Change>), StoreError>;

/// Whether work writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It only reads.
    Reads,
    /// It writes.
    Writes,
}

/// Work, with its answer to come.
struct Job {
    access: Access,
    /// `None`: its caller has gone.
    run: Run,
}

type Run = Box<dyn FnOnce(&Connection) -> Option<Done> + Send>;

/// Work that is done, but not yet committed.
struct Done {
    has_failed: bool,
    /// Why the file may be of no use.
    trouble: Option<Trouble>,
    changes: Vec<Change>,
    answer: Box<dyn FnOnce(Commit) + Send>,
}

/// Whether what was done will stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commit {
    Failed,
    Stays,
}

/// The way to the thread. Dropping it lets the thread finish what waits, and close the file.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    timeout: Duration,
    is_well: Arc<AtomicBool>,
    /// Whether somebody has waited in vain since a write was last tried out.
    is_late: AtomicBool,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        path: PathBuf,
        timeout: Duration,
        standing: Arc<Standing>,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let is_well = Arc::new(AtomicBool::new(true));
        let opened = Some(Opened::new(connection, &path));
        let file = Open { opened, path, timeout, is_well: Arc::clone(&is_well) };
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work(&jobs, file, &standing))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            timeout,
            is_well,
            is_late: AtomicBool::new(false),
        })
    }

    /// Has `work` done on the thread.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        access: Access,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.submit(Job {
            access,
            run: Box::new(move |connection| run(connection, work, sender)),
        })?;
        match tokio::time::timeout(self.timeout, receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::Unavailable(None)),
            Err(elapsed) => {
                self.is_late.store(true, Ordering::Relaxed);
                Err(StoreError::away(elapsed))
            }
        }
    }

    /// Whether the file can be used. Where the last to write could not, it is tried again.
    pub(super) async fn is_well(&self) -> bool {
        if self.is_well.load(Ordering::Relaxed) && !self.is_late.load(Ordering::Relaxed) {
            let work = |connection: &Connection| execute(connection, "SELECT 1 FROM probe");
            return self.call(Access::Reads, work).await.is_ok();
        }
        let put = "INSERT INTO probe (id, count) VALUES (1, 1) \
                   ON CONFLICT (id) DO UPDATE SET count = count + 1";
        self.is_late.store(false, Ordering::Relaxed); // unless this is late as well
        self.call(Access::Writes, move |connection| execute(connection, put)).await.is_ok()
    }

    fn submit(&self, job: Job) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Unavailable(None))?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::away("too much waits for it"),
            TrySendError::Disconnected(_) => StoreError::Unavailable(None),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // one that panicked has nothing left to finish
        }
    }
}

fn execute(connection: &Connection, statement: &str) -> Outcome<()> {
    let done = connection.execute_batch(statement).map_err(StoreError::away);
    done.map(|()| ((), Vec::new()))
}

fn run<T: Send + 'static>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Outcome<T>,
    sender: oneshot::Sender<Result<T, StoreError>>,
) -> Option<Done> {
    if sender.is_closed() {
        return None;
    }
    let (result, changes) = match work(connection) {
        Ok((value, changes)) => (Ok(value), changes),
        Err(error) => (Err(error), Vec::new()),
    };
    let trouble = match &result {
        Err(StoreError::Unavailable(Some(source))) => source.downcast_ref().map(Trouble::of),
        _ => None,
    };
    Some(Done {
        has_failed: result.is_err(),
        trouble,
        changes,
        answer: Box::new(move |commit| {
            let result = match commit {
                Commit::Stays => result,
                Commit::Failed => result.and(Err(StoreError::Unavailable(None))),
            };
            let _ = sender.send(result); // nobody waits any more
        }),
    })
}

/// What an error says of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// It cannot be used at the moment.
    Passing,
    /// It had better be opened anew.
    Broken,
}

impl Trouble {
    fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull) => {
                Self::Passing
            }
            _ => Self::Broken,
        }
    }
}

fn work(jobs: &Receiver<Job>, mut file: Open, standing: &Standing) {
    while let Ok(first) = jobs.recv() {
        let batch = std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1)).collect();
        // Nothing in there is known to panic; if something does, those who asked are told that
        // the store is away, and the file is opened anew.
        if catch_unwind(AssertUnwindSafe(|| file.serve(batch, standing))).is_err() {
            file.opened = None;
        }
    }
}

/// The file, as far as it is open.
struct Open {
    opened: Option<Opened>,
    path: PathBuf,
    timeout: Duration,
    /// Whether it took what was written last.
    is_well: Arc<AtomicBool>,
}

/// A connection, and the file that it is to.
struct Opened {
    connection: Connection,
    place: Option<(u64, u64)>,
}

impl Opened {
    fn new(connection: Connection, path: &Path) -> Self {
        Self { connection, place: place_of(path) }
    }
}

/// The file that has this path now.
fn place_of(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

impl Open {
    fn serve(&mut self, batch: Vec<Job>, standing: &Standing) {
        let writes = batch.iter().any(|job| job.access == Access::Writes);
        match self.try_serve(batch, writes, standing) {
            Ok(None) if writes => {
                if !self.is_well.swap(true, Ordering::Relaxed) {
                    tracing::info!(file.path = %self.path.display(), "The store is available again");
                }
            }
            Ok(None) => {}
            Ok(Some(trouble)) => self.note(trouble, None),
            Err(error) => self.note(Trouble::of(&error), Some(&error)),
        }
    }

    fn note(&mut self, trouble: Trouble, error: Option<&rusqlite::Error>) {
        if trouble == Trouble::Broken {
            self.opened = None;
        }
        if self.is_well.swap(false, Ordering::Relaxed) {
            tracing::error!(
                file.path = %self.path.display(),
                error = error.map(|error| error as &dyn std::error::Error),
                "The store is not available"
            );
        }
    }

    /// Does all that is in `batch`, in one transaction. On an error all is undone, and who asked
    /// is told that the store is away, at the latest when `batch` is dropped.
    fn try_serve(
        &mut self,
        batch: Vec<Job>,
        writes: bool,
        standing: &Standing,
    ) -> rusqlite::Result<Option<Trouble>> {
        let Opened { connection, place } = match &mut self.opened {
            Some(opened) => opened,
            closed => closed.insert(Opened::new(
                open::connect(&self.path, patience(self.timeout))?,
                &self.path,
            )),
        };
        // What is written to a file that somebody has taken away, or put another in the place
        // of, would be gone at the next start.
        if place_of(&self.path) != *place {
            return Err(rusqlite::Error::InvalidPath(self.path.clone()));
        }
        let behavior =
            if writes { TransactionBehavior::Immediate } else { TransactionBehavior::Deferred };
        let transaction = connection.transaction_with_behavior(behavior)?;
        let mut done = Vec::with_capacity(batch.len());
        let ran = run_all(&transaction, batch, &mut done);
        if let Err(error) = ran.and_then(|()| transaction.commit()) {
            answer(done, Commit::Failed);
            return Err(error);
        }
        let trouble = done.iter().filter_map(|one| one.trouble).max();
        let changes = done.iter_mut().flat_map(|one| std::mem::take(&mut one.changes));
        let changes = changes.collect::<Vec<_>>();
        if !changes.is_empty() {
            standing.apply(changes);
        }
        answer(done, Commit::Stays);
        Ok(trouble)
    }
}

/// Does the work, each piece undone by itself where it fails.
fn run_all(
    transaction: &Transaction<'_>,
    batch: Vec<Job>,
    done: &mut Vec<Done>,
) -> rusqlite::Result<()> {
    for job in batch {
        transaction.prepare_cached("SAVEPOINT job")?.execute([])?;
        let one = (job.run)(transaction);
        let has_failed = one.as_ref().is_some_and(|one| one.has_failed);
        done.extend(one);
        if has_failed {
            transaction.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        transaction.prepare_cached("RELEASE job")?.execute([])?;
    }
    Ok(())
}

/// How long to wait for another process that has the file locked: less than the callers wait.
pub(super) fn patience(timeout: Duration) -> Duration {
    timeout.saturating_mul(3) / 4
}

fn answer(done: Vec<Done>, commit: Commit) {
    for one in done {
        (one.answer)(commit);
    }
}
