//! Sessions of browsers: what the cookie of one says, and for how long it is worth something.
//!
//! A session lives in its cookie, sealed by [`seal::Sealer`]; nothing of it is stored. It ends
//! when it was idle or alive for too long ([`Lifetimes`]), and earlier when its [`Session::id`] is
//! revoked, as a family of tokens is. The time is an argument everywhere.

pub mod cookie;
pub mod seal;

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

pub use self::seal::{SealError, Sealer};

/// Bytes of chance in the id of a session.
const ID_BYTES: usize = 16;

/// By what somebody proved who they are when the session began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// A password alone.
    Password,
    /// A token of an issuer that is trusted for logging in.
    Token,
    /// A password and a one-time code.
    Totp,
}

impl How {
    /// The word for it in logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Token => "token",
            Self::Totp => "totp",
        }
    }
}

/// What a session's cookie says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Whose it is.
    pub user: Box<str>,
    /// Its id, of 128 random bits: what ends it is said of this.
    pub id: Box<str>,
    /// When somebody logged in, in milliseconds since the Unix epoch. Never moves.
    pub created_ms: u64,
    /// When the cookie was last written, in Unix seconds.
    pub seen: u64,
    /// By what it was begun.
    pub how: How,
    /// The endpoint that began it.
    pub endpoint: Box<str>,
}

/// How long sessions last. Both bounds are exact: at the very second, it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Since it was last used.
    pub idle: Duration,
    /// Since the login, however much it is used.
    pub absolute: Duration,
}

/// Why a session is worth nothing any more, or nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionOver {
    /// It has lived for its whole life.
    #[error("the session has reached the end of its life")]
    Expired,
    /// Nobody used it for too long.
    #[error("the session was idle for too long")]
    Idle,
    /// It begins in the future: a clock went back, or another node's goes ahead, by far.
    #[error("the session begins in the future")]
    NotYet,
}

/// What is to be done about a session that still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// Nothing.
    Keep,
    /// Its cookie wants to be written anew, as [`Session::renewed`].
    Renew,
}

/// Clocks of several nodes differ by less than this, in seconds.
const LEEWAY: u64 = 60;

