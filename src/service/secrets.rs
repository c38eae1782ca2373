//! Keys for what is sealed, each derived from `store.secret` under a label of its own (HKDF,
//! RFC 5869), so that no two uses share one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::{hmac, rand};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::session::Sealer;
use crate::totp::TotpSecret;

/// The length of a derived key.
const KEY_BYTES: usize = 32;

/// The keys of this gateway's own seals.
pub struct Secrets {
    root: Prk,
    is_lasting: bool,
    totp: RandomizedNonceKey,
    recovery: hmac::Key,
    sealer: Sealer,
}

/// The library refuses to derive or seal, or the system has no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keys cannot be derived")]
pub struct NoSecrets;

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl Secrets {
    /// Those of `store.secret`. Without one, they end with the process, and nothing that must
    /// outlive it can be sealed.
    ///
    /// # Errors
    ///
    /// [`NoSecrets`].
    pub fn derive(secret: Option<&Secret>) -> Result<Self, NoSecrets> {
        let mut random = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(&mut *random).map_err(|_| NoSecrets)?;
        let bytes = secret.map_or(&random[..], Secret::expose);
        let root = Salt::new(HKDF_SHA256, b"doorward store.secret 1").extract(bytes);
        let totp = subkey(&root, "totp")?;
        let recovery = subkey(&root, "recovery")?;
        Ok(Self {
            totp: RandomizedNonceKey::new(&AES_256_GCM, &*totp).map_err(|_| NoSecrets)?,
            recovery: hmac::Key::new(hmac::HMAC_SHA256, &*recovery),
            is_lasting: secret.is_some(),
            sealer: Sealer::new(&*subkey(&root, "session")?).map_err(|_| NoSecrets)?,
            root,
        })
    }

    /// The key for one use, such as `session`.
    ///
    /// # Errors
    ///
    /// [`NoSecrets`].
    pub fn subkey(&self, label: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, NoSecrets> {
        subkey(&self.root, label)
    }

    /// Whether what is sealed can be opened after a restart.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.is_lasting
    }

    /// What seals the sessions of browsers.
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// What recovery codes are kept under.
    pub(super) fn recovery(&self) -> &hmac::Key {
        &self.recovery
    }

    /// Seals the secret of a second factor, so that it opens for this user alone.
    pub(super) fn seal(&self, user: &str, secret: &TotpSecret) -> Result<Vec<u8>, NoSecrets> {
        let mut sealed = secret.expose().to_vec();
        let nonce = self
            .totp
            .seal_in_place_append_tag(Aad::from(user.as_bytes()), &mut sealed)
            .map_err(|_| NoSecrets)?;
        Ok([&nonce.as_ref()[..], &sealed].concat())
    }

    /// Opens what [`Self::seal`] sealed. `None`: it was sealed for somebody else, under another
    /// secret, or not by us.
    pub(super) fn open(&self, user: &str, sealed: &[u8]) -> Option<TotpSecret> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let aad = Aad::from(user.as_bytes());
        let opened = self.totp.open_in_place(nonce, aad, &mut bytes).ok()?;
        TotpSecret::from_bytes(opened.to_vec()).ok()
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").field("is_lasting", &self.is_lasting).finish_non_exhaustive()
    }
}

fn subkey(root: &Prk, label: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>, NoSecrets> {
    let info = [label.as_bytes()];
    let expanded = root.expand(&info, Length).map_err(|_| NoSecrets)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    expanded.fill(&mut *key).map_err(|_| NoSecrets)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Secrets {
        Secrets::derive(Some(&Secret::from(text.to_owned()))).unwrap()
    }

    #[test]
    fn every_label_has_a_key_of_its_own_that_is_the_same_after_a_restart() {
        let keys = |label| secrets("one").subkey(label).unwrap();
        assert_eq!(*keys("session"), *keys("session"));
        assert_ne!(*keys("session"), *keys("totp"));
        assert_ne!(*keys("session"), *secrets("two").subkey("session").unwrap());
        assert!(secrets("one").is_lasting());
    }

    #[test]
    fn without_a_secret_keys_end_with_the_process() {
        let (first, second) = (Secrets::derive(None).unwrap(), Secrets::derive(None).unwrap());
        assert!(!first.is_lasting());
        assert_ne!(*first.subkey("session").unwrap(), *second.subkey("session").unwrap());
    }

    #[test]
    fn what_is_sealed_opens_for_its_user_under_its_secret_and_whole() {
        let secret = TotpSecret::random().unwrap();
        let sealed = secrets("one").seal("alice", &secret).unwrap();

        assert_eq!(secrets("one").open("alice", &sealed).unwrap().expose(), secret.expose());
        assert!(secrets("one").open("bob", &sealed).is_none());
        assert!(secrets("two").open("alice", &sealed).is_none());
        for length in 0..sealed.len() {
            assert!(secrets("one").open("alice", &sealed[..length]).is_none(), "{length}");
        }
        let mut changed = sealed.clone();
        changed[15] ^= 1;
        assert!(secrets("one").open("alice", &changed).is_none());
        assert_ne!(sealed, secrets("one").seal("alice", &secret).unwrap());
    }

    #[test]
    fn no_key_is_printed() {
        assert_eq!(format!("{:?}", secrets("one")), "Secrets { is_lasting: true, .. }");
    }
}
