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
