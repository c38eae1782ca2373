//! A token for a user on an operator's word, signed with an issuer's newest private key.
//!
//! A token of a bound issuer says who it is, and the directory says the rest at each request. A
//! token of another issuer says the rest itself. What is issued was verified as the gateway will
//! verify it.

use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::identity::{Identities, IdentityError};
use crate::snapshot::Snapshot;
use crate::token::{ClaimPath, ClaimPathError, IssuerSettings, SignError, Signer, token_id};
use crate::user::{Grant, User};

/// `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraClaim {
    path: ClaimPath,
    value: Value,
}

/// Why a text is no claim.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// No `=`.
    #[error("write it as NAME=VALUE")]
    Form,
    /// The name.
    #[error(transparent)]
    Path(#[from] ClaimPathError),
}

impl ExtraClaim {
    /// A claim at a path.
    ///
    /// # Errors
    ///
    /// The name is not a path.
    pub fn new(name: &str, value: Value) -> Result<Self, ClaimError> {
        Ok(Self { path: name.parse()?, value })
    }

    /// Its path, as it is written.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.to_string()
    }

    /// What it says.
    #[must_use]
    pub fn value(&self) -> Value {
        self.value.clone()
    }
}

impl FromStr for ExtraClaim {
    type Err = ClaimError;

    fn from_str(text: &str) -> Result<Self, ClaimError> {
        let (name, value) = text.split_once('=').ok_or(ClaimError::Form)?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(Self { path: name.parse()?, value })
    }
}

/// Why no token is issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// It is not told which one.
    #[error("several issuers can sign: name one of {0} with --issuer")]
    Ambiguous(String),
    /// The user is shut out.
    #[error("the user `{0}` is disabled")]
    Disabled(String),
    /// Too short or too long.
    #[error("the lifetime must be between one second and {}", humantime::format_duration(*.0))]
    Lifetime(Duration),
    /// None can.
    #[error("no issuer of the configuration has a private key or a secret to sign with")]
    NobodySigns,
    /// It would be in vain.
    #[error("the gateway would not accept this token")]
    Refused(#[source] IdentityError),
    /// Not to be said by the caller.
    #[error("the claim `{0}` is set already, or stands in the way of another")]
    Reserved(ClaimPath),
    /// No key, or no randomness.
    #[error("the issuer `{name}` cannot sign")]
    Sign {
        /// The issuer.
        name: String,
        /// Why.
        source: SignError,
    },
    /// No such issuer.
    #[error("the configuration has no issuer `{0}`")]
    UnknownIssuer(String),
    /// No such user.
    #[error("no directory has a user `{0}`, to whom tokens of this issuer are bound")]
    UnknownUser(String),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// Whom the token speaks for.
    pub user: &'a str,
    /// The issuer that signs.
    pub issuer: Option<&'a str>,
    /// How long it holds.
    pub lifetime: Option<Duration>,
    /// Further claims.
    pub claims: &'a [ExtraClaim],
}

/// A token, and what is told of it.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// The name of its issuer.
    pub issuer: String,
    /// The key that signed it.
    pub key_id: String,
    /// Its `exp`.
    pub expires: u64,
}

