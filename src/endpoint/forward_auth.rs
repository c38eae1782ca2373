//! Forward-auth: a proxy that keeps its place asks whether a request may pass.
//!
//! This reads the question, and only that: out of the fields (or, for Envoy, the target) in which
//! a given proxy tells of the request that it holds, it makes that request. The gateway then
//! judges it on the same way as one of its own, and nothing of it is decided here.
//!
//! The proxy passes on what it received and not what was decided on, so whatever the gateway
//! would have changed on the way (another spelling of the target, fields that only the gateway
//! may write) must be refused. Each proxy has a path of its own; none is ever guessed.

mod document;
mod fields;

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use ipnet::IpNet;

pub use self::document::document;
pub use self::fields::{forged, told};
use crate::home::{Conditional, Target};

/// A proxy that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// `forward_auth`.
    Caddy,
    /// `ext_authz` over HTTP, with this endpoint as `path_prefix`.
    Envoy,
    /// `auth_request`.
    Nginx,
    /// `ForwardAuth`.
    Traefik,
}

/// Why a question has no answer but no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The request carries a field that only the gateway may write, and that the proxy would pass
    /// on.
    #[error("the request carries a field that only a gateway may write")]
    ForgedField,
    /// What was asked for differs from what it means: the proxy would pass on another request
    /// than the one that was decided on.
    #[error("the request would be passed on in another form than it was decided on")]
    Uncanonical,
    /// The proxy does not say, or says twice, which request it holds, or that is none.
    #[error("the question does not tell which request is meant")]
    Unclear,
    /// The peer is none of the proxies that may ask.
    #[error("asked by a peer that is none of the trusted proxies")]
    UntrustedProxy,
}

impl AskError {
    /// The reason as logs and metrics name it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::ForgedField => "forged_field",
            Self::Uncanonical => "uncanonical",
            Self::Unclear => "unclear_question",
            Self::UntrustedProxy => "untrusted_proxy",
        }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::ForgedField | Self::Uncanonical | Self::Unclear => StatusCode::BAD_REQUEST,
            Self::UntrustedProxy => StatusCode::FORBIDDEN,
        }
    }
}

/// The request that a proxy holds.
#[derive(Debug)]
pub struct Original {
    /// Its method, target and fields, as the proxy received them.
    pub parts: Parts,
    /// Whether it came by TLS.
    pub is_secure: bool,
}

/// The fields in which a proxy tells of the request.
#[derive(Clone, Copy, Debug)]
struct Names {
    method: &'static str,
    uri: &'static str,
    host: &'static str,
}

const ORIGINAL: Names =
    Names { method: "x-original-method", uri: "x-original-uri", host: "x-original-host" };
const FORWARDED: Names =
    Names { method: "x-forwarded-method", uri: "x-forwarded-uri", host: "x-forwarded-host" };
const SCHEME: &str = "x-forwarded-proto";

/// Where Envoy's questions begin, below the endpoint's prefix.
const ENVOY: &str = "/auth/envoy";

impl Proxy {
    /// The proxy whose path this is, below the endpoint's prefix.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        match path {
            "/auth/caddy" => Some(Self::Caddy),
            "/auth/nginx" => Some(Self::Nginx),
            "/auth/traefik" => Some(Self::Traefik),
            _ => path.strip_prefix(ENVOY)?.starts_with('/').then_some(Self::Envoy),
        }
    }

    /// The request that is asked about. `prefix` is what stands in front of the endpoint's paths.
    ///
    /// # Errors
    ///
    /// [`AskError::Unclear`].
    pub fn original(self, question: &Parts, prefix: &str) -> Result<Original, AskError> {
        let fields = &question.headers;
        let (method, uri, host) = match self {
            Self::Envoy => {
                let target = question.uri.path_and_query().map_or("", |target| target.as_str());
                let target = target.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(ENVOY));
                (question.method.clone(), target.ok_or(AskError::Unclear)?, host(question)?)
            }
            Self::Nginx => read(fields, ORIGINAL)?,
            Self::Caddy | Self::Traefik => read(fields, FORWARDED)?,
        };
        let is_secure = is_secure(fields)?;
        let fields = fields::original(fields, &host, [ORIGINAL, FORWARDED]);
        check_copy(&method, &fields)?;
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = method;
        parts.uri = parse(uri)?;
        parts.version = question.version;
        parts.headers = fields;
        Ok(Original { parts, is_secure })
    }

    /// The status as this proxy takes it. Each passes on refusals as they are but nginx, to which
    /// all is an error of ours that is neither 401 nor 403 (`ngx_http_auth_request_module`).
    #[must_use]
    pub fn status(self, refusal: StatusCode) -> StatusCode {
        match self {
            Self::Caddy | Self::Envoy | Self::Traefik => refusal,
            Self::Nginx if refusal.is_server_error() => refusal,
            Self::Nginx if refusal.is_redirection() => StatusCode::UNAUTHORIZED,
            Self::Nginx if refusal == StatusCode::UNAUTHORIZED => refusal,
            Self::Nginx => StatusCode::FORBIDDEN,
        }
    }
}

