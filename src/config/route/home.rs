//! `home`: what of a request must lie in the home of who sends it, and where homes begin.

use super::refer::prefix;
use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::home::{HomeRule, Mode, Place};
use crate::resource::{Dialect, PathPrefix};

pub(super) fn home(
    key: &Key,
    raw: file::Home,
    path: Option<&PathPrefix>,
    dialect: Dialect,
    findings: &mut Findings<'_>,
) -> Option<HomeRule> {
    let file::Home { places, mode, root } = raw;
    let places = self::places(&key.child("in"), places, findings);
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
    Some(HomeRule { places, mode, root, dialect })
}

fn places(key: &Key, raw: Option<Vec<String>>, findings: &mut Findings<'_>) -> Vec<Place> {
    let Some(raw) = raw else { return vec![Place::Path, Place::Destination] };
    if raw.is_empty() {
        findings.error(key, "is empty: write [\"path\"]");
    }
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
                    "`{text}` names no resource: write \"path\", \"query:NAME\" or \
                     \"header:destination\""
                ),
            ),
        }
    }
    places
}
