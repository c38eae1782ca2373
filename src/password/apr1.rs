//! Apache's variant of the MD5-based crypt: `$apr1$salt$hash`, what `htpasswd` wrote for long.

use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::encoding::{encode_crypt, is_crypt, random_crypt};
use super::{Family, PasswordHashError};

/// The order in which the bytes of the digest are written.
const ORDER: [&[usize]; 6] =
    [&[0, 6, 12], &[1, 7, 13], &[2, 8, 14], &[3, 9, 15], &[4, 10, 5], &[11]];
const ROUNDS: u32 = 1_000;

#[derive(Clone)]
pub(super) struct Apr1 {
    salt: String,
    hash: String,
}

impl Apr1 {
    /// Parses what follows `$apr1$`.
    pub(super) fn parse(rest: &str) -> Result<Self, PasswordHashError> {
        let damaged = |what| PasswordHashError::Damaged(Family::Apr1, what);
        let (salt, hash) = rest.split_once('$').ok_or(damaged("cut short"))?;
        if salt.len() > 8 {
            return Err(damaged("its salt is over 8 characters"));
        }
        if hash.len() != 22 || !is_crypt(hash) {
            return Err(damaged("its digest is not 22 characters of crypt's alphabet"));
        }
        Ok(Self { salt: salt.to_owned(), hash: hash.to_owned() })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let computed = encode_crypt(&digest(password, self.salt.as_bytes()), &ORDER);
        computed.as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    pub(super) fn scramble(&mut self) -> Result<(), PasswordHashError> {
        self.salt = random_crypt(self.salt.len())?;
        self.hash = random_crypt(self.hash.len())?;
        Ok(())
    }
}

fn digest(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let inner = md5(&[password, salt, password]);
    let mut outer = Md5::new();
    outer.update(password);
    outer.update(b"$apr1$");
    outer.update(salt);
    for chunk in password.chunks(16) {
        outer.update(inner.get(..chunk.len()).unwrap_or_default());
    }
    let mut length = password.len();
    while length > 0 {
        let bit_is_set = length & 1 == 1;
        outer.update(if bit_is_set { &[0] } else { password.get(..1).unwrap_or_default() });
        length >>= 1;
    }
    let mut digest: [u8; 16] = outer.finalize().into();
    for round in 0..ROUNDS {
        let last = digest;
        let (first, end): (&[u8], &[u8]) =
            if round % 2 == 1 { (password, &last) } else { (&last, password) };
        let salt = if round % 3 == 0 { &[] } else { salt };
        let again = if round % 7 == 0 { &[] } else { password };
        digest = md5(&[first, salt, again, end]);
    }
    digest
}

fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Md5::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
