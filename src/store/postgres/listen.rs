//! Hears what other nodes tell.
//!
//! On a connection of its own, since notifications are lost on one of the pool. Listening begins
//! before all is read, so that nothing falls between the two; all is read again on every new
//! connection, and every half minute for what may have been lost after all.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::super::StoreError;
use super::super::notice::{Heard, hear};
use super::connect::Line;
use super::{Postgres, standing};
use crate::clock;

/// How often all is read.
const RESYNC_TICKS: u32 = 6;

/// How often it is looked whether the connection still stands.
const TICK: Duration = Duration::from_secs(5);

/// How long it takes to come back: at first, and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long reading all may take.
const READING: Duration = Duration::from_mins(1);

/// Listens for ever, on one connection after the other.
pub(super) async fn listen(store: &Postgres) -> Infallible {
    let mut pause = BACK_OFF.0;
    let mut is_away = false;
    loop {
        let ended = match start(store).await {
            Ok(line) => {
                pause = BACK_OFF.0;
                if std::mem::take(&mut is_away) {
                    tracing::info!("The store tells what other nodes do again");
                }
                hear_until_it_ends(store, line).await
            }
            Err(error) => error,
        };
        if !is_away {
            is_away = true;
            tracing::error!(
                error = &ended as &dyn std::error::Error,
                "The store does not tell what other nodes do; trying again"
            );
        }
        sleep(jitter(pause)).await;
        pause = BACK_OFF.1.min(pause * 2);
    }
}

/// Listens, then reads all.
async fn start(store: &Postgres) -> Result<Line, StoreError> {
    let line = within(store.timeout, async {
        let line = store.connector.connect().await.map_err(StoreError::away)?;
        line.client.batch_execute("LISTEN doorward").await.map_err(StoreError::away)?;
        Ok(line)
    })
    .await?;
    read_all(store, &line).await?;
    Ok(line)
}

async fn read_all(store: &Postgres, line: &Line) -> Result<(), StoreError> {
    let now = clock::unix_seconds();
    let all = within(READING, standing::all(&line.client, now)).await?;
    store.standing.replace(all);
    Ok(())
}

/// Why it ended.
async fn hear_until_it_ends(store: &Postgres, mut line: Line) -> StoreError {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    let mut count = 0_u32;
    loop {
        let done = tokio::select! {
            payload = line.notifications.recv() => match payload {
                Some(payload) => within(store.timeout, heard(store, &line, &payload)).await,
                None => Err(StoreError::away("the connection has ended")),
            },
            _ = ticks.tick() => {
                count = count.wrapping_add(1);
                match count % RESYNC_TICKS {
                    0 => read_all(store, &line).await,
                    _ => within(store.timeout, still_there(&line)).await,
                }
            }
        };
        if let Err(error) = done {
            return error;
        }
    }
}

async fn heard(store: &Postgres, line: &Line, payload: &str) -> Result<(), StoreError> {
    let change = match hear(payload) {
        Heard::Change(change) => change,
        Heard::Key(id) => standing::key_now(&line.client, &id).await?,
        Heard::SecondFactor(user) => standing::second_factor_now(&line.client, &user).await?,
        Heard::Puzzle => return read_all(store, line).await,
    };
    store.tell([change]);
    Ok(())
}

async fn still_there(line: &Line) -> Result<(), StoreError> {
    line.client.batch_execute("SELECT 1").await.map_err(StoreError::away)
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(time, work).await.unwrap_or_else(|elapsed| Err(StoreError::away(elapsed)))
}

/// Between half and all of `pause`, so that nodes do not come back all at once.
fn jitter(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness it is all of it.
    let share = aws_lc_rs::rand::fill(&mut byte).map_or(u8::MAX, |()| byte[0]);
    pause / 2 + pause * u32::from(share) / 510
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coming_back_takes_between_half_and_all_of_the_pause() {
        let pause = Duration::from_secs(1);

        for _ in 0..100 {
            let jitter = jitter(pause);
            assert!((pause / 2..=pause).contains(&jitter), "{jitter:?}");
        }
    }
}
