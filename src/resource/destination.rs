//! Where a WebDAV COPY or MOVE leads.

use super::{CanonicalHost, CanonicalPath, ResourceError};

/// The `Destination` of a request (RFC 4918 §10.3): a path of the same host.
///
/// It is sent on as an absolute path, whatever form it came in, so that no upstream compares
/// an authority that it does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination<'a>(CanonicalPath<'a>);

impl<'a> Destination<'a> {
    /// Parses the value of the header of a request that was made to `host`, over TLS or not.
    ///
    /// An absolute URI must name the same host and port; where neither names a port, either
    /// of http and https will do, since TLS may have ended in front of us.
    ///
    /// # Errors
    ///
    /// [`ResourceError::DestinationForm`]: neither an absolute path nor an http(s) URI;
    /// [`ResourceError::DestinationHost`]: another host. A query is refused with
    /// [`ResourceError::QueryInPath`], and the path as [`CanonicalPath::parse`] does.
    pub fn parse(
        value: &'a str,
        host: &CanonicalHost<'_>,
        https: bool,
    ) -> Result<Self, ResourceError> {
        if value.starts_with("//") {
            return Err(ResourceError::DestinationForm); // a network path: an authority to some
        }
        if value.starts_with('/') {
            return CanonicalPath::parse(value).map(Self);
        }
        let (scheme, rest) = value.split_once("://").ok_or(ResourceError::DestinationForm)?;
        let is_https = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ => return Err(ResourceError::DestinationForm),
        };
        let (authority, path) =
            rest.find(['/', '?', '#', '\\']).map_or((rest, "/"), |at| rest.split_at(at));
        let authority = CanonicalHost::parse(authority)?;
        if !authority.is_same_origin(is_https, host, https) {
            return Err(ResourceError::DestinationHost);
        }
        if path.starts_with("//") {
            return Err(ResourceError::DestinationForm);
        }
        CanonicalPath::parse(path).map(Self)
    }

    /// The path that it names.
    #[must_use]
    pub const fn path(&self) -> &CanonicalPath<'a> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<String, ResourceError> {
        let host = CanonicalHost::parse("files.example.org").unwrap();
        Destination::parse(value, &host, true).map(|to| to.path().as_str().to_owned())
    }

    #[test]
    fn a_destination_is_a_path_of_the_same_host() {
        for (value, path) in [
            ("/files/a", "/files/a"),
            ("/files/%61 b", "/files/a%20b"),
            ("https://files.example.org/x/", "/x/"),
            ("HTTPS://FILES.example.org.:443/x", "/x"),
            ("http://files.example.org/x", "/x"), // TLS ended in front of us
            ("https://files.example.org", "/"),
        ] {
            assert_eq!(parse(value).as_deref(), Ok(path), "{value}");
        }
    }

    #[test]
    fn ports_count_where_one_is_named() {
        let host = CanonicalHost::parse("localhost:8080").unwrap();
        let parse = |value| Destination::parse(value, &host, false).is_ok();

        assert!(parse("http://localhost:8080/a"));
        assert!(!parse("http://localhost/a"));
        assert!(!parse("http://localhost:8081/a"));
    }

    #[test]
    fn other_hosts_and_other_forms_are_refused() {
        use ResourceError::{
            DestinationForm, DestinationHost, DotSegment, Fragment, HostName, QueryInPath,
        };
        for (value, error) in [
            ("", DestinationForm),
            ("files/a", DestinationForm),
            ("../bob", DestinationForm),
            ("*", DestinationForm),
            ("//files.example.org/a", DestinationForm),
            ("https://files.example.org//a", DestinationForm),
            ("ftp://files.example.org/a", DestinationForm),
            ("https:/files.example.org/a", DestinationForm),
            ("https:files/a", DestinationForm),
            (" /a", DestinationForm),
            ("https://evil.example/a", DestinationHost),
            ("http://files.example.org:80/a", DestinationHost),
            ("https://files.example.org@evil.example/a", HostName),
            ("https://u:p@files.example.org/a", ResourceError::HostPort),
            ("https://files.example.org\\@evil/a", ResourceError::NotAbsolute),
            ("https:///a", HostName),
            ("/a?b", QueryInPath),
            ("/a#b", Fragment),
            ("https://files.example.org?x", ResourceError::NotAbsolute),
            ("/a/../b", DotSegment),
            ("https://files.example.org/a/%2e%2e/b", DotSegment),
        ] {
            assert_eq!(parse(value), Err(error), "{value}");
        }
    }
}
