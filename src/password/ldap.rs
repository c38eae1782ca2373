//! RFC 2307's schemes as LDAP servers and htpasswd write them: `{SHA}` and `{SSHA}`. They are
//! read to ease a migration; a graphics card tries thousands of millions of them in a second.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};
use subtle::ConstantTimeEq as _;

use super::encoding::{decode, fill_random};
use super::{Family, PasswordHashError};

#[derive(Clone)]
pub(super) struct Ldap {
    hash: [u8; SHA1_OUTPUT_LEN],
    /// Empty in `{SHA}`.
    salt: Vec<u8>,
}

impl Ldap {
    /// Parses what follows the `{`. The scheme's name is case-insensitive (RFC 2307 §5.3).
    pub(super) fn parse(rest: &str) -> Result<Self, PasswordHashError> {
        let (scheme, text) = rest.split_once('}').ok_or(PasswordHashError::NotAHash)?;
        let family = match scheme.to_ascii_uppercase().as_str() {
            "SHA" => Family::Sha1,
            "SSHA" => Family::SaltedSha1,
            _ => return Err(PasswordHashError::UnknownFamily),
        };
        let damaged = |what| PasswordHashError::Damaged(family, what);
        let bytes = decode(text).ok_or(damaged("not base64"))?;
        let (hash, salt) = bytes.split_first_chunk().ok_or(damaged("under 20 bytes"))?;
        if salt.is_empty() != (family == Family::Sha1) || salt.len() > 64 {
            return Err(damaged("no salt, or one too many or too long"));
        }
        Ok(Self { hash: *hash, salt: salt.to_vec() })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        context.update(password);
        context.update(&self.salt);
        context.finish().as_ref().ct_eq(&self.hash).into()
    }

    pub(super) fn family(&self) -> Family {
        if self.salt.is_empty() { Family::Sha1 } else { Family::SaltedSha1 }
    }

    pub(super) fn scramble(&mut self) -> Result<(), PasswordHashError> {
        fill_random(&mut self.salt)?;
        fill_random(&mut self.hash)
    }
}
