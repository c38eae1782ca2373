//! What one node tells the others, as the payload of a notification.
//!
//! Revocations are told whole, since they are never taken back. Of a key or a second factor only
//! the name is told: who hears it reads what is there by then. A payload cannot grow beyond the
//! 8000 bytes of `NOTIFY`, as names are bounded.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::identity::standing::{Change, Revocation, Revoked};

/// What is told.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Notice<'a> {
    /// This family was ended.
    Family { id: Cow<'a, str>, until: u64 },
    /// Something happened to the key of this id.
    Key(Cow<'a, str>),
    /// Something happened to the second factor of this user.
    SecondFactor(Cow<'a, str>),
    /// This token was revoked.
    Token { id: Cow<'a, str>, until: u64 },
    /// Everything of this user was ended.
    User { name: Cow<'a, str>, since_ms: u64, until: u64 },
}

impl<'a> Notice<'a> {
    pub(super) fn of(revocation: &'a Revocation) -> Self {
        let until = revocation.until;
        match &revocation.what {
            Revoked::Family(id) => Self::Family { id: Cow::Borrowed(id), until },
            Revoked::Token(id) => Self::Token { id: Cow::Borrowed(id), until },
            Revoked::User { name, since_ms } => {
                Self::User { name: Cow::Borrowed(name), since_ms: *since_ms, until }
            }
        }
    }

    pub(super) fn key(id: &'a str) -> Self {
        Self::Key(Cow::Borrowed(id))
    }

    pub(super) fn second_factor(user: &'a str) -> Self {
        Self::SecondFactor(Cow::Borrowed(user))
    }

    /// As it is sent. Nothing in it can fail to be written; an empty payload is understood by
    /// nobody, and so makes everybody read all again.
    pub(super) fn payload(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What has to be done on hearing something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is known now.
    Change(Change),
    /// The key of this id is to be read.
    Key(String),
    /// All is to be read: this is not understood.
    Puzzle,
    /// The second factor of this user is to be read.
    SecondFactor(String),
}

/// Understands a payload.
pub(super) fn hear(payload: &str) -> Heard {
    let Ok(notice) = serde_json::from_str(payload) else { return Heard::Puzzle };
    let (what, until) = match notice {
        Notice::Key(id) => return Heard::Key(id.into_owned()),
        Notice::SecondFactor(user) => return Heard::SecondFactor(user.into_owned()),
        Notice::Family { id, until } => (Revoked::Family(id.into()), until),
        Notice::Token { id, until } => (Revoked::Token(id.into()), until),
        Notice::User { name, since_ms, until } => {
            (Revoked::User { name: name.into(), since_ms }, until)
        }
    };
    Heard::Change(Change::Revoked(Revocation { what, until }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MAX_NAME_BYTES;

    #[test]
    fn a_revocation_is_heard_as_it_was_told() {
        let user = Revoked::User { name: "al\"ice\n".into(), since_ms: 1_700_000_000_123 };
        for what in [Revoked::Family("f".into()), Revoked::Token("t".into()), user] {
            let revocation = Revocation { what, until: 7 };

            let heard = hear(&Notice::of(&revocation).payload());

            assert_eq!(heard, Heard::Change(Change::Revoked(revocation)));
        }
    }

    #[test]
    fn of_keys_and_second_factors_only_the_name_is_told() {
        assert_eq!(hear(&Notice::key("k").payload()), Heard::Key("k".into()));
        let heard = hear(&Notice::second_factor("alice").payload());
        assert_eq!(heard, Heard::SecondFactor("alice".into()));
    }

    #[test]
    fn what_is_not_understood_makes_all_be_read_again() {
        for payload in ["", "x", "{}", r#"{"planet":"x"}"#, r#"{"token":{"id":"t"}}"#] {
            assert_eq!(hear(payload), Heard::Puzzle, "{payload}");
        }
    }

    #[test]
    fn no_payload_is_too_long_to_be_sent() {
        let name = "\u{1}".repeat(MAX_NAME_BYTES); // six bytes each in JSON
        let what = Revoked::User { name: name.into(), since_ms: u64::MAX };

        let payload = Notice::of(&Revocation { what, until: u64::MAX }).payload();

        assert!(payload.len() < 8_000, "{}", payload.len());
    }
}
