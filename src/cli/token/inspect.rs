//! `doorward token inspect`: what a token says, and what the gateway would make of it.
//!
//! What a token says is shown whether it holds or not; the verdict stands below it, and nothing
//! above it is to be believed without.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;

use crate::cli::answer::{chain, printable};
use crate::cli::remote::{RemoteError, Where};
use crate::cli::status::date;
use crate::cli::{Answer, Failure, Verdict, settings};
use crate::identity::{Identities, IdentityError};
use crate::token::{MAX_TOKEN, VerifyError};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The token; `-` reads it from standard input, which no list of processes shows
    token: String,
    #[command(flatten)]
    place: Where,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A token as it is told of.
#[derive(Debug, Serialize)]
struct Inspection {
    verified: bool,
    /// Why it does not hold.
    reason: Option<String>,
    user: Option<String>,
    valid_until: Option<u64>,
    header: Option<Value>,
    claims: Option<Value>,
    checks: Vec<Check>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Check {
    check: &'static str,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Holds,
    Fails,
    NotReached,
}

pub(super) fn run(arguments: &Arguments, config: &Path, now: u64) -> Result<Answer, Failure> {
    let token = read(&arguments.token)?;
    let mut inspection = match settings::snapshot(config) {
        Ok((_, snapshot)) => inspect(&token, &snapshot.identities, now),
        Err(error) => {
            let reason = format!("there is no configuration to verify it by: {}", chain(&error));
            Inspection { reason: Some(reason), ..Inspection::decode(&token) }
        }
    };
    let mut warnings = Vec::new();
    if inspection.verified
        && let Err(error) = inspection.ask(&token, &arguments.place, config)
    {
        warnings.push(format!("whether it was revoked could not be asked: {}", chain(&error)));
    }
    let verdict = Verdict::of(inspection.verified);
    if arguments.json {
        return Ok(Answer { warnings, ..Answer::json(&inspection, verdict)? });
    }
    Ok(Answer { text: printable(&describe(&inspection)), verdict, warnings })
}

pub(super) fn read(argument: &str) -> std::io::Result<String> {
    if argument != "-" {
        return Ok(argument.trim().to_owned());
    }
    let mut text = String::new();
    std::io::stdin().lock().take(4 * MAX_TOKEN as u64).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

/// What only the running gateway knows.
const NOT_REVOKED: &str = "not revoked, as the running gateway knows";

impl Inspection {
    /// Asks the running gateway about a token that holds otherwise.
    fn ask(&mut self, token: &str, place: &Where, config: &Path) -> Result<(), RemoteError> {
        self.checks.push(Check { check: NOT_REVOKED, outcome: Outcome::NotReached });
        let body = serde_json::json!({ "token": token });
        let told = place.ask(config, "POST", "/tokens/inspect", Some(&body))?;
        self.verified = told.get("active").and_then(Value::as_bool).unwrap_or(false);
        if !self.verified {
            let reason = told.get("reason").and_then(Value::as_str);
            self.reason = Some(reason.unwrap_or("the running gateway refuses it").to_owned());
        }
        let outcome = if self.verified { Outcome::Holds } else { Outcome::Fails };
        if let Some(last) = self.checks.last_mut() {
            last.outcome = outcome;
        }
        Ok(())
    }

    /// What it says, believed by nobody.
    fn decode(token: &str) -> Self {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        });
        Self {
            verified: false,
            reason: None,
            user: None,
            valid_until: None,
            header: parts.next().flatten(),
            claims: parts.next().flatten(),
            checks: Vec::new(),
        }
    }
}

