//! Homes: the part of an API that belongs to a principal.
//!
//! [`confine`] decides whether everything that a request names lies in the home, and makes the
//! [`Target`] that is sent. Nothing else that was read from the request's target is sent, so
//! what is decided and what is forwarded cannot differ. Comparison is by whole segments of
//! canonical forms, and tells case apart: a segment that equals the home's but for its case is
//! refused in every dialect.

mod fields;
mod reveal;
mod target;
mod value;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::resource::prefix::strip_ignoring_case;
use crate::resource::{
    CanonicalPath, CanonicalQuery, Destination, Dialect, PathPrefix, ResourceError,
};

pub use fields::Revealer;
pub use reveal::reveal;
pub use target::Target;

/// Where a request names a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The `Destination` header of WebDAV: `header:destination`.
    Destination,
    /// The path: `path`.
    Path,
    /// Every query parameter of this name: `query:dir`.
    Query(Box<str>),
}

impl Place {
    /// The kind of place, without a name from the configuration.
    #[must_use]
    pub const fn kind(&self) -> PlaceKind {
        match self {
            Self::Destination => PlaceKind::Destination,
            Self::Path => PlaceKind::Path,
            Self::Query(_) => PlaceKind::Query,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination => f.write_str("header:destination"),
            Self::Path => f.write_str("path"),
            Self::Query(name) => write!(f, "query:{name}"),
        }
    }
}

impl FromStr for Place {
    type Err = UnknownPlace;

    fn from_str(raw: &str) -> Result<Self, UnknownPlace> {
        match raw.split_once(':') {
            None if raw == "path" => Ok(Self::Path),
            Some(("header", name)) if name.eq_ignore_ascii_case("destination") => {
                Ok(Self::Destination)
            }
            Some(("query", name)) if is_parameter_name(name) => Ok(Self::Query(name.into())),
            _ => Err(UnknownPlace),
        }
    }
}

/// Names of parameters are plain, so that no two servers read them differently.
fn is_parameter_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A place that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not one of path, query:NAME, header:destination")]
pub struct UnknownPlace;

/// The kind of a [`Place`], for reasons and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlaceKind {
    /// The `Destination` header.
    Destination,
    /// The path.
    Path,
    /// A query parameter.
    Query,
}

impl PlaceKind {
    /// The kind in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Destination => "destination",
            Self::Path => "path",
            Self::Query => "query parameter",
        }
    }
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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

/// The `home` of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeRule {
    /// Where requests name what must lie in the home.
    pub places: Vec<Place>,
    /// What the principal sees.
    pub mode: Mode,
    /// Where the tree of homes lies in the API; paths and destinations begin with it, query
    /// parameters do not.
    pub root: PathPrefix,
    /// How the upstream reads paths: the route's `paths`.
    pub dialect: Dialect,
}

impl HomeRule {
    fn rests_on(&self, kind: PlaceKind) -> bool {
        self.places.iter().any(|place| place.kind() == kind)
    }

    fn parameters(&self) -> impl Iterator<Item = &str> {
        self.places.iter().filter_map(|place| match place {
            Place::Query(name) => Some(&**name),
            Place::Destination | Place::Path => None,
        })
    }
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
    /// A destination on a route whose homes do not look at it.
    #[error("names a destination, in which the route does not look")]
    UncheckedDestination,
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
            Self::UncheckedDestination => "unchecked_destination",
        }
    }

    /// Which kind of place it is about, if it is about one.
    #[must_use]
    pub fn part(self) -> Option<&'static str> {
        match self {
            Self::Ambiguous(kind, _)
            | Self::CaseVariant(kind)
            | Self::Empty(kind)
            | Self::Outside(kind) => Some(kind.as_str()),
            Self::UncheckedDestination => Some(PlaceKind::Destination.as_str()),
            Self::AmbiguousHome(_) | Self::NamesNothing | Self::NoHome => None,
        }
    }

    /// Whether the request itself is malformed (400), rather than not allowed (403).
    #[must_use]
    pub fn is_malformed(self) -> bool {
        match self {
            Self::Ambiguous(..) | Self::CaseVariant(_) | Self::Empty(_) => true,
            Self::AmbiguousHome(_)
            | Self::NamesNothing
            | Self::NoHome
            | Self::Outside(_)
            | Self::UncheckedDestination => false,
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
/// named at all. The request must not be forwarded.
pub fn confine<'r>(
    rule: &HomeRule,
    home: Option<&PathPrefix>,
    named: &Named<'r>,
) -> Result<Target<'r>, HomeError> {
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
    if rule.rests_on(PlaceKind::Query) {
        names_something |= value::confine(rule, home, named.query, &mut target)?;
    }
    if names_something { Ok(target) } else { Err(HomeError::NamesNothing) }
}

/// The target of a request on a route without homes: what it names, in canonical form.
///
/// Without a rule there is no dialect to judge by: the caller has admitted the path, and the
/// destination's, for the route's ([`CanonicalPath::admit`]).
#[must_use]
pub fn unconfined<'r>(named: &Named<'r>) -> Target<'r> {
    Target {
        path: Cow::Borrowed(named.path.as_str()),
        query: named.query.as_str().map(Cow::Borrowed),
        destination: named.destination.map(|to| Cow::Borrowed(to.path().as_str())),
    }
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
