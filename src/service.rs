//! The one token service behind all dialects: log in, issue, refresh, revoke, keys, second factor.
//!
//! A dialect translates a request into calls of [`TokenService`] and its answer into bytes, and
//! decides nothing. What must not be skipped is a value that only this module makes: a token is
//! issued to a [`LoggedIn`], and nothing but a verified password, code, key, token or session
//! makes one.
//!
//! The throttle is asked before and told after each guess. Unknown users, wrong passwords and
//! disabled users have one answer at one cost. Without its store the service issues nothing, and
//! goes on verifying.

mod call;
mod claims;
mod exchange;
mod introspect;
mod issue;
mod key;
mod login;
mod password;
mod refresh;
mod revoke;
mod second_factor;
mod secrets;
mod stand_in;
mod time;
mod totp;
mod users;
mod verify;

use std::sync::Arc;
use std::time::Duration;

pub use self::call::{Call, Outcome};
pub use self::claims::Shape;
pub use self::introspect::Introspected;
pub use self::issue::{IssueError, Issued, Wish};
pub use self::key::{KeyError, NewKey};
pub use self::login::{ChallengeTicket, How, LoggedIn, LoginError};
pub use self::password::{PasswordChangeError, Reload};
pub use self::refresh::RefreshError;
pub use self::revoke::RevokeError;
pub use self::secrets::{NoSecrets, Secrets};
pub use self::time::{Clock, SystemClock};
pub use self::totp::{Enrolment, TotpError, TotpState};
pub use self::users::{UserFiles, UsersError};
pub use self::verify::Verified;

use crate::identity::standing::Standing;
use crate::identity::throttle::Throttle;
use crate::store::{Store, StoreError};

/// What the service is made of.
#[derive(Debug)]
pub struct Parts {
    /// What it remembers; `None`: it issues nothing.
    pub store: Option<Arc<dyn Store>>,
    /// What workers know of that.
    pub standing: Arc<Standing>,
    /// Who has failed how often.
    pub throttle: Arc<Throttle>,
    /// What it seals with.
    pub secrets: Secrets,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Loads changed files; `None`: files of users are changed by nobody.
    pub reload: Option<Arc<dyn Reload>>,
}

/// The token service.
#[derive(Debug)]
pub struct TokenService {
    store: Option<Arc<dyn Store>>,
    standing: Arc<Standing>,
    throttle: Arc<Throttle>,
    secrets: Secrets,
    clock: Arc<dyn Clock>,
    users: Option<UserFiles>,
}

/// What was asked needs the store, and the store is away or none is configured: 503 with
/// Retry-After.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is not available")]
pub struct Unavailable;

impl TokenService {
    /// A service of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, standing, throttle, secrets, clock, reload } = parts;
        Self { store, standing, throttle, secrets, clock, users: reload.map(UserFiles::new) }
    }

    /// What workers know of revocations, keys and second factors.
    #[must_use]
    pub fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }

    /// Who has failed how often.
    #[must_use]
    pub fn throttle(&self) -> &Arc<Throttle> {
        &self.throttle
    }

    /// What it seals with.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The files of users, where they may be changed.
    #[must_use]
    pub fn users(&self) -> Option<&UserFiles> {
        self.users.as_ref()
    }

    /// What it remembers.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: nothing is configured.
    pub fn store(&self) -> Result<&dyn Store, Unavailable> {
        self.store.as_deref().ok_or(Unavailable)
    }

    /// Whether it can issue: whether there is a store, and it answers.
    pub async fn is_well(&self) -> bool {
        match &self.store {
            Some(store) => store.is_well().await,
            None => false,
        }
    }

    /// Now, since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Refuses where nothing else would ask the store, so that nothing is issued without it.
    async fn require_store(&self) -> Result<(), Unavailable> {
        if self.is_well().await { Ok(()) } else { Err(Unavailable) }
    }
}

/// Any failure of the store is its absence to a client; that it is damaged is the operator's to
/// know.
#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn away(error: StoreError) -> Unavailable {
    if matches!(error, StoreError::Unavailable(_)) {
        tracing::debug!(error = &error as &dyn std::error::Error, "The store did not answer");
    } else {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "The store did not do what the token service needs"
        );
    }
    Unavailable
}

#[cfg(test)]
mod tests;
