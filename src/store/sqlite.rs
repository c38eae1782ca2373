//! A file of this node, by SQLite.
//!
//! It is made on start, in its directory, which must exist, with mode 0600. One thread has it
//! open, in WAL mode, and every commit is synced before it is acknowledged. Another process
//! may use it at the same time: what that one writes is known here within a second.

mod factors;
mod families;
mod keys;
mod open;
mod standing;
mod writer;

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use tokio::time::{MissedTickBehavior, interval};

use self::writer::{Access, Outcome, Writer};
use super::record::{
    Challenge, Family, Found, Hash, Rotation, Totp, check_details, check_name, key_record,
    revocation_row, signed,
};
use super::{Answer, Doing, OpenError, Store, StoreError, sql};
use crate::api_key::ApiKey;
use crate::clock;
use crate::identity::standing::{Change, Revocation, Standing};

/// How often it is looked whether another process has written.
const LOOK: Duration = Duration::from_secs(1);

/// A file of this node.
#[derive(Debug)]
pub struct Sqlite {
    writer: Writer,
    standing: Arc<Standing>,
}

impl Sqlite {
    /// Opens the file at `path`, makes it where there is none, and tells `standing` all that is in
    /// it at `now`. No call waits longer than `timeout`.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it cannot be used, or a newer version has written to it.
    pub fn open(
        path: &Path,
        timeout: Duration,
        standing: Arc<Standing>,
        now: u64,
    ) -> Result<Self, OpenError> {
        let connection = open::create(path, writer::patience(timeout))?;
        let all = standing::all(&connection, now).map_err(OpenError::Unreadable)?;
        standing.replace(all);
        let writer = Writer::start(connection, path.to_owned(), timeout, Arc::clone(&standing))
            .map_err(|source| OpenError::File { path: path.to_owned(), source })?;
        Ok(Self { writer, standing })
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(self.writer.call(Access::Reads, work))
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Answer<'_, T> {
        Box::pin(self.writer.call(Access::Writes, work))
    }

    /// Reads all again if another process has written since `seen`, in the one thread, so that no
    /// write of ours comes between reading and telling.
    async fn look(&self, seen: Option<i64>) -> Result<Option<i64>, StoreError> {
        let standing = Arc::clone(&self.standing);
        self.read(move |connection| {
            let version = connection
                .prepare_cached("PRAGMA data_version")
                .and_then(|mut version| version.query_one([], |row| row.get(0)))
                .map_err(away)?;
            if seen != Some(version) {
                standing.replace(standing::all(connection, clock::unix_seconds())?);
            }
            Ok((Some(version), Vec::new()))
        })
        .await
    }
}

/// What an error of SQLite means to the caller.
fn away(error: rusqlite::Error) -> StoreError {
    StoreError::away(error)
}

/// The same, where something is put that may be there already.
fn conflict(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => StoreError::Conflict,
        _ => away(error),
    }
}

/// A refusal, or the work.
fn checked<'a, T>(
    checks: Result<(), StoreError>,
    work: impl FnOnce() -> Answer<'a, T>,
) -> Answer<'a, T>
where
    T: Send + 'a,
{
    match checks {
        Ok(()) => work(),
        Err(error) => Box::pin(std::future::ready(Err(error))),
    }
}

impl Store for Sqlite {
    fn put_key<'a>(&'a self, key: &'a ApiKey) -> Answer<'a, ()> {
        match key_record(key) {
            Ok(record) => {
                let key = key.clone();
                self.write(move |connection| keys::put(connection, key, &record))
            }
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn end_key<'a>(&'a self, id: &'a str) -> Answer<'a, bool> {
        let id = id.to_owned();
        self.write(move |connection| keys::end(connection, &id))
    }

    fn keys<'a>(&'a self, owner: Option<&'a str>, now: u64) -> Answer<'a, Vec<ApiKey>> {
        let owner = owner.map(str::to_owned);
        self.read(move |connection| {
            keys::all(connection, owner.as_deref(), now).map(|keys| (keys, Vec::new()))
        })
    }

    fn key_by_hash<'a>(&'a self, hash: &'a Hash) -> Answer<'a, Option<ApiKey>> {
        let hash = *hash;
        self.read(move |connection| keys::by_hash(connection, &hash))
    }

    fn begin_family<'a>(&'a self, family: &'a Family, token: &'a Hash) -> Answer<'a, ()> {
        checked(family.check(), || {
            let (family, token) = (family.clone(), *token);
            self.write(move |connection| families::begin(connection, &family, &token))
        })
    }

