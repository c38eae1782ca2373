//! Another password, and with it the end of everything that came by the old one.

use axum::response::Response;
use http::StatusCode;

use super::refused;
use super::tokens::shortly;
use crate::endpoint::page::answer::{self, Refusal};
use crate::endpoint::page::document::{FORM, PasswordForm, Refusals};
use crate::endpoint::page::fields::Fields;
use crate::endpoint::page::login::{slow_down, whole_seconds};
use crate::endpoint::page::visit::Visit;
use crate::secret::Secret;
use crate::service::{PasswordChangeError, Unavailable};

/// The shortest password that is taken (NIST SP 800-63B-4 §3.1.1: where it is the only factor).
pub(super) const MIN_CHARACTERS: usize = 15;

/// Changes the password, and so ends everything that came by the old one.
#[utoipa::path(
    post,
    path = "/me/password",
    operation_id = "change_password",
    tag = "account",
    request_body(content = PasswordForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 303, description = "To the login page"), (status = 409, description = "It cannot be so", body = String, content_type = "text/html"), Refusals),
)]
pub(crate) async fn change(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    let field = |name| fields.one(name).unwrap_or_default();
    let (old, new, again) = (field("old"), field("new"), field("again"));
    if let Err(text) = judge(&known.user.name, old, new, again) {
        return Ok(refused(&visit, known, StatusCode::BAD_REQUEST, text).await);
    }
    let (old, new) = (Secret::from(old.to_owned()), Secret::from(new.to_owned()));
    let service = &visit.call.service;
    let changed = service.change_password(&visit.call, &known.user.name, Some(old), new).await;
    let (status, text) = match changed {
        Ok(()) => {
            return Ok(visit.forget(visit.send_on(known, "/login?done=password")));
        }
        Err(PasswordChangeError::Refused) => {
            (StatusCode::FORBIDDEN, "The present password is wrong.")
        }
        Err(PasswordChangeError::Unfit) => {
            (StatusCode::BAD_REQUEST, "That can't be a password: it is too long, or not text.")
        }
        Err(
            PasswordChangeError::Edit(_)
            | PasswordChangeError::NoFile
            | PasswordChangeError::NotLoaded,
        ) => (StatusCode::CONFLICT, "Your password can't be changed here."),
        Err(PasswordChangeError::Throttled { retry_after }) => {
            let seconds = whole_seconds(retry_after);
            let status = StatusCode::TOO_MANY_REQUESTS;
            let response = refused(&visit, known, status, slow_down(seconds)).await;
            return Ok(answer::after(response, seconds));
        }
        Err(PasswordChangeError::Busy | PasswordChangeError::Unavailable(Unavailable)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Passwords can't be changed at the moment.")
        }
    };
    Ok(shortly(refused(&visit, known, status, text.to_owned()).await))
}

/// Whether the new password may be one; an error is for the person who chose it.
fn judge(user: &str, old: &str, new: &str, again: &str) -> Result<(), String> {
    if new != again {
        return Err("The new passwords differ.".to_owned());
    }
    if new.chars().count() < MIN_CHARACTERS {
        return Err(format!("The new password has less than {MIN_CHARACTERS} characters."));
    }
    if new == old {
        return Err("The new password is the old one.".to_owned());
    }
    if new.to_lowercase() == user.to_lowercase() {
        return Err("The new password is your name.".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_is_long_and_new_and_meant() {
        let good = "a correct horse battery";
        assert_eq!(judge("alice", "old", good, good), Ok(()));
        assert_eq!(judge("alice", "old", "äöüäöüäöüäöüäöü", "äöüäöüäöüäöüäöü"), Ok(()));
        assert!(judge("alice", "old", good, "a correct horse").is_err());
        assert!(judge("alice", "old", "fourteen chars", "fourteen chars").is_err());
        assert!(judge("alice", good, good, good).is_err());
        assert!(judge("A Correct Horse Battery", "old", good, good).is_err());
    }
}
