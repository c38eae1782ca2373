//! A prefix of canonical paths, in whole segments: a route's path, a root, a home.

use std::fmt;
use std::str::FromStr;

use super::{CanonicalPath, Dialect, ResourceError, Spellings};

/// A path prefix. Invariant: canonical, admitted by the `posix` dialect, without a trailing
/// slash, and without `;`, `?`, `#` or `%` in any segment, so that `/alice` covers `/alice`
/// and `/alice/x`, never `/alice2`, and no server can cut it down to another's prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPrefix {
    wire: Box<str>,
    found: Spellings,
}

impl PathPrefix {
    /// The prefix of every path.
    #[must_use]
    pub fn root() -> Self {
        Self { wire: Box::default(), found: Spellings::NONE }
    }

    /// Whether `path` is this prefix or lies below it.
    #[must_use]
    pub fn covers(&self, path: &CanonicalPath<'_>) -> bool {
        self.strip(path.as_str()).is_some()
    }

    /// Whether `path` would lie below it on a server that does not tell case apart.
    #[must_use]
    pub fn covers_ignoring_case(&self, path: &CanonicalPath<'_>) -> bool {
        let decode = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        strip_ignoring_case(&decode(path.as_str()), &decode(&self.wire)).is_some()
    }

    /// The prefix without a trailing slash; `""` for `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.wire
    }

    /// Whether it covers everything.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.wire.is_empty()
    }

    /// `other` below this prefix.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let mut found = self.found;
        found.extend(other.found);
        Self { wire: [self.as_str(), other.as_str()].concat().into(), found }
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
        self.found.admit(dialect)
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
        let wire = wire.strip_suffix('/').unwrap_or(wire).into();
        Ok(Self { wire, found: path.spellings() })
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "/" } else { &self.wire })
    }
}

/// What follows `prefix` in `path` for a reader that does not tell case apart.
pub(crate) fn strip_ignoring_case<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let mut rest = path.chars();
    let mut wanted = prefix.chars().flat_map(fold_case).peekable();
    while wanted.peek().is_some() {
        for folded in fold_case(rest.next()?) {
            wanted.next_if_eq(&folded)?;
        }
    }
    Some(rest.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Simple case folding: what two spellings have in common when case does not count.
fn fold_case(character: char) -> impl Iterator<Item = char> {
    character.to_uppercase().flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(raw: &str) -> PathPrefix {
        raw.parse().unwrap()
    }

    fn path(raw: &str) -> CanonicalPath<'_> {
        CanonicalPath::parse(raw).unwrap()
    }

    #[test]
    fn a_prefix_covers_whole_segments_only() {
        let alice = prefix("/alice");

        for inside in ["/alice", "/alice/", "/alice/x", "/%61lice/x"] {
            assert!(alice.covers(&path(inside)), "{inside}");
        }
        for outside in
            ["/", "/alic", "/alice2", "/alice-evil/x", "/Alice/x", "/alice;x", "/bob/alice"]
        {
            assert!(!alice.covers(&path(outside)), "{outside}");
        }
    }

    #[test]
    fn the_root_covers_everything_and_is_written_as_a_slash() {
        let root = prefix("/");

        assert_eq!(root, PathPrefix::root());
        assert!(root.is_root() && root.covers(&path("/")) && root.covers(&path("/x")));
        assert_eq!((root.as_str(), root.to_string().as_str()), ("", "/"));
    }

    #[test]
    fn a_prefix_is_read_in_canonical_form_without_a_trailing_slash() {
        for (raw, canonical) in [
            ("/a/", "/a"),
            ("/my files", "/my%20files"),
            ("/%7Ea", "/~a"),
            ("/b@x.org", "/b@x.org"),
        ] {
            assert_eq!(prefix(raw).as_str(), canonical);
            assert_eq!(prefix(canonical), prefix(raw));
        }
    }

    #[test]
    fn what_a_server_could_cut_down_to_another_prefix_is_refused() {
        for raw in ["/bob;x", "/bob%3Bx", "/bob%23", "/bob%3Fx", "/bob%25", "/a%2562ob"] {
            assert!(raw.parse::<PathPrefix>().is_err(), "{raw}");
        }
        for raw in ["", "alice", "/..", "/a//b", "/a/../b", "/a\\b", "/a%2Fb", "/a?b", "/a#b"] {
            assert!(raw.parse::<PathPrefix>().is_err(), "{raw}");
        }
        assert!(prefix("/bob.").admit(Dialect::Windows).is_err());
        assert!(prefix("/ok").join(&prefix("/a:b")).admit(Dialect::Windows).is_err());
    }

    #[test]
    fn prefixes_join() {
        assert_eq!(prefix("/files").join(&prefix("/alice")).as_str(), "/files/alice");
        assert_eq!(prefix("/files").join(&prefix("/")), prefix("/files"));
        assert_eq!(prefix("/").join(&prefix("/")), prefix("/"));
    }

    #[test]
    fn case_can_be_left_out_of_account() {
        let prefix = prefix("/Straße/k");

        for same in ["/straße/K", "/STRASSE/k/x", "/Stra%C3%9Fe/\u{212A}"] {
            assert!(prefix.covers_ignoring_case(&path(same)), "{same}");
        }
        for other in ["/straße", "/straße/kk", "/strasze/k"] {
            assert!(!prefix.covers_ignoring_case(&path(other)), "{other}");
        }
    }

    #[test]
    fn no_name_climbs_out_of_the_segment_that_it_is_given() {
        for name in ["..", ".", "a/b", "a\\b", "../bob", "%2e%2e", "", "a\0", "a;b", "a?b"] {
            let home = format!("/{}", crate::resource::encode_segment(name));
            let home = home.parse::<PathPrefix>();
            assert!(home.is_err() || home.is_ok_and(|home| home.is_root()), "{name}");
        }
        assert_eq!(crate::resource::encode_segment("a b@x"), "a%20b@x");
    }
}
