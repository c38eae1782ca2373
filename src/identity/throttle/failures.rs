//! Failures of one kind, and the wait that they lead to.

use std::time::Duration;

/// How often the longest wait must pass without a failure until all is forgotten.
const FORGOTTEN_AFTER: u64 = 4;

/// Failures, and when the last one was, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failures {
    count: u32,
    last: u64,
}

/// How failures become waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) free: u32,
    pub(super) delay: Duration,
    pub(super) max_delay: Duration,
}

impl Failures {
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How long the next attempt has to wait at `now`; zero: it need not.
    pub(super) fn wait(&self, rule: Rule, now: u64) -> u64 {
        let delay = self.delay(rule);
        // A clock that went back makes nobody wait for longer than the longest wait.
        self.last.saturating_add(delay).saturating_sub(now).min(delay)
    }

    /// The wait after the last failure, in milliseconds.
    fn delay(&self, rule: Rule) -> u64 {
        if self.count < rule.free.max(1) {
            return 0;
        }
        let doubled = 1_u64.checked_shl(self.count - rule.free.max(1)).unwrap_or(u64::MAX);
        millis(rule.delay).saturating_mul(doubled).min(millis(rule.max_delay))
    }

    /// Counts one more at `now`. After a long time without any it is the first again.
    pub(super) fn add(&mut self, rule: Rule, now: u64) {
        let quiet = millis(rule.max_delay).saturating_mul(FORGOTTEN_AFTER);
        if now.saturating_sub(self.last) > quiet {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last = now;
    }

    /// One of those counted was none. When the one before it was, nobody knows any more; it is
    /// taken to have been as late.
    pub(super) fn withdraw(&mut self, before: Self) {
        self.count = self.count.saturating_sub(1);
        if self.count == before.count {
            self.last = before.last; // nothing came in between
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
