//! API keys.

use std::rc::Rc;

use super::Asker;
use crate::api_key::digest;
use crate::identity::standing::Ended;
use crate::identity::{IdentityError, Principal};

/// Whom an API key proves. Where a user is named beside it, that is its owner.
pub(super) fn identify(
    asker: Asker<'_>,
    user: Option<&str>,
    text: &str,
) -> Result<Rc<Principal>, IdentityError> {
    let principal = recall_or_look_up(asker, text)?;
    if user.is_some_and(|user| principal.name() != Some(user)) {
        return Err(IdentityError::KeyMismatch);
    }
    Ok(principal)
}

fn recall_or_look_up(asker: Asker<'_>, text: &str) -> Result<Rc<Principal>, IdentityError> {
    let Asker { worker, view, .. } = asker;
    let standing = &*worker.shared.standing;
    let now = worker.ticker.unix().as_secs();
    if let Some(principal) = view.keys.borrow_mut().recall(text, standing, now)? {
        return Ok(principal);
    }
    let epoch = standing.epoch();
    let key = standing.key_by_hash(&digest(text)).ok_or(Ended::KeyUnknown)?;
    let (principal, until) = view.snapshot.identities.identify_key(key, now)?;
    let principal = Rc::new(principal);
    view.keys.borrow_mut().remember(text.into(), Rc::clone(&principal), epoch, until);
    Ok(principal)
}
