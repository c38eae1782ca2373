//! Credential → principal, with what the worker remembers.
//!
//! What is remembered was judged in one state of what is known beside the snapshot
//! ([`Standing`](crate::identity::standing::Standing)), and is judged again only when that has
//! changed: one atomic load a request, and no lock.

mod code;
mod key;
mod password;
mod session;
mod token;

use std::net::IpAddr;
use std::rc::Rc;

use super::journal::Journal;
use super::rejection::Rejection;
use crate::credential::{Basic, Credential};
use crate::identity::{IdentityError, Principal};
use crate::session::cookie::CookieName;
use crate::worker::{View, Worker};

/// The user name that goes with a token in the place of a password, besides the subject itself.
const ANY_SUBJECT: &str = "jwt";

/// Who asks whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'r> {
    /// The worker.
    pub(super) worker: &'r Worker,
    /// Its view of the snapshot.
    pub(super) view: &'r View,
    /// The client's address.
    pub(super) client: IpAddr,
    /// The cookie that holds sessions on this connection, if any may.
    pub(super) cookie: Option<CookieName>,
    /// Whether the route takes API keys.
    pub(super) takes_keys: bool,
}

/// Says whom a credential proves.
///
/// # Errors
///
/// The [`Rejection`] to answer with: nobody.
pub(super) async fn identify(
    asker: Asker<'_>,
    credential: Credential<'_>,
    journal: &mut Journal,
) -> Result<Rc<Principal>, Rejection> {
    journal.credential = Some(credential.label());
    match credential {
        Credential::Anonymous => Ok(Rc::clone(&asker.view.anonymous)),
        Credential::Bearer(token) | Credential::TokenHeader(token) => {
            Ok(token::identify(asker, token)?)
        }
        Credential::ApiKey { user, key } => {
            journal.claimed = user.map(Into::into);
            Ok(key::identify(asker, user, key)?)
        }
        Credential::Basic(basic) => identify_basic(asker, basic, journal).await,
        Credential::Session(sealed) => session::identify(asker, sealed, journal),
    }
}

async fn identify_basic(
    asker: Asker<'_>,
    basic: Basic,
    journal: &mut Journal,
) -> Result<Rc<Principal>, Rejection> {
    journal.claimed = Some(basic.user.as_str().into());
    if basic.holds_token() && asker.view.snapshot.identities.verifier.is_some() {
        journal.credential = Some("basic-token");
        let principal = token::identify(asker, &basic.password)?;
        let is_subject = principal.name() == Some(&basic.user);
        if !is_subject && basic.user != ANY_SUBJECT {
            return Err(IdentityError::SubjectMismatch.into());
        }
        return Ok(principal);
    }
    if basic.holds_key() && asker.takes_keys {
        journal.credential = Some("basic-key");
        return Ok(key::identify(asker, Some(&basic.user), &basic.password)?);
    }
    // Boxed, so that requests with tokens need not carry its state.
    Box::pin(password::identify(asker, basic)).await
}
