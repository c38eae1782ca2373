//! Why it is that route, and no other that covers the path.

use http::Method;

use super::report::{Chosen, PassedOver, Report};
use crate::resource::{CanonicalHost, CanonicalPath, HostPattern};
use crate::route::{NoRoute, Route, Table};

/// Finds the route of a request to a listener, and notes in the report how it was chosen.
pub(super) fn find<'t>(
    table: &'t Table,
    listener: usize,
    host: &CanonicalHost<'_>,
    path: &CanonicalPath<'_>,
    method: &Method,
    report: &mut Report,
) -> Result<&'t Route, NoRoute<'t>> {
    let found = table.find(listener, host, path, method);
    let chosen = match &found {
        Ok((_, route)) => Some(*route),
        Err(NoRoute::CaseVariant(name) | NoRoute::Method(name)) => {
            table.routes().iter().find(|route| &*route.name == *name)
        }
        Err(NoRoute::Nothing) => None,
    };
    report.route = chosen.map(|route| Chosen {
        name: route.name.to_string(),
        place: route.place.to_string(),
        because: chosen_because(route, host),
    });
    let others = table.routes().iter().filter(|route| route.path.covers(path));
    let others = others.filter(|route| chosen.is_none_or(|chosen| chosen.name != route.name));
    report.passed_over = others
        .map(|route| PassedOver {
            name: route.name.to_string(),
            place: route.place.to_string(),
            because: passed_over_because(route, chosen, listener, host).to_owned(),
        })
        .collect();
    found.map(|(_, route)| route)
}

fn passed_over_because(
    route: &Route,
    chosen: Option<&Route>,
    listener: usize,
    host: &CanonicalHost<'_>,
) -> &'static str {
    if !route.listeners.contains(&listener) {
        return "it is not on this listener";
    }
    let Some(specificity) = specificity(route, host) else { return "it is for other hosts" };
    match chosen {
        Some(chosen) if specificity < self::specificity(chosen, host).unwrap_or_default() => {
            "its hosts are less specific"
        }
        Some(chosen) if route.path.as_str().len() < chosen.path.as_str().len() => {
            "its path is shorter"
        }
        Some(_) | None => "it is for other methods",
    }
}

fn chosen_because(route: &Route, host: &CanonicalHost<'_>) -> String {
    let pattern = route.hosts.iter().find(|pattern| pattern.matches(host));
    let hosts = pattern.map_or_else(|| "any host".to_owned(), |pattern| format!("host {pattern}"));
    format!("answers for {hosts}, and has the longest path that covers this one: {}", route.path)
}

/// How closely a route names the host; `None`: not at all.
fn specificity(route: &Route, host: &CanonicalHost<'_>) -> Option<usize> {
    if route.hosts.is_empty() {
        return Some(0);
    }
    let matching = route.hosts.iter().filter(|pattern| pattern.matches(host));
    let lengths = matching.map(|pattern| match pattern {
        HostPattern::Exact(_) => usize::MAX,
        HostPattern::Wildcard(suffix) => suffix.len(),
    });
    lengths.max()
}
