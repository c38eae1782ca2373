//! `POST /login` and `GET /token/refresh`.

use std::time::{Duration, UNIX_EPOCH};

use axum::body::Bytes;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::{Shown, refused};
use super::answer::{self, Refusal, TokenError, Unknown};
use crate::endpoint::dialect::noted::login_reason;
use crate::endpoint::dialect::object::read_object;
use crate::endpoint::dialect::password::Password;
use crate::endpoint::dialect::retry::SOON;
use crate::service::{Call, IssueError, Issued, LoginError, Outcome, RefreshError, Shape, Wish};

/// What is posted to log in, whatever its type is said to be.
#[derive(Deserialize, ToSchema)]
pub(super) struct Login {
    /// Who.
    #[schema(min_length = 1)]
    username: String,
    /// The password.
    #[schema(value_type = String, format = Password, min_length = 1)]
    password: Password,
    /// For users with a second factor; ryft-server knows of none.
    totp_code: Option<String>,
}

/// What clients get.
#[derive(Serialize, ToSchema)]
pub(super) struct Token<'t> {
    /// Until when it holds, as RFC 3339 writes it.
    expire: String,
    /// The token: a JWT.
    token: &'t str,
}

/// Logs in.
#[utoipa::path(
    post,
    path = "/login",
    tag = "ryft",
    request_body = Login,
    responses(
        (status = 200, description = "A token", body = Token<'static>),
        (status = 400, description = "Name or password is missing", body = TokenError<'static>, content_type = "text/plain"),
        Unknown,
    ),
)]
pub(super) async fn login(call: Call, body: Bytes) -> Result<Response, Refusal> {
    let login: Login = read_object(&body).ok_or(Refusal::IncompleteLogin)?;
    if login.username.is_empty() || login.password.is_empty() {
        return Err(Refusal::IncompleteLogin);
    }
    let code = login.totp_code.as_deref().filter(|code| !code.is_empty());
    let who = call.service.login(&call, &login.username, login.password.into_secret(), code).await;
    let reason = who.as_ref().err().map(login_reason).unwrap_or_default();
    let who = who.map_err(|error| match error {
        LoginError::Refused => Refusal::Token("Incorrect Username / Password".into()),
        LoginError::SecondFactor(_) => Refusal::Token("Missing one-time code: totp_code".into()),
        LoginError::WrongCode | LoginError::ChallengeGone => {
            Refusal::Token("Incorrect one-time code".into())
        }
        LoginError::Busy | LoginError::Throttled { .. } | LoginError::Unavailable(_) => {
            error.into()
        }
    });
    let who = who.map_err(|refusal| refusal.noted(Some(&login.username), reason))?;
    let issued = call.service.issue(&call, &who, &Wish::of(Shape::Ryft)).await;
    Ok(token(&issued.map_err(not_issued)?))
}

/// Exchanges a token, which may have expired a while ago, for a new one.
#[utoipa::path(
    get,
    path = "/token/refresh",
    tag = "ryft",
    security(("bearer" = [])),
    responses((status = 200, description = "A token", body = Token<'static>), Unknown),
)]
pub(super) async fn refresh(call: Call, fields: HeaderMap) -> Result<Response, Refusal> {
    let presented = match Shown::read(&fields) {
        Shown::Bearer(token) => token,
        Shown::Nothing => return Err(Refusal::Challenge),
        // A password is no token, so that there is nothing to refresh.
        Shown::Basic(..) | Shown::Other => {
            return Err(Refusal::Token("Invalid auth header".into()));
        }
    };
    let renewed = call.service.renew(&call, presented, &Wish::of(Shape::Ryft)).await;
    let renewed = renewed.map_err(|error| match error {
        RefreshError::Invalid(error) => refused(&error),
        RefreshError::Issue(error) => not_issued(error),
        RefreshError::Over => Refusal::Token("Token is expired.".into()),
        RefreshError::Unavailable(_) => Refusal::Later(SOON),
        RefreshError::MissingOrigin
        | RefreshError::Refused
        | RefreshError::Reused
        | RefreshError::UserDisabled
        | RefreshError::UserGone => Refusal::Token("token is not valid".into()),
    })?;
    Ok(token(&renewed))
}

fn token(issued: &Issued) -> Response {
    let expire = UNIX_EPOCH + Duration::from_secs(issued.expires_at);
    let expire = humantime::format_rfc3339_seconds(expire).to_string();
    let mut answer = answer::json(StatusCode::OK, &Token { expire, token: &issued.access_token });
    let user = Some(issued.subject.clone());
    answer.extensions_mut().insert(Outcome { user, reason: None });
    answer
}

fn not_issued(error: IssueError) -> Refusal {
    match error {
        IssueError::Unavailable(_) => Refusal::Later(SOON),
        IssueError::Refused => Refusal::Challenge,
        IssueError::Audience | IssueError::Impossible | IssueError::Lifetime => {
            Refusal::plain(StatusCode::INTERNAL_SERVER_ERROR, "no token can be issued")
        }
    }
}
