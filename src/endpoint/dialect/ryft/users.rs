//! `/user`: users looked at and changed. `admin` is the one role that means something here.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Query;
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::identify;
use super::answer::{self, Refusal, ServerError, Unknown};
use crate::directory::Directory;
use crate::directory::edit::{NewUser, Update};
use crate::endpoint::dialect::object::read_object;
use crate::endpoint::dialect::password::Password;
use crate::service::Call;
use crate::user::User;

const ADMIN: &str = "admin";
/// More than these are not asked for by name at once.
const MAX_NAMES: usize = 1000;

/// A user as clients send one. What is absent is not to be changed.
#[derive(Deserialize, ToSchema)]
pub(super) struct Sent {
    /// The name; to change, of whoever asks if it is absent.
    username: Option<String>,
    /// Another password.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Password>,
    /// Must be absent or empty.
    #[schema(value_type = Option<String>, max_length = 0)]
    passhash: Option<Password>,
    /// The roles.
    roles: Option<Vec<String>>,
    /// The part of the tree that is the user's.
    home: Option<String>,
    /// The tag, which may also be called `clusterTag`.
    #[serde(rename = "cluster-tag", alias = "clusterTag")]
    tag: Option<String>,
}

/// A user as clients see one.
#[derive(Serialize, ToSchema)]
pub(super) struct Seen<'u> {
    /// The name.
    username: &'u str,
    /// The roles, if there are any.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    roles: &'u [Box<str>],
    /// The part of the tree that is the user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    home: Option<&'u str>,
    /// The tag.
    #[serde(rename = "cluster-tag", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tag: Option<&'u str>,
}

impl<'u> Seen<'u> {
    fn of(user: &'u User) -> Self {
        let home = user.home.as_ref();
        Self {
            username: &user.name,
            roles: &user.roles,
            home: home.map(|home| if home.is_root() { "/" } else { home.as_str() }),
            tag: user.tag.as_deref(),
        }
    }
}

fn is_admin(user: &User) -> bool {
    user.roles.iter().any(|role| &**role == ADMIN)
}

fn forbidden(message: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::plain(StatusCode::FORBIDDEN, message)
}

fn bad(message: &'static str) -> Refusal {
    Refusal::plain(StatusCode::BAD_REQUEST, message)
}

/// The values of `name` in the query, in their order, each once.
fn names(uri: &Uri) -> Result<Vec<String>, Refusal> {
    let unreadable = |_| bad("failed to parse request parameters");
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
    let mut names = Vec::new();
    for (key, name) in pairs {
        if key == "name" && !names.contains(&name) {
            names.push(name);
        }
        if names.len() > MAX_NAMES {
            return Err(bad("too many names"));
        }
    }
    Ok(names)
}

fn read(body: &[u8]) -> Result<Sent, Refusal> {
    read_object(body).ok_or(Refusal::Plain {
        status: StatusCode::BAD_REQUEST,
        message: "not a JSON object with a user".into(),
        details: Some("failed to parse request JSON parameters"),
    })
}

fn missing(name: &str, tried: &'static str) -> Refusal {
    Refusal::Plain {
        status: StatusCode::NOT_FOUND,
        message: format!("no \"{name}\" user found").into(),
        details: Some(tried),
    }
}

fn find(call: &Call, name: &str, tried: &'static str) -> Result<Arc<User>, Refusal> {
    let found = call.snapshot.identities.find(name);
    found.map(|(_, user)| Arc::clone(user)).ok_or_else(|| missing(name, tried))
}

