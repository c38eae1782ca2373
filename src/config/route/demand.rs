//! What a route takes, and what it demands: methods, permissions, kinds of credentials.

use http::Method;

use super::{Accept, MethodRule, Surroundings};
use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::named::Named;
use crate::config::shape::list;
use crate::user::Permission;

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

pub(super) fn methods(
    key: &Key,
    raw: Option<Vec<String>>,
    findings: &mut Findings<'_>,
) -> Vec<Method> {
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
pub(super) fn permissions(
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
    let known: Vec<_> = named.iter().map(|(name, _)| name.clone()).collect();
    let mut forgotten = Vec::new();
    let mut rules = Vec::new();
    for method in methods {
        let name = name_of(&method, &known);
        match named.iter().find(|(named, _)| Some(named.as_str()) == name) {
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

/// Under which name it stands what a method demands: its own, for HEAD that of GET, else `*`.
pub(super) fn name_of<'n>(method: &Method, names: &'n [String]) -> Option<&'n str> {
    let find = |name: &str| names.iter().find(|named| *named == name);
    let as_get = || (*method == Method::HEAD).then(|| find("GET")).flatten();
    find(method.as_str()).or_else(as_get).or_else(|| find("*")).map(String::as_str)
}

pub(super) fn accept(
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
            (Accept::ApiKey, around.has_store && around.has_directories),
            (Accept::Session, around.has_pages && around.has_directories),
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
                (Accept::Basic, nothing.then_some("directories.NAME"))
            }
            file::Accept::ApiKey => (Accept::ApiKey, (!around.has_store).then_some("store")),
            file::Accept::Session => {
                (Accept::Session, (!around.has_pages).then_some("endpoints.NAME"))
            }
            file::Accept::Bearer => {
                (Accept::Bearer, (!around.has_issuers).then_some("issuers.NAME"))
            }
            file::Accept::XAuthToken => {
                (Accept::XAuthToken, (!around.has_issuers).then_some("issuers.NAME"))
            }
        };
        if let Some(missing) = missing {
            findings.error(&key, format!("nobody can verify it: add [{missing}]"));
        }
        if accept.contains(&kind) {
            findings.error(&key, "is named twice");
        } else {
            accept.push(kind);
        }
    }
    accept
}

/// Whether browsers are sent to the login page. That needs one, and that what it gives is taken.
pub(super) fn login(
    route: &Key,
    raw: Option<file::Login>,
    accept: &[Accept],
    around: &Surroundings,
    findings: &mut Findings<'_>,
) -> bool {
    let Some(file::Login::Page) = raw else { return false };
    let key = route.child("login");
    if !around.has_pages {
        findings.error(&key, "needs a login page: add [endpoints.NAME] with `dialect = \"page\"`");
    } else if !accept.contains(&Accept::Session) {
        findings
            .error(&key, "leads to a session, which the route does not take: add it to `accept`");
    }
    true
}