fn inspect(token: &str, identities: &Identities, now: u64) -> Inspection {
    let mut inspection = Inspection::decode(token);
    let issuers = identities.verifier.as_ref().map_or(0, |verifier| verifier.issuers().len());
    if issuers == 0 {
        inspection.reason = Some("the configuration has no issuer to verify it by".to_owned());
        return inspection;
    }
    let failed = match identities.identify_token(token, now) {
        Ok((principal, until)) => {
            inspection.verified = true;
            inspection.user = principal.name().map(ToOwned::to_owned);
            inspection.valid_until = Some(until);
            STAGES.len()
        }
        Err(error) => {
            inspection.reason = Some(chain(&error));
            stage(&error, issuers)
        }
    };
    for (index, check) in STAGES.iter().enumerate() {
        let outcome = match index.cmp(&failed) {
            Ordering::Less => Outcome::Holds,
            Ordering::Equal => Outcome::Fails,
            Ordering::Greater => Outcome::NotReached,
        };
        if index != CHOICE || issuers > 1 {
            inspection.checks.push(Check { check, outcome });
        }
    }
    inspection
}

/// The checks, in the order in which the gateway makes them.
const STAGES: [&str; 9] = [
    "form: three parts of strict base64url, not too long",
    "header: a signed access token with an offered algorithm and no extension",
    "issuer: one of the configuration's",
    "key and signature",
    "issuer and audience: those of the configuration",
    "times: not expired, not in the future, not too long",
    "subject and token id",
    "further claims",
    "user: known and not disabled, if the issuer is bound",
];

/// The check that is made only where there is a choice: a single issuer's tokens are told by
/// their signature, and their `iss` is looked at with the other claims.
const CHOICE: usize = 2;

/// Which check found this. Where it could have been one of two, it is the earlier one: a check
/// that may not have been made is never told to hold.
fn stage(error: &IdentityError, issuers: usize) -> usize {
    let error = match error {
        IdentityError::Token(error) => *error,
        IdentityError::HomeClaim => return 7,
        IdentityError::Ended(_)
        | IdentityError::KeyMismatch
        | IdentityError::KeyOwner
        | IdentityError::Password
        | IdentityError::SecondFactor
        | IdentityError::SessionUser
        | IdentityError::SubjectMismatch
        | IdentityError::UnknownSubject => return 8,
    };
    let has_choice = issuers > 1;
    match error {
        VerifyError::NotAToken | VerifyError::TooLong => 0,
        VerifyError::CriticalExtension
        | VerifyError::MalformedHeader
        | VerifyError::UnsupportedAlgorithm
        | VerifyError::UnsupportedHeader
        | VerifyError::WrongTokenType => 1,
        VerifyError::AlgorithmNotAllowed
        | VerifyError::AmbiguousKey
        | VerifyError::BadSignature
        | VerifyError::UnknownKey => 3,
        VerifyError::MalformedClaims | VerifyError::UnknownIssuer => {
            if has_choice {
                2
            } else {
                4
            }
        }
        VerifyError::WrongAudience => 4,
        VerifyError::Expired { .. }
        | VerifyError::IssuedInFuture { .. }
        | VerifyError::LifetimeTooLong { .. }
        | VerifyError::NotYetValid { .. } => 5,
        VerifyError::ControlCharacter(claim)
        | VerifyError::MissingClaim(claim)
        | VerifyError::WrongLength(claim)
        | VerifyError::WrongType(claim) => match claim {
            "iss" if has_choice => CHOICE,
            "iss" | "aud" => 4,
            "exp" | "iat" | "nbf" => 5,
            "subject" | "jti" | "sid" | "client_id" => 6,
            _ => 7,
        },
    }
}

