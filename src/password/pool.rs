//! The threads on which passwords are hashed.
//!
//! Hashing takes tens of milliseconds of a core and more, so it never happens on a thread that
//! serves. The pool is bounded in every direction: its threads, the jobs that wait, and those
//! that wait for one source. Waiting sources take turns, one job each, and when all is full a
//! source with less waiting takes the last place of the one with the most: a flood of wrong
//! passwords makes its sender wait. So does one from many addresses: sources that were wrong come
//! behind those that were not. A job whose asker has gone is not computed.

mod queue;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use self::queue::{Job, Queue};
use super::PasswordHash;
use crate::secret::Secret;

/// How large a [`Pool`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Threads; 0 is half the cores, at least one.
    pub workers: usize,
    /// Verifications that may wait, over all sources; at least one.
    pub queue: usize,
    /// Verifications that may wait for one source; at least one.
    pub queue_per_address: usize,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { workers: 0, queue: 64, queue_per_address: 8 }
    }
}

/// Why a password was not verified. All of them pass: 503 with Retry-After.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// This source has as many verifications waiting as it may.
    #[error("too many passwords of this source wait to be verified")]
    AddressFull,
    /// As many verifications wait as may, or others needed the place more.
    #[error("too many passwords wait to be verified")]
    Full,
    /// The pool is being dropped, or the verification failed in a way that says nothing.
    #[error("the password pool has stopped")]
    Stopped,
}

/// What a pool does and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatus {
    /// Verifications that wait now.
    pub queued: u64,
    /// Verifications that run now.
    pub running: u64,
    /// Verifications that were computed, whatever their result.
    pub done: u64,
    /// Verifications that were refused for want of room, or lost their place.
    pub refused: u64,
    /// Verifications that nobody waited for any more.
    pub cancelled: u64,
    /// The time spent computing, over all threads.
    pub busy: Duration,
}

/// A bounded pool of hashing threads. Dropping it ends them: what waits is answered with
/// [`PoolError::Stopped`], what runs is finished.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// The system does not start a thread.
    pub fn new(settings: PoolSettings) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(settings.queue, settings.queue_per_address)),
            work: Condvar::new(),
            counters: Counters::default(),
        });
        let mut pool = Self { shared, threads: Vec::new() };
        for number in 0..worker_count(settings.workers) {
            let shared = Arc::clone(&pool.shared);
            let builder = thread::Builder::new().name(format!("password-{number}"));
            pool.threads.push(builder.spawn(move || shared.work())?); // on error, drop ends the rest
        }
        Ok(pool)
    }

    /// Verifies `password` against `hash` on a thread of the pool, in its turn.
    ///
    /// `address` is the client's, after trusted proxies; all of an IPv6 /64 is one source.
    /// Dropping the future gives the place in the queue back.
    ///
    /// # Errors
    ///
    /// [`PoolError`] when the verification did not take place. It says nothing about the
    /// password: answer 503, and count no failure.
    pub async fn verify(
        &self,
        address: IpAddr,
        hash: Arc<PasswordHash>,
        password: Secret,
    ) -> Result<bool, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.shared.submit(address, Job { hash, password, reply })?;
        // An error: the job was dropped before it was done.
        answer.await.unwrap_or(Err(PoolError::Stopped))
    }

    /// What the pool does and has done. Cheap; meant for a scrape.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        let counters = &self.shared.counters;
        let queued = self.shared.lock().len();
        PoolStatus {
            queued: u64::try_from(queued).unwrap_or(u64::MAX),
            running: counters.running.load(Ordering::Relaxed),
            done: counters.done.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            cancelled: counters.cancelled.load(Ordering::Relaxed),
            busy: Duration::from_micros(counters.busy_microseconds.load(Ordering::Relaxed)),
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let left = self.shared.lock().close();
        self.shared.work.notify_all();
        drop(left);
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    running: AtomicU64,
    done: AtomicU64,
    refused: AtomicU64,
    cancelled: AtomicU64,
    busy_microseconds: AtomicU64,
}

impl Shared {
    fn submit(&self, address: IpAddr, job: Job) -> Result<(), PoolError> {
        let pushed = self.lock().push(address, job);
        // Jobs and their passwords are dropped outside the lock.
        match pushed {
            Ok(admitted) => {
                self.work.notify_one();
                add(&self.counters.cancelled, admitted.abandoned.len());
                if let Some(displaced) = admitted.displaced {
                    add(&self.counters.refused, 1);
                    let _ = displaced.reply.send(Err(PoolError::Full));
                }
                Ok(())
            }
            Err(error) => {
                add(&self.counters.refused, 1);
                Err(error)
            }
        }
    }

    /// What each thread does until the pool closes.
    fn work(&self) {
        while let Some((source, job)) = self.next() {
            if job.reply.is_closed() {
                add(&self.counters.cancelled, 1);
                continue;
            }
            self.counters.running.fetch_add(1, Ordering::Relaxed);
            let started = Instant::now();
            // Nothing in there is known to panic; if something does, that one verification is
            // without an answer, and the thread lives on.
            let verified =
                panic::catch_unwind(AssertUnwindSafe(|| job.hash.verify(job.password.expose())));
            let busy = started.elapsed().as_micros();
            let busy = u64::try_from(busy).unwrap_or(u64::MAX);
            self.counters.busy_microseconds.fetch_add(busy, Ordering::Relaxed);
            self.counters.running.fetch_sub(1, Ordering::Relaxed);
            self.counters.done.fetch_add(1, Ordering::Relaxed);
            if let Ok(was_right) = verified {
                self.lock().note(source, was_right);
            }
            drop(job.password); // wiped before anybody learns the result
            let _ = job.reply.send(verified.map_err(|_| PoolError::Stopped));
        }
    }

    /// Waits for a job. `None`: the pool closes.
    fn next(&self) -> Option<(IpAddr, Job)> {
        let mut queue = self.lock();
        loop {
            if queue.is_closed() {
                return None;
            }
            if let Some(next) = queue.pop() {
                return Some(next);
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole between its methods, and none of them panics.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn worker_count(workers: usize) -> usize {
    let half = || thread::available_parallelism().map_or(1, NonZeroUsize::get) / 2;
    NonZeroUsize::new(workers).map_or_else(half, NonZeroUsize::get).max(1)
}

#[cfg(test)]
mod tests;
