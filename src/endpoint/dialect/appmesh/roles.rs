//! Roles and permissions.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};

use super::answer::{Refusal, done, json_body};
use super::body::{Message, Refusals, Unchanged};
use super::credential::{Name, authorize, verify};
use crate::service::Call;
use crate::user::{Grant, Permission, PermissionSet};

/// Those that App Mesh itself knows.
const KNOWN: [&str; 33] = [
    "app-control",
    "app-delete",
    "app-output-view",
    "app-reg",
    "app-run-async",
    "app-run-async-output",
    "app-run-sync",
    "app-run-task",
    "app-subscribe",
    "app-view",
    "app-view-all",
    "config-set",
    "config-view",
    "file-download",
    "file-upload",
    "host-resource-view",
    "label-delete",
    "label-set",
    "label-view",
    "passwd-change-self",
    "passwd-change-user",
    "permission-list",
    "role-delete",
    "role-set",
    "role-view",
    "user-add",
    "user-delete",
    "user-list",
    "user-lock",
    "user-token-renew",
    "user-totp-active",
    "user-totp-disable",
    "user-unlock",
];

/// Every role, of the configuration and of the files.
fn roles(call: &Call) -> BTreeMap<&str, &PermissionSet> {
    let identities = &call.snapshot.identities;
    let files = identities.directories.iter().rev().flat_map(|directory| directory.roles().iter());
    files.chain(identities.roles.iter()).collect()
}

fn texts(permissions: &PermissionSet) -> Vec<&str> {
    permissions.iter().map(Grant::as_str).collect()
}

/// All roles, and what they may do.
#[utoipa::path(
    get,
    path = "/appmesh/roles",
    operation_id = "list_roles",
    tag = "roles",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Permissions by role", body = BTreeMap<String, Vec<String>>), Refusals),
)]
pub(super) async fn list(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&call, &method, &fields, "role-view")?;
    let roles = roles(&call).into_iter();
    let said: BTreeMap<_, _> = roles.map(|(name, held)| (name, texts(held))).collect();
    Ok(json_body(StatusCode::OK, &said))
}

/// Says what a role may do. One that may do nothing is removed.
#[utoipa::path(
    post,
    path = "/appmesh/role/{name}",
    operation_id = "set_role",
    tag = "roles",
    params(("name" = String, Path, description = "The role")),
    request_body = Vec<String>,
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Done", body = Message), Refusals, Unchanged),
)]
pub(super) async fn set(
    call: Call,
    method: Method,
    Name(name): Name,
    fields: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorize(&call, &method, &fields, "role-set")?;
    let grants: Vec<String> = serde_json::from_slice(&body)
        .map_err(|_| Refusal::bad("an array of permissions is needed, in JSON"))?;
    if grants.is_empty() {
        call.service.remove_role(&name).await?;
    } else {
        call.service.set_role(&name, grants).await?;
    }
    Ok(done("Role update success"))
}

/// Removes a role.
#[utoipa::path(
    delete,
    path = "/appmesh/role/{name}",
    operation_id = "remove_role",
    tag = "roles",
    params(("name" = String, Path, description = "The role")),
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "Done", body = Message), Refusals, Unchanged),
)]
pub(super) async fn remove(
    call: Call,
    method: Method,
    Name(name): Name,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&call, &method, &fields, "role-delete")?;
    call.service.remove_role(&name).await?;
    Ok(done("Role delete success"))
}

/// Every permission that is known by name, here or to App Mesh.
fn named<'c>(sets: impl IntoIterator<Item = &'c PermissionSet>) -> BTreeSet<&'c str> {
    let held = sets.into_iter().flat_map(PermissionSet::iter);
    let held = held.filter(|grant| !grant.is_wildcard()).map(Grant::as_str);
    held.chain(KNOWN).collect()
}

/// All permissions that are known by name.
#[utoipa::path(
    get,
    path = "/appmesh/permissions",
    tag = "roles",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "The permissions", body = Vec<String>), Refusals),
)]
pub(super) async fn permissions(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    authorize(&call, &method, &fields, "permission-list")?;
    Ok(json_body(StatusCode::OK, &named(roles(&call).into_values())))
}

/// The permissions of whoever asks, one by one: clients know no wildcards.
#[utoipa::path(
    get,
    path = "/appmesh/user/permissions",
    tag = "roles",
    security(("bearer" = []), ("cookie" = [])),
    responses((status = 200, description = "The permissions", body = Vec<String>), Refusals),
)]
pub(super) async fn own_permissions(
    call: Call,
    method: Method,
    fields: HeaderMap,
) -> Result<Response, Refusal> {
    let (_, verified) = verify(&call, &method, &fields)?;
    let held = &verified.principal.permissions;
    let has = |name: &&str| name.parse::<Permission>().is_ok_and(|named| verified.may(&named));
    let sets = roles(&call).into_values().chain([held]);
    let own: Vec<&str> = named(sets).into_iter().filter(has).collect();
    Ok(json_body(StatusCode::OK, &own))
}