    fn rotate<'a>(&'a self, old: &'a Hash, new: &'a Hash, now: u64) -> Answer<'a, Rotation> {
        let (old, new) = (*old, *new);
        self.write(move |connection| families::rotate(connection, &old, &new, now))
    }

    fn family_of<'a>(&'a self, token: &'a Hash, now: u64) -> Answer<'a, Option<Found>> {
        let token = *token;
        self.read(move |connection| families::of(connection, &token, now))
    }

    fn families<'a>(&'a self, user: Option<&'a str>, now: u64) -> Answer<'a, Vec<Family>> {
        let user = user.map(str::to_owned);
        self.read(move |connection| families::all(connection, user.as_deref(), now))
    }

    fn end_family<'a>(&'a self, id: &'a str) -> Answer<'a, bool> {
        let id = id.to_owned();
        self.write(move |connection| {
            let changes = families::end_families(connection, "id", &id)?;
            Ok((!changes.is_empty(), changes))
        })
    }

    fn end_families_of<'a>(&'a self, user: &'a str) -> Answer<'a, u64> {
        let user = user.to_owned();
        self.write(move |connection| {
            let changes = families::end_families(connection, "user_name", &user)?;
            Ok((u64::try_from(changes.len()).unwrap_or(u64::MAX), changes))
        })
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> Answer<'a, ()> {
        let (_, subject, _) = revocation_row(&revocation.what);
        checked(check_name(subject), || {
            let revocation = revocation.clone();
            self.write(move |connection| standing::revoke(connection, revocation))
        })
    }

    fn totp<'a>(&'a self, user: &'a str, now: u64) -> Answer<'a, Option<Totp>> {
        let user = user.to_owned();
        self.read(move |connection| factors::totp(connection, &user, now))
    }

    fn put_totp<'a>(&'a self, user: &'a str, sealed: &'a [u8], until: u64) -> Answer<'a, ()> {
        checked(check_name(user), || {
            let (user, sealed) = (user.to_owned(), sealed.to_owned());
            self.write(move |connection| factors::put_totp(connection, &user, &sealed, until))
        })
    }

    fn confirm_totp<'a>(
        &'a self,
        user: &'a str,
        sealed: &'a [u8],
        step: u64,
        recovery_codes: &'a [Hash],
    ) -> Answer<'a, bool> {
        let (user, sealed) = (user.to_owned(), sealed.to_owned());
        let codes = recovery_codes.to_owned();
        self.write(move |connection| {
            factors::confirm_totp(connection, &user, &sealed, step, &codes)
        })
    }

    fn delete_totp<'a>(&'a self, user: &'a str) -> Answer<'a, bool> {
        let user = user.to_owned();
        self.write(move |connection| factors::delete_totp(connection, &user))
    }

    fn use_totp_step<'a>(&'a self, user: &'a str, step: u64) -> Answer<'a, bool> {
        let user = user.to_owned();
        self.write(move |connection| factors::use_totp_step(connection, &user, step))
    }

    fn use_recovery_code<'a>(&'a self, user: &'a str, code: &'a Hash) -> Answer<'a, bool> {
        let (user, code) = (user.to_owned(), *code);
        self.write(move |connection| factors::use_recovery_code(connection, &user, &code))
    }

    fn replace_recovery_codes<'a>(
        &'a self,
        user: &'a str,
        recovery_codes: &'a [Hash],
    ) -> Answer<'a, bool> {
        let (user, codes) = (user.to_owned(), recovery_codes.to_owned());
        self.write(move |connection| factors::replace_recovery_codes(connection, &user, &codes))
    }

    fn put_challenge<'a>(&'a self, challenge: &'a Challenge) -> Answer<'a, ()> {
        let checks = check_name(&challenge.user).and(check_details(&challenge.details));
        checked(checks, || {
            let challenge = challenge.clone();
            self.write(move |connection| factors::put_challenge(connection, &challenge))
        })
    }

    fn try_challenge<'a>(&'a self, id: &'a Hash, now: u64) -> Answer<'a, Option<Challenge>> {
        let id = *id;
        self.write(move |connection| factors::try_challenge(connection, &id, now))
    }

    fn end_challenge<'a>(&'a self, id: &'a Hash) -> Answer<'a, bool> {
        let id = *id;
        self.write(move |connection| factors::end_challenge(connection, &id))
    }

    fn standing(&self, now: u64) -> Answer<'_, Vec<Change>> {
        self.read(move |connection| standing::all(connection, now).map(|all| (all, Vec::new())))
    }

    fn is_well(&self) -> Doing<'_, bool> {
        Box::pin(self.writer.is_well())
    }

    fn sweep(&self, now: u64) -> Answer<'_, bool> {
        self.write(move |connection| {
            let mut is_more = false;
            for statement in sql::SWEEP {
                let swept = connection
                    .prepare_cached(statement)
                    .and_then(|mut sweep| sweep.execute([signed(now), sql::SWEEP_ROWS]))
                    .map_err(away)?;
                is_more |= i64::try_from(swept).is_ok_and(|swept| swept >= sql::SWEEP_ROWS);
            }
            Ok((is_more, Vec::new()))
        })
    }

    fn follow(&self) -> Doing<'_, Infallible> {
        Box::pin(async {
            let mut interval = interval(LOOK);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut seen = None;
            loop {
                interval.tick().await;
                // On an error all is read again, once that can be done.
                seen = self.look(seen).await.unwrap_or_default();
            }
        })
    }
}
