//! What time it is, for the service.

use std::fmt::Debug;
use std::time::Duration;

use super::{TokenService, Unavailable};
use crate::clock;

/// Tells the time.
pub trait Clock: Debug + Send + Sync {
    /// Now, since the Unix epoch.
    fn now(&self) -> Duration;
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        clock::since_epoch()
    }
}

/// How many seconds the service waits for one in which tokens of a user hold.
const PATIENCE: usize = 3;

impl TokenService {
    /// A second (Unix) in which a token of this user can be issued and hold. A token tells no more
    /// than the second of its issue, so that one of the second in which everything of the user was
    /// ended would have ended with it: then this waits for the next.
    pub(super) async fn second_for(&self, user: &str) -> Result<u64, Unavailable> {
        for _ in 0..PATIENCE {
            let now = self.now();
            let seconds = now.as_secs();
            if !self.standing.has_user_ended(user, seconds.saturating_mul(1000)) {
                return Ok(seconds);
            }
            let next = Duration::from_secs(seconds.saturating_add(1));
            tokio::time::sleep(next.saturating_sub(now)).await;
        }
        Err(Unavailable)
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
