//! `auth`, `token/renew` and `self/logoff`: tokens verified, replaced and ended.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use super::answer::{Refusal, TokenReply, clear_cookie};
use super::body::{More, Refusals, TokenBody};
use super::credential::{Account, Shown, authorize, missing, require, verify};
use super::wish;
use crate::clock;
use crate::service::{Call, Issued, Wish};
use crate::user::Permission;

/// What a user needs to renew a token.
pub(super) const RENEW: &str = "user-token-renew";

const PERMISSION: &str = "x-permission";
const REFRESH: &str = "x-refresh-token";

/// Verifies a token, for an audience and, if one is named, a permission.
#[utoipa::path(
    post,
    path = "/appmesh/auth",
    tag = "token",
    params(
        ("X-Permission" = Option<String>, Header, description = "What its user must be allowed"),
        ("X-Audience" = Option<String>, Header, description = "For whom it must be; default: the endpoint's first audience"),
        ("X-Set-Cookie" = Option<String>, Header, description = "`true`: as a cookie as well"),
    ),
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "It holds", body = TokenBody<'static>), Refusals),
)]
pub(super) async fn auth(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let (shown, verified) = verify(&call, &method, &fields)?;
    let audience = wish::wanted_audience(&call, &fields)?;
    if let Some(audience) = audience
        && !is_for(verified.claims.get("aud"), audience)
    {
        return Err(Refusal::unauthorized(format!(
            "Authentication failed: audience <{audience}> verification failed"
        )));
    }
    let name = &*verified.principal.name;
    let permission = wish::field(&fields, PERMISSION)?;
    if let Some(permission) = permission {
        let demanded = permission.parse::<Permission>();
        if !demanded.is_ok_and(|demanded| verified.may(&demanded)) {
            return Err(Refusal::denied(name, permission));
        }
    }
    let sets_cookie = wish::wants_cookie(&fields)?;
    let reply = TokenReply {
        token: shown.token,
        refresh_token: None,
        issued_at: verified.issued_at.unwrap_or_default(),
        expires_at: verified.expires_at,
        expires_in: verified.expires_at.saturating_sub(clock::unix_seconds()),
        user: name,
        group: "",
        claims: &verified.claims,
    };
    let more = More {
        success: Some(true),
        user: Some(name),
        permission: Some(permission.unwrap_or_default()),
        audience: Some(audience.unwrap_or_default()),
        recovery_codes: None,
    };
    Ok(reply.respond(sets_cookie, more))
}

/// Whether `aud` names an audience. Where tokens have none, any will do.
fn is_for(claim: Option<&Value>, audience: &str) -> bool {
    match claim {
        None => true,
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        Some(Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_)) => false,
    }
}

/// Replaces a token by a new one. A refresh token needs no other credential and holds once.
#[utoipa::path(
    post,
    path = "/appmesh/token/renew",
    tag = "token",
    params(
        ("X-Refresh-Token" = Option<String>, Header, description = "A refresh token"),
        ("X-Expire-Seconds" = Option<String>, Header, description = "How long the token should live, in seconds"),
        ("X-Refresh-Token-Request" = Option<String>, Header, description = "`true`: with a refresh token"),
    ),
    security((), ("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "A token", body = TokenBody<'static>), Refusals),
)]
pub(super) async fn renew(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let wish = wish::of_renewal(&fields)?;
    if let Some(refresh_token) = wish::field(&fields, REFRESH)? {
        // Its clients keep the access token in the cookie alone, which has expired with it: then
        // nothing else comes along, and the new one must come as a cookie too.
        let sets_cookie = Shown::find(&fields)?.is_none_or(|shown| shown.has_cookie);
        let issued = refresh(&call, refresh_token).await?;
        return Ok(TokenReply::of(&issued).respond(sets_cookie, More::default()));
    }
    let account = authorize(&call, &method, &fields, RENEW)?;
    let issued = replace(&call, &account, &wish).await?;
    Ok(TokenReply::of(&issued).respond(account.has_cookie, More::default()))
}

async fn refresh(call: &Call, refresh_token: &str) -> Result<Issued, Refusal> {
    // Looked at first: who may not renew keeps the refresh token as it is.
    if let Some(known) = call.service.introspect(call, refresh_token).await?
        && known.is_refresh_token
        && let Some((_, user)) = call.snapshot.identities.find(&known.subject)
    {
        require(user, RENEW)?;
    }
    Ok(call.service.refresh(call, refresh_token).await?)
}

/// A new token; the old one ends.
pub(super) async fn replace(
    call: &Call,
    account: &Account,
    wish: &Wish,
) -> Result<Issued, Refusal> {
    let issued = call.service.renew(call, &account.token, wish).await?;
    call.service.revoke_token(call, &account.token).await?;
    Ok(issued)
}

/// Ends the token that is shown, and the refresh token.
#[utoipa::path(
    post,
    path = "/appmesh/self/logoff",
    tag = "token",
    params(("X-Refresh-Token" = Option<String>, Header, description = "A refresh token")),
    security((), ("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "They are ended"), Refusals),
)]
pub(super) async fn log_off(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let refresh_token = wish::field(&fields, REFRESH)?;
    let ended = match refresh_token {
        Some(refresh_token) => call.service.revoke_refresh(refresh_token).await?,
        None => false,
    };
    match Shown::find(&fields)? {
        Some(shown) => {
            shown.check_origin(&call, &method, &fields)?;
            match call.service.log_out(&call, shown.token).await {
                // The family that just ended took the token with it.
                Err(crate::service::RevokeError::Invalid(_)) if ended => {}
                other => other?,
            }
        }
        None if refresh_token.is_none() => {
            return Err(missing());
        }
        None if !ended => return Err(Refusal::unauthorized("Refresh token has been revoked")),
        None => {}
    }
    let mut answer = StatusCode::OK.into_response();
    clear_cookie(&mut answer);
    Ok(answer)
}
