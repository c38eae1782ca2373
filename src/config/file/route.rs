//! The shape of `[routes.NAME]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMore;
use crate::config::named::Named;

/// What is let through, for whom, where to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Route {
    /// Host names, `*.example.org` for any one label in front. Default: any host.
    pub(in crate::config) hosts: Option<Vec<String>>,
    /// The paths below this, by whole segments; the longest of all routes wins.
    #[schemars(extend("default" = "/"))]
    pub(in crate::config) path: Option<String>,
    /// What is let through; any other method is answered 405.
    #[schemars(extend("default" = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH",
        "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH"
    ]))]
    pub(in crate::config) methods: Option<Vec<String>>,
    /// Names of listeners. Default: all.
    pub(in crate::config) listeners: Option<Vec<String>>,
    /// Name of an upstream.
    pub(in crate::config) upstream: String,
    /// The kinds of credentials that are taken. Default: `bearer` and `x-auth-token` if there is an
    /// issuer, `basic` if there is a directory, `api-key` if there is a store, `session` if there
    /// is a login page. `anonymous` must be spelled out.
    pub(in crate::config) accept: Option<Vec<Accept>>,
    /// Whither browsers go that ask for a page without a credential. Default: nowhere, they are
    /// answered 401 as everybody is.
    pub(in crate::config) login: Option<Login>,
    /// How the upstream reads paths; decides which spellings are refused.
    #[schemars(extend("default" = "posix", "enum" = ["posix", "windows", "tomcat", "raw"]))]
    pub(in crate::config) paths: Option<String>,
    /// Confines everybody to their home.
    pub(in crate::config) home: Option<Home>,
    /// Permissions demanded, by method; `*` for the methods that are not named. HEAD demands what
    /// GET does, unless it is named.
    pub(in crate::config) permissions: Option<Named<OneOrMore>>,
    /// One of these is needed. Default: none needed.
    pub(in crate::config) roles: Option<Vec<String>>,
    /// One of these is needed. Default: none needed.
    pub(in crate::config) groups: Option<Vec<String>>,
    /// Whether the upstream gets the credential as well.
    #[schemars(extend("default" = "remove"))]
    pub(in crate::config) credential: Option<Credential>,
    /// The headers in which the upstream learns who it is.
    #[schemars(extend("default" = "x-forwarded"))]
    pub(in crate::config) identity_headers: Option<IdentityHeaders>,
    /// Whether connections may be upgraded to WebSocket.
    #[schemars(extend("default" = false))]
    pub(in crate::config) websocket: Option<bool>,
    /// The largest request body; more is answered 413. "0": no limit.
    #[schemars(extend("default" = "0", "format" = "size"))]
    pub(in crate::config) body_limit: Option<String>,
    /// The Host that the upstream sees: the client's, or its own.
    #[schemars(extend("default" = "preserve"))]
    pub(in crate::config) host: Option<Host>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Accept {
    Bearer,
    Basic,
    ApiKey,
    Session,
    XAuthToken,
    Anonymous,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Login {
    /// To the login page on the same host.
    Page,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Credential {
    Remove,
    Forward,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum IdentityHeaders {
    XForwarded,
    XAuthRequest,
    Remote,
    None,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Host {
    Preserve,
    Upstream,
}

/// Confines everybody to their home.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Home {
    /// What names a resource: `path`, `query:NAME`, `form:NAME` and `json:NAME` (fields of bodies),
    /// `header:destination`, `header:if`.
    #[serde(rename = "in")]
    #[schemars(extend("default" = ["path", "header:destination", "header:if"]))]
    pub(in crate::config) places: Option<Vec<String>>,
    /// Parameters and fields whose values go on from the path: `query:NAME`, `form:NAME`,
    /// `json:NAME`. They must not lead out of it.
    #[schemars(extend("default" = []))]
    pub(in crate::config) relative: Option<Vec<String>>,
    /// `require`: all that is named must lie in the home. `rewrite`: the home is put in front.
    #[schemars(extend("default" = "require"))]
    pub(in crate::config) mode: Option<Mode>,
    /// Where homes begin. Default: the path of the route.
    pub(in crate::config) root: Option<String>,
    /// Whether parameters and fields may hold patterns such as `*.json`, which then stay in the
    /// home as well.
    #[schemars(extend("default" = true))]
    pub(in crate::config) patterns: Option<bool>,
    /// The largest body that is looked into, from "1KiB" to "1MiB"; more is answered 413.
    #[schemars(extend("default" = "64KiB", "format" = "size"))]
    pub(in crate::config) inspect_limit: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Mode {
    Require,
    Rewrite,
}
