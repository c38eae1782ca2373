//! How far an API key reaches: a cut through what its owner may do, never more.

use std::net::IpAddr;
use std::str::FromStr as _;

use http::Method;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::resource::{CanonicalPath, PathPrefix, ResourceError};
use crate::user::{Grant, Permission, PermissionError, PermissionSet};

/// The most permissions, methods or networks that a scope lists.
const MAX_ITEMS: usize = 100;

/// How far a key reaches. What is `None` is not narrowed; an empty list allows nothing.
///
/// It is written as JSON, such as
/// `{"permissions": ["files:read"], "path": "/alice", "methods": ["GET"], "sources": ["10.0.0.0/8"]}`.
/// A member that is not known is refused, since it could only have narrowed further.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Written")]
pub struct Scope {
    /// The permissions that it passes on, of those which its owner holds.
    pub permissions: Option<PermissionSet>,
    /// The path below which everything lies that it may name.
    pub path: Option<PathPrefix>,
    /// The methods it may be used with.
    pub methods: Option<Vec<Method>>,
    /// The networks from which it may be used.
    pub sources: Option<Vec<IpNet>>,
}

/// Why a scope is none.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// Not a method.
    #[error("`{0}` is not a method")]
    Method(String),
    /// Not a path prefix.
    #[error("the path is not one that can be a prefix")]
    Path(#[source] ResourceError),
    /// Not a permission.
    #[error("`{text}` is not a permission")]
    Permission {
        /// What was written.
        text: String,
        /// Why it is none.
        source: PermissionError,
    },
    /// Not an object of lists of texts, or with a member that is not known.
    #[error("not a scope")]
    Shape(#[from] serde_json::Error),
    /// Not an address or network.
    #[error("`{0}` is not an address or network")]
    Source(String),
    /// Over a hundred of one kind.
    #[error("a scope lists at most {MAX_ITEMS} of a kind")]
    TooMany,
}

impl Scope {
    /// Whether it narrows nothing.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it passes this permission on; whether its owner holds it is another question.
    #[must_use]
    pub fn passes(&self, permission: &Permission) -> bool {
        self.permissions.as_ref().is_none_or(|passed| passed.grants(permission))
    }

    /// Whether it may be used with this method.
    #[must_use]
    pub fn allows_method(&self, method: &Method) -> bool {
        self.methods.as_ref().is_none_or(|allowed| allowed.contains(method))
    }

    /// Whether it may be used from this address.
    #[must_use]
    pub fn allows_source(&self, address: IpAddr) -> bool {
        let address = address.to_canonical(); // ::ffff:192.0.2.1 is 192.0.2.1
        let covers = |network: &IpNet| network.contains(&address);
        self.sources.as_ref().is_none_or(|sources| sources.iter().any(covers))
    }

    /// Whether it may be used for this path.
    #[must_use]
    pub fn allows_path(&self, path: &CanonicalPath<'_>) -> bool {
        self.path.as_ref().is_none_or(|prefix| prefix.covers(path))
    }
}

/// The texts of a scope.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<String>>,
}

impl From<Scope> for Written {
    fn from(scope: Scope) -> Self {
        let Scope { permissions, path, methods, sources } = scope;
        Self {
            permissions: permissions.map(|set| set.iter().map(ToString::to_string).collect()),
            path: path.map(|path| path.to_string()),
            methods: methods.map(|methods| methods.iter().map(ToString::to_string).collect()),
            sources: sources.map(|sources| sources.iter().map(ToString::to_string).collect()),
        }
    }
}

impl TryFrom<Map<String, Value>> for Scope {
    type Error = ScopeError;

    /// From an object, and nothing else: serde would read an empty list as one without members,
    /// which narrows nothing.
    fn try_from(object: Map<String, Value>) -> Result<Self, ScopeError> {
        let Written { permissions, path, methods, sources } =
            serde_json::from_value(Value::Object(object))?;
        Ok(Self {
            permissions: each(permissions, permission)?.map(PermissionSet::from_iter),
            path: path.map(|path| path.parse().map_err(ScopeError::Path)).transpose()?,
            methods: each(methods, method)?,
            sources: each(sources, source)?,
        })
    }
}

