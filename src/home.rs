//! Homes: the part of an API that belongs to a principal.
//!
//! [`confine`] decides whether everything that a request names lies in the home, and makes the
//! [`Target`] that is sent. Nothing else that was read from the request's target is sent, so
//! what is decided and what is forwarded cannot differ. Comparison is by whole segments of
//! canonical forms, and tells case apart: a segment that equals the home's but for its case is
//! refused in every dialect.

mod content;
mod fields;
mod pattern;
mod place;
mod reveal;
mod target;
mod value;

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::resource::content::Body;
use crate::resource::prefix::strip_ignoring_case;
use crate::resource::{
    CanonicalPath, CanonicalQuery, Condition, Destination, Dialect, PathPrefix, ResourceError,
};

pub use fields::Revealer;
pub use place::{Place, PlaceKind, UnknownPlace};
pub use reveal::reveal;
pub use target::{Conditional, Target};

/// What a principal sees of the tree that its home lies in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The whole tree, and everything named must lie in the home.
    #[default]
    Require,
    /// The home as the root of the tree; the gateway puts the home in front.
    Rewrite,
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(raw: &str) -> Result<Self, UnknownMode> {
        match raw {
            "require" => Ok(Self::Require),
            "rewrite" => Ok(Self::Rewrite),
            _ => Err(UnknownMode),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Require => "require",
            Self::Rewrite => "rewrite",
        })
    }
}

/// A mode that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not one of require, rewrite")]
pub struct UnknownMode;

/// The most bytes of a body whose fields name resources, unless a route says otherwise.
pub const INSPECT_LIMIT: usize = 64 * 1024;

/// The `home` of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeRule {
    /// Where requests name what must lie in the home.
    pub places: Vec<Place>,
    /// Parameters and fields whose values the upstream takes as going on from the path: they must
    /// not lead out of it, and are not translated.
    pub relative: Vec<Place>,
    /// What the principal sees.
    pub mode: Mode,
    /// Where the tree of homes lies in the API; paths and destinations begin with it, parameters
    /// and fields do not.
    pub root: PathPrefix,
    /// Whether values may hold a shell's patterns, which then stay in the home as well.
    pub allows_patterns: bool,
    /// The most bytes of a body whose fields name resources.
    pub inspect_limit: usize,
    /// How the upstream reads paths: the route's `paths`.
    pub dialect: Dialect,
}

impl Default for HomeRule {
    /// Looks at nothing, so that whoever has not the home `/` is refused.
    fn default() -> Self {
        Self {
            places: Vec::new(),
            relative: Vec::new(),
            mode: Mode::default(),
            root: PathPrefix::root(),
            allows_patterns: true,
            inspect_limit: INSPECT_LIMIT,
            dialect: Dialect::default(),
        }
    }
}

impl HomeRule {
    /// Whether requests are looked at there.
    #[must_use]
    pub fn rests_on(&self, kind: PlaceKind) -> bool {
        self.looked_at().any(|place| place.kind() == kind)
    }

    /// Every place where requests are looked at.
    pub fn looked_at(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().chain(&self.relative)
    }

    /// Whether the bodies of requests are looked into.
    #[must_use]
    pub fn inspects(&self) -> bool {
        self.rests_on(PlaceKind::Form) || self.rests_on(PlaceKind::Json)
    }

    /// The parameters or fields of a kind, and what their values go on from.
    fn names(&self, kind: PlaceKind) -> impl Iterator<Item = (&str, Base)> {
        let places = self.places.iter().map(|place| (place, Base::Home));
        let all = places.chain(self.relative.iter().map(|place| (place, Base::Path)));
        let of_kind = all.filter(move |(place, _)| place.kind() == kind);
        of_kind.filter_map(|(place, base)| Some((place.name()?, base)))
    }
}

/// What the value of a parameter goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    /// The root of the tree of homes.
    Home,
    /// The path of the request.
    Path,
}

/// What is known of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'r> {
    /// There is none.
    Absent,
    /// It was read.
    Read(&'r Body<'r>),
    /// It was not read. Where a rule looks into bodies, nothing is permitted.
    Unread,
}

