//! The second factor: enrolled, confirmed, asked for, taken away.

use std::time::Duration;

use zeroize::Zeroizing;

use super::{Call, TokenService, Unavailable};

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

impl TokenService {
    /// Begins the enrolment of a user who has proved to be that user. Asked again, it begins
    /// anew.
    ///
    /// # Errors
    ///
    /// [`TotpError`].
    pub async fn totp_begin(&self, call: &Call, user: &str) -> Result<Enrolment, TotpError> {
        let _ = (call, user);
        Err(Unavailable.into())
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
        let _ = (call, user, code);
        Err(Unavailable.into())
    }

    /// Verifies a one-time or recovery code of an enrolled user, and uses it up: before something
    /// that a token alone should not allow, such as [`Self::totp_disable`].
    ///
    /// # Errors
    ///
    /// [`TotpError`].
    pub async fn totp_check(&self, call: &Call, user: &str, code: &str) -> Result<(), TotpError> {
        let _ = (call, user, code);
        Err(Unavailable.into())
    }

    /// New recovery codes in the place of all old ones.
    ///
    /// # Errors
    ///
    /// [`TotpError`].
    pub async fn totp_recovery(&self, user: &str) -> Result<Vec<Zeroizing<String>>, TotpError> {
        let _ = user;
        Err(Unavailable.into())
    }

    /// Takes the second factor away. Whether there was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn totp_disable(&self, user: &str) -> Result<bool, Unavailable> {
        let _ = user;
        Err(Unavailable)
    }

    /// How a user stands with it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn totp_state(&self, user: &str) -> Result<TotpState, Unavailable> {
        let _ = user;
        Err(Unavailable)
    }
}
