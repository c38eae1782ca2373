//! `[routes.NAME]`: what is let through, for whom, where to.

use std::num::NonZeroU64;

use http::Method;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::named::Named;
use crate::config::shape::{list, suggest};
use crate::home::{HomeRule, Mode, Place};
use crate::resource::{Dialect, HostPattern, PathPrefix};
use crate::user::Permission;

/// What is let through, for whom, where to.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in the configuration.
    pub name: String,
    /// Where it stands: `file:line:column`, or the environment.
    pub place: String,
    /// The hosts it answers for; empty: any.
    pub hosts: Vec<HostPattern>,
    /// The paths below this; the longest prefix of all routes wins.
    pub path: PathPrefix,
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
    pub permissions: Vec<Permission>,
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

/// What a route lets through if it does not say.
const METHODS: [&str; 16] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
];

/// What there is besides routes, for them to refer to.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) listeners: Vec<String>,
    pub(super) upstreams: Vec<String>,
    pub(super) has_issuers: bool,
    pub(super) has_directories: bool,
}

impl Route {
    pub(super) fn validate(
        name: String,
        raw: file::Route,
        around: &Surroundings,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let file::Route {
            hosts,
            path,
            methods,
            listeners,
            upstream,
            accept,
            paths,
            home,
            permissions,
            roles,
            groups,
            credential,
            identity_headers,
            websocket,
            body_limit,
            host,
        } = raw;
        let key = Key::of("routes").child(&name);
        findings.name(&key, &name);
        let paths = match paths.as_deref().map(str::parse) {
            Some(Ok(dialect)) => dialect,
            Some(Err(_)) | None => Dialect::default(), // the shape admits no other
        };
        let path = prefix(&key.child("path"), path.as_deref().unwrap_or("/"), paths, findings);
        let home = home
            .and_then(|home| self::home(&key.child("home"), home, path.as_ref(), paths, findings));
        let methods = self::methods(&key.child("methods"), methods, findings);
        let methods = self::permissions(&key.child("permissions"), methods, permissions, findings);
        let accept = self::accept(&key, accept, around, findings);
        let known = &around.listeners;
        let listeners = match listeners {
            Some(names) => self::listeners(&key.child("listeners"), &names, known, findings),
            None => (0..known.len()).collect(),
        };
        let upstream = refer(&key.child("upstream"), &upstream, &around.upstreams, findings);
        let body_limit =
            findings.size(&key.child("body_limit"), body_limit.as_deref(), 0, 0..=u64::MAX / 2);
        let hosts = self::hosts(&key.child("hosts"), hosts.as_deref(), findings);
        let route = Self {
            hosts: hosts?,
            path: path?,
            upstream: upstream?,
            place: findings.place(&key),
            name,
            methods,
            listeners,
            accept,
            paths,
            home,
            roles: named(&key.child("roles"), roles, findings),
            groups: named(&key.child("groups"), groups, findings),
            credential: match credential.unwrap_or(file::Credential::Remove) {
                file::Credential::Forward => CredentialPolicy::Forward,
                file::Credential::Remove => CredentialPolicy::Remove,
            },
            identity_headers: match identity_headers.unwrap_or(file::IdentityHeaders::XForwarded) {
                file::IdentityHeaders::None => IdentityHeaders::None,
                file::IdentityHeaders::Remote => IdentityHeaders::Remote,
                file::IdentityHeaders::XAuthRequest => IdentityHeaders::XAuthRequest,
                file::IdentityHeaders::XForwarded => IdentityHeaders::XForwarded,
            },
            websocket: websocket.unwrap_or(false),
            body_limit: NonZeroU64::new(body_limit),
            host: match host.unwrap_or(file::Host::Preserve) {
                file::Host::Preserve => HostPolicy::Preserve,
                file::Host::Upstream => HostPolicy::Upstream,
            },
        };
        route.warn(&key, findings);
        Some(route)
    }

    fn warn(&self, key: &Key, findings: &mut Findings<'_>) {
        let demands_permission = self.methods.iter().any(|rule| !rule.permissions.is_empty());
        let demands = demands_permission || !self.roles.is_empty() || !self.groups.is_empty();
        let is_open = self.accept.contains(&Accept::Anonymous);
        if !demands && self.home.is_none() && !is_open {
            findings.warn(
                key,
                "lets in everybody with a valid credential: add `permissions`, `roles`, `groups` \
                 or `home` if that is not meant",
            );
        }
        if is_open && (demands || self.home.is_some()) {
            findings.warn(
                &key.child("accept"),
                "accepts `anonymous`, who has neither permission, role, group nor home, and is \
                 refused here",
            );
        }
    }

