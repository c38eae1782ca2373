//! One's own tokens: issued and shown once, revoked.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;

use super::time::moment;
use super::{refused, show_once};
use crate::endpoint::page::answer::{self, Refusal};
use crate::endpoint::page::document::{FORM, Refusals, RevokeTokenForm, TokenForm};
use crate::endpoint::page::fields::Fields;
use crate::endpoint::page::visit::Visit;
use crate::service::{IssueError, RevokeError, Shape, Unavailable, Wish};

/// Issues a token, which is shown once.
#[utoipa::path(
    post,
    path = "/me/tokens",
    operation_id = "issue_token",
    tag = "account",
    request_body(content = TokenForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 200, description = "The page with the token", body = String, content_type = "text/html"), Refusals),
)]
pub(crate) async fn issue(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    let lifetime = fields.one("lifetime").ok().and_then(|text| text.parse().ok());
    let Some(lifetime) = lifetime else {
        let text = "Choose a lifetime.".to_owned();
        return Ok(refused(&visit, known, StatusCode::BAD_REQUEST, text).await);
    };
    let lifetime = Some(Duration::from_secs(lifetime));
    let wish = Wish { lifetime, ..Wish::of(Shape::Standard) };
    match visit.call.service.issue(&visit.call, &known.who, &wish).await {
        Ok(issued) => {
            let facts = vec![("Ends", moment(issued.expires_at))];
            let token = issued.access_token.to_string();
            Ok(show_once(&visit, known, "Your token", token, facts))
        }
        Err(error) => {
            let (status, text) = match error {
                IssueError::Lifetime => (StatusCode::BAD_REQUEST, "Choose a lifetime."),
                IssueError::Audience | IssueError::Impossible | IssueError::Refused => {
                    (StatusCode::INTERNAL_SERVER_ERROR, "No token can be issued here.")
                }
                IssueError::Unavailable(Unavailable) => {
                    (StatusCode::SERVICE_UNAVAILABLE, "No token can be issued at the moment.")
                }
            };
            Ok(shortly(refused(&visit, known, status, text.to_owned()).await))
        }
    }
}

/// Ends a token that is pasted, if it is one's own.
#[utoipa::path(
    post,
    path = "/me/tokens/revoke",
    operation_id = "revoke_token",
    tag = "account",
    request_body(content = RevokeTokenForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 303, description = "To the account, or to the login page"), Refusals),
)]
pub(crate) async fn revoke(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    let token = fields.one("token").unwrap_or_default().trim();
    let service = &visit.call.service;
    let verified = service.verify(&visit.call, token).ok();
    // A token of somebody else ends by their hand, or an administrator's.
    if verified.is_none_or(|verified| *verified.principal.name != *known.user.name) {
        let text = "That is no token of yours that still holds.".to_owned();
        return Ok(refused(&visit, known, StatusCode::BAD_REQUEST, text).await);
    }
    let (status, text) = match service.revoke_token(&visit.call, token).await {
        Ok(()) => return Ok(visit.send_on(known, "/me?done=token")),
        Err(RevokeError::Invalid(_)) => {
            (StatusCode::BAD_REQUEST, "That is no token of yours that still holds.")
        }
        Err(RevokeError::Nameless) => {
            (StatusCode::BAD_REQUEST, "That token has no id. Log out everywhere to end it.")
        }
        Err(RevokeError::Unavailable(Unavailable)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Nothing can be revoked at the moment.")
        }
    };
    Ok(shortly(refused(&visit, known, status, text.to_owned()).await))
}

/// Says when to come back, where the store is away.
pub(super) fn shortly(response: Response) -> Response {
    match response.status() {
        StatusCode::SERVICE_UNAVAILABLE => answer::after(response, 5),
        _ => response,
    }
}
