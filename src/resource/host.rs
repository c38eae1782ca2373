//! The host of a request: `Host`, `:authority`, the authority of an absolute URI.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;
use std::str::FromStr;

use super::ResourceError;

/// A host in lower case, without a trailing dot, its port apart (RFC 9110 §7.2).
///
/// Narrower than RFC 3986 §3.2.2: the name is letters, digits, `-` and `_` in labels, or an
/// IP address. No user information, no percent-encoding, no zone: routes are chosen by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CanonicalHost<'a> {
    name: Cow<'a, str>,
    port: Option<NonZeroU16>,
}

impl<'a> CanonicalHost<'a> {
    /// Parses `host [":" port]`. Borrows where the name already is canonical.
    ///
    /// # Errors
    ///
    /// [`ResourceError::HostName`], [`ResourceError::HostPort`]. An empty port counts as none
    /// (RFC 3986 §3.2.3).
    pub fn parse(raw: &'a str) -> Result<Self, ResourceError> {
        if raw.starts_with('[') {
            return Self::parse_literal(raw);
        }
        let colon = memchr::memchr(b':', raw.as_bytes());
        let (name, port) = match colon {
            Some(colon) => (raw.get(..colon), raw.get(colon + 1..)),
            None => (Some(raw), None),
        };
        let (name, port) = (name.unwrap_or_default(), port.unwrap_or_default());
        let port = parse_port(port)?;
        let name = match name.as_bytes() {
            [.., b'.'] => name.get(..name.len() - 1).unwrap_or_default(),
            _ => name,
        };
        if !is_name(name.as_bytes()) {
            return Err(ResourceError::HostName);
        }
        let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        Ok(Self { name, port })
    }

    /// Parses `"[" IPv6address "]" [":" port]`.
    fn parse_literal(raw: &'a str) -> Result<Self, ResourceError> {
        let end = raw.find(']').ok_or(ResourceError::HostName)?;
        let (name, rest) = raw.split_at(end + 1);
        let port = match rest.strip_prefix(':') {
            Some(port) => parse_port(port)?,
            None if rest.is_empty() => None,
            None => return Err(ResourceError::HostName),
        };
        let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        let address: Ipv6Addr =
            inner.and_then(|inner| inner.parse().ok()).ok_or(ResourceError::HostName)?;
        let canonical = format!("[{address}]");
        let name = if canonical == name { Cow::Borrowed(name) } else { Cow::Owned(canonical) };
        Ok(Self { name, port })
    }

    /// The name in lower case; an IPv6 address in brackets, in the form of RFC 5952.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port, if one is named.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port.map(NonZeroU16::get)
    }

    /// The same host, owning its name.
    #[must_use]
    pub fn into_owned(self) -> CanonicalHost<'static> {
        CanonicalHost { name: Cow::Owned(self.name.into_owned()), port: self.port }
    }

    /// Whether both name one origin. `https` and `other_https` say what a missing port means;
    /// where neither names a port the scheme does not matter, since TLS may end before us.
    pub(crate) fn is_same_origin(&self, https: bool, other: &Self, other_https: bool) -> bool {
        let default = |https| if https { 443 } else { 80 };
        self.name == other.name
            && match (self.port(), other.port()) {
                (None, None) => true,
                (port, other) => {
                    port.unwrap_or(default(https)) == other.unwrap_or(default(other_https))
                }
            }
    }
}

impl fmt::Display for CanonicalHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The hosts that a route serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// One host.
    Exact(Box<str>),
    /// `*.example.org`: one label below a name, as in certificates (RFC 9525 §6.3). Holds
    /// `.example.org`.
    Wildcard(Box<str>),
}

impl HostPattern {
    /// Whether `host` is one of them; the port does not count.
    #[must_use]
    pub fn matches(&self, host: &CanonicalHost<'_>) -> bool {
        match self {
            Self::Exact(name) => **name == *host.name,
            Self::Wildcard(suffix) => host
                .name
                .strip_suffix(&**suffix)
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
        }
    }
}

impl FromStr for HostPattern {
    type Err = ResourceError;

    fn from_str(raw: &str) -> Result<Self, ResourceError> {
        let wildcard = raw.strip_prefix("*.");
        let host = CanonicalHost::parse(wildcard.unwrap_or(raw))?;
        if host.port.is_some() || raw.ends_with(':') {
            return Err(ResourceError::HostPort);
        }
        match wildcard {
            Some(_) if is_address(host.name()) => Err(ResourceError::HostName),
            Some(_) => Ok(Self::Wildcard(format!(".{}", host.name).into())),
            None => Ok(Self::Exact(host.name.into())),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Wildcard(suffix) => write!(f, "*{suffix}"),
        }
    }
}

