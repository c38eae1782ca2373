//! Ends tokens, families, sessions, and all of a user's.

use std::time::Duration;

use super::time::millis;
use super::{Call, TokenService, Unavailable, Verified, away};
use crate::api_key::{self, TextKind};
use crate::identity::IdentityError;
use crate::identity::standing::{Revocation, Revoked};

/// For how long it is remembered that everything of a user was ended: longer than any token lives
/// that is issued here, in seconds.
const LONGEST: u64 = 400 * 24 * 3600;
/// For how long a token is remembered beyond its `exp`: more than any leeway, in seconds.
const LEEWAY: u64 = 300;

/// Why nothing is revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// The token does not hold, so that there is nothing to end.
    #[error("the token does not hold")]
    Invalid(#[from] IdentityError),
    /// The token has no `jti`, and can only be ended with its user.
    #[error("the token has no id")]
    Nameless,
    /// The store is away: nothing was ended.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl TokenService {
    /// Ends one access token.
    ///
    /// # Errors
    ///
    /// [`RevokeError`].
    pub async fn revoke_token(&self, call: &Call, token: &str) -> Result<(), RevokeError> {
        let verified = self.verify(call, token)?;
        self.revoke_verified(&verified).await
    }

    /// Ends one access token that was verified already.
    ///
    /// # Errors
    ///
    /// [`RevokeError`].
    pub async fn revoke_verified(&self, verified: &Verified) -> Result<(), RevokeError> {
        let id = verified.token_id.clone().ok_or(RevokeError::Nameless)?;
        let until = verified.expires_at.saturating_add(LEEWAY);
        Ok(self.revoke(Revoked::Token(id), until).await?)
    }

    /// Ends one access token and the family that it belongs to: a logout.
    ///
    /// # Errors
    ///
    /// [`RevokeError`].
    pub async fn log_out(&self, call: &Call, token: &str) -> Result<(), RevokeError> {
        let verified = self.verify(call, token)?;
        if let Some(family) = &verified.family {
            self.revoke_family(family).await?;
            if verified.token_id.is_none() {
                return Ok(()); // it ended with its family
            }
        }
        self.revoke_verified(&verified).await
    }

    /// Ends the family of a refresh token and its access tokens. Whether there was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn revoke_refresh(&self, refresh_token: &str) -> Result<bool, Unavailable> {
        let store = self.store()?;
        if TextKind::RefreshToken.id_of(refresh_token).is_none() {
            return Ok(false);
        }
        let (hash, now) = (api_key::digest(refresh_token), self.now().as_secs());
        match store.family_of(&hash, now).await.map_err(away)? {
            Some(found) => store.end_family(&found.family.id).await.map_err(away),
            None => Ok(false),
        }
    }

    /// Ends the token with this `jti`, whoever issued it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn revoke_token_id(&self, token_id: &str) -> Result<(), Unavailable> {
        let until = self.now().as_secs().saturating_add(LONGEST);
        self.revoke(Revoked::Token(token_id.into()), until).await
    }

    /// Ends a family and its access tokens. Whether there was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn revoke_family(&self, id: &str) -> Result<bool, Unavailable> {
        self.store()?.end_family(id).await.map_err(away)
    }

    /// Ends all tokens, families and sessions that a user has now. Their API keys hold on.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn revoke_user(&self, name: &str) -> Result<(), Unavailable> {
        self.revoke_user_since(name, self.now()).await
    }

    /// Ends all that a user was given until `since`.
    pub(super) async fn revoke_user_since(
        &self,
        name: &str,
        since: Duration,
    ) -> Result<(), Unavailable> {
        let what = Revoked::User { name: name.into(), since_ms: millis(since) };
        self.revoke(what, since.as_secs().saturating_add(LONGEST)).await
    }

    /// Ends the session of a browser, which would hold until `until` (Unix seconds).
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn end_session(&self, session_id: &str, until: u64) -> Result<(), Unavailable> {
        self.revoke(Revoked::Family(session_id.into()), until.saturating_add(LEEWAY)).await
    }

    async fn revoke(&self, what: Revoked, until: u64) -> Result<(), Unavailable> {
        self.store()?.revoke(&Revocation { what, until }).await.map_err(away)
    }
}
