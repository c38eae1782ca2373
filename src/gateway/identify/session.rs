//! Sessions of browsers: the cookie is opened, judged, and now and then written anew.

use std::rc::Rc;

use http::HeaderValue;

use super::Asker;
use crate::gateway::journal::Journal;
use crate::gateway::rejection::Rejection;
use crate::identity::Principal;
use crate::session::{Lifetimes, Session, Upkeep};

/// Whom the session in a cookie proves. Where it is due to be renewed, the journal gets the
/// cookie that the answer is to carry.
pub(super) fn identify(
    asker: Asker<'_>,
    sealed: &str,
    journal: &mut Journal,
) -> Result<Rc<Principal>, Rejection> {
    let Asker { worker, view, .. } = asker;
    let standing = &*worker.shared.standing;
    let now = worker.ticker.unix().as_secs();
    let recalled = view.sessions.borrow_mut().recall(sealed, standing, now);
    if let Some(principal) = recalled.map_err(|ended| Rejection::Session(ended.label()))? {
        return Ok(principal);
    }
    let epoch = standing.epoch();
    let settings = view.snapshot.sessions;
    let lifetimes = Lifetimes { idle: settings.idle_timeout, absolute: settings.lifetime };
    let session =
        worker.shared.sealer.open(sealed).map_err(|_| Rejection::Session("session_forged"))?;
    journal.claimed = Some(session.user.clone());
    let upkeep =
        session.judge(lifetimes, now).map_err(|_| Rejection::Session("session_expired"))?;
    let principal = view.snapshot.identities.identify_session(&session, standing);
    // Whatever it is: a login would help.
    let principal = principal.map_err(|error| Rejection::Session(error.label()))?;
    let principal = Rc::new(principal);
    match upkeep {
        Upkeep::Renew => journal.renewal = renewal(asker, &session, lifetimes, now),
        Upkeep::Keep => {
            // Until it is due to be renewed, since nothing that is remembered is renewed.
            let due = session.seen.saturating_add((lifetimes.idle.as_secs() / 10).max(1));
            let until = session.holds_until(lifetimes).min(due.saturating_sub(1));
            view.sessions.borrow_mut().remember(sealed.into(), Rc::clone(&principal), epoch, until);
        }
    }
    Ok(principal)
}

/// The cookie of the same session, used now. Without randomness the old one has to do.
fn renewal(
    asker: Asker<'_>,
    session: &Session,
    lifetimes: Lifetimes,
    now: u64,
) -> Option<HeaderValue> {
    let renewed = session.renewed(now);
    let sealed = asker.worker.shared.sealer.seal(&renewed).ok()?;
    let cookie = asker.cookie?.set(&sealed, renewed.remaining(lifetimes, now));
    HeaderValue::try_from(cookie).ok()
}
