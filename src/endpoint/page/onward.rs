//! Where somebody goes after logging in: a place on the same host, or nowhere.

use crate::resource::{CanonicalPath, Dialect};

/// The name of the field and of the query parameter that carry it.
pub const FIELD: &str = "redirect";

/// The longest that is followed, in bytes.
const MAX_BYTES: usize = 2048;

/// A path of the same host, with its query: what a `Location` may hold.
///
/// Invariant: it starts with exactly one slash, its path is canonical and has one reading, and
/// nothing in it but visible ASCII; so no browser takes it for another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onward(String);

impl Onward {
    /// Reads what a form or a link asks for; `None`: it asks for nothing that is followed.
    #[must_use]
    pub fn parse(asked: &str) -> Option<Self> {
        let is_plain =
            asked.len() <= MAX_BYTES && asked.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || asked.contains(['\\', '#']) {
            return None;
        }
        let (path, query) = match asked.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (asked, None),
        };
        let path = CanonicalPath::parse(path).ok()?;
        path.admit(Dialect::default()).ok()?;
        Some(Self(match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_string(),
        }))
    }

    /// As it stands in `Location`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Encodes a place for a query.
#[must_use]
pub fn encode(place: &str) -> String {
    percent_encoding::utf8_percent_encode(place, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_same_host_is_followed_in_its_canonical_form() {
        for (asked, followed) in [
            ("/", "/"),
            ("/files/a", "/files/a"),
            ("/files/%61/?x=%2F&y=//z", "/files/a/?x=%2F&y=//z"),
            ("/a?next=https://other.example/", "/a?next=https://other.example/"),
            ("/a:b@c", "/a:b@c"),
            ("/?", "/?"),
        ] {
            let onward = Onward::parse(asked);
            assert_eq!(onward.as_ref().map(Onward::as_str), Some(followed), "{asked}");
        }
    }

    #[test]
    fn no_other_place_is() {
        for asked in [
            "",
            "files",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/%5cevil.example",
            "/%2fevil.example",
            "/%09/evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/ /evil.example",
            "/./evil.example/..//",
            "/..//evil.example",
            "/.//evil.example",
            "/x/..//evil.example",
            "/;/../evil.example",
            "https://evil.example",
            "http:evil.example",
            "javascript:alert(1)",
            "/a#b",
            "/a\0b",
            "/é",
            "//evil.example:80@files.test/",
            "@evil.example",
            "https:/files.test",
        ] {
            assert_eq!(Onward::parse(asked), None, "{asked:?}");
        }
        assert_eq!(Onward::parse(&format!("/{}", "a".repeat(MAX_BYTES))), None);
    }

    #[test]
    fn none_of_the_known_open_redirects_leaves_the_host() {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpora/open-redirects/redirects.txt");
        let targets = std::fs::read_to_string(path).unwrap();
        assert!(targets.lines().count() > 250);
        for asked in targets.lines() {
            let Some(onward) = Onward::parse(asked) else { continue };
            let mut bytes = onward.as_str().bytes();
            assert_eq!(bytes.next(), Some(b'/'), "{asked}");
            assert!(!matches!(bytes.next(), Some(b'/' | b'\\')), "{asked}");
        }
    }
}
