//! Changes to files of users, asked for by those who may: the file is edited, everything is
//! loaded again, and only then is there an answer.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::{Reload, TokenService, Unavailable};
use crate::directory::Format;
use crate::directory::edit::{self, Change, EditError, NewUser, Update};
use crate::password::{self, PasswordHashError};
use crate::secret::Secret;
use crate::snapshot::Snapshot;
use crate::user::User;

/// Why users are not as somebody wants them.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The file can't be changed so.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The role is defined in the configuration, which is nobody's to change by this way.
    #[error("role `{0}` is defined in the configuration")]
    InConfiguration(String),
    /// No directory is configured.
    #[error("there is no file of users")]
    NoDirectory,
    /// The file was changed, but cannot be loaded together with the rest of the configuration.
    #[error("changed, and takes effect once the configuration can be loaded")]
    NotLoaded,
    /// The password can't be one.
    #[error("a password has 1 to 1024 bytes and no NUL")]
    Password,
    /// A thread ended before its time, or there is no randomness.
    #[error("the change could not be made")]
    Interrupted,
    /// The store is away, so that what the user has could not be ended.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The files of users, changed by one at a time.
#[derive(Debug)]
pub struct UserFiles {
    reload: Arc<dyn Reload>,
    one_at_a_time: Mutex<()>,
}

impl UserFiles {
    /// Those of a configuration that `reload` loads.
    #[must_use]
    pub fn new(reload: Arc<dyn Reload>) -> Self {
        Self { reload, one_at_a_time: Mutex::new(()) }
    }

