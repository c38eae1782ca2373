//! bcrypt: `$2b$12$` and 53 characters. `$2x$`, the mark of a broken implementation, is not read.

use std::iter;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::encoding::{decimal, decode_bcrypt, fill_random};
use super::{Cost, Family, Limits, PasswordHashError};

/// bcrypt sees so much of a password and no more.
const MAX_BYTES: usize = 72;

#[derive(Clone)]
pub(super) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    hash: [u8; 23],
}

impl Bcrypt {
    /// Parses what follows `$2b$`.
    pub(super) fn parse(rest: &str, limits: Limits) -> Result<Self, PasswordHashError> {
        let damaged = |what| PasswordHashError::Damaged(Family::Bcrypt, what);
        let (cost, text) = rest.split_once('$').ok_or(damaged("cut short"))?;
        let digits = cost.strip_prefix('0').unwrap_or(cost);
        let cost = decimal(digits).filter(|_| cost.len() == 2).ok_or(damaged("ill-formed cost"))?;
        if cost < 4 {
            return Err(damaged("a cost below 4"));
        }
        if cost > limits.bcrypt_cost.min(31) {
            return Err(PasswordHashError::Excessive(Family::Bcrypt, "cost"));
        }
        if text.len() != 53 {
            return Err(damaged("not 60 characters long"));
        }
        let (salt, hash) = text.split_at_checked(22).ok_or(damaged("cut short"))?;
        let salt = decode_bcrypt(salt).ok_or(damaged("its salt is not base64"))?;
        let hash = decode_bcrypt(hash).ok_or(damaged("its digest is not base64"))?;
        Ok(Self { cost, salt, hash })
    }

    /// A password over 72 bytes fits nothing: bcrypt would take it for its first 72.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let whole = password.len() <= MAX_BYTES;
        // With the NUL that C strings end with, where there is room for it.
        let key: Zeroizing<Vec<u8>> =
            Zeroizing::new(password.iter().copied().chain(iter::once(0)).take(MAX_BYTES).collect());
        let computed = ::bcrypt::bcrypt(self.cost, self.salt, &key);
        let matches = computed.get(..23).is_some_and(|digest| digest.ct_eq(&self.hash).into());
        whole & matches
    }

    pub(super) fn cost(&self) -> Cost {
        Cost::new(Family::Bcrypt, 1 << self.cost, 85_000)
    }

    pub(super) fn scramble(&mut self) -> Result<(), PasswordHashError> {
        fill_random(&mut self.salt)?;
        fill_random(&mut self.hash)
    }
}