/// Labels of 1 to 63 characters, 253 in all (RFC 1035 §2.3.4); `_` occurs in practice.
fn is_name(name: &[u8]) -> bool {
    let mut label = 0;
    for &byte in name {
        match byte {
            b'.' if label == 0 => return false,
            b'.' => label = 0,
            b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' if label < 63 => label += 1,
            _ => return false,
        }
    }
    label > 0 && name.len() <= 253
}

fn is_address(name: &str) -> bool {
    name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok()
}

/// Empty is no port; otherwise 1 to 65535, without sign and without leading zeros.
fn parse_port(port: &str) -> Result<Option<NonZeroU16>, ResourceError> {
    if port.is_empty() {
        return Ok(None);
    }
    let digits = port.as_bytes();
    if digits.len() > 5 || digits.first() == Some(&b'0') || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ResourceError::HostPort);
    }
    let number = digits.iter().fold(0, |number: u32, digit| number * 10 + u32::from(digit - b'0'));
    let number = u16::try_from(number).ok().and_then(NonZeroU16::new);
    number.map(Some).ok_or(ResourceError::HostPort)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_spelling() {
        for (raw, name, port) in [
            ("example.org", "example.org", None),
            ("LOCALHOST", "localhost", None),
            ("localhost.", "localhost", None),
            ("Files.Example.ORG.:8443", "files.example.org", Some(8443)),
            ("a_b-c:1", "a_b-c", Some(1)),
            ("x:65535", "x", Some(65535)),
            ("x:", "x", None),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]", "[::1]", None),
            ("[0:0::0:1]:443", "[::1]", Some(443)),
            ("[2001:DB8::A]", "[2001:db8::a]", None),
        ] {
            let host = CanonicalHost::parse(raw).unwrap();
            assert_eq!((host.name(), host.port()), (name, port), "{raw}");

            let written = host.to_string();
            assert_eq!(CanonicalHost::parse(&written).unwrap().to_string(), written);
        }
    }

    #[test]
    fn a_canonical_host_is_borrowed() {
        for raw in ["example.org:80", "example.org.", "[::1]:80"] {
            let host = CanonicalHost::parse(raw).unwrap();
            assert!(matches!(host.name, Cow::Borrowed(_)), "{raw}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a".repeat(64);
        let longer = ["abcdefg."; 32].concat();
        for raw in [
            "",
            ".",
            ":80",
            "a..b",
            ".a",
            "a..",
            "localhost,evil",
            "localhost@evil",
            "user:pw@host",
            "a b",
            " a",
            "a ",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a\0",
            "a%2eb",
            "é.org",
            "a|b",
            "[::1",
            "[::1]x",
            "[::1%25eth0]",
            "[v1.a]",
            "[127.0.0.1]",
            "[]",
            "::1",
            "*.a",
            &long,
            &longer,
        ] {
            let error = CanonicalHost::parse(raw).unwrap_err();
            assert!(matches!(error, ResourceError::HostName | ResourceError::HostPort), "{raw}");
        }
        for raw in ["x:0", "x:65536", "x:+80", "x:-1", "x:080", "x:80x", "x: 80", "x:99999999999"] {
            assert_eq!(CanonicalHost::parse(raw), Err(ResourceError::HostPort), "{raw}");
        }
    }

    #[test]
    fn a_pattern_is_a_host_or_one_label_below_it() {
        let host = |raw| CanonicalHost::parse(raw).unwrap();
        let exact: HostPattern = "Example.ORG.".parse().unwrap();
        let wildcard: HostPattern = "*.Example.net".parse().unwrap();

        assert!(exact.matches(&host("EXAMPLE.org:8443")));
        assert!(!exact.matches(&host("a.example.org")));
        assert!(wildcard.matches(&host("A.example.net.")));
        for other in ["example.net", "a.b.example.net", "aexample.net", "a.example.org"] {
            assert!(!wildcard.matches(&host(other)), "{other}");
        }
        assert_eq!(wildcard.to_string(), "*.example.net");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for raw in
            ["", "*", "*.", "a.*", "*.*.a", "**.a", "*a.b", "a:80", "a:", "*.127.0.0.1", "*.[::1]"]
        {
            assert!(raw.parse::<HostPattern>().is_err(), "{raw}");
        }
    }
}
