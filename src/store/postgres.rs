//! A PostgreSQL that several nodes share.
//!
//! Calls go over a pool; each is one statement or a few, each a transaction of its own, so that
//! nothing has to be undone when a node is lost half-way. To be used on one runtime, which the
//! connections live on.

mod connect;
mod factors;
mod families;
mod keys;
mod lease;
mod listen;
mod standing;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use self::connect::Connector;
pub use self::connect::Settings;
use self::lease::Lease;
use super::record::{Challenge, Family, Found, Hash, Rotation, Totp, signed};
use super::{Answer, Doing, OpenError, Store, StoreError, sql};
use crate::api_key::ApiKey;
use crate::identity::standing::{Change, Revocation, Standing};

/// A PostgreSQL that several nodes share.
#[derive(Debug)]
pub struct Postgres {
    connector: Connector,
    pool: Pool,
    standing: Arc<Standing>,
    timeout: Duration,
}

impl Postgres {
    /// Reaches the database, brings its tables up to date, and tells `standing` all that is in it
    /// at `now`.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it cannot be reached or used, or a newer version has written to it.
    pub async fn open(
        settings: &Settings,
        standing: Arc<Standing>,
        now: u64,
    ) -> Result<Self, OpenError> {
        let connector = Connector::new(settings)?;
        let pool = connector.pool(settings.timeout)?;
        let mut line = timeout(settings.timeout, connector.connect())
            .await
            .map_err(|error| OpenError::Unreachable(Box::new(error)))?
            .map_err(|error| OpenError::Unreachable(Box::new(error)))?;
        line.migrate().await?;
        let all = standing::all(&line.client, now).await.map_err(OpenError::Unreadable)?;
        standing.replace(all);
        Ok(Self { connector, pool, standing, timeout: settings.timeout })
    }

    async fn lease(&self) -> Result<Lease, StoreError> {
        Lease::take(&self.pool).await
    }

    /// Tells this node's workers.
    fn tell(&self, changes: impl IntoIterator<Item = Change>) {
        let mut changes = changes.into_iter().peekable();
        if changes.peek().is_some() {
            self.standing.apply(changes);
        }
    }

    /// A call, which takes no longer than it may.
    fn call<'a, T: Send + 'a>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Answer<'a, T> {
        let limit = self.timeout;
        Box::pin(async move {
            timeout(limit, work).await.unwrap_or_else(|elapsed| Err(StoreError::away(elapsed)))
        })
    }

    /// A call about something of this name, of which there can be none that has a NUL in it: the
    /// database would take that for a mistake.
    fn named<'a, T: Default + Send + 'a>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> Answer<'a, T> {
        if name.contains('\0') {
            return Box::pin(std::future::ready(Ok(T::default())));
        }
        self.call(work)
    }

    async fn swept(&self, now: u64) -> Result<bool, StoreError> {
        let mut lease = self.lease().await?;
        let mut is_more = false;
        for statement in sql::SWEEP {
            let swept = lease.changed(statement, &[&signed(now), &sql::SWEEP_ROWS]).await?;
            is_more |= signed(swept) >= sql::SWEEP_ROWS;
        }
        Ok(is_more)
    }

    /// Whether it answers, and is not one that only reads.
    async fn answers(&self) -> Result<bool, StoreError> {
        let rows = self.lease().await?.rows("SELECT NOT pg_is_in_recovery()", &[]).await?;
        first(&rows).map_or(Ok(false), |row| column(row, 0))
    }
}

fn first(rows: &[Row]) -> Option<&Row> {
    rows.first()
}

/// A column of a row of ours.
fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, StoreError> {
    row.try_get(index).map_err(|_| StoreError::Corrupt("a column"))
}

impl Store for Postgres {
    fn put_key<'a>(&'a self, key: &'a ApiKey) -> Answer<'a, ()> {
        self.call(self.put(key))
    }

    fn end_key<'a>(&'a self, id: &'a str) -> Answer<'a, bool> {
        self.named(id, self.end(id))
    }

