//! From an API key to proof that its owner has logged in.

use std::sync::Arc;

use super::time::millis;
use super::{Call, How, LoggedIn, LoginError, TokenService, away};
use crate::api_key::{self, ApiKey, KeyHash, KeyKind};
use crate::identity::Identities;
use crate::user::User;

impl TokenService {
    /// Logs in with an API key. What is issued then is no wider than the key.
    ///
    /// No second factor is asked for: whoever issued the key had it.
    ///
    /// # Errors
    ///
    /// [`LoginError`], never [`LoginError::SecondFactor`].
    pub async fn exchange_key(&self, call: &Call, key: &str) -> Result<LoggedIn, LoginError> {
        let store = self.store()?;
        let began = self.now();
        let hash = api_key::digest(key);
        // Guesses at keys count for their address; nobody's name is slowed down by them.
        let name = format!("key {}", api_key::hex(&hash));
        let attempt = self.throttle.attempt(&name, call.client, began)?;
        let judge = |key: &ApiKey| judge_key(call, key, &hash, began.as_secs());
        // Told before anything is waited for, so that many exchanges at once are no failures.
        let known = self.standing.key_by_hash(&hash);
        let pending = if known.as_deref().and_then(judge).is_some() {
            attempt.has_succeeded();
            None
        } else {
            Some(attempt)
        };
        let stored = match store.key_by_hash(&hash).await {
            Ok(stored) => stored,
            Err(error) => {
                if let Some(attempt) = pending {
                    attempt.is_undecided();
                }
                return Err(away(error).into());
            }
        };
        let judged = stored.and_then(|key| Some((judge(&key)?, key)));
        let Some((user, key)) = judged else {
            return Err(LoginError::Refused); // the attempt, dropped, has failed
        };
        if let Some(attempt) = pending {
            attempt.has_succeeded();
        }
        Ok(LoggedIn {
            name: key.owner.clone(),
            user,
            how: How::Key,
            key: Some(Arc::new(key)),
            at_ms: millis(began),
        })
    }
}

/// Whom a key proves; the inner `None`: an identifier that no directory knows.
#[expect(clippy::option_option, reason = "nobody, somebody unknown, or a user")]
fn judge_key(call: &Call, key: &ApiKey, hash: &KeyHash, now: u64) -> Option<Option<Arc<User>>> {
    if key.hash != *hash || key.has_expired(now) || !key.scope.allows_source(call.client) {
        return None;
    }
    owner(&call.snapshot.identities, key)
}

/// The owner of a key, while they may use it; the inner `None`: an identifier that no directory
/// knows.
#[expect(clippy::option_option, reason = "nobody, somebody unknown, or a user")]
fn owner(identities: &Identities, key: &ApiKey) -> Option<Option<Arc<User>>> {
    match (identities.find(&key.owner), key.kind) {
        (Some((_, user)), _) => (!user.disabled).then(|| Some(Arc::clone(user))),
        (None, KeyKind::Registered) => Some(None),
        (None, KeyKind::User) => None,
    }
}
