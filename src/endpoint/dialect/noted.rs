//! What the log is told of a login that was refused.

use crate::service::LoginError;

/// The reason, as logs and metrics name it.
pub(super) fn login_reason(error: &LoginError) -> &'static str {
    match error {
        LoginError::Busy => "password_overload",
        LoginError::ChallengeGone => "challenge_gone",
        LoginError::Refused | LoginError::WrongCode => "password",
        LoginError::SecondFactor(_) => "second_factor_missing",
        LoginError::Throttled { .. } => "throttled",
        LoginError::Unavailable(_) => "store_away",
    }
}
