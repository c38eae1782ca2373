//! `/account`: who one is, and what ends by one's own hand.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bearer::{Body, Owner, read_object};
use super::form::has_type;
use super::refusal::{ErrorBody, Refusal};

/// Who one is.
#[derive(Serialize, ToSchema)]
pub(super) struct Account {
    /// The user's name.
    name: String,
    /// The e-mail address.
    email: Option<String>,
    /// The roles.
    roles: Vec<String>,
    /// What the user may do: the roles' permissions and their own.
    permissions: BTreeSet<String>,
    /// The groups.
    groups: Vec<String>,
    /// The part of an API that is the user's.
    home: Option<String>,
    /// How the user stands with the second factor.
    second_factor: SecondFactor,
    /// The token that was shown.
    token: TokenFacts,
}

/// How a user stands with the second factor.
#[derive(Serialize, ToSchema)]
pub(super) struct SecondFactor {
    /// Whether it is asked for.
    enrolled: bool,
    /// Whether it was begun and not confirmed.
    pending: bool,
    /// How many recovery codes are left.
    recovery_codes: u64,
}

/// Facts of an access token.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenFacts {
    /// Its `jti`.
    id: Option<String>,
    /// When it was issued, in Unix seconds.
    issued_at: Option<u64>,
    /// The first second at which it no longer holds.
    expires_at: u64,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordRequest {
    /// The one until now.
    #[schema(format = Password)]
    current_password: String,
    /// The one from now on.
    #[schema(format = Password, min_length = 1)]
    new_password: String,
}

/// How much is ended.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogoutRequest {
    /// All tokens and sessions of the user, not only what came of the same login. API keys hold
    /// on.
    #[serde(default)]
    everywhere: bool,
}

/// Who one is.
#[utoipa::path(
    get,
    path = "/account",
    tag = "account",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The user", body = Account),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 503, description = "Not now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn account(owner: Owner) -> Result<Json<Account>, Refusal> {
    let state = owner.call.service.totp_state(&owner.name).await?;
    let (facts, verified) = (&owner.verified.principal, &owner.verified);
    let texts = |list: &[Box<str>]| list.iter().map(ToString::to_string).collect();
    Ok(Json(Account {
        name: owner.name.clone(),
        email: facts.email.as_ref().map(ToString::to_string),
        roles: texts(&facts.roles),
        permissions: facts.permissions.iter().map(|grant| grant.as_str().to_owned()).collect(),
        groups: texts(&facts.groups),
        home: facts.home.as_ref().map(ToString::to_string),
        second_factor: SecondFactor {
            enrolled: state.is_enrolled,
            pending: state.is_pending,
            recovery_codes: state.recovery_codes,
        },
        token: TokenFacts {
            id: verified.token_id.as_ref().map(ToString::to_string),
            issued_at: verified.issued_at,
            expires_at: verified.expires_at,
        },
    }))
}

/// Changes the password. Everything that came by the old one ends: tokens, sessions, API keys.
#[utoipa::path(
    post,
    path = "/account/password",
    tag = "account",
    request_body = PasswordRequest,
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It is changed"),
        (status = 400, description = "The old one does not hold, or the new one is not acceptable", body = ErrorBody),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 409, description = "The user's password is not kept here", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 429, description = "Too many failures; see Retry-After", body = ErrorBody),
        (status = 503, description = "Not now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn password(
    owner: Owner,
    Body(request): Body<PasswordRequest>,
) -> Result<StatusCode, Refusal> {
    let Owner { call, name, .. } = owner;
    let (old, new) = (request.current_password.into(), request.new_password.into());
    call.service.change_password(&call, &name, Some(old), new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the token that is shown and what came of the same login, or everything of the user.
#[utoipa::path(
    post,
    path = "/account/logout",
    tag = "account",
    request_body = Option<LogoutRequest>,
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It is ended"),
        (status = 400, description = "Not a request", body = ErrorBody),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 503, description = "Nothing was ended; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn logout(
    owner: Owner,
    fields: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let Owner { call, name, token, .. } = owner;
    let request = if body.is_empty() {
        LogoutRequest::default()
    } else if has_type(&fields, "application/json") {
        read_object(&body)?
    } else {
        return Err(Refusal::UnsupportedMediaType);
    };
    if request.everywhere {
        call.service.revoke_user(&name).await?;
    } else {
        call.service.log_out(&call, &token).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
