//! The canonical query, and the parameters in it that name resources.

use std::borrow::Cow;

use super::segment::{decode_again, fold, has_overlong, is_plain, is_unreserved, octet, triplet};
use super::{ResourceError, Spellings};

/// The query of a request: separators as they are, every `%XX` in one spelling.
///
/// Unreserved characters are written plainly; what may not stand in a query (RFC 3986 §3.4)
/// is encoded; every other triplet stays, in upper case, since `%26` is not `&`. It parses to
/// itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanonicalQuery<'a>(Option<Cow<'a, str>>);

impl<'a> CanonicalQuery<'a> {
    /// Parses what follows `?`; `None` where there is none. Borrows where it is canonical.
    ///
    /// # Errors
    ///
    /// [`ResourceError::ControlByte`] for raw ones, [`ResourceError::Fragment`],
    /// [`ResourceError::InvalidPercent`].
    pub fn parse(raw: Option<&'a str>) -> Result<Self, ResourceError> {
        raw.map(canonical).transpose().map(Self)
    }

    /// The query as it is sent, without `?`; `None` where there is none.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The decoded values of all parameters called exactly `name`, in order, `+` as it is.
    pub fn values(&self, name: &str) -> impl Iterator<Item = Result<Cow<'_, str>, ResourceError>> {
        self.pairs().filter(move |pair| pair.is_called(name)).map(|pair| decode(pair.value))
    }

    /// Whether a rule may rest on the parameter `name`: nothing else in the query could be
    /// taken for it.
    ///
    /// # Errors
    ///
    /// [`ResourceError::AliasedParameter`]: a name that differs only by case, brackets,
    /// surrounding spaces, a second encoding, what PHP maps to `_`, or a second `?` in front;
    /// [`ResourceError::AmbiguousSeparator`]: a raw `;`.
    pub fn demand(&self, name: &str) -> Result<(), ResourceError> {
        let Some(query) = self.as_str() else { return Ok(()) };
        if memchr::memchr(b';', query.as_bytes()).is_some() {
            return Err(ResourceError::AmbiguousSeparator);
        }
        let is_alias = |pair: Pair<'_>| {
            !pair.is_called(name) && could_be(pair.name, name) || is_behind_mark(pair.text, name)
        };
        if self.pairs().any(is_alias) { Err(ResourceError::AliasedParameter) } else { Ok(()) }
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.as_str().into_iter().flat_map(|query| query.split('&')).map(|text| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            Pair { text, name, value }
        })
    }
}

/// One parameter, in canonical form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'q> {
    /// All of it.
    pub(crate) text: &'q str,
    /// What stands before the first `=`.
    pub(crate) name: &'q str,
    /// What stands after it.
    pub(crate) value: &'q str,
}

impl Pair<'_> {
    /// Whether the decoded name is exactly `name`.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || *octets(self.name) == *name.as_bytes()
    }
}

/// Decodes a part of a query once, leaving `+` as it is.
///
/// # Errors
///
/// [`ResourceError::InvalidUtf8`].
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, ResourceError> {
    percent_encoding::percent_decode_str(text).decode_utf8().map_err(|_| ResourceError::InvalidUtf8)
}

fn octets(text: &str) -> Cow<'_, [u8]> {
    percent_encoding::percent_decode_str(text).into()
}

/// Whether a parameter begins behind a second `?`, for a server that splits at the last one.
fn is_behind_mark(pair: &str, name: &str) -> bool {
    let Some((_, rest)) = pair.split_once('?') else { return false };
    rest.split('?').any(|text| could_be(text.split('=').next().unwrap_or_default(), name))
}

/// Whether some server takes the parameter `written` for `name`.
pub(super) fn could_be(written: &str, name: &str) -> bool {
    let is_simple = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if is_simple(written) && is_simple(name) {
        return written.eq_ignore_ascii_case(name);
    }
    let name = skeleton(name);
    let mut written = octets(written).into_owned();
    for _ in 0..4 {
        if has_overlong(&written) {
            return true; // who decodes that may find any name in it
        }
        let folded = fold(&written);
        for text in [&written].into_iter().chain(&folded) {
            let text = String::from_utf8_lossy(text);
            if text.split(['&', ';', '?', '#']).any(|written| skeleton(written) == name) {
                return true;
            }
        }
        let again = decode_again(&folded.unwrap_or(written), &mut Spellings::default());
        let Some(again) = again else { return false };
        written = again;
    }
    true // encoded without end
}

/// What is left of a decoded name when everything is dropped that some server drops or maps.
fn skeleton(name: &str) -> String {
    let name: String = name
        .trim_start_matches([' ', '+', '['])
        .chars()
        .take_while(|character| !matches!(character, '\0' | '[' | ']' | '=' | '?' | '#'))
        .filter(|character| !character.is_control())
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect();
    name.trim_matches([' ', '+']).replace([' ', '+', '.'], "_")
}

fn canonical(raw: &str) -> Result<Cow<'_, str>, ResourceError> {
    let mut bytes = raw.bytes();
    let mut is_canonical = true;
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
                    return Err(ResourceError::InvalidPercent);
                };
                let byte = octet(high, low).ok_or(ResourceError::InvalidPercent)?;
                is_canonical &= !is_unreserved(byte) && triplet(byte) == [b'%', high, low];
            }
            b'#' => return Err(ResourceError::Fragment),
            _ if byte.is_ascii_control() => return Err(ResourceError::ControlByte),
            _ => is_canonical &= is_query_plain(byte),
        }
    }
    if is_canonical { Ok(Cow::Borrowed(raw)) } else { Ok(Cow::Owned(rewrite(raw))) }
}

