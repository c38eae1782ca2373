//! The canonical path: decided on, and forwarded byte for byte.

use std::borrow::Cow;
use std::fmt;

use super::segment::{self, Buffer};
use super::{Dialect, ResourceError, Spelling, Spellings};

/// The path of a request, percent-decoded once, split and encoded again.
///
/// Invariants: it starts with `/`; it parses to itself; no reading of it that we know of
/// (decoded again, `\` as `/`, cut at `;`, `?`, `#`, NUL, compatibility characters mapped)
/// has a dot segment. What depends on the upstream's [`Dialect`] is recorded, and judged by
/// [`CanonicalPath::admit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalPath<'a> {
    wire: Cow<'a, str>,
    found: Spellings,
}

impl<'a> CanonicalPath<'a> {
    /// Parses the path of a request target (RFC 9112 §3.2), without its query.
    ///
    /// Unreserved characters, sub-delims, `:` and `@` are written plainly, everything else as
    /// `%XX` in upper case. Borrows where `raw` already is canonical.
    ///
    /// # Errors
    ///
    /// What no dialect admits: no leading slash, control characters, a fragment, an invalid
    /// percent triplet, octets that are not UTF-8, a dot segment in any reading.
    pub fn parse(raw: &'a str) -> Result<Self, ResourceError> {
        let segments = raw.strip_prefix('/').ok_or(ResourceError::NotAbsolute)?;
        let mut wire = Cow::Borrowed(raw);
        let mut found = Spellings::NONE;
        let slashes = memchr::memchr_iter(b'/', segments.as_bytes()).map(|at| at + 1);
        let mut start = 1; // of the segment, in `raw`
        for end in slashes.chain([raw.len()]) {
            let segment = raw.get(start..end).unwrap_or_default();
            let is_last = end == raw.len();
            if segment.is_empty() && !is_last {
                found.insert(Spelling::EmptySegment);
            }
            let canonical = look(segment, &mut found)?;
            if let (Cow::Borrowed(_), Cow::Owned(_)) = (&wire, &canonical) {
                wire = Cow::Owned(raw.get(..start).unwrap_or_default().to_owned());
            }
            if let Cow::Owned(wire) = &mut wire {
                wire.push_str(&canonical);
                wire.push_str(if is_last { "" } else { "/" });
            }
            start = end + 1;
        }
        Ok(Self { wire, found })
    }

    /// Judges the spellings that were found by the table of the route's dialect.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Spelling`]: the dialect refuses it.
    pub fn admit(&self, dialect: Dialect) -> Result<(), ResourceError> {
        self.found.admit(dialect)
    }

    /// The path as it is decided on and sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.wire
    }

    /// The spellings that depend on the dialect.
    #[must_use]
    pub const fn spellings(&self) -> Spellings {
        self.found
    }

    /// The segments, encoded; a trailing slash adds none.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        let inner = self.wire.strip_prefix('/').unwrap_or_default();
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        inner.split('/').filter(|_| self.wire.len() > 1)
    }

    /// The same path, owning its text.
    #[must_use]
    pub fn into_owned(self) -> CanonicalPath<'static> {
        CanonicalPath { wire: Cow::Owned(self.wire.into_owned()), found: self.found }
    }
}

impl AsRef<str> for CanonicalPath<'_> {
    fn as_ref(&self) -> &str {
        &self.wire
    }
}

impl fmt::Display for CanonicalPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wire)
    }
}

/// Looks at one segment, and gives its canonical form.
fn look<'a>(raw: &'a str, found: &mut Spellings) -> Result<Cow<'a, str>, ResourceError> {
    if is_harmless(raw) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut buffer = Buffer::new();
    found.extend(segment::decode(raw, &mut buffer)?);
    found.extend(segment::inspect(buffer.as_bytes())?);
    Ok(segment::canonical(raw, buffer.as_bytes()))
}

/// Whether a segment needs no second look: unreserved characters, no dot at either end, not
/// the name of a device.
fn is_harmless(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    bytes.iter().all(|byte| segment::is_unreserved(*byte))
        && !matches!(bytes, [b'.', ..] | [.., b'.'])
        && !segment::is_device(segment)
}

/// Looks at a path that is decoded already, as the value of a query parameter is; it may lack
/// the leading slash.
///
/// # Errors
///
/// As [`CanonicalPath::parse`].
pub(crate) fn inspect_decoded(text: &str) -> Result<Spellings, ResourceError> {
    let segments = text.strip_prefix('/').unwrap_or(text);
    let mut found = Spellings::NONE;
    let mut start = 0;
    for segment in segments.split('/') {
        let end = start + segment.len();
        if !segment.is_empty() {
            found.extend(segment::inspect(segment.as_bytes())?);
        } else if end != segments.len() {
            found.insert(Spelling::EmptySegment);
        }
        start = end + 1;
    }
    if memchr::memchr(b'\\', text.as_bytes()).is_some() {
        found.insert(Spelling::Backslash);
    }
    Ok(found)
}

/// Whether something holds for decoded text, or for what decoding it again or mapping its
/// compatibility characters makes of it; so it does where decoding does not end.
pub(crate) fn in_any_reading(text: &str, holds: impl Fn(&str) -> bool) -> bool {
    segment::in_any_reading(text.as_bytes(), 0, &|reading| holds(&String::from_utf8_lossy(reading)))
}

#[cfg(test)]
mod tests;
