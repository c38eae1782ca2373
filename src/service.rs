//! The one token service behind all dialects: log in, issue, refresh, revoke, keys, second factor.
//!
//! A dialect translates a request into calls of [`TokenService`] and its answer into bytes, and
//! decides nothing. What must not be skipped is a value that only this module makes: a token is
//! issued to a [`LoggedIn`], and nothing but a verified password, code, key, token or session
//! makes one.
//!
//! The throttle is asked before and told after each guess. Unknown users, wrong passwords and
//! disabled users have one answer at one cost. Without its store the service issues nothing, and
//! goes on verifying.

mod call;
mod claims;
mod introspect;
mod issue;
mod key;
mod login;
mod password;
mod refresh;
mod revoke;
mod secrets;
mod totp;
mod users;
mod verify;

pub use self::call::{Call, Outcome};
pub use self::claims::Shape;
pub use self::introspect::Introspected;
pub use self::issue::{IssueError, Issued, Wish};
pub use self::key::{KeyError, NewKey};
pub use self::login::{ChallengeTicket, How, LoggedIn, LoginError};
pub use self::password::{PasswordChangeError, Reload};
pub use self::refresh::RefreshError;
pub use self::revoke::RevokeError;
pub use self::secrets::{NoSecrets, Secrets};
pub use self::totp::{Enrolment, TotpError, TotpState};
pub use self::users::{UserFiles, UsersError};
pub use self::verify::Verified;

/// The token service.
#[derive(Debug)]
pub struct TokenService {}

/// What was asked needs the store, and the store is away or none is configured: 503 with
/// Retry-After.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is not available")]
pub struct Unavailable;
