//! Logging in: the form, the second factor, and what every refusal looks like.
//!
//! Served at `/login` in two dialects. The one for every browser demands that the form was shown
//! to the very browser that sends it; `ClusterCockpit`'s is also sent by clients that never asked
//! for the page, so there only the browser's own word about the sender counts.

use std::time::Duration;

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;

use super::answer::{self, Frame, Page, Refusal};
use super::document::{FORM, LoginForm};
use super::fields::{FieldError, Fields};
use super::onward::{self, Onward};
use super::visit::Visit;
use crate::route::endpoint::Dialect;
use crate::secret::Secret;
use crate::service::{self, LoggedIn, LoginError};
use crate::session::How;
use crate::user::check_name;

/// Nobody has a longer password; it is not hashed to find out.
const MAX_PASSWORD_BYTES: usize = 4096;

const REFUSED: &str = "The user name or the password is wrong.";
const WRONG_CODE: &str = "The code is wrong, or was used already.";
const CHALLENGE_GONE: &str = "That took too long, or there were too many codes. Log in again.";
const UNAVAILABLE: &str = "Logging in does not work at the moment. Try again shortly.";

/// What is asked of the login page.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Asked {
    /// Where to go afterwards; routes that send browsers here call it `next`.
    #[serde(alias = "next")]
    pub(super) redirect: Option<String>,
    /// What was done before.
    done: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    frame: Frame,
    action: String,
    redirect_field: &'a str,
    redirect: &'a str,
    form_token: Option<String>,
    user: &'a str,
    refusal: Option<String>,
    done: Option<&'static str>,
}

impl Page for LoginPage<'_> {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

#[derive(Debug, Template)]
#[template(path = "code.html")]
struct CodePage<'a> {
    frame: Frame,
    action: String,
    again: String,
    redirect_field: &'a str,
    redirect: &'a str,
    form_token: Option<String>,
    challenge: &'a str,
    refusal: Option<String>,
}

impl Page for CodePage<'_> {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

#[derive(Debug, Template)]
#[template(path = "known.html")]
struct KnownPage<'a> {
    frame: Frame,
    user: &'a str,
    onward: String,
    form_token: String,
}

impl Page for KnownPage<'_> {
    fn frame(&self) -> &Frame {
        &self.frame
    }
}

/// What the two dialects do differently.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// The status of the redirect that follows a login.
    success: StatusCode,
    /// Whether the form must come from the page that was shown.
    bound_form: bool,
}

fn manner(visit: &Visit) -> Manner {
    match visit.call.profile.dialect {
        Dialect::Clustercockpit => Manner { success: StatusCode::FOUND, bound_form: false },
        Dialect::Appmesh
        | Dialect::ForwardAuth
        | Dialect::Jwthenticator
        | Dialect::Omegaml
        | Dialect::Page
        | Dialect::Ryft
        | Dialect::Standard => Manner { success: StatusCode::SEE_OTHER, bound_form: true },
    }
}

/// Where a login leads that asks for nothing else.
fn home(visit: &Visit) -> String {
    if manner(visit).bound_form { visit.path("/me") } else { "/".to_owned() }
}

fn place(visit: &Visit, asked: &str) -> String {
    Onward::parse(asked).map_or_else(|| home(visit), |onward| onward.as_str().to_owned())
}

/// The form to log in, or who is logged in.
#[utoipa::path(
    get,
    path = "/login",
    operation_id = "login_page",
    tag = "login",
    params(
        ("redirect" = Option<String>, Query, description = "Where to go afterwards: a path of the same host; also called `next`"),
        ("done" = Option<String>, Query, description = "What was done before"),
    ),
    security((), ("session" = [])),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 403, description = "This needs HTTPS", body = String, content_type = "text/html"),
    ),
)]
pub(crate) async fn show(
    visit: Visit,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    // What can't be read asks for nothing.
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let redirect = asked.redirect.as_deref().unwrap_or_default();
    if let Some(known) = &visit.known {
        let page = KnownPage {
            frame: visit.frame(),
            user: &known.user.name,
            onward: place(&visit, redirect),
            form_token: known.form_token(&visit.call),
        };
        return Ok(visit.keep(answer::page(StatusCode::OK, &page)));
    }
    let done = match asked.done.as_deref() {
        Some("logout") => Some("You are logged out."),
        Some("everywhere") => Some("You are logged out, everywhere."),
        Some("password") => Some("Your password is changed. Log in with the new one."),
        Some(_) | None => None,
    };
    form(&visit, StatusCode::OK, Shown { redirect, user: "", refusal: None, done })
}

