//! Parameters and fields that name resources: paths in the tree of homes, without the root.

use super::pattern::{is_pattern, may_leave};
use super::{Base, HomeError, HomeRule, Mode, PlaceKind};
use crate::resource::path::inspect_decoded;
use crate::resource::prefix::strip_ignoring_case;
use crate::resource::query::{Pair, decode};
use crate::resource::{CanonicalQuery, PathPrefix, ResourceError};

/// What became of all parameters of a query or form.
pub(super) struct Confined {
    /// Whether any of them names a resource.
    pub(super) names_something: bool,
    /// What is to be sent, if it is another.
    pub(super) rewritten: Option<String>,
}

/// Confines all repeats of the rule's parameters of a kind.
pub(super) fn confine(
    rule: &HomeRule,
    home: &PathPrefix,
    query: &CanonicalQuery<'_>,
    kind: PlaceKind,
) -> Result<Confined, HomeError> {
    let ambiguous = |error| HomeError::Ambiguous(kind, error);
    for (name, _) in rule.names(kind) {
        query.demand(name).map_err(ambiguous)?;
    }
    let mut names_something = false;
    let mut is_named = false;
    for pair in query.pairs() {
        let Some(base) = base(rule, kind, &pair) else { continue };
        let judge = Judge { rule, home, kind, base };
        // Both readings of `+`.
        judge.judge(&decode(pair.value).map_err(ambiguous)?)?;
        if pair.value.contains('+') {
            let form = pair.value.replace('+', "%20");
            judge.judge(&decode(&form).map_err(ambiguous)?)?;
        }
        names_something |= base == Base::Home;
        is_named = true;
    }
    let is_rewritten = is_named && rule.mode == Mode::Rewrite && !home.is_root();
    let rewritten = is_rewritten.then(|| rewrite(rule, home, query, kind));
    Ok(Confined { names_something, rewritten })
}

/// What the value of a parameter goes on from; `None`: it is none of the rule's.
pub(super) fn base(rule: &HomeRule, kind: PlaceKind, pair: &Pair<'_>) -> Option<Base> {
    rule.names(kind).find(|(name, _)| pair.is_called(name)).map(|(_, base)| base)
}

/// Judges values of one parameter or field.
#[derive(Clone, Copy)]
pub(super) struct Judge<'j> {
    pub(super) rule: &'j HomeRule,
    pub(super) home: &'j PathPrefix,
    pub(super) kind: PlaceKind,
    pub(super) base: Base,
}

impl Judge<'_> {
    /// Judges one value, decoded.
    pub(super) fn judge(self, value: &str) -> Result<(), HomeError> {
        let Self { rule, home, kind, base } = self;
        if value.is_empty() {
            let is_harmless = home.is_root() || base == Base::Path;
            return if is_harmless { Ok(()) } else { Err(HomeError::Empty(kind)) };
        }
        inspect_decoded(value)
            .and_then(|found| found.admit(rule.dialect))
            .and_then(|()| if may_leave(value) { Err(ResourceError::DotSegment) } else { Ok(()) })
            .map_err(|error| HomeError::Ambiguous(kind, error))?;
        if !rule.allows_patterns && is_pattern(value) {
            return Err(HomeError::Pattern(kind));
        }
        if home.is_root() {
            return Ok(());
        }
        match (base, rule.mode) {
            (Base::Home, Mode::Require) => lies_in(value, home, kind),
            // Some take what begins with a slash from the root; rewriting takes it off.
            (Base::Path, Mode::Require) if value.starts_with('/') => Err(HomeError::Outside(kind)),
            (Base::Home, Mode::Rewrite) | (Base::Path, Mode::Require | Mode::Rewrite) => Ok(()),
        }
    }
}

/// Whether a decoded value lies in the home. One without a leading slash is read from the root of
/// the tree as well.
fn lies_in(value: &str, home: &PathPrefix, kind: PlaceKind) -> Result<(), HomeError> {
    let home = decode(home.as_str()).map_err(HomeError::AmbiguousHome)?;
    let value = value.strip_prefix('/').unwrap_or(value);
    let home = home.strip_prefix('/').unwrap_or(&home);
    if value.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        Ok(())
    } else if strip_ignoring_case(value, home).is_some() {
        Err(HomeError::CaseVariant(kind))
    } else {
        Err(HomeError::Outside(kind))
    }
}

/// The query with the home in front of every value that the rule names from its root, and none that
/// goes on from the path with a slash in front.
fn rewrite(
    rule: &HomeRule,
    home: &PathPrefix,
    query: &CanonicalQuery<'_>,
    kind: PlaceKind,
) -> String {
    let home = in_query(home.as_str());
    let mut wire = String::with_capacity(query.as_str().map_or(0, str::len) + home.len() + 1);
    for (index, pair) in query.pairs().enumerate() {
        if index > 0 {
            wire.push('&');
        }
        match base(rule, kind, &pair) {
            None => wire.push_str(pair.text),
            Some(Base::Home) => {
                wire.extend([pair.name, "=", &home]);
                if !pair.value.starts_with('/') && !pair.value.starts_with("%2F") {
                    wire.push('/');
                }
                wire.push_str(pair.value);
            }
            Some(Base::Path) => {
                let mut value = pair.value;
                while let Some(rest) = value.strip_prefix('/').or(value.strip_prefix("%2F")) {
                    value = rest;
                }
                wire.extend([pair.name, "=", value]);
            }
        }
    }
    wire
}

/// A canonical path as a part of a value: what means something in a query is encoded.
pub(super) fn in_query(path: &str) -> String {
    path.replace('&', "%26").replace('+', "%2B").replace(';', "%3B").replace('=', "%3D")
}
