//! Users: looked at, added, changed, locked, removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Refusal, done, json_body};
use super::body::{Message, Refusals, Unchanged};
use super::credential::{Name, SELF, authorize, verify};
use crate::directory::Directory;
use crate::directory::edit::{NewUser, Update};
use crate::endpoint::dialect::object::read_object;
use crate::endpoint::dialect::password::Password;
use crate::secret::Secret;
use crate::service::Call;
use crate::user::User;

/// To change the password of others.
pub(super) const CHANGE_OTHERS: &str = "passwd-change-user";
const CHANGE_OWN: &str = "passwd-change-self";
const LIST: &str = "user-list";
/// Whom nobody can lock.
const ADMIN: &str = "admin";
/// The attribute that keeps which user of the system runs somebody's applications.
const EXEC_USER: &str = "exec_user";

/// A user as clients send one. What is absent stays, and what is not named here is not kept.
#[derive(Deserialize, ToSchema)]
pub(super) struct Sent {
    /// The password.
    #[schema(value_type = Option<String>, format = Password, min_length = 1)]
    key: Option<Password>,
    /// The e-mail address.
    email: Option<String>,
    /// Which user of the system runs the user's applications.
    exec_user: Option<String>,
    /// The group.
    group: Option<String>,
    /// Whether the user is shut out.
    locked: Option<bool>,
    /// The roles.
    roles: Option<Vec<String>>,
}

/// Passwords, in base64.
#[derive(Deserialize, ToSchema)]
pub(super) struct Passwords {
    /// The one until now.
    #[schema(value_type = String, format = Byte)]
    old_password: Password,
    /// The one from now on.
    #[schema(value_type = String, format = Byte)]
    new_password: Password,
}

/// A user as clients see one. Of one that no directory knows there are name, roles and audience.
#[derive(Serialize, ToSchema)]
pub(super) struct Seen<'u> {
    name: &'u str,
    #[serde(flatten)]
    known: Option<Known<'u>>,
    #[schema(value_type = Vec<String>)]
    roles: &'u [Box<str>],
    /// The endpoint's audiences; of whoever asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    audience: Option<&'u [Box<str>]>,
}

/// What a directory knows of a user.
#[derive(Serialize, ToSchema)]
struct Known<'u> {
    #[schema(required = false)]
    email: &'u str,
    #[schema(required = false)]
    exec_user: &'u str,
    #[schema(required = false)]
    group: &'u str,
    #[schema(required = false)]
    locked: bool,
    #[schema(required = false)]
    mfa_enabled: bool,
}

fn seen<'u>(call: &Call, user: &'u User) -> Seen<'u> {
    let known = Known {
        email: user.email.as_deref().unwrap_or_default(),
        exec_user: user.attributes.get(EXEC_USER).map_or("", |name| name),
        group: user.groups.first().map_or("", |group| group),
        locked: user.disabled,
        mfa_enabled: call.service.has_second_factor(&user.name),
    };
    Seen { name: &user.name, known: Some(known), roles: &user.roles, audience: None }
}

/// The users that count: of several of a name the first.
fn all(call: &Call) -> BTreeMap<&str, &Arc<User>> {
    let directories = call.snapshot.identities.directories.iter().rev();
    let users = directories.flat_map(Directory::users);
    users.map(|user| (&*user.name, user)).collect()
}

fn is_free(name: &str) -> Result<(), Refusal> {
    if name == SELF { Err(Refusal::bad("`self` is no user's name")) } else { Ok(()) }
}

fn malformed() -> Refusal {
    Refusal::bad("malformed JSON, or a member of another type than it must have")
}

/// Whoever asks.
#[utoipa::path(
    get,
    path = "/appmesh/user/{name}",
    tag = "users",
    params(("name" = String, Path, description = "`self`")),
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "The user", body = Seen<'static>), (status = 404, description = "Another name than `self`", body = Message), Refusals),
)]
pub(super) async fn own(
    call: Call,
    method: Method,
    uri: Uri,
    name: Name,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    if name.0 != SELF {
        return Err(super::no_path(method, uri).await);
    }
    let (_, verified) = verify(&call, &method, &fields)?;
    let name = &*verified.principal.name;
    let said = match call.snapshot.identities.find(name) {
        Some((_, user)) => seen(&call, user),
        None => Seen { name, known: None, roles: &verified.principal.roles, audience: None },
    };
    let said = Seen { audience: Some(&call.profile.audience), ..said };
    Ok(json_body(StatusCode::OK, &said))
}

/// All users, by name.
#[utoipa::path(
    get,
    path = "/appmesh/users",
    operation_id = "list_users",
    tag = "users",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "The users", body = BTreeMap<String, Seen<'static>>), Refusals),
)]
pub(super) async fn list(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&call, &method, &fields, LIST)?;
    let users = all(&call).into_iter();
    let said: BTreeMap<_, _> = users.map(|(name, user)| (name, seen(&call, user))).collect();
    Ok(json_body(StatusCode::OK, &said))
}

/// All groups of users.
#[utoipa::path(
    get,
    path = "/appmesh/user/groups",
    tag = "users",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "The groups", body = Vec<String>), Refusals),
)]
pub(super) async fn groups(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&call, &method, &fields, LIST)?;
    let users = all(&call).into_values();
    let groups: BTreeSet<&str> =
        users.flat_map(|user| &user.groups).map(|group| &**group).collect();
    Ok(json_body(StatusCode::OK, &groups))
}