    /// The version that is served.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.reload.current()
    }

    /// Adds a user, to the first file that has room for all that is said; of a name that no
    /// directory knows.
    ///
    /// # Errors
    ///
    /// [`UsersError`]; but for [`UsersError::NotLoaded`] nothing was changed.
    pub async fn add(
        &self,
        mut new: NewUser,
        secret: Option<Secret>,
    ) -> Result<Arc<User>, UsersError> {
        let _turn = self.one_at_a_time.lock().await;
        let snapshot = self.reload.current();
        let name = new.name.clone();
        if snapshot.identities.find(&name).is_some() {
            return Err(EditError::Exists(name).into());
        }
        let directories = &snapshot.identities.directories;
        let roomy = directories.iter().find(|directory| directory.format() != Format::Htpasswd);
        let directory = roomy.or(directories.first()).ok_or(UsersError::NoDirectory)?;
        let place = (directory.file().to_owned(), directory.format());
        if let Some(secret) = secret {
            new.hash = Some(hash(secret).await?);
        }
        let snapshot = self.change(place, Change::Add(new)).await?;
        let (_, user) = snapshot.identities.find(&name).ok_or(UsersError::NotLoaded)?;
        Ok(Arc::clone(user))
    }

    /// Says something else of a user, where the user is found first.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    pub async fn update(
        &self,
        mut update: Update,
        secret: Option<Secret>,
    ) -> Result<Arc<User>, UsersError> {
        let _turn = self.one_at_a_time.lock().await;
        let snapshot = self.reload.current();
        let name = update.name.clone();
        let found = snapshot.identities.find(&name);
        let (directory, _) = found.ok_or_else(|| EditError::Unknown(name.clone()))?;
        let place = (directory.file().to_owned(), directory.format());
        if let Some(secret) = secret {
            update.hash = Some(hash(secret).await?);
        }
        let snapshot = self.change(place, Change::Update(update)).await?;
        let (_, user) = snapshot.identities.find(&name).ok_or(UsersError::NotLoaded)?;
        Ok(Arc::clone(user))
    }

    /// Removes a user from every directory, so that no second entry of the name comes to count.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    pub async fn remove(&self, name: &str) -> Result<(), UsersError> {
        let _turn = self.one_at_a_time.lock().await;
        let snapshot = self.reload.current();
        let directories = snapshot.identities.directories.iter().rev();
        let places: Vec<_> = directories
            .filter(|directory| directory.get(name).is_some())
            .map(|directory| (directory.file().to_owned(), directory.format()))
            .collect();
        if places.is_empty() {
            return Err(EditError::Unknown(name.to_owned()).into());
        }
        for place in places {
            self.change(place, Change::Remove(name.to_owned())).await?;
        }
        Ok(())
    }

    /// Says what a role may do, in the first file that has room for roles.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    pub async fn set_role(&self, name: &str, grants: Vec<String>) -> Result<(), UsersError> {
        let _turn = self.one_at_a_time.lock().await;
        let snapshot = self.reload.current();
        Self::check_role(&snapshot, name)?;
        let change = Change::SetRole { name: name.to_owned(), grants };
        self.change_first(&snapshot, change).await
    }

    /// Removes a role from the file that defines it.
    ///
    /// # Errors
    ///
    /// As [`Self::add`].
    pub async fn remove_role(&self, name: &str) -> Result<(), UsersError> {
        let _turn = self.one_at_a_time.lock().await;
        let snapshot = self.reload.current();
        Self::check_role(&snapshot, name)?;
        self.change_first(&snapshot, Change::RemoveRole(name.to_owned())).await
    }

    fn check_known(&self, name: &str) -> Result<(), UsersError> {
        match self.reload.current().identities.find(name) {
            Some(_) => Ok(()),
            None => Err(EditError::Unknown(name.to_owned()).into()),
        }
    }

    fn check_role(snapshot: &Snapshot, name: &str) -> Result<(), UsersError> {
        // What is defined twice could not be loaded.
        match snapshot.identities.roles.get(name) {
            Some(_) => Err(UsersError::InConfiguration(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Makes a change in the first file where it can be made.
    async fn change_first(&self, snapshot: &Snapshot, change: Change) -> Result<(), UsersError> {
        let mut refused = UsersError::NoDirectory;
        for directory in &snapshot.identities.directories {
            let place = (directory.file().to_owned(), directory.format());
            match self.change(place, change.clone()).await {
                Ok(_) => return Ok(()),
                Err(UsersError::Edit(
                    error @ (EditError::NoRoom | EditError::NoRoles | EditError::UnknownRole(_)),
                )) => refused = error.into(),
                Err(error) => return Err(error),
            }
        }
        Err(refused)
    }

    async fn change(
        &self,
        (file, format): (PathBuf, Format),
        change: Change,
    ) -> Result<Arc<Snapshot>, UsersError> {
        let work = move || edit::apply(&file, format, &change);
        let edited = tokio::task::spawn_blocking(work).await;
        edited.map_err(|_| UsersError::Interrupted)??;
        if self.reload.reload().await {
            Ok(self.reload.current())
        } else {
            Err(UsersError::NotLoaded)
        }
    }
}

impl TokenService {
    fn user_files(&self) -> Result<&UserFiles, UsersError> {
        self.users().ok_or(UsersError::NoDirectory)
    }

    /// Whether a user has a second factor.
    #[must_use]
    pub fn has_second_factor(&self, name: &str) -> bool {
        self.standing().has_second_factor(name)
    }

    /// [`UserFiles::add`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn add_user(
        &self,
        new: NewUser,
        secret: Option<Secret>,
    ) -> Result<Arc<User>, UsersError> {
        self.user_files()?.add(new, secret).await
    }

    /// [`UserFiles::update`]. A new password ends everything that came by the old one, and who is
    /// shut out has nothing left.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn update_user(
        &self,
        update: Update,
        secret: Option<Secret>,
    ) -> Result<Arc<User>, UsersError> {
        let files = self.user_files()?;
        if secret.is_none() && update.disabled != Some(true) {
            return files.update(update, secret).await;
        }
        let name = update.name.clone();
        files.check_known(&name)?;
        // First, which also shows that the store is there; and again for what is begun meanwhile.
        self.end_everything(&name).await?;
        let user = files.update(update, secret).await;
        self.end_everything(&name).await?;
        user
    }

    /// [`UserFiles::remove`]. Nothing of the user is left for another one of the same name.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn remove_user(&self, name: &str) -> Result<(), UsersError> {
        let files = self.user_files()?;
        files.check_known(name)?;
        self.end_everything(name).await?;
        let removed = files.remove(name).await;
        self.end_everything(name).await?;
        removed?;
        self.totp_disable(name).await?;
        Ok(())
    }

    /// [`UserFiles::set_role`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn set_role(&self, name: &str, grants: Vec<String>) -> Result<(), UsersError> {
        self.user_files()?.set_role(name, grants).await
    }

    /// [`UserFiles::remove_role`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn remove_role(&self, name: &str) -> Result<(), UsersError> {
        self.user_files()?.remove_role(name).await
    }
}

/// Hashes on a thread that may wait.
async fn hash(secret: Secret) -> Result<String, UsersError> {
    let work = move || password::hash(secret.expose());
    let hashed = tokio::task::spawn_blocking(work).await;
    hashed.map_err(|_| UsersError::Interrupted)?.map_err(|error| match error {
        PasswordHashError::Damaged(..) => UsersError::Password,
        PasswordHashError::Excessive(..)
        | PasswordHashError::NotAHash
        | PasswordHashError::Unavailable
        | PasswordHashError::UnknownFamily => UsersError::Interrupted,
    })
}
