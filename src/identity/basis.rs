//! On what a principal rests, and whether that still holds.

use std::sync::Arc;

use super::standing::{Ended, Standing, TokenFacts};
use super::{Identities, Principal};
use crate::api_key::ApiKey;

/// On what a principal rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// An API key, that of the principal's facts.
    Key,
    /// Nothing: there is nobody to be ended.
    Nobody,
    /// A password.
    Password {
        /// Whether a one-time code came with it.
        has_code: bool,
    },
    /// A browser's session.
    Session {
        /// Its id.
        id: Box<str>,
        /// When it began, in milliseconds since the Unix epoch.
        began_ms: u64,
    },
    /// A token.
    Token {
        /// What of it can be revoked.
        token: TokenFacts,
        /// Whether its user must be in a directory.
        is_bound: bool,
    },
}

/// Whether what was remembered may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standstill {
    /// It may.
    Holds,
    /// Something that it was made of has changed: verify it anew.
    Changed,
}

impl Principal {
    /// Judges what has verified before against what is known at `now` (Unix seconds).
    ///
    /// # Errors
    ///
    /// [`Ended`]: it is worth nothing any more.
    pub fn judge(&self, standing: &Standing, now: u64) -> Result<Standstill, Ended> {
        let known = match &self.basis {
            Basis::Nobody => return Ok(Standstill::Holds),
            Basis::Password { has_code } => {
                let lacks_code = !has_code && standing.has_second_factor(&self.facts().name);
                return Ok(if lacks_code { Standstill::Changed } else { Standstill::Holds });
            }
            Basis::Session { id, began_ms } => {
                standing.judge_session(id, &self.facts().name, *began_ms)?;
                return Ok(Standstill::Holds);
            }
            Basis::Key => {
                let own = self.facts().key.as_deref().ok_or(Ended::KeyUnknown)?;
                let known = standing.key(&own.id).ok_or(Ended::KeyUnknown)?;
                if known.has_expired(now) {
                    return Err(Ended::KeyExpired);
                }
                Some(known)
            }
            Basis::Token { token, .. } => standing.judge(token, now)?,
        };
        let is_same = match (&known, &self.facts().key) {
            (None, None) => true,
            (Some(known), Some(own)) => Arc::ptr_eq(known, own) || known == own,
            (None, Some(_)) | (Some(_), None) => false,
        };
        Ok(if is_same { Standstill::Holds } else { Standstill::Changed })
    }

    /// Whether what it began at `began_ms` (milliseconds since the Unix epoch) may go on: it has
    /// not ended, and its user is still there and not disabled. What changed otherwise counts
    /// from the next request on.
    #[must_use]
    pub fn may_go_on(
        &self,
        identities: &Identities,
        standing: &Standing,
        now: u64,
        began_ms: u64,
    ) -> bool {
        let name = &self.facts().name;
        let needs_user = match &self.basis {
            Basis::Nobody => return true,
            Basis::Password { .. } | Basis::Key => {
                // They can be presented anew; what began before the user was ended, ends.
                if standing.has_user_ended(name, began_ms) {
                    return false;
                }
                true
            }
            Basis::Session { .. } => true,
            Basis::Token { is_bound, .. } => *is_bound,
        };
        if needs_user && identities.enabled(name).is_none() {
            return false;
        }
        self.judge(standing, now).is_ok()
    }

    /// The API key that it came by, or that its token was exchanged for.
    #[must_use]
    pub fn key(&self) -> Option<&ApiKey> {
        self.facts().key.as_deref()
    }
}
