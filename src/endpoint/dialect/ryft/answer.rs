//! How ryft-server answers and refuses.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::edit::EditError;
use crate::endpoint::dialect::retry::{SOON, retry_after};
use crate::endpoint::dialect::users::{Verdict, verdict};
use crate::service::{LoginError, Outcome, UsersError};

const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"Authorization Required\"");
/// As its clients know it: without quotes.
const TOKEN: HeaderValue = HeaderValue::from_static("JWT realm=Authorization Required");
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Why a client does not get what it asked for.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// No credential, or a wrong password.
    Challenge,
    /// A login without what it needs.
    IncompleteLogin,
    /// The method is none of the path's.
    NoMethod,
    /// One of these, and what the log is told besides.
    Noted(Outcome, Box<Self>),
    /// There is nothing here.
    NoPage,
    /// It will do later.
    Later(Duration),
    /// What was asked of the users is not done.
    Plain {
        /// As HTTP says it.
        status: StatusCode,
        /// Why.
        message: Cow<'static, str>,
        /// What was tried.
        details: Option<&'static str>,
    },
    /// Too many failures.
    Throttled(Duration),
    /// The token, or the name and password of a login, do not hold.
    Token(Cow<'static, str>),
}

impl Refusal {
    pub(super) fn plain(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Plain { status, message: message.into(), details: None }
    }

    /// With whom it is about and why, for the log.
    pub(super) fn noted(self, user: Option<&str>, reason: &'static str) -> Self {
        let outcome = Outcome { user: user.map(Into::into), reason: Some(reason) };
        Self::Noted(outcome, Box::new(self))
    }

    /// A change of users that was not made, in the words of this dialect.
    pub(super) fn of_users(error: &UsersError, name: &str, tried: &'static str) -> Self {
        let (status, message) = match verdict(error) {
            Verdict::Later => return Self::Later(SOON),
            Verdict::Refused(status, message) => (status, message),
        };
        let message = match error {
            UsersError::Edit(EditError::Exists(_)) => {
                Cow::Owned(format!("\"{name}\" user already exists"))
            }
            UsersError::Edit(EditError::Unknown(_)) => {
                Cow::Owned(format!("no \"{name}\" user found"))
            }
            UsersError::Edit(_)
            | UsersError::InConfiguration(_)
            | UsersError::Interrupted
            | UsersError::NoDirectory
            | UsersError::NotLoaded
            | UsersError::Password
            | UsersError::Unavailable(_) => message,
        };
        Self::Plain { status, message, details: Some(tried) }
    }
}

impl From<LoginError> for Refusal {
    /// For a login by header: what is wrong with it is nobody's business.
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Busy | LoginError::Unavailable(_) => Self::Later(SOON),
            LoginError::Throttled { retry_after } => Self::Throttled(retry_after),
            LoginError::ChallengeGone
            | LoginError::Refused
            | LoginError::SecondFactor(_)
            | LoginError::WrongCode => Self::Challenge,
        }
    }
}

/// What the middleware for tokens says; its keys are sorted.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenError<'m> {
    /// Why.
    message: &'m str,
    /// The status once more.
    status: u16,
}

/// What the server itself says.
#[derive(Serialize, ToSchema)]
pub(super) struct ServerError<'m> {
    /// The status once more.
    status: u16,
    /// Why.
    message: &'m str,
    /// What was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    details: Option<&'static str>,
}

/// The refusals of whoever must say who they are, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "tells what `Refusal` answers")]
pub(super) enum Unknown {
    /// The credential does not hold; nothing is said, and Basic is asked for, where there is none
    /// or the password is wrong
    #[response(status = 401)]
    Unauthorized(#[to_schema] TokenError<'static>),
    /// Too many failures; see Retry-After
    #[response(status = 429)]
    Throttled(#[to_schema] ServerError<'static>),
    /// Not now; see Retry-After
    #[response(status = 503)]
    Later(#[to_schema] ServerError<'static>),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Noted(outcome, refusal) => {
                let mut answer = refusal.into_response();
                answer.extensions_mut().insert(outcome);
                answer
            }
            Self::Challenge => {
                let mut answer = StatusCode::UNAUTHORIZED.into_response();
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, BASIC);
                answer
            }
            Self::IncompleteLogin => {
                let said = TokenError { message: "Missing Username or Password", status: 400 };
                let mut answer = json(StatusCode::BAD_REQUEST, &said);
                let text = HeaderValue::from_static("text/plain; charset=utf-8");
                answer.headers_mut().insert(header::CONTENT_TYPE, text);
                answer
            }
            Self::NoMethod => page_error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::NoPage => page_error(StatusCode::NOT_FOUND, "Page not found"),
            Self::Later(after) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                with_retry(server_error(status, "temporarily unavailable", None), after)
            }
            Self::Plain { status, message, details } => server_error(status, &message, details),
            Self::Throttled(after) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                with_retry(server_error(status, "too many failed logins", None), after)
            }
            Self::Token(message) => {
                let said = TokenError { message: &message, status: 401 };
                let mut answer = json(StatusCode::UNAUTHORIZED, &said);
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, TOKEN);
                answer
            }
        }
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, said: &impl Serialize) -> Response {
    body(status, serde_json::to_vec(said).unwrap_or_default())
}

fn body(status: StatusCode, body: Vec<u8>) -> Response {
    let fields = HeaderMap::from_iter([(header::CONTENT_TYPE, JSON)]);
    (status, fields, body).into_response()
}

fn server_error(status: StatusCode, message: &str, details: Option<&'static str>) -> Response {
    json(status, &ServerError { status: status.as_u16(), message, details })
}

/// Those of the router are indented.
fn page_error(status: StatusCode, message: &str) -> Response {
    let text =
        format!("{{\n    \"status\": {},\n    \"message\": \"{message}\"\n}}", status.as_u16());
    body(status, text.into_bytes())
}

fn with_retry(mut answer: Response, after: Duration) -> Response {
    answer.headers_mut().insert(header::RETRY_AFTER, retry_after(after));
    answer
}
