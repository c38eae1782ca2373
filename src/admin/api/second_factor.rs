//! `/users/{name}/totp`: enrolled for a user who sits beside the operator, or taken away from one
//! who has lost theirs.

use axum::Json as Told;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, Desk, Json, Name};

/// The code that ends the enrolment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    code: String,
}

pub(super) async fn show(desk: Desk, Name(name): Name) -> Answer {
    let state = desk.service.totp_state(&name).await?;
    Ok(Told(json!({
        "enrolled": state.is_enrolled,
        "pending": state.is_pending,
        "recovery_codes": state.recovery_codes,
    })))
}

pub(super) async fn begin(desk: Desk, Name(name): Name) -> Answer<(StatusCode, Told<Value>)> {
    let enrolment = desk.service.totp_begin(&desk.call(None), &name).await?;
    tracing::info!(user.name = name, "Admin: began a second factor for `{name}`");
    let told = json!({
        "secret": enrolment.secret_base32.as_str(),
        "uri": enrolment.uri.as_str(),
        "svg": enrolment.svg.as_str(),
    });
    Ok((StatusCode::CREATED, Told(told)))
}

pub(super) async fn confirm(
    desk: Desk,
    Name(name): Name,
    Json(Confirm { code }): Json<Confirm>,
) -> Answer {
    let codes = desk.service.totp_confirm(&desk.call(None), &name, &code).await?;
    tracing::info!(user.name = name, "Admin: confirmed the second factor of `{name}`");
    let codes: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
    Ok(Told(json!({ "recovery_codes": codes })))
}

pub(super) async fn disable(desk: Desk, Name(name): Name) -> Answer<StatusCode> {
    if !desk.service.totp_disable(&name).await? {
        return Err(Problem::unknown("no second factor is there"));
    }
    tracing::info!(user.name = name, "Admin: took the second factor of `{name}` away");
    Ok(StatusCode::NO_CONTENT)
}
