//! Changes of users that were not made, as those dialects tell it that offer such changes.

use std::borrow::Cow;

use http::StatusCode;

use crate::directory::edit::EditError;
use crate::service::UsersError;

/// What is to be answered.
pub(super) enum Verdict {
    /// 503: the same may do later.
    Later,
    /// This status, and why. No path of a file is in it.
    Refused(StatusCode, Cow<'static, str>),
}

/// Judges. What the client could have known is 4xx, what only an operator can mend 5xx.
pub(super) fn verdict(error: &UsersError) -> Verdict {
    let text = || Cow::Owned(error.to_string());
    match error {
        UsersError::Edit(error) => match error {
            EditError::Changed(_) => Verdict::Later,
            EditError::Exists(_) | EditError::NoRoles | EditError::NoRoom | EditError::Unsafe => {
                Verdict::Refused(StatusCode::CONFLICT, text())
            }
            EditError::Ill(_) | EditError::Name(_) => {
                Verdict::Refused(StatusCode::BAD_REQUEST, text())
            }
            EditError::Unknown(_) | EditError::UnknownRole(_) => {
                Verdict::Refused(StatusCode::NOT_FOUND, text())
            }
            EditError::Unreadable(_) | EditError::Unwritable { .. } => Verdict::Refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the file of users cannot be changed".into(),
            ),
        },
        UsersError::InConfiguration(_) | UsersError::NoDirectory => {
            Verdict::Refused(StatusCode::CONFLICT, text())
        }
        UsersError::Interrupted | UsersError::Unavailable(_) => Verdict::Later,
        UsersError::NotLoaded => Verdict::Refused(StatusCode::INTERNAL_SERVER_ERROR, text()),
        UsersError::Password => Verdict::Refused(StatusCode::BAD_REQUEST, text()),
    }
}
