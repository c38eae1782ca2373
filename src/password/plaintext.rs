//! A password that stands in a file as it is. Memory holds a salted digest of it only.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use subtle::ConstantTimeEq as _;

use super::PasswordHashError;
use super::encoding::fill_random;

#[derive(Clone)]
pub(super) struct Plaintext {
    salt: [u8; 16],
    hash: [u8; SHA256_OUTPUT_LEN],
}

impl Plaintext {
    pub(super) fn new(password: &[u8]) -> Result<Self, PasswordHashError> {
        let mut salt = [0; 16];
        fill_random(&mut salt)?;
        let mut hash = [0; SHA256_OUTPUT_LEN];
        for (place, byte) in hash.iter_mut().zip(digest(&salt, password).as_ref()) {
            *place = *byte;
        }
        Ok(Self { salt, hash })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        digest(&self.salt, password).as_ref().ct_eq(&self.hash).into()
    }

    pub(super) fn scramble(&mut self) -> Result<(), PasswordHashError> {
        fill_random(&mut self.salt)?;
        fill_random(&mut self.hash)
    }
}

/// Of fixed length, so that the comparison's time does not depend on the password's.
fn digest(salt: &[u8], password: &[u8]) -> aws_lc_rs::digest::Digest {
    let mut context = Context::new(&SHA256);
    context.update(salt);
    context.update(password);
    context.finish()
}
