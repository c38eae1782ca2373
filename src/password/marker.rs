//! What tells plaintext passwords of one load from those of the next, without keeping any.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;

use super::PasswordHashError;

/// The key under which plaintext passwords are marked: random, of one run of the program, never
/// stored. Two marks are equal exactly if their passwords are, and without the key a mark tells
/// nothing to who guesses.
#[derive(Clone)]
pub struct Marker(hmac::Key);

impl Marker {
    /// A new random key.
    ///
    /// # Errors
    ///
    /// There is no randomness.
    pub fn random() -> Result<Self, PasswordHashError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(Self).map_err(|_| PasswordHashError::Unavailable)
    }

    pub(super) fn mark(&self, password: &[u8]) -> [u8; 32] {
        let mut mark = [0; 32];
        mark.copy_from_slice(hmac::sign(&self.0, password).as_ref());
        mark
    }
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Marker([redacted])")
    }
}