/// Whether a peer may ask.
#[must_use]
pub fn may_ask(trusted: &[IpNet], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    trusted.iter().any(|network| network.contains(&peer))
}

fn read(fields: &HeaderMap, names: Names) -> Result<(Method, &str, HeaderValue), AskError> {
    let method = text(fields, names.method)?.parse().map_err(|_| AskError::Unclear)?;
    Ok((method, text(fields, names.uri)?, only(fields, names.host)?))
}

/// The only value of a field.
fn only(fields: &HeaderMap, name: &str) -> Result<HeaderValue, AskError> {
    let mut values = fields.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.clone()),
        _ => Err(AskError::Unclear),
    }
}

fn text<'f>(fields: &'f HeaderMap, name: &str) -> Result<&'f str, AskError> {
    let mut values = fields.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (Some(Ok(text)), None) => Ok(text),
        _ => Err(AskError::Unclear),
    }
}

/// The host of a question that names the one that was asked for.
fn host(question: &Parts) -> Result<HeaderValue, AskError> {
    match question.uri.authority() {
        Some(authority) => authority.as_str().parse().map_err(|_| AskError::Unclear),
        None => only(&question.headers, "host"),
    }
}

/// The target in origin-form. The type that it becomes cuts a fragment off and would hide it.
fn parse(target: &str) -> Result<Uri, AskError> {
    if !target.starts_with('/') || target.contains('#') {
        return Err(AskError::Unclear);
    }
    let uri = target.parse::<Uri>().map_err(|_| AskError::Unclear)?;
    // `//host/path` must not be read as an authority.
    let is_whole = uri.path_and_query().is_some_and(|read| read.as_str() == target);
    if is_whole && uri.authority().is_none() { Ok(uri) } else { Err(AskError::Unclear) }
}

/// Said by the proxy or by nobody; without a word of it, nothing was encrypted.
fn is_secure(fields: &HeaderMap) -> Result<bool, AskError> {
    if !fields.contains_key(SCHEME) {
        return Ok(false);
    }
    match text(fields, SCHEME)? {
        "http" | "ws" => Ok(false),
        "https" | "wss" => Ok(true),
        _ => Err(AskError::Unclear),
    }
}

/// A copy whose end is not told (RFC 4918 §9.8) cannot be judged: the proxy may have kept it.
fn check_copy(method: &Method, fields: &HeaderMap) -> Result<(), AskError> {
    let is_copy = matches!(method.as_str(), "COPY" | "MOVE");
    if is_copy && !fields.contains_key("destination") { Err(AskError::Unclear) } else { Ok(()) }
}

/// Whether the proxy passes on what was decided on: target, `Destination` and `If` as they came.
///
/// # Errors
///
/// [`AskError::Uncanonical`].
pub fn check_target(original: &Parts, decided: &Target<'_>) -> Result<(), AskError> {
    let came = original.uri.path_and_query().map_or("", |target| target.as_str());
    let destination = original.headers.get("destination");
    let destination = destination.map(|value| value.to_str().map(path_of).unwrap_or_default());
    let condition = original.headers.get("if").and_then(|value| value.to_str().ok());
    let tags = tags(condition.unwrap_or_default()).map(path_of);
    let is_tagged_so = tags.eq(decided.condition().iter().filter_map(Conditional::path));
    if came == decided.path_and_query() && destination == decided.destination() && is_tagged_so {
        Ok(())
    } else {
        Err(AskError::Uncanonical)
    }
}

/// The path of a `Destination`, which may be a whole URI (RFC 4918 §10.3).
fn path_of(destination: &str) -> &str {
    let Some((_, rest)) = destination.split_once("://") else { return destination };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
}

/// The resource tags of an `If` that was read before: what stands in `<>` outside of lists.
fn tags(condition: &str) -> impl Iterator<Item = &str> {
    let mut rest = condition;
    std::iter::from_fn(move || {
        loop {
            let (_, opened) = rest.split_at_checked(rest.find(['<', '('])?)?;
            if let Some(inner) = opened.strip_prefix('<') {
                let (tag, after) = inner.split_once('>')?;
                rest = after;
                return Some(tag);
            }
            (_, rest) = opened.split_once(')')?;
        }
    })
}

#[cfg(test)]
mod tests;
