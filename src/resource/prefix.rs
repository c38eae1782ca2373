//! A prefix of canonical paths, in whole segments: a route's path, a root, a home.

use std::fmt;
use std::str::FromStr;

use super::{CanonicalPath, Dialect, ResourceError, Spellings};

/// A path prefix. Invariant: canonical, admitted by the `posix` dialect, without a trailing
/// slash, and without `;`, `?`, `#` or `%` in any segment, so that `/alice` covers `/alice`
/// and `/alice/x`, never `/alice2`, and no server can cut it down to another's prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPrefix(Box<str>);

impl PathPrefix {
    /// The prefix of every path.
    #[must_use]
    pub fn root() -> Self {
        Self(Box::default())
    }

    /// Whether `path` is this prefix or lies below it.
    #[must_use]
    pub fn covers(&self, path: &CanonicalPath<'_>) -> bool {
        self.strip(path.as_str()).is_some()
    }

    /// Whether `path` would lie below it on a server that does not tell case apart.
    #[must_use]
    pub fn covers_ignoring_case(&self, path: &CanonicalPath<'_>) -> bool {
        strip_ignoring_case(path.as_str(), &self.0).is_some()
    }

    /// The prefix without a trailing slash; `""` for `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it covers everything.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// `other` below this prefix.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        Self([self.as_str(), other.as_str()].concat().into())
    }

    /// What follows the prefix in `path`: empty, or beginning with a slash.
    #[must_use]
    pub(crate) fn strip<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Judges the prefix as a part of paths in `dialect`.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Spelling`]: the dialect refuses it.
    pub fn admit(&self, dialect: Dialect) -> Result<(), ResourceError> {
        self.spellings().admit(dialect)
    }

    fn spellings(&self) -> Spellings {
        CanonicalPath::parse(&self.0).map_or(Spellings::NONE, |path| path.spellings())
    }
}

impl FromStr for PathPrefix {
    type Err = ResourceError;

    /// Reads a prefix as it is written in configurations, user files and claims. Characters
    /// that need encoding may be written plainly: `/my files`.
    fn from_str(raw: &str) -> Result<Self, ResourceError> {
        let path = CanonicalPath::parse(raw)?;
        path.admit(Dialect::Posix)?;
        let wire = path.as_str();
        let is_cut = |mark| wire.contains(mark);
        if [";", "%25", "%23", "%3F"].into_iter().any(is_cut) {
            return Err(ResourceError::AmbiguousPrefix);
        }
        Ok(Self(wire.strip_suffix('/').unwrap_or(wire).into()))
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "/" } else { &self.0 })
    }
}

/// What follows `prefix` in `path` for a reader that does not tell case apart.
pub(crate) fn strip_ignoring_case<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let mut rest = path.chars().flat_map(fold_case);
    let mut taken = 0_usize;
    let mut left = prefix.chars().flat_map(fold_case);
    loop {
        let Some(wanted) = left.next() else { break };
        if rest.next() != Some(wanted) {
            return None;
        }
        taken += 1;
    }
    let mut chars = path.chars();
    while taken > 0 {
        taken = taken.checked_sub(fold_case(chars.next()?).count())?;
    }
    Some(chars.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Simple case folding: what two spellings have in common when case does not count.
fn fold_case(character: char) -> impl Iterator<Item = char> {
    character.to_uppercase().flat_map(char::to_lowercase)
}
