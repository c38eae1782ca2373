//! Ends tokens, families, sessions, and all of a user's.

use super::{Call, TokenService, Unavailable};
use crate::identity::IdentityError;

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
        let _ = (call, token);
        Err(Unavailable.into())
    }

    /// Ends one access token and the family that it belongs to: a logout.
    ///
    /// # Errors
    ///
    /// [`RevokeError`].
    pub async fn log_out(&self, call: &Call, token: &str) -> Result<(), RevokeError> {
        let _ = (call, token);
        Err(Unavailable.into())
    }

    /// Ends the family of a refresh token and its access tokens. Whether there was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn revoke_refresh(&self, refresh_token: &str) -> Result<bool, Unavailable> {
        let _ = refresh_token;
        Err(Unavailable)
    }

    /// Ends the token with this `jti`, whoever issued it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn revoke_token_id(&self, token_id: &str) -> Result<(), Unavailable> {
        let _ = token_id;
        Err(Unavailable)
    }

    /// Ends a family and its access tokens. Whether there was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn revoke_family(&self, id: &str) -> Result<bool, Unavailable> {
        let _ = id;
        Err(Unavailable)
    }

    /// Ends all tokens, families and sessions that a user has now. Their API keys hold on.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn revoke_user(&self, name: &str) -> Result<(), Unavailable> {
        let _ = name;
        Err(Unavailable)
    }

    /// Ends the session of a browser, which would hold until `until` (Unix seconds).
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn end_session(&self, session_id: &str, until: u64) -> Result<(), Unavailable> {
        let _ = (session_id, until);
        Err(Unavailable)
    }
}
