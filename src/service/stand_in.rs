//! An administrator who acts for a user.

use tracing::info;

use super::time::millis;
use super::{Call, How, LoggedIn, LoginError, TokenService};

/// The role whose holders may.
const ADMIN: &str = "admin";

impl TokenService {
    /// Whoever is logged in as a holder of the role `admin` may have tokens issued to any user
    /// who is known and enabled. A key's holder may not: that would be wider than the key.
    ///
    /// # Errors
    ///
    /// [`LoginError::Refused`].
    pub fn stand_in(
        &self,
        call: &Call,
        admin: &LoggedIn,
        user: &str,
    ) -> Result<LoggedIn, LoginError> {
        let holder = admin.user().filter(|user| user.roles.iter().any(|role| **role == *ADMIN));
        let (Some(holder), None) = (holder, admin.key()) else {
            return Err(LoginError::Refused);
        };
        let found = call.snapshot.identities.find(user).map(|(_, user)| user);
        let user = found.filter(|user| !user.disabled).ok_or(LoginError::Refused)?;
        info!(
            user.name = %user.name,
            admin.name = %holder.name,
            "`{}` acts for `{}`", holder.name, user.name
        );
        Ok(LoggedIn {
            name: user.name.clone(),
            user: Some(user.clone()),
            how: How::Session,
            key: None,
            at_ms: millis(self.now()),
        })
    }
}