    /// Finds routes that want the same requests.
    pub(super) fn validate_together(routes: &[Self], findings: &mut Findings<'_>) {
        for (index, route) in routes.iter().enumerate() {
            if let Some(first) = routes.iter().take(index).find(|first| first.overlaps(route)) {
                let key = |route: &Self| Key::of("routes").child(&route.name);
                let reason = format!(
                    "wants the same requests as `{}` at {}: give it another host, path, listener \
                     or other methods",
                    key(first),
                    findings.place(&key(first)),
                );
                findings.error(&key(route), reason);
            }
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let hosts = (self.hosts.is_empty() && other.hosts.is_empty())
            || self.hosts.iter().any(|host| other.hosts.contains(host));
        let listeners = self.listeners.iter().any(|index| other.listeners.contains(index));
        let has = |method: &Method| other.methods.iter().any(|rule| rule.method == *method);
        let methods = self.methods.iter().any(|rule| has(&rule.method));
        hosts && listeners && methods && self.path == other.path
    }
}

fn prefix(
    key: &Key,
    raw: &str,
    dialect: Dialect,
    findings: &mut Findings<'_>,
) -> Option<PathPrefix> {
    let parsed = raw.parse::<PathPrefix>();
    match parsed.and_then(|prefix| prefix.admit(dialect).map(|()| prefix)) {
        Ok(prefix) => Some(prefix),
        Err(error) => {
            findings.error(key, format!("`{raw}` {error}: write one such as \"/files\""));
            None
        }
    }
}

/// `None`: some are wrong, so that nobody knows what the route wants.
fn hosts(
    key: &Key,
    raw: Option<&[String]>,
    findings: &mut Findings<'_>,
) -> Option<Vec<HostPattern>> {
    let Some(raw) = raw else { return Some(Vec::new()) };
    if raw.is_empty() {
        findings.error(key, "is empty: name a host, or leave the key out for any host");
        return None;
    }
    let mut hosts = Some(Vec::new());
    for (index, text) in raw.iter().enumerate() {
        let reason = match text.parse::<HostPattern>() {
            Ok(host) if hosts.as_ref().is_some_and(|hosts| hosts.contains(&host)) => {
                format!("`{text}` is named twice")
            }
            Ok(host) => {
                if let Some(hosts) = &mut hosts {
                    hosts.push(host);
                }
                continue;
            }
            Err(error) => {
                format!("`{text}` {error}: write \"files.example.org\" or \"*.example.org\"")
            }
        };
        findings.error(&key.item(index), reason);
        hosts = None;
    }
    hosts
}

fn methods(key: &Key, raw: Option<Vec<String>>, findings: &mut Findings<'_>) -> Vec<Method> {
    let names = raw.unwrap_or_else(|| METHODS.map(str::to_owned).to_vec());
    if names.is_empty() {
        findings.error(key, "is empty: name a method, or leave the key out");
    }
    let mut methods = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let key = key.item(index);
        match method(name) {
            Ok(method) if methods.contains(&method) => {
                findings.error(&key, format!("`{name}` is named twice"));
            }
            Ok(method) => methods.push(method),
            Err(reason) => findings.error(&key, reason),
        }
    }
    methods
}

/// Methods are told apart by case (RFC 9110 §9.1), and none that is meant has a lower-case letter.
fn method(name: &str) -> Result<Method, String> {
    let upper = name.to_ascii_uppercase();
    match Method::from_bytes(name.as_bytes()) {
        Ok(Method::CONNECT | Method::TRACE) => Err(format!("`{name}` is never let through")),
        Ok(_) if upper != name => Err(format!("`{name}` is no method: write \"{upper}\"")),
        Ok(method) => Ok(method),
        Err(_) => Err(format!("`{name}` is no method: write one such as \"GET\"")),
    }
}

/// Gives each method what it demands. A method that is forgotten is a mistake, not a gift.
fn permissions(
    key: &Key,
    methods: Vec<Method>,
    raw: Option<Named<file::OneOrMore>>,
    findings: &mut Findings<'_>,
) -> Vec<MethodRule> {
    let Some(raw) = raw else {
        let free = |method| MethodRule { method, permissions: Vec::new() };
        return methods.into_iter().map(free).collect();
    };
    let mut named: Vec<(String, Vec<Permission>)> = Vec::new();
    for (name, permissions) in raw.0 {
        let key = key.child(&name);
        if name != "*" && !methods.iter().any(|method| method.as_str() == name) {
            let known = methods.iter().map(Method::as_str).chain(["*"]);
            findings.error(&key, format!("is not among the methods of the route: {}", list(known)));
        }
        let (texts, is_list) = match permissions {
            file::OneOrMore::One(text) => (vec![text], false),
            file::OneOrMore::More(texts) => (texts, true),
        };
        let mut demanded = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let key = if is_list { key.item(index) } else { key.clone() };
            match text.parse() {
                Ok(permission) => demanded.push(permission),
                Err(error) => findings.error(&key, format!("`{text}`: {error}")),
            }
        }
        named.push((name, demanded));
    }
    let find = |name: &str| named.iter().find(|(named, _)| named == name);
    let mut forgotten = Vec::new();
    let mut rules = Vec::new();
    for method in methods {
        let as_get = || (method == Method::HEAD).then(|| find("GET")).flatten();
        match find(method.as_str()).or_else(as_get).or_else(|| find("*")) {
            Some((_, permissions)) => {
                rules.push(MethodRule { permissions: permissions.clone(), method });
            }
            None => forgotten.push(method),
        }
    }
    if !forgotten.is_empty() {
        let reason = format!(
            "says nothing of {}: name them, or add `\"*\"`, with [] if anybody may",
            list(forgotten.iter().map(Method::as_str)).replace(" or ", " and ")
        );
        findings.error(key, reason);
    }
    rules
}

