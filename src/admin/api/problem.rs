//! Errors of the admin API, as problem details (RFC 9457).

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::issue::IssueError;
use crate::admin::reply::Refused;
use crate::directory::edit::EditError;
use crate::service::{KeyError, RevokeError, TotpError, Unavailable, UsersError};

/// Why a request is not done, told to an operator: with all that is known.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    retry_after: Option<Duration>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after: None }
    }

    pub(super) fn unknown(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, what)
    }
}

/// The same as it is written.
#[derive(Serialize, ToSchema)]
pub(super) struct ProblemBody {
    /// Always `about:blank`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status once more.
    status: u16,
    /// Why.
    detail: String,
}

/// The refusals of whatever the API is asked for, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "tells what `Problem` answers, and the listener before it")]
pub(super) enum Problems {
    /// The request cannot be read
    #[response(status = 400, content_type = "application/problem+json")]
    Bad(#[to_schema] ProblemBody),
    /// Over TCP: not with this token
    #[response(status = 401)]
    Unauthorized(#[to_schema] Refused),
    /// A web page may not ask, or it is not asked for on this machine
    #[response(status = 403)]
    Forbidden(#[to_schema] Refused),
    /// The body is too large
    #[response(status = 413)]
    TooLarge(#[to_schema] Refused),
    /// The Host is another's
    #[response(status = 421)]
    ForeignHost(#[to_schema] Refused),
    /// Not now; see Retry-After
    #[response(status = 503, content_type = "application/problem+json")]
    Later(#[to_schema] ProblemBody),
}

/// The refusals of whatever comes with a body besides, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "tells what `Problem` answers")]
pub(super) enum Unread {
    /// Not JSON
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(#[to_schema] ProblemBody),
    /// It says what cannot be
    #[response(status = 422, content_type = "application/problem+json")]
    Ill(#[to_schema] ProblemBody),
}

/// There is no such thing, for the document.
#[derive(utoipa::IntoResponses)]
#[response(
    status = 404,
    description = "There is no such thing, or no token service",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "tells what `Problem` answers")]
pub(super) struct Unknown(#[to_schema] ProblemBody);

/// It cannot be so, for the document.
#[derive(utoipa::IntoResponses)]
#[response(
    status = 409,
    description = "It is so already, or not kept where it could be changed",
    content_type = "application/problem+json"
)]
#[expect(dead_code, reason = "tells what `Problem` answers")]
pub(super) struct Conflict(#[to_schema] ProblemBody);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, detail, retry_after } = self;
        let title = status.canonical_reason().unwrap_or("Refused");
        let problem = ProblemBody { kind: "about:blank", title, status: status.as_u16(), detail };
        let json = HeaderValue::from_static("application/problem+json");
        let body = serde_json::to_string(&problem).unwrap_or_default() + "\n";
        let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
        if let Some(wait) = retry_after {
            let seconds = wait.as_secs().max(1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The error with its causes.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, told(&error))
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let status = match error {
            KeyError::Full | KeyError::Taken => StatusCode::CONFLICT,
            KeyError::Ill => StatusCode::UNPROCESSABLE_ENTITY,
            KeyError::UnknownUser => StatusCode::NOT_FOUND,
            KeyError::Unavailable(error) => return error.into(),
        };
        Self::new(status, told(&error))
    }
}

impl From<TotpError> for Problem {
    fn from(error: TotpError) -> Self {
        let status = match error {
            TotpError::Enrolled | TotpError::NoSecret | TotpError::NotBegun => StatusCode::CONFLICT,
            TotpError::UnknownUser => StatusCode::NOT_FOUND,
            TotpError::WrongCode => StatusCode::UNPROCESSABLE_ENTITY,
            TotpError::Unavailable(error) => return error.into(),
            TotpError::Throttled { retry_after } => {
                let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, told(&error));
                return Self { retry_after: Some(retry_after), ..problem };
            }
        };
        Self::new(status, told(&error))
    }
}

impl From<UsersError> for Problem {
    fn from(error: UsersError) -> Self {
        let status = match &error {
            UsersError::Edit(EditError::Unknown(_)) => StatusCode::NOT_FOUND,
            UsersError::Edit(EditError::Ill(_) | EditError::Name(_)) | UsersError::Password => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            UsersError::Edit(EditError::Unreadable(_) | EditError::Unwritable { .. })
            | UsersError::Interrupted => StatusCode::INTERNAL_SERVER_ERROR,
            UsersError::Edit(_)
            | UsersError::InConfiguration(_)
            | UsersError::NoDirectory
            | UsersError::NotLoaded => StatusCode::CONFLICT,
            UsersError::Unavailable(error) => return (*error).into(),
        };
        Self::new(status, told(&error))
    }
}

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Invalid(_) | RevokeError::Nameless => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, told(&error))
            }
            RevokeError::Unavailable(error) => error.into(),
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        let status = match &error {
            IssueError::UnknownIssuer(_) | IssueError::UnknownUser(_) => StatusCode::NOT_FOUND,
            IssueError::Disabled(_) | IssueError::NobodySigns => StatusCode::CONFLICT,
            IssueError::Sign { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            IssueError::Ambiguous(_)
            | IssueError::Lifetime(_)
            | IssueError::Refused(_)
            | IssueError::Reserved(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, told(&error))
    }
}