/// Writes `raw`, whose triplets are valid, in canonical form.
fn rewrite(raw: &str) -> String {
    let mut wire = String::with_capacity(raw.len() + 8);
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'%' => bytes.next().zip(bytes.next()).and_then(|(high, low)| octet(high, low)),
            _ => None,
        };
        match decoded {
            Some(byte) if is_unreserved(byte) => wire.push(char::from(byte)),
            Some(byte) => wire.extend(triplet(byte).map(char::from)),
            None if is_query_plain(byte) => wire.push(char::from(byte)),
            None => wire.extend(triplet(byte).map(char::from)),
        }
    }
    wire
}

/// `query` of RFC 3986 §3.4, without `pct-encoded`.
const fn is_query_plain(byte: u8) -> bool {
    is_plain(byte) || matches!(byte, b'/' | b'?')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(raw: &str) -> CanonicalQuery<'_> {
        CanonicalQuery::parse(Some(raw)).unwrap()
    }

    #[test]
    fn every_query_has_one_spelling() {
        for (raw, canonical) in [
            ("", ""),
            ("a=b&c", "a=b&c"),
            ("%61=%7e", "a=~"),
            ("a=%2f%26%3d%2b", "a=%2F%26%3D%2B"),
            ("a=/b?c:@!$'()*,;", "a=/b?c:@!$'()*,;"),
            ("a=b c\"<>[]{}|\\^`", "a=b%20c%22%3C%3E%5B%5D%7B%7D%7C%5C%5E%60"),
            ("a=é&&=", "a=%C3%A9&&="),
            ("latin=%e9", "latin=%E9"),
        ] {
            assert_eq!(parse(raw).as_str(), Some(canonical));
            let again = parse(canonical);
            assert!(std::ptr::eq(again.as_str().unwrap(), canonical), "{canonical}");
        }
        assert_eq!(CanonicalQuery::parse(None).unwrap().as_str(), None);
    }

    #[test]
    fn what_has_no_canonical_form_is_refused() {
        for (raw, error) in [
            ("a=%", ResourceError::InvalidPercent),
            ("a=%2", ResourceError::InvalidPercent),
            ("a=%%32e", ResourceError::InvalidPercent),
            ("a=b#c", ResourceError::Fragment),
            ("a=b\rc", ResourceError::ControlByte),
            ("a\0", ResourceError::ControlByte),
        ] {
            assert_eq!(CanonicalQuery::parse(Some(raw)), Err(error), "{raw:?}");
        }
    }

    #[test]
    fn all_repeats_of_a_parameter_are_seen_decoded() {
        let query = parse("dir=/a&x=1&di%72=%2Fb%2fc&dir=a+b&dir");

        let values: Vec<_> = query.values("dir").map(Result::unwrap).collect();

        assert_eq!(values, ["/a", "/b/c", "a+b", ""]);
        assert!(parse("dir=%c0%ae").values("dir").next().unwrap().is_err());
    }

    #[test]
    fn a_rule_cannot_rest_on_a_parameter_that_has_an_alias() {
        for raw in [
            "DIR=/b",
            "Dir=/b",
            "dir[]=/b",
            "dir[0]=/b",
            "dir%5B%5D=/b",
            "+dir=/b",
            "dir%20=/b",
            "dir%00=/b",
            "dir%00x=/b",
            "%2564ir=/b",
            "d\u{131}r=/b",
            "dir%09=/b",
            "dir%3B=/b",
            "dir%3D/b",
            "x%26dir=/b",
            "dir%23=/b",
            "%253Bdir=/b",
            "x=1&dIr",
            "%EF%BD%84ir=/b",
            "%25u0064ir=/b",
            "%25uFF44ir=/b",
            "%C1%A4ir=/b",
            "%25C1%25A4ir=/b",
            "di%E2%80%8Br=/b",
            "%2525252564ir=/b",
            "[dir]=/b",
            "?dir=/b",
            "??dir=/b",
            "x?dir=/b",
            "x=1?dir=/b",
            "x=1?y=2?DIR[]=/b",
            "x%3Fdir=/b",
            "dir=/a?dir=/b",
        ] {
            let error = parse(raw).demand("dir");
            assert_eq!(error, Err(ResourceError::AliasedParameter), "{raw}");
        }
        for raw in ["my_dir=/b", "my%20dir=/b", "my+dir=/b", "my%2edir[]=/b"] {
            assert!(parse(raw).demand("my.dir").is_err(), "{raw}");
        }
        for raw in ["x=1;dir=/b", ";", "dir=/a;b"] {
            let error = parse(raw).demand("dir");
            assert_eq!(error, Err(ResourceError::AmbiguousSeparator), "{raw}");
        }
        for raw in [
            "",
            "dir=/a&di%72=/b",
            "dirs=/b",
            "xdir=1",
            "DIR2",
            "dir=a%3Bb",
            "dir=/a?",
            "x=y?z=dir",
        ] {
            assert_eq!(parse(raw).demand("dir"), Ok(()), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn a_canonical_query_is_a_fixed_point(raw in "([a-zé&=+;%/?\\[\\\\ ]|%[0-9a-fA-F]{2}){0,30}") {
            if let Ok(query) = CanonicalQuery::parse(Some(&raw)) {
                let wire = query.as_str().unwrap();
                let again = CanonicalQuery::parse(Some(wire)).unwrap();
                prop_assert!(std::ptr::eq(again.as_str().unwrap(), wire));
            }
        }
    }
}
