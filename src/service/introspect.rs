//! What is told of a token to whoever may ask (RFC 7662).

use serde_json::{Map, Value};

use super::{Call, TokenService, Unavailable};

/// A token that is active.
#[derive(Clone, Debug)]
pub struct Introspected {
    /// What it says; of a refresh token, `sub`, `iat`, `exp` and `sid`.
    pub claims: Map<String, Value>,
    /// Whom it proves.
    pub subject: Box<str>,
    /// Whether it is a refresh token.
    pub is_refresh_token: bool,
}

impl TokenService {
    /// Looks at an access or refresh token. `None`: not active, for whatever reason.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: it may be a refresh token, and the store is away.
    pub async fn introspect(
        &self,
        call: &Call,
        token: &str,
    ) -> Result<Option<Introspected>, Unavailable> {
        let _ = (call, token);
        Err(Unavailable)
    }
}
