//! `[issuers.NAME]`: whose tokens are accepted.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::shape::suggest;
use crate::secret::Secret;
use crate::token::{Algorithm, ClaimPath, ClaimPaths, RequiredClaims};

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
    /// The claims that a token must carry besides `exp`.
    pub required: RequiredClaims,
    /// Narrows what the keys say; `None`: what the keys say. Exactly one with a secret.
    pub algorithms: Option<Vec<Algorithm>>,
    /// How far the clocks may be apart; at most 60 s.
    pub leeway: Duration,
    /// The longest `exp - iat` that is accepted; `None`: any.
    pub max_lifetime: Option<Duration>,
    /// How long tokens live that are issued here.
    pub lifetime: Duration,
    /// Whether the subject must be in a directory.
    pub bound: Bound,
    /// Where the claims are.
    pub claims: ClaimPaths,
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

const MAX_LEEWAY: Duration = Duration::from_mins(1);
const MAX_LIFETIME: Duration = Duration::from_hours(24 * 366);

impl Issuer {
    pub(super) fn validate(
        name: String,
        raw: file::Issuer,
        has_directories: bool,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let file::Issuer {
            keys,
            secret,
            algorithms,
            issuer,
            audience,
            required_claims,
            leeway,
            max_lifetime,
            lifetime,
            bound,
            claims,
        } = raw;
        let key = Key::of("issuers").child(&name);
        findings.name(&key, &name);
        if issuer.is_empty() {
            findings.error(&key.child("issuer"), "is empty: write the `iss` of its tokens");
        }
        let algorithms =
            algorithms.map(|names| self::algorithms(&key.child("algorithms"), &names, findings));
        let keys = key_source(&key, keys, secret, algorithms.as_deref(), findings);
        let bound = self::bound(&key, bound, keys.as_ref(), has_directories, findings);
        let leeway = findings.duration(
            &key.child("leeway"),
            leeway.as_deref(),
            Duration::from_secs(30),
            Duration::ZERO..=MAX_LEEWAY,
        );
        let mut time = |name: &str, raw: Option<String>, default| {
            let range = Duration::from_secs(1)..=MAX_LIFETIME;
            findings.duration(&key.child(name), raw.as_deref(), default, range)
        };
        let max_lifetime = max_lifetime.map(|raw| time("max_lifetime", Some(raw), MAX_LIFETIME));
        let lifetime_said = lifetime.is_some();
        let mut lifetime = time("lifetime", lifetime, Duration::from_hours(1));
        if let Some(most) = max_lifetime
            && lifetime > most
        {
            if lifetime_said {
                let reason = "is longer than `max_lifetime`: such tokens would be refused";
                findings.error(&key.child("lifetime"), reason);
            }
            lifetime = most;
        }
        Some(Self {
            audience: self::audience(&key.child("audience"), audience, findings),
            claims: self::claims(&key.child("claims"), claims.unwrap_or_default(), findings),
            required: required(&key.child("required_claims"), required_claims, findings),
            keys: keys?,
            name,
            issuer,
            algorithms,
            leeway,
            max_lifetime,
            lifetime,
            bound,
        })
    }

    /// Finds issuers whose tokens could not be told apart.
    pub(super) fn validate_together(issuers: &[Self], findings: &mut Findings<'_>) {
        for (index, issuer) in issuers.iter().enumerate() {
            let is_same = |other: &&Self| other.issuer == issuer.issuer;
            if let Some(first) = issuers.iter().take(index).find(is_same) {
                let key = |issuer: &Self| Key::of("issuers").child(&issuer.name).child("issuer");
                let reason = format!(
                    "is that of `{}` at {} as well: put both keys into one issuer",
                    key(first),
                    findings.place(&key(first))
                );
                findings.error(&key(issuer), reason);
            }
            let is_anonymous = |issuer: &&Self| !issuer.required.issuer;
            if let Some(first) = issuers.iter().take(index).find(is_anonymous)
                && !issuer.required.issuer
            {
                let key =
                    |issuer: &Self| Key::of("issuers").child(&issuer.name).child("required_claims");
                let reason = format!(
                    "does without `iss`, as `{}` at {} does: nobody would know whose a token \
                     without it is",
                    key(first),
                    findings.place(&key(first))
                );
                findings.error(&key(issuer), reason);
            }
        }
    }
}

fn required(
    key: &Key,
    raw: Option<Vec<file::RequiredClaim>>,
    findings: &mut Findings<'_>,
) -> RequiredClaims {
    let Some(raw) = raw else { return RequiredClaims::default() };
    for (index, claim) in raw.iter().enumerate() {
        if raw.iter().take(index).any(|earlier| earlier == claim) {
            findings.error(&key.item(index), "is named twice");
        }
    }
    let required = RequiredClaims {
        issuer: raw.contains(&file::RequiredClaim::Iss),
        audience: raw.contains(&file::RequiredClaim::Aud),
    };
    if !required.audience {
        findings.warn(key, "does without `aud`: tokens that were meant for others are accepted");
    }
    required
}

