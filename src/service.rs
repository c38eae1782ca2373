//! The one token service behind all dialects: log in, issue, refresh, revoke, keys, second factor.

mod call;

pub use self::call::Call;

/// The token service.
#[derive(Debug)]
pub struct TokenService {}
