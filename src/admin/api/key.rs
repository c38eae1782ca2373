//! `/keys`: API keys. The text of one is shown when it is issued, and never again.

use axum::Json as Told;
use axum::extract::Query;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, Desk, Json, Lifetime, Name};
use crate::api_key::{ApiKey, Scope};
use crate::service::NewKey;

/// A key to be issued.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issue {
    owner: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    scope: Scope,
    lifetime: Option<Lifetime>,
}

/// A key that a service has made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    key: String,
    identifier: String,
    lifetime: Option<Lifetime>,
}

/// Which keys are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    owner: Option<String>,
}

pub(super) async fn list(desk: Desk, whose: Query<Whose>) -> Answer {
    let keys = desk.service.list_keys(whose.owner.as_deref()).await?;
    Ok(Told(json!({ "keys": keys.iter().map(describe).collect::<Vec<_>>() })))
}

pub(super) async fn issue(
    desk: Desk,
    Json(issue): Json<Issue>,
) -> Answer<(StatusCode, Told<Value>)> {
    let Issue { owner, label, scope, lifetime } = issue;
    let new = NewKey { owner, label, scope, lifetime: lifetime.map(|Lifetime(time)| time) };
    let (key, text) = desk.service.issue_key(&desk.snapshot.identities, new).await?;
    tracing::info!(key.id = key.id, user.name = key.owner, "Admin: issued the key {}", key.id);
    let mut told = describe(&key);
    if let Some(told) = told.as_object_mut() {
        told.insert("key".to_owned(), text.as_str().into());
    }
    Ok((StatusCode::CREATED, Told(told)))
}

pub(super) async fn register(
    desk: Desk,
    Json(register): Json<Register>,
) -> Answer<(StatusCode, Told<Value>)> {
    let Register { key, identifier, lifetime } = register;
    let call = desk.call(lifetime.map(|Lifetime(time)| time));
    let key = desk.service.register_key(&call, &key, &identifier).await?;
    tracing::info!(key.id = key.id, user.name = key.owner, "Admin: registered the key {}", key.id);
    Ok((StatusCode::CREATED, Told(describe(&key))))
}

pub(super) async fn end(desk: Desk, Name(id): Name) -> Answer<StatusCode> {
    if !desk.service.end_key(None, &id).await? {
        return Err(Problem::unknown("no such key"));
    }
    tracing::info!(key.id = id, "Admin: ended the key {id}");
    Ok(StatusCode::NO_CONTENT)
}

/// All there is of a key but its text and its hash.
fn describe(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "owner": key.owner,
        "kind": key.kind,
        "label": key.label,
        "scope": key.scope,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    })
}