fn algorithms(key: &Key, names: &[String], findings: &mut Findings<'_>) -> Vec<Algorithm> {
    if names.is_empty() {
        findings.error(key, "is empty: name an algorithm, or leave the key out");
    }
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if let Ok(algorithm) = name.parse() {
            algorithms.push(algorithm);
        } else {
            let hint = suggest(name, Algorithm::ALL.iter().map(|known| known.as_str()));
            findings.error(&key.item(index), format!("`{name}` is {hint}"));
        }
    }
    let symmetric = algorithms.iter().filter(|algorithm| algorithm.is_symmetric()).count();
    if symmetric != 0 && symmetric != algorithms.len() {
        findings
            .error(key, "mixes secrets and public keys (RFC 8725 §3.1): write an issuer for each");
    }
    algorithms
}

fn key_source(
    key: &Key,
    keys: Option<String>,
    secret: Option<file::SecretText>,
    algorithms: Option<&[Algorithm]>,
    findings: &mut Findings<'_>,
) -> Option<KeySource> {
    match (keys, secret) {
        (Some(_), Some(_)) => {
            findings.error(&key.child("secret"), "stands beside `keys`: remove one of them");
            None
        }
        (None, None) => {
            findings.error(
                key,
                "has no keys: add `keys` (a folder or file) or `secret` (for HS256, HS384, HS512)",
            );
            None
        }
        (Some(keys), None) => Some(KeySource::Path(findings.key_files(&key.child("keys"), &keys))),
        (None, Some(form)) => {
            let secret = findings.secret(&key.child("secret"), &form.0);
            let Some([algorithm]) = algorithms else {
                findings.error(
                    &key.child("algorithms"),
                    "must name exactly one algorithm beside `secret`: write [\"HS256\"]",
                );
                return None;
            };
            let least = match algorithm {
                Algorithm::HS256 => 32,
                Algorithm::HS384 => 48,
                Algorithm::HS512 => 64,
                Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
                | Algorithm::ES256
                | Algorithm::ES384
                | Algorithm::EdDSA => {
                    findings.error(
                        &key.child("algorithms"),
                        format!("`{algorithm}` takes no secret: write [\"HS256\"], or use `keys`"),
                    );
                    return None;
                }
            };
            let secret = secret?;
            if secret.len() < least {
                let reason = format!(
                    "is {} bytes long; {algorithm} needs at least {least} (RFC 7518 §3.2)",
                    secret.len()
                );
                findings.error(&key.child("secret"), reason);
            }
            Some(KeySource::Secret(secret))
        }
    }
}

fn bound(
    key: &Key,
    raw: Option<bool>,
    keys: Option<&KeySource>,
    has_directories: bool,
    findings: &mut Findings<'_>,
) -> Bound {
    let bound = match (raw, keys) {
        (Some(true), _) | (None, Some(KeySource::Secret(_))) => Bound::Always,
        (Some(false), _) => Bound::Never,
        (None, _) => Bound::IfLocal,
    };
    if bound == Bound::Always && !has_directories {
        findings.error(
            &key.child("bound"),
            "needs a directory to look its users up in: add [directories.NAME], or write \
             `bound = false`",
        );
    }
    bound
}

fn audience(key: &Key, raw: file::OneOrMore, findings: &mut Findings<'_>) -> Vec<String> {
    let audience = match raw {
        file::OneOrMore::One(audience) => vec![audience],
        file::OneOrMore::More(audience) => audience,
    };
    if audience.is_empty() || audience.iter().any(String::is_empty) {
        findings.error(key, "is empty: write the `aud` that its tokens carry for you");
    }
    audience
}

fn claims(key: &Key, raw: file::Claims, findings: &mut Findings<'_>) -> ClaimPaths {
    let file::Claims { subject, roles, permissions, groups, home, email, tag } = raw;
    let mut path = |name: &str, raw: Option<String>, default: ClaimPath| {
        let Some(text) = raw else { return default };
        text.parse().unwrap_or_else(|error| {
            let reason = format!("{error}: write one such as \"realm_access.roles\"");
            findings.error(&key.child(name), reason);
            default
        })
    };
    let default = ClaimPaths::default();
    ClaimPaths {
        subject: path("subject", subject, default.subject),
        roles: path("roles", roles, default.roles),
        permissions: path("permissions", permissions, default.permissions),
        groups: path("groups", groups, default.groups),
        home: path("home", home, default.home),
        email: path("email", email, default.email),
        tag: path("tag", tag, default.tag),
    }
}
