//! Slows down who guesses passwords and codes: each failure beyond the first few makes the next
//! attempt wait, twice as long each time.
//!
//! Failures are counted three ways. *By user and address*: that keeps one guesser out. *By user*:
//! that keeps many addresses from sharing the guessing, and does not hold for an address from
//! which the user has logged in before. *By address*: that keeps one address from trying one
//! password on many users.
//!
//! Nobody can lock the owner out for good from elsewhere, not even of an address that is new: who
//! is told to wait because of others' failures is let in when that time is over, once, whatever
//! the others have done since. So many promises are kept at a time for one user that they are of
//! no use to who guesses.
//! All spellings of a
//! name count as one, and unknown names like known ones.
//!
//! An attempt counts as a failure until it is told to have been none, so that many at once gain
//! nothing. What is refused here was not verified and does not count, so that the wait comes to an
//! end however often somebody asks. Everything is bounded; what is not used is forgotten.

mod failures;
mod ledger;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::ledger::Ledger;
pub use self::ledger::{UserCount, Waiting};

/// When attempts have to wait, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many failures of a user, and of a user from one address, pass without a wait.
    pub failures: u32,
    /// How many failures of an address, whoever they are about, pass without a wait.
    pub failures_per_address: u32,
    /// The first wait; it doubles with each failure.
    pub delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            failures: 5,
            failures_per_address: 50,
            delay: Duration::from_secs(1),
            max_delay: Duration::from_mins(5),
        }
    }
}

/// An attempt that was not made: answer 429 with `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many failures; the next attempt is in {} s", self.retry_after_seconds())]
pub struct Throttled {
    /// How long to wait.
    pub retry_after: Duration,
}

impl Throttled {
    /// How long to wait, in whole seconds: at least one.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        millis(self.retry_after).div_ceil(1000).max(1)
    }
}

/// What is counted, without any name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users about whom something is known.
    pub users: usize,
    /// Addresses with failures.
    pub addresses: usize,
    /// Attempts that failed, since the start.
    pub failed: u64,
    /// Attempts that were not made, since the start.
    pub throttled: u64,
}

/// The failures of everybody, on every way to log in. Asked only where a password or a code is
/// about to be verified.
pub struct Throttle(Mutex<Ledger>);

impl Throttle {
    /// Nobody has failed yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Mutex::new(Ledger::new(settings)))
    }

    /// Takes other settings; what has been counted stays.
    pub fn configure(&self, settings: Settings) {
        self.ledger().settings = settings;
    }

    /// Asks whether an attempt for this user, as the client spells it, may be made at `now` (since
    /// the Unix epoch). Tell the [`Attempt`] how it went; what is dropped has failed.
    ///
    /// # Errors
    ///
    /// [`Throttled`]: verify nothing.
    pub fn attempt(
        &self,
        user: &str,
        client: IpAddr,
        now: Duration,
    ) -> Result<Attempt<'_>, Throttled> {
        let place = self.ledger().begin(user, client, millis(now))?;
        Ok(Attempt { throttle: self, place: Some(place) })
    }

    /// What is known of a user, in any spelling.
    #[must_use]
    pub fn of(&self, user: &str, now: Duration) -> UserCount {
        self.ledger().of(user, millis(now))
    }

    /// Forgets every failure of a user, in any spelling; whether there was one.
    pub fn clear(&self, user: &str) -> bool {
        self.ledger().clear(user)
    }

    /// Forgets every failure of an address, whoever it was about; whether there was one. The
    /// failures of users, which are counted apart, stay.
    pub fn clear_address(&self, client: IpAddr) -> bool {
        self.ledger().clear_address(client)
    }

    /// How many users and addresses have to wait at `now`, and at most `most` of them, those with
    /// the longest waits first.
    #[must_use]
    pub fn waiting(&self, now: Duration, most: usize) -> (usize, Vec<Waiting>) {
        self.ledger().waiting(millis(now), most)
    }

    /// How much is counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.ledger().counts()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// An attempt under way.
#[derive(Debug)]
#[must_use = "an attempt that is dropped has failed"]
pub struct Attempt<'t> {
    throttle: &'t Throttle,
    /// `None` once it is told how it went.
    place: Option<ledger::Place>,
}

impl Attempt<'_> {
    /// All that was demanded was right: the user's failures are forgotten, and the address is one
    /// of theirs. Only for the last step of a login; after a right password without the code that
    /// belongs to it, say [`Attempt::is_undecided`].
    pub fn has_succeeded(mut self) {
        if let Some(place) = self.place.take() {
            self.throttle.ledger().succeeded(&place);
        }
    }

    /// It was neither right nor wrong: nothing was verified, or more is still to come.
    pub fn is_undecided(mut self) {
        if let Some(place) = self.place.take() {
            self.throttle.ledger().withdraw(&place);
        }
    }

    /// It was wrong.
    pub fn has_failed(self) {}
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.place.take().is_some() {
            self.throttle.ledger().failed += 1;
        }
    }
}

fn millis(now: Duration) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
