//! omegaml's clients: JSON whatever the Content-Type says, trailing slashes that count, and errors
//! as Django's forms give them.
//!
//! Somebody logs in with the user name or the e-mail address. A user with a second factor adds it
//! as `otp`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{OpenApi, ToSchema};

use super::spaced;
use crate::directory::Directory;
use crate::identity::{Identities, IdentityError};
use crate::openapi::{self, Cover};
use crate::secret::Secret;
use crate::service::{Call, IssueError, Issued, LoginError, RefreshError, Shape, Wish};
use crate::token::VerifyError;

const JSON: &str = "application/json";
const REQUIRED: &str = "This field is required.";
const MALFORMED: &str = "Improperly formatted request";
const INCOMPLETE: &str = "Must include 'username' and 'password'.";
const REFUSED: &str = "Unable to login with provided credentials.";
const DISABLED: &str = "User account is disabled.";
const NO_ORIGIN: &str = "orig_iat was missing from payload.";
const OVER: &str = "Refresh has expired.";
const EXPIRED: &str = "Signature has expired.";
const UNDECODABLE: &str = "Error decoding signature.";
const LATER: &str = "Try again later.";
/// When to come back, in seconds.
const AWAY: u64 = 5;

/// Its paths and how they are answered.
pub fn router() -> Router {
    Router::new()
        .route("/token-auth/", post(log_in))
        .route("/token-refresh/", post(refresh))
        .fallback(async || StatusCode::NOT_FOUND)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
}

/// Its document, from the handlers.
pub(in crate::endpoint) fn document(server: &str) -> utoipa::openapi::OpenApi {
    let about = "Tokens for omegaml's clients. Bodies are JSON, whatever they are called.";
    openapi::bind(
        Document::openapi(),
        &Cover { title: "omegaml dialect", about, server },
        std::iter::empty(),
    )
}

#[derive(Debug, OpenApi)]
#[openapi(paths(log_in, refresh), components(schemas(Reasons, FieldErrors)))]
struct Document;

/// What went wrong with which field.
#[derive(Debug, Default, Serialize, ToSchema)]
struct FieldErrors {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    token: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    password: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    username: Vec<&'static str>,
    /// Of no field in particular.
    #[serde(rename = "__all__", skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    all: Vec<&'static str>,
}

/// A text; numbers are taken for one.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "tells what `text` reads")]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(i64),
}

/// Who logs in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
struct LogIn {
    /// The name, or the e-mail address.
    username: Text,
    /// The password.
    password: Text,
    /// A one-time code, of users with a second factor.
    #[schema(required = false)]
    otp: Option<Text>,
}

/// What is refreshed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the field is read by itself; this is what it is")]
struct Refresh {
    /// A token that holds.
    token: String,
}

/// The refusals, for the document.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "tells what `Refusal` answers")]
enum Refusals {
    /// What is sent is not as it must be, or does not hold
    #[response(status = 400)]
    Bad(#[to_schema] Explained),
    /// Too many failures; see Retry-After
    #[response(status = 429)]
    Throttled(#[to_schema] Explained),
    /// Not now; see Retry-After
    #[response(status = 503)]
    Later(#[to_schema] Explained),
}

/// Why.
#[derive(ToSchema)]
#[expect(dead_code, reason = "tells what `Errors` writes")]
struct Explained {
    /// By field; of a body that is no object, a list of texts.
    errors: Reasons,
}

#[derive(Serialize, ToSchema)]
#[expect(dead_code, reason = "tells what `Errors` writes")]
#[serde(untagged)]
enum Reasons {
    Fields(FieldErrors),
    All(Vec<String>),
}

/// Why there is no token.
#[derive(Debug)]
enum Refusal {
    /// The body is no object.
    Malformed,
    /// A form that is not filled in, or whose contents do not hold.
    Form(FieldErrors),
    /// Not now.
    Later { status: StatusCode, seconds: u64 },
    /// The endpoint is configured so that it cannot answer.
    Impossible,
}

#[derive(Serialize)]
struct Errors<T> {
    errors: T,
}

impl Refusal {
    fn all(message: &'static str) -> Self {
        Self::Form(FieldErrors { all: vec![message], ..FieldErrors::default() })
    }

    fn throttled(retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs().saturating_add(1);
        Self::Later { status: StatusCode::TOO_MANY_REQUESTS, seconds }
    }

    fn away() -> Self {
        Self::Later { status: StatusCode::SERVICE_UNAVAILABLE, seconds: AWAY }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Self::Malformed => spaced::answer(bad, JSON, &Errors { errors: [MALFORMED] }),
            Self::Form(errors) => spaced::answer(bad, JSON, &Errors { errors }),
            Self::Later { status, seconds } => {
                let errors = FieldErrors { all: vec![LATER], ..FieldErrors::default() };
                let mut response = spaced::answer(status, JSON, &Errors { errors });
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::Impossible => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Throttled { retry_after } => Self::throttled(retry_after),
            LoginError::Busy | LoginError::Unavailable(_) => Self::away(),
            LoginError::ChallengeGone
            | LoginError::Refused
            | LoginError::SecondFactor(_)
            | LoginError::WrongCode => Self::all(REFUSED),
        }
    }
}

impl From<IssueError> for Refusal {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Audience | IssueError::Impossible | IssueError::Lifetime => {
                Self::Impossible
            }
            IssueError::Refused => Self::all(REFUSED),
            IssueError::Unavailable(_) => Self::away(),
        }
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid(IdentityError::Token(VerifyError::Expired { .. })) => {
                Self::all(EXPIRED)
            }
            RefreshError::Invalid(_) | RefreshError::Refused | RefreshError::Reused => {
                Self::all(UNDECODABLE)
            }
            RefreshError::Issue(error) => error.into(),
            RefreshError::MissingOrigin => Self::all(NO_ORIGIN),
            RefreshError::Over => Self::all(OVER),
            RefreshError::Unavailable(_) => Self::away(),
            RefreshError::UserDisabled => Self::all(DISABLED),
            RefreshError::UserGone => Self::all(REFUSED),
        }
    }
}

