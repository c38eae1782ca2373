//! API keys: what is known of one, how far it reaches, and how it is written.
//!
//! A key is shown once; afterwards only the SHA-256 of its whole text is known, which is enough,
//! since a text that we make has 160 random bits. A [`Scope`] only ever narrows: a key never does
//! what its owner may not.

mod scope;
mod text;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

pub use self::scope::{Scope, ScopeError};
pub use self::text::{Minted, NoRandomness, TextKind, digest, digest_of, hex, is_key};

/// The SHA-256 of the whole text of a key or refresh token.
pub type KeyHash = [u8; 32];

/// The longest label of a key, in bytes.
pub const MAX_LABEL_BYTES: usize = 128;

/// What vouches for the owner of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// Made by a service for an identifier that no directory knows: fit to be exchanged for
    /// tokens of that identifier, and for nothing else.
    Registered,
    /// Issued to a user, who must be known and enabled whenever the key is used.
    User,
}

/// What is known of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Names it; not secret.
    pub id: Box<str>,
    /// The SHA-256 of its text.
    #[serde(with = "text::hexadecimal")]
    pub hash: KeyHash,
    /// The user, or the identifier it was registered for.
    pub owner: Box<str>,
    /// What vouches for the owner.
    pub kind: KeyKind,
    /// What its owner calls it.
    pub label: Box<str>,
    /// How far it reaches.
    pub scope: Scope,
    /// When it was made, in Unix seconds.
    pub created_at: u64,
    /// The first second at which it no longer holds; `None`: it holds until it is revoked.
    pub expires_at: Option<u64>,
}

impl ApiKey {
    /// Whether it has expired at `now` (Unix seconds).
    #[must_use]
    pub fn has_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|expires_at| now >= expires_at)
    }

    /// Whether `text` is this key; takes the same time whatever it is.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        self.hash.ct_eq(&digest(text)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ApiKey {
        ApiKey {
            id: "a".into(),
            hash: digest(text),
            owner: "alice".into(),
            kind: KeyKind::User,
            label: "ci".into(),
            scope: Scope::default(),
            created_at: 100,
            expires_at: Some(200),
        }
    }

    #[test]
    fn a_key_holds_until_the_second_before_it_expires() {
        assert!(!key("k").has_expired(199));
        assert!(key("k").has_expired(200));
        assert!(!ApiKey { expires_at: None, ..key("k") }.has_expired(u64::MAX));
    }

    #[test]
    fn only_its_own_text_fits_a_key() {
        assert!(key("dw_a_b").fits("dw_a_b"));
        for text in ["", "dw_a_c", "dw_a_b ", "DW_a_b"] {
            assert!(!key("dw_a_b").fits(text), "{text}");
        }
    }

    #[test]
    fn a_record_survives_being_written_and_read() {
        let key = key("dw_a_b");
        let json = serde_json::to_string(&key).unwrap();

        assert_eq!(serde_json::from_str::<ApiKey>(&json).unwrap(), key);
        assert!(!json.contains("dw_a_b"));
    }
}
