//! `[routes.NAME]`: what is let through, for whom, where to.

use std::num::NonZeroU64;

use http::Method;

/// What is let through, for whom, where to.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in the configuration.
    pub name: String,
    /// The hosts it answers for; empty: any.
    pub hosts: Vec<String>,
    /// The paths below this; the longest prefix of all routes wins.
    pub path: String,
    /// The methods it lets through, each with what it demands. Any other is answered 405.
    pub methods: Vec<MethodRule>,
    /// Indices into [`Config::listeners`](crate::config::Config::listeners); never empty.
    pub listeners: Vec<usize>,
    /// Index into [`Config::upstreams`](crate::config::Config::upstreams).
    pub upstream: usize,
    /// The kinds of credentials it takes; never empty, each once.
    pub accept: Vec<Accept>,
    /// How its upstream reads paths.
    pub paths: Dialect,
    /// Confines a principal to its home; `None`: no homes here.
    pub home: Option<HomeRule>,
    /// A principal needs one of these; empty: none needed.
    pub roles: Vec<String>,
    /// A principal needs one of these; empty: none needed.
    pub groups: Vec<String>,
    /// What becomes of the credential.
    pub credential: CredentialPolicy,
    /// The headers in which the upstream learns who it is.
    pub identity_headers: IdentityHeaders,
    /// Whether connections may be upgraded to WebSocket.
    pub websocket: bool,
    /// The largest request body in bytes; `None`: any.
    pub body_limit: Option<NonZeroU64>,
    /// The `Host` that the upstream sees.
    pub host: HostPolicy,
}

/// A method, and the permissions that it demands, all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodRule {
    /// The method.
    pub method: Method,
    /// Empty: no permission needed.
    pub permissions: Vec<String>,
}

/// A kind of credential that a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Accept {
    /// None at all.
    Anonymous,
    /// `Authorization: Basic`.
    Basic,
    /// `Authorization: Bearer`.
    Bearer,
    /// `X-Auth-Token`.
    XAuthToken,
}

/// What becomes of the credential on the way to the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialPolicy {
    /// The upstream gets it as well.
    Forward,
    /// It ends here.
    Remove,
}

/// The family of headers in which an upstream learns who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityHeaders {
    /// It doesn't.
    None,
    /// `Remote-User`, `Remote-Groups`, …
    Remote,
    /// `X-Auth-Request-User`, …
    XAuthRequest,
    /// `X-Forwarded-User`, …
    XForwarded,
}

/// The `Host` that the upstream sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostPolicy {
    /// The client's, in canonical form.
    Preserve,
    /// The upstream's own.
    Upstream,
}

/// How an upstream reads paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As POSIX file systems do.
    Posix,
    /// Not at all.
    Raw,
    /// As Tomcat does, with path parameters.
    Tomcat,
    /// As Windows does.
    Windows,
}

/// Confines a principal to its home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeRule {
    /// Where a request names resources.
    pub places: Vec<Place>,
    /// What is done about it.
    pub mode: Mode,
    /// Where homes begin.
    pub root: String,
}

/// Where a request names a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `Destination`.
    Destination,
    /// The path.
    Path,
    /// A query parameter.
    Query(Box<str>),
}

/// What a home does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything named must lie in it.
    Require,
    /// It is put in front of everything named.
    Rewrite,
}
