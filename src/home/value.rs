//! Parameters and fields that name resources: paths in the tree of homes, without the root.

use std::borrow::Cow;

use super::{Base, HomeError, HomeRule, Mode, PlaceKind};
use crate::resource::path::{fold, inspect_decoded};
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
            .and_then(|()| {
                let may_leave = |value: &str| {
                    may_glob_upwards(value) || may_glob_separator(value) || has_padded_dots(value)
                };
                let is_refused = once_decoded(value, may_leave);
                if is_refused { Err(ResourceError::DotSegment) } else { Ok(()) }
            })
            .map_err(|error| HomeError::Ambiguous(kind, error))?;
        if !rule.allows_patterns && once_decoded(value, holds_pattern) {
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

/// Whether something holds for a value as it is, or as a server has it that decodes again or takes
/// look-alikes for what they look like. Who asks has admitted no encodings without end.
fn once_decoded(value: &str, holds: impl Fn(&str) -> bool) -> bool {
    let mut value = Cow::Borrowed(value);
    loop {
        if holds(&value) || fold(&value).is_some_and(|folded| holds(&folded)) {
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

/// Whether a segment is dots and what a second decoder takes for blanks, which Windows drops at the end
/// of a name: `..+`; whole, or up to where some servers end a segment: `...;x`.
fn has_padded_dots(value: &str) -> bool {
    value.split(['/', '\\']).any(|segment| {
        let segment = segment.split([';', '#', '?']).next().unwrap_or_default();
        segment.contains('.') && segment.bytes().all(|byte| matches!(byte, b'.' | b'+' | b' '))
    })
}

/// Whether a value holds what a shell, or a library like it, takes for a pattern.
fn holds_pattern(value: &str) -> bool {
    value.contains(['*', '?', '[', ']', '{', '}'])
}

/// Whether a bracket or an alternative could stand for a separator: `{x,/y}`, `[/]`, `[+-9]`.
fn may_glob_separator(value: &str) -> bool {
    let mut braces = 0_usize;
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        rest = rest.strip_prefix(character).unwrap_or_default();
        match character {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            '/' | '\\' if braces > 0 && rest.contains('}') => return true,
            '[' => {
                if let Some((class, _)) = rest.split_once(']')
                    && may_match_separator(class)
                {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Whether a bracket expression names a separator, itself or by a range. A negated one matches
/// separators only for libraries that let `?` do so too.
fn may_match_separator(class: &str) -> bool {
    if class.contains(['/', '\\']) {
        return true;
    }
    let characters: Vec<char> = class.chars().collect();
    characters.windows(3).any(|range| match range {
        [from, '-', to] => ['/', '\\'].iter().any(|mark| from <= mark && mark <= to),
        _ => false,
    })
}

/// Whether a shell's pattern matching might find `..` in it: `.*`, `.?`, `.[.]`, `{x,..}`.
///
/// Patterns that begin with a wildcard don't match names that begin with a dot. Some servers end a
/// value at `;`, `#` or `?`, and some know alternatives; where one is read so, a bracket around it is
/// not, so each reading is looked at by itself.
fn may_glob_upwards(value: &str) -> bool {
    const SEPARATORS: [char; 2] = ['/', '\\'];
    const ENDS: [char; 4] = ['/', '\\', ';', '#'];
    const ALTERNATIVES: [char; 6] = ['{', '}', '(', ')', ',', '|'];
    let has_alternatives = value.contains(['{', '(']);
    [&SEPARATORS[..], &ENDS[..]].into_iter().any(|marks| {
        let is_between = |c: char| marks.contains(&c) || ALTERNATIVES.contains(&c);
        may_climb(value.split(marks)) || has_alternatives && may_climb(value.split(is_between))
    })
}

/// Whether one of the pieces might be `..` or find it, or two of them, which may meet, be `.`.
fn may_climb<'v>(pieces: impl Iterator<Item = &'v str>) -> bool {
    let mut single_dots = 0;
    for piece in pieces {
        single_dots += usize::from(piece == ".");
        let until_query = piece.split('?').next().unwrap_or_default();
        if piece == ".." || may_match_parent(piece) || may_match_parent(until_query) {
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
