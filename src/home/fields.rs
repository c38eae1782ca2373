//! The header fields of an answer that name places, as the principal sees them.

use super::{HomeRule, Mode, reveal};
use crate::resource::{CanonicalHost, CanonicalPath, PathPrefix};

/// The way back for one principal on one route: what the upstream calls a place → what the
/// principal calls it. `None` is what the principal has no name for, and must not see.
#[derive(Clone, Copy, Debug)]
pub struct Revealer<'a> {
    /// How the route confines.
    pub rule: &'a HomeRule,
    /// The principal's home.
    pub home: &'a PathPrefix,
    /// The host that the principal asked.
    pub host: &'a CanonicalHost<'a>,
    /// Host and port of the upstream, which are nobody's business outside.
    pub authority: &'a str,
}

impl Revealer<'_> {
    /// Whether there is anything to translate.
    #[must_use]
    pub fn translates(&self) -> bool {
        self.rule.mode == Mode::Rewrite && !self.home.is_root()
    }

    /// A reference, as in `Location` and `Content-Location`.
    #[must_use]
    pub fn reference(&self, reference: &str) -> Option<String> {
        let own = own_path(reference, self.authority);
        reveal(self.rule, self.home, own.unwrap_or(reference), self.host)
    }

    /// `Link` (RFC 8288 §3): links to what has no name are left out; `None`: none is left.
    #[must_use]
    pub fn link(&self, value: &str) -> Option<String> {
        let links: Vec<String> = links(value)?
            .into_iter()
            .filter_map(|(target, parameters)| {
                Some(["<", &self.reference(target)?, ">", parameters].concat())
            })
            .collect();
        (!links.is_empty()).then(|| links.join(", "))
    }

    /// `Refresh`: seconds, and where to go then.
    #[must_use]
    pub fn refresh(&self, value: &str) -> Option<String> {
        let Some((seconds, rest)) = value.split_once([';', ',']) else {
            return Some(value.to_owned());
        };
        let rest = rest.trim();
        let target = match rest.get(..4) {
            Some(name) if name.eq_ignore_ascii_case("url=") => rest.get(4..)?.trim(),
            _ => rest,
        };
        let quoted = |quote: char| target.strip_prefix(quote)?.strip_suffix(quote);
        let target = quoted('"').or_else(|| quoted('\'')).unwrap_or(target);
        if target.contains(['"', '\'']) {
            return None; // who reads it differently goes elsewhere
        }
        Some(format!("{}; url={}", seconds.trim(), self.reference(target)?))
    }

    /// `Set-Cookie` (RFC 6265 §4.1): its `Path`. A cookie for a place around the home is one for
    /// all that the principal sees.
    #[must_use]
    pub fn cookie(&self, value: &str) -> Option<String> {
        let mut parts: Vec<String> = Vec::new();
        for (index, part) in value.split(';').enumerate() {
            let path = part
                .split_once('=')
                .filter(|(name, _)| index > 0 && name.trim().eq_ignore_ascii_case("path"));
            match path {
                Some((_, path)) => parts.push(format!(" Path={}", self.cookie_path(path.trim())?)),
                None => parts.push(part.to_owned()),
            }
        }
        Some(parts.join(";"))
    }

    fn cookie_path(&self, path: &str) -> Option<String> {
        if !path.starts_with('/') {
            return Some(path.to_owned()); // RFC 6265 §5.2.4: as if it were not there
        }
        let inner = self.rule.root.join(self.home);
        let above = CanonicalPath::parse(inner.as_str()).is_ok_and(|inner| {
            let path = path.trim_end_matches('/').parse::<PathPrefix>();
            path.is_ok_and(|path| path.covers(&inner))
        });
        let is_within = self.rule.root.strip(path).is_some();
        if above && is_within {
            let root = self.rule.root.as_str();
            return Some(if root.is_empty() { "/".to_owned() } else { root.to_owned() });
        }
        self.reference(path)
    }
}

/// The path of a reference that carries the upstream's own authority.
fn own_path<'l>(reference: &'l str, authority: &str) -> Option<&'l str> {
    let (scheme, rest) = reference.split_once("://")?;
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (named, path) = rest.split_at(at);
    let is_own = is_http && named.eq_ignore_ascii_case(authority) && path.starts_with('/');
    is_own.then_some(path)
}