/// What the form shows.
#[derive(Clone, Debug, Default)]
struct Shown<'a> {
    redirect: &'a str,
    user: &'a str,
    refusal: Option<String>,
    done: Option<&'static str>,
}

fn form(visit: &Visit, status: StatusCode, shown: Shown<'_>) -> Result<Response, Refusal> {
    let Shown { redirect, user, refusal, done } = shown;
    let (form_token, cookie) = visit.form_before_login()?;
    let bound = manner(visit).bound_form;
    let page = LoginPage {
        frame: visit.frame(),
        action: visit.path("/login"),
        redirect_field: onward::FIELD,
        redirect,
        form_token: bound.then_some(form_token),
        user,
        refusal,
        done,
    };
    let response = answer::page(status, &page);
    Ok(if bound { answer::with_cookie(response, &cookie) } else { response })
}

/// Logs in: by user name and password, or by the code that is asked for next.
#[utoipa::path(
    post,
    path = "/login",
    operation_id = "log_in",
    tag = "login",
    request_body(content = LoginForm, content_type = FORM),
    responses(
        (status = 200, description = "The page that asks for a code", body = String, content_type = "text/html"),
        (status = 303, description = "The session has begun"),
        (status = 400, description = "The form cannot be read", body = String, content_type = "text/html"),
        (status = 401, description = "Name, password or code does not hold", body = String, content_type = "text/html"),
        (status = 403, description = "The form comes from elsewhere, or this needs HTTPS", body = String, content_type = "text/html"),
        (status = 415, description = "No form"),
        (status = 429, description = "Too many attempts; see Retry-After", body = String, content_type = "text/html"),
        (status = 503, description = "Not now; see Retry-After", body = String, content_type = "text/html"),
    ),
)]
pub(crate) async fn log_in(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    visit.refuse_foreign()?;
    let unreadable = |_: FieldError| unreadable(&visit);
    let redirect = fields.find(onward::FIELD).map_err(unreadable)?.unwrap_or_default();
    let token = fields.find("form_token").map_err(unreadable)?.unwrap_or_default();
    if manner(&visit).bound_form && !visit.is_form_before_login(token)? {
        let refusal = Some("This page was shown too long ago. Try again.".to_owned());
        let shown = Shown { redirect, refusal, ..Shown::default() };
        let response = form(&visit, StatusCode::FORBIDDEN, shown)?;
        return Ok(answer::told(response, None, Some("form_forged")));
    }
    if let Some(challenge) = fields.find("challenge").map_err(unreadable)? {
        let code = fields.one("code").map_err(unreadable)?;
        return second_step(&visit, redirect, challenge, code).await;
    }
    let user = fields.one("username").map_err(unreadable)?;
    let password = fields.one("password").map_err(unreadable)?;
    first_step(&visit, redirect, user, password).await
}

async fn first_step(
    visit: &Visit,
    redirect: &str,
    user: &str,
    password: &str,
) -> Result<Response, Refusal> {
    let result = if password.len() > MAX_PASSWORD_BYTES {
        Err(LoginError::Refused)
    } else {
        let password = Secret::from(password.to_owned());
        visit.call.service.login(&visit.call, user, password, None).await
    };
    match result {
        Ok(who) => Ok(succeed(visit, redirect, &who)),
        Err(LoginError::SecondFactor(challenge)) => {
            let response = ask_for_code(visit, StatusCode::OK, redirect, &challenge.id, None)?;
            Ok(answer::told(response, Some(user), None))
        }
        Err(error) => refuse(visit, redirect, user, &error),
    }
}

async fn second_step(
    visit: &Visit,
    redirect: &str,
    challenge: &str,
    code: &str,
) -> Result<Response, Refusal> {
    match visit.call.service.answer_challenge(&visit.call, challenge, None, code).await {
        Ok(who) => Ok(succeed(visit, redirect, &who)),
        Err(LoginError::WrongCode) => {
            let refusal = Some(WRONG_CODE.to_owned());
            let status = StatusCode::UNAUTHORIZED;
            let response = ask_for_code(visit, status, redirect, challenge, refusal)?;
            Ok(answer::told(response, None, Some(label(&LoginError::WrongCode))))
        }
        Err(LoginError::Throttled { retry_after }) => {
            let seconds = whole_seconds(retry_after);
            let refusal = Some(slow_down(seconds));
            let status = StatusCode::TOO_MANY_REQUESTS;
            let response = ask_for_code(visit, status, redirect, challenge, refusal)?;
            Ok(answer::told(answer::after(response, seconds), None, Some("throttled")))
        }
        Err(error) => refuse(visit, redirect, "", &error),
    }
}

