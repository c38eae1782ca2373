//! `/users`: those of all directories; changed in the file that holds them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::Json as Told;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::{Conflict, Problem, Problems, Unknown, Unread};
use super::{Answer, Desk, Json, Name};
use crate::directory::Directory;
use crate::directory::edit::{NewUser, Update};
use crate::secret::Secret;
use crate::service::UsersError;
use crate::user::User;

/// A user to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Add {
    name: String,
    /// Without one, the user cannot log in by password.
    #[schema(format = Password)]
    password: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    permissions: Vec<String>,
    /// The part of an API that is the user's.
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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetPassword {
    #[schema(format = Password)]
    password: String,
}

/// All there is of a user but the hash.
#[derive(Serialize, ToSchema)]
pub(super) struct UserBody {
    name: Box<str>,
    /// The directory that has the user.
    directory: String,
    disabled: bool,
    /// The family of the password's hash; `null`: there is none.
    password: Option<&'static str>,
    #[schema(value_type = Vec<String>)]
    roles: Vec<Box<str>>,
    permissions: Vec<String>,
    home: Option<String>,
    tag: Option<Box<str>>,
    email: Option<Box<str>>,
    #[schema(value_type = Vec<String>)]
    groups: Vec<Box<str>>,
    #[schema(value_type = BTreeMap<String, String>)]
    attributes: BTreeMap<Box<str>, Box<str>>,
    second_factor: bool,
    failed_logins: u32,
    /// How long the next login has to wait.
    wait_seconds: f64,
}

/// Users.
#[derive(Serialize, ToSchema)]
pub(super) struct Users {
    users: Vec<UserBody>,
}

/// The user who was added.
#[derive(Serialize, ToSchema)]
pub(super) struct Added {
    name: String,
}

/// Whether there was anything to forget.
#[derive(Serialize, ToSchema)]
pub(super) struct Unlocked {
    unlocked: bool,
}

/// All users of all directories.
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "list_users",
    tag = "users",
    security((), ("token" = [])),
    responses((status = 200, description = "The users", body = Users), Problems, Unknown),
)]
pub(super) async fn list(desk: Desk) -> Answer<Told<Users>> {
    let directories = &desk.snapshot.identities.directories;
    let users = directories
        .iter()
        .flat_map(|directory| directory.users().map(|user| describe(&desk, directory, user)));
    Ok(Told(Users { users: users.collect() }))
}

/// A user.
#[utoipa::path(
    get,
    path = "/users/{name}",
    operation_id = "show_user",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 200, description = "The user", body = UserBody), Problems, Unknown),
)]
pub(super) async fn show(desk: Desk, Name(name): Name) -> Answer<Told<UserBody>> {
    let (directory, user) = find(&desk, &name)?;
    Ok(Told(describe(&desk, directory, user)))
}

/// Adds a user.
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "add_user",
    tag = "users",
    request_body = Add,
    security((), ("token" = [])),
    responses((status = 201, description = "The user is there", body = Added), Problems, Unread, Unknown, Conflict),
)]
pub(super) async fn add(desk: Desk, Json(add): Json<Add>) -> Answer<(StatusCode, Told<Added>)> {
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
    Ok((StatusCode::CREATED, Told(Added { name })))
}

/// Removes a user.
#[utoipa::path(
    delete,
    path = "/users/{name}",
    operation_id = "remove_user",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 204, description = "The user is gone"), Problems, Unknown, Conflict),
)]
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

/// Gives a user another password, and ends what came by the old one.
#[utoipa::path(
    put,
    path = "/users/{name}/password",
    operation_id = "set_password",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    request_body = SetPassword,
    security((), ("token" = [])),
    responses((status = 204, description = "It is changed"), Problems, Unread, Unknown, Conflict),
)]
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

/// Shuts a user out.
#[utoipa::path(
    post,
    path = "/users/{name}/disable",
    operation_id = "disable_user",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 204, description = "The user is shut out"), Problems, Unknown, Conflict),
)]
pub(super) async fn disable(desk: Desk, Name(name): Name) -> Answer<StatusCode> {
    let shut_out = Update { name: name.clone(), disabled: Some(true), ..Update::default() };
    update(&desk, shut_out, None).await?;
    tracing::info!(user.name = name, "Admin: shut the user `{name}` out");
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a user in again.
#[utoipa::path(
    post,
    path = "/users/{name}/enable",
    operation_id = "enable_user",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 204, description = "The user may log in"), Problems, Unknown, Conflict),
)]
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

/// Ends tokens, families and sessions of the user until now.
///
/// A name that no directory knows may be the subject of a foreign token.
#[utoipa::path(
    post,
    path = "/users/{name}/logout",
    operation_id = "log_out_user",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 204, description = "They are ended"), Problems, Unknown),
)]
pub(super) async fn log_out(desk: Desk, Name(name): Name) -> Answer<StatusCode> {
    desk.service.revoke_user(&name).await?;
    tracing::info!(user.name = name, "Admin: ended all tokens and sessions of `{name}`");
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets the failures of the user.
#[utoipa::path(
    post,
    path = "/users/{name}/unlock",
    operation_id = "unlock_user",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    security((), ("token" = [])),
    responses((status = 200, description = "Whether there were any", body = Unlocked), Problems, Unknown),
)]
pub(super) async fn unlock(desk: Desk, Name(name): Name) -> Answer<Told<Unlocked>> {
    let had_any = desk.service.throttle().clear(&name);
    tracing::info!(user.name = name, "Admin: forgot the failed logins of `{name}`");
    Ok(Told(Unlocked { unlocked: had_any }))
}

/// Forgets the failures of an address, whoever they were about.
#[utoipa::path(
    post,
    path = "/addresses/{address}/unlock",
    operation_id = "unlock_address",
    tag = "users",
    params(("address" = String, Path, description = "The IP address")),
    security((), ("token" = [])),
    responses((status = 200, description = "Whether there were any", body = Unlocked), Problems, Unknown),
)]
pub(super) async fn unlock_address(desk: Desk, Name(address): Name) -> Answer<Told<Unlocked>> {
    let parsed = address.parse::<IpAddr>();
    let parsed = parsed.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "no IP address"))?;
    let had_any = desk.service.throttle().clear_address(parsed);
    tracing::info!(client.address = %parsed, "Admin: forgot the failed logins from {parsed}");
    Ok(Told(Unlocked { unlocked: had_any }))
}

fn find<'d>(desk: &'d Desk, name: &str) -> Answer<(&'d Directory, &'d User)> {
    let found = desk.snapshot.identities.find(name);
    let (directory, user) = found.ok_or_else(|| Problem::unknown("no such user"))?;
    Ok((directory, user))
}

fn describe(desk: &Desk, directory: &Directory, user: &User) -> UserBody {
    let failures = desk.service.throttle().of(&user.name, desk.service.now());
    UserBody {
        name: user.name.clone(),
        directory: directory.name().to_owned(),
        disabled: user.disabled,
        password: user.password.as_ref().map(|hash| hash.family().as_str()),
        roles: user.roles.clone(),
        permissions: user.permissions.iter().map(|grant| grant.as_str().to_owned()).collect(),
        home: user.home.as_ref().map(ToString::to_string),
        tag: user.tag.clone(),
        email: user.email.clone(),
        groups: user.groups.clone(),
        attributes: user.attributes.clone(),
        second_factor: desk.service.standing().has_second_factor(&user.name),
        failed_logins: failures.failures,
        wait_seconds: failures.wait.as_secs_f64().ceil(),
    }
}
