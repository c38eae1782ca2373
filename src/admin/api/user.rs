//! `/users`: those of all directories; changed in the file that holds them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::Json as Told;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::{Answer, Desk, Json, Name};
use crate::directory::Directory;
use crate::directory::edit::{NewUser, Update};
use crate::secret::Secret;
use crate::service::UsersError;
use crate::user::{Grant, User};

/// A user to be added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Add {
    name: String,
    password: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    permissions: Vec<String>,
    home: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    email: Option<String>,
    tag: Option<String>,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// Another password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetPassword {
    password: String,
}

pub(super) async fn list(desk: Desk) -> Answer {
    let directories = &desk.snapshot.identities.directories;
    let users = directories
        .iter()
        .flat_map(|directory| directory.users().map(|user| describe(&desk, directory, user)));
    Ok(Told(json!({ "users": users.collect::<Vec<_>>() })))
}

pub(super) async fn show(desk: Desk, Name(name): Name) -> Answer {
    let (directory, user) = find(&desk, &name)?;
    Ok(Told(describe(&desk, directory, user)))
}

pub(super) async fn add(desk: Desk, Json(add): Json<Add>) -> Answer<(StatusCode, Told<Value>)> {
    let Add { name, password, roles, permissions, home, groups, email, tag, disabled, attributes } =
        add;
    let new = NewUser {
        name: name.clone(),
        hash: None,
        roles,
        permissions,
        home,
        groups,
        email,
        tag,
        disabled,
        attributes,
    };
    desk.service.add_user(new, password.map(Secret::from)).await?;
    tracing::info!(user.name = name, "Admin: added the user `{name}`");
    Ok((StatusCode::CREATED, Told(json!({ "name": name }))))
}

pub(super) async fn remove(desk: Desk, Name(name): Name) -> Answer<StatusCode> {
    find(&desk, &name)?;
    if desk.service.store().is_ok() {
        desk.service.remove_user(&name).await?;
    } else {
        desk.service.users().ok_or(UsersError::NoDirectory)?.remove(&name).await?;
    }
    tracing::info!(user.name = name, "Admin: removed the user `{name}`");
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn set_password(
    desk: Desk,
    Name(name): Name,
    Json(SetPassword { password }): Json<SetPassword>,
) -> Answer<StatusCode> {
    let other = Update { name: name.clone(), ..Update::default() };
    update(&desk, other, Some(password.into())).await?;
    tracing::info!(user.name = name, "Admin: gave the user `{name}` another password");
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn disable(desk: Desk, Name(name): Name) -> Answer<StatusCode> {
    let shut_out = Update { name: name.clone(), disabled: Some(true), ..Update::default() };
    update(&desk, shut_out, None).await?;
    tracing::info!(user.name = name, "Admin: shut the user `{name}` out");
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn enable(desk: Desk, Name(name): Name) -> Answer<StatusCode> {
    let let_in = Update { name: name.clone(), disabled: Some(false), ..Update::default() };
    update(&desk, let_in, None).await?;
    tracing::info!(user.name = name, "Admin: let the user `{name}` in again");
    Ok(StatusCode::NO_CONTENT)
}

/// Without a store there is nothing to end but what the file itself ends.
async fn update(desk: &Desk, update: Update, password: Option<Secret>) -> Answer<()> {
    if desk.service.store().is_ok() {
        desk.service.update_user(update, password).await?;
    } else {
        let files = desk.service.users().ok_or(UsersError::NoDirectory)?;
        files.update(update, password).await?;
    }
    Ok(())
}

/// Ends tokens, families and sessions of the user until now. A name that no directory knows may be
/// the subject of a foreign token.
pub(super) async fn log_out(desk: Desk, Name(name): Name) -> Answer<StatusCode> {
    desk.service.revoke_user(&name).await?;
    tracing::info!(user.name = name, "Admin: ended all tokens and sessions of `{name}`");
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets the failures of the user.
pub(super) async fn unlock(desk: Desk, Name(name): Name) -> Answer {
    let had_any = desk.service.throttle().clear(&name);
    tracing::info!(user.name = name, "Admin: forgot the failed logins of `{name}`");
    Ok(Told(json!({ "unlocked": had_any })))
}

/// Forgets the failures of an address, whoever they were about.
pub(super) async fn unlock_address(desk: Desk, Name(address): Name) -> Answer {
    let parsed = address.parse::<IpAddr>();
    let parsed = parsed.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "no IP address"))?;
    let had_any = desk.service.throttle().clear_address(parsed);
    tracing::info!(client.address = %parsed, "Admin: forgot the failed logins from {parsed}");
    Ok(Told(json!({ "unlocked": had_any })))
}

fn find<'d>(desk: &'d Desk, name: &str) -> Answer<(&'d Directory, &'d User)> {
    let found = desk.snapshot.identities.find(name);
    let (directory, user) = found.ok_or_else(|| Problem::unknown("no such user"))?;
    Ok((directory, user))
}

/// All there is of a user but the hash.
fn describe(desk: &Desk, directory: &Directory, user: &User) -> Value {
    let failures = desk.service.throttle().of(&user.name, desk.service.now());
    json!({
        "name": user.name,
        "directory": directory.name(),
        "disabled": user.disabled,
        "password": user.password.as_ref().map(|hash| hash.family().as_str()),
        "roles": user.roles,
        "permissions": user.permissions.iter().map(Grant::as_str).collect::<Vec<_>>(),
        "home": user.home.as_ref().map(ToString::to_string),
        "tag": user.tag,
        "email": user.email,
        "groups": user.groups,
        "attributes": user.attributes,
        "second_factor": desk.service.standing().has_second_factor(&user.name),
        "failed_logins": failures.failures,
        "wait_seconds": failures.wait.as_secs_f64().ceil(),
    })
}
