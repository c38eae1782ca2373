//! What tokens say, dialect by dialect.
//!
//! Each says what a client of its dialect reads, and what the gateway itself needs: who, until
//! when, which token, which login, which key. No claim is written twice: what the dialect says
//! comes first, and nothing that the configuration adds replaces it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::IssueError;
use crate::api_key::{self, ApiKey, Scope};
use crate::snapshot::Profile;
use crate::token::{ClaimPath, IssuerSettings};
use crate::user::{Grant, User};

/// In which dialect's shape a token is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// App Mesh: `resource_access`, `orig_iat`.
    AppMesh,
    /// `ClusterCockpit`: `roles`.
    ClusterCockpit,
    /// `JWThenticator`: `token_id` and `identifier`, which must be what the key was registered
    /// for.
    Jwthenticator {
        /// A UUID.
        identifier: Box<str>,
    },
    /// omegaml: `user_id`, `email`, `username`, `orig_iat`.
    Omegaml,
    /// ryft: `id`, `roles`, `home-dir`, `cluster-tag`, `orig_iat`.
    Ryft,
    /// Registered claims (RFC 7519, RFC 9068), and the user's roles.
    Standard,
}

/// Everything that a token is written from.
#[derive(Debug)]
pub(super) struct Content<'c> {
    pub(super) settings: &'c IssuerSettings,
    pub(super) profile: &'c Profile,
    pub(super) subject: &'c str,
    pub(super) user: Option<&'c User>,
    pub(super) key: Option<&'c ApiKey>,
    pub(super) family: Option<&'c str>,
    pub(super) origin: u64,
    pub(super) issued_at: u64,
    pub(super) expires_at: u64,
    pub(super) audience: Value,
    pub(super) shape: &'c Shape,
}

type Claims = Map<String, Value>;

/// Writes the claims.
///
/// # Errors
///
/// [`IssueError::Impossible`]: the issuer's claim paths and the dialect's claims contradict each
/// other, or there is no randomness.
pub(super) fn write(content: &Content<'_>) -> Result<Claims, IssueError> {
    let mut claims = Claims::new();
    let id = token_id(content)?;
    content.add_dialect(&mut claims, &id);
    let omitted = content.profile.omitted;
    if !omitted.issuer {
        claims.insert("iss".to_owned(), content.settings.issuer.as_str().into());
    }
    if !omitted.audience {
        claims.insert("aud".to_owned(), content.audience.clone());
    }
    if !omitted.subject {
        claims.insert("sub".to_owned(), content.subject.into());
    }
    claims.insert("iat".to_owned(), content.issued_at.into());
    claims.insert("exp".to_owned(), content.expires_at.into());
    claims.insert("jti".to_owned(), id.into());
    if let Some(family) = content.family {
        claims.insert("sid".to_owned(), family.into());
    }
    if let Some(key) = content.key {
        claims.insert("client_id".to_owned(), (&*key.id).into());
    }
    put(&mut claims, &content.settings.claims.subject, content.subject.into())?;
    if let Some(user) = content.user {
        content.describe(user, &mut claims);
        content.add_extra(user, &mut claims);
    }
    Ok(claims)
}

