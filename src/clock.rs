//! Time: the one place that reads the wall clock, and the coarse clock of a worker.
//!
//! Everything else takes the time as an argument. A request reads the coarse clock, which a
//! worker moves on every [`ticker::TICK`]; deadlines are checked by the same tick, so that no
//! request ever registers a timer.

pub mod ticker;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, as the time since the Unix epoch (RFC 7519 `NumericDate`, but finer).
///
/// A clock set before 1970 reads as the epoch itself.
#[must_use]
pub fn since_epoch() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Now, in whole seconds since the Unix epoch.
#[must_use]
pub fn unix_seconds() -> u64 {
    since_epoch().as_secs()
}
