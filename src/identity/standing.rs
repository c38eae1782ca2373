//! What is known beside the snapshot and changes without a reload: revocations, API keys, who has
//! a second factor.
//!
//! Nothing on the way of a request waits for it. A worker remembers the [`Standing::epoch`] at
//! which it judged a credential, and judges again only when that has moved, so that in the steady
//! state there is one atomic load a request and no lock.
//!
//! A revocation is never taken back, only forgotten once nothing that it ends could still hold.

mod known;
mod overflow;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use subtle::ConstantTimeEq as _;

use self::known::Known;
use self::overflow::Kind;
use crate::api_key::{ApiKey, KeyHash};

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key was issued or changed.
    Key(Arc<ApiKey>),
    /// The key of this id is no more.
    KeyEnded(Box<str>),
    /// Something was revoked.
    Revoked(Revocation),
    /// A user has a second factor from now on, or has none any more.
    SecondFactor {
        /// Whose.
        user: Box<str>,
        /// Whether there is one.
        enrolled: bool,
    },
}

/// What was revoked, and for how long that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What ended.
    pub what: Revoked,
    /// When it may be forgotten, in Unix seconds: whatever it ends has then expired.
    pub until: u64,
}

/// What a revocation ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// All that one login led to, by its `sid` claim: tokens, refresh tokens, a session.
    Family(Box<str>),
    /// One token, by its `jti` claim.
    Token(Box<str>),
    /// Everything that a user was given until a moment.
    User {
        /// Whose.
        name: Box<str>,
        /// Until when, in milliseconds since the Unix epoch. A token tells the second in which it
        /// was issued: those of the same second end as well.
        since_ms: u64,
    },
}

/// What of a verified token can be revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// The `jti` claim.
    pub token_id: Option<Box<str>>,
    /// The `sid` claim: the login that it comes from.
    pub family: Option<Box<str>>,
    /// Whose it is.
    pub subject: Box<str>,
    /// The `iat` claim in Unix seconds. A token without one ends with any revocation of its user.
    pub issued_at: Option<u64>,
    /// The `client_id` claim: the API key that it was exchanged for, whose scope it has and with
    /// which it ends.
    pub key: Option<Box<str>>,
}

impl TokenFacts {
    /// About how many bytes it holds outside itself.
    pub(super) fn weight(&self) -> usize {
        let ids = [&self.token_id, &self.family, &self.key];
        let ids = ids.into_iter().flatten().map(|id| id.len());
        ids.chain([self.subject.len()]).sum()
    }
}

/// Why what has verified does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The login that it comes from has ended.
    #[error("the login that it comes from has ended")]
    Family,
    /// The API key that it is, or comes from, has expired.
    #[error("the API key has expired")]
    KeyExpired,
    /// The API key that it is, or comes from, is none, or is no more.
    #[error("there is no such API key")]
    KeyUnknown,
    /// It was revoked.
    #[error("the token was revoked")]
    Token,
    /// Everything of the user was ended after it had been issued.
    #[error("everything of the user was ended after this had been issued")]
    User,
}

impl Ended {
    /// The reason as logs and metrics name it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Family => "login_ended",
            Self::KeyExpired => "key_expired",
            Self::KeyUnknown => "key_unknown",
            Self::Token => "token_revoked",
            Self::User => "user_revoked",
        }
    }
}

/// How much is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// API keys.
    pub keys: usize,
    /// Revocations, but for those that are only known roughly.
    pub revocations: usize,
    /// Revocations beyond the bound, of which only a pattern is kept.
    pub overflown: u64,
    /// Users with a second factor.
    pub second_factors: usize,
}

/// All of it. Shared by workers, token service and store.
pub struct Standing {
    epoch: AtomicU64,
    known: RwLock<Known>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { epoch: AtomicU64::new(1), known: RwLock::default() }
    }
}

impl Standing {
    /// Nothing revoked, no keys, nobody with a second factor.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Counts the changes. Read it before what is judged, never after.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The key of this id, expired or not.
    #[must_use]
    pub fn key(&self, id: &str) -> Option<Arc<ApiKey>> {
        self.known().keys.get(id).cloned()
    }

    /// The key whose text has this hash, expired or not.
    #[must_use]
    pub fn key_by_hash(&self, hash: &KeyHash) -> Option<Arc<ApiKey>> {
        let key = self.known().keys_by_hash.get(hash).cloned();
        key.filter(|key| key.hash.ct_eq(hash).into())
    }

    /// Whether a token that has verified is worth nothing all the same.
    #[must_use]
    pub fn is_revoked(&self, token: &TokenFacts) -> bool {
        self.judge(token, 0).is_err()
    }

