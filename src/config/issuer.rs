//! `[issuers.NAME]`: whose tokens are accepted.

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// Whose tokens are accepted, verified with which keys, and how their claims read.
#[derive(Debug)]
pub struct Issuer {
    /// Its name in the configuration.
    pub name: String,
    /// Where its keys are.
    pub keys: KeySource,
    /// The `iss` that a token must carry.
    pub issuer: String,
    /// The `aud` of which a token must carry one; never empty.
    pub audience: Vec<String>,
    /// Narrows what the keys say; `None`: what the keys say. Exactly one with a secret.
    pub algorithms: Option<Vec<String>>,
    /// How far the clocks may be apart; at most 60 s.
    pub leeway: Duration,
    /// The longest `exp - iat` that is accepted; `None`: any.
    pub max_lifetime: Option<Duration>,
    /// How long tokens live that are issued here.
    pub lifetime: Duration,
    /// Whether the subject must be in a directory.
    pub bound: Bound,
    /// Where the claims are.
    pub claims: Claims,
}

/// Where the keys of an issuer are.
#[derive(Debug)]
pub enum KeySource {
    /// A folder of keys, or one file.
    Path(PathBuf),
    /// One symmetric key.
    Secret(Secret),
}

/// Whether tokens of an issuer speak for users of the directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `bound = true`: the user's present entry counts; no entry, no access.
    Always,
    /// Not said: as `Always` if the issuer holds a private key or a secret, else as `Never`.
    IfLocal,
    /// `bound = false`: what the token says counts.
    Never,
}

/// Where in a token the claims are: paths, one element a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who.
    pub subject: ClaimPath,
    /// Roles.
    pub roles: ClaimPath,
    /// Permissions.
    pub permissions: ClaimPath,
    /// Groups.
    pub groups: ClaimPath,
    /// Home.
    pub home: ClaimPath,
    /// E-mail address.
    pub email: ClaimPath,
    /// Cluster tag.
    pub tag: ClaimPath,
}

/// A path into the claims: `realm_access.roles` is two steps, `https://example\.org/roles` one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// The steps; at least one, none empty.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.0
    }
}
