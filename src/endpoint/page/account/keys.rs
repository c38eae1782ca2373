//! One's own API keys: listed, issued and shown once, revoked.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::time::moment;
use super::tokens::shortly;
use super::{refused, show_once};
use crate::api_key::{ApiKey, Scope};
use crate::endpoint::page::answer::Refusal;
use crate::endpoint::page::document::{FORM, KeyForm, Refusals, RevokeKeyForm};
use crate::endpoint::page::fields::{FieldError, Fields};
use crate::endpoint::page::visit::{Known, Visit};
use crate::service::{KeyError, NewKey, Unavailable};
use crate::user::check_name;

/// How long a key holds unless another lifetime is chosen.
pub(super) const LIFETIME: Duration = Duration::from_hours(90 * 24);

/// No key is issued for longer, but for one that holds until it is revoked.
const MAX_LIFETIME_SECONDS: u64 = 10 * 366 * 24 * 3600;

/// A key as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) scope: String,
    pub(super) times: String,
}

impl KeyRow {
    fn of(key: &ApiKey) -> Self {
        let end = match key.expires_at {
            Some(end) => format!("ends {}", moment(end)),
            None => "until it is revoked".to_owned(),
        };
        Self {
            id: key.id.to_string(),
            label: if key.label.is_empty() { "(no label)".into() } else { key.label.to_string() },
            scope: describe(&key.scope),
            times: format!("issued {}, {end}", moment(key.created_at)),
        }
    }
}

/// A scope in words.
fn describe(scope: &Scope) -> String {
    if scope.is_unlimited() {
        return "whatever you may".to_owned();
    }
    let list = |items: Vec<String>| match items.as_slice() {
        [] => "none".to_owned(),
        items => items.join(" "),
    };
    let mut parts = Vec::new();
    if let Some(permissions) = &scope.permissions {
        parts.push(list(permissions.iter().map(ToString::to_string).collect()));
    }
    if let Some(path) = &scope.path {
        parts.push(format!("below {path}"));
    }
    if let Some(methods) = &scope.methods {
        parts.push(format!("by {}", list(methods.iter().map(ToString::to_string).collect())));
    }
    if let Some(sources) = &scope.sources {
        parts.push(format!("from {}", list(sources.iter().map(ToString::to_string).collect())));
    }
    parts.join(", ")
}

/// The keys of the user; `None`: they can't be had.
pub(super) async fn rows(visit: &Visit, known: &Known) -> Option<Vec<KeyRow>> {
    let keys = visit.call.service.list_keys(Some(&known.user.name)).await.ok()?;
    Some(keys.iter().map(KeyRow::of).collect())
}

/// Issues an API key, which is shown once.
#[utoipa::path(
    post,
    path = "/me/keys",
    operation_id = "issue_key",
    tag = "account",
    request_body(content = KeyForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 200, description = "The page with the key", body = String, content_type = "text/html"), (status = 409, description = "It cannot be so", body = String, content_type = "text/html"), Refusals),
)]
pub(crate) async fn issue(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    let asked = match read(&known.user.name, &fields) {
        Ok(asked) => asked,
        Err(text) => return Ok(refused(&visit, known, StatusCode::BAD_REQUEST, text).await),
    };
    let identities = &visit.call.snapshot.identities;
    let (status, text) = match visit.call.service.issue_key(identities, asked).await {
        Ok((key, text)) => {
            let row = KeyRow::of(&key);
            let facts = vec![
                ("Label", row.label),
                ("Id", row.id),
                ("May do", row.scope),
                ("Time", row.times),
            ];
            return Ok(show_once(&visit, known, "Your API key", text.to_string(), facts));
        }
        Err(KeyError::Full) => (StatusCode::CONFLICT, "You have as many keys as may be."),
        Err(KeyError::Ill | KeyError::Taken) => {
            (StatusCode::BAD_REQUEST, "The label is empty, too long, or holds what is not seen.")
        }
        Err(KeyError::UnknownUser) => (StatusCode::FORBIDDEN, "You can't have a key."),
        Err(KeyError::Unavailable(Unavailable)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "No key can be issued at the moment.")
        }
    };
    Ok(shortly(refused(&visit, known, status, text.to_owned()).await))
}

/// What the form asks for; an error is for the person who filled it in.
fn read(owner: &str, fields: &Fields) -> Result<NewKey, String> {
    let in_words = |error: FieldError| format!("The form can't be read: {error}.");
    let label = fields.one("label").map_err(in_words)?.trim();
    if label.is_empty() {
        return Err("Give the key a label, so that you know it again.".to_owned());
    }
    if check_name(label).is_err() {
        return Err("The label is too long, or holds what is not seen.".to_owned());
    }
    let seconds = fields.one("lifetime").map_err(in_words)?.parse::<u64>();
    let seconds = seconds.ok().filter(|seconds| *seconds <= MAX_LIFETIME_SECONDS);
    let seconds = seconds.ok_or_else(|| "Choose a lifetime.".to_owned())?;
    Ok(NewKey {
        owner: owner.to_owned(),
        label: label.to_owned(),
        scope: scope(fields)?,
        lifetime: (seconds > 0).then(|| Duration::from_secs(seconds)),
    })
}

/// What is left empty is not narrowed.
fn scope(fields: &Fields) -> Result<Scope, String> {
    let in_words = |error: FieldError| format!("The form can't be read: {error}.");
    let mut written = Map::new();
    for (field, member) in [("permissions", "permissions"), ("addresses", "sources")] {
        let words = fields.words(field).map_err(in_words)?;
        if !words.is_empty() {
            written.insert(member.to_owned(), json!(words));
        }
    }
    let methods = fields.all("method").collect::<Vec<_>>();
    if !methods.is_empty() {
        written.insert("methods".to_owned(), json!(methods));
    }
    let path = fields.find("path").map_err(in_words)?.unwrap_or_default().trim();
    if !path.is_empty() {
        written.insert("path".to_owned(), json!(path));
    }
    let scope = serde_json::from_value(Value::Object(written));
    scope.map_err(|error| format!("What it may do can't be understood: {error}."))
}

/// Ends an API key.
#[utoipa::path(
    post,
    path = "/me/keys/revoke",
    operation_id = "revoke_key",
    tag = "account",
    request_body(content = RevokeKeyForm, content_type = FORM),
    security(("session" = [])),
    responses((status = 303, description = "To the account, or to the login page"), (status = 404, description = "No such key", body = String, content_type = "text/html"), Refusals),
)]
pub(crate) async fn revoke(visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    let known = visit.sender(fields.one("form_token").unwrap_or_default())?;
    let id = fields.one("id").unwrap_or_default();
    let (status, text) = match visit.call.service.end_key(Some(&known.user.name), id).await {
        Ok(true) => return Ok(visit.send_on(known, "/me?done=key")),
        Ok(false) => (StatusCode::NOT_FOUND, "You have no such key."),
        Err(Unavailable) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Nothing can be revoked at the moment.")
        }
    };
    Ok(shortly(refused(&visit, known, status, text.to_owned()).await))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_told_in_words() {
        let scope = |json: &str| describe(&serde_json::from_str(json).unwrap());

        assert_eq!(scope("{}"), "whatever you may");
        assert_eq!(scope(r#"{"permissions": [], "path": "/a"}"#), "none, below /a");
        assert_eq!(
            scope(r#"{"permissions":["a:b"],"methods":["GET","PUT"],"sources":["10.0.0.0/8"]}"#),
            "a:b, by GET PUT, from 10.0.0.0/8"
        );
    }
}