impl Order<'_> {
    /// Signs the token, and makes sure that the gateway takes it.
    ///
    /// # Errors
    ///
    /// [`IssueError`].
    pub fn fill(&self, snapshot: &Snapshot, now: u64) -> Result<Issued, IssueError> {
        let identities = &snapshot.identities;
        let (index, settings) = self.issuer(identities)?;
        let longest = settings.max_lifetime.unwrap_or(Duration::from_hours(24 * 366));
        let configured = snapshot.lifetimes.get(index).copied().unwrap_or(longest);
        let lifetime = self.lifetime.unwrap_or(configured);
        if lifetime < Duration::from_secs(1) || lifetime > longest {
            return Err(IssueError::Lifetime(longest));
        }
        let sign = |source| IssueError::Sign { name: settings.name.clone(), source };
        let signer =
            Signer::newest(&settings.keyring, settings.algorithms.as_deref()).map_err(sign)?;
        let expires = now.saturating_add(lifetime.as_secs());
        let mut claims = json_object([
            ("iss", settings.issuer.as_str().into()),
            ("iat", now.into()),
            ("exp", expires.into()),
            ("jti", token_id().map_err(sign)?.into()),
        ]);
        if let Some(audience) = settings.audience.first() {
            claims.insert("aud".to_owned(), audience.as_str().into());
        }
        self.describe(settings, identities, &mut claims)?;
        for claim in self.claims {
            put(&mut claims, &claim.path, claim.value.clone())?;
        }
        let token = signer.sign(&claims).map_err(sign)?;
        let (principal, _) = identities.identify_token(&token, now).map_err(IssueError::Refused)?;
        if principal.name() != Some(self.user) {
            return Err(IssueError::Reserved(settings.claims.subject.clone()));
        }
        let (issuer, key_id) = (settings.name.clone(), signer.key_id().to_owned());
        Ok(Issued { token, issuer, key_id, expires })
    }

    fn issuer<'i>(
        &self,
        identities: &'i Identities,
    ) -> Result<(usize, &'i IssuerSettings), IssueError> {
        let verifier = identities.verifier.as_ref().ok_or(IssueError::NobodySigns)?;
        let mut all = verifier.issuers().enumerate();
        if let Some(name) = self.issuer {
            let named = all.find(|(_, settings)| settings.name == name);
            return named.ok_or_else(|| IssueError::UnknownIssuer(name.to_owned()));
        }
        let signing: Vec<_> = all.filter(|(_, settings)| settings.keyring.can_sign()).collect();
        match signing.as_slice() {
            [] => Err(IssueError::NobodySigns),
            [only] => Ok(*only),
            several => {
                let names: Vec<_> =
                    several.iter().map(|(_, settings)| settings.name.as_str()).collect();
                Err(IssueError::Ambiguous(names.join(", ")))
            }
        }
    }

    /// Says who the user is, and where nobody else will: what the user may do.
    fn describe(
        &self,
        settings: &IssuerSettings,
        identities: &Identities,
        claims: &mut Map<String, Value>,
    ) -> Result<(), IssueError> {
        let user = identities.find(self.user).map(|(_, user)| user);
        if user.is_none() && settings.bound {
            return Err(IssueError::UnknownUser(self.user.to_owned()));
        }
        if user.is_some_and(|user| user.disabled) {
            return Err(IssueError::Disabled(self.user.to_owned()));
        }
        put(claims, &settings.claims.subject, self.user.into())?;
        match user {
            Some(user) if !settings.bound => describe_user(user, settings, claims),
            Some(_) | None => Ok(()),
        }
    }
}

fn describe_user(
    user: &User,
    settings: &IssuerSettings,
    claims: &mut Map<String, Value>,
) -> Result<(), IssueError> {
    let texts = |texts: &[Box<str>]| {
        (!texts.is_empty()).then(|| texts.iter().map(AsRef::as_ref).collect::<Value>())
    };
    let text = |text: Option<&str>| text.map(Value::from);
    let permissions: Vec<_> = user.permissions.iter().map(Grant::as_str).collect();
    let home = user.home.as_ref().map(|home| if home.is_root() { "/" } else { home.as_str() });
    let paths = &settings.claims;
    let all = [
        (&paths.roles, texts(&user.roles)),
        (&paths.permissions, (!permissions.is_empty()).then(|| permissions.into())),
        (&paths.groups, texts(&user.groups)),
        (&paths.home, text(home)),
        (&paths.email, text(user.email.as_deref())),
        (&paths.tag, text(user.tag.as_deref())),
    ];
    for (path, value) in all {
        // Two of them may share a path; then the first one says it.
        if let (Some(value), false) = (value, is_set(claims, path)) {
            put(claims, path, value)?;
        }
    }
    Ok(())
}

fn json_object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn is_set(claims: &Map<String, Value>, path: &ClaimPath) -> bool {
    let mut names = path.segments();
    let first = names.next().and_then(|name| claims.get(name));
    names.try_fold(first, |value, name| Some(value?.get(name))).flatten().is_some()
}

/// Sets a claim that is not set yet.
fn put(claims: &mut Map<String, Value>, path: &ClaimPath, value: Value) -> Result<(), IssueError> {
    let reserved = || IssueError::Reserved(path.clone());
    let mut names: Vec<&str> = path.segments().collect();
    let last = names.pop().ok_or_else(reserved)?;
    let mut object = claims;
    for name in names {
        let inner = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
        object = inner.as_object_mut().ok_or_else(reserved)?;
    }
    if object.contains_key(last) {
        return Err(reserved());
    }
    object.insert(last.to_owned(), value);
    Ok(())
}
