//! `[routes.NAME]`: what is let through, for whom, where to.

mod demand;
mod home;
pub(super) mod refer;

use std::collections::HashMap;
use std::num::NonZeroU64;

use http::Method;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::named::Named;
use crate::home::HomeRule;
use crate::resource::{Dialect, HostPattern, PathPrefix};
use crate::route::Places;
use crate::user::Permission;

/// What is let through, for whom, where to.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name in the configuration.
    pub name: String,
    /// Where it stands: `file:line:column`, or the environment.
    pub place: String,
    /// Where each of its demands stands.
    pub places: Places,
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
    /// Whether browsers without a credential are sent to the login page.
    pub has_login_page: bool,
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
    /// `Authorization: ApiKey` and `X-Api-Key`.
    ApiKey,
    /// `Authorization: Basic`.
    Basic,
    /// `Authorization: Bearer`.
    Bearer,
    /// The cookie of a browser's session.
    Session,
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

/// What there is besides routes, for them to refer to.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what there is, each on its own")]
pub(in crate::config) struct Surroundings {
    pub(super) listeners: Vec<String>,
    pub(super) upstreams: Vec<String>,
    pub(super) issuers: Vec<String>,
    pub(super) has_issuers: bool,
    pub(super) has_directories: bool,
    pub(super) has_store: bool,
    pub(super) has_pages: bool,
}

fn places(key: &Key, methods: &[MethodRule], known: &[String], findings: &Findings<'_>) -> Places {
    let place = |name: &str| findings.place(&key.child(name)).into();
    let permissions = key.child("permissions");
    let permission = |rule: &MethodRule| {
        let named = demand::name_of(&rule.method, known)?;
        Some((rule.method.clone(), findings.place(&permissions.child(named)).into()))
    };
    Places {
        accept: place("accept"),
        groups: place("groups"),
        home: place("home"),
        methods: place("methods"),
        permissions: methods.iter().filter_map(permission).collect(),
        roles: place("roles"),
    }
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
            login,
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
        let path =
            refer::prefix(&key.child("path"), path.as_deref().unwrap_or("/"), paths, findings);
        let home = home
            .and_then(|home| home::home(&key.child("home"), home, path.as_ref(), paths, findings));
        let permission_names = permissions.as_ref().map(Named::names).unwrap_or_default();
        let methods = demand::methods(&key.child("methods"), methods, findings);
        let methods =
            demand::permissions(&key.child("permissions"), methods, permissions, findings);
        let accept = demand::accept(&key, accept, around, findings);
        let has_login_page = demand::login(&key, login, &accept, around, findings);
        let known = &around.listeners;
        let listeners = match listeners {
            Some(names) => refer::listeners(&key.child("listeners"), &names, known, findings),
            None => (0..known.len()).collect(),
        };
        let upstream = refer::refer(&key.child("upstream"), &upstream, &around.upstreams, findings);
        let body_limit =
            findings.size(&key.child("body_limit"), body_limit.as_deref(), 0, 0..=u64::MAX / 2);
        let hosts = refer::hosts(&key.child("hosts"), hosts.as_deref(), findings);
        let route = Self {
            hosts: hosts?,
            path: path?,
            upstream: upstream?,
            place: findings.place(&key),
            places: places(&key, &methods, &permission_names, findings),
            name,
            methods,
            listeners,
            accept,
            has_login_page,
            paths,
            home,
            roles: refer::named(&key.child("roles"), roles, findings),
            groups: refer::named(&key.child("groups"), groups, findings),
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
        // By what must be the same, so that thousands are not each compared with all others.
        let mut known = HashMap::<_, Vec<usize>>::new();
        for (index, route) in routes.iter().enumerate() {
            let hosts = route.hosts.iter().map(Some);
            let hosts: Vec<_> = if route.hosts.is_empty() { vec![None] } else { hosts.collect() };
            let mut first = None::<usize>;
            for host in hosts {
                let same = known.entry((host, &route.path)).or_default();
                let overlaps = |&&index: &&usize| {
                    routes.get(index).is_some_and(|earlier| earlier.overlaps(route))
                };
                first = first.into_iter().chain(same.iter().find(overlaps).copied()).min();
                same.push(index);
            }
            if let Some(first) = first.and_then(|first| routes.get(first)) {
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
