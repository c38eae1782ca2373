//! PBKDF2 (RFC 8018) in three spellings: PHC's `$pbkdf2-sha256$i=600000,l=32$salt$hash`,
//! passlib's `$pbkdf2-sha256$29000$salt$hash`, and App Mesh's `$pbkdf2$100000$hex$hex`.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};
use subtle::ConstantTimeEq as _;

use super::encoding::{decimal, decode, decode_hex, fill_random};
use super::{Cost, Family, Limits, PasswordHashError};

/// The hash function below the HMAC.
#[derive(Clone, Copy)]
pub(super) enum Function {
    Sha1,
    Sha256,
    Sha512,
}

impl Function {
    fn family(self) -> Family {
        match self {
            Self::Sha1 => Family::Pbkdf2Sha1,
            Self::Sha256 => Family::Pbkdf2Sha256,
            Self::Sha512 => Family::Pbkdf2Sha512,
        }
    }

    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => PBKDF2_HMAC_SHA1,
            Self::Sha256 => PBKDF2_HMAC_SHA256,
            Self::Sha512 => PBKDF2_HMAC_SHA512,
        }
    }

    /// The bytes of its digest, and the nanoseconds of an iteration.
    fn measure(self) -> (usize, u64) {
        match self {
            Self::Sha1 => (20, 250),
            Self::Sha256 => (32, 300),
            Self::Sha512 => (64, 700),
        }
    }
}

#[derive(Clone)]
pub(super) struct Pbkdf2 {
    function: Function,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Pbkdf2 {
    /// Parses what follows `$pbkdf2$`: PBKDF2-SHA1 for PHC and passlib, but PBKDF2-SHA256 in
    /// hexadecimal for App Mesh. 64 hexadecimal digits can't be taken for the 20 bytes of SHA-1.
    pub(super) fn parse_unnamed(rest: &str, limits: Limits) -> Result<Self, PasswordHashError> {
        let (costs, salt, hash) = split(Family::Pbkdf2Sha1, rest)?;
        if hash.len() == 64
            && let (Some(salt), Some(hash)) = (decode_hex(salt), decode_hex(hash))
        {
            return Self::new(Function::Sha256, costs, salt, hash, limits);
        }
        Self::parse(Function::Sha1, rest, limits)
    }

    /// Parses what follows `$pbkdf2-sha256$`.
    pub(super) fn parse(
        function: Function,
        rest: &str,
        limits: Limits,
    ) -> Result<Self, PasswordHashError> {
        let family = function.family();
        let damaged = |what| PasswordHashError::Damaged(family, what);
        let (costs, salt, hash) = split(family, rest)?;
        let salt = decode(salt).ok_or(damaged("its salt is not base64"))?;
        let hash = decode(hash).ok_or(damaged("its digest is not base64"))?;
        Self::new(function, costs, salt, hash, limits)
    }

    fn new(
        function: Function,
        costs: &str,
        salt: Vec<u8>,
        hash: Vec<u8>,
        limits: Limits,
    ) -> Result<Self, PasswordHashError> {
        let family = function.family();
        let damaged = |what| PasswordHashError::Damaged(family, what);
        let (iterations, length) = parse_costs(family, costs)?;
        if iterations.get() > limits.pbkdf2_iterations {
            return Err(PasswordHashError::Excessive(family, "iterations"));
        }
        if !(16..=64).contains(&hash.len()) {
            return Err(damaged("its digest is not of 16 to 64 bytes"));
        }
        if length.is_some_and(|length| usize::try_from(length) != Ok(hash.len())) {
            return Err(damaged("its digest is not as long as it says"));
        }
        Ok(Self { function, iterations, salt, hash })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut computed = vec![0; self.hash.len()];
        pbkdf2::derive(
            self.function.algorithm(),
            self.iterations,
            &self.salt,
            password,
            &mut computed,
        );
        computed.ct_eq(&self.hash).into()
    }

    pub(super) fn cost(&self) -> Cost {
        let (digest_bytes, nanoseconds) = self.function.measure();
        let blocks = self.hash.len().div_ceil(digest_bytes);
        let units = u64::from(self.iterations.get()) * u64::try_from(blocks).unwrap_or(1);
        Cost::new(self.function.family(), units, nanoseconds)
    }

    pub(super) fn scramble(&mut self) -> Result<(), PasswordHashError> {
        fill_random(&mut self.salt)?;
        fill_random(&mut self.hash)
    }
}

fn split(family: Family, rest: &str) -> Result<(&str, &str, &str), PasswordHashError> {
    let mut fields = rest.split('$');
    match (fields.next(), fields.next(), fields.next(), fields.next()) {
        (Some(costs), Some(salt), Some(hash), None) => Ok((costs, salt, hash)),
        _ => Err(PasswordHashError::Damaged(family, "not of four parts")),
    }
}

/// `29000`, `rounds=29000`, or `i=29000` with an optional `l=` in any order.
fn parse_costs(family: Family, text: &str) -> Result<(NonZeroU32, Option<u32>), PasswordHashError> {
    let damaged = |what| PasswordHashError::Damaged(family, what);
    let (mut iterations, mut length) = (None, None);
    for pair in text.split(',') {
        let (place, value) = match pair.split_once('=') {
            None => (&mut iterations, pair),
            Some(("i" | "rounds", value)) => (&mut iterations, value),
            Some(("l", value)) => (&mut length, value),
            Some(_) => return Err(damaged("a parameter other than i, l")),
        };
        let value = decimal(value).ok_or(damaged("a parameter is not a number"))?;
        if place.replace(value).is_some() {
            return Err(damaged("a parameter stands twice"));
        }
    }
    let iterations = iterations.and_then(NonZeroU32::new).ok_or(damaged("no iterations"))?;
    Ok((iterations, length))
}
