//! The second factor: enrolled by picture or text, confirmed by a code, turned off.
//!
//! Both ends ask for the password again: a browser that is left alone must neither take the
//! factor away nor bind the account to somebody else's phone.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use zeroize::Zeroizing;

use super::tokens::shortly;
use super::{Factor, Inside, refused};
use crate::endpoint::page::answer::{self, Frame, Page, Refusal};
use crate::endpoint::page::document::{CodeForm, EnrolForm, FORM, FactorsForm, Refusals};
use crate::endpoint::page::fields::Fields;
use crate::endpoint::page::login;
use crate::endpoint::page::visit::{Known, Visit};
use crate::secret::Secret;
use crate::service::{Enrolment, LoginError, TotpError, Unavailable};

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPage {
    frame: Frame,
    inside: Inside,
    refusal: Option<String>,
    enrolment: Option<Enrolment>,
}

impl Page for EnrolPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

#[derive(Template)]
#[template(path = "recovery.html")]
struct RecoveryPage {
    frame: Frame,
    inside: Inside,
    codes: Vec<Zeroizing<String>>,
}

impl Page for RecoveryPage {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// How the user stands with it.
pub(super) async fn state(visit: &Visit, known: &Known) -> Factor {
    match visit.call.service.totp_state(&known.user.name).await {
        Ok(state) if state.is_enrolled => Factor::On { recovery_codes: state.recovery_codes },
        Ok(_) => Factor::Off,
        Err(Unavailable) => Factor::Unavailable,
    }
}

/// Begins a second factor, for who knows the password.
#[utoipa::path(
    post,
    path = "/me/totp",
    operation_id = "begin_totp",
    tag = "account",
    request_body(content = EnrolForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 200, description = "The page with the picture", body = String, content_type = "text/html"), (status = 409, description = "It cannot be so", body = String, content_type = "text/html"), Refusals),
)]
pub(crate) async fn begin(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    let password = fields.one("password").unwrap_or_default();
    if let Some(refusal) = ask_again(&visit, known, password, None).await {
        return Ok(refusal);
    }
    match visit.call.service.totp_begin(&visit.call, &known.user.name).await {
        Ok(enrolment) => Ok(enrol(&visit, known, StatusCode::OK, None, Some(enrolment))),
        Err(error) => Ok(explain(&visit, known, error).await),
    }
}

/// Ends the enrolment by a code.
#[utoipa::path(
    post,
    path = "/me/totp/confirm",
    operation_id = "confirm_totp",
    tag = "account",
    request_body(content = CodeForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 200, description = "The page with the recovery codes", body = String, content_type = "text/html"), (status = 409, description = "It cannot be so", body = String, content_type = "text/html"), Refusals),
)]
pub(crate) async fn confirm(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    let code = fields.one("code").unwrap_or_default();
    match visit.call.service.totp_confirm(&visit.call, &known.user.name, code).await {
        Ok(codes) => {
            let (frame, inside) = (visit.frame(), Inside::of(&visit, known));
            let page = RecoveryPage { frame, inside, codes };
            let response = answer::page(StatusCode::OK, &page);
            Ok(answer::told(response, Some(&known.user.name), None))
        }
        Err(TotpError::WrongCode) => {
            let text = "That is not the code of this moment. Enter the one that is shown now.";
            let refusal = Some(text.to_owned());
            Ok(enrol(&visit, known, StatusCode::BAD_REQUEST, refusal, None))
        }
        Err(error) => Ok(explain(&visit, known, error).await),
    }
}

/// Takes the second factor away, for who knows the password and has a code.
#[utoipa::path(
    post,
    path = "/me/totp/disable",
    operation_id = "disable_totp",
    tag = "account",
    request_body(content = FactorsForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 303, description = "To the account, or to the login page"), (status = 409, description = "It cannot be so", body = String, content_type = "text/html"), Refusals),
)]
pub(crate) async fn disable(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    let password = fields.one("password").unwrap_or_default();
    let code = fields.one("code").unwrap_or_default();
    if let Some(refusal) = ask_again(&visit, known, password, Some(code)).await {
        return Ok(refusal);
    }
    match visit.call.service.totp_disable(&known.user.name).await {
        Ok(_) => Ok(visit.send_on(known, "/me?done=factor")),
        Err(away @ Unavailable) => Ok(explain(&visit, known, away.into()).await),
    }
}

/// Verifies the password, and the code, once more; the refusal if they are wrong.
async fn ask_again(
    visit: &Visit,
    known: &Known,
    password: &str,
    code: Option<&str>,
) -> Option<Response> {
    let password = Secret::from(password.to_owned());
    let result = visit.call.service.login(&visit.call, &known.user.name, password, code).await;
    let Err(error) = result else { return None };
    // Not 401: the session holds, and it is this that is refused.
    let (status, text, wait) = match error {
        LoginError::Refused => (StatusCode::FORBIDDEN, "The password is wrong.".to_owned(), None),
        LoginError::WrongCode => {
            (StatusCode::FORBIDDEN, "The code is wrong, or was used already.".to_owned(), None)
        }
        LoginError::SecondFactor(_) | LoginError::ChallengeGone => {
            (StatusCode::CONFLICT, "There is a second factor already.".to_owned(), None)
        }
        LoginError::Throttled { .. } | LoginError::Busy | LoginError::Unavailable(_) => {
            login::describe(&error)
        }
    };
    let response = refused(visit, known, status, text).await;
    Some(match wait {
        Some(seconds) => answer::after(response, seconds),
        None => response,
    })
}

fn enrol(
    visit: &Visit,
    known: &Known,
    status: StatusCode,
    refusal: Option<String>,
    enrolment: Option<Enrolment>,
) -> Response {
    let (frame, inside) = (visit.frame(), Inside::of(visit, known));
    let page = EnrolPage { frame, inside, refusal, enrolment };
    answer::told(answer::page(status, &page), Some(&known.user.name), None)
}

async fn explain(visit: &Visit, known: &Known, error: TotpError) -> Response {
    let (status, text) = match error {
        TotpError::Enrolled => (StatusCode::CONFLICT, "There is a second factor already."),
        TotpError::NoSecret => {
            (StatusCode::CONFLICT, "This gateway is not set up for second factors.")
        }
        TotpError::NotBegun => (StatusCode::CONFLICT, "Turn it on from the beginning."),
        TotpError::Throttled { retry_after } => {
            let seconds = login::whole_seconds(retry_after);
            let status = StatusCode::TOO_MANY_REQUESTS;
            let response = refused(visit, known, status, login::slow_down(seconds)).await;
            return answer::after(response, seconds);
        }
        TotpError::Unavailable(Unavailable) => {
            (StatusCode::SERVICE_UNAVAILABLE, "This can't be done at the moment.")
        }
        TotpError::UnknownUser => (StatusCode::FORBIDDEN, "You can't have a second factor."),
        TotpError::WrongCode => (StatusCode::FORBIDDEN, "The code is wrong, or was used already."),
    };
    shortly(refused(visit, known, status, text.to_owned()).await)
}
