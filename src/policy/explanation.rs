//! The same decision, told demand by demand: for `explain`, which goes on where the gateway
//! would stop.

use std::net::Ipv4Addr;
use std::rc::Rc;

use http::Method;

use super::{authorize, has_role, holds, is_in_group, target};
use crate::home::Named;
use crate::identity::Principal;
use crate::route::Route;
use crate::user::Grant;

/// One demand of a route, and whether it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is demanded.
    pub demand: String,
    /// Whether it is met.
    pub is_met: bool,
    /// What it was held against.
    pub because: String,
}

/// Every demand of the route in the order of the decision, and the target that would be sent
/// if all are met.
#[must_use]
pub fn explain(
    principal: &Rc<Principal>,
    route: &Route,
    method: &Method,
    named: &Named<'_>,
) -> (Vec<Finding>, Option<String>) {
    let facts = principal.facts();
    let mut findings = Vec::new();
    let mut add = |demand: String, is_met: bool, because: String| {
        findings.push(Finding { demand, is_met, because });
    };
    match route.demands(method) {
        None => add(format!("method {method}"), false, "not among the route's methods".to_owned()),
        Some(permissions) => {
            add(format!("method {method}"), true, "among the route's methods".to_owned());
            for permission in permissions {
                let held: Vec<_> = facts.permissions.iter().map(Grant::as_str).collect();
                let because = format!("holds [{}]", held.join(", "));
                add(
                    format!("permission {}", permission.as_str()),
                    holds(principal, permission),
                    because,
                );
            }
        }
    }
    if !route.roles.is_empty() {
        let demand = format!("one of the roles [{}]", route.roles.join(", "));
        add(demand, has_role(principal, route), format!("has [{}]", facts.roles.join(", ")));
    }
    if !route.groups.is_empty() {
        let demand = format!("one of the groups [{}]", route.groups.join(", "));
        add(demand, is_in_group(principal, route), format!("is in [{}]", facts.groups.join(", ")));
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
        add(format!("home ({}) below {}", rule.mode, rule.root), confined.is_ok(), because);
    }
    // Nobody explains the scope of a key, so that the address does not matter.
    let client = Ipv4Addr::UNSPECIFIED.into();
    let permit = authorize(principal, route, method, named, client);
    (findings, permit.ok().map(|permit| permit.target().path_and_query()))
}
