//! Query parameters that name resources: paths in the tree of homes, without the root.

use std::borrow::Cow;

use super::{HomeError, HomeRule, Mode, PlaceKind, Target};
use crate::resource::path::inspect_decoded;
use crate::resource::prefix::strip_ignoring_case;
use crate::resource::query::{Pair, decode};
use crate::resource::{CanonicalQuery, PathPrefix, ResourceError};

const QUERY: PlaceKind = PlaceKind::Query;

/// Confines all repeats of the rule's parameters; whether there was one.
pub(super) fn confine<'r>(
    rule: &HomeRule,
    home: &PathPrefix,
    query: &'r CanonicalQuery<'r>,
    target: &mut Target<'r>,
) -> Result<bool, HomeError> {
    for name in rule.parameters() {
        query.demand(name).map_err(|error| HomeError::Ambiguous(QUERY, error))?;
    }
    let mut names_something = false;
    for pair in query.pairs().filter(|pair| is_named(rule, pair)) {
        judge(rule, home, pair.value)?;
        names_something = true;
    }
    if names_something && rule.mode == Mode::Rewrite && !home.is_root() {
        target.query = Some(Cow::Owned(rewrite(rule, home, query)));
    }
    Ok(names_something)
}

pub(super) fn is_named(rule: &HomeRule, pair: &Pair<'_>) -> bool {
    rule.parameters().any(|name| pair.is_called(name))
}

/// Judges one value, in canonical form, in both readings of `+`.
fn judge(rule: &HomeRule, home: &PathPrefix, value: &str) -> Result<(), HomeError> {
    let plain = decode(value).map_err(|error| HomeError::Ambiguous(QUERY, error))?;
    judge_reading(rule, home, &plain)?;
    if value.contains('+') {
        let form = value.replace('+', "%20");
        let form = decode(&form).map_err(|error| HomeError::Ambiguous(QUERY, error))?;
        judge_reading(rule, home, &form)?;
    }
    Ok(())
}

fn judge_reading(rule: &HomeRule, home: &PathPrefix, value: &str) -> Result<(), HomeError> {
    if value.is_empty() && !home.is_root() {
        return Err(HomeError::Empty(QUERY));
    }
    inspect_decoded(value)
        .and_then(|found| found.admit(rule.dialect))
        .and_then(|()| {
            if may_glob_upwards_once_decoded(value) {
                Err(ResourceError::DotSegment)
            } else {
                Ok(())
            }
        })
        .map_err(|error| HomeError::Ambiguous(QUERY, error))?;
    if rule.mode == Mode::Rewrite || home.is_root() {
        return Ok(());
    }
    // A value without a leading slash is read from the root of the tree as well.
    let home = decode(home.as_str()).map_err(HomeError::AmbiguousHome)?;
    let value = value.strip_prefix('/').unwrap_or(value);
    let home = home.strip_prefix('/').unwrap_or(&home);
    if value.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        Ok(())
    } else if strip_ignoring_case(value, home).is_some() {
        Err(HomeError::CaseVariant(QUERY))
    } else {
        Err(HomeError::Outside(QUERY))
    }
}

/// Whether [`may_glob_upwards`] holds for a value as it is, or as a server has it that decodes again.
/// Who is admitted here has no encodings without end.
fn may_glob_upwards_once_decoded(value: &str) -> bool {
    let mut value = Cow::Borrowed(value);
    loop {
        if may_glob_upwards(&value) {
            return true;
        }
        let octets = percent_encoding::percent_decode_str(&value);
        let again = octets.decode_utf8_lossy().into_owned();
        if again == *value {
            return false;
        }
        value = Cow::Owned(again);
    }
}

/// Whether a shell's pattern matching might find `..` in it: `.*`, `.?`, `.[.]`, `{x,..}`.
///
/// Patterns that begin with a wildcard don't match names that begin with a dot; alternatives
/// are looked at one by one, since two of them may meet.
fn may_glob_upwards(value: &str) -> bool {
    let has_braces = value.contains(['{', '(']);
    let is_mark = |c: char| {
        matches!(c, '/' | '\\') || has_braces && matches!(c, '{' | '}' | '(' | ')' | ',' | '|')
    };
    let mut single_dots = 0;
    for piece in value.split(is_mark) {
        single_dots += usize::from(piece == ".");
        if piece == ".." || may_match_parent(piece) {
            return true;
        }
    }
    single_dots > 1
}

/// Whether a pattern that begins with a dot or a bracket could match `..`.
fn may_match_parent(pattern: &str) -> bool {
    if !pattern.contains(['*', '?', '[']) || !pattern.starts_with(['.', '[']) {
        return false;
    }
    if ["[]", "[!]", "[^]"].into_iter().any(|start| pattern.contains(start)) {
        return true; // a bracket that begins with a bracket; nobody needs it here
    }
    let mut dots = 0;
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        rest = rest.strip_prefix(character).unwrap_or_default();
        match character {
            '.' => dots += 1,
            '*' | '?' => {}
            '[' => match rest.split_once(']') {
                Some((class, tail)) if may_match_dot(class) => rest = tail,
                _ => return false, // matches no dot, or is a literal bracket
            },
            _ => return false,
        }
    }
    dots <= 2
}

/// Whether a bracket expression could match a dot: named, negated or by a range. Broader than
/// any one shell.
fn may_match_dot(class: &str) -> bool {
    class.starts_with(['!', '^']) || class.contains(['.', '-', ':', '[', '='])
}

/// The query with the home in front of every value that the rule names.
fn rewrite(rule: &HomeRule, home: &PathPrefix, query: &CanonicalQuery<'_>) -> String {
    let home = in_query(home.as_str());
    let mut wire = String::with_capacity(query.as_str().map_or(0, str::len) + home.len() + 1);
    for (index, pair) in query.pairs().enumerate() {
        if index > 0 {
            wire.push('&');
        }
        if !is_named(rule, &pair) {
            wire.push_str(pair.text);
            continue;
        }
        wire.push_str(pair.name);
        wire.push('=');
        wire.push_str(&home);
        if !pair.value.starts_with('/') && !pair.value.starts_with("%2F") {
            wire.push('/');
        }
        wire.push_str(pair.value);
    }
    wire
}

/// A canonical path as a part of a value: what means something in a query is encoded.
pub(super) fn in_query(path: &str) -> String {
    path.replace('&', "%26").replace('+', "%2B").replace(';', "%3B").replace('=', "%3D")
}