    fn keys<'a>(&'a self, owner: Option<&'a str>, now: u64) -> Answer<'a, Vec<ApiKey>> {
        self.named(owner.unwrap_or_default(), self.list_keys(owner, now))
    }

    fn key_by_hash<'a>(&'a self, hash: &'a Hash) -> Answer<'a, Option<ApiKey>> {
        self.call(self.find_key(hash))
    }

    fn begin_family<'a>(&'a self, family: &'a Family, token: &'a Hash) -> Answer<'a, ()> {
        self.call(self.begin(family, token))
    }

    fn rotate<'a>(&'a self, old: &'a Hash, new: &'a Hash, now: u64) -> Answer<'a, Rotation> {
        self.call(self.exchange(old, new, now))
    }

    fn family_of<'a>(&'a self, token: &'a Hash, now: u64) -> Answer<'a, Option<Found>> {
        self.call(self.find(token, now))
    }

    fn families<'a>(&'a self, user: Option<&'a str>, now: u64) -> Answer<'a, Vec<Family>> {
        self.named(user.unwrap_or_default(), self.list(user, now))
    }

    fn end_family<'a>(&'a self, id: &'a str) -> Answer<'a, bool> {
        self.named(id, self.end_one(id))
    }

    fn end_families_of<'a>(&'a self, user: &'a str) -> Answer<'a, u64> {
        self.named(user, self.end_all_of(user))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> Answer<'a, ()> {
        self.call(self.end_by(revocation))
    }

    fn totp<'a>(&'a self, user: &'a str, now: u64) -> Answer<'a, Option<Totp>> {
        self.named(user, self.find_totp(user, now))
    }

    fn put_totp<'a>(&'a self, user: &'a str, sealed: &'a [u8], until: u64) -> Answer<'a, ()> {
        self.call(self.begin_totp(user, sealed, until))
    }

    fn confirm_totp<'a>(
        &'a self,
        user: &'a str,
        sealed: &'a [u8],
        step: u64,
        recovery_codes: &'a [Hash],
    ) -> Answer<'a, bool> {
        self.named(user, self.confirm(user, sealed, step, recovery_codes))
    }

    fn delete_totp<'a>(&'a self, user: &'a str) -> Answer<'a, bool> {
        self.named(user, self.delete(user))
    }

    fn use_totp_step<'a>(&'a self, user: &'a str, step: u64) -> Answer<'a, bool> {
        self.named(user, self.use_step(user, step))
    }

    fn use_recovery_code<'a>(&'a self, user: &'a str, code: &'a Hash) -> Answer<'a, bool> {
        self.named(user, self.use_code(user, code))
    }

    fn replace_recovery_codes<'a>(
        &'a self,
        user: &'a str,
        recovery_codes: &'a [Hash],
    ) -> Answer<'a, bool> {
        self.named(user, self.replace_codes(user, recovery_codes))
    }

    fn put_challenge<'a>(&'a self, challenge: &'a Challenge) -> Answer<'a, ()> {
        self.call(self.challenge(challenge))
    }

    fn try_challenge<'a>(&'a self, id: &'a Hash, now: u64) -> Answer<'a, Option<Challenge>> {
        self.call(self.tried(id, now))
    }

    fn end_challenge<'a>(&'a self, id: &'a Hash) -> Answer<'a, bool> {
        self.call(self.answered(id))
    }

    fn standing(&self, now: u64) -> Answer<'_, Vec<Change>> {
        self.call(async move {
            let line = self.connector.connect().await.map_err(StoreError::away)?;
            standing::all(&line.client, now).await
        })
    }

    fn is_well(&self) -> Doing<'_, bool> {
        let answers = self.call(self.answers());
        Box::pin(async move { answers.await.unwrap_or(false) })
    }

    fn sweep(&self, now: u64) -> Answer<'_, bool> {
        self.call(self.swept(now))
    }

    fn follow(&self) -> Doing<'_, Infallible> {
        Box::pin(listen::listen(self))
    }
}
