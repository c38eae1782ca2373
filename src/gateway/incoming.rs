//! What a request asks for: host, path and query out of its target and its `Host`, in one
//! reading for both versions of HTTP (RFC 9112 §3.2, RFC 9113 §8.3.1).

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};

use super::rejection::Rejection;
use crate::config::Limits;
use crate::resource::{CanonicalHost, CanonicalQuery, Condition, Destination, ResourceError};

/// The WebDAV header that names a second resource (RFC 4918 §10.3).
pub(super) static DESTINATION: HeaderName = HeaderName::from_static("destination");

/// The WebDAV header that may name resources (RFC 4918 §10.4).
pub(super) static IF: HeaderName = HeaderName::from_static("if");

/// The parts of a request's target, not yet judged but the host.
#[derive(Debug)]
pub(crate) struct Incoming<'r> {
    /// The host that is asked for.
    pub(crate) host: CanonicalHost<'r>,
    /// The path, as it came.
    pub(crate) path: &'r str,
    /// The query, as it came.
    pub(crate) query: Option<&'r str>,
    destination: Once<'r>,
    condition: Once<'r>,
}

/// A field that may stand once.
#[derive(Clone, Copy, Debug, Default)]
enum Once<'r> {
    #[default]
    Absent,
    Found(&'r HeaderValue),
    Repeated,
}

impl<'r> Once<'r> {
    fn add(&mut self, value: &'r HeaderValue) {
        *self = match self {
            Self::Absent => Self::Found(value),
            Self::Found(_) | Self::Repeated => Self::Repeated,
        };
    }

    /// Its value as text; `malformed` where there is no single one.
    fn text<E>(self, malformed: E) -> Result<Option<&'r str>, E> {
        match self {
            Self::Absent => Ok(None),
            Self::Found(value) => value.to_str().map(Some).map_err(|_| malformed),
            Self::Repeated => Err(malformed),
        }
    }
}

/// The fields that say what a request asks for, found in one pass: looking each up costs more than
/// reading the names of the few that there are.
#[derive(Clone, Copy, Debug, Default)]
struct Asking<'r> {
    host: Once<'r>,
    expectation: Once<'r>,
    destination: Once<'r>,
    condition: Once<'r>,
}

impl<'r> Asking<'r> {
    fn of(fields: &'r HeaderMap) -> Self {
        let mut found = Self::default();
        for (name, value) in fields {
            if name == header::HOST {
                found.host.add(value);
            } else if name == header::EXPECT {
                found.expectation.add(value);
            } else if name == DESTINATION {
                found.destination.add(value);
            } else if name == IF {
                found.condition.add(value);
            }
        }
        found
    }
}

impl<'r> Incoming<'r> {
    /// Reads the target and checks what needs no route: method, expectation, limits.
    ///
    /// # Errors
    ///
    /// The [`Rejection`] to answer with.
    pub(crate) fn read(parts: &'r Parts, limits: &Limits) -> Result<Self, Rejection> {
        if parts.method == Method::CONNECT || parts.method == Method::TRACE {
            return Err(Rejection::Method);
        }
        check_limits(parts, limits)?;
        check_values(parts)?;
        let asking = Asking::of(&parts.headers);
        check_expectation(asking.expectation)?;
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let host = asking.host.text(Rejection::AbsentHost)?;
        let host = match (authority, host) {
            (Some(authority), None) if parts.version == Version::HTTP_2 => authority,
            // RFC 9112 §3.2.2: over HTTP/1.1 Host is needed in absolute-form as well.
            (_, None) => return Err(Rejection::AbsentHost),
            (None, Some(host)) => host,
            (Some(authority), Some(host)) => {
                let (named, host_named) =
                    (CanonicalHost::parse(authority)?, CanonicalHost::parse(host)?);
                if named != host_named {
                    return Err(Rejection::HostMismatch);
                }
                host
            }
        };
        let is_http = parts.uri.scheme().is_none_or(|scheme| {
            scheme == &http::uri::Scheme::HTTP || scheme == &http::uri::Scheme::HTTPS
        });
        let path = parts.uri.path();
        // `?x` has no path either, though one would be made up for it.
        let target = parts.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        if !is_http || !path.starts_with('/') || !target.starts_with('/') {
            return Err(Rejection::TargetForm);
        }
        let host = CanonicalHost::parse(host)?;
        let Asking { destination, condition, .. } = asking;
        Ok(Self { host, path, query: parts.uri.query(), destination, condition })
    }