fn succeed(visit: &Visit, redirect: &str, who: &LoggedIn) -> Response {
    let how = match who.how() {
        service::How::PasswordAndCode | service::How::PasswordAndRecoveryCode => How::Totp,
        service::How::Key | service::How::Password | service::How::Session => How::Password,
    };
    let response = answer::see(manner(visit).success, &place(visit, redirect));
    let response = visit.begin(who.name(), how, who.began(), response);
    answer::told(response, Some(who.name()), None)
}

fn ask_for_code(
    visit: &Visit,
    status: StatusCode,
    redirect: &str,
    challenge: &str,
    refusal: Option<String>,
) -> Result<Response, Refusal> {
    let (form_token, cookie) = visit.form_before_login()?;
    let bound = manner(visit).bound_form;
    let page = CodePage {
        frame: visit.frame(),
        action: visit.path("/login"),
        again: match redirect {
            "" => visit.path("/login"),
            place => {
                format!("{}?{}={}", visit.path("/login"), onward::FIELD, onward::encode(place))
            }
        },
        redirect_field: onward::FIELD,
        redirect,
        form_token: bound.then_some(form_token),
        challenge,
        refusal,
    };
    let response = answer::page(status, &page);
    Ok(if bound { answer::with_cookie(response, &cookie) } else { response })
}

/// Every refusal reads the same, whichever of user and password is wrong.
fn refuse(
    visit: &Visit,
    redirect: &str,
    user: &str,
    error: &LoginError,
) -> Result<Response, Refusal> {
    let (status, text, wait) = describe(error);
    let shown = Shown { redirect, user, refusal: Some(text), done: None };
    let claimed = Some(user).filter(|user| check_name(user).is_ok());
    let response = answer::told(form(visit, status, shown)?, claimed, Some(label(error)));
    Ok(match wait {
        Some(seconds) => answer::after(response, seconds),
        None => response,
    })
}

/// Why a login was refused, as logs and metrics name it.
fn label(error: &LoginError) -> &'static str {
    match error {
        LoginError::Busy => "password_overload",
        LoginError::ChallengeGone => "challenge_gone",
        LoginError::Refused | LoginError::SecondFactor(_) => "password",
        LoginError::Throttled { .. } => "throttled",
        LoginError::Unavailable(_) => "store_away",
        LoginError::WrongCode => "wrong_code",
    }
}

/// The status, the text and the wait of a refusal.
pub(super) fn describe(error: &LoginError) -> (StatusCode, String, Option<u64>) {
    match error {
        LoginError::Refused | LoginError::SecondFactor(_) => {
            (StatusCode::UNAUTHORIZED, REFUSED.to_owned(), None)
        }
        LoginError::WrongCode => (StatusCode::UNAUTHORIZED, WRONG_CODE.to_owned(), None),
        LoginError::ChallengeGone => (StatusCode::UNAUTHORIZED, CHALLENGE_GONE.to_owned(), None),
        LoginError::Throttled { retry_after } => {
            let seconds = whole_seconds(*retry_after);
            (StatusCode::TOO_MANY_REQUESTS, slow_down(seconds), Some(seconds))
        }
        LoginError::Busy => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned(), Some(1)),
        LoginError::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned(), Some(5))
        }
    }
}

/// Never so short that it would be refused again.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

pub(super) fn slow_down(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120.. => (seconds.div_ceil(60), "minute"),
    };
    let s = if count == 1 { "" } else { "s" };
    format!("There were too many attempts. Try again in {count} {unit}{s}.")
}

fn unreadable(visit: &Visit) -> Response {
    answer::message_with(
        &visit.call,
        StatusCode::BAD_REQUEST,
        ("This form can't be read", "A field is missing, or is there twice."),
        (&visit.path("/login"), "Log in"),
    )
}

#[cfg(test)]
mod tests;
