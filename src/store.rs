//! What the gateway must remember: API keys, families of refresh tokens, revocations, second
//! factors and the challenges for them.
//!
//! One trait, [`Store`], and two places: [`Sqlite`], a file of this node, and [`Postgres`], shared
//! by several. Secrets are not in them: of keys, refresh tokens, recovery codes and challenges
//! they hold the SHA-256, and the secrets of second factors come sealed from above.
//!
//! What they have acknowledged survives `kill -9` at any instant, and everything that must happen
//! once happens once, however many ask at the same time. A store that does not answer in time is
//! [`StoreError::Unavailable`]; asked again, it is tried again. Nothing on the way of a request
//! waits for a store: what is to be known there is kept in [`Standing`](crate::identity::standing::Standing), which a store changes
//! before it answers, and [`feed`] keeps current.
//!
//! Time is an argument, in Unix seconds.

pub mod feed;
mod migrations;
#[cfg(feature = "postgres")]
mod notice;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod record;
mod sql;
pub mod sqlite;

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use crate::api_key::ApiKey;
use crate::identity::standing::{Change, Revocation};

#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
pub use self::record::{Challenge, Family, Found, Hash, Rotation, Totp};
pub use self::sqlite::Sqlite;

/// What a store does, boxed.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a store answers.
pub type Answer<'a, T> = Doing<'a, Result<T, StoreError>>;

/// The most API keys of one owner.
pub const MAX_KEYS: u32 = 1_000;

/// The most families of one user: one more ends the oldest.
pub const MAX_FAMILIES: u32 = 4_096;

/// How often a family is rotated before it has expired. What was used is remembered as long as the
/// family lives, since only then is every reuse noticed.
pub const MAX_ROTATIONS: u32 = 100_000;

/// The most challenges of one user: one more ends the oldest.
pub const MAX_CHALLENGES: u32 = 16;

/// The longest name or id, in bytes.
pub const MAX_NAME_BYTES: usize = 1_024;

