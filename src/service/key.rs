//! API keys: issued, registered, listed, ended.

use std::time::Duration;

use zeroize::Zeroizing;

use super::login::enabled;
use super::{Call, TokenService, Unavailable, away};
use crate::api_key::{self, ApiKey, KeyKind, MAX_LABEL_BYTES, Minted, Scope, TextKind};
use crate::identity::Identities;
use crate::store::StoreError;
use crate::token::token_id;

/// The longest key that is registered, in bytes.
const MAX_KEY_BYTES: usize = 1024;

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
        let NewKey { owner, label, scope, lifetime } = new;
        let store = self.store()?;
        if label.len() > MAX_LABEL_BYTES || label.contains(char::is_control) {
            return Err(KeyError::Ill);
        }
        let owner = enabled(identities, &owner).ok_or(KeyError::UnknownUser)?.name.clone();
        let now = self.now().as_secs();
        let Minted { id, text, hash } = Minted::new(TextKind::ApiKey).map_err(|_| Unavailable)?;
        let key = ApiKey {
            id,
            hash,
            owner,
            kind: KeyKind::User,
            label: label.into(),
            scope,
            created_at: now,
            expires_at: lifetime.map(|lifetime| expiry(now, lifetime)).transpose()?,
        };
        store.put_key(&key).await.map_err(refused)?;
        Ok((key, text))
    }

    /// Takes a key that a service made for an identifier (`JWThenticator`). It holds for the
    /// endpoint's `key_lifetime`. One that is registered again stays as it is while it has half of
    /// that before it; after that it begins anew, and what was issued for it ends. It is fit for
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
        let store = self.store()?;
        let is_key = !key.is_empty() && key.len() <= MAX_KEY_BYTES && !api_key::is_key(key);
        let identifier = uuid::Uuid::try_parse(identifier).ok().filter(|_| is_key);
        let owner = identifier.ok_or(KeyError::Ill)?.hyphenated().to_string();
        let now = self.now().as_secs();
        let lifetime = call.profile.key_lifetime;
        let expires_at = Some(expiry(now, lifetime)?);
        let hash = api_key::digest(key);
        let known = store.key_by_hash(&hash).await.map_err(away)?;
        if let Some(known) = known {
            let is_theirs = known.kind == KeyKind::Registered && *known.owner == *owner;
            if !is_theirs && !known.has_expired(now) {
                return Err(KeyError::Taken);
            }
            if is_theirs && !known.has_expired(now.saturating_add(lifetime.as_secs() / 2)) {
                return Ok(known);
            }
            store.end_key(&known.id).await.map_err(away)?;
        }
        let key = ApiKey {
            id: token_id().map_err(|_| Unavailable)?.into(),
            hash,
            owner: owner.into(),
            kind: KeyKind::Registered,
            label: call.profile.name.clone(),
            scope: Scope::default(),
            created_at: now,
            expires_at,
        };
        store.put_key(&key).await.map_err(refused)?;
        Ok(key)
    }

    /// Whether this text is a key that holds.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn is_key_registered(&self, key: &str) -> Result<bool, Unavailable> {
        let found = self.store()?.key_by_hash(&api_key::digest(key)).await.map_err(away)?;
        Ok(found.is_some_and(|key| !key.has_expired(self.now().as_secs())))
    }

    /// The keys of one owner, or all, that hold; the oldest first.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn list_keys(&self, owner: Option<&str>) -> Result<Vec<ApiKey>, Unavailable> {
        self.store()?.keys(owner, self.now().as_secs()).await.map_err(away)
    }

    /// Ends a key, and what was issued for it. With an owner, only a key of theirs. Whether there
    /// was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn end_key(&self, owner: Option<&str>, id: &str) -> Result<bool, Unavailable> {
        let store = self.store()?;
        if let Some(owner) = owner {
            let keys = store.keys(Some(owner), self.now().as_secs()).await.map_err(away)?;
            if !keys.iter().any(|key| *key.id == *id) {
                return Ok(false);
            }
        }
        store.end_key(id).await.map_err(away)
    }
}

/// The first second at which something that begins now no longer holds.
fn expiry(now: u64, lifetime: Duration) -> Result<u64, KeyError> {
    match lifetime.as_secs() {
        0 => Err(KeyError::Ill),
        seconds => Ok(now.saturating_add(seconds)),
    }
}

fn refused(error: StoreError) -> KeyError {
    match error {
        StoreError::Conflict => KeyError::Taken,
        StoreError::Full => KeyError::Full,
        other @ (StoreError::Corrupt(_) | StoreError::Unavailable(_) | StoreError::Unfit) => {
            away(other).into()
        }
    }
}