impl Session {
    /// A new session, under a new id: what a login gives, whatever cookie came with it.
    ///
    /// # Errors
    ///
    /// [`SealError::NoRandomness`].
    pub fn begin(user: &str, how: How, endpoint: &str, now: Duration) -> Result<Self, SealError> {
        let mut id = [0; ID_BYTES];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| SealError::NoRandomness)?;
        Ok(Self {
            user: user.into(),
            id: BASE64URL_NOPAD.encode(&id).into(),
            created_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            seen: now.as_secs(),
            how,
            endpoint: endpoint.into(),
        })
    }

    /// When it began, in Unix seconds.
    #[must_use]
    pub const fn created(&self) -> u64 {
        self.created_ms / 1000
    }

    /// Whether it still holds at `now` (Unix seconds), and whether its cookie should be renewed:
    /// after a tenth of the idle time, so that not every answer carries a cookie.
    ///
    /// # Errors
    ///
    /// [`SessionOver`].
    pub fn judge(&self, lifetimes: Lifetimes, now: u64) -> Result<Upkeep, SessionOver> {
        if self.created() > now.saturating_add(LEEWAY) || self.seen > now.saturating_add(LEEWAY) {
            return Err(SessionOver::NotYet);
        }
        if now.saturating_sub(self.created()) >= lifetimes.absolute.as_secs() {
            return Err(SessionOver::Expired);
        }
        let idle = now.saturating_sub(self.seen);
        if idle >= lifetimes.idle.as_secs() {
            return Err(SessionOver::Idle);
        }
        let is_due = idle > 0 && idle >= lifetimes.idle.as_secs() / 10;
        Ok(if is_due { Upkeep::Renew } else { Upkeep::Keep })
    }

    /// The same session, used at `now` (Unix seconds).
    #[must_use]
    pub fn renewed(&self, now: u64) -> Self {
        Self { seen: now.max(self.seen), ..self.clone() }
    }

    /// The last second at which it can hold without being renewed (Unix seconds): until then
    /// whoever has judged it may remember so.
    #[must_use]
    pub fn holds_until(&self, lifetimes: Lifetimes) -> u64 {
        self.end(lifetimes).saturating_sub(1)
    }

    /// For how many seconds from `now` its cookie is worth keeping.
    #[must_use]
    pub fn remaining(&self, lifetimes: Lifetimes, now: u64) -> u64 {
        self.end(lifetimes).saturating_sub(now)
    }

    /// The second at which it is over for good, in Unix seconds: a revocation of it may be
    /// forgotten then.
    #[must_use]
    pub fn absolute_end(&self, lifetimes: Lifetimes) -> u64 {
        self.created().saturating_add(lifetimes.absolute.as_secs())
    }

    fn end(&self, lifetimes: Lifetimes) -> u64 {
        let idle = self.seen.saturating_add(lifetimes.idle.as_secs());
        idle.min(self.absolute_end(lifetimes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIMES: Lifetimes =
        Lifetimes { idle: Duration::from_mins(30), absolute: Duration::from_hours(12) };
    const NOW: u64 = 1_800_000_000;

    fn session() -> Session {
        Session::begin("alice", How::Password, "page", Duration::from_millis(NOW * 1000 + 7))
            .unwrap()
    }

    #[test]
    fn every_login_has_an_id_of_its_own() {
        let (one, other) = (session(), session());

        assert_ne!(one.id, other.id);
        assert_eq!(one.id.len(), 22);
        assert_eq!((one.created_ms, one.created(), one.seen), (NOW * 1000 + 7, NOW, NOW));
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it() {
        let session = session();

        assert_eq!(session.judge(LIFETIMES, NOW + 1799), Ok(Upkeep::Renew));
        assert_eq!(session.judge(LIFETIMES, NOW + 1800), Err(SessionOver::Idle));
        let renewed = session.renewed(NOW + 1799);
        assert_eq!(renewed.judge(LIFETIMES, NOW + 1800), Ok(Upkeep::Keep));
        assert_eq!((renewed.id, renewed.created_ms), (session.id, session.created_ms));
    }

    #[test]
    fn a_session_ends_at_the_end_of_its_life_however_much_it_is_used() {
        let last = 12 * 3600 - 1;
        let session = session().renewed(NOW + last);

        assert_eq!(session.judge(LIFETIMES, NOW + last), Ok(Upkeep::Keep));
        assert_eq!(session.judge(LIFETIMES, NOW + last + 1), Err(SessionOver::Expired));
        assert_eq!(session.remaining(LIFETIMES, NOW + last), 1);
        assert_eq!(session.holds_until(LIFETIMES), NOW + last);
        assert_eq!(session.absolute_end(LIFETIMES), NOW + last + 1);
    }

    #[test]
    fn a_cookie_is_renewed_after_a_tenth_of_the_idle_time() {
        let session = session();
        assert_eq!(session.judge(LIFETIMES, NOW + 179), Ok(Upkeep::Keep));
        assert_eq!(session.judge(LIFETIMES, NOW + 180), Ok(Upkeep::Renew));
        assert_eq!(session.remaining(LIFETIMES, NOW + 180), 1620);

        let short = Lifetimes { idle: Duration::from_secs(2), ..LIFETIMES };
        assert_eq!(session.judge(short, NOW), Ok(Upkeep::Keep));
        assert_eq!(session.judge(short, NOW + 1), Ok(Upkeep::Renew));
    }

    #[test]
    fn a_session_of_the_future_is_none_but_for_the_difference_of_clocks() {
        let session = session();
        assert_eq!(session.judge(LIFETIMES, NOW - 60), Ok(Upkeep::Keep));
        assert_eq!(session.judge(LIFETIMES, NOW - 61), Err(SessionOver::NotYet));
        assert_eq!(session.renewed(NOW - 5).seen, NOW);
        let ahead = Session { seen: u64::MAX, ..session };
        assert_eq!(ahead.judge(LIFETIMES, NOW), Err(SessionOver::NotYet));
    }
}
