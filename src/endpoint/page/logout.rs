//! Logging out: on the server first, then in the browser.

use axum::response::Response;
use http::StatusCode;

use super::answer::{self, Refusal};
use super::fields::Fields;
use super::visit::{self, Known, Visit};
use crate::service::Unavailable;

/// `POST /logout` of the page dialect.
pub(crate) async fn here(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    if end(&visit, known).await.is_err() {
        return Ok(visit.forget(half_done(&visit)));
    }
    Ok(visit.forget(visit.send_on(known, "/login?done=logout")))
}

/// `POST /logout/everywhere`.
pub(crate) async fn everywhere(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    if visit.call.service.revoke_user(&known.user.name).await.is_err() {
        return Ok(visit.forget(half_done(&visit)));
    }
    Ok(visit.forget(visit.send_on(known, "/login?done=everywhere")))
}

/// `POST /logout` of `ClusterCockpit`, whose own pages send no token of ours. Another site can't
/// make a browser send the session with it (`SameSite`), and must not say it is one.
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
