//! What a connection waits for, and until when.

use std::time::Duration;

use super::{Inner, Reading, Wire};
use crate::clock::ticker::{Millis, TICK};

/// How long a connection may stay in each state.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimits {
    /// From a head's first byte (the first head's: from the connection) to its end.
    pub header: Duration,
    /// Between two requests.
    pub keep_alive: Duration,
    /// While the client takes nothing of what is to be written.
    pub stall: Duration,
    /// From its becoming idle to a connection's being parked; `None`: it never is.
    pub park: Option<Duration>,
}

/// Why a connection's time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Between requests, or before the first: it may be closed without a word.
    Idle,
    /// In the middle of a head.
    Head,
    /// Between requests, for so long that the connection is better parked than served.
    Quiet,
    /// The client stopped reading.
    Stalled,
}

/// How long a connection may stay idle once no more requests are wanted.
const LAST_IDLE: Duration = Duration::from_secs(2);

impl Wire {
    /// No more requests are wanted: a connection that stays idle is closed soon.
    pub fn hurry(&self) {
        self.is_ending.set(true);
        let mut inner = self.inner.borrow_mut();
        inner.idle_since = self.watch.ticker().now();
        self.arm(&inner);
    }

    /// Looks at the clock after the watch has run out: whose time is up, if anybody's.
    /// Otherwise the watch is set anew.
    pub fn expired(&self) -> Option<Expiry> {
        let mut inner = self.inner.borrow_mut();
        let now = self.watch.ticker().now();
        let due = self.limit(&inner).filter(|&(deadline, _)| now >= deadline);
        let mut expired = due.map(|(_, expiry)| expiry);
        if expired == Some(Expiry::Quiet) && !self.is_at_rest(&inner) {
            inner.disturbed_at = now;
            expired = None;
        }
        if expired.is_none() {
            self.arm(&inner);
        }
        expired
    }

    /// Sets the watch to what is due next.
    pub(super) fn arm(&self, inner: &Inner) {
        match self.limit(inner) {
            Some((deadline, _)) => self.watch.set_at(deadline),
            None => self.watch.clear(),
        }
    }

    /// What is due next, and when.
    fn limit(&self, inner: &Inner) -> Option<(Millis, Expiry)> {
        let is_idle = self.is_idle();
        let stalled =
            inner.stalled_since.map(|since| (deadline(since, self.times.stall), Expiry::Stalled));
        let head = match &inner.reading {
            // The next head waits until the request before it has been answered.
            Reading::Http1(_) => inner.head_since.filter(|_| is_idle),
            // Nothing else can be read before the header block has ended.
            Reading::Http2(frames) => frames.block_since(),
        };
        let head = head.map(|since| (deadline(since, self.times.header), Expiry::Head));
        if let Some(first) = stalled.into_iter().chain(head).min_by_key(|&(at, _)| at) {
            return Some(first);
        }
        if !is_idle {
            return None;
        }
        let idle = self.idle_until(inner);
        let quiet_since = inner.idle_since.max(inner.disturbed_at);
        match (&inner.reading, self.times.park) {
            (Reading::Http1(_), Some(park)) if !self.is_ending.get() => {
                let quiet = deadline(quiet_since, park);
                Some(if quiet < idle { (quiet, Expiry::Quiet) } else { (idle, Expiry::Idle) })
            }
            _ => Some((idle, Expiry::Idle)),
        }
    }

    /// Until when a connection on which no request is under way stays open.
    pub(super) fn idle_until(&self, inner: &Inner) -> Millis {
        let idle = match inner.has_read {
            false => self.times.header,
            true if self.is_ending.get() => self.times.keep_alive.min(LAST_IDLE),
            true => self.times.keep_alive,
        };
        deadline(inner.idle_since, idle)
    }
}

/// When the time is up that began at `since`: never early, though `since` is coarse.
pub(super) fn deadline(since: Millis, limit: Duration) -> Millis {
    since.saturating_add(millis(limit)).saturating_add(millis(TICK))
}

fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
