//! `/keys`: API keys. The text of one is shown when it is issued, and never again.

use axum::Json as Told;
use axum::extract::Query;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::{Conflict, Problem, Problems, Unknown, Unread};
use super::{Answer, Desk, Json, Lifetime, Name};
use crate::api_key::{ApiKey, KeyKind, Scope};
use crate::service::NewKey;

/// A key to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Issue {
    /// Whose it is to be.
    owner: String,
    /// What its owner calls it.
    #[serde(default)]
    label: String,
    /// How far it reaches. Default: as far as its owner.
    #[serde(default)]
    #[schema(value_type = ScopeBody, required = false)]
    scope: Scope,
    /// Default: until it is revoked.
    lifetime: Option<Lifetime>,
}

/// A key that a service has made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    /// The key.
    key: String,
    /// Who has it.
    identifier: String,
    /// Default: as an endpoint's.
    lifetime: Option<Lifetime>,
}

/// How far a key reaches. What is left out, or `null`, is not narrowed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "tells what `api_key::Scope` reads and writes")]
struct ScopeBody {
    /// Of the owner's permissions, those which it passes on.
    permissions: Option<Vec<String>>,
    /// The path below which everything lies that it may name.
    path: Option<String>,
    /// The methods it may be used with.
    methods: Option<Vec<String>>,
    /// The networks from which it may be used.
    sources: Option<Vec<String>>,
}

/// All there is of a key but its hash.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyBody {
    id: Box<str>,
    owner: Box<str>,
    /// `user`: issued to one; `registered`: by a service.
    #[schema(value_type = String)]
    kind: KeyKind,
    label: Box<str>,
    #[schema(value_type = ScopeBody)]
    scope: Scope,
    /// In Unix seconds.
    created_at: u64,
    /// In Unix seconds; `null`: when it is revoked.
    expires_at: Option<u64>,
    /// Its text; when it is issued, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
}

/// Keys.
#[derive(Serialize, ToSchema)]
pub(super) struct Keys {
    keys: Vec<KeyBody>,
}

/// Which keys are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    owner: Option<String>,
}

/// The keys of all, or of one.
#[utoipa::path(
    get,
    path = "/keys",
    operation_id = "list_keys",
    tag = "keys",
    params(("owner" = Option<String>, Query, description = "Whose")),
    security((), ("token" = [])),
    responses((status = 200, description = "The keys", body = Keys), Problems, Unknown),
)]
pub(super) async fn list(desk: Desk, whose: Query<Whose>) -> Answer<Told<Keys>> {
    let keys = desk.service.list_keys(whose.owner.as_deref()).await?;
    Ok(Told(Keys { keys: keys.iter().map(describe).collect() }))
}

/// Issues a key.
#[utoipa::path(
    post,
    path = "/keys",
    operation_id = "issue_key",
    tag = "keys",
    request_body = Issue,
    security((), ("token" = [])),
    responses((status = 201, description = "The key, with its text", body = KeyBody), Problems, Unread, Unknown, Conflict),
)]
pub(super) async fn issue(
    desk: Desk,
    Json(issue): Json<Issue>,
) -> Answer<(StatusCode, Told<KeyBody>)> {
    let Issue { owner, label, scope, lifetime } = issue;
    let new = NewKey { owner, label, scope, lifetime: lifetime.map(|Lifetime(time)| time) };
    let (key, text) = desk.service.issue_key(&desk.snapshot.identities, new).await?;
    tracing::info!(key.id = key.id, user.name = key.owner, "Admin: issued the key {}", key.id);
    let told = KeyBody { key: Some(text.to_string()), ..describe(&key) };
    Ok((StatusCode::CREATED, Told(told)))
}

/// Registers a key that a service has made.
#[utoipa::path(
    post,
    path = "/keys/register",
    operation_id = "register_key",
    tag = "keys",
    request_body = Register,
    security((), ("token" = [])),
    responses((status = 201, description = "The key", body = KeyBody), Problems, Unread, Unknown, Conflict),
)]
pub(super) async fn register(
    desk: Desk,
    Json(register): Json<Register>,
) -> Answer<(StatusCode, Told<KeyBody>)> {
    let Register { key, identifier, lifetime } = register;
    let call = desk.call(lifetime.map(|Lifetime(time)| time));
    let key = desk.service.register_key(&call, &key, &identifier).await?;
    tracing::info!(key.id = key.id, user.name = key.owner, "Admin: registered the key {}", key.id);
    Ok((StatusCode::CREATED, Told(describe(&key))))
}

/// Ends a key.
#[utoipa::path(
    delete,
    path = "/keys/{id}",
    operation_id = "end_key",
    tag = "keys",
    params(("id" = String, Path, description = "The key's id")),
    security((), ("token" = [])),
    responses((status = 204, description = "It is ended"), Problems, Unknown),
)]
pub(super) async fn end(desk: Desk, Name(id): Name) -> Answer<StatusCode> {
    if !desk.service.end_key(None, &id).await? {
        return Err(Problem::unknown("no such key"));
    }
    tracing::info!(key.id = id, "Admin: ended the key {id}");
    Ok(StatusCode::NO_CONTENT)
}

fn describe(key: &ApiKey) -> KeyBody {
    KeyBody {
        id: key.id.clone(),
        owner: key.owner.clone(),
        kind: key.kind,
        label: key.label.clone(),
        scope: key.scope.clone(),
        created_at: key.created_at,
        expires_at: key.expires_at,
        key: None,
    }
}
