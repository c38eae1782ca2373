//! Decides whether a principal may do what a request asks for, and says why not.
//!
//! A [`Permit`] is the proof of it. Only [`authorize`] makes one, and the forwarder takes it by
//! value: code that skips the decision does not compile.

pub mod explanation;

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use http::Method;

use crate::api_key::Scope;
use crate::home::{self, HomeError, Named, Target};
use crate::identity::Principal;
use crate::resource::{CanonicalPath, Destination};
use crate::route::Route;
use crate::user::Permission;

/// Proof that the principal may send exactly this target to the route's upstream.
#[derive(Debug)]
pub struct Permit<'r> {
    principal: Rc<Principal>,
    route: &'r Route,
    target: Target<'r>,
}

impl<'r> Permit<'r> {
    /// Who may.
    #[must_use]
    pub fn principal(&self) -> &Rc<Principal> {
        &self.principal
    }

    /// On which route.
    #[must_use]
    pub fn route(&self) -> &'r Route {
        self.route
    }

    /// What is sent: the form that was decided on.
    #[must_use]
    pub fn target(&self) -> &Target<'r> {
        &self.target
    }
}

/// Why a principal may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Something named lies outside its home, or the home cannot be told.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The route does not let the method through.
    #[error("the route does not let the method through")]
    Method,
    /// It is in none of the route's groups.
    #[error("in none of the groups that the route demands")]
    MissingGroup,
    /// It lacks a permission that the method demands.
    #[error("lacks a permission that the method demands")]
    MissingPermission,
    /// It has none of the route's roles.
    #[error("has none of the roles that the route demands")]
    MissingRole,
    /// The API key, or the one that the token was exchanged for, does not reach so far.
    #[error("the API key does not reach so far: {0}")]
    OutsideScope(Reach),
}

/// In what an API key's scope does not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The method.
    Method,
    /// Something that is named.
    Path,
    /// A permission that its owner may hold.
    Permission,
    /// Where it is used.
    Source,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "not with this method",
            Self::Path => "not for this path",
            Self::Permission => "it does not pass the permission on",
            Self::Source => "not from this address",
        })
    }
}

impl Denied {
    /// Which part of the request it is about, if it is about one.
    #[must_use]
    pub fn part(self) -> Option<&'static str> {
        match self {
            Self::Home(error) => error.part(),
            Self::Method
            | Self::MissingGroup
            | Self::MissingPermission
            | Self::MissingRole
            | Self::OutsideScope(_) => None,
        }
    }

    /// The reason as logs and metrics name it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Home(error) => error.label(),
            Self::Method => "method",
            Self::MissingGroup => "missing_group",
            Self::MissingPermission => "missing_permission",
            Self::MissingRole => "missing_role",
            Self::OutsideScope(_) => "key_scope",
        }
    }
}

/// Proof that nothing but a request's body stands between it and a [`Permit`]: only then is a body
/// read before the decision.
#[derive(Debug)]
pub struct Admission<'r> {
    route: &'r Route,
}

impl<'r> Admission<'r> {
    /// On which route.
    #[must_use]
    pub fn route(&self) -> &'r Route {
        self.route
    }
}

/// Decides on everything that is known before the body is read.
///
/// # Errors
///
/// The first demand that is not met, whatever the body holds.
pub fn admit<'r>(
    principal: &Principal,
    route: &'r Route,
    method: &Method,
    named: &Named<'_>,
    client: IpAddr,
) -> Result<Admission<'r>, Denied> {
    meets(principal, route, method, named, client)?;
    if let Some(rule) = &route.home {
        home::precheck(rule, principal.facts().home.as_ref(), named)?;
    }
    Ok(Admission { route })
}

/// Decides. The scope of an API key comes first, then each demand of the route; the home is last,
/// because it makes the target. `client` is the address that the request comes from.
///
/// # Errors
///
/// The first demand that is not met. Where the route looks into bodies, one that was not read is
/// no permit's.
pub fn authorize<'r>(
    principal: &Rc<Principal>,
    route: &'r Route,
    method: &Method,
    named: &Named<'r>,
    client: IpAddr,
) -> Result<Permit<'r>, Denied> {
    meets(principal, route, method, named, client)?;
    let target = target(principal, route, named)?;
    Ok(Permit { principal: Rc::clone(principal), route, target })
}

/// Every demand but the home.
fn meets(
    principal: &Principal,
    route: &Route,
    method: &Method,
    named: &Named<'_>,
    client: IpAddr,
) -> Result<(), Denied> {
    let permissions = route.demands(method).ok_or(Denied::Method)?;
    if let Some(key) = principal.key() {
        reaches(&key.scope, permissions, method, named, client).map_err(Denied::OutsideScope)?;
    }
    if !permissions.iter().all(|permission| holds(principal, permission)) {
        return Err(Denied::MissingPermission);
    }
    if !has_role(principal, route) {
        return Err(Denied::MissingRole);
    }
    if !is_in_group(principal, route) {
        return Err(Denied::MissingGroup);
    }
    Ok(())
}

/// Whether a scope suffices for all of a request: the path, and what `Destination` and `If` name.
fn reaches(
    scope: &Scope,
    permissions: &[Permission],
    method: &Method,
    named: &Named<'_>,
    client: IpAddr,
) -> Result<(), Reach> {
    if !scope.allows_source(client) {
        return Err(Reach::Source);
    }
    if !scope.allows_method(method) {
        return Err(Reach::Method);
    }
    let allows = |path: &CanonicalPath<'_>| scope.allows_path(path);
    if !allows(named.path)
        || !named.destination.map(Destination::path).is_none_or(allows)
        || !named.condition.is_none_or(|condition| condition.paths().all(allows))
    {
        return Err(Reach::Path);
    }
    if !permissions.iter().all(|permission| scope.passes(permission)) {
        return Err(Reach::Permission);
    }
    Ok(())
}

fn holds(principal: &Principal, permission: &Permission) -> bool {
    principal.facts().permissions.grants(permission)
}

fn has_role(principal: &Principal, route: &Route) -> bool {
    let roles = &principal.facts().roles;
    route.roles.is_empty() || route.roles.iter().any(|role| roles.contains(role))
}

fn is_in_group(principal: &Principal, route: &Route) -> bool {
    let groups = &principal.facts().groups;
    route.groups.is_empty() || route.groups.iter().any(|group| groups.contains(group))
}

fn target<'r>(
    principal: &Principal,
    route: &'r Route,
    named: &Named<'r>,
) -> Result<Target<'r>, HomeError> {
    match &route.home {
        None => Ok(home::unconfined(named)),
        Some(rule) => home::confine(rule, principal.facts().home.as_ref(), named),
    }
}

#[cfg(test)]
mod tests;
