//! What a verified token says, and under which names the issuer says it.

use std::fmt;
use std::str::FromStr;

/// A path into the claims: member names from the outside in.
///
/// Written with dots, as in `realm_access.roles`; a literal dot in a name is written `\.`, a
/// literal backslash `\\`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<Box<str>>);

impl ClaimPath {
    /// The claim with this very name at the top level, dots and all.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(vec![name.into()])
    }

    /// The names from the outside in; at least one.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

/// Why a text is not a path into claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimPathError {
    /// Nothing between two dots, or nothing at all.
    #[error("a claim path has an empty name")]
    EmptyName,
    /// A backslash before anything but a dot or a backslash.
    #[error("in a claim path a backslash stands before a dot or a backslash only")]
    StrayBackslash,
    /// Deeper than eight names.
    #[error("a claim path has at most eight names")]
    TooDeep,
}

impl FromStr for ClaimPath {
    type Err = ClaimPathError;

    fn from_str(text: &str) -> Result<Self, ClaimPathError> {
        let mut names = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let literal = match character {
                '.' => {
                    names.push(String::new());
                    continue;
                }
                '\\' => characters
                    .next()
                    .filter(|next| matches!(next, '.' | '\\'))
                    .ok_or(ClaimPathError::StrayBackslash)?,
                other => other,
            };
            if let Some(name) = names.last_mut() {
                name.push(literal);
            }
        }
        if names.iter().any(String::is_empty) {
            return Err(ClaimPathError::EmptyName);
        }
        if names.len() > 8 {
            return Err(ClaimPathError::TooDeep);
        }
        Ok(Self(names.into_iter().map(String::into_boxed_str).collect()))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{}", name.replace('\\', "\\\\").replace('.', "\\."))?;
        }
        Ok(())
    }
}

/// Where an issuer puts what we want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPaths {
    /// Who it is. Default: `sub`.
    pub subject: ClaimPath,
    /// Names of roles. Default: `roles`.
    pub roles: ClaimPath,
    /// Permissions. Default: `permissions`.
    pub permissions: ClaimPath,
    /// Names of groups. Default: `groups`.
    pub groups: ClaimPath,
    /// The home. Default: `home`.
    pub home: ClaimPath,
    /// The e-mail address. Default: `email`.
    pub email: ClaimPath,
    /// The cluster tag. Default: `cluster_tag`.
    pub tag: ClaimPath,
}

impl Default for ClaimPaths {
    fn default() -> Self {
        Self {
            subject: ClaimPath::named("sub"),
            roles: ClaimPath::named("roles"),
            permissions: ClaimPath::named("permissions"),
            groups: ClaimPath::named("groups"),
            home: ClaimPath::named("home"),
            email: ClaimPath::named("email"),
            tag: ClaimPath::named("cluster_tag"),
        }
    }
}

/// What a token says, once its signature and every rule of its issuer hold.
///
/// The texts are bounded by the size of a token and free of control characters, but no more is
/// known of them: a home is no canonical path yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Which of the verifier's issuers, by its place in the settings.
    pub issuer: usize,
    /// Who it is: 1 to 256 bytes.
    pub subject: String,
    /// Names of roles; `None` where the token has no such claim.
    pub roles: Option<Vec<String>>,
    /// Permissions; `None` where the token has no such claim.
    pub permissions: Option<Vec<String>>,
    /// Names of groups; `None` where the token has no such claim.
    pub groups: Option<Vec<String>>,
    /// The home as the issuer wrote it; empty means nothing.
    pub home: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The cluster tag.
    pub tag: Option<String>,
    /// The `exp` claim in Unix seconds.
    pub expires: u64,
    /// The last second at which the token is accepted: before `exp` plus the issuer's leeway
    /// (RFC 7519 §4.1.4: not on or after it).
    pub valid_until: u64,
    /// The `iat` claim in Unix seconds.
    pub issued_at: Option<u64>,
    /// The `jti` claim.
    pub token_id: Option<String>,
    /// The `sid` claim: the login that the token comes from.
    pub family: Option<String>,
    /// The `client_id` claim.
    pub client: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_separate_unless_escaped() {
        for (text, names) in [
            ("sub", &["sub"][..]),
            ("realm_access.roles", &["realm_access", "roles"]),
            (r"https://example\.org/roles", &["https://example.org/roles"]),
            (r"a\\.b", &["a\\", "b"]),
        ] {
            let path: ClaimPath = text.parse().unwrap();
            assert_eq!(path.segments().collect::<Vec<_>>(), names);
            assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn empty_names_and_stray_backslashes_are_refused() {
        for (text, error) in [
            ("", ClaimPathError::EmptyName),
            (".a", ClaimPathError::EmptyName),
            ("a..b", ClaimPathError::EmptyName),
            ("a.", ClaimPathError::EmptyName),
            (r"a\b", ClaimPathError::StrayBackslash),
            (r"a\", ClaimPathError::StrayBackslash),
            ("a.b.c.d.e.f.g.h.i", ClaimPathError::TooDeep),
        ] {
            assert_eq!(text.parse::<ClaimPath>(), Err(error), "{text}");
        }
    }
}
