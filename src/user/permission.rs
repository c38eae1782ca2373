//! Permissions: `files:read`, what a route demands; and grants: `files:*`, what a user holds.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest permission, in bytes.
const MAX_BYTES: usize = 255;

/// What a route demands: segments of `A-Z a-z 0-9 _ . - /`, separated by colons.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission(Arc<str>);

impl Permission {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        let grant: Grant = text.parse()?;
        if grant.is_wildcard() { Err(PermissionError::Wildcard) } else { Ok(Self(grant.0)) }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a user or role holds: a [`Permission`] whose segments may end with `*`.
///
/// The `*` stands for the rest of its segment and never crosses a colon: `files:*` grants
/// `files:read`, and neither `files` nor `files:share:read`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant(Arc<str>);

impl Grant {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for more than one permission.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.contains('*')
    }

    fn covers(&self, demanded: &str) -> bool {
        let (mut held, mut demanded) = (self.0.split(':'), demanded.split(':'));
        loop {
            match (held.next(), demanded.next()) {
                (None, None) => return true,
                (Some(held), Some(demanded)) if covers_segment(held, demanded) => {}
                _ => return false,
            }
        }
    }
}

fn covers_segment(held: &str, demanded: &str) -> bool {
    held.strip_suffix('*').map_or(held == demanded, |prefix| demanded.starts_with(prefix))
}

impl FromStr for Grant {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        if text.len() > MAX_BYTES {
            return Err(PermissionError::TooLong);
        }
        for segment in text.split(':') {
            if segment.is_empty() {
                return Err(PermissionError::EmptySegment);
            }
            let plain = segment.strip_suffix('*').unwrap_or(segment);
            if plain.contains('*') {
                return Err(PermissionError::MisplacedWildcard);
            }
            let is_plain = |byte: u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/')
            };
            if !plain.bytes().all(is_plain) {
                return Err(PermissionError::Character);
            }
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionError {
    /// Another character than `A-Z a-z 0-9 _ . - / :`.
    #[error("a permission holds only letters, digits, `_`, `.`, `-`, `/` and `:`")]
    Character,
    /// Nothing before, between or after colons.
    #[error("a permission with an empty segment")]
    EmptySegment,
    /// A `*` elsewhere than at the end of a segment.
    #[error("a `*` stands only at the end of a segment")]
    MisplacedWildcard,
    /// Over 255 bytes.
    #[error("a permission of over 255 bytes")]
    TooLong,
    /// A `*` in what is demanded.
    #[error("a permission that is demanded can't hold `*`")]
    Wildcard,
}

/// Everything that a user holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet {
    /// Sorted.
    exact: Vec<Grant>,
    /// Sorted.
    wildcards: Vec<Grant>,
}

impl PermissionSet {
    /// Whether `demanded` is among it.
    #[must_use]
    pub fn grants(&self, demanded: &Permission) -> bool {
        let demanded = demanded.as_str();
        self.exact.binary_search_by(|held| held.as_str().cmp(demanded)).is_ok()
            || self.wildcards.iter().any(|held| held.covers(demanded))
    }

    /// Whether it grants nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcards.is_empty()
    }

    /// What it holds: exact permissions first, each kind in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.exact.iter().chain(&self.wildcards)
    }

    /// Adds what `other` holds.
    pub fn merge(&mut self, other: &Self) {
        self.extend(other.iter().cloned());
    }
}

impl Extend<Grant> for PermissionSet {
    fn extend<I: IntoIterator<Item = Grant>>(&mut self, grants: I) {
        for grant in grants {
            if grant.is_wildcard() {
                self.wildcards.push(grant);
            } else {
                self.exact.push(grant);
            }
        }
        for held in [&mut self.exact, &mut self.wildcards] {
            held.sort_unstable();
            held.dedup();
        }
    }
}

impl FromIterator<Grant> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        let mut set = Self::default();
        set.extend(grants);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(grants: &[&str]) -> PermissionSet {
        grants.iter().map(|grant| grant.parse::<Grant>().unwrap()).collect()
    }

    #[test]
    fn grants_cover_by_whole_segments() {
        let cases = [
            ("files:read", "files:read", true),
            ("files:read", "files:write", false),
            ("files:read", "files", false),
            ("files", "files:read", false),
            ("files:*", "files:read", true),
            ("files:*", "files", false),
            ("files:*", "files:share:read", false),
            ("files:*:read", "files:share:read", true),
            ("files:re*", "files:read", true),
            ("files:re*", "files:re", true),
            ("files:re*", "files:write", false),
            ("*", "files", true),
            ("*", "files:read", false),
            ("*:*", "files:read", true),
            ("files:*", "Files:read", false),
            ("file*:read", "files:read", true),
        ];
        for (held, demanded, granted) in cases {
            assert_eq!(
                set(&[held]).grants(&demanded.parse().unwrap()),
                granted,
                "{held} for {demanded}"
            );
        }
    }

    #[test]
    fn a_set_grants_what_any_of_it_does() {
        let mut held = set(&["z", "b:c", "a", "files:*", "a"]);
        held.merge(&set(&["m"]));

        let texts: Vec<&str> = held.iter().map(Grant::as_str).collect();
        assert_eq!(texts, ["a", "b:c", "m", "z", "files:*"]);
        for demanded in ["a", "b:c", "m", "z", "files:x"] {
            assert!(held.grants(&demanded.parse().unwrap()), "{demanded}");
        }
        assert!(!held.grants(&"b".parse().unwrap()));
        assert!(PermissionSet::default().is_empty());
        assert!(!PermissionSet::default().grants(&"a".parse().unwrap()));
    }

    #[test]
    fn ill_formed_permissions_are_refused() {
        let refused = [
            ("", PermissionError::EmptySegment),
            (":", PermissionError::EmptySegment),
            ("files:", PermissionError::EmptySegment),
            ("files::read", PermissionError::EmptySegment),
            ("files read", PermissionError::Character),
            ("fileß", PermissionError::Character),
            ("*files", PermissionError::MisplacedWildcard),
            ("files:**", PermissionError::MisplacedWildcard),
        ];
        for (text, error) in refused {
            assert_eq!(text.parse::<Grant>(), Err(error), "{text}");
        }
        assert_eq!("files:*".parse::<Permission>(), Err(PermissionError::Wildcard));
        assert_eq!("x".repeat(256).parse::<Grant>(), Err(PermissionError::TooLong));
    }
}