fn accept(
    route: &Key,
    raw: Option<Vec<file::Accept>>,
    around: &Surroundings,
    findings: &mut Findings<'_>,
) -> Vec<Accept> {
    let key = route.child("accept");
    let Some(raw) = raw else {
        let configured = [
            (Accept::Bearer, around.has_issuers),
            (Accept::Basic, around.has_directories),
            (Accept::XAuthToken, around.has_issuers),
        ];
        let accept: Vec<_> =
            configured.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind).collect();
        if accept.is_empty() {
            findings.error(
                route,
                "accepts nothing, since there is neither an issuer nor a directory: add \
                 [issuers.NAME] or [directories.NAME], or write `accept = [\"anonymous\"]`",
            );
        }
        return accept;
    };
    if raw.is_empty() {
        findings.error(&key, "is empty: name a kind of credential, or leave the key out");
    }
    let mut accept = Vec::new();
    for (index, kind) in raw.into_iter().enumerate() {
        let key = key.item(index);
        let (kind, missing) = match kind {
            file::Accept::Anonymous => (Accept::Anonymous, None),
            file::Accept::Basic => {
                let nothing = !around.has_directories && !around.has_issuers;
                (Accept::Basic, nothing.then_some("directories"))
            }
            file::Accept::Bearer => (Accept::Bearer, (!around.has_issuers).then_some("issuers")),
            file::Accept::XAuthToken => {
                (Accept::XAuthToken, (!around.has_issuers).then_some("issuers"))
            }
        };
        if let Some(missing) = missing {
            findings.error(&key, format!("nobody can verify it: add [{missing}.NAME]"));
        }
        if accept.contains(&kind) {
            findings.error(&key, "is named twice");
        } else {
            accept.push(kind);
        }
    }
    accept
}

fn listeners(
    key: &Key,
    names: &[String],
    known: &[String],
    findings: &mut Findings<'_>,
) -> Vec<usize> {
    if names.is_empty() {
        findings.error(key, "is empty: name a listener, or leave the key out for all");
    }
    let mut indices = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let key = key.item(position);
        match refer(&key, name, known, findings) {
            Some(index) if indices.contains(&index) => {
                findings.error(&key, format!("`{name}` is named twice"));
            }
            Some(index) => indices.push(index),
            None => {}
        }
    }
    indices
}

fn refer(key: &Key, name: &str, known: &[String], findings: &mut Findings<'_>) -> Option<usize> {
    let found = known.iter().position(|known| known == name);
    if found.is_none() {
        let hint = suggest(name, known.iter().map(String::as_str));
        findings.error(key, format!("`{name}` is {hint}"));
    }
    found
}

fn named(key: &Key, raw: Option<Vec<String>>, findings: &mut Findings<'_>) -> Vec<String> {
    if raw.as_ref().is_some_and(Vec::is_empty) {
        findings.error(key, "is empty, so that nobody has one of them: name one, or leave it out");
    }
    raw.unwrap_or_default()
}

fn home(
    key: &Key,
    raw: file::Home,
    path: Option<&PathPrefix>,
    dialect: Dialect,
    findings: &mut Findings<'_>,
) -> Option<HomeRule> {
    let file::Home { places, mode, root } = raw;
    let places = self::places(&key.child("in"), places, findings);
    let mode = match mode.unwrap_or(file::Mode::Require) {
        file::Mode::Require => Mode::Require,
        file::Mode::Rewrite => Mode::Rewrite,
    };
    let root_key = key.child("root");
    let root = match root {
        Some(root) => prefix(&root_key, &root, dialect, findings)?,
        None => path?.clone(),
    };
    let is_nested = |outer: &PathPrefix, inner: &PathPrefix| {
        let rest = inner.as_str().strip_prefix(outer.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some(path) = path
        && places.contains(&Place::Path)
        && !is_nested(path, &root)
        && !is_nested(&root, path)
    {
        let reason = format!(
            "`{root}` and the route's path `{path}` have nothing in common, so that nothing could \
             pass: write \"{path}\""
        );
        findings.error(&root_key, reason);
    }
    Some(HomeRule { places, mode, root, dialect })
}

fn places(key: &Key, raw: Option<Vec<String>>, findings: &mut Findings<'_>) -> Vec<Place> {
    let Some(raw) = raw else { return vec![Place::Path, Place::Destination] };
    if raw.is_empty() {
        findings.error(key, "is empty: write [\"path\"]");
    }
    let mut places = Vec::new();
    for (index, text) in raw.iter().enumerate() {
        match text.parse() {
            Ok(place) if places.contains(&place) => {
                findings.error(&key.item(index), format!("`{text}` is named twice"));
            }
            Ok(place) => places.push(place),
            Err(_) => findings.error(
                &key.item(index),
                format!(
                    "`{text}` names no resource: write \"path\", \"query:NAME\" or \
                     \"header:destination\""
                ),
            ),
        }
    }
    places
}
