//! Whom a token proves, for the endpoints themselves.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{Call, TokenService};
use crate::api_key::ApiKey;
use crate::identity::standing::Ended;
use crate::identity::{IdentityError, principal};
use crate::token::{VerifiedToken, VerifyError};
use crate::user::Permission;

/// A token that holds.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Whom it proves.
    pub principal: principal::Facts,
    /// All that it says.
    pub claims: Map<String, Value>,
    /// Its `jti`.
    pub token_id: Option<Box<str>>,
    /// The family it belongs to (`sid`).
    pub family: Option<Box<str>>,
    /// The API key that it was exchanged for (`client_id`), with which it ends.
    pub key: Option<Arc<ApiKey>>,
    /// Its `iat`.
    pub issued_at: Option<u64>,
    /// Its `exp`.
    pub expires_at: u64,
    /// Index of its issuer among those of the verifier.
    pub issuer: usize,
    pub(super) may_manage: bool,
}

impl Verified {
    /// The user whose account it may manage: second factor, password, keys, tokens. Not for the
    /// token of an API key, which would make itself a wider one, nor for one of an issuer whose
    /// tokens are not bound to the directory.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.may_manage.then_some(&*self.principal.name)
    }

    /// Whether it holds this permission: the principal does, and the key that it comes from passes
    /// it on.
    #[must_use]
    pub fn may(&self, permission: &Permission) -> bool {
        let passes = self.key.as_ref().is_none_or(|key| key.scope.passes(permission));
        passes && self.principal.permissions.grants(permission)
    }
}

impl TokenService {
    /// Verifies a token of any issuer, and that neither it nor what it hangs on was revoked. One
    /// that comes from an API key holds for the networks of that key.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub fn verify(&self, call: &Call, token: &str) -> Result<Verified, IdentityError> {
        let identities = &call.snapshot.identities;
        let verifier = identities.verifier.as_ref().ok_or(VerifyError::UnknownIssuer)?;
        self.judge(call, token, verifier.verify(token, self.now().as_secs())?)
    }

    /// The second half of [`Self::verify`].
    pub(super) fn judge(
        &self,
        call: &Call,
        token: &str,
        says: VerifiedToken,
    ) -> Result<Verified, IdentityError> {
        let identities = &call.snapshot.identities;
        let verifier = identities.verifier.as_ref().ok_or(VerifyError::UnknownIssuer)?;
        let settings = verifier.issuer(says.issuer).ok_or(VerifyError::UnknownIssuer)?;
        // Elsewhere `sid` names something else.
        let family = says.family.as_deref().filter(|_| settings.keyring.can_sign());
        let family = family.map(Into::into);
        let token_id = says.token_id.as_deref().map(Into::into);
        let (issuer, issued_at, expires_at) = (says.issuer, says.issued_at, says.expires);
        let now = self.now().as_secs();
        let principal = identities.principal_of(says, &self.standing, now)?.facts().clone();
        let key = principal.key.clone();
        if key.as_ref().is_some_and(|key| !key.scope.allows_source(call.client)) {
            return Err(Ended::KeyUnknown.into()); // it is none from there
        }
        Ok(Verified {
            principal,
            claims: claims_of(token).ok_or(VerifyError::MalformedClaims)?,
            token_id,
            family,
            may_manage: settings.bound && key.is_none(),
            key,
            issued_at,
            expires_at,
            issuer,
        })
    }
}

/// All that a token says which has verified.
fn claims_of(token: &str) -> Option<Map<String, Value>> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
