//! What the token service says, in the words of OAuth.

use std::time::Duration;

use super::refusal::Refusal;
use crate::service::{
    IssueError, KeyError, LoginError, PasswordChangeError, RefreshError, RevokeError, TotpError,
    Unavailable,
};

/// When to come back while the store is away, in seconds.
const AWAY: u64 = 5;
/// When to come back while too many passwords wait, in seconds.
const BUSY: u64 = 1;

fn throttled(retry_after: Duration) -> Refusal {
    let whole = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    Refusal::Throttled { retry_after: whole.max(1) }
}

impl From<Unavailable> for Refusal {
    fn from(Unavailable: Unavailable) -> Self {
        Self::Unavailable { retry_after: AWAY }
    }
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Busy => Self::Unavailable { retry_after: BUSY },
            LoginError::ChallengeGone => Self::InvalidGrant("log in again"),
            LoginError::Refused => Self::InvalidGrant("the credentials do not hold"),
            LoginError::SecondFactor(ticket) => {
                let expires_in = ticket.expires_at.saturating_sub(crate::clock::unix_seconds());
                Self::MfaRequired { token: ticket.id, expires_in }
            }
            LoginError::Throttled { retry_after } => throttled(retry_after),
            LoginError::Unavailable(away) => away.into(),
            LoginError::WrongCode => Self::InvalidGrant("the one-time code does not hold"),
        }
    }
}

impl From<IssueError> for Refusal {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Audience => Self::InvalidTarget,
            IssueError::Impossible => Self::Impossible,
            IssueError::Lifetime => Self::InvalidRequest("expires_in is less than a second"),
            IssueError::Refused => Self::InvalidGrant("the key belongs to another identifier"),
            IssueError::Unavailable(away) => away.into(),
        }
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Issue(error) => error.into(),
            RefreshError::Unavailable(away) => away.into(),
            RefreshError::Invalid(_)
            | RefreshError::MissingOrigin
            | RefreshError::Over
            | RefreshError::Refused
            | RefreshError::Reused
            | RefreshError::UserDisabled
            | RefreshError::UserGone => Self::InvalidGrant("the refresh token does not hold"),
        }
    }
}

impl From<RevokeError> for Refusal {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Invalid(_) => Self::InvalidToken,
            RevokeError::Nameless => Self::InvalidRequest("the token has no id"),
            RevokeError::Unavailable(away) => away.into(),
        }
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Full => Self::Conflict("there are as many keys as may be"),
            KeyError::Ill => Self::InvalidRequest("the label or the lifetime is not acceptable"),
            KeyError::Taken => Self::Conflict("the key is taken"),
            KeyError::Unavailable(away) => away.into(),
            KeyError::UnknownUser => Self::InvalidToken,
        }
    }
}

impl From<TotpError> for Refusal {
    fn from(error: TotpError) -> Self {
        match error {
            TotpError::Enrolled => Self::Conflict("a second factor is enrolled already"),
            TotpError::NoSecret => Self::Conflict("this gateway cannot keep second factors"),
            TotpError::NotBegun => Self::Conflict("no second factor is there"),
            TotpError::Throttled { retry_after } => throttled(retry_after),
            TotpError::Unavailable(away) => away.into(),
            TotpError::UnknownUser => Self::InvalidToken,
            TotpError::WrongCode => Self::InvalidGrant("the one-time code does not hold"),
        }
    }
}

impl From<PasswordChangeError> for Refusal {
    fn from(error: PasswordChangeError) -> Self {
        match error {
            PasswordChangeError::Busy => Self::Unavailable { retry_after: BUSY },
            PasswordChangeError::Edit(_) | PasswordChangeError::NoFile => {
                Self::Conflict("the password of this user cannot be changed here")
            }
            PasswordChangeError::NotLoaded => {
                Self::Conflict("the new password is not in force yet")
            }
            PasswordChangeError::Refused => Self::InvalidGrant("the credentials do not hold"),
            PasswordChangeError::Throttled { retry_after } => throttled(retry_after),
            PasswordChangeError::Unavailable(away) => away.into(),
            PasswordChangeError::Unfit => {
                Self::InvalidRequest("the new password is not acceptable")
            }
        }
    }
}
