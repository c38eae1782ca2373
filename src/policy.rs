//! Decides whether a principal may do what a request asks for, and says why not.
//!
//! A [`Permit`] is the proof of it. Only [`authorize`] makes one, and the forwarder takes it by
//! value: code that skips the decision does not compile.

pub mod explanation;

use std::rc::Rc;

use http::Method;

use crate::home::{self, HomeError, Named, Target};
use crate::identity::Principal;
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
}

impl Denied {
    /// The reason as logs and metrics name it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Home(error) => error.label(),
            Self::Method => "method",
            Self::MissingGroup => "missing_group",
            Self::MissingPermission => "missing_permission",
            Self::MissingRole => "missing_role",
        }
    }
}

/// Decides. Each demand of the route must be met; the home is last, because it makes the
/// target.
///
/// # Errors
///
/// The first demand that is not met.
pub fn authorize<'r>(
    principal: &Rc<Principal>,
    route: &'r Route,
    method: &Method,
    named: &Named<'r>,
) -> Result<Permit<'r>, Denied> {
    let permissions = route.demands(method).ok_or(Denied::Method)?;
    if !permissions.iter().all(|permission| holds(principal, permission)) {
        return Err(Denied::MissingPermission);
    }
    if !has_role(principal, route) {
        return Err(Denied::MissingRole);
    }
    if !is_in_group(principal, route) {
        return Err(Denied::MissingGroup);
    }
    let target = target(principal, route, named)?;
    Ok(Permit { principal: Rc::clone(principal), route, target })
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