/// Shows users: whoever asks, those that are named, or to an admin all.
#[utoipa::path(
    get,
    path = "/user",
    tag = "ryft",
    params(("name" = Option<Vec<String>>, Query, description = "Whom; others only for an admin")),
    security(("bearer" = []), ("basic" = [])),
    responses(
        (status = 200, description = "The users", body = Vec<Seen<'static>>),
        (status = 400, description = "The query cannot be read", body = ServerError<'static>),
        (status = 403, description = "Only an admin may", body = ServerError<'static>),
        (status = 404, description = "No such user", body = ServerError<'static>),
        Unknown,
    ),
)]
pub(super) async fn list(call: Call, fields: HeaderMap, uri: Uri) -> Result<Response, Refusal> {
    let who = identify(&call, &fields).await?;
    let names = names(&uri)?;
    let is_admin = is_admin(&who);
    let users: Vec<Arc<User>> = if !names.is_empty() {
        if let Some(other) = names.iter().find(|name| !is_admin && **name != *who.name) {
            return Err(forbidden(format!("access to \"{other}\" denied")));
        }
        let find = |name: &String| find(&call, name, "failed to get users");
        names.iter().map(find).collect::<Result<_, _>>()?
    } else if is_admin {
        let identities = &call.snapshot.identities;
        let all = identities.directories.iter().flat_map(Directory::users);
        // Of several of a name the first counts.
        let counts = |user: &&Arc<User>| {
            identities.find(&user.name).is_some_and(|(_, found)| Arc::ptr_eq(found, user))
        };
        all.filter(counts).cloned().collect()
    } else {
        vec![who]
    };
    let seen: Vec<_> = users.iter().map(|user| Seen::of(user)).collect();
    Ok(answer::json(StatusCode::OK, &seen))
}

/// Adds a user; for an admin.
#[utoipa::path(
    post,
    path = "/user",
    tag = "ryft",
    request_body = Sent,
    security(("bearer" = []), ("basic" = [])),
    responses(
        (status = 200, description = "The user", body = Seen<'static>),
        (status = 400, description = "Not a user", body = ServerError<'static>),
        (status = 403, description = "Only an admin may", body = ServerError<'static>),
        (status = 404, description = "A role is unknown", body = ServerError<'static>),
        (status = 409, description = "The user is there already, or users are not kept here", body = ServerError<'static>),
        Unknown,
    ),
)]
pub(super) async fn add(call: Call, fields: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let who = identify(&call, &fields).await?;
    let Sent { username, password, passhash, roles, home, tag } = read(&body)?;
    let name = username.filter(|name| !name.is_empty()).ok_or(bad("no username provided"))?;
    let password = password.filter(|password| !password.is_empty());
    let password = password.ok_or(bad("no password provided"))?;
    if passhash.is_some_and(|hash| !hash.is_empty()) {
        return Err(bad("cannot change password hash"));
    }
    if !is_admin(&who) {
        return Err(forbidden("only admin can create new users"));
    }
    let new = NewUser {
        name: name.clone(),
        roles: roles.unwrap_or_default(),
        home: home.filter(|home| !home.is_empty()),
        tag: tag.filter(|tag| !tag.is_empty()),
        ..NewUser::default()
    };
    let secret = password.into_secret();
    let added = call.service.add_user(new, Some(secret)).await;
    let refused = |error| Refusal::of_users(&error, &name, "failed to create new user");
    Ok(answer::json(StatusCode::OK, &Seen::of(&*added.map_err(refused)?)))
}

/// Changes what is said of a user; others, and more than the password, for an admin.
#[utoipa::path(
    put,
    path = "/user",
    tag = "ryft",
    request_body = Sent,
    security(("bearer" = []), ("basic" = [])),
    responses(
        (status = 200, description = "The user", body = Seen<'static>),
        (status = 400, description = "Not a user", body = ServerError<'static>),
        (status = 403, description = "Only an admin may", body = ServerError<'static>),
        (status = 404, description = "No such user or role", body = ServerError<'static>),
        (status = 409, description = "Users are not kept here", body = ServerError<'static>),
        Unknown,
    ),
)]
pub(super) async fn change(
    call: Call,
    fields: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let who = identify(&call, &fields).await?;
    let Sent { username, password, passhash, roles, home, tag } = read(&body)?;
    let name = username.unwrap_or_else(|| who.name.to_string());
    if passhash.is_some() {
        return Err(bad("cannot change password hash"));
    }
    if password.as_ref().is_some_and(Password::is_empty) {
        return Err(bad("no password provided"));
    }
    if !is_admin(&who) {
        let denied = [
            (password.is_some() && name != *who.name, "only admin can change other user passwords"),
            (home.is_some(), "only admin can change home directories"),
            (tag.is_some(), "only admin can change cluster tag"),
            (roles.is_some(), "only admin can change roles"),
        ];
        if let Some((_, why)) = denied.into_iter().find(|(denied, _)| *denied) {
            return Err(forbidden(why));
        }
        if name != *who.name {
            return Err(forbidden(format!("access to \"{name}\" denied")));
        }
    }
    let update = Update { name: name.clone(), roles, home, tag, ..Update::default() };
    let secret = password.map(Password::into_secret);
    let changed = call.service.update_user(update, secret).await;
    let refused = |error| Refusal::of_users(&error, &name, "failed to update user");
    Ok(answer::json(StatusCode::OK, &Seen::of(&*changed.map_err(refused)?)))
}

/// Removes users; for an admin.
#[utoipa::path(
    delete,
    path = "/user",
    tag = "ryft",
    params(("name" = Option<Vec<String>>, Query, description = "Whom")),
    security(("bearer" = []), ("basic" = [])),
    responses(
        (status = 200, description = "Those that were removed", body = Vec<Seen<'static>>),
        (status = 400, description = "The query cannot be read", body = ServerError<'static>),
        (status = 403, description = "Only an admin may", body = ServerError<'static>),
        (status = 404, description = "No such user", body = ServerError<'static>),
        (status = 409, description = "Users are not kept here", body = ServerError<'static>),
        Unknown,
    ),
)]
pub(super) async fn remove(call: Call, fields: HeaderMap, uri: Uri) -> Result<Response, Refusal> {
    const TRIED: &str = "failed to delete users";
    let who = identify(&call, &fields).await?;
    let names = names(&uri)?;
    if !is_admin(&who) {
        return Err(forbidden("only admin can delete users"));
    }
    let users: Result<Vec<_>, _> = names.iter().map(|name| find(&call, name, TRIED)).collect();
    let users = users?;
    for user in &users {
        let removed = call.service.remove_user(&user.name).await;
        removed.map_err(|error| Refusal::of_users(&error, &user.name, TRIED))?;
    }
    let seen: Vec<_> = users.iter().map(|user| Seen::of(user)).collect();
    Ok(answer::json(StatusCode::OK, &seen))
}
