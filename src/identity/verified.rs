//! Right passwords that some worker has verified, for the workers that have not.
//!
//! Without it each worker would hash each user's password once, and whoever floods the pool
//! with wrong ones would keep a good user out of every worker that doesn't know them yet. It is
//! asked only where the alternative is the pool, which has a lock of its own.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;

use super::memory::Digest;
use super::throttle::Throttled;

/// How verifying a password came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is right, and the code that belongs to it is missing.
    FactorMissing,
    /// There was no place to verify it in.
    Overloaded,
    /// It is right, with all that belongs to it.
    Right,
    /// The code could not be looked at: the store is away.
    StoreAway,
    /// Nothing was verified, after too many failures.
    Throttled {
        /// When the next attempt may be made.
        seconds: u32,
    },
    /// It is wrong, or its user is nobody.
    Wrong,
}

impl From<Throttled> for Outcome {
    fn from(throttled: Throttled) -> Self {
        let seconds = u32::try_from(throttled.retry_after_seconds()).unwrap_or(u32::MAX);
        Self::Throttled { seconds }
    }
}

/// How many are held in each of the two halves.
const HALF: usize = 16 * 1024;

/// Verified passwords of one snapshot, by their keyed digest.
#[derive(Default)]
pub struct VerifiedPasswords(Mutex<Halves>);

/// When the young half is full, the old one is forgotten at once.
#[derive(Default)]
struct Halves {
    young: HashMap<Digest, u64, RandomState>,
    old: HashMap<Digest, u64, RandomState>,
}

impl VerifiedPasswords {
    /// The last second at which it holds that this was right; `None` if it is not known at `now`
    /// (Unix seconds).
    #[must_use]
    pub fn until(&self, digest: &Digest, now: u64) -> Option<u64> {
        let halves = self.halves();
        let until = halves.young.get(digest).or_else(|| halves.old.get(digest)).copied()?;
        (now <= until).then_some(until)
    }

    /// Notes that this is right up to and including the second `until`.
    pub fn note(&self, digest: Digest, until: u64) {
        let mut halves = self.halves();
        if halves.young.len() >= HALF {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(digest, until);
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VerifiedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedPasswords").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> Digest {
        let mut digest = Digest::default();
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    #[test]
    fn what_was_noted_holds_until_its_last_second() {
        let verified = VerifiedPasswords::default();
        verified.note(digest(1), 100);

        assert_eq!(verified.until(&digest(1), 100), Some(100));
        assert_eq!(verified.until(&digest(1), 101), None);
        assert_eq!(verified.until(&digest(2), 100), None);
    }

    #[test]
    fn it_holds_no_more_than_two_halves() {
        let verified = VerifiedPasswords::default();
        for number in 0..3 * HALF {
            verified.note(digest(number), 100);
        }

        assert_eq!(verified.until(&digest(0), 1), None);
        assert_eq!(verified.until(&digest(3 * HALF - 1), 1), Some(100));
        let halves = verified.halves();
        assert!(halves.young.len() + halves.old.len() <= 2 * HALF);
    }
}