/// All that a request names, in canonical form.
#[derive(Clone, Copy, Debug)]
pub struct Named<'r> {
    /// The path of the target.
    pub path: &'r CanonicalPath<'r>,
    /// The query of the target.
    pub query: &'r CanonicalQuery<'r>,
    /// The `Destination` header, where there is one.
    pub destination: Option<&'r Destination<'r>>,
    /// The `If` header, where there is one.
    pub condition: Option<&'r Condition<'r>>,
    /// The body.
    pub content: Content<'r>,
}

/// Why a request is refused on a route with homes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// Something that the request names is ambiguous for the upstream.
    #[error("{0} {1}")]
    Ambiguous(PlaceKind, #[source] ResourceError),
    /// The home itself, or the root, is ambiguous for the upstream.
    #[error("the home {0}")]
    AmbiguousHome(#[source] ResourceError),
    /// The home in other upper and lower case.
    #[error("{0} differs from the home only by case")]
    CaseVariant(PlaceKind),
    /// A named parameter without a value.
    #[error("{0} is empty")]
    Empty(PlaceKind),
    /// None of the places in which the route looks names a resource.
    #[error("names no resource in a place where the route looks")]
    NamesNothing,
    /// The principal has no home.
    #[error("the principal has no home")]
    NoHome,
    /// Not in the home.
    #[error("{0} lies outside the home")]
    Outside(PlaceKind),
    /// A value with a shell's pattern, on a route that takes none.
    #[error("{0} holds a pattern")]
    Pattern(PlaceKind),
    /// An `If` that names resources, on a route whose homes do not look at it.
    #[error("names a resource in If, in which the route does not look")]
    UncheckedCondition,
    /// A destination on a route whose homes do not look at it.
    #[error("names a destination, in which the route does not look")]
    UncheckedDestination,
    /// The rule looks into bodies, and this one cannot be seen from here.
    #[error("has a body that would have to be looked into, and it cannot be seen from here")]
    UnreadBody,
}

impl HomeError {
    /// The name of the condition in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ambiguous(_, error) => error.label(),
            Self::AmbiguousHome(_) => "ambiguous_home",
            Self::CaseVariant(_) => "home_case_variant",
            Self::Empty(_) => "home_empty_value",
            Self::NamesNothing => "home_names_nothing",
            Self::NoHome => "no_home",
            Self::Outside(_) => "outside_home",
            Self::Pattern(_) => "home_pattern",
            Self::UncheckedCondition => "unchecked_condition",
            Self::UncheckedDestination => "unchecked_destination",
            Self::UnreadBody => "unread_body",
        }
    }

    /// Which kind of place it is about, if it is about one.
    #[must_use]
    pub fn part(self) -> Option<&'static str> {
        match self {
            Self::Ambiguous(kind, _)
            | Self::CaseVariant(kind)
            | Self::Empty(kind)
            | Self::Outside(kind)
            | Self::Pattern(kind) => Some(kind.as_str()),
            Self::UncheckedCondition => Some(PlaceKind::Condition.as_str()),
            Self::UncheckedDestination => Some(PlaceKind::Destination.as_str()),
            Self::UnreadBody => Some("body"),
            Self::AmbiguousHome(_) | Self::NamesNothing | Self::NoHome => None,
        }
    }

    /// Whether the request itself is malformed (400), rather than not allowed (403).
    #[must_use]
    pub fn is_malformed(self) -> bool {
        match self {
            Self::Ambiguous(..) | Self::CaseVariant(_) | Self::Empty(_) | Self::Pattern(_) => true,
            Self::AmbiguousHome(_)
            | Self::NamesNothing
            | Self::NoHome
            | Self::Outside(_)
            | Self::UncheckedCondition
            | Self::UncheckedDestination
            | Self::UnreadBody => false,
        }
    }
}

/// Confines a request to the home of its principal.
///
/// In [`Mode::Require`] the target stays as it is; in [`Mode::Rewrite`] the home is put in
/// front of everything that the rule's places name. The home `/` is the whole tree.
///
/// # Errors
///
/// No home; something named that lies outside it, or that the upstream might read so; nothing
/// named at all; a body that the rule looks into and that was not read. The request must not be
/// forwarded.
pub fn confine<'r>(
    rule: &HomeRule,
    home: Option<&PathPrefix>,
    named: &Named<'r>,
) -> Result<Target<'r>, HomeError> {
    let (mut target, mut names_something) = confine_head(rule, home, named)?;
    if rule.inspects() {
        let home = home.ok_or(HomeError::NoHome)?;
        names_something |= content::confine(rule, home, named.content, &mut target)?;
    }
    if names_something { Ok(target) } else { Err(HomeError::NamesNothing) }
}

