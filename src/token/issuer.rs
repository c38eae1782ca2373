//! Whose tokens are accepted, and what such a token must satisfy.

use std::time::Duration;

use super::algorithm::Algorithm;
use super::claims::{ClaimPath, ClaimPaths};
use super::keyring::Keyring;

/// The longest leeway that an issuer may be given.
pub const MAX_LEEWAY: Duration = Duration::from_mins(1);

/// What is known of one issuer.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// Its name in the configuration.
    pub name: String,
    /// The `iss` claim that its tokens must have, exactly.
    pub issuer: String,
    /// The `aud` claim must name at least one of these, exactly.
    pub audience: Vec<String>,
    /// Which claims its tokens must have besides `exp`.
    pub required: RequiredClaims,
    /// Its keys.
    pub keyring: Keyring,
    /// Narrows the algorithms that its keys serve. `None`: what the keys say.
    pub algorithms: Option<Vec<Algorithm>>,
    /// How far its clock and ours may be apart; at most [`MAX_LEEWAY`].
    pub leeway: Duration,
    /// The longest time from `iat` to `exp`. `None`: any, and `iat` is not needed.
    pub max_lifetime: Option<Duration>,
    /// Where its tokens say what.
    pub claims: ClaimPaths,
    /// Whether its tokens are bound to the directory: the user must be known there.
    pub bound: bool,
}

/// The claims without which a token is refused, besides `exp`. One that is there must be right
/// in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredClaims {
    /// `iss`. Of all issuers one at most may do without: its are the tokens that name none.
    pub issuer: bool,
    /// `aud`.
    pub audience: bool,
}

impl Default for RequiredClaims {
    fn default() -> Self {
        Self { issuer: true, audience: true }
    }
}

/// Why a verifier cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Two issuers demand the same `iss`.
    #[error("the issuers `{first}` and `{second}` demand the same `iss`")]
    Duplicate {
        /// The name of one.
        first: String,
        /// The name of the other.
        second: String,
    },
    /// Two issuers do without `iss`: nobody knows whose a token without it is.
    #[error("the issuers `{first}` and `{second}` both do without `iss`")]
    Anonymous {
        /// The name of one.
        first: String,
        /// The name of the other.
        second: String,
    },
    /// No audience: then any token of the issuer would do.
    #[error("the issuer `{0}` has no audience")]
    NoAudience(String),
    /// No `iss` to demand.
    #[error("the issuer `{0}` has an empty `issuer`")]
    NoIssuer(String),
    /// None of its keys serves an algorithm that it allows.
    #[error("no key of the issuer `{0}` serves an algorithm that it allows")]
    NoUsableKey(String),
    /// One claim path leads through another, or to a claim with a fixed meaning.
    #[error("in the issuer `{issuer}` the claim path `{path}` collides with another claim")]
    OverlappingClaims {
        /// The name of the issuer.
        issuer: String,
        /// The path.
        path: ClaimPath,
    },
    /// Secrets and key pairs under one issuer (RFC 8725 §3.1).
    #[error("the issuer `{0}` allows both secrets and public keys; give each its own issuer")]
    MixedAlgorithms(String),
    /// The leeway is longer than a minute.
    #[error("the leeway of the issuer `{0}` is more than 60 s")]
    LongLeeway(String),
    /// A secret is too short for an algorithm that the issuer allows.
    #[error("the secret `{key}` of the issuer `{issuer}` is too short for {algorithm}")]
    ShortSecret {
        /// The name of the issuer.
        issuer: String,
        /// The key id.
        key: String,
        /// The algorithm it is too short for.
        algorithm: Algorithm,
    },
}
