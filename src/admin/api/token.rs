//! `/tokens` and `/revocations`: issued on an operator's word, looked into, ended.

use std::time::Duration;

use axum::Json as Told;
use axum::extract::Query;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::{Answer, Desk, Json, Lifetime};
use crate::admin::issue::{ExtraClaim, Order};
use crate::api_key::{self, TextKind};
use crate::identity::standing::{Change, Revoked};
use crate::service::Unavailable;
use crate::store::Family;

/// The most that is listed.
const MOST: usize = 10_000;

/// A token to be issued.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issue {
    user: String,
    issuer: Option<String>,
    lifetime: Option<Lifetime>,
    #[serde(default)]
    claims: Map<String, Value>,
}

/// A token to be looked into.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inspect {
    token: String,
}

/// What is to be ended: exactly one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum Revoke {
    /// A login and all that came of it, by the `sid` claim.
    Family(String),
    /// A token, by its `jti` claim.
    Id(String),
    /// An access or refresh token itself.
    Token(String),
    /// Everything of a user until now.
    User(String),
}

/// Whose are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    user: Option<String>,
}

pub(super) async fn issue(
    desk: Desk,
    Json(issue): Json<Issue>,
) -> Answer<(StatusCode, Told<Value>)> {
    let Issue { user, issuer, lifetime, claims } = issue;
    let claims: Result<Vec<_>, _> =
        claims.into_iter().map(|(name, value)| ExtraClaim::new(&name, value)).collect();
    let ill = |_| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "a claim's name is not one");
    let claims = claims.map_err(ill)?;
    let order = Order {
        user: &user,
        issuer: issuer.as_deref(),
        lifetime: lifetime.map(|Lifetime(time)| time),
        claims: &claims,
    };
    let issued = order.fill(&desk.snapshot, desk.now())?;
    tracing::info!(user.name = user, "Admin: issued a token for `{user}`");
    let told = json!({
        "token": issued.token,
        "user": user,
        "issuer": issued.issuer,
        "key_id": issued.key_id,
        "expires": issued.expires,
    });
    Ok((StatusCode::CREATED, Told(told)))
}

pub(super) async fn inspect(desk: Desk, Json(Inspect { token }): Json<Inspect>) -> Answer {
    if TextKind::RefreshToken.id_of(&token).is_some() {
        let store = desk.service.store()?;
        let found = store.family_of(&api_key::digest(&token), desk.now()).await;
        let found = found.map_err(|_| Unavailable)?;
        return Ok(Told(match found {
            Some(found) => json!({
                "active": found.is_current,
                "kind": "refresh_token",
                "reason": (!found.is_current).then_some("it was used"),
                "family": describe(&found.family),
            }),
            None => {
                json!({ "active": false, "kind": "refresh_token", "reason": "unknown or ended" })
            }
        }));
    }
    Ok(Told(match desk.service.verify(&desk.call(None), &token) {
        Ok(verified) => json!({
            "active": true,
            "kind": "access_token",
            "user": verified.principal.name,
            "claims": verified.claims,
            "expires": verified.expires_at,
        }),
        Err(error) => json!({
            "active": false,
            "kind": "access_token",
            "reason": error.to_string(),
            "label": error.label(),
        }),
    }))
}

pub(super) async fn revoke(desk: Desk, Json(what): Json<Revoke>) -> Answer<StatusCode> {
    let service = &desk.service;
    let (what, found) = match what {
        Revoke::Family(id) => {
            let found = service.revoke_family(&id).await?;
            (format!("the login `{id}`"), found)
        }
        Revoke::Id(id) => {
            service.revoke_token_id(&id).await?;
            (format!("the token `{id}`"), true)
        }
        Revoke::User(name) => {
            service.revoke_user(&name).await?;
            (format!("everything of `{name}`"), true)
        }
        Revoke::Token(token) if TextKind::RefreshToken.id_of(&token).is_some() => {
            ("a login, by its refresh token".to_owned(), service.revoke_refresh(&token).await?)
        }
        Revoke::Token(token) => {
            service.revoke_token(&desk.call(None), &token).await?;
            ("a token".to_owned(), true)
        }
    };
    if !found {
        return Err(Problem::unknown("no such login, or it has ended"));
    }
    tracing::info!("Admin: ended {what}");
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn list(desk: Desk, whose: Query<Whose>) -> Answer {
    let store = desk.service.store()?;
    let families = store.families(whose.user.as_deref(), desk.now()).await;
    let families = families.map_err(|_| Unavailable)?;
    let told: Vec<_> = families.iter().take(MOST).map(describe).collect();
    Ok(Told(json!({ "families": told, "more": families.len().saturating_sub(MOST) })))
}

pub(super) async fn revocations(desk: Desk) -> Answer {
    let store = desk.service.store()?;
    let known = store.standing(desk.now()).await.map_err(|_| Unavailable)?;
    let revoked = known.iter().filter_map(|change| match change {
        Change::Revoked(revocation) => Some(revocation),
        Change::Key(_) | Change::KeyEnded(_) | Change::SecondFactor { .. } => None,
    });
    let told = revoked.map(|revocation| {
        let until = revocation.until;
        match &revocation.what {
            Revoked::Family(id) => json!({ "family": id, "until": until }),
            Revoked::Token(id) => json!({ "id": id, "until": until }),
            Revoked::User { name, since_ms } => {
                let since = Duration::from_millis(*since_ms).as_secs_f64();
                json!({ "user": name, "since": since, "until": until })
            }
        }
    });
    Ok(Told(json!({ "revocations": told.take(MOST).collect::<Vec<_>>() })))
}

fn describe(family: &Family) -> Value {
    json!({
        "id": family.id,
        "user": family.user,
        "key": family.key,
        "began_at": family.began_at,
        "expires_at": family.expires_at,
    })
}
