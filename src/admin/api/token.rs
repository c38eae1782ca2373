//! `/tokens` and `/revocations`: issued on an operator's word, looked into, ended.

use std::time::Duration;

use axum::Json as Told;
use axum::extract::Query;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::problem::{Conflict, Problem, Problems, Unknown, Unread};
use super::{Answer, Desk, Json, Lifetime};
use crate::admin::issue::{ExtraClaim, Order};
use crate::api_key::{self, TextKind};
use crate::identity::standing::{Change, Revoked};
use crate::service::Unavailable;
use crate::store::Family;

/// The most that is listed.
const MOST: usize = 10_000;

/// A token to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Issue {
    /// Whom it speaks for.
    user: String,
    /// Who signs it; needed where several can.
    issuer: Option<String>,
    /// How long it holds. Default: as configured.
    lifetime: Option<Lifetime>,
    /// Further claims, by their paths.
    #[serde(default)]
    claims: Map<String, Value>,
}

/// A token to be looked into.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inspect {
    /// An access or refresh token.
    token: String,
}

/// A token that was issued.
#[derive(Serialize, ToSchema)]
pub(super) struct Issued {
    token: String,
    user: String,
    issuer: String,
    /// The key that signed it.
    key_id: String,
    /// Its `exp`.
    expires: u64,
}

/// What is known of a token.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Inspected {
    /// Whether it holds.
    active: bool,
    /// `access_token` or `refresh_token`.
    kind: &'static str,
    /// Why it does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The same as logs and metrics name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    label: Option<&'static str>,
    /// Of an access token: whom it speaks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<String>,
    /// Of an access token: all its claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    claims: Option<Map<String, Value>>,
    /// Of an access token: when it ends, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires: Option<u64>,
    /// Of a refresh token: the login that it came of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    family: Option<FamilyBody>,
}

/// A login, of which tokens came.
#[derive(Serialize, ToSchema)]
pub(super) struct FamilyBody {
    id: String,
    user: String,
    /// The API key that it was by.
    key: Option<String>,
    /// In Unix seconds.
    began_at: u64,
    /// In Unix seconds.
    expires_at: u64,
}

/// Logins.
#[derive(Serialize, ToSchema)]
pub(super) struct Families {
    families: Vec<FamilyBody>,
    /// How many more there are.
    more: usize,
}

/// What has ended before its time: a token by its `id`, a login by its `family`, or everything of
/// a `user` until `since`.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct RevocationBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<String>,
    /// In Unix seconds, with fractions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    since: Option<f64>,
    /// When it is forgotten, in Unix seconds.
    until: u64,
}

/// Revocations.
#[derive(Serialize, ToSchema)]
pub(super) struct Revocations {
    revocations: Vec<RevocationBody>,
}

/// What is to be ended: exactly one.
#[derive(Deserialize, ToSchema)]
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

/// Issues a token on an operator's word.
#[utoipa::path(
    post,
    path = "/tokens",
    operation_id = "issue_token",
    tag = "tokens",
    request_body = Issue,
    security((), ("token" = [])),
    responses((status = 201, description = "The token", body = Issued), Problems, Unread, Unknown, Conflict),
)]
pub(super) async fn issue(
    desk: Desk,
    Json(issue): Json<Issue>,
) -> Answer<(StatusCode, Told<Issued>)> {
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
    let crate::admin::issue::Issued { token, issuer, key_id, expires } = issued;
    Ok((StatusCode::CREATED, Told(Issued { token, user, issuer, key_id, expires })))
}