    /// The query in canonical form.
    ///
    /// # Errors
    ///
    /// It has no single reading.
    pub(crate) fn query(&self) -> Result<CanonicalQuery<'r>, Rejection> {
        Ok(CanonicalQuery::parse(self.query)?)
    }

    /// The second resource that a request names, if it does.
    ///
    /// # Errors
    ///
    /// More than one, or one without a single reading.
    pub(crate) fn destination(&self, https: bool) -> Result<Option<Destination<'r>>, Rejection> {
        let value = self.destination.text(ResourceError::DestinationForm)?;
        Ok(value.map(|value| Destination::parse(value, &self.host, https)).transpose()?)
    }

    /// What the `If` of a request names and asks, if it has one.
    ///
    /// # Errors
    ///
    /// More than one, or one without a single reading.
    pub(crate) fn condition(&self, https: bool) -> Result<Option<Condition<'r>>, Rejection> {
        let value = self.condition.text(ResourceError::ConditionForm)?;
        Ok(value.map(|value| Condition::parse(value, &self.host, https)).transpose()?)
    }
}

fn check_limits(parts: &Parts, limits: &Limits) -> Result<(), Rejection> {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.request_line {
        return Err(Rejection::TargetTooLong);
    }
    if parts.headers.len() > limits.header_count {
        return Err(Rejection::HeadTooLarge);
    }
    Ok(())
}

/// RFC 9113 §8.2.1; in HTTP/1.1 white space around a value is not part of it. The engine takes `"`
/// for a character of names, which it is not (RFC 9110 §5.6.2), an empty length for none, and the
/// first of several for all; HTTP/1.1 is read before it reads.
fn check_values(parts: &Parts) -> Result<(), Rejection> {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_padded = |value: &HeaderValue| {
        let value = value.as_bytes();
        is_space(value.first()) || is_space(value.last())
    };
    if parts.version != Version::HTTP_2 {
        return Ok(());
    }
    let is_quoted = |name: &HeaderName| name.as_str().contains('"');
    let mut lengths = parts.headers.get_all(header::CONTENT_LENGTH).iter();
    let has_no_length = match (lengths.next(), lengths.next()) {
        (None, _) => false,
        (Some(only), None) => only.is_empty() || !only.as_bytes().iter().all(u8::is_ascii_digit),
        (Some(_), Some(_)) => true,
    };
    if parts.headers.values().any(is_padded) || parts.headers.keys().any(is_quoted) || has_no_length
    {
        return Err(Rejection::FieldMalformed);
    }
    Ok(())
}

fn check_expectation(expectation: Once<'_>) -> Result<(), Rejection> {
    match expectation {
        Once::Absent => Ok(()),
        Once::Found(only) if only.as_bytes().eq_ignore_ascii_case(b"100-continue") => Ok(()),
        Once::Found(_) | Once::Repeated => Err(Rejection::Expectation),
    }
}

