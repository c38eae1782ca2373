//! `/users/{name}/totp`: enrolled for a user who sits beside the operator, or taken away from one
//! who has lost theirs.

use axum::Json as Told;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::{Conflict, Problem, ProblemBody, Problems, Unknown, Unread};
use super::{Answer, Desk, Json, Name};

/// The code that ends the enrolment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    /// What the authenticator shows.
    code: String,
}

/// How a user stands with it.
#[derive(Serialize, ToSchema)]
pub(super) struct State {
    /// Whether it is asked for.
    enrolled: bool,
    /// Whether it was begun and not confirmed.
    pending: bool,
    /// How many recovery codes are left.
    recovery_codes: u64,
}

/// What an authenticator needs.
#[derive(Serialize, ToSchema)]
pub(super) struct Begun {
    /// The secret in base32.
    secret: String,
    /// The same as an `otpauth` URI.
    uri: String,
    /// The same as a QR code, in SVG.
    svg: String,
}

/// The codes for the day on which the authenticator is lost.
#[derive(Serialize, ToSchema)]
pub(super) struct Recovery {
    recovery_codes: Vec<String>,
}

/// How a user stands with the second factor.
#[utoipa::path(
    get,
    path = "/users/{name}/totp",
    operation_id = "show_totp",
    tag = "totp",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 200, description = "The state", body = State), Problems, Unknown),
)]
pub(super) async fn show(desk: Desk, Name(name): Name) -> Answer<Told<State>> {
    let state = desk.service.totp_state(&name).await?;
    Ok(Told(State {
        enrolled: state.is_enrolled,
        pending: state.is_pending,
        recovery_codes: state.recovery_codes,
    }))
}

/// Begins a second factor for a user.
#[utoipa::path(
    post,
    path = "/users/{name}/totp",
    operation_id = "begin_totp",
    tag = "totp",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 201, description = "What the authenticator needs", body = Begun), Problems, Unknown, Conflict),
)]
pub(super) async fn begin(desk: Desk, Name(name): Name) -> Answer<(StatusCode, Told<Begun>)> {
    let enrolment = desk.service.totp_begin(&desk.call(None), &name).await?;
    tracing::info!(user.name = name, "Admin: began a second factor for `{name}`");
    let told = Begun {
        secret: enrolment.secret_base32.to_string(),
        uri: enrolment.uri.to_string(),
        svg: enrolment.svg.to_string(),
    };
    Ok((StatusCode::CREATED, Told(told)))
}

/// Confirms it by a code.
#[utoipa::path(
    post,
    path = "/users/{name}/totp/confirm",
    operation_id = "confirm_totp",
    tag = "totp",
    params(("name" = String, Path, description = "The user")),
    request_body = Confirm,
    security((), ("token" = [])),
    responses((status = 200, description = "The recovery codes", body = Recovery), (status = 429, description = "Too many failures; see Retry-After", body = ProblemBody, content_type = "application/problem+json"), Problems, Unread, Unknown, Conflict),
)]
pub(super) async fn confirm(
    desk: Desk,
    Name(name): Name,
    Json(Confirm { code }): Json<Confirm>,
) -> Answer<Told<Recovery>> {
    let codes = desk.service.totp_confirm(&desk.call(None), &name, &code).await?;
    tracing::info!(user.name = name, "Admin: confirmed the second factor of `{name}`");
    let recovery_codes = codes.iter().map(|code| code.as_str().to_owned()).collect();
    Ok(Told(Recovery { recovery_codes }))
}

/// Takes it away.
#[utoipa::path(
    delete,
    path = "/users/{name}/totp",
    operation_id = "disable_totp",
    tag = "totp",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 204, description = "It is gone"), Problems, Unknown),
)]
pub(super) async fn disable(desk: Desk, Name(name): Name) -> Answer<StatusCode> {
    if !desk.service.totp_disable(&name).await? {
        return Err(Problem::unknown("no second factor is there"));
    }
    tracing::info!(user.name = name, "Admin: took the second factor of `{name}` away");
    Ok(StatusCode::NO_CONTENT)
}
