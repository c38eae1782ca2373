//! From a password, a one-time code or a key to proof that somebody has logged in.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::time::millis;
use super::{Call, TokenService, Unavailable};
use crate::api_key::ApiKey;
use crate::directory::Directory;
use crate::identity::Identities;
use crate::identity::throttle::Throttled;
use crate::password::PoolError;
use crate::route::endpoint::Dialect;
use crate::secret::Secret;
use crate::snapshot::Snapshot;
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
    /// When the attempt began, in milliseconds since the Unix epoch: what was ended later is not
    /// revived by it.
    pub(super) at_ms: u64,
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

    /// When the attempt began, since the Unix epoch.
    #[must_use]
    pub fn began(&self) -> Duration {
        Duration::from_millis(self.at_ms)
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
#[derive(Clone, PartialEq, Eq)]
pub struct ChallengeTicket {
    /// What the client shows again, with the code: a secret of 160 random bits.
    pub id: String,
    /// Whose login it is.
    pub user: Box<str>,
    /// The first second (Unix) at which it is gone.
    pub expires_at: u64,
}

impl fmt::Debug for ChallengeTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeTicket")
            .field("user", &self.user)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
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

impl From<Throttled> for LoginError {
    fn from(throttled: Throttled) -> Self {
        Self::Throttled { retry_after: throttled.retry_after }
    }
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
        self.store()?; // nobody's password is looked at for nothing
        let began = self.now();
        let name = login_name(call, user);
        let attempt = self.throttle.attempt(&name, call.client, began)?;
        let verified = self.verify_password(&call.snapshot, call.client, &name, password).await;
        let user = match verified {
            Ok(Some(user)) => user,
            Ok(None) => {
                attempt.has_failed();
                return Err(LoginError::Refused);
            }
            Err(_) => {
                attempt.is_undecided();
                return Err(LoginError::Busy);
            }
        };
        let who = |how| LoggedIn {
            name: user.name.clone(),
            user: Some(Arc::clone(&user)),
            how,
            key: None,
            at_ms: millis(began),
        };
        // The right password alone makes up for no wrong code.
        let pending = if self.standing.has_second_factor(&name) {
            Some(attempt)
        } else {
            attempt.has_succeeded();
            None
        };
        let factor = match self.confirmed_factor(&name).await {
            Ok(factor) => factor,
            Err(error) => {
                if let Some(attempt) = pending {
                    attempt.is_undecided();
                }
                return Err(error.into());
            }
        };
        let Some(factor) = factor else {
            if let Some(attempt) = pending {
                attempt.has_succeeded();
            }
            return Ok(who(How::Password));
        };
        let Some(code) = code else {
            if let Some(attempt) = pending {
                attempt.is_undecided();
            }
            return Err(LoginError::SecondFactor(self.challenge(call, &name, began).await?));
        };
        let attempt = match pending {
            Some(attempt) => attempt,
            None => self.throttle.attempt(&name, call.client, self.now())?,
        };
        match self.use_code(call, &name, &factor, code).await {
            Ok(Some(how)) => {
                attempt.has_succeeded();
                Ok(who(how))
            }
            Ok(None) => {
                attempt.has_failed();
                Err(LoginError::WrongCode)
            }
            Err(error) => {
                attempt.is_undecided();
                Err(error.into())
            }
        }
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
        let judged = self.standing.judge_session(session_id, user, millis(began));
        let found = enabled(&call.snapshot.identities, user);
        match (judged, found) {
            (Ok(()), Some(user)) => Ok(LoggedIn {
                name: user.name.clone(),
                user: Some(Arc::clone(user)),
                how: How::Session,
                key: None,
                at_ms: millis(began),
            }),
            (Err(_), _) | (_, None) => Err(LoginError::Refused),
        }
    }

    /// Whose password this is, remembered or hashed; `None`: nobody's of this name.
    pub(super) async fn verify_password(
        &self,
        snapshot: &Snapshot,
        client: IpAddr,
        name: &str,
        password: Secret,
    ) -> Result<Option<Arc<User>>, PoolError> {
        let identities = &snapshot.identities;
        let remember = snapshot.remember_passwords.as_secs();
        let text = std::str::from_utf8(password.expose()).ok();
        let digest = text.map(|text| snapshot.digest_key.digest(name, text));
        let user = || {
            let proved = identities.password_of(name).proves(false)?;
            let (_, user) = identities.find(proved.name()?)?;
            Some(Arc::clone(user))
        };
        if remember > 0
            && let Some(digest) = &digest
            && snapshot.verified_passwords.until(digest, self.now().as_secs()).is_some()
            && let Some(user) = user()
        {
            return Ok(Some(user));
        }
        let hash = Arc::clone(&identities.password_of(name).hash);
        let verify = snapshot.hashing.verify(client, hash, password);
        let fits = match digest {
            Some(digest) => snapshot.verifying_logins.verify((client, digest), verify).await?,
            None => verify.await?,
        };
        let user = fits.then(user).flatten();
        if let (Some(digest), Some(_), true) = (digest, &user, remember > 0) {
            let until = self.now().as_secs().saturating_add(remember);
            snapshot.verified_passwords.note(digest, until);
        }
        Ok(user)
    }
}

/// The user of this name, unless shut out.
pub(super) fn enabled<'i>(identities: &'i Identities, name: &str) -> Option<&'i Arc<User>> {
    identities.find(name).map(|(_, user)| user).filter(|user| !user.disabled)
}

/// The name of whom a client means. omegaml's clients may say an e-mail address instead: that of
/// exactly one user. Every user is looked at, whoever is found, so that the time tells nothing.
fn login_name<'c>(call: &'c Call, presented: &'c str) -> Cow<'c, str> {
    let identities = &call.snapshot.identities;
    let may_be_address = call.profile.dialect == Dialect::Omegaml && presented.contains('@');
    if !may_be_address {
        return Cow::Borrowed(presented);
    }
    let users = identities.directories.iter().flat_map(Directory::users);
    let is_meant = |user: &&Arc<User>| {
        user.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(presented))
    };
    // An entry that another directory's hides is nobody.
    let is_found = |user: &&Arc<User>| {
        identities.find(&user.name).is_some_and(|(_, found)| Arc::ptr_eq(found, user))
    };
    let meant: Vec<_> = users.filter(is_meant).filter(is_found).collect();
    match meant.as_slice() {
        [only] if identities.find(presented).is_none() => Cow::Borrowed(&only.name),
        _ => Cow::Borrowed(presented),
    }
}
