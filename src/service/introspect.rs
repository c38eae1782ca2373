//! What is told of a token to whoever may ask (RFC 7662).

use serde_json::{Map, Value};

use super::refresh::FamilyDetails;
use super::{Call, TokenService, Unavailable, away};
use crate::api_key::{self, TextKind};

/// A token that is active.
#[derive(Clone, Debug)]
pub struct Introspected {
    /// What it says; of a refresh token, `sub`, `iat`, `exp` and `sid`.
    pub claims: Map<String, Value>,
    /// Whom it proves.
    pub subject: Box<str>,
    /// Whether it is a refresh token.
    pub is_refresh_token: bool,
}

impl TokenService {
    /// Looks at an access or refresh token. `None`: not active, for whatever reason.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: it may be a refresh token, and the store is away.
    pub async fn introspect(
        &self,
        call: &Call,
        token: &str,
    ) -> Result<Option<Introspected>, Unavailable> {
        if TextKind::RefreshToken.id_of(token).is_some() {
            return self.introspect_refresh(call, token).await;
        }
        Ok(self.verify(call, token).ok().map(|verified| Introspected {
            claims: verified.claims,
            subject: verified.principal.name,
            is_refresh_token: false,
        }))
    }

    async fn introspect_refresh(
        &self,
        call: &Call,
        token: &str,
    ) -> Result<Option<Introspected>, Unavailable> {
        let (hash, now) = (api_key::digest(token), self.now().as_secs());
        let found = self.store()?.family_of(&hash, now).await.map_err(away)?;
        let Some(family) = found.filter(|found| found.is_current).map(|found| found.family) else {
            return Ok(None);
        };
        let is_ours = FamilyDetails::of(&family).is_some_and(|it| it.is_of(call));
        if !is_ours || self.judge_family(call, &family).is_err() {
            return Ok(None);
        }
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), (&*family.user).into());
        claims.insert("iat".to_owned(), family.began_at.into());
        claims.insert("exp".to_owned(), family.expires_at.into());
        claims.insert("sid".to_owned(), (&*family.id).into());
        Ok(Some(Introspected { claims, subject: family.user, is_refresh_token: true }))
    }
}
