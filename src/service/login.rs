//! From a password, a one-time code or a key to proof that somebody has logged in.

use std::sync::Arc;
use std::time::Duration;

use super::{Call, TokenService, Unavailable};
use crate::api_key::ApiKey;
use crate::secret::Secret;
use crate::user::User;

/// By what somebody logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// An API key.
    Key,
    /// A password alone.
    Password,
    /// A password and a one-time code.
    PasswordAndCode,
    /// A password and a recovery code.
    PasswordAndRecoveryCode,
    /// The session of a browser.
    Session,
}

/// Proof that somebody has logged in: only this service makes one.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    pub(super) name: Box<str>,
    pub(super) user: Option<Arc<User>>,
    pub(super) how: How,
    pub(super) key: Option<Arc<ApiKey>>,
}

impl LoggedIn {
    /// The user's name, or the identifier that a key was registered for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user; `None`: an identifier that no directory knows.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<User>> {
        self.user.as_ref()
    }

    /// By what.
    #[must_use]
    pub fn how(&self) -> How {
        self.how
    }

    /// The key, if it was one: what is issued is no wider.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<ApiKey>> {
        self.key.as_ref()
    }
}

/// What a login that lacks the second factor is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeTicket {
    /// What the client shows again, with the code: a secret of 160 random bits.
    pub id: String,
    /// Whose login it is.
    pub user: Box<str>,
    /// The first second (Unix) at which it is gone.
    pub expires_at: u64,
}

/// Why nobody is logged in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Too many passwords wait to be verified: 503 with Retry-After.
    #[error("too many passwords wait to be verified")]
    Busy,
    /// There is no such challenge (any more), or it is somebody else's: log in again.
    #[error("the challenge is used up, expired or unknown")]
    ChallengeGone,
    /// Unknown, wrong, disabled or expired; which of them is nobody's business.
    #[error("refused")]
    Refused,
    /// The password is right, and a one-time code must follow.
    #[error("a second factor is needed")]
    SecondFactor(ChallengeTicket),
    /// Too many failures: 429 with Retry-After.
    #[error("too many failures")]
    Throttled {
        /// When it makes sense to come back.
        retry_after: Duration,
    },
    /// The store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The code is wrong, or was used before.
    #[error("the code is wrong or used")]
    WrongCode,
}

impl TokenService {
    /// Logs in with a password, and a code where the user has a second factor. Without a code
    /// such a user is answered with [`LoginError::SecondFactor`].
    ///
    /// # Errors
    ///
    /// [`LoginError`].
    pub async fn login(
        &self,
        call: &Call,
        user: &str,
        password: Secret,
        code: Option<&str>,
    ) -> Result<LoggedIn, LoginError> {
        let _ = (call, user, password, code);
        Err(Unavailable.into())
    }

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
        let _ = (call, challenge, user, code);
        Err(Unavailable.into())
    }

    /// Logs in with an API key. What is issued then is no wider than the key.
    ///
    /// # Errors
    ///
    /// [`LoginError`], never [`LoginError::SecondFactor`]: whoever issued the key had it.
    pub async fn exchange_key(&self, call: &Call, key: &str) -> Result<LoggedIn, LoginError> {
        let _ = (call, key);
        Err(Unavailable.into())
    }

    /// Goes on with the session of a browser, whose cookie the caller has opened: unless it was
    /// ended, or its user is no longer welcome.
    ///
    /// # Errors
    ///
    /// [`LoginError::Refused`].
    pub fn resume(
        &self,
        call: &Call,
        user: &str,
        session_id: &str,
        began: Duration,
    ) -> Result<LoggedIn, LoginError> {
        let _ = (call, user, session_id, began);
        Err(LoginError::Refused)
    }
}
