//! SHA-256-crypt and SHA-512-crypt, as the C library and htpasswd write them: `$5$salt$hash`,
//! `$6$rounds=10000$salt$hash` (Drepper, "Unix crypt using SHA-256 and SHA-512").

use ::sha_crypt::Params;
use subtle::ConstantTimeEq as _;

use super::encoding::{decimal, encode_crypt, is_crypt, random_crypt};
use super::{Cost, Family, Limits, PasswordHashError};

/// The order in which the bytes of a SHA-256 digest are written.
const ORDER_256: [&[usize]; 11] = [
    &[0, 10, 20],
    &[21, 1, 11],
    &[12, 22, 2],
    &[3, 13, 23],
    &[24, 4, 14],
    &[15, 25, 5],
    &[6, 16, 26],
    &[27, 7, 17],
    &[18, 28, 8],
    &[9, 19, 29],
    &[31, 30],
];
/// The order in which the bytes of a SHA-512 digest are written.
const ORDER_512: [&[usize]; 22] = [
    &[0, 21, 42],
    &[22, 43, 1],
    &[44, 2, 23],
    &[3, 24, 45],
    &[25, 46, 4],
    &[47, 5, 26],
    &[6, 27, 48],
    &[28, 49, 7],
    &[50, 8, 29],
    &[9, 30, 51],
    &[31, 52, 10],
    &[53, 11, 32],
    &[12, 33, 54],
    &[34, 55, 13],
    &[56, 14, 35],
    &[15, 36, 57],
    &[37, 58, 16],
    &[59, 17, 38],
    &[18, 39, 60],
    &[40, 61, 19],
    &[62, 20, 41],
    &[63],
];
/// What a hash without `rounds=` was made with.
const DEFAULT_ROUNDS: u32 = 5_000;

#[derive(Clone)]
pub(super) struct ShaCrypt {
    family: Family,
    rounds: u32,
    params: Params,
    salt: String,
    hash: String,
}

impl ShaCrypt {
    /// Parses what follows `$5$`.
    pub(super) fn parse_sha256(rest: &str, limits: Limits) -> Result<Self, PasswordHashError> {
        Self::parse(Family::Sha256Crypt, 43, rest, limits)
    }

    /// Parses what follows `$6$`.
    pub(super) fn parse_sha512(rest: &str, limits: Limits) -> Result<Self, PasswordHashError> {
        Self::parse(Family::Sha512Crypt, 86, rest, limits)
    }

    fn parse(
        family: Family,
        digits: usize,
        rest: &str,
        limits: Limits,
    ) -> Result<Self, PasswordHashError> {
        let damaged = |what| PasswordHashError::Damaged(family, what);
        let (rounds, rest) = match rest.strip_prefix("rounds=") {
            Some(rest) => {
                let (rounds, rest) = rest.split_once('$').ok_or(damaged("cut short"))?;
                (decimal(rounds).ok_or(damaged("ill-formed rounds"))?, rest)
            }
            None => (DEFAULT_ROUNDS, rest),
        };
        if rounds > limits.crypt_rounds {
            return Err(PasswordHashError::Excessive(family, "rounds"));
        }
        let params = Params::new(rounds).map_err(|_| damaged("rounds below 1000"))?;
        let (salt, hash) = rest.split_once('$').ok_or(damaged("cut short"))?;
        if salt.len() > 16 {
            return Err(damaged("its salt is over 16 characters"));
        }
        if hash.len() != digits || !is_crypt(hash) {
            return Err(damaged("its digest is not of the family's length and alphabet"));
        }
        Ok(Self { family, rounds, params, salt: salt.to_owned(), hash: hash.to_owned() })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let salt = self.salt.as_bytes();
        let computed = if self.family == Family::Sha256Crypt {
            encode_crypt(&::sha_crypt::sha256_crypt(password, salt, self.params), &ORDER_256)
        } else {
            encode_crypt(&::sha_crypt::sha512_crypt(password, salt, self.params), &ORDER_512)
        };
        computed.as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    pub(super) fn cost(&self) -> Cost {
        Cost::new(self.family, self.rounds.into(), 900)
    }

    pub(super) fn scramble(&mut self) -> Result<(), PasswordHashError> {
        self.salt = random_crypt(self.salt.len())?;
        self.hash = random_crypt(self.hash.len())?;
        Ok(())
    }
}
