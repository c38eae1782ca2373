//! API keys: issued, registered, listed, ended.

use std::time::Duration;

use zeroize::Zeroizing;

use super::{Call, TokenService, Unavailable};
use crate::api_key::{ApiKey, Scope};
use crate::identity::Identities;

/// A key to be issued.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The user whose key it will be.
    pub owner: String,
    /// What they call it.
    pub label: String,
    /// How far it reaches.
    pub scope: Scope,
    /// How long it holds. `None`: until it is ended.
    pub lifetime: Option<Duration>,
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// As many as one owner may have.
    #[error("the owner has as many keys as may be")]
    Full,
    /// The label is too long or holds what is not seen, the lifetime is less than a second, or the
    /// key or identifier is empty or too long.
    #[error("the label, lifetime, key or identifier is not acceptable")]
    Ill,
    /// Registered before, for somebody else.
    #[error("the key is taken")]
    Taken,
    /// The store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// No such user, or a disabled one.
    #[error("no such user")]
    UnknownUser,
}

impl TokenService {
    /// Issues a key to a user. Its text is shown once, and never again.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub async fn issue_key(
        &self,
        identities: &Identities,
        new: NewKey,
    ) -> Result<(ApiKey, Zeroizing<String>), KeyError> {
        let _ = (identities, new);
        Err(Unavailable.into())
    }

    /// Takes a key that a service made for an identifier (`JWThenticator`). It holds for the
    /// endpoint's `key_lifetime`; registered again, from then on. It is fit for
    /// [`Self::exchange_key`] alone.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub async fn register_key(
        &self,
        call: &Call,
        key: &str,
        identifier: &str,
    ) -> Result<ApiKey, KeyError> {
        let _ = (call, key, identifier);
        Err(Unavailable.into())
    }

    /// Whether this text is a key that holds.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn is_key_registered(&self, key: &str) -> Result<bool, Unavailable> {
        let _ = key;
        Err(Unavailable)
    }

    /// The keys of one owner, or all, that hold; the oldest first.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn list_keys(&self, owner: Option<&str>) -> Result<Vec<ApiKey>, Unavailable> {
        let _ = owner;
        Err(Unavailable)
    }

    /// Ends a key, and what was issued for it. With an owner, only a key of theirs. Whether there
    /// was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn end_key(&self, owner: Option<&str>, id: &str) -> Result<bool, Unavailable> {
        let _ = (owner, id);
        Err(Unavailable)
    }
}
