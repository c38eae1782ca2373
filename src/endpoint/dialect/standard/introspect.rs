//! `/oauth2/introspect` (RFC 7662): what a token is, told to who may ask.

use std::str::FromStr as _;

use axum::Json;
use axum::body::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::bearer::{bearer, verify};
use super::client::Client;
use super::form::Form;
use super::refusal::{ErrorBody, Refusal};
use super::token::authenticate;
use crate::service::Call;
use crate::user::Permission;

/// What a caller needs.
const PERMISSION: &str = "tokens:introspect";

/// Which token is asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "the parameters are read one by one; this is what they are")]
pub(super) struct IntrospectionRequest {
    /// An access or refresh token.
    token: String,
    /// Is not needed: a token says what it is.
    #[schema(nullable = false)]
    token_type_hint: Option<String>,
}

/// What the token is. Without `active`, nothing else is told. An access token's other claims are
/// there as well.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Introspection {
    /// Whether it holds.
    active: bool,
    /// `Bearer`, of an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token_type: Option<&'static str>,
    /// Whom it speaks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    username: Option<String>,
    /// `sub`, `iss`, `aud`, `exp`, `iat`, `jti` and whatever else it says.
    #[serde(flatten)]
    #[schema(additional_properties)]
    claims: Map<String, Value>,
}

/// Tells what a token is. The caller, by a token or as a client by an API key, needs the
/// permission `tokens:introspect`.
#[utoipa::path(
    post,
    path = "/oauth2/introspect",
    tag = "oauth2",
    request_body(
        content = IntrospectionRequest,
        content_type = "application/x-www-form-urlencoded",
    ),
    security(("bearer" = []), ("client" = [])),
    responses(
        (status = 200, description = "What it is", body = Introspection),
        (status = 400, description = "Not a request", body = ErrorBody),
        (status = 401, description = "Who asks is not known", body = ErrorBody),
        (status = 403, description = "Who asks lacks the permission", body = ErrorBody),
        (status = 503, description = "Cannot be told now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn introspect(
    call: Call,
    fields: HeaderMap,
    body: Bytes,
) -> Result<Json<Introspection>, Refusal> {
    let form = authorize(&call, &fields, &body).await?;
    let token = form.require("token", "token is missing")?;
    let Some(known) = call.service.introspect(&call, token).await? else {
        let inactive =
            Introspection { active: false, token_type: None, username: None, claims: Map::new() };
        return Ok(Json(inactive));
    };
    let mut claims = known.claims;
    for ours in ["active", "token_type", "username"] {
        claims.remove(ours);
    }
    Ok(Json(Introspection {
        active: true,
        token_type: (!known.is_refresh_token).then_some("Bearer"),
        username: Some(known.subject.into()),
        claims,
    }))
}

async fn authorize(call: &Call, fields: &HeaderMap, body: &[u8]) -> Result<Form, Refusal> {
    let lacking = Refusal::InsufficientScope("the permission `tokens:introspect` is needed");
    let needed = Permission::from_str(PERMISSION).map_err(|_| Refusal::Impossible)?;
    let is_basic = fields.get(AUTHORIZATION).is_some_and(|value| {
        let scheme = value.as_bytes().split(|byte| *byte == b' ').next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
    });
    if fields.contains_key(AUTHORIZATION) && !is_basic {
        let caller = verify(call, bearer(fields)?)?;
        if !caller.may(&needed) {
            return Err(lacking);
        }
        let form = Form::parse(fields, body)?;
        if form.get("client_secret").is_some() {
            return Err(Refusal::InvalidRequest("the client authenticates twice"));
        }
        return Ok(form);
    }
    let form = match Form::parse(fields, body) {
        Ok(form) => form,
        Err(_) if !is_basic => return Err(Refusal::MissingToken),
        Err(refusal) => return Err(refusal),
    };
    let Client::Key(presented) = Client::of(fields, &form)? else {
        return Err(Refusal::MissingToken);
    };
    let caller = authenticate(call, &presented).await?;
    let holds = caller.user().is_some_and(|user| user.permissions.grants(&needed));
    let passes = caller.key().is_some_and(|key| key.scope.passes(&needed));
    if holds && passes { Ok(form) } else { Err(lacking) }
}
