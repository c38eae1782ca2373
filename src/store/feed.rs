//! Keeps what the workers know as current as what is stored.
//!
//! What a node writes, it knows before the call returns. What others write comes by
//! [`Store::follow`]; every now and then, all is read again, which takes nothing back that was told
//! meanwhile.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::{Store, StoreError};
use crate::clock;
use crate::identity::standing::Standing;

/// How often what has expired is forgotten.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// What has expired is kept this much longer, for nodes whose clocks are behind and tokens that are
/// accepted for a while after their time.
const GRACE_SECONDS: u64 = 600;

/// Keeps `standing` current and forgets what has expired, in `store` and in `standing`, for ever.
/// To be run once on each node, for as long as it serves.
pub async fn run(store: Arc<dyn Store>, standing: Arc<Standing>) -> Infallible {
    let (never, _) = tokio::join!(store.follow(), sweep(&*store, &standing));
    never
}

async fn sweep(store: &dyn Store, standing: &Standing) -> Infallible {
    let mut interval = interval(SWEEP_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_away = false;
    loop {
        interval.tick().await;
        let now = clock::unix_seconds();
        standing.sweep(now);
        match sweep_all(store, settled(now)).await {
            Ok(()) => was_away = false,
            Err(error) if !was_away => {
                was_away = true;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Could not forget what has expired in the store; trying again"
                );
            }
            Err(_) => {}
        }
    }
}

async fn sweep_all(store: &dyn Store, now: u64) -> Result<(), StoreError> {
    while store.sweep(now).await? {}
    Ok(())
}

/// The time by which something has expired for everybody.
pub(super) fn settled(now: u64) -> u64 {
    now.saturating_sub(GRACE_SECONDS)
}