fn describe(inspection: &Inspection) -> String {
    let mut text = String::new();
    let pretty = |value: &Option<Value>| match value {
        Some(value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        None => "cannot be read".to_owned(),
    };
    let (header, claims) = (pretty(&inspection.header), pretty(&inspection.claims));
    let _ = write!(text, "header {header}\nclaims {claims}\n");
    for (name, says) in [("iat", "issued"), ("nbf", "not before"), ("exp", "expires")] {
        let time = inspection.claims.as_ref().and_then(|claims| claims.get(name)?.as_u64());
        if let Some(time) = time {
            let _ = writeln!(text, "{says} {}", date(time));
        }
    }
    text.push('\n');
    for Check { check, outcome } in &inspection.checks {
        let outcome = match outcome {
            Outcome::Holds => "ok     ",
            Outcome::Fails => "FAILS  ",
            Outcome::NotReached => "-      ",
        };
        let _ = writeln!(text, "{outcome}{check}");
    }
    text.push('\n');
    let _ = match (&inspection.user, inspection.valid_until) {
        (Some(user), Some(until)) if inspection.verified => {
            writeln!(text, "VERIFIED: it proves `{user}` until {}", date(until))
        }
        _ => {
            let reason = inspection.reason.as_deref().unwrap_or("it proves nobody");
            writeln!(text, "NOT VERIFIED: {reason}")
        }
    };
    text
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::{folder, issue, order};
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn look(folder: &Path, token: &str, now: u64) -> Answer {
        let place = Where { admin: Some("unix:/nowhere/admin.sock".parse().unwrap()) };
        let arguments = Arguments { token: token.to_owned(), place, json: false };
        run(&arguments, &folder.join("doorward.toml"), now).unwrap()
    }

    fn checks(folder: &Path, token: &str, now: u64) -> Vec<Outcome> {
        let (_, snapshot) = settings::snapshot(&folder.join("doorward.toml")).unwrap();
        let inspection = inspect(token, &snapshot.identities, now);
        inspection.checks.iter().map(|check| check.outcome).collect()
    }

    #[test]
    fn a_token_that_holds_is_told_to_prove_its_user() {
        let folder = folder();
        let token = issue(folder.path(), order("alice", "local")).unwrap().token;

        let answer = look(folder.path(), &token, NOW);

        assert!(
            answer.text.ends_with("\nVERIFIED: it proves `alice` until 2027-01-15T09:00:29Z\n"),
            "{}",
            answer.text
        );
        assert!(answer.text.contains("\"sub\": \"alice\""), "{}", answer.text);
        assert!(
            checks(folder.path(), &token, NOW).iter().all(|outcome| *outcome == Outcome::Holds)
        );
    }

    #[test]
    fn an_expired_token_is_told_with_the_check_that_it_fails() {
        let folder = folder();
        let token = issue(folder.path(), order("alice", "local")).unwrap().token;

        let answer = look(folder.path(), &token, NOW + 86_400);

        assert!(answer.text.contains("NOT VERIFIED: expired at"), "{}", answer.text);
        assert_eq!(answer.verdict, Verdict::Refused);
        let checks = checks(folder.path(), &token, NOW + 86_400);
        let (before, behind) = checks.split_at(5);
        assert!(before.iter().all(|outcome| *outcome == Outcome::Holds));
        assert_eq!(behind[0], Outcome::Fails);
        assert!(behind[1..].iter().all(|outcome| *outcome == Outcome::NotReached));
    }

    #[test]
    fn a_forged_token_is_shown_and_not_believed() {
        let folder = folder();
        let alice = issue(folder.path(), order("alice", "local")).unwrap().token;
        let bob = issue(folder.path(), order("bob", "local")).unwrap().token;
        let (_, signature) = alice.rsplit_once('.').unwrap();
        let (signed, _) = bob.rsplit_once('.').unwrap();

        let answer = look(folder.path(), &format!("{signed}.{signature}"), NOW);

        assert!(answer.text.contains("FAILS  key and signature"), "{}", answer.text);
        assert!(answer.text.contains("NOT VERIFIED"), "{}", answer.text);
    }

    #[test]
    fn rubbish_is_no_token() {
        let folder = folder();
        for token in ["", "x", "a.b.c", "....", "\u{1b}[2J"] {
            let answer = look(folder.path(), token, NOW);

            assert_eq!(answer.verdict, Verdict::Refused, "{token:?}");
            assert!(!answer.text.contains('\u{1b}'), "{token:?}");
        }
    }

    #[test]
    fn without_a_configuration_nothing_is_verified() {
        let folder = folder();
        let token = issue(folder.path(), order("alice", "local")).unwrap().token;

        let answer = look(&folder.path().join("elsewhere"), &token, NOW);

        assert!(answer.text.contains("\"sub\": \"alice\""), "{}", answer.text);
        assert!(answer.text.contains("NOT VERIFIED: there is no configuration"), "{}", answer.text);
        assert_eq!(answer.verdict, Verdict::Refused);
    }
}
