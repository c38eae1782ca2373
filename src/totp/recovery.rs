//! Recovery codes: what lets a user in once who has lost their authenticator.
//!
//! A code has 80 random bits, so that nobody guesses one, and what is kept of it is a MAC under a
//! key that is not in the store, bound to the user.

use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::TotpSecretError;

/// How many codes a user is given.
pub const COUNT: usize = 10;
/// Random bytes of a code.
const BYTES: usize = 10;
/// Letters of a code without its hyphens.
const LETTERS: usize = 16;

/// What is kept of a code.
pub type RecoveryHash = [u8; 32];

/// A new set of codes, such as `k5ta-2mqr-x7nb-4hcd`.
///
/// # Errors
///
/// [`TotpSecretError::NoRandomness`].
pub fn codes() -> Result<Vec<Zeroizing<String>>, TotpSecretError> {
    (0..COUNT).map(|_| code()).collect()
}

fn code() -> Result<Zeroizing<String>, TotpSecretError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    rand::fill(&mut *bytes).map_err(|_| TotpSecretError::NoRandomness)?;
    let letters = Zeroizing::new(BASE32_NOPAD.encode(&*bytes));
    let mut code = Zeroizing::new(String::with_capacity(LETTERS + 3));
    for (index, letter) in letters.chars().enumerate() {
        if index % 4 == 0 && index > 0 {
            code.push('-');
        }
        code.push(letter.to_ascii_lowercase());
    }
    Ok(code)
}

/// What is kept of `presented`, typed in any case, with or without hyphens and blanks; `None` if
/// it can be no code.
#[must_use]
pub fn hash(key: &hmac::Key, user: &str, presented: &str) -> Option<RecoveryHash> {
    let letters = presented.bytes().filter(|byte| !matches!(byte, b' ' | b'-'));
    let letters = letters.map(|byte| byte.to_ascii_lowercase()).take(LETTERS + 1);
    let letters = Zeroizing::new(letters.collect::<Vec<_>>());
    let is_code = letters.len() == LETTERS
        && letters.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    if !is_code {
        return None;
    }
    let mut context = hmac::Context::with_key(key);
    context.update(&letters); // of one length, so that what follows can't be taken for it
    context.update(user.as_bytes());
    context.sign().as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])
    }

    #[test]
    fn codes_are_ten_and_all_different() {
        let codes = codes().unwrap();
        let different: std::collections::HashSet<_> = codes.iter().map(|code| &**code).collect();
        assert_eq!((codes.len(), different.len()), (10, 10));
        for code in &codes {
            assert_eq!(code.len(), 19, "{}", **code);
            assert!(hash(&key(), "alice", code).is_some());
        }
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let expected = hash(&key(), "alice", "k5ta-2mqr-x7nb-4hcd");
        assert!(expected.is_some());
        for typed in ["K5TA-2MQR-X7NB-4HCD", "k5ta2mqrx7nb4hcd", " k5ta 2mqr x7nb 4hcd "] {
            assert_eq!(hash(&key(), "alice", typed), expected, "{typed}");
        }
        for typed in
            ["", "123456", "k5ta-2mqr-x7nb-4hc", "k5ta-2mqr-x7nb-4hcdd", "k5ta-2mqr-x7nb-4hc1"]
        {
            assert_eq!(hash(&key(), "alice", typed), None, "{typed}");
        }
    }

    #[test]
    fn what_is_kept_belongs_to_one_user_and_one_key() {
        let code = "k5ta-2mqr-x7nb-4hcd";
        let other = hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]);
        assert_ne!(hash(&key(), "alice", code), hash(&key(), "bob", code));
        assert_ne!(hash(&key(), "alice", code), hash(&other, "alice", code));
    }
}