/// The same for all that is known before a body is read: whether it is worth reading.
///
/// # Errors
///
/// As [`confine`], of everything but the body.
pub fn precheck(
    rule: &HomeRule,
    home: Option<&PathPrefix>,
    named: &Named<'_>,
) -> Result<(), HomeError> {
    confine_head(rule, home, named).map(drop)
}

/// Confines what the head names; whether it names anything.
fn confine_head<'r>(
    rule: &HomeRule,
    home: Option<&PathPrefix>,
    named: &Named<'r>,
) -> Result<(Target<'r>, bool), HomeError> {
    let home = home.ok_or(HomeError::NoHome)?;
    for prefix in [home, &rule.root] {
        prefix.admit(rule.dialect).map_err(HomeError::AmbiguousHome)?;
    }
    let mut target = unconfined(named);
    let mut names_something = home.is_root();
    let ambiguous = |kind| move |error| HomeError::Ambiguous(kind, error);

    named.path.admit(rule.dialect).map_err(ambiguous(PlaceKind::Path))?;
    if rule.rests_on(PlaceKind::Path) {
        target.path = place(rule, home, named.path.as_str(), PlaceKind::Path)?;
        names_something = true;
    }
    if let Some(destination) = named.destination {
        let kind = PlaceKind::Destination;
        destination.path().admit(rule.dialect).map_err(ambiguous(kind))?;
        if rule.rests_on(kind) {
            target.destination = Some(place(rule, home, destination.path().as_str(), kind)?);
            names_something = true;
        } else if !home.is_root() {
            return Err(HomeError::UncheckedDestination);
        }
    }
    if let Some(condition) = named.condition {
        let kind = PlaceKind::Condition;
        for path in condition.paths() {
            path.admit(rule.dialect).map_err(ambiguous(kind))?;
        }
        if rule.rests_on(kind) {
            target.set_condition(condition, |path| place(rule, home, path, kind))?;
        } else if !home.is_root() && condition.paths().next().is_some() {
            return Err(HomeError::UncheckedCondition);
        }
    }
    if rule.rests_on(PlaceKind::Query) {
        let found = value::confine(rule, home, named.query, PlaceKind::Query)?;
        names_something |= found.names_something;
        if let Some(query) = found.rewritten {
            target.query = Some(Cow::Owned(query));
        }
    }
    Ok((target, names_something))
}

/// The target of a request on a route without homes: what it names, in canonical form.
///
/// Without a rule there is no dialect to judge by: the caller has admitted the path, the
/// destination's and those of `If` for the route's ([`CanonicalPath::admit`]).
#[must_use]
pub fn unconfined<'r>(named: &Named<'r>) -> Target<'r> {
    let mut target = Target {
        path: Cow::Borrowed(named.path.as_str()),
        query: named.query.as_str().map(Cow::Borrowed),
        destination: named.destination.map(|to| Cow::Borrowed(to.path().as_str())),
        more: None,
    };
    if let Some(condition) = named.condition {
        let _ = target.set_condition(condition, |path| Ok::<_, Infallible>(Cow::Borrowed(path)));
    }
    target
}

/// Where `path` leads: unchanged if it must lie in the home, or below the home.
fn place<'r>(
    rule: &HomeRule,
    home: &PathPrefix,
    path: &'r str,
    kind: PlaceKind,
) -> Result<Cow<'r, str>, HomeError> {
    let rest = rule.root.strip(path).ok_or(HomeError::Outside(kind))?;
    match rule.mode {
        Mode::Require if home.strip(rest).is_some() => Ok(Cow::Borrowed(path)),
        Mode::Require if strip_ignoring_case(rest, home.as_str()).is_some() => {
            Err(HomeError::CaseVariant(kind))
        }
        Mode::Require => Err(HomeError::Outside(kind)),
        Mode::Rewrite if home.is_root() => Ok(Cow::Borrowed(path)),
        Mode::Rewrite => Ok(Cow::Owned([rule.root.as_str(), home.as_str(), rest].concat())),
    }
}

#[cfg(test)]
mod tests;