/// The links of a value: target, and parameters as they stand. `None`: it cannot be read.
fn links(value: &str) -> Option<Vec<(&str, &str)>> {
    let mut links = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let end = end_of_link(after)?;
        let (parameters, next) = after.split_at(end);
        links.push((target, parameters.trim_end()));
        rest = next.trim_start_matches([',', ' ', '\t']);
    }
    Some(links)
}

/// Where the parameters of a link end: at the first comma outside of quotes.
fn end_of_link(text: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => return Some(index),
            _ => {}
        }
    }
    (!is_quoted).then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Place;

    fn with<T>(see: impl FnOnce(Revealer<'_>) -> T) -> T {
        let rule = HomeRule {
            places: vec![Place::Path],
            mode: Mode::Rewrite,
            root: "/files".parse().unwrap(),
            dialect: crate::resource::Dialect::Posix,
            ..HomeRule::default()
        };
        let (home, host) = ("/alice".parse().unwrap(), CanonicalHost::parse("gw.test").unwrap());
        see(Revealer { rule: &rule, home: &home, host: &host, authority: "10.0.0.1:9000" })
    }

    #[test]
    fn a_reference_with_the_upstreams_own_authority_is_read_as_its_path() {
        assert_eq!(own_path("http://10.0.0.1:9000/a", "10.0.0.1:9000"), Some("/a"));
        assert_eq!(own_path("http://other/a", "10.0.0.1:9000"), None);
        assert_eq!(own_path("/a", "10.0.0.1:9000"), None);
        assert_eq!(own_path("http://10.0.0.1:9000", "10.0.0.1:9000"), None);
    }

    #[test]
    fn links_are_translated_and_those_to_others_left_out() {
        for (value, seen) in [
            ("</files/alice/b>; rel=next", Some("</files/b>; rel=next")),
            ("<http://10.0.0.1:9000/files/alice/b>;rel=\"next\"", Some("</files/b>;rel=\"next\"")),
            (
                "</files/alice/a>; rel=prev; title=\"a, \\\"b\", </files/alice/c>; rel=next",
                Some("</files/a>; rel=prev; title=\"a, \\\"b\", </files/c>; rel=next"),
            ),
            ("</files/bob/a>; rel=x, </files/alice/c>; rel=y", Some("</files/c>; rel=y")),
            ("</files/bob/a>; rel=x", None),
            ("<https://other.test/files/bob>", Some("<https://other.test/files/bob>")),
            ("</style.css>; rel=preload", Some("</style.css>; rel=preload")),
            ("/files/bob/a; rel=x", None),
            ("</files/bob/a", None),
            ("</files/alice/a>; title=\"x", None),
        ] {
            assert_eq!(with(|see| see.link(value)).as_deref(), seen, "{value}");
        }
    }

    #[test]
    fn a_refresh_leads_to_what_the_principal_calls_so() {
        for (value, seen) in [
            ("5", Some("5")),
            ("5; url=/files/alice/b", Some("5; url=/files/b")),
            ("0;URL='/files/alice/b'", Some("0; url=/files/b")),
            ("0, /files/alice/b", Some("0; url=/files/b")),
            ("5; url=/files/bob/b", None),
            ("5; url=\"/files/alice/b\" \"", None),
        ] {
            assert_eq!(with(|see| see.refresh(value)).as_deref(), seen, "{value}");
        }
    }

    #[test]
    fn a_cookie_stays_within_what_the_principal_sees() {
        for (value, seen) in [
            ("a=b", Some("a=b")),
            ("a=b; Path=/; HttpOnly", Some("a=b; Path=/; HttpOnly")),
            ("a=b; path=/files/alice; Secure", Some("a=b; Path=/files; Secure")),
            ("a=b; Path=/files/alice/x", Some("a=b; Path=/files/x")),
            ("a=b; Path=/files", Some("a=b; Path=/files")),
            ("a=b; Path=/files/", Some("a=b; Path=/files")),
            ("a=b; Path=/other", Some("a=b; Path=/other")),
            ("path=/files/bob; Path=/files/alice", Some("path=/files/bob; Path=/files")),
            ("a=b; Path=/files/bob", None),
            ("a=b; Path=/files/alice2", None),
        ] {
            assert_eq!(with(|see| see.cookie(value)).as_deref(), seen, "{value}");
        }
    }
}