impl Content<'_> {
    fn add_dialect(&self, claims: &mut Claims, id: &str) {
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        let email = self.user.and_then(|user| user.email.as_deref()).unwrap_or_default();
        let roles = self.roles();
        match self.shape {
            Shape::AppMesh => {
                say("resource_access", json!({ "appmesh-service": { "roles": roles } }));
                say("orig_iat", self.origin.into());
            }
            Shape::ClusterCockpit => {
                say("roles", json!(roles));
            }
            Shape::Jwthenticator { identifier } => {
                say("token_id", id.into());
                say("identifier", (&**identifier).into());
            }
            Shape::Omegaml => {
                say("user_id", user_id(self.subject, self.user).into());
                say("email", email.into());
                say("username", self.subject.into());
                say("orig_iat", self.origin.into());
            }
            Shape::Ryft => {
                let tag = self.user.and_then(|user| user.tag.as_deref());
                say("id", self.subject.into());
                say("roles", if roles.is_empty() { Value::Null } else { json!(roles) });
                say("home-dir", self.user.and_then(home).unwrap_or_default().into());
                say("cluster-tag", tag.unwrap_or_default().into());
                say("orig_iat", self.origin.into());
            }
            Shape::Standard => {
                if !roles.is_empty() {
                    say("roles", json!(roles));
                }
                if let Some(passed) = self.key.and_then(|key| key.scope.permissions.as_ref()) {
                    let passed: Vec<_> = passed.iter().map(Grant::as_str).collect();
                    say("scope", passed.join(" ").into());
                }
            }
        }
    }

    /// The names of the user's roles. A token of a key that does not pass everything on names
    /// none: who reads them would not know of the rest.
    fn roles(&self) -> Vec<&str> {
        let is_narrowed = self.key.is_some_and(|key| !key.scope.is_unlimited());
        let user = self.user.filter(|_| !is_narrowed);
        user.into_iter().flat_map(|user| &user.roles).map(AsRef::as_ref).collect()
    }

    /// Says what the user is where nobody else will: the tokens of an issuer that is not bound to
    /// the directory speak for themselves.
    fn describe(&self, user: &User, claims: &mut Claims) {
        if self.settings.bound {
            return;
        }
        let paths = &self.settings.claims;
        let list = |texts: Vec<&str>| (!texts.is_empty()).then(|| json!(texts));
        let scope = self.key.map(|key| &key.scope);
        let all = [
            (&paths.roles, list(self.roles())),
            (&paths.permissions, list(permissions(user, scope))),
            (&paths.groups, list(user.groups.iter().map(AsRef::as_ref).collect())),
            (&paths.home, home(user).map(Value::from)),
            (&paths.email, user.email.as_deref().map(Value::from)),
            (&paths.tag, user.tag.as_deref().map(Value::from)),
        ];
        for (path, value) in all {
            if let Some(value) = value {
                let _ = put(claims, path, value); // what is said already stays
            }
        }
    }

    /// What the configuration adds: a claim for an attribute of the user, or for what every user
    /// has.
    fn add_extra(&self, user: &User, claims: &mut Claims) {
        for (claim, attribute) in &self.profile.extra_claims {
            let texts = |texts: &[Box<str>]| json!(texts);
            let value = match (user.attributes.get(attribute), &**attribute) {
                (Some(value), _) => Some(json!(value)),
                (None, "name") => Some(json!(user.name)),
                (None, "email") => user.email.as_ref().map(|email| json!(email)),
                (None, "groups") => Some(texts(&user.groups)),
                (None, "home") => home(user).map(Value::from),
                (None, "roles") => Some(json!(self.roles())),
                (None, "tag") => user.tag.as_ref().map(|tag| json!(tag)),
                (None, _) => None,
            };
            if let (Some(value), false) = (value, claims.contains_key(&**claim)) {
                claims.insert(claim.to_string(), value);
            }
        }
    }
}

/// A fresh `jti`: a UUID where clients expect one.
fn token_id(content: &Content<'_>) -> Result<String, IssueError> {
    if !matches!(content.shape, Shape::Jwthenticator { .. }) {
        return crate::token::token_id().map_err(|_| IssueError::Impossible);
    }
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| IssueError::Impossible)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string())
}

fn home(user: &User) -> Option<&str> {
    user.home.as_ref().map(|home| if home.is_root() { "/" } else { home.as_str() })
}

/// What the user may do besides by roles; of a key's, only what it passes on.
fn permissions<'u>(user: &'u User, scope: Option<&'u Scope>) -> Vec<&'u str> {
    let Some(passed) = scope.filter(|scope| !scope.is_unlimited()) else {
        return user.permissions.iter().map(Grant::as_str).collect();
    };
    let Some(passed) = &passed.permissions else { return Vec::new() };
    // A wildcard of the key is passed on where the user holds the very same one.
    let is_held = |grant: &&Grant| {
        user.permissions.iter().any(|held| held == *grant)
            || grant.as_str().parse().is_ok_and(|exact| user.permissions.grants(&exact))
    };
    passed.iter().filter(is_held).map(Grant::as_str).collect()
}

/// A number for a user: the attribute `user_id`, else one that follows from the name.
fn user_id(subject: &str, user: Option<&User>) -> u64 {
    let said = user.and_then(|user| user.attributes.get("user_id"));
    if let Some(number) = said.and_then(|number| number.parse().ok()) {
        return number;
    }
    let digest = api_key::digest(subject);
    let four = digest.iter().take(4).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    (four & 0x7fff_ffff).max(1) // what a database's own ids look like
}

/// Sets a claim unless it is set. One that is set to something else is in the way.
fn put(claims: &mut Claims, path: &ClaimPath, value: Value) -> Result<(), IssueError> {
    let mut names: Vec<&str> = path.segments().collect();
    let last = names.pop().ok_or(IssueError::Impossible)?;
    let mut object = claims;
    for name in names {
        let inner = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
        object = inner.as_object_mut().ok_or(IssueError::Impossible)?;
    }
    match object.get(last) {
        None => {
            object.insert(last.to_owned(), value);
            Ok(())
        }
        Some(set) if *set == value => Ok(()),
        Some(_) => Err(IssueError::Impossible),
    }
}
