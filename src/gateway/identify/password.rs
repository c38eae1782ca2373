//! Passwords, with the code of a second factor behind them where that is configured.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::{Asker, code};
use crate::credential::Basic;
use crate::gateway::rejection::Rejection;
use crate::identity::throttle::Attempt;
use crate::identity::verified::Outcome;
use crate::identity::{IdentityError, PasswordQuestion, Principal};
use crate::secret::Secret;
use crate::telemetry::metrics::PasswordCheck;

/// Digits of a one-time code.
const CODE_DIGITS: usize = 6;

/// What is asked about one password.
struct Inquiry<'a> {
    asker: Asker<'a>,
    user: &'a str,
    /// What of it is the password.
    password: &'a str,
    question: PasswordQuestion<'a>,
    factor: Factor<'a>,
}

/// What the user's second factor asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor<'a> {
    /// This code must be right.
    Code(&'a str),
    /// There is none.
    None,
    /// A code that is not there, or for which there is no place.
    Missing,
}

/// Whom a password proves. Right ones are remembered for a while; before anything is hashed, the
/// throttle is asked.
pub(super) async fn identify(asker: Asker<'_>, basic: Basic) -> Result<Rc<Principal>, Rejection> {
    let Asker { worker, view, client, .. } = asker;
    let (snapshot, standing) = (&*view.snapshot, &*worker.shared.standing);
    let now = worker.ticker.unix().as_secs();
    let remember = snapshot.remember_passwords.as_secs();
    let digest = snapshot.digest_key.digest(&basic.user, &basic.password);
    if remember > 0
        && let Ok(Some(principal)) = view.passwords.borrow_mut().recall(&digest, standing, now)
    {
        worker.metrics.password_checked(PasswordCheck::Remembered, None);
        return Ok(principal);
    }
    let epoch = standing.epoch();
    let is_enrolled = standing.has_second_factor(&basic.user);
    let (password, factor) = split(&basic.password, is_enrolled, snapshot.totp.appends_to_password);
    let question = snapshot.identities.password_of(&basic.user);
    let has_code = matches!(factor, Factor::Code(_));
    let shared = if has_code { snapshot.digest_key.with_code(&digest) } else { digest };
    if remember > 0
        && factor != Factor::Missing
        && let Some(until) = snapshot.verified_passwords.until(&shared, now)
        && let Some(principal) = question.proves(has_code)
    {
        let principal = Rc::new(principal);
        view.passwords.borrow_mut().remember(digest, Rc::clone(&principal), epoch, until);
        worker.metrics.password_checked(PasswordCheck::Remembered, None);
        return Ok(principal);
    }
    let inquiry = Inquiry { asker, user: &basic.user, password, question, factor };
    let began = Instant::now();
    let verifying = snapshot.verifying_passwords.verify((client, shared), inquiry.verify());
    let outcome = verifying.await;
    let took = (!matches!(outcome, Outcome::Throttled { .. })).then(|| began.elapsed());
    worker.metrics.password_checked(check(outcome), took);
    let proved = match outcome {
        Outcome::Right => inquiry.question.proves(has_code),
        Outcome::Wrong => None,
        Outcome::FactorMissing => return Err(IdentityError::SecondFactor.into()),
        Outcome::Overloaded => return Err(Rejection::Overloaded),
        Outcome::StoreAway => return Err(Rejection::StoreAway),
        Outcome::Throttled { seconds } => return Err(Rejection::Throttled { seconds }),
    };
    let principal = Rc::new(proved.ok_or(IdentityError::Password)?);
    if remember > 0 {
        let until = worker.ticker.unix().as_secs() + remember;
        view.passwords.borrow_mut().remember(digest, Rc::clone(&principal), epoch, until);
        snapshot.verified_passwords.note(shared, until);
    }
    Ok(principal)
}

/// Takes the code from behind the password, if the user has a second factor and the code may stand
/// there.
fn split(text: &str, is_enrolled: bool, is_appended: bool) -> (&str, Factor<'_>) {
    if !is_enrolled {
        return (text, Factor::None);
    }
    let parts = text.len().checked_sub(CODE_DIGITS).and_then(|at| text.split_at_checked(at));
    match parts {
        Some((password, code)) if is_appended && code.bytes().all(|byte| byte.is_ascii_digit()) => {
            (password, Factor::Code(code))
        }
        Some(_) | None => (text, Factor::Missing),
    }
}

fn check(outcome: Outcome) -> PasswordCheck {
    match outcome {
        Outcome::FactorMissing | Outcome::Wrong => PasswordCheck::Refused,
        Outcome::Overloaded | Outcome::StoreAway => PasswordCheck::Overloaded,
        Outcome::Right => PasswordCheck::Accepted,
        Outcome::Throttled { .. } => PasswordCheck::Throttled,
    }
}

/// An attempt that has neither failed nor succeeded if nobody waits for its answer: then nobody
/// has learnt anything from it.
struct Pending<'t>(Option<Attempt<'t>>);

impl<'t> Pending<'t> {
    fn settle(mut self, settle: impl FnOnce(Attempt<'t>)) {
        if let Some(attempt) = self.0.take() {
            settle(attempt);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(attempt) = self.0.take() {
            attempt.is_undecided();
        }
    }
}

impl Inquiry<'_> {
    /// Hashes, whoever it is and whatever the factor asks for, so that every refusal costs the
    /// same; then looks at the code.
    async fn verify(&self) -> Outcome {
        let Self { asker, user, password, question, factor } = self;
        let Asker { worker, view, client, .. } = asker;
        let throttle = &*worker.shared.throttle;
        let attempt = match throttle.attempt(user, *client, worker.ticker.unix()) {
            Ok(attempt) => Pending(Some(attempt)),
            Err(throttled) => return throttled.into(),
        };
        let password = Secret::new(password.as_bytes().to_vec());
        let hash = Arc::clone(&question.hash);
        let fits = match view.snapshot.hashing.verify(*client, hash, password).await {
            Ok(fits) => fits && question.is_anybody(),
            Err(_) => return Outcome::Overloaded,
        };
        match factor {
            Factor::Code(_) | Factor::Missing | Factor::None if !fits => {
                attempt.settle(Attempt::has_failed);
                Outcome::Wrong
            }
            Factor::None => {
                attempt.settle(Attempt::has_succeeded);
                Outcome::Right
            }
            Factor::Missing => {
                attempt.settle(Attempt::has_failed);
                Outcome::FactorMissing
            }
            Factor::Code(code) => {
                drop(attempt); // the code is an attempt of its own
                let outcome = code::check(worker, &view.snapshot, *client, user, code).await;
                if outcome == Outcome::Right
                    && let Ok(attempt) = throttle.attempt(user, *client, worker.ticker.unix())
                {
                    attempt.has_succeeded();
                }
                outcome
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_behind_the_password_of_those_who_have_a_second_factor() {
        for (text, is_enrolled, is_appended, expected) in [
            ("secret123456", false, true, ("secret123456", Factor::None)),
            ("secret123456", true, true, ("secret", Factor::Code("123456"))),
            ("123456", true, true, ("", Factor::Code("123456"))),
            ("secret123456", true, false, ("secret123456", Factor::Missing)),
            ("secret12345", true, true, ("secret12345", Factor::Missing)),
            ("12345", true, true, ("12345", Factor::Missing)),
            ("secretäääää5", true, true, ("secretäääää5", Factor::Missing)),
            ("", true, true, ("", Factor::Missing)),
        ] {
            assert_eq!(split(text, is_enrolled, is_appended), expected, "{text}");
        }
    }
}
