//! What may be told of a query: the names of its parameters, and the values of those that a route
//! looks at, since they name resources. Of `If` its resources are told. Anything else may be a secret.

use super::report::Report;
use crate::home::{HomeRule, Place};
use crate::resource::CanonicalQuery;

/// Hides in a report what may be a secret. `rule` is the home of the route, if one was found.
pub(crate) fn redact(report: &mut Report, rule: Option<&HomeRule>) {
    let names: Vec<&str> =
        rule.into_iter().flat_map(HomeRule::looked_at).filter_map(name).collect();
    let target = |text: &mut String| *text = redacted_target(text, &names);
    target(&mut report.request.target);
    if let Some(canonical) = &mut report.canonical {
        for query in [&mut canonical.query, &mut canonical.query_from].into_iter().flatten() {
            *query = redacted(query, &names);
        }
        canonical.destination_from.iter_mut().for_each(target);
        canonical.condition = canonical.condition.as_deref().map(without_states);
        canonical.condition_from = None;
    }
    if let Some(forwarded) = &mut report.forwarded {
        target(&mut forwarded.target);
        forwarded.condition = forwarded.condition.as_deref().map(without_states);
        forwarded.body = None;
    }
}

fn name(place: &Place) -> Option<&str> {
    match place {
        Place::Query(name) => Some(name),
        Place::Condition | Place::Destination | Place::Form(_) | Place::Json(_) | Place::Path => {
            None
        }
    }
}

/// A target or URI without the values of its query, its fragment and its user information.
fn redacted_target(text: &str, names: &[&str]) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let (place, query) = match text.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (text, None),
    };
    let mut told = without_user(place);
    if let Some(query) = query {
        told.push('?');
        told.push_str(&redacted(query, names));
    }
    told
}

/// `//user:password@host` as `//…@host`.
fn without_user(text: &str) -> String {
    let Some((before, rest)) = text.split_once("//") else { return text.to_owned() };
    let end = rest.find(['/', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{before}//…@{host}{path}"),
        None => text.to_owned(),
    }
}

/// An `If` in canonical form without what its lists ask for: tokens of locks among them.
fn without_states(condition: &str) -> String {
    let mut told = String::new();
    let mut rest = condition;
    while let Some((before, list)) = rest.split_once('(') {
        told.extend([before, "(…)"]);
        rest = list.split_once(')').map_or("", |(_, rest)| rest);
    }
    told
}

fn redacted(query: &str, names: &[&str]) -> String {
    let pairs: Vec<_> = query.split('&').map(|pair| redacted_pair(pair, names)).collect();
    pairs.join("&")
}

fn redacted_pair(pair: &str, names: &[&str]) -> String {
    let is_named = |text: &str| {
        let query = CanonicalQuery::parse(Some(text)).ok();
        query.is_some_and(|query| {
            query.pairs().all(|pair| names.iter().any(|name| pair.is_called(name)))
        })
    };
    match pair.split_once('=') {
        Some(_) if is_named(pair) => pair.to_owned(),
        Some((name, _)) => format!("{name}=…"),
        None if pair.is_empty() => String::new(),
        None => "…".to_owned(), // a value, as likely as a name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_if_its_resources_are_told() {
        for (condition, told) in [
            ("(<urn:1> [\"e\"]) (Not <urn:2>)", "(…) (…)"),
            ("</a> (<urn:1>) </b> ([\"e\"])", "</a> (…) </b> (…)"),
        ] {
            assert_eq!(without_states(condition), told);
        }
    }

    #[test]
    fn only_values_of_parameters_that_the_route_looks_at_are_told() {
        for (target, told) in [
            ("/a", "/a"),
            ("/a?", "/a?"),
            ("/a?token=x&dir=/b&&dir", "/a?token=…&dir=/b&&…"),
            ("/a?di%72=%2fb;c", "/a?di%72=%2fb;c"),
            ("/a?secret", "/a?…"),
            ("/a?dir=%zz", "/a?dir=…"),
            ("/a?DIR=/b&dir=/b?x=y#z", "/a?DIR=…&dir=/b?x=y"),
            ("http://u:p@h.test/a?x=y", "http://…@h.test/a?x=…"),
            ("https://u@h.test", "https://…@h.test"),
            ("//u:p@h/a", "//…@h/a"),
            ("/a//b@c", "/a//…@c"),
        ] {
            assert_eq!(redacted_target(target, &["dir"]), told, "{target}");
        }
    }
}
