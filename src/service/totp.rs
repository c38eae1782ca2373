//! The second factor: enrolled, confirmed, asked for, taken away.

use std::time::Duration;

use zeroize::Zeroizing;

use super::login::enabled;
use super::{Call, TokenService, Unavailable, away};
use crate::identity::throttle::Throttled;
use crate::store::StoreError;
use crate::totp::recovery::RecoveryHash;
use crate::totp::{TotpSecret, recovery, svg, uri};

/// How long an enrolment may take, in seconds.
const ENROLMENT_SECONDS: u64 = 3600;

/// What a user needs to enrol.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret, for those who type it.
    pub secret_base32: Zeroizing<String>,
    /// The `otpauth` URI.
    pub uri: Zeroizing<String>,
    /// The same as a QR code, in SVG.
    pub svg: Zeroizing<String>,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment([redacted])")
    }
}

/// How a user stands with the second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TotpState {
    /// It is asked for.
    pub is_enrolled: bool,
    /// It was begun and not confirmed.
    pub is_pending: bool,
    /// How many recovery codes are left.
    pub recovery_codes: u64,
}

/// Why nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// There is a confirmed one: disable it first.
    #[error("a second factor is enrolled already")]
    Enrolled,
    /// The gateway has no `store.secret` to seal secrets with.
    #[error("no `store.secret` is configured, so that no second factor can be enrolled")]
    NoSecret,
    /// None is begun, or confirmed.
    #[error("no second factor is there")]
    NotBegun,
    /// Too many failures: 429 with Retry-After.
    #[error("too many failures")]
    Throttled {
        /// When it makes sense to come back.
        retry_after: Duration,
    },
    /// The store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// No such user, or a disabled one.
    #[error("no such user")]
    UnknownUser,
    /// The code is wrong, or was used before.
    #[error("the code is wrong or used")]
    WrongCode,
}

impl From<Throttled> for TotpError {
    fn from(throttled: Throttled) -> Self {
        Self::Throttled { retry_after: throttled.retry_after }
    }
}

impl TokenService {
    /// Begins the enrolment of a user who has proved to be that user. Asked again, it begins
    /// anew.
    ///
    /// # Errors
    ///
    /// [`TotpError`].
    pub async fn totp_begin(&self, call: &Call, user: &str) -> Result<Enrolment, TotpError> {
        let store = self.store()?;
        if !self.secrets.is_lasting() {
            return Err(TotpError::NoSecret);
        }
        enabled(&call.snapshot.identities, user).ok_or(TotpError::UnknownUser)?;
        let secret = TotpSecret::random().map_err(|_| Unavailable)?;
        let sealed = self.secrets.seal(user, &secret).map_err(|_| Unavailable)?;
        let until = self.now().as_secs().saturating_add(ENROLMENT_SECONDS);
        store.put_totp(user, &sealed, until).await.map_err(|error| match error {
            StoreError::Conflict => TotpError::Enrolled,
            other @ (StoreError::Corrupt(_)
            | StoreError::Full
            | StoreError::Unavailable(_)
            | StoreError::Unfit) => away(other).into(),
        })?;
        let uri = uri(&secret, &call.snapshot.totp.issuer, user);
        let svg = svg(&uri).map_err(|_| Unavailable)?;
        Ok(Enrolment { secret_base32: secret.to_base32(), uri, svg })
    }

    /// Ends the enrolment by a code of the new secret. From now on it is asked for. Returns the
    /// recovery codes, which are shown once.
    ///
    /// # Errors
    ///
    /// [`TotpError`].
    pub async fn totp_confirm(
        &self,
        call: &Call,
        user: &str,
        code: &str,
    ) -> Result<Vec<Zeroizing<String>>, TotpError> {
        let store = self.store()?;
        let now = self.now();
        enabled(&call.snapshot.identities, user).ok_or(TotpError::UnknownUser)?;
        let begun = store.totp(user, now.as_secs()).await.map_err(away)?;
        let begun = begun.ok_or(TotpError::NotBegun)?;
        if begun.is_confirmed {
            return Err(TotpError::Enrolled);
        }
        // Sealed under another secret: it is to be begun anew.
        let secret = self.secrets.open(user, &begun.sealed).ok_or(TotpError::NotBegun)?;
        let attempt = self.throttle.attempt(user, call.client, now)?;
        let Some(step) = secret.step_of(code, now.as_secs()) else {
            attempt.has_failed();
            return Err(TotpError::WrongCode);
        };
        attempt.is_undecided(); // right, but of a secret that was handed out just now
        let (codes, hashes) = self.recovery_codes(user)?;
        let confirmed = store.confirm_totp(user, &begun.sealed, step, &hashes).await;
        if confirmed.map_err(away)? { Ok(codes) } else { Err(TotpError::NotBegun) }
    }

    /// Verifies a one-time or recovery code of an enrolled user, and uses it up: before something
    /// that a token alone should not allow, such as [`Self::totp_disable`].
    ///
    /// # Errors
    ///
    /// [`TotpError`].
    pub async fn totp_check(&self, call: &Call, user: &str, code: &str) -> Result<(), TotpError> {
        let factor = self.confirmed_factor(user).await?.ok_or(TotpError::NotBegun)?;
        let attempt = self.throttle.attempt(user, call.client, self.now())?;
        match self.use_code(call, user, &factor, code).await {
            Ok(Some(_)) => {
                attempt.is_undecided();
                Ok(())
            }
            Ok(None) => {
                attempt.has_failed();
                Err(TotpError::WrongCode)
            }
            Err(error) => {
                attempt.is_undecided();
                Err(error.into())
            }
        }
    }

    /// New recovery codes in the place of all old ones.
    ///
    /// # Errors
    ///
    /// [`TotpError`].
    pub async fn totp_recovery(&self, user: &str) -> Result<Vec<Zeroizing<String>>, TotpError> {
        let (codes, hashes) = self.recovery_codes(user)?;
        let replaced = self.store()?.replace_recovery_codes(user, &hashes).await.map_err(away)?;
        if replaced { Ok(codes) } else { Err(TotpError::NotBegun) }
    }

    /// Takes the second factor away. Whether there was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn totp_disable(&self, user: &str) -> Result<bool, Unavailable> {
        self.store()?.delete_totp(user).await.map_err(away)
    }

    /// How a user stands with it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn totp_state(&self, user: &str) -> Result<TotpState, Unavailable> {
        let found = self.store()?.totp(user, self.now().as_secs()).await.map_err(away)?;
        Ok(found.map_or_else(TotpState::default, |factor| TotpState {
            is_enrolled: factor.is_confirmed,
            is_pending: !factor.is_confirmed,
            recovery_codes: factor.recovery_codes,
        }))
    }

    fn recovery_codes(&self, user: &str) -> Result<RecoveryCodes, Unavailable> {
        let codes = recovery::codes().map_err(|_| Unavailable)?;
        let key = self.secrets.recovery();
        let hashes = codes.iter().filter_map(|code| recovery::hash(key, user, code)).collect();
        Ok((codes, hashes))
    }
}

/// New codes, and what is kept of each.
type RecoveryCodes = (Vec<Zeroizing<String>>, Vec<RecoveryHash>);
