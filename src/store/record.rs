//! What is stored, as the callers of a store see it.

use super::{MAX_DETAILS_BYTES, MAX_NAME_BYTES, StoreError, sql};
use crate::api_key::ApiKey;
use crate::identity::standing::{Revocation, Revoked};

/// The SHA-256 of a key, token, recovery code or id of a challenge.
pub type Hash = [u8; 32];

/// A login, and all that comes of it by refreshing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Names it; the `sid` claim of its access tokens.
    pub id: Box<str>,
    /// Whose it is.
    pub user: Box<str>,
    /// The API key that it was begun with, which it does not outlive.
    pub key: Option<Box<str>>,
    /// When it began, in Unix seconds.
    pub began_at: u64,
    /// The first second in which it can no longer be refreshed, however often it was.
    pub expires_at: u64,
    /// No access token of it lives longer: its revocation is remembered until then.
    pub tokens_until: u64,
    /// What its owner has to know again when it is refreshed; not read here.
    pub details: Box<str>,
}

/// A family, found by one of its refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The family.
    pub family: Family,
    /// Whether the token can be used, or was.
    pub is_current: bool,
}

/// What came of exchanging a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The family has lived as long as it may.
    Expired,
    /// The token had been used: the family was ended by this call.
    Reused(Family),
    /// The token is used now, and the new one holds.
    Rotated(Family),
    /// There is no such token, or its family was ended.
    Unknown,
}

/// The second factor of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    /// The secret, as it came.
    pub sealed: Vec<u8>,
    /// Whether it was confirmed, so that it is asked for.
    pub is_confirmed: bool,
    /// The latest step whose code was used.
    pub last_step: u64,
    /// How many recovery codes are left.
    pub recovery_codes: u64,
}

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Totp")
            .field("is_confirmed", &self.is_confirmed)
            .field("last_step", &self.last_step)
            .field("recovery_codes", &self.recovery_codes)
            .finish_non_exhaustive()
    }
}

/// A login that lacks the second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The SHA-256 of what the client shows.
    pub id: Hash,
    /// Whose login it is.
    pub user: Box<str>,
    /// How many tries are left.
    pub tries: u32,
    /// The first second in which it is gone.
    pub expires_at: u64,
    /// What is to be known when it is answered; not read here.
    pub details: Box<str>,
}

/// Whether a name fits into an index of any database.
pub(super) fn check_name(name: &str) -> Result<(), StoreError> {
    let fits = name.len() <= MAX_NAME_BYTES && !name.contains('\0');
    if fits { Ok(()) } else { Err(StoreError::Unfit) }
}

/// Whether a text is one that is kept.
pub(super) fn check_details(details: &str) -> Result<(), StoreError> {
    let fits = details.len() <= MAX_DETAILS_BYTES && !details.contains('\0');
    if fits { Ok(()) } else { Err(StoreError::Unfit) }
}

impl Family {
    /// Whether every database takes it.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        check_name(&self.id)?;
        check_name(&self.user)?;
        self.key.as_deref().map_or(Ok(()), check_name)?;
        check_details(&self.details)
    }
}

/// A key as it is written.
pub(super) fn key_record(key: &ApiKey) -> Result<String, StoreError> {
    check_name(&key.id)?;
    check_name(&key.owner)?;
    let record = serde_json::to_string(key).map_err(|_| StoreError::Unfit)?;
    check_details(&record)?;
    Ok(record)
}

/// A key as it was written.
pub(super) fn key(record: &str) -> Result<ApiKey, StoreError> {
    serde_json::from_str(record).map_err(|_| StoreError::Corrupt("an API key"))
}

/// A key as it was written; one that cannot be read, perhaps since a newer version has narrowed it
/// in a way that is not known here, is as good as none.
pub(super) fn readable_key(record: &str) -> Option<ApiKey> {
    let key = serde_json::from_str(record);
    if key.is_err() {
        tracing::warn!("Left out an API key in the store that cannot be read");
    }
    key.ok()
}

/// The columns `kind`, `subject` and `since_ms`.
pub(super) fn revocation_row(what: &Revoked) -> (i64, &str, i64) {
    match what {
        Revoked::Family(id) => (sql::FAMILY_KIND, id, 0),
        Revoked::Token(id) => (sql::TOKEN, id, 0),
        Revoked::User { name, since_ms } => (sql::USER, name, signed(*since_ms)),
    }
}

/// The revocation of a row. One that is not understood might be of anything.
pub(super) fn revocation(
    kind: i64,
    subject: Box<str>,
    since_ms: i64,
    until: i64,
) -> Result<Revocation, StoreError> {
    let what = match kind {
        sql::FAMILY_KIND => Revoked::Family(subject),
        sql::TOKEN => Revoked::Token(subject),
        sql::USER => Revoked::User { name: subject, since_ms: unsigned(since_ms) },
        _ => return Err(StoreError::Corrupt("a revocation")),
    };
    Ok(Revocation { what, until: unsigned(until) })
}

/// As databases count; a time beyond the year 292 billion is as good as never.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// As the program counts; what is negative in a database was never written by us.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_index_takes_is_refused() {
        assert!(check_name("alice").is_ok());
        assert!(check_name(&"a".repeat(MAX_NAME_BYTES)).is_ok());
        assert!(matches!(check_name(&"a".repeat(MAX_NAME_BYTES + 1)), Err(StoreError::Unfit)));
        assert!(matches!(check_name("al\0ice"), Err(StoreError::Unfit)));
    }

    #[test]
    fn the_secret_of_a_second_factor_is_not_printed() {
        let totp =
            Totp { sealed: vec![171; 8], is_confirmed: true, last_step: 1, recovery_codes: 8 };

        assert!(!format!("{totp:?}").contains("171"));
    }

    #[test]
    fn numbers_that_a_database_cannot_hold_are_as_near_as_it_can() {
        assert_eq!(signed(u64::MAX), i64::MAX);
        assert_eq!(unsigned(-1), 0);
        assert_eq!(unsigned(signed(1_700_000_000)), 1_700_000_000);
    }
}
