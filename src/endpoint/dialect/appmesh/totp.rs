//! `totp/*` of somebody who is logged in: enrol, confirm, take away.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Refusal, TokenReply, done, json_body};
use super::body::{Message, More, Refusals, TokenBody};
use super::credential::{Name, authorize, require};
use super::login::code;
use super::token::{RENEW, replace};
use super::users::CHANGE_OTHERS;
use super::wish;
use crate::service::Call;

const ACTIVATE: &str = "user-totp-active";
const DISABLE: &str = "user-totp-disable";

/// What an authenticator needs.
#[derive(Serialize, ToSchema)]
pub(super) struct Secret {
    /// An `otpauth` URI, in base64.
    mfa_uri: String,
}

/// Begins a second factor: the secret counts once a code of it was shown.
#[utoipa::path(
    post,
    path = "/appmesh/totp/secret",
    operation_id = "totp_secret",
    tag = "totp",
    security(("bearer" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "What the authenticator needs", body = Secret),
        (status = 412, description = "The gateway has no secret to keep one", body = Message),
        Refusals,
    ),
)]
pub(super) async fn secret(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let account = authorize(&call, &method, &fields, ACTIVATE)?;
    let enrolment = call.service.totp_begin(&call, &account.user.name).await?;
    let uri = STANDARD.encode(enrolment.uri.as_bytes());
    Ok(json_body(StatusCode::OK, &Secret { mfa_uri: uri }))
}

/// Confirms a second factor, and replaces the token.
///
/// The recovery codes are more than App Mesh's own clients know of.
#[utoipa::path(
    post,
    path = "/appmesh/totp/setup",
    operation_id = "totp_setup",
    tag = "totp",
    params(
        ("X-Totp-Code" = String, Header, description = "A one-time code"),
        ("X-Expire-Seconds" = Option<String>, Header, description = "How long the token should live, in seconds"),
    ),
    security(("bearer" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "A token, and recovery codes", body = TokenBody<'static>),
        (status = 412, description = "The gateway has no secret to keep one", body = Message),
        Refusals,
    ),
)]
pub(super) async fn set_up(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let account = authorize(&call, &method, &fields, ACTIVATE)?;
    require(&account.user, RENEW)?;
    let wish = wish::of_renewal(&fields)?;
    let code = code(&fields)?.ok_or(Refusal::bad("no TOTP key provided"))?;
    let recovery = call.service.totp_confirm(&call, &account.user.name, code).await?;
    let issued = replace(&call, &account, &wish).await?;
    let recovery: Vec<&str> = recovery.iter().map(|code| code.as_str()).collect();
    let more = More { recovery_codes: Some(recovery), ..More::default() };
    Ok(TokenReply::of(&issued).respond(account.has_cookie, more))
}

/// Takes a second factor away. To take another user's is as much as to change their password.
#[utoipa::path(
    post,
    path = "/appmesh/totp/{name}/disable",
    operation_id = "totp_disable",
    tag = "totp",
    params(("name" = String, Path, description = "Whose; `self`: of whoever asks")),
    security(("bearer" = []), ("cookie" = [])),
    responses(
        (status = 200, description = "It is gone", body = Message),
        (status = 404, description = "No such user", body = Message),
        Refusals,
    ),
)]
pub(super) async fn disable(
    call: Call,
    method: Method,
    name: Name,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let account = authorize(&call, &method, &fields, DISABLE)?;
    let name = name.of(&account.user);
    if *name != *account.user.name {
        require(&account.user, CHANGE_OTHERS)?;
        if call.snapshot.identities.find(&name).is_none() {
            return Err(Refusal::said(StatusCode::NOT_FOUND, format!("no user `{name}`")));
        }
    }
    call.service.totp_disable(&name).await?;
    Ok(done("2FA deactive success"))
}
