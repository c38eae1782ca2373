//! Back from the upstream's tree to what a principal sees of it.

use std::borrow::Cow;

use super::value::{base, in_query};
use super::{Base, HomeRule, Mode, PlaceKind};
use crate::resource::query::decode;
use crate::resource::{CanonicalHost, CanonicalPath, CanonicalQuery, PathPrefix, encode_segment};

/// Translates the upstream's `Location` or `Content-Location` for the principal.
///
/// In [`Mode::Rewrite`] the home is taken out of a path of this host, and out of the query
/// parameters that the rule names. What points into the tree but out of the home has no name
/// that the principal could use: `None`, and the header must not be passed on. Other hosts,
/// paths outside the root and relative references stay as they are.
#[must_use]
pub fn reveal(
    rule: &HomeRule,
    home: &PathPrefix,
    location: &str,
    host: &CanonicalHost<'_>,
) -> Option<String> {
    if rule.mode == Mode::Require || home.is_root() {
        return Some(location.to_owned());
    }
    let (origin, rest) = split_origin(location);
    let is_ours = match origin.authority {
        Some(authority) => is_host(authority, host),
        None => rest.starts_with('/'),
    };
    if !is_ours {
        return Some(location.to_owned());
    }
    let (rest, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
    let (path, query) =
        rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let path = reveal_path(rule, home, path)?;
    let query = query.map(|query| reveal_query(rule, home, query));
    let query = match query {
        Some(query) => ["?", &query?].concat(),
        None => String::new(),
    };
    Some([origin.text, &path, &query, fragment].concat())
}

/// What stands before the path of a reference.
struct Origin<'l> {
    text: &'l str,
    authority: Option<&'l str>,
}

/// Splits an absolute URI or network path before its path; anything else has no origin.
fn split_origin(location: &str) -> (Origin<'_>, &str) {
    let none = (Origin { text: "", authority: None }, location);
    let start = match location.split_once("//") {
        Some(("", _)) => 2,
        Some((scheme, _)) if is_http(scheme) => scheme.len() + 2,
        _ => return none,
    };
    let Some(rest) = location.get(start..) else { return none };
    let end = start + rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (text, path) = location.split_at(end);
    (Origin { text, authority: text.get(start..) }, path)
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http:") || scheme.eq_ignore_ascii_case("https:")
}

/// Whether an authority is the host that the request was made to, on any port that it may
/// have been reached by.
fn is_host(authority: &str, host: &CanonicalHost<'_>) -> bool {
    CanonicalHost::parse(authority).is_ok_and(|other| {
        let same_port = match (other.port(), host.port()) {
            (Some(port), Some(other)) => port == other,
            _ => true,
        };
        other.name() == host.name() && same_port
    })
}

fn reveal_path<'l>(rule: &HomeRule, home: &PathPrefix, path: &'l str) -> Option<Cow<'l, str>> {
    if !rule.rests_on(PlaceKind::Path) || path.is_empty() {
        return Some(Cow::Borrowed(path));
    }
    let canonical = CanonicalPath::parse(path).ok()?;
    let Some(rest) = rule.root.strip(canonical.as_str()) else {
        return Some(Cow::Borrowed(path));
    };
    let rest = home.strip(rest)?;
    let revealed = [rule.root.as_str(), rest].concat();
    Some(Cow::Owned(if revealed.is_empty() { "/".to_owned() } else { revealed }))
}

fn reveal_query(rule: &HomeRule, home: &PathPrefix, query: &str) -> Option<String> {
    if !rule.rests_on(PlaceKind::Query) {
        return Some(query.to_owned());
    }
    let canonical = CanonicalQuery::parse(Some(query)).ok()?;
    let mut revealed = Vec::new();
    for pair in canonical.pairs() {
        if base(rule, PlaceKind::Query, &pair) != Some(Base::Home) {
            revealed.push(Cow::Borrowed(pair.text));
            continue;
        }
        let value = decode(pair.value).ok()?;
        let inside = decode(home.as_str()).ok()?;
        let rest = value.strip_prefix('/').unwrap_or(&value);
        let rest = rest.strip_prefix(inside.strip_prefix('/')?)?;
        if !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        let segments: Vec<_> = rest.split('/').map(encode_segment).collect();
        let rest = if rest.is_empty() { "/".to_owned() } else { in_query(&segments.join("/")) };
        revealed.push(Cow::Owned([pair.name, "=", &rest].concat()));
    }
    Some(revealed.join("&"))
}
