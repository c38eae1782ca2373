//! Sealing and opening: AES-256-GCM, a key for each cookie.
//!
//! A cookie is base64url of a format byte, 32 random bytes and the ciphertext. The key and
//! nothing else is derived from the random bytes (HKDF-SHA256), so that a secret seals as many
//! cookies as anybody wants. Tokens against forged requests are MACs of the session's id under
//! another key of the same secret.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac, rand};
use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use super::Session;

/// A longer cookie is not looked at: browsers keep 4096 bytes of name, value and attributes.
pub const MAX_SEALED_BYTES: usize = 3072;

/// The shortest secret that seals.
pub const MIN_SECRET_BYTES: usize = 32;

const FORMAT: u8 = 1;
const SALT_BYTES: usize = 32;
const PREFIX_BYTES: usize = 1 + SALT_BYTES;
const CONTEXT: &[u8] = b"doorward session cookie";

/// Why there is no sealed cookie, or nothing in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not sealed by us, not with this secret, or altered since.
    #[error("the cookie was not sealed by this gateway, or has been altered")]
    Forged,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// Names so long that no browser would keep the cookie.
    #[error("the session does not fit a cookie")]
    TooLong,
    /// The secret is shorter than [`MIN_SECRET_BYTES`].
    #[error("the secret is shorter than 32 bytes")]
    WeakSecret,
}