/// The longest text that is kept without being read, in bytes.
pub const MAX_DETAILS_BYTES: usize = 64 * 1_024;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is there already. Nothing was changed.
    #[error("this is stored already")]
    Conflict,
    /// A row does not hold what belongs there: somebody else has written to it.
    #[error("what is stored as {0} cannot be read")]
    Corrupt(&'static str),
    /// As many are stored as may be. Nothing was changed.
    #[error("as many are stored as may be")]
    Full,
    /// The store is away, too slow, or has too much to do. What was asked may have been done.
    #[error("the store is not available")]
    Unavailable(#[source] Option<Box<dyn Error + Send + Sync>>),
    /// A name is longer than [`MAX_NAME_BYTES`] or has a NUL in it, or a text is longer than
    /// [`MAX_DETAILS_BYTES`]. Nothing was changed.
    #[error("a name or text is too long, or has a NUL in it")]
    Unfit,
}

impl StoreError {
    fn away(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(Some(source.into()))
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address of the database is not one. Its text is not told: it may hold a password.
    #[error("this is not the address of a PostgreSQL database")]
    Address(#[source] Box<dyn Error + Send + Sync>),
    /// The certificates that the database is to be known by cannot be had.
    #[error("{}: no certificates can be read", .path.display())]
    Certificates {
        /// Where they should be.
        path: PathBuf,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file cannot be made or read.
    #[error("{}: cannot be used as a store", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its tables are not as this version left them, and it would be a guess what they mean.
    #[error("the tables are not those that this version makes")]
    Migration(#[source] Box<dyn Error + Send + Sync>),
    /// A newer version has written to it.
    #[error("a newer version of doorward has written here (tables {found}, known are {known})")]
    Newer {
        /// The version of its tables.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// The system's certificates cannot be had.
    #[error("no certificates of the system can be read")]
    Roots(#[source] Option<Box<dyn Error + Send + Sync>>),
    /// What it holds cannot be read.
    #[error("what is stored cannot be loaded")]
    Unreadable(#[source] StoreError),
    /// It is away.
    #[error("the store cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
}

/// What the gateway remembers.
///
/// Each call is atomic and, once it has answered with `Ok`, durable. What it changes of the
/// [`Standing`](crate::identity::standing::Standing) is known on this node before it answers, and
/// on the others that share the store soon after.
pub trait Store: Debug + Send + Sync {
    /// Adds a key.
    ///
    /// [`StoreError::Conflict`]: its id or its text is known. [`StoreError::Full`]: its owner has
    /// [`MAX_KEYS`].
    fn put_key<'a>(&'a self, key: &'a ApiKey) -> Answer<'a, ()>;

    /// Ends a key and the families begun with it. Whether there was one.
    fn end_key<'a>(&'a self, id: &'a str) -> Answer<'a, bool>;

    /// The keys of one owner, or all, that hold at `now`; the oldest first.
    fn keys<'a>(&'a self, owner: Option<&'a str>, now: u64) -> Answer<'a, Vec<ApiKey>>;

    /// The key with this text, expired or not.
    fn key_by_hash<'a>(&'a self, hash: &'a Hash) -> Answer<'a, Option<ApiKey>>;

    /// Begins a family with its first refresh token.
    ///
    /// [`StoreError::Conflict`]: its id or its token is known.
    fn begin_family<'a>(&'a self, family: &'a Family, token: &'a Hash) -> Answer<'a, ()>;

    /// Exchanges the refresh token `old` for `new`: of those who ask with the same `old`, one gets
    /// [`Rotation::Rotated`]. Whoever comes with one that was used ends the family, and with it,
    /// in the same instant, revokes its access tokens.
    fn rotate<'a>(&'a self, old: &'a Hash, new: &'a Hash, now: u64) -> Answer<'a, Rotation>;

    /// The family to which this refresh token belongs, used or not, unless it has expired.
    fn family_of<'a>(&'a self, token: &'a Hash, now: u64) -> Answer<'a, Option<Found>>;

    /// The families of one user, or all, that live at `now`; the oldest first.
    fn families<'a>(&'a self, user: Option<&'a str>, now: u64) -> Answer<'a, Vec<Family>>;

    /// Ends a family and revokes its access tokens. Whether there was one.
    fn end_family<'a>(&'a self, id: &'a str) -> Answer<'a, bool>;

    /// Ends the families of a user and revokes their access tokens. How many there were.
    fn end_families_of<'a>(&'a self, user: &'a str) -> Answer<'a, u64>;

    /// Revokes. A family ends with its revocation, and so do all families of a user with theirs.
    /// What is revoked already stays so for the longer of the two times.
    fn revoke<'a>(&'a self, revocation: &'a Revocation) -> Answer<'a, ()>;

    /// The second factor of a user, confirmed, or begun and not yet expired.
    fn totp<'a>(&'a self, user: &'a str, now: u64) -> Answer<'a, Option<Totp>>;

    /// Begins a second factor in the place of one that was begun. It is forgotten at `until` unless
    /// it was confirmed.
    ///
    /// [`StoreError::Conflict`]: the user has one that is confirmed.
    fn put_totp<'a>(&'a self, user: &'a str, sealed: &'a [u8], until: u64) -> Answer<'a, ()>;

    /// Confirms the second factor that has just this secret, and puts its recovery codes. False: it
    /// was replaced, confirmed or forgotten meanwhile.
    fn confirm_totp<'a>(
        &'a self,
        user: &'a str,
        sealed: &'a [u8],
        step: u64,
        recovery_codes: &'a [Hash],
    ) -> Answer<'a, bool>;

    /// Takes a second factor and its recovery codes away. Whether there was one.
    fn delete_totp<'a>(&'a self, user: &'a str) -> Answer<'a, bool>;

    /// Notes that the code of this step was used. False: it, or a later one, was used before, or
    /// there is no confirmed second factor.
    fn use_totp_step<'a>(&'a self, user: &'a str, step: u64) -> Answer<'a, bool>;

    /// Uses a recovery code up. False: there is none such.
    fn use_recovery_code<'a>(&'a self, user: &'a str, code: &'a Hash) -> Answer<'a, bool>;

    /// Puts new recovery codes in the place of all. False: the user has no confirmed second factor.
    fn replace_recovery_codes<'a>(
        &'a self,
        user: &'a str,
        recovery_codes: &'a [Hash],
    ) -> Answer<'a, bool>;

    /// Remembers that somebody owes a second factor.
    ///
    /// [`StoreError::Conflict`]: its id is known.
    fn put_challenge<'a>(&'a self, challenge: &'a Challenge) -> Answer<'a, ()>;

    /// Counts a try, before the code is looked at. `None`: used up, expired or unknown.
    fn try_challenge<'a>(&'a self, id: &'a Hash, now: u64) -> Answer<'a, Option<Challenge>>;

    /// Ends a challenge. Of those who ask, one is told that there was one.
    fn end_challenge<'a>(&'a self, id: &'a Hash) -> Answer<'a, bool>;

    /// All that [`Standing`](crate::identity::standing::Standing) is to know at `now`.
    fn standing(&self, now: u64) -> Answer<'_, Vec<Change>>;

    /// Whether it answers, and takes what is written.
    fn is_well(&self) -> Doing<'_, bool>;

    /// Forgets what has expired, some of it: true as long as there may be more.
    fn sweep(&self, now: u64) -> Answer<'_, bool>;

    /// Follows what others write, and tells this node's
    /// [`Standing`](crate::identity::standing::Standing) of it, for ever.
    fn follow(&self) -> Doing<'_, Infallible>;
}