/// The protocol that a request wants to switch to, if it is the one we let through: WebSocket
/// over HTTP/1.1 (RFC 6455 §4.1).
#[must_use]
pub(super) fn wants_websocket(parts: &Parts) -> bool {
    if parts.version != Version::HTTP_11 || parts.method != Method::GET {
        return false;
    }
    let length = parts.headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
    let has_body = parts.headers.contains_key(header::TRANSFER_ENCODING)
        || length.is_some_and(|length| length.iter().any(|&digit| digit != b'0'));
    if has_body {
        return false; // what follows it cannot be told from the other protocol
    }
    let mut protocols = parts.headers.get_all(header::UPGRADE).iter();
    let is_websocket = matches!(
        (protocols.next(), protocols.next()),
        (Some(only), None) if only.as_bytes().eq_ignore_ascii_case(b"websocket")
    );
    let mut options = parts.headers.get_all(header::CONNECTION).iter();
    is_websocket
        && options.any(|value| {
            let mut options = value.as_bytes().split(|&byte| byte == b',');
            options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Request};

    fn limits() -> Limits {
        Limits::default()
    }

    fn parts(target: &str, host: &[&str]) -> Parts {
        let mut request = Request::builder().uri(target);
        for host in host {
            request = request.header("host", *host);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn rejected(parts: &Parts) -> Rejection {
        Incoming::read(parts, &limits()).unwrap_err()
    }

    #[test]
    fn both_forms_of_a_target_are_read_alike() {
        for target in ["/a?b=c", "http://x.test/a?b=c"] {
            let parts = parts(target, &["X.test."]);
            let incoming = Incoming::read(&parts, &limits()).unwrap();
            assert_eq!(
                (incoming.host.name(), incoming.path, incoming.query),
                ("x.test", "/a", Some("b=c"))
            );
        }
    }

    #[test]
    fn hosts_that_are_absent_repeated_or_contradicted_are_refused() {
        assert_eq!(rejected(&parts("/", &[])), Rejection::AbsentHost);
        assert_eq!(rejected(&parts("/", &["a", "a"])), Rejection::AbsentHost);
        assert_eq!(rejected(&parts("http://b/", &["a"])), Rejection::HostMismatch);
        assert_eq!(rejected(&parts("http://a/", &[])), Rejection::AbsentHost);
        assert_eq!(rejected(&parts("http://a:81/", &["a:80"])), Rejection::HostMismatch);
    }

    #[test]
    fn forms_that_do_not_belong_here_are_refused() {
        assert_eq!(rejected(&parts("*", &["a"])), Rejection::TargetForm);
        assert_eq!(rejected(&parts("ftp://a/", &["a"])), Rejection::TargetForm);
        assert_eq!(rejected(&parts("http://a?b", &["a"])), Rejection::TargetForm);
        let mut connect = parts("/", &["a"]);
        connect.method = Method::CONNECT;
        assert_eq!(rejected(&connect), Rejection::Method);
    }

    #[test]
    fn a_field_that_only_the_engine_takes_for_one_is_refused() {
        for (name, value) in [
            ("x\"y", "z"),
            ("x", " z"),
            ("x", "z\t"),
            ("content-length", ""),
            ("content-length", "+1"),
        ] {
            let mut parts = parts("https://a/", &["a"]);
            parts.version = Version::HTTP_2;
            let name = HeaderName::from_lowercase(name.as_bytes()).unwrap();
            parts.headers.insert(name, HeaderValue::from_str(value).unwrap());
            assert_eq!(rejected(&parts), Rejection::FieldMalformed, "{value:?}");
        }
        let mut parts = parts("https://a/", &["a"]);
        parts.version = Version::HTTP_2;
        for length in ["5", "5"] {
            assert!(Incoming::read(&parts, &limits()).is_ok());
            parts.headers.append("content-length", HeaderValue::from_static(length));
        }
        assert_eq!(rejected(&parts), Rejection::FieldMalformed);
    }

    #[test]
    fn only_one_expectation_can_be_met() {
        for (value, is_met) in
            [("100-continue", true), ("100-Continue", true), ("y 100-continue", false)]
        {
            let mut parts = parts("/", &["a"]);
            parts.headers.insert(header::EXPECT, value.parse().unwrap());
            assert_eq!(Incoming::read(&parts, &limits()).is_ok(), is_met, "{value}");
        }
    }

    #[test]
    fn only_a_websocket_over_http_1_1_is_an_upgrade() {
        for (upgrade, connection, wants) in [
            ("websocket", "Upgrade", true),
            ("WebSocket", "keep-alive, upgrade", true),
            ("h2c", "upgrade", false),
            ("websocket, h2c", "upgrade", false),
            ("websocket", "keep-alive", false),
        ] {
            let mut parts = parts("/", &["a"]);
            parts.headers.insert(header::UPGRADE, upgrade.parse().unwrap());
            parts.headers.insert(header::CONNECTION, connection.parse().unwrap());
            assert_eq!(wants_websocket(&parts), wants, "{upgrade} {connection}");
            parts.headers.insert(header::CONTENT_LENGTH, "5".parse().unwrap());
            assert!(!wants_websocket(&parts), "{upgrade} {connection} with a body");
        }
    }
}
