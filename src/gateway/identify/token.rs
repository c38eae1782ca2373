//! Tokens.

use std::rc::Rc;
use std::time::Instant;

use super::Asker;
use crate::identity::{IdentityError, Principal};
use crate::telemetry::metrics::TokenMemory;

/// Whom a token proves.
pub(super) fn identify(asker: Asker<'_>, token: &str) -> Result<Rc<Principal>, IdentityError> {
    let Asker { worker, view, .. } = asker;
    let standing = &*worker.shared.standing;
    let now = worker.ticker.unix().as_secs();
    if let Some(principal) = view.tokens.borrow_mut().recall(token, standing, now)? {
        worker.metrics.token_memory(TokenMemory::Hit);
        return Ok(principal);
    }
    worker.metrics.token_memory(TokenMemory::Miss);
    let epoch = standing.epoch(); // before it is judged: a change meanwhile has it judged again
    let began = Instant::now();
    let identified = view.snapshot.identities.identify_token_with(
        &mut view.scratch.borrow_mut(),
        standing,
        token,
        now,
    );
    worker.metrics.token_verified(began.elapsed());
    let (principal, until) = identified?;
    let principal = Rc::new(principal);
    view.tokens.borrow_mut().remember(token.into(), Rc::clone(&principal), epoch, until);
    Ok(principal)
}