fn each<T>(
    texts: Option<Vec<String>>,
    parse: fn(String) -> Result<T, ScopeError>,
) -> Result<Option<Vec<T>>, ScopeError> {
    let Some(texts) = texts else { return Ok(None) };
    if texts.len() > MAX_ITEMS {
        return Err(ScopeError::TooMany);
    }
    texts.into_iter().map(parse).collect::<Result<_, _>>().map(Some)
}

fn permission(text: String) -> Result<Grant, ScopeError> {
    text.parse().map_err(|source| ScopeError::Permission { text, source })
}

/// Methods are case-sensitive (RFC 9110 §9.1); those that are registered have capitals only.
fn method(text: String) -> Result<Method, ScopeError> {
    let is_written_so = !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let method = Method::from_str(&text).ok().filter(|_| is_written_so);
    method.ok_or(ScopeError::Method(text))
}

fn source(text: String) -> Result<IpNet, ScopeError> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| ScopeError::Source(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(json: &str) -> Result<Scope, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_scope_narrows_what_it_names_and_nothing_else() {
        let scope = scope(
            r#"{"permissions": ["files:*"], "path": "/alice", "methods": ["GET", "PROPFIND"],
                "sources": ["10.0.0.0/8", "2001:db8::1"]}"#,
        )
        .unwrap();

        assert!(scope.passes(&"files:read".parse().unwrap()));
        assert!(!scope.passes(&"admin".parse().unwrap()));
        assert!(scope.allows_method(&Method::GET) && !scope.allows_method(&Method::PUT));
        for (path, allowed) in [("/alice", true), ("/alice/a", true), ("/alice2", false)] {
            assert_eq!(scope.allows_path(&CanonicalPath::parse(path).unwrap()), allowed, "{path}");
        }
        for (source, allowed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.0.0.1", false),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
        ] {
            assert_eq!(scope.allows_source(source.parse().unwrap()), allowed, "{source}");
        }
        assert!(!scope.is_unlimited());
    }

    #[test]
    fn an_empty_list_allows_nothing_and_no_list_everything() {
        let nothing = scope(r#"{"permissions": [], "methods": [], "sources": []}"#).unwrap();
        let everything = scope("{}").unwrap();

        for (scope, allowed) in [(nothing, false), (everything, true)] {
            assert_eq!(scope.passes(&"files:read".parse().unwrap()), allowed);
            assert_eq!(scope.allows_method(&Method::GET), allowed);
            assert_eq!(scope.allows_source("10.0.0.1".parse().unwrap()), allowed);
            assert_eq!(scope.is_unlimited(), allowed);
        }
    }

    #[test]
    fn a_scope_survives_being_written_and_read() {
        for json in [
            r#"{"permissions":["a:b","files:*"],"path":"/a","methods":["GET"],"sources":["10.0.0.0/8"]}"#,
            r#"{"path":"/"}"#,
            r#"{"permissions":[],"methods":[],"sources":[]}"#,
            "{}",
        ] {
            let scope = scope(json).unwrap();
            assert_eq!(serde_json::to_string(&scope).unwrap(), json);
        }
    }

    #[test]
    fn what_is_not_understood_is_no_scope() {
        let many = format!(r#"{{"methods": [{}"GET"]}}"#, "\"GET\",".repeat(100));
        for json in [
            r#"{"permission": []}"#,
            r#"{"permissions": ["a b"]}"#,
            r#"{"permissions": "files:read"}"#,
            r#"{"path": "alice"}"#,
            r#"{"path": "/a/../b"}"#,
            r#"{"methods": ["get"]}"#,
            r#"{"methods": ["G T"]}"#,
            r#"{"methods": [""]}"#,
            r#"{"sources": ["10.0.0.0/33"]}"#,
            r#"{"sources": ["localhost"]}"#,
            "[]",
            "null",
            &many,
        ] {
            assert!(scope(json).is_err(), "{json}");
        }
    }
}