/// Adds a user, or changes what is said of one.
#[utoipa::path(
    put,
    path = "/appmesh/user/{name}",
    operation_id = "put_user",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    request_body = Sent,
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Done", body = Message), Refusals, Unchanged),
)]
pub(super) async fn put(
    call: Call,
    method: Method,
    name: Name,
    fields: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&call, &method, &fields, "user-add")?;
    let Name(name) = name;
    is_free(&name)?;
    let sent: Sent = read_object(&body).ok_or_else(malformed)?;
    if sent.key.as_ref().is_some_and(Password::is_empty) {
        return Err(Refusal::bad("an empty password"));
    }
    if name == ADMIN && sent.locked == Some(true) {
        return Err(unlockable());
    }
    let groups = |group: String| if group.is_empty() { Vec::new() } else { vec![group] };
    let secret = sent.key.map(Password::into_secret);
    let attribute = |user: &str| (EXEC_USER.to_owned(), user.to_owned());
    if let Some((_, user)) = call.snapshot.identities.find(&name) {
        let attributes = sent.exec_user.map(|exec_user| {
            let kept =
                user.attributes.iter().map(|(key, value)| (key.to_string(), value.to_string()));
            kept.filter(|(key, _)| key != EXEC_USER)
                .chain((!exec_user.is_empty()).then(|| attribute(&exec_user)))
                .collect()
        });
        let update = Update {
            name,
            roles: sent.roles,
            groups: sent.group.map(groups),
            email: sent.email,
            disabled: sent.locked,
            attributes,
            ..Update::default()
        };
        call.service.update_user(update, secret).await?;
    } else {
        let exec_user = sent.exec_user.filter(|user| !user.is_empty());
        let new = NewUser {
            name,
            roles: sent.roles.unwrap_or_default(),
            groups: sent.group.map(groups).unwrap_or_default(),
            email: sent.email.filter(|email| !email.is_empty()),
            disabled: sent.locked.unwrap_or_default(),
            attributes: exec_user.as_deref().map(attribute).into_iter().collect(),
            ..NewUser::default()
        };
        call.service.add_user(new, secret).await?;
    }
    Ok(done("User add success"))
}

/// Removes a user.
#[utoipa::path(
    delete,
    path = "/appmesh/user/{name}",
    operation_id = "remove_user",
    tag = "users",
    params(("name" = String, Path, description = "The user")),
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Done", body = Message), Refusals, Unchanged),
)]
pub(super) async fn remove(
    call: Call,
    method: Method,
    name: Name,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&call, &method, &fields, "user-delete")?;
    is_free(&name.0)?;
    call.service.remove_user(&name.0).await?;
    Ok(done("User delete success"))
}

/// Shuts a user out.
#[utoipa::path(
    post,
    path = "/appmesh/user/{name}/lock",
    tag = "users",
    params(("name" = String, Path, description = "The user; `self`: whoever asks")),
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Done", body = Message), Refusals, Unchanged),
)]
pub(super) async fn lock(
    call: Call,
    method: Method,
    name: Name,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let account = authorize(&call, &method, &fields, "user-lock")?;
    let name = name.of(&account.user);
    if name == ADMIN {
        return Err(unlockable());
    }
    let update = Update { name, disabled: Some(true), ..Update::default() };
    call.service.update_user(update, None).await?;
    Ok(done("User lock success"))
}

fn unlockable() -> Refusal {
    Refusal::bad("User admin can not be locked")
}

/// Lets a user in again.
#[utoipa::path(
    post,
    path = "/appmesh/user/{name}/unlock",
    tag = "users",
    params(("name" = String, Path, description = "The user; `self`: whoever asks")),
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Done", body = Message), Refusals, Unchanged),
)]
pub(super) async fn unlock(
    call: Call,
    method: Method,
    name: Name,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let account = authorize(&call, &method, &fields, "user-unlock")?;
    let name = name.of(&account.user);
    let update = Update { name, disabled: Some(false), ..Update::default() };
    call.service.update_user(update, None).await?;
    Ok(done("User unlock success"))
}

/// Changes a password. Who does, their own or another's, shows the old one.
#[utoipa::path(
    post,
    path = "/appmesh/user/{name}/passwd",
    tag = "users",
    params(("name" = String, Path, description = "The user; `self`: whoever asks")),
    request_body = Passwords,
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Done", body = Message), Refusals, Unchanged),
)]
pub(super) async fn change_password(
    call: Call,
    method: Method,
    name: Name,
    fields: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let needed = if name.0 == SELF { CHANGE_OWN } else { CHANGE_OTHERS };
    let account = authorize(&call, &method, &fields, needed)?;
    let name = name.of(&account.user);
    let sent: Passwords = read_object(&body).ok_or_else(malformed)?;
    let (old, new) = (decode(sent.old_password)?, decode(sent.new_password)?);
    let changed = call.service.change_password(&call, &name, Some(old), new).await;
    changed.map_err(|error| Refusal::of_password(error, &name))?;
    Ok(done("User password change success"))
}

fn decode(text: Password) -> Result<Secret, Refusal> {
    let text = text.into_secret();
    let decoded = STANDARD.decode(text.expose()).map(Secret::new);
    decoded.map_err(|_| Refusal::bad("passwords are sent in base64"))
}
