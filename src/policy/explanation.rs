//! The same decision, told demand by demand: for `explain`, which goes on where the gateway
//! would stop.

use std::net::IpAddr;

use http::Method;

use super::{has_role, holds, is_in_group, reaches, target};
use crate::home::Named;
use crate::identity::Principal;
use crate::route::Route;
use crate::user::{Grant, Permission, PermissionSet, Roles};

/// One demand of a route, and whether it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is demanded.
    pub demand: String,
    /// Whether it is met.
    pub is_met: bool,
    /// What it was held against.
    pub because: String,
    /// Where the demand stands: `file:line:column`. Empty: it comes with the credential.
    pub place: String,
}

/// Every demand in the order of the decision. `roles` are those of the authority that vouches for
/// the principal; `client` is the address that the request comes from.
#[must_use]
pub fn explain(
    principal: &Principal,
    route: &Route,
    method: &Method,
    named: &Named<'_>,
    roles: &Roles,
    client: IpAddr,
) -> Vec<Finding> {
    let (facts, places) = (principal.facts(), &route.places);
    let mut findings = Vec::new();
    let mut add = |demand: String, is_met: bool, because: String, place: &str| {
        findings.push(Finding { demand, is_met, because, place: place.to_owned() });
    };
    let demanded = route.demands(method);
    let is_named = if demanded.is_some() { "among" } else { "not among" };
    let because = format!("{is_named} the route's methods");
    add(format!("method {method}"), demanded.is_some(), because, &places.methods);
    let demanded = demanded.unwrap_or_default();
    if let Some(key) = principal.key() {
        let reached = reaches(&key.scope, demanded, method, named, client);
        let because = reached.map_or_else(|reach| reach.to_string(), |()| "within it".to_owned());
        add(format!("scope of the API key {}", key.id), reached.is_ok(), because, "");
    }
    for permission in demanded {
        let is_held = holds(principal, permission);
        let because = match granted_by(&facts.roles, roles, permission) {
            Some(role) if is_held => format!("holds {}, by {role}", list(&facts.permissions)),
            Some(_) | None => format!("holds {}", list(&facts.permissions)),
        };
        let demand = format!("permission {}", permission.as_str());
        add(demand, is_held, because, places.permissions(method));
    }
    if !route.roles.is_empty() {
        let demand = format!("one of the roles [{}]", route.roles.join(", "));
        let because = format!("has [{}]", facts.roles.join(", "));
        add(demand, has_role(principal, route), because, &places.roles);
    }
    if !route.groups.is_empty() {
        let demand = format!("one of the groups [{}]", route.groups.join(", "));
        let because = format!("is in [{}]", facts.groups.join(", "));
        add(demand, is_in_group(principal, route), because, &places.groups);
    }
    if let Some(rule) = &route.home {
        let home = facts.home.as_ref().map_or_else(
            || "none".to_owned(),
            |home| if home.is_root() { "/".to_owned() } else { home.as_str().to_owned() },
        );
        let confined = target(principal, route, named);
        let because = match &confined {
            Ok(_) => format!("home {home}"),
            Err(error) => format!("home {home}: {error}"),
        };
        let looked_at: Vec<_> = rule.places.iter().map(ToString::to_string).collect();
        let demand =
            format!("home ({}) below {}, in {}", rule.mode, rule.root, looked_at.join(", "));
        add(demand, confined.is_ok(), because, &places.home);
    }
    findings
}

/// The role that grants the permission, and where it is defined.
fn granted_by(held: &[Box<str>], roles: &Roles, permission: &Permission) -> Option<String> {
    let grants = |name: &str| roles.get(name).is_some_and(|set| set.grants(permission));
    let name = held.iter().find(|name| grants(name))?;
    Some(match roles.place(name) {
        Some(place) => format!("the role {name} at {place}"),
        None => format!("the role {name}"),
    })
}

fn list(held: &PermissionSet) -> String {
    let held: Vec<_> = held.iter().map(Grant::as_str).collect();
    format!("[{}]", held.join(", "))
}
