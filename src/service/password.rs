//! Another password, and the end of all that came by the old one.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::login::enabled;
use super::{Call, TokenService, Unavailable, UsersError, away};
use crate::directory::Directory;
use crate::directory::edit::{EditError, Update};
use crate::identity::throttle::Throttled;
use crate::secret::Secret;
use crate::snapshot::Snapshot;
use crate::user::User;

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
    /// Too many passwords wait to be verified, or a thread ended before its time.
    #[error("too much waits to be done")]
    Busy,
    /// The file can't be changed.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// Files of users are changed by nobody.
    #[error("there is no file of users that may be changed")]
    NoFile,
    /// The file was changed, but cannot be loaded together with the rest of the configuration:
    /// the old password holds until it can.
    #[error("changed, and takes effect once the configuration can be loaded")]
    NotLoaded,
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

impl From<Throttled> for PasswordChangeError {
    fn from(throttled: Throttled) -> Self {
        Self::Throttled { retry_after: throttled.retry_after }
    }
}

impl From<UsersError> for PasswordChangeError {
    fn from(error: UsersError) -> Self {
        match error {
            UsersError::Edit(error) => Self::Edit(error),
            UsersError::InConfiguration(_) | UsersError::NoDirectory => Self::NoFile,
            UsersError::Interrupted => Self::Busy,
            UsersError::NotLoaded => Self::NotLoaded,
            UsersError::Password => Self::Unfit,
            UsersError::Unavailable(error) => Self::Unavailable(error),
        }
    }
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
        self.require_store().await?; // what cannot be ended must not outlive its password
        let files = self.users().ok_or(PasswordChangeError::NoFile)?;
        if let Some(old) = old {
            self.verify_old(call, user, old).await?;
        }
        let update = Update { name: user.to_owned(), ..Update::default() };
        let changed = files.update(update, Some(new)).await;
        // Whatever came by the old password until the new one was loaded ends as well.
        if matches!(changed, Ok(_) | Err(UsersError::NotLoaded)) {
            self.end_everything(user).await?;
        }
        changed.map(|_| ()).map_err(Into::into)
    }

    /// Ends all that a user has: tokens, families, sessions, API keys.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn end_everything(&self, user: &str) -> Result<(), Unavailable> {
        self.revoke_user(user).await?;
        let store = self.store()?;
        for key in store.keys(Some(user), self.now().as_secs()).await.map_err(away)? {
            store.end_key(&key.id).await.map_err(away)?;
        }
        Ok(())
    }

    /// Ends tokens, families and sessions of those who could log in by `before` and by `after`
    /// cannot, or by another password, so that nothing of it comes back with them. Their API keys
    /// are worth nothing while they are shut out, and stay: a file that was wrong for a moment
    /// must not cost them.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn end_shut_out(
        &self,
        before: &Snapshot,
        after: &Snapshot,
    ) -> Result<(), Unavailable> {
        let users = before.identities.directories.iter().flat_map(Directory::users);
        for user in users {
            if enabled(&before.identities, &user.name).is_none_or(|it| !Arc::ptr_eq(it, user)) {
                continue;
            }
            match enabled(&after.identities, &user.name) {
                None => self.revoke_user(&user.name).await?,
                Some(now) if has_changed(user, now) => {
                    // What came by the new password is not meant.
                    self.revoke_user_since(&user.name, after.loaded_at).await?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Whether who logged in by `call`'s snapshot could have by what is served now. A request
    /// keeps its snapshot; what it issues holds longer.
    pub(super) fn is_still_welcome(&self, call: &Call, name: &str) -> bool {
        let Some(files) = self.users() else { return true };
        let served = files.current();
        if served.generation == call.snapshot.generation {
            return true;
        }
        match (call.snapshot.identities.find(name), served.identities.find(name)) {
            (Some((_, then)), Some((_, now))) => !now.disabled && !has_changed(then, now),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    async fn verify_old(
        &self,
        call: &Call,
        user: &str,
        old: Secret,
    ) -> Result<(), PasswordChangeError> {
        let attempt = self.throttle.attempt(user, call.client, self.now())?;
        match self.verify_password(&call.snapshot, call.client, user, old).await {
            Ok(Some(_)) => {
                attempt.is_undecided();
                Ok(())
            }
            Ok(None) => {
                attempt.has_failed();
                Err(PasswordChangeError::Refused)
            }
            Err(_) => {
                attempt.is_undecided();
                Err(PasswordChangeError::Busy)
            }
        }
    }
}

/// Whether a user has another password.
fn has_changed(before: &User, after: &User) -> bool {
    match (&before.password, &after.password) {
        (Some(before), Some(after)) => before.differs_from(after),
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    }
}
