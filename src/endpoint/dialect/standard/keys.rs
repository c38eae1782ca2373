//! `/account/keys`: a user's own API keys.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bearer::{Body, Owner};
use super::refusal::{ErrorBody, Problem, Refusal};
use crate::api_key::{ApiKey, Scope};
use crate::service::NewKey;

/// The longest life that a key may be given: a hundred years, in seconds.
const MAX_LIFETIME: u64 = 100 * 365 * 24 * 3600;

/// How far a key reaches. What is left out, or `null`, is not narrowed.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "tells what `api_key::Scope` reads and writes")]
pub(super) struct ScopeBody {
    /// Of the owner's permissions, those which it passes on.
    permissions: Option<Vec<String>>,
    /// The path below which everything lies that it may name.
    path: Option<String>,
    /// The methods it may be used with.
    methods: Option<Vec<String>>,
    /// The networks from which it may be used.
    sources: Option<Vec<String>>,
}

/// A key to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRequest {
    /// What its owner calls it.
    #[schema(max_length = 128)]
    label: String,
    /// How far it reaches. Default: as far as its owner.
    #[serde(default)]
    #[schema(value_type = ScopeBody, required = false)]
    scope: Scope,
    /// For how many seconds it holds. Default: until it is revoked.
    #[schema(minimum = 1, maximum = 3_153_600_000_u64)]
    expires_in: Option<u64>,
}

/// What is known of a key.
#[derive(Serialize, ToSchema)]
pub(super) struct Key {
    /// Names it.
    id: String,
    /// What its owner calls it.
    label: String,
    /// How far it reaches.
    #[schema(value_type = ScopeBody)]
    scope: Scope,
    /// When it was issued, in Unix seconds.
    created_at: u64,
    /// The first second at which it no longer holds; `null`: until it is revoked.
    expires_at: Option<u64>,
}

impl From<ApiKey> for Key {
    fn from(key: ApiKey) -> Self {
        let ApiKey { id, label, scope, created_at, expires_at, hash: _, owner: _, kind: _ } = key;
        Self { id: id.into(), label: label.into(), scope, created_at, expires_at }
    }
}

/// A new key.
#[derive(Serialize, ToSchema)]
pub(super) struct NewKeyBody {
    /// The key. It is not shown again.
    key: String,
    /// What is known of it.
    #[serde(flatten)]
    facts: Key,
}

/// All keys of a user.
#[derive(Serialize, ToSchema)]
pub(super) struct KeyList {
    /// The oldest first.
    keys: Vec<Key>,
}

/// The user's keys.
#[utoipa::path(
    get,
    path = "/account/keys",
    tag = "account",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The keys that hold", body = KeyList),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 503, description = "Not now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn list(owner: Owner) -> Result<Json<KeyList>, Refusal> {
    let keys = owner.call.service.list_keys(Some(&owner.name)).await?;
    Ok(Json(KeyList { keys: keys.into_iter().map(Key::from).collect() }))
}

/// Issues a key to the user.
#[utoipa::path(
    post,
    path = "/account/keys",
    tag = "account",
    request_body = KeyRequest,
    security(("bearer" = [])),
    responses(
        (status = 201, description = "The key", body = NewKeyBody),
        (status = 400, description = "Not a request", body = ErrorBody),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 409, description = "As many keys as may be", body = ErrorBody),
        (status = 415, description = "Not JSON", body = ErrorBody),
        (status = 503, description = "Not now; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn issue(
    owner: Owner,
    Body(request): Body<KeyRequest>,
) -> Result<(StatusCode, Json<NewKeyBody>), Refusal> {
    let Owner { call, name, .. } = owner;
    let KeyRequest { label, scope, expires_in } = request;
    if expires_in.is_some_and(|seconds| seconds > MAX_LIFETIME) {
        return Err(Refusal::InvalidRequest("no key holds for over a hundred years"));
    }
    let lifetime = expires_in.map(Duration::from_secs);
    let new = NewKey { owner: name, label, scope, lifetime };
    let (key, text) = call.service.issue_key(&call.snapshot.identities, new).await?;
    let body = NewKeyBody { key: text.to_string(), facts: key.into() };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Revokes a key of the user, and what was issued for it.
#[utoipa::path(
    delete,
    path = "/account/keys/{id}",
    tag = "account",
    params(("id" = String, Path, description = "The key's id")),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It is revoked"),
        (
            status = 400,
            description = "The path cannot be read",
            content((ErrorBody = "application/json"), (Problem = "application/problem+json")),
        ),
        (status = 401, description = "The access token does not hold", body = ErrorBody),
        (status = 403, description = "A token of an API key", body = ErrorBody),
        (status = 404, description = "The user has no such key", body = ErrorBody),
        (status = 503, description = "Nothing was revoked; see Retry-After", body = ErrorBody),
    ),
)]
pub(super) async fn end(owner: Owner, path: Option<Path<String>>) -> Result<StatusCode, Refusal> {
    let Some(Path(id)) = path else {
        return Err(Refusal::InvalidRequest("the path cannot be read"));
    };
    if owner.call.service.end_key(Some(&owner.name), &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::NotFound)
    }
}
