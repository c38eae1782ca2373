//! A connection of the pool, for one call.
//!
//! It goes back only when the server has answered. One that was given up half-way, by a timeout or
//! by a caller who has gone, is closed: the next to have it would wait for the answer of another.

use deadpool_postgres::{Object, Pool};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::super::StoreError;

/// A connection of the pool.
#[derive(Debug)]
pub(super) struct Lease(Option<Object>);

impl Lease {
    pub(super) async fn take(pool: &Pool) -> Result<Self, StoreError> {
        pool.get().await.map(|object| Self(Some(object))).map_err(StoreError::away)
    }

    /// Has one statement run, which is a transaction of its own, and gives its rows.
    pub(super) async fn rows(
        &mut self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let busy = Busy(self.0.take());
        let rows = match busy.client()?.prepare_cached(statement).await {
            Ok(statement) => busy.client()?.query(&statement, parameters).await,
            Err(error) => Err(error),
        };
        self.settle(busy, rows)
    }

    /// Has one statement run, which is a transaction of its own, and tells how many rows it has
    /// changed.
    pub(super) async fn changed(
        &mut self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StoreError> {
        let busy = Busy(self.0.take());
        let changed = match busy.client()?.prepare_cached(statement).await {
            Ok(statement) => busy.client()?.execute(&statement, parameters).await,
            Err(error) => Err(error),
        };
        self.settle(busy, changed)
    }

    /// Takes the connection back if the server has answered.
    fn settle<T>(
        &mut self,
        mut busy: Busy,
        answer: Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        // A server that goes says so in the same way in which it refuses a statement.
        let has_answered = match &answer {
            Ok(_) => true,
            Err(error) => error.code().is_some_and(|code| !code.code().starts_with("57P")),
        };
        if has_answered {
            self.0 = busy.0.take();
        }
        answer.map_err(meaning)
    }
}

/// A connection on which an answer is waited for; closed when dropped.
struct Busy(Option<Object>);

impl Busy {
    fn client(&self) -> Result<&Object, StoreError> {
        self.0.as_ref().ok_or(StoreError::Unavailable(None))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// What an error means to the caller.
fn meaning(error: tokio_postgres::Error) -> StoreError {
    match error.code() {
        Some(code) if *code == SqlState::UNIQUE_VIOLATION => StoreError::Conflict,
        _ => StoreError::away(error),
    }
}
