//! The second step of a login: a challenge, and the code that answers it.
//!
//! A challenge belongs to one user, one first step and one endpoint; it holds for a few minutes and
//! a few tries, and is answered once. A code counts once, too: its step is noted in the store in
//! the same breath.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::login::enabled;
use super::time::millis;
use super::{Call, ChallengeTicket, How, LoggedIn, LoginError, TokenService, Unavailable, away};
use crate::api_key;
use crate::store::{Challenge, Totp};
use crate::token::token_id;
use crate::totp::{self, recovery};

/// What is to be known when a challenge is answered.
#[derive(Serialize, Deserialize)]
struct Details {
    endpoint: Box<str>,
    began_ms: u64,
}

impl TokenService {
    /// Logs in with the code that a challenge asked for. `user` must be the challenge's, where
    /// the client names one.
    ///
    /// # Errors
    ///
    /// [`LoginError`], never [`LoginError::SecondFactor`].
    pub async fn answer_challenge(
        &self,
        call: &Call,
        challenge: &str,
        user: Option<&str>,
        code: &str,
    ) -> Result<LoggedIn, LoginError> {
        let store = self.store()?;
        let id = api_key::digest(challenge);
        let now = self.now();
        let tried = store.try_challenge(&id, now.as_secs()).await.map_err(away)?;
        let challenge = tried.ok_or(LoginError::ChallengeGone)?;
        let name = &*challenge.user;
        let details: Details =
            serde_json::from_str(&challenge.details).map_err(|_| LoginError::ChallengeGone)?;
        let is_meant = details.endpoint == call.profile.name
            && user.is_none_or(|user| user == name)
            && !self.standing.has_user_ended(name, details.began_ms);
        let found = enabled(&call.snapshot.identities, name).filter(|_| is_meant);
        let found = Arc::clone(found.ok_or(LoginError::ChallengeGone)?);
        let attempt = self.throttle.attempt(name, call.client, now)?;
        let right = match self.confirmed_factor(name).await {
            // Taken away since the password was right: then nothing says who asks.
            Ok(None) => Err(LoginError::ChallengeGone),
            Ok(Some(factor)) => {
                self.use_code(call, name, &factor, code).await.map_err(LoginError::from)
            }
            Err(error) => Err(error.into()),
        };
        let ended = match right {
            Ok(Some(how)) => store.end_challenge(&id).await.map(|ended| ended.then_some(how)),
            Ok(None) => {
                attempt.has_failed();
                return Err(LoginError::WrongCode);
            }
            Err(error) => {
                attempt.is_undecided();
                return Err(error);
            }
        };
        match ended.map_err(away) {
            Ok(Some(how)) => {
                attempt.has_succeeded();
                let (name, at_ms) = (found.name.clone(), details.began_ms);
                Ok(LoggedIn { name, user: Some(found), how, key: None, at_ms })
            }
            Ok(None) => {
                attempt.is_undecided();
                Err(LoginError::ChallengeGone)
            }
            Err(error) => {
                attempt.is_undecided();
                Err(error.into())
            }
        }
    }

    /// Asks for the second factor of one whose password was right.
    pub(super) async fn challenge(
        &self,
        call: &Call,
        name: &str,
        began: Duration,
    ) -> Result<ChallengeTicket, LoginError> {
        let store = self.store()?;
        let id = token_id().map_err(|_| Unavailable)?;
        let rules = &call.snapshot.totp;
        let details = Details { endpoint: call.profile.name.clone(), began_ms: millis(began) };
        let expires_at = self.now().saturating_add(rules.challenge_timeout).as_secs();
        let challenge = Challenge {
            id: api_key::digest(&id),
            user: name.into(),
            tries: rules.challenge_tries,
            expires_at,
            details: serde_json::to_string(&details).map_err(|_| Unavailable)?.into(),
        };
        store.put_challenge(&challenge).await.map_err(away)?;
        Ok(ChallengeTicket { id, user: name.into(), expires_at })
    }

    /// The second factor of a user that must be asked for.
    pub(super) async fn confirmed_factor(&self, name: &str) -> Result<Option<Totp>, Unavailable> {
        let found = self.store()?.totp(name, self.now().as_secs()).await.map_err(away)?;
        Ok(found.filter(|factor| factor.is_confirmed))
    }

    /// Uses up a one-time or recovery code. `None`: it is wrong, or was used.
    pub(super) async fn use_code(
        &self,
        call: &Call,
        name: &str,
        factor: &Totp,
        code: &str,
    ) -> Result<Option<How>, Unavailable> {
        let store = self.store()?;
        if let Some(hash) = recovery::hash(self.secrets.recovery(), name, code) {
            let used = store.use_recovery_code(name, &hash).await.map_err(away)?;
            return Ok(used.then_some(How::PasswordAndRecoveryCode));
        }
        let Some(secret) = self.secrets.open(name, &factor.sealed) else {
            tracing::error!(
                user.name = name,
                "The second factor of `{name}` was sealed under another `store.secret`"
            );
            return Err(Unavailable);
        };
        let now = self.now().as_secs();
        let Some(step) = secret.step_of(code, now) else { return Ok(None) };
        let is_first = store.use_totp_step(name, step).await.map_err(away)?;
        let may_repeat = call.profile.totp_reuse && step == now / totp::PERIOD;
        let is_right = is_first
            || may_repeat
                && self.confirmed_factor(name).await?.is_some_and(|now| now.last_step == step);
        Ok(is_right.then_some(How::PasswordAndCode))
    }
}
