//! Issues tokens to those who have logged in.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Call, LoggedIn, Shape, TokenService, Unavailable};
use crate::user::User;

/// What a client asks of a token.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How long it should live; never longer than the endpoint's `max_lifetime`. `None`: its
    /// `lifetime`.
    pub lifetime: Option<Duration>,
    /// For whom it should be: one of the endpoint's audiences. `None`: all of them.
    pub audience: Option<String>,
    /// Whether a refresh token should come with it.
    pub refresh: bool,
    /// What it should look like.
    pub shape: Shape,
}

impl Wish {
    /// A token of this shape, as the endpoint gives it by default, without a refresh token.
    #[must_use]
    pub fn of(shape: Shape) -> Self {
        Self { lifetime: None, audience: None, refresh: false, shape }
    }
}

/// What is handed out.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token.
    pub access_token: Zeroizing<String>,
    /// What it says.
    pub claims: Map<String, Value>,
    /// Its `iat`.
    pub issued_at: u64,
    /// Its `exp`.
    pub expires_at: u64,
    /// A refresh token, where one was asked for or exchanged.
    pub refresh_token: Option<Zeroizing<String>>,
    /// The family that they belong to: the `sid` claim.
    pub family: Option<Box<str>>,
    /// Whom it speaks for: the subject.
    pub subject: Box<str>,
    /// Its entry in the directory; `None`: an identifier that no directory knows.
    pub user: Option<Arc<User>>,
}

impl Issued {
    /// For how many seconds it holds, from its issue on.
    #[must_use]
    pub fn expires_in(&self) -> u64 {
        self.expires_at.saturating_sub(self.issued_at)
    }
}

/// Why no token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// Not one of the endpoint's audiences.
    #[error("the audience is none of the endpoint's")]
    Audience,
    /// The endpoint has no key to sign with, or its claims contradict each other: 500, and a line
    /// for the operator.
    #[error("the endpoint cannot issue tokens of this shape")]
    Impossible,
    /// Not a second.
    #[error("the lifetime is less than a second")]
    Lifetime,
    /// The key was not registered for this identifier.
    #[error("the key belongs to another identifier")]
    Refused,
    /// The store is away.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl TokenService {
    /// Issues a token.
    ///
    /// # Errors
    ///
    /// [`IssueError`].
    pub async fn issue(
        &self,
        call: &Call,
        who: &LoggedIn,
        wish: &Wish,
    ) -> Result<Issued, IssueError> {
        let _ = (call, who, wish);
        Err(Unavailable.into())
    }
}