/// Seals sessions, and makes the tokens of our own forms.
pub struct Sealer {
    root: hkdf::Prk,
    forms: hmac::Key,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

impl Sealer {
    /// Seals with a secret that all nodes share, of at least [`MIN_SECRET_BYTES`].
    ///
    /// # Errors
    ///
    /// [`SealError::WeakSecret`].
    pub fn new(secret: &[u8]) -> Result<Self, SealError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(SealError::WeakSecret);
        }
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"doorward sessions");
        let root = salt.extract(secret);
        let forms = root
            .expand(&[b"doorward forms"], hkdf::HKDF_SHA256.hmac_algorithm())
            .map_err(|_| SealError::WeakSecret)?
            .into();
        Ok(Self { root, forms })
    }

    /// Seals with a secret of its own: sessions end with the process.
    ///
    /// # Errors
    ///
    /// [`SealError::NoRandomness`].
    pub fn ephemeral() -> Result<Self, SealError> {
        let mut secret = Zeroizing::new([0; MIN_SECRET_BYTES]);
        rand::fill(&mut *secret).map_err(|_| SealError::NoRandomness)?;
        Self::new(&*secret)
    }

    /// The value of the cookie.
    ///
    /// # Errors
    ///
    /// [`SealError::TooLong`], [`SealError::NoRandomness`].
    pub fn seal(&self, session: &Session) -> Result<String, SealError> {
        let mut prefix = [FORMAT; PREFIX_BYTES];
        let salt = prefix.get_mut(1..).ok_or(SealError::TooLong)?;
        rand::fill(salt).map_err(|_| SealError::NoRandomness)?;
        let key = self.key(salt)?;
        let mut text = serde_json::to_vec(session).map_err(|_| SealError::TooLong)?;
        key.seal_in_place_append_tag(nonce(), Aad::from(prefix), &mut text)
            .map_err(|_| SealError::TooLong)?;
        let sealed = BASE64URL_NOPAD.encode(&[&prefix[..], &text].concat());
        if sealed.len() > MAX_SEALED_BYTES {
            return Err(SealError::TooLong);
        }
        Ok(sealed)
    }

    /// What the value of a cookie says. Whether that still holds is [`Session::judge`]'s matter.
    ///
    /// # Errors
    ///
    /// [`SealError::Forged`], whatever is wrong with it.
    pub fn open(&self, sealed: &str) -> Result<Session, SealError> {
        if sealed.len() > MAX_SEALED_BYTES {
            return Err(SealError::Forged);
        }
        let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).map_err(|_| SealError::Forged)?;
        let (prefix, text) = bytes.split_first_chunk::<PREFIX_BYTES>().ok_or(SealError::Forged)?;
        let Some((&FORMAT, salt)) = prefix.split_first() else {
            return Err(SealError::Forged);
        };
        let key = self.key(salt).map_err(|_| SealError::Forged)?;
        let mut text = text.to_vec();
        let opened = key
            .open_in_place(nonce(), Aad::from(prefix), &mut text)
            .map_err(|_| SealError::Forged)?;
        serde_json::from_slice(opened).map_err(|_| SealError::Forged)
    }

    /// What our own forms carry beside the cookie, so that no other site can make a browser send
    /// one. `binding` is the id of the session, or what else is known to this browser alone.
    #[must_use]
    pub fn form_token(&self, binding: &str) -> String {
        BASE64URL_NOPAD.encode(hmac::sign(&self.forms, binding.as_bytes()).as_ref())
    }

    /// Whether a form carries the token of this binding. Takes the same time for every wrong one.
    #[must_use]
    pub fn is_form_token(&self, binding: &str, presented: &str) -> bool {
        let Ok(tag) = BASE64URL_NOPAD.decode(presented.as_bytes()) else { return false };
        hmac::verify(&self.forms, binding.as_bytes(), &tag).is_ok()
    }

    fn key(&self, salt: &[u8]) -> Result<LessSafeKey, SealError> {
        let info = [CONTEXT, salt];
        let key = self.root.expand(&info, &AES_256_GCM).map_err(|_| SealError::TooLong)?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// Every key seals once, so that the nonce need not differ.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::How;
    use super::*;

    const SECRET: &[u8] = b"a secret of thirty-two bytes or so";

    fn session(user: &str) -> Session {
        Session::begin(user, How::Totp, "page", Duration::from_millis(1_800_000_000_123)).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened_by_whoever_has_the_secret() {
        let session = session("älice");
        let sealed = Sealer::new(SECRET).unwrap().seal(&session).unwrap();

        assert_eq!(Sealer::new(SECRET).unwrap().open(&sealed), Ok(session.clone()));
        assert!(!sealed.contains("lice"));
        assert_ne!(Sealer::new(SECRET).unwrap().seal(&session).unwrap(), sealed);
        let other = Sealer::new(b"another secret of thirty-two bytes").unwrap();
        assert_eq!(other.open(&sealed), Err(SealError::Forged));
        assert_eq!(Sealer::ephemeral().unwrap().open(&sealed), Err(SealError::Forged));
    }

    #[test]
    fn whatever_is_altered_is_refused() {
        let ours = Sealer::ephemeral().unwrap();
        let sealed = ours.seal(&session("alice")).unwrap();

        for at in 0..sealed.len() {
            let mut altered = sealed.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(ours.open(&altered), Err(SealError::Forged), "{at}");
            assert!(ours.open(&sealed[..at]).is_err(), "{at}");
        }
        for text in ["", "AQ", "=", "é", &format!("{sealed}A"), &"A".repeat(4000)] {
            assert_eq!(ours.open(text), Err(SealError::Forged), "{text}");
        }
    }

    #[test]
    fn a_cookie_holds_the_longest_names_and_not_more() {
        let sealer = Sealer::ephemeral().unwrap();
        let longest = session(&"\u{e9}".repeat(127));
        assert!(sealer.seal(&longest).unwrap().len() < 1024);
        assert_eq!(sealer.seal(&session(&"x".repeat(4000))), Err(SealError::TooLong));
    }

    #[test]
    fn a_short_secret_seals_nothing() {
        assert!(matches!(Sealer::new(&SECRET[..31]), Err(SealError::WeakSecret)));
    }

    #[test]
    fn a_form_carries_the_token_of_its_session_only() {
        let sealer = Sealer::ephemeral().unwrap();
        let token = sealer.form_token("one");

        assert!(sealer.is_form_token("one", &token));
        assert!(!sealer.is_form_token("other", &token));
        for forged in ["", "A", "one", &token[1..], &format!("{token}A")] {
            assert!(!sealer.is_form_token("one", forged), "{forged}");
        }
        assert!(!Sealer::ephemeral().unwrap().is_form_token("one", &token));
    }
}
