//! Logging out: on the server first, then in the browser.

use axum::response::Response;
use http::StatusCode;

use super::answer::{self, Refusal};
use super::document::{EmptyForm, FORM, Refusals};
use super::fields::Fields;
use super::visit::{self, Known, Visit};
use crate::service::Unavailable;

/// Ends the session.
#[utoipa::path(
    post,
    path = "/logout",
    operation_id = "log_out",
    tag = "login",
    request_body(content = EmptyForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 303, description = "To the login page"), Refusals),
)]
pub(crate) async fn here(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    if end(&visit, known).await.is_err() {
        return Ok(visit.forget(half_done(&visit)));
    }
    Ok(visit.forget(visit.send_on(known, "/login?done=logout")))
}

/// Ends all tokens and sessions of the user.
#[utoipa::path(
    post,
    path = "/logout/everywhere",
    operation_id = "log_out_everywhere",
    tag = "login",
    request_body(content = EmptyForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 303, description = "To the login page"), Refusals),
)]
pub(crate) async fn everywhere(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    if visit.call.service.revoke_user(&known.user.name).await.is_err() {
        return Ok(visit.forget(half_done(&visit)));
    }
    Ok(visit.forget(visit.send_on(known, "/login?done=everywhere")))
}

/// Ends the session.
///
/// `ClusterCockpit`'s own pages send no token of ours. Another site can't make a browser send the
/// session with it (`SameSite`), and must not say it is one.
#[utoipa::path(
    post,
    path = "/logout",
    operation_id = "log_out",
    tag = "login",
    security((), ("session" = [])),
    responses(
        (status = 200, description = "It has ended", body = String, content_type = "text/html"),
        (status = 403, description = "It comes from another site, or this needs HTTPS", body = String, content_type = "text/html"),
        (status = 503, description = "Not on all nodes; see Retry-After", body = String, content_type = "text/html"),
    ),
)]
pub(crate) async fn clustercockpit(visit: Visit) -> Result<Response, Refusal> {
    visit.refuse_foreign()?;
    if let Some(known) = &visit.known
        && end(&visit, known).await.is_err()
    {
        return Ok(visit.forget(half_done(&visit)));
    }
    let title = "You are logged out";
    let text = "Your session has ended.";
    let login = visit.path("/login");
    Ok(visit.forget(answer::message_with(
        &visit.call,
        StatusCode::OK,
        (title, text),
        (&login, "Log in"),
    )))
}

async fn end(visit: &Visit, known: &Known) -> Result<(), Unavailable> {
    let until = known.session.absolute_end(visit::lifetimes(&visit.call));
    visit.call.service.end_session(&known.session.id, until).await
}

/// The store is away: no other node would learn of the end.
fn half_done(visit: &Visit) -> Response {
    let response = answer::message(
        &visit.call,
        StatusCode::SERVICE_UNAVAILABLE,
        "Logged out in this browser only",
        "The end of your session can't be recorded at the moment. \
         Log in later, and log out everywhere.",
    );
    answer::told(answer::after(response, 5), None, Some("store_away"))
}
