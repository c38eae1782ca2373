//! `/oauth2/revoke` (RFC 7009): ends a token, to whoever has it.

use axum::body::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::client::Client;
use super::form::Form;
use super::refusal::{ErrorBody, Refusal};
use super::token::authenticate;
use crate::api_key::{TextKind, digest, is_key};
use crate::service::{Call, RevokeError};

/// What is to be ended.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "the parameters are read one by one; this is what they are")]
pub(super) struct RevocationRequest {
    /// An access token, which ends alone; a refresh token, which takes along all that came of the
    /// same login; or an API key, which takes along what was issued for it.
    token: String,
    /// Is not needed: a token says what it is.
    #[schema(nullable = false)]
    token_type_hint: Option<String>,
}

/// Ends a token. One that does not hold any more is no error.
#[utoipa::path(
    post,
    path = "/oauth2/revoke",
    tag = "oauth2",
    request_body(
        content = RevocationRequest,
        content_type = "application/x-www-form-urlencoded",
    ),
    security((), ("client" = [])),
    responses(
        (status = 200, description = "It does not hold any more"),
        (status = 400, description = "Not a request, or a token without an id", body = ErrorBody),
        (status = 401, description = "The API key of the client does not hold", body = ErrorBody),
        (status = 503, description = "Nothing was ended; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn revoke(
    call: Call,
    fields: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let form = Form::parse(&fields, &body)?;
    if let Client::Key(presented) = Client::of(&fields, &form)? {
        authenticate(&call, &presented).await?;
    }
    let token = form.require("token", "token is missing")?;
    if is_key(token) {
        if let Some(key) = call.service.standing().key_by_hash(&digest(token)) {
            call.service.end_key(None, &key.id).await?;
        }
        return Ok(StatusCode::OK);
    }
    if TextKind::RefreshToken.id_of(token).is_some() {
        call.service.revoke_refresh(token).await?;
        return Ok(StatusCode::OK);
    }
    match call.service.revoke_token(&call, token).await {
        Ok(()) | Err(RevokeError::Invalid(_)) => Ok(StatusCode::OK),
        Err(RevokeError::Nameless) => Err(Refusal::UnsupportedTokenType),
        Err(RevokeError::Unavailable(away)) => Err(away.into()),
    }
}
