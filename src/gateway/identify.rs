//! Credential → principal, with what the worker remembers.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::journal::Journal;
use super::rejection::Rejection;
use crate::credential::{Basic, Credential};
use crate::identity::{IdentityError, Principal};
use crate::secret::Secret;
use crate::telemetry::metrics::{PasswordCheck, TokenMemory};
use crate::worker::{View, Worker};

/// The user name that goes with a token in the place of a password, besides the subject itself.
const ANY_SUBJECT: &str = "jwt";

/// Says whom a credential proves.
///
/// # Errors
///
/// The [`Rejection`] to answer with: nobody.
pub(super) async fn identify(
    worker: &Worker,
    view: &View,
    credential: Credential<'_>,
    client: IpAddr,
    journal: &mut Journal,
) -> Result<Rc<Principal>, Rejection> {
    journal.credential = Some(credential.label());
    match credential {
        Credential::Anonymous => Ok(Rc::clone(&view.anonymous)),
        Credential::Bearer(token) | Credential::TokenHeader(token) => {
            Ok(identify_token(worker, view, token)?)
        }
        Credential::Basic(basic) => {
            journal.claimed = Some(basic.user.as_str().into());
            if basic.holds_token() && view.snapshot.identities.verifier.is_some() {
                journal.credential = Some("basic-token");
                let principal = identify_token(worker, view, &basic.password)?;
                let is_subject = principal.name() == Some(&basic.user);
                if !is_subject && basic.user != ANY_SUBJECT {
                    return Err(IdentityError::SubjectMismatch.into());
                }
                return Ok(principal);
            }
            // Boxed, so that requests with tokens need not carry its state.
            Box::pin(identify_password(worker, view, basic, client)).await
        }
    }
}

fn identify_token(
    worker: &Worker,
    view: &View,
    token: &str,
) -> Result<Rc<Principal>, IdentityError> {
    let now = worker.ticker.unix().as_secs();
    if let Some(principal) = view.tokens.borrow_mut().recall(token, now) {
        worker.metrics.token_memory(TokenMemory::Hit);
        return Ok(principal);
    }
    worker.metrics.token_memory(TokenMemory::Miss);
    let began = Instant::now();
    let identified =
        view.snapshot.identities.identify_token_with(&mut view.scratch.borrow_mut(), token, now);
    worker.metrics.token_verified(began.elapsed());
    let (principal, until) = identified?;
    let principal = Rc::new(principal);
    view.tokens.borrow_mut().remember(token.into(), Rc::clone(&principal), until);
    Ok(principal)
}

async fn identify_password(
    worker: &Worker,
    view: &View,
    basic: Basic,
    client: IpAddr,
) -> Result<Rc<Principal>, Rejection> {
    let snapshot = &view.snapshot;
    let now = worker.ticker.unix().as_secs();
    let remember = snapshot.remember_passwords.as_secs();
    let digest = snapshot.digest_key.digest(&basic.user, &basic.password);
    if remember > 0
        && let Some(principal) = view.passwords.borrow_mut().recall(&digest, now)
    {
        worker.metrics.password_checked(PasswordCheck::Remembered, None);
        return Ok(principal);
    }
    let question = snapshot.identities.password_of(&basic.user);
    if remember > 0
        && let Some(until) = snapshot.verified_passwords.until(&digest, now)
        && let Some(principal) = question.proves()
    {
        let principal = Rc::new(principal);
        view.passwords.borrow_mut().remember(digest, Rc::clone(&principal), until);
        worker.metrics.password_checked(PasswordCheck::Remembered, None);
        return Ok(principal);
    }
    let began = Instant::now();
    let password = Secret::new(basic.password.as_bytes().to_vec());
    let verify = snapshot.hashing.verify(client, Arc::clone(&question.hash), password);
    let verified = snapshot.verifying_passwords.verify((client, digest), verify).await;
    let (outcome, result) = match verified {
        Err(error) => (PasswordCheck::Overloaded, Err(Rejection::from(error))),
        Ok(fits) => match fits.then(|| question.proves()).flatten() {
            Some(principal) => (PasswordCheck::Accepted, Ok(Rc::new(principal))),
            None => (PasswordCheck::Refused, Err(IdentityError::Password.into())),
        },
    };
    worker.metrics.password_checked(outcome, Some(began.elapsed()));
    let principal = result?;
    if remember > 0 {
        let until = worker.ticker.unix().as_secs() + remember;
        view.passwords.borrow_mut().remember(digest, Rc::clone(&principal), until);
        snapshot.verified_passwords.note(digest, until);
    }
    Ok(principal)
}