    /// Judges a token that has verified, as of `now` (Unix seconds), and gives the API key that it
    /// was exchanged for.
    ///
    /// # Errors
    ///
    /// [`Ended`]: it is worth nothing.
    pub fn judge(&self, token: &TokenFacts, now: u64) -> Result<Option<Arc<ApiKey>>, Ended> {
        let known = self.known();
        if let Some(id) = &token.token_id
            && (known.tokens.contains_key(id) || known.overflow.holds(Kind::Token, id))
        {
            return Err(Ended::Token);
        }
        if let Some(id) = &token.family
            && known.has_family_ended(id)
        {
            return Err(Ended::Family);
        }
        let issued_ms = token.issued_at.map_or(0, |seconds| seconds.saturating_mul(1000));
        if known.has_user_ended(&token.subject, issued_ms) {
            return Err(Ended::User);
        }
        let Some(id) = &token.key else { return Ok(None) };
        let key = known.keys.get(id).ok_or(Ended::KeyUnknown)?;
        if key.has_expired(now) { Err(Ended::KeyExpired) } else { Ok(Some(Arc::clone(key))) }
    }

    /// Judges a browser's session by its id, its user and when it began, in milliseconds since
    /// the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`Ended`]: it is worth nothing.
    pub fn judge_session(&self, id: &str, user: &str, began_ms: u64) -> Result<(), Ended> {
        let known = self.known();
        if known.has_family_ended(id) {
            return Err(Ended::Family);
        }
        if known.has_user_ended(user, began_ms) { Err(Ended::User) } else { Ok(()) }
    }

    /// Whether everything of the user was ended at that moment or later, in milliseconds since
    /// the Unix epoch.
    #[must_use]
    pub fn has_user_ended(&self, user: &str, began_ms: u64) -> bool {
        self.known().has_user_ended(user, began_ms)
    }

    /// Whether a password alone does not prove this user.
    #[must_use]
    pub fn has_second_factor(&self, user: &str) -> bool {
        self.known().second_factors.contains(user)
    }

    /// How much is known.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let known = self.known();
        Counts {
            keys: known.keys.len(),
            revocations: known.families.len() + known.tokens.len() + known.users.len(),
            overflown: known.overflow.count(),
            second_factors: known.second_factors.len(),
        }
    }

    /// Takes changes in. When it returns, every worker's next request counts with them.
    pub fn apply(&self, changes: impl IntoIterator<Item = Change>) {
        let mut known = self.known_mut();
        let mut is_changed = false;
        for change in changes {
            is_changed |= known.apply(change, true);
        }
        self.moved(&known, is_changed);
    }

    /// Takes in a list of everything, which may be a little older than what was applied last:
    /// revocations that it lacks stand until they may be forgotten, and what was told of a key or
    /// a second factor since the last list outweighs this one.
    pub fn replace(&self, all: Vec<Change>) {
        let mut known = self.known_mut();
        let mut next = Known::default();
        let mut is_changed = false;
        for change in all {
            match change {
                Change::Revoked(_) => is_changed |= known.apply(change, false),
                Change::Key(key) => {
                    let same = known.keys.get(&key.id).filter(|same| **same == key);
                    next.insert_key(same.map_or(key, Arc::clone));
                }
                Change::KeyEnded(_) | Change::SecondFactor { .. } => {
                    next.apply(change, false);
                }
            }
        }
        let recent = std::mem::take(&mut known.recent);
        for (id, key) in recent.keys {
            next.remove_key(&id);
            if let Some(key) = key {
                next.insert_key(key);
            }
        }
        for (user, enrolled) in recent.second_factors {
            next.set_second_factor(user, enrolled);
        }
        is_changed |= known.keys != next.keys || known.second_factors != next.second_factors;
        known.keys = next.keys;
        known.keys_by_hash = next.keys_by_hash;
        known.second_factors = next.second_factors;
        self.moved(&known, is_changed);
    }

    /// Forgets the revocations of what has expired at `now` (Unix seconds).
    pub fn sweep(&self, now: u64) {
        let mut known = self.known_mut();
        known.families.retain(|_, until| *until > now);
        known.tokens.retain(|_, until| *until > now);
        known.users.retain(|_, end| end.until > now);
        known.overflow.sweep(now);
        known.sweep_recent();
    }

    /// Called while the lock is held, so that whoever sees the epoch sees the change.
    fn moved(&self, _known: &Known, is_changed: bool) {
        if is_changed {
            self.epoch.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing").field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