/// What a client gets, in this order.
#[derive(Serialize, ToSchema)]
struct Answer<'t> {
    /// Always `Bearer`.
    token_type: &'static str,
    /// The token: a JWT.
    token: &'t str,
    /// For how many seconds it holds.
    expires_in: f64,
}

fn answer(issued: &Issued) -> Response {
    let seconds = u32::try_from(issued.expires_in()).unwrap_or(u32::MAX);
    let expires_in = f64::from(seconds);
    let answer = Answer { token_type: "Bearer", token: &issued.access_token, expires_in };
    spaced::answer(StatusCode::OK, JSON, &answer)
}

/// Logs in.
#[utoipa::path(
    post,
    path = "/token-auth/",
    tag = "omegaml",
    request_body = LogIn,
    responses((status = 200, description = "A token", body = Answer<'static>), Refusals),
)]
async fn log_in(call: Call, body: Bytes) -> Result<Response, Refusal> {
    let form = read(&body)?;
    let (password, user) = (text(&form, "password"), text(&form, "username"));
    let (Some(password), Some(user)) = (&password, &user) else {
        let required =
            |field: &Option<String>| if field.is_none() { vec![REQUIRED] } else { Vec::new() };
        return Err(Refusal::Form(FieldErrors {
            password: required(&password),
            username: required(&user),
            all: vec![INCOMPLETE],
            ..FieldErrors::default()
        }));
    };
    let name = name_of(&call.snapshot.identities, user);
    let (password, code) = (Secret::from(password.clone()), text(&form, "otp"));
    let who = call.service.login(&call, &name, password, code.as_deref()).await?;
    let issued = call.service.issue(&call, &who, &Wish::of(Shape::Omegaml)).await?;
    Ok(answer(&issued))
}

/// Exchanges a token that holds for a new one.
#[utoipa::path(
    post,
    path = "/token-refresh/",
    tag = "omegaml",
    request_body = Refresh,
    responses((status = 200, description = "A token", body = Answer<'static>), Refusals),
)]
async fn refresh(call: Call, body: Bytes) -> Result<Response, Refusal> {
    let form = read(&body)?;
    let Some(token) = text(&form, "token") else {
        return Err(Refusal::Form(FieldErrors { token: vec![REQUIRED], ..FieldErrors::default() }));
    };
    let issued = call.service.renew(&call, &token, &Wish::of(Shape::Omegaml)).await?;
    Ok(answer(&issued))
}

fn read(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::Malformed)
}

/// A field, which is absent if it is empty. Numbers are texts, as in any form.
fn text(form: &Map<String, Value>, name: &str) -> Option<String> {
    match form.get(name)? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) | Value::Null => None,
    }
}

/// The name of the user who is meant: the name itself, else the only user of an enabled account
/// with this e-mail address.
fn name_of<'u>(identities: &'u Identities, given: &'u str) -> String {
    if identities.find(given).is_some() || !given.contains('@') {
        return given.to_owned();
    }
    let users = identities.directories.iter().flat_map(Directory::users);
    let with_address = users.filter(|user| {
        user.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(given))
    });
    // A user of a later directory may be hidden by one of the same name.
    let mut named = with_address.filter(|user| {
        identities.find(&user.name).is_some_and(|(_, found)| Arc::ptr_eq(found, user))
    });
    match (named.next(), named.next()) {
        (Some(only), None) => only.name.to_string(),
        (_, Some(_)) | (None, None) => given.to_owned(),
    }
}
