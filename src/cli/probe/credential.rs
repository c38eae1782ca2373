//! How the attacker proves who they are.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::admin::issue::{IssueError, Order};
use crate::secret::{self, SecretError};
use crate::snapshot::Snapshot;

/// What a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) bearer: bool,
    pub(super) x_auth_token: bool,
}

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub(super) enum CredentialError {
    #[error("no token can be issued: give one, or a password, with --credential")]
    Issue(#[from] IssueError),
    #[error("a gateway without its configuration: say with --credential who attacks")]
    Missing,
    #[error("is no text")]
    NoText,
    #[error("--credential")]
    Secret(#[from] SecretError),
}

/// Enough for every attack, and not for long after.
const LIFETIME: Duration = Duration::from_mins(10);

/// A token for the attacker.
pub(super) fn issue(snapshot: &Snapshot, user: &str, now: u64) -> Result<String, CredentialError> {
    let order = |issuer, lifetime| Order { user, issuer, lifetime: Some(lifetime), claims: &[] };
    let issued = match order(None, LIFETIME).fill(snapshot, now) {
        Err(IssueError::Lifetime(longest)) => order(None, longest).fill(snapshot, now)?,
        // Any that can sign will do.
        Err(IssueError::Ambiguous(names)) => {
            order(names.split(", ").next(), LIFETIME).fill(snapshot, now)?
        }
        other => other?,
    };
    Ok(issued.token)
}

/// The field in which a route takes the token.
pub(super) fn present(token: &str, user: &str, accepted: Kinds) -> (String, String) {
    if accepted.bearer {
        ("Authorization".to_owned(), format!("Bearer {token}"))
    } else if accepted.x_auth_token {
        ("X-Auth-Token".to_owned(), token.to_owned())
    } else {
        basic(&format!("{user}:{token}"))
    }
}

/// The field of what the operator gave: with a colon it is a name and a password.
pub(super) fn read(form: &str) -> Result<(String, String), CredentialError> {
    let secret = secret::resolve(form, Path::new(""))?;
    let text = std::str::from_utf8(secret.expose()).map_err(|_| CredentialError::NoText)?;
    let text = text.trim_end_matches(['\r', '\n']);
    Ok(if text.contains(':') {
        basic(text)
    } else {
        ("Authorization".to_owned(), format!("Bearer {text}"))
    })
}

fn basic(pair: &str) -> (String, String) {
    ("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_where_the_route_takes_it() {
        let kinds = |bearer, x_auth_token| Kinds { bearer, x_auth_token };

        assert_eq!(present("t", "alice", kinds(true, true)).1, "Bearer t");
        assert_eq!(present("t", "alice", kinds(false, true)).0, "X-Auth-Token");
        assert_eq!(present("t", "alice", kinds(false, false)).1, "Basic YWxpY2U6dA==");
    }

    #[test]
    fn what_has_a_colon_is_a_password() {
        assert_eq!(read("alice:t").unwrap().1, "Basic YWxpY2U6dA==");
        assert_eq!(read("a.b.c").unwrap().1, "Bearer a.b.c");
        assert!(read("@/does/not/exist").is_err());
    }
}
