//! `/totp/…`: a user's own second factor. Whoever changes it proves anew who they are, so that a
//! token in the wrong hands does not lock its user out.

use axum::Json;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bearer::{Body, Owner};
use super::refusal::{ErrorBody, Refusal};
use crate::secret::Secret;
use crate::service::LoginError;

/// Who begins to enrol.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolRequest {
    /// The user's password.
    #[schema(format = Password)]
    password: String,
}

/// What an authenticator app needs. It is not asked for before it is confirmed.
#[derive(Serialize, ToSchema)]
pub(super) struct Enrolment {
    /// The secret in base32, for those who type it.
    secret: String,
    /// The same as an `otpauth` URI.
    uri: String,
    /// The same as a QR code, in SVG.
    svg: String,
}

/// What the authenticator app shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmRequest {
    /// A one-time code.
    code: String,
}

/// The codes for the day on which the authenticator is lost.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodes {
    /// Each is good once. They are not shown again.
    recovery_codes: Vec<String>,
}

/// Both factors.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BothFactors {
    /// The user's password.
    #[schema(format = Password)]
    password: String,
    /// A one-time or recovery code.
    code: String,
}

/// Begins to enrol a second factor. Asked again, it begins anew.
#[utoipa::path(
    post,
    path = "/totp/enrol",
    tag = "totp",
    request_body = EnrolRequest,
    security(("bearer" = [])),
    responses(
        (status = 200, description = "What the authenticator needs", body = Enrolment),
        (status = 400, description = "The password does not hold", body = ErrorBody),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 409, description = "There is one already, or none can be kept", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 429, description = "Too many failures; see Retry-After", body = ErrorBody),
        (status = 503, description = "Not now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn enrol(
    owner: Owner,
    Body(request): Body<EnrolRequest>,
) -> Result<Json<Enrolment>, Refusal> {
    let Owner { call, name, .. } = owner;
    let password = Secret::from(request.password);
    match call.service.login(&call, &name, password, None).await {
        Ok(_) => {}
        Err(LoginError::SecondFactor(_)) => {
            return Err(Refusal::Conflict("a second factor is enrolled already"));
        }
        Err(error) => return Err(error.into()),
    }
    let enrolment = call.service.totp_begin(&call, &name).await?;
    Ok(Json(Enrolment {
        secret: enrolment.secret_base32.to_string(),
        uri: enrolment.uri.to_string(),
        svg: enrolment.svg.to_string(),
    }))
}

/// Confirms a second factor by a code of the authenticator. From then on it is asked for.
#[utoipa::path(
    post,
    path = "/totp/confirm",
    tag = "totp",
    request_body = ConfirmRequest,
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The recovery codes", body = RecoveryCodes),
        (status = 400, description = "The code does not hold", body = ErrorBody),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 409, description = "None was begun, or one is there already", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 429, description = "Too many failures; see Retry-After", body = ErrorBody),
        (status = 503, description = "Not now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn confirm(
    owner: Owner,
    Body(request): Body<ConfirmRequest>,
) -> Result<Json<RecoveryCodes>, Refusal> {
    let Owner { call, name, .. } = owner;
    let codes = call.service.totp_confirm(&call, &name, &request.code).await?;
    let recovery_codes = codes.iter().map(|code| code.as_str().to_owned()).collect();
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// New recovery codes in the place of the old ones.
#[utoipa::path(
    post,
    path = "/totp/recovery",
    tag = "totp",
    request_body = BothFactors,
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The new ones", body = RecoveryCodes),
        (status = 400, description = "Password or code does not hold", body = ErrorBody),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 409, description = "There is no second factor", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 429, description = "Too many failures; see Retry-After", body = ErrorBody),
        (status = 503, description = "Not now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn recovery(
    owner: Owner,
    Body(request): Body<BothFactors>,
) -> Result<Json<RecoveryCodes>, Refusal> {
    prove(&owner, request).await?;
    let codes = owner.call.service.totp_recovery(&owner.name).await?;
    let recovery_codes = codes.iter().map(|code| code.as_str().to_owned()).collect();
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Takes the second factor away.
#[utoipa::path(
    post,
    path = "/totp/disable",
    tag = "totp",
    request_body = BothFactors,
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = 400, description = "Password or code does not hold", body = ErrorBody),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 409, description = "There is no second factor", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 429, description = "Too many failures; see Retry-After", body = ErrorBody),
        (status = 503, description = "Not now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn disable(
    owner: Owner,
    Body(request): Body<BothFactors>,
) -> Result<StatusCode, Refusal> {
    prove(&owner, request).await?;
    owner.call.service.totp_disable(&owner.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn prove(owner: &Owner, factors: BothFactors) -> Result<(), Refusal> {
    let Owner { call, name, .. } = owner;
    if !call.service.totp_state(name).await?.is_enrolled {
        return Err(Refusal::Conflict("no second factor is there"));
    }
    let password = Secret::from(factors.password);
    call.service.login(call, name, password, Some(&factors.code)).await?;
    Ok(())
}
