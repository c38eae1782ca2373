//! What a route refers to: hosts, paths, listeners, upstreams, names.

use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::shape::suggest;
use crate::resource::{Dialect, HostPattern, PathPrefix};

pub(in crate::config) fn prefix(
    key: &Key,
    raw: &str,
    dialect: Dialect,
    findings: &mut Findings<'_>,
) -> Option<PathPrefix> {
    let parsed = raw.parse::<PathPrefix>();
    match parsed.and_then(|prefix| prefix.admit(dialect).map(|()| prefix)) {
        Ok(prefix) => Some(prefix),
        Err(error) => {
            findings.error(key, format!("`{raw}` {error}: write one such as \"/files\""));
            None
        }
    }
}

/// `None`: some are wrong, so that nobody knows what the route wants.
pub(in crate::config) fn hosts(
    key: &Key,
    raw: Option<&[String]>,
    findings: &mut Findings<'_>,
) -> Option<Vec<HostPattern>> {
    let Some(raw) = raw else { return Some(Vec::new()) };
    if raw.is_empty() {
        findings.error(key, "is empty: name a host, or leave the key out for any host");
        return None;
    }
    let mut hosts = Some(Vec::new());
    for (index, text) in raw.iter().enumerate() {
        let reason = match text.parse::<HostPattern>() {
            Ok(host) if hosts.as_ref().is_some_and(|hosts| hosts.contains(&host)) => {
                format!("`{text}` is named twice")
            }
            Ok(host) => {
                if let Some(hosts) = &mut hosts {
                    hosts.push(host);
                }
                continue;
            }
            Err(error) => {
                format!("`{text}` {error}: write \"files.example.org\" or \"*.example.org\"")
            }
        };
        findings.error(&key.item(index), reason);
        hosts = None;
    }
    hosts
}

pub(in crate::config) fn listeners(
    key: &Key,
    names: &[String],
    known: &[String],
    findings: &mut Findings<'_>,
) -> Vec<usize> {
    if names.is_empty() {
        findings.error(key, "is empty: name a listener, or leave the key out for all");
    }
    let mut indices = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let key = key.item(position);
        match refer(&key, name, known, findings) {
            Some(index) if indices.contains(&index) => {
                findings.error(&key, format!("`{name}` is named twice"));
            }
            Some(index) => indices.push(index),
            None => {}
        }
    }
    indices
}

pub(in crate::config) fn refer(
    key: &Key,
    name: &str,
    known: &[String],
    findings: &mut Findings<'_>,
) -> Option<usize> {
    let found = known.iter().position(|known| known == name);
    if found.is_none() {
        let hint = suggest(name, known.iter().map(String::as_str));
        findings.error(key, format!("`{name}` is {hint}"));
    }
    found
}

pub(in crate::config) fn named(
    key: &Key,
    raw: Option<Vec<String>>,
    findings: &mut Findings<'_>,
) -> Vec<String> {
    if raw.as_ref().is_some_and(Vec::is_empty) {
        findings.error(key, "is empty, so that nobody has one of them: name one, or leave it out");
    }
    raw.unwrap_or_default()
}
