//! The canonical query, and the parameters in it that name resources.

use std::borrow::Cow;

use super::ResourceError;
use super::segment::{is_plain, is_unreserved, octet, triplet};

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
    /// surrounding spaces, a second encoding, or what PHP maps to `_`;
    /// [`ResourceError::AmbiguousSeparator`]: a raw `;`.
    pub fn demand(&self, name: &str) -> Result<(), ResourceError> {
        let Some(query) = self.as_str() else { return Ok(()) };
        if memchr::memchr(b';', query.as_bytes()).is_some() {
            return Err(ResourceError::AmbiguousSeparator);
        }
        let wanted = skeleton(name.as_bytes());
        let is_alias =
            |pair: Pair<'_>| !pair.is_called(name) && skeleton(&octets(pair.name)) == wanted;
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

/// What is left of a name when everything is dropped that some server drops or maps.
fn skeleton(name: &[u8]) -> String {
    let mut name = Cow::Borrowed(name);
    for _ in 0..4 {
        name = Cow::Owned(percent_encoding::percent_decode(&name).collect());
    }
    let name = String::from_utf8_lossy(&name);
    let name: String = name
        .chars()
        .take_while(|character| !matches!(character, '\0' | '['))
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