/// Looks into a token.
#[utoipa::path(
    post,
    path = "/tokens/inspect",
    operation_id = "inspect_token",
    tag = "tokens",
    request_body = Inspect,
    security((), ("token" = [])),
    responses((status = 200, description = "What is known of it", body = Inspected), Problems, Unread, Unknown),
)]
pub(super) async fn inspect(
    desk: Desk,
    Json(Inspect { token }): Json<Inspect>,
) -> Answer<Told<Inspected>> {
    if TextKind::RefreshToken.id_of(&token).is_some() {
        let store = desk.service.store()?;
        let found = store.family_of(&api_key::digest(&token), desk.now()).await;
        let found = found.map_err(|_| Unavailable)?;
        let told = Inspected { kind: "refresh_token", ..Inspected::default() };
        return Ok(Told(match found {
            Some(found) => Inspected {
                active: found.is_current,
                reason: (!found.is_current).then(|| "it was used".to_owned()),
                family: Some(describe(&found.family)),
                ..told
            },
            None => Inspected { reason: Some("unknown or ended".to_owned()), ..told },
        }));
    }
    let told = Inspected { kind: "access_token", ..Inspected::default() };
    Ok(Told(match desk.service.verify(&desk.call(None), &token) {
        Ok(verified) => Inspected {
            active: true,
            user: Some(verified.principal.name.to_string()),
            claims: Some(verified.claims),
            expires: Some(verified.expires_at),
            ..told
        },
        Err(error) => {
            Inspected { reason: Some(error.to_string()), label: Some(error.label()), ..told }
        }
    }))
}

/// Ends a token, a login, or everything of a user.
#[utoipa::path(
    post,
    path = "/tokens/revoke",
    operation_id = "revoke_token",
    tag = "tokens",
    request_body = Revoke,
    security((), ("token" = [])),
    responses((status = 204, description = "It is ended"), Problems, Unread, Unknown),
)]
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

/// The logins of all, or of one, that can be refreshed.
#[utoipa::path(
    get,
    path = "/tokens",
    operation_id = "list_logins",
    tag = "tokens",
    params(("user" = Option<String>, Query, description = "Whose")),
    security((), ("token" = [])),
    responses((status = 200, description = "The logins", body = Families), Problems, Unknown),
)]
pub(super) async fn list(desk: Desk, whose: Query<Whose>) -> Answer<Told<Families>> {
    let store = desk.service.store()?;
    let families = store.families(whose.user.as_deref(), desk.now()).await;
    let families = families.map_err(|_| Unavailable)?;
    let more = families.len().saturating_sub(MOST);
    Ok(Told(Families { families: families.iter().take(MOST).map(describe).collect(), more }))
}

/// What has ended before its time.
#[utoipa::path(
    get,
    path = "/revocations",
    operation_id = "list_revocations",
    tag = "tokens",
    security((), ("token" = [])),
    responses((status = 200, description = "What has", body = Revocations), Problems, Unknown),
)]
pub(super) async fn revocations(desk: Desk) -> Answer<Told<Revocations>> {
    let store = desk.service.store()?;
    let known = store.standing(desk.now()).await.map_err(|_| Unavailable)?;
    let revoked = known.iter().filter_map(|change| match change {
        Change::Revoked(revocation) => Some(revocation),
        Change::Key(_) | Change::KeyEnded(_) | Change::SecondFactor { .. } => None,
    });
    let told = revoked.map(|revocation| {
        let told = RevocationBody { until: revocation.until, ..RevocationBody::default() };
        match &revocation.what {
            Revoked::Family(id) => RevocationBody { family: Some(id.to_string()), ..told },
            Revoked::Token(id) => RevocationBody { id: Some(id.to_string()), ..told },
            Revoked::User { name, since_ms } => {
                let since = Some(Duration::from_millis(*since_ms).as_secs_f64());
                RevocationBody { user: Some(name.to_string()), since, ..told }
            }
        }
    });
    Ok(Told(Revocations { revocations: told.take(MOST).collect() }))
}

fn describe(family: &Family) -> FamilyBody {
    FamilyBody {
        id: family.id.to_string(),
        user: family.user.to_string(),
        key: family.key.as_ref().map(ToString::to_string),
        began_at: family.began_at,
        expires_at: family.expires_at,
    }
}
