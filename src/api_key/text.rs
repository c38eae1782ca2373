//! How keys and refresh tokens are written: `dw_<id>_<secret>` and `dwr_<id>_<secret>`.
//!
//! The prefix tells a scanner for leaked secrets, and us, what it is; the id names it in logs and
//! lists. Id and secret are lower-case base32 of 80 and 160 random bits, so that a text is one
//! word that survives any shell, header and form, and has no dot that a JWT would have.

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::rand;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use zeroize::{Zeroize as _, Zeroizing};

use super::KeyHash;

/// Random bytes of an id.
const ID_BYTES: usize = 10;
/// Random bytes of a secret.
const SECRET_BYTES: usize = 20;
/// Base32 characters of an id.
const ID_LENGTH: usize = 16;
/// Base32 characters of a secret.
const SECRET_LENGTH: usize = 32;

/// What a text of ours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// `dw_…`.
    ApiKey,
    /// `dwr_…`.
    RefreshToken,
}

impl TextKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "dw_",
            Self::RefreshToken => "dwr_",
        }
    }

    /// The id in a text of this kind; `None` if it is none, however nearly. That it is well
    /// formed says nothing about whether it was ever given out.
    #[must_use]
    pub fn id_of(self, text: &str) -> Option<&str> {
        let (id, secret) = text.strip_prefix(self.prefix())?.split_once('_')?;
        let is_well_formed = id.len() == ID_LENGTH
            && secret.len() == SECRET_LENGTH
            && id
                .bytes()
                .chain(secret.bytes())
                .all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
        is_well_formed.then_some(id)
    }
}

/// Whether a text is written as our API keys are.
#[must_use]
pub fn is_key(text: &str) -> bool {
    TextKind::ApiKey.id_of(text).is_some()
}

/// The system has no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system has no randomness")]
pub struct NoRandomness;

/// A new key or refresh token, before anybody has seen it.
pub struct Minted {
    /// Its id.
    pub id: Box<str>,
    /// All of it: shown once.
    pub text: Zeroizing<String>,
    /// What is kept of it.
    pub hash: KeyHash,
}

impl Minted {
    /// A new text of this kind.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`].
    pub fn new(kind: TextKind) -> Result<Self, NoRandomness> {
        let id = random_word::<ID_BYTES>()?;
        let secret = random_word::<SECRET_BYTES>()?;
        let text = Zeroizing::new([kind.prefix(), &id, "_", &secret].concat());
        Ok(Self { id: id.as_str().into(), hash: digest(&text), text })
    }
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted").field("id", &self.id).finish_non_exhaustive()
    }
}

/// So many random bytes as a word of lower-case base32.
fn random_word<const N: usize>() -> Result<Zeroizing<String>, NoRandomness> {
    let mut bytes = Zeroizing::new([0; N]);
    rand::fill(&mut *bytes).map_err(|_| NoRandomness)?;
    let mut upper = BASE32_NOPAD.encode(&*bytes);
    let word = upper.to_ascii_lowercase();
    upper.zeroize();
    Ok(Zeroizing::new(word))
}

/// What is kept of a text.
#[must_use]
pub fn digest(text: &str) -> KeyHash {
    digest_of([text.as_bytes()])
}

/// The SHA-256 of these parts, one behind the other.
#[must_use]
pub fn digest_of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> KeyHash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = KeyHash::default();
    for (to, from) in hash.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    hash
}

/// A hash as hexadecimal digits.
#[must_use]
pub fn hex(hash: &KeyHash) -> String {
    HEXLOWER.encode(hash)
}

/// A hash in JSON.
pub(super) mod hexadecimal {
    use data_encoding::HEXLOWER;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::KeyHash;

    pub(in crate::api_key) fn serialize<S: Serializer>(
        hash: &KeyHash,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::hex(hash))
    }

    pub(in crate::api_key) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<KeyHash, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let hash = bytes.and_then(|bytes| KeyHash::try_from(bytes).ok());
        hash.ok_or_else(|| D::Error::custom("not a hash"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_text_is_read_back_as_what_it_is_and_as_nothing_else() {
        let key = Minted::new(TextKind::ApiKey).unwrap();
        let refresh = Minted::new(TextKind::RefreshToken).unwrap();

        assert_eq!(TextKind::ApiKey.id_of(&key.text), Some(&*key.id));
        assert_eq!(TextKind::RefreshToken.id_of(&refresh.text), Some(&*refresh.id));
        assert_eq!(TextKind::ApiKey.id_of(&refresh.text), None);
        assert_eq!(TextKind::RefreshToken.id_of(&key.text), None);
        assert!(is_key(&key.text) && !is_key(&refresh.text));
        assert_eq!(key.hash, digest(&key.text));
    }

    #[test]
    fn no_two_texts_are_the_same() {
        let texts = (0..100).map(|_| Minted::new(TextKind::ApiKey).unwrap().text.to_string());
        assert_eq!(texts.collect::<std::collections::HashSet<_>>().len(), 100);
    }

    #[test]
    fn other_texts_are_no_keys() {
        let id = "a".repeat(16);
        let secret = "b".repeat(32);
        assert!(is_key(&format!("dw_{id}_{secret}")));
        for text in [
            String::new(),
            "dw_".into(),
            format!("dw_{id}"),
            format!("dw_{id}_"),
            format!("dw_{id}_{secret}b"),
            format!("dw_{id}_{secret} "),
            format!("DW_{id}_{secret}"),
            format!("dw_{id}_{}", secret.to_uppercase()),
            format!("dw_{id}_{}é", "b".repeat(30)),
            format!("dw_{}1_{secret}", "a".repeat(15)),
            "e30.e30.".into(),
        ] {
            assert!(!is_key(&text), "{text}");
        }
    }

    #[test]
    fn a_new_text_never_prints_itself() {
        let key = Minted::new(TextKind::ApiKey).unwrap();
        let secret = key.text.rsplit('_').next().unwrap();
        assert!(!format!("{key:?}").contains(secret));
    }

    #[test]
    fn the_digest_is_sha_256() {
        assert_eq!(
            hex(&digest("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(digest_of([&b"a"[..], b"bc"]), digest("abc"));
    }
}
