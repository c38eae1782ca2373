//! A new token for a refresh token, or for a token that still holds.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::issue::{Order, write};
use super::{Call, IssueError, Issued, Shape, TokenService, Unavailable, Wish, away};
use crate::api_key::{self, ApiKey, KeyKind, Minted, TextKind};
use crate::identity::IdentityError;
use crate::identity::standing::TokenFacts;
use crate::route::endpoint::Dialect;
use crate::store::{Family, Found, Rotation};
use crate::token::VerifyError;
use crate::user::User;

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

impl From<IssueError> for RefreshError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Unavailable(error) => Self::Unavailable(error),
            other @ (IssueError::Audience
            | IssueError::Impossible
            | IssueError::Lifetime
            | IssueError::Refused) => Self::Issue(other),
        }
    }
}

/// What of a login is to be known when it is refreshed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FamilyDetails {
    pub(super) endpoint: Box<str>,
    pub(super) shape: Shape,
    pub(super) lifetime_seconds: Option<u64>,
    pub(super) audience: Option<String>,
}

impl FamilyDetails {
    /// What a family was begun with.
    pub(super) fn of(family: &Family) -> Option<Self> {
        serde_json::from_str(&family.details).ok()
    }

    /// Whether it was begun at this endpoint.
    pub(super) fn is_of(&self, call: &Call) -> bool {
        self.endpoint == call.profile.name
    }

    fn into_wish(self) -> Wish {
        Wish {
            lifetime: self.lifetime_seconds.map(Duration::from_secs),
            audience: self.audience,
            refresh: true,
            shape: self.shape,
        }
    }
}

/// Whose family it is, now.
#[derive(Debug)]
pub(super) struct Member {
    user: Option<Arc<User>>,
    key: Option<Arc<ApiKey>>,
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
        self.refresh_for(call, refresh_token, None).await
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
        self.refresh_for(call, refresh_token, Some(subject)).await
    }

    async fn refresh_for(
        &self,
        call: &Call,
        refresh_token: &str,
        subject: Option<&str>,
    ) -> Result<Issued, RefreshError> {
        let store = self.store()?;
        if TextKind::RefreshToken.id_of(refresh_token).is_none() {
            return Err(RefreshError::Refused);
        }
        let old = api_key::digest(refresh_token);
        let found = store.family_of(&old, self.now().as_secs()).await.map_err(away)?;
        let Found { family, is_current } = found.ok_or(RefreshError::Refused)?;
        let details = FamilyDetails::of(&family).filter(|details| details.is_of(call));
        let details = details.ok_or(RefreshError::Refused)?;
        if subject.is_some_and(|subject| *subject != *family.user) {
            return Err(RefreshError::Refused);
        }
        let new = Minted::new(TextKind::RefreshToken).map_err(|_| Unavailable)?;
        let now = self.second_for(&family.user).await?;
        if !is_current {
            return Err(self.rotate(&old, &new, now).await.err().unwrap_or(RefreshError::Refused));
        }
        let member = match self.judge_family(call, &family) {
            Ok(member) => member,
            Err(error) => {
                // What has ended does not come back with its user.
                store.end_family(&family.id).await.map_err(away)?;
                return Err(error);
            }
        };
        let wish = details.into_wish();
        // Written before the old token is used up, so that no failure costs the client both.
        let mut issued = write(
            call,
            &Order {
                subject: &family.user,
                user: member.user.as_ref(),
                key: member.key.as_deref(),
                family: Some(&family.id),
                origin: None,
                not_after: family.tokens_until,
                now,
                wish: &wish,
                kept_audience: None,
            },
        )?;
        if call.profile.dialect != Dialect::Jwthenticator {
            self.rotate(&old, &new, now).await?;
            issued.refresh_token = Some(new.text);
        }
        Ok(issued)
    }

    async fn rotate(
        &self,
        old: &api_key::KeyHash,
        new: &Minted,
        now: u64,
    ) -> Result<(), RefreshError> {
        match self.store()?.rotate(old, &new.hash, now).await.map_err(away)? {
            Rotation::Rotated(_) => Ok(()),
            Rotation::Reused(family) => {
                tracing::warn!(
                    user.name = &*family.user,
                    family = &*family.id,
                    "A refresh token of `{}` was used twice: its login has been ended",
                    family.user
                );
                Err(RefreshError::Reused)
            }
            Rotation::Expired => Err(RefreshError::Over),
            Rotation::Unknown => Err(RefreshError::Refused),
        }
    }

    /// Whose family it is, if they may go on with it.
    pub(super) fn judge_family(
        &self,
        call: &Call,
        family: &Family,
    ) -> Result<Member, RefreshError> {
        let facts = TokenFacts {
            token_id: None,
            family: Some(family.id.clone()),
            subject: family.user.clone(),
            issued_at: Some(family.began_at),
            key: family.key.clone(),
        };
        let judged = self.standing.judge(&facts, self.now().as_secs());
        let key = judged.map_err(|_| RefreshError::Refused)?;
        if key.as_ref().is_some_and(|key| !key.scope.allows_source(call.client)) {
            return Err(RefreshError::Refused);
        }
        match call.snapshot.identities.find(&family.user) {
            Some((_, user)) if user.disabled => Err(RefreshError::UserDisabled),
            Some((_, user)) => Ok(Member { user: Some(Arc::clone(user)), key }),
            None if key.as_ref().is_some_and(|key| key.kind == KeyKind::Registered) => {
                Ok(Member { user: None, key })
            }
            None => Err(RefreshError::UserGone),
        }
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
        self.require_store().await?;
        let identities = &call.snapshot.identities;
        let verifier =
            identities.verifier.as_ref().ok_or(IdentityError::from(VerifyError::UnknownIssuer))?;
        let token_says =
            verifier.verify(token, self.now().as_secs()).map_err(IdentityError::from)?;
        if Some(token_says.issuer) != call.profile.issuer {
            return Err(IdentityError::from(VerifyError::UnknownIssuer).into());
        }
        let user = match identities.find(&token_says.subject) {
            None => return Err(RefreshError::UserGone),
            Some((_, user)) if user.disabled => return Err(RefreshError::UserDisabled),
            Some((_, user)) => user,
        };
        let judged = self.judge(call, token, token_says)?;
        let origin = judged.claims.get("orig_iat").and_then(serde_json::Value::as_u64);
        let origin = origin.ok_or(RefreshError::MissingOrigin)?;
        let lifetime = call.profile.lifetime.as_secs();
        let window = lifetime.saturating_mul(call.profile.refresh_window.into());
        let last = origin.saturating_add(window);
        let now = self.second_for(&user.name).await?;
        if now > last {
            return Err(RefreshError::Over);
        }
        let kept_audience = judged.claims.get("aud").cloned();
        let issued = write(
            call,
            &Order {
                subject: &user.name,
                user: Some(user),
                key: judged.key.as_deref(),
                family: judged.family.as_deref(),
                origin: Some(origin),
                not_after: last.saturating_add(lifetime),
                now,
                wish,
                kept_audience,
            },
        )?;
        Ok(issued)
    }
}
