//! `home`: what of a request must lie in the home of who sends it, and where homes begin.

use super::refer::prefix;
use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::home::{HomeRule, INSPECT_LIMIT, Mode, Place, PlaceKind};
use crate::resource::{Dialect, PathPrefix};

/// What a route may ask for at most: so much is held of each request that it looks into.
const MOST_INSPECTED: u64 = 1024 * 1024;

pub(super) fn home(
    key: &Key,
    raw: file::Home,
    path: Option<&PathPrefix>,
    dialect: Dialect,
    findings: &mut Findings<'_>,
) -> Option<HomeRule> {
    let file::Home { places, relative, mode, root, patterns, inspect_limit } = raw;
    let places = match places {
        Some(places) => {
            if places.is_empty() {
                findings.error(&key.child("in"), "is empty: write [\"path\"]");
            }
            self::places(&key.child("in"), &places, findings)
        }
        None => vec![Place::Path, Place::Destination, Place::Condition],
    };
    let relative = relative.unwrap_or_default();
    let relative = self::relative(&key.child("relative"), &relative, &places, findings);
    let mode = match mode.unwrap_or(file::Mode::Require) {
        file::Mode::Require => Mode::Require,
        file::Mode::Rewrite => Mode::Rewrite,
    };
    let root_key = key.child("root");
    let root = match root {
        Some(root) => prefix(&root_key, &root, dialect, findings)?,
        None => path?.clone(),
    };
    let is_nested = |outer: &PathPrefix, inner: &PathPrefix| {
        let rest = inner.as_str().strip_prefix(outer.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some(path) = path
        && places.contains(&Place::Path)
        && !is_nested(path, &root)
        && !is_nested(&root, path)
    {
        let reason = format!(
            "`{root}` and the route's path `{path}` have nothing in common, so that nothing could \
             pass: write \"{path}\""
        );
        findings.error(&root_key, reason);
    }
    let limit_key = key.child("inspect_limit");
    let default = INSPECT_LIMIT as u64;
    let limit = findings.size(&limit_key, inspect_limit.as_deref(), default, 1024..=MOST_INSPECTED);
    let rule = HomeRule {
        places,
        relative,
        mode,
        root,
        allows_patterns: patterns.unwrap_or(true),
        inspect_limit: usize::try_from(limit).unwrap_or(INSPECT_LIMIT),
        dialect,
    };
    if inspect_limit.is_some() && !rule.inspects() {
        findings.warn(&limit_key, "does nothing: neither `form:` nor `json:` is looked into");
    }
    warn_of_queries(&key.child("in"), &rule, findings);
    Some(rule)
}

/// Many servers take a field from the query as well as from the body.
fn warn_of_queries(key: &Key, rule: &HomeRule, findings: &mut Findings<'_>) {
    let all = || rule.places.iter().chain(&rule.relative);
    for place in all().filter(|place| place.kind() == PlaceKind::Form) {
        let name = place.name().unwrap_or_default();
        let is_query = |it: &Place| it.kind() == PlaceKind::Query && it.name() == Some(name);
        if !all().any(is_query) {
            findings.warn(
                key,
                format!(
                    "looks for `{name}` in forms and not in the query, where many servers take it \
                     from as well: add \"query:{name}\""
                ),
            );
        }
    }
}

/// Places whose values go on from the path.
fn relative(
    key: &Key,
    raw: &[String],
    others: &[Place],
    findings: &mut Findings<'_>,
) -> Vec<Place> {
    let relative = places(key, raw, findings);
    for (index, place) in relative.iter().enumerate() {
        let reason = if place.name().is_none() {
            format!(
                "`{place}` goes on from nothing: write \"query:NAME\", \"form:NAME\" or \"json:NAME\""
            )
        } else if others.contains(place) {
            format!("`{place}` is named in `in` as well: it is either or")
        } else {
            continue;
        };
        findings.error(&key.item(index), reason);
    }
    if !relative.is_empty() && !others.contains(&Place::Path) {
        findings.error(key, "goes on from the path, which `in` does not name: add \"path\" there");
    }
    relative
}

fn places(key: &Key, raw: &[String], findings: &mut Findings<'_>) -> Vec<Place> {
    let mut places = Vec::new();
    for (index, text) in raw.iter().enumerate() {
        match text.parse() {
            Ok(place) if places.contains(&place) => {
                findings.error(&key.item(index), format!("`{text}` is named twice"));
            }
            Ok(place) => places.push(place),
            Err(_) => findings.error(
                &key.item(index),
                format!(
                    "`{text}` names no resource: write \"path\", \"query:NAME\", \"form:NAME\", \
                     \"json:NAME\", \"header:destination\" or \"header:if\""
                ),
            ),
        }
    }
    places
}
