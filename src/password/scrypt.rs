//! scrypt (RFC 7914) as `$scrypt$ln=16,r=8,p=1$salt$hash`: PHC's spelling, which is passlib's.

use ::scrypt::Params;
use subtle::ConstantTimeEq as _;

use super::encoding::{decimal, decode, fill_random};
use super::{Cost, Family, Limits, PasswordHashError};

#[derive(Clone)]
pub(super) struct Scrypt {
    log_n: u8,
    r: u32,
    p: u32,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Scrypt {
    /// Parses what follows `$scrypt$`.
    pub(super) fn parse(rest: &str, limits: Limits) -> Result<Self, PasswordHashError> {
        let mut fields = rest.split('$');
        let (Some(costs), Some(salt), Some(hash), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(damaged("not of four parts"));
        };
        let (log_n, r, p) = parse_params(costs)?;
        let memory = 128_u64.saturating_mul(r.into()).checked_shl(log_n).unwrap_or(u64::MAX);
        if log_n > 40 || memory > limits.memory_bytes {
            return Err(PasswordHashError::Excessive(Family::Scrypt, "memory (ln, r)"));
        }
        if memory.saturating_mul(u64::from(p)) > limits.traffic_bytes / 2 {
            return Err(PasswordHashError::Excessive(Family::Scrypt, "repetitions (p)"));
        }
        let log_n = u8::try_from(log_n).map_err(|_| damaged("parameters out of range"))?;
        let params = Params::new(log_n, r, p).map_err(|_| damaged("parameters out of range"))?;
        let salt = decode(salt).ok_or(damaged("its salt is not base64"))?;
        let hash = decode(hash).ok_or(damaged("its digest is not base64"))?;
        if !(16..=64).contains(&hash.len()) {
            return Err(damaged("its digest is not of 16 to 64 bytes"));
        }
        Ok(Self { log_n, r, p, params, salt, hash })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut computed = vec![0; self.hash.len()];
        let done = ::scrypt::scrypt(password, &self.salt, &self.params, &mut computed);
        done.is_ok() & bool::from(computed.ct_eq(&self.hash))
    }

    pub(super) fn cost(&self) -> Cost {
        let blocks = (u64::from(self.r) << self.log_n).saturating_mul(self.p.into());
        Cost::new(Family::Scrypt, blocks, 400)
    }

    pub(super) fn scramble(&mut self) -> Result<(), PasswordHashError> {
        fill_random(&mut self.salt)?;
        fill_random(&mut self.hash)
    }
}

/// `ln=…,r=…,p=…` in any order, each once.
fn parse_params(text: &str) -> Result<(u32, u32, u32), PasswordHashError> {
    let (mut log_n, mut r, mut p) = (None, None, None);
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=').ok_or(damaged("ill-formed parameters"))?;
        let place = match name {
            "ln" => &mut log_n,
            "r" => &mut r,
            "p" => &mut p,
            _ => return Err(damaged("a parameter other than ln, r, p")),
        };
        let value = decimal(value).ok_or(damaged("a parameter is not a number"))?;
        if place.replace(value).is_some() {
            return Err(damaged("a parameter stands twice"));
        }
    }
    match (log_n, r, p) {
        (Some(log_n @ 1..), Some(r @ 1..), Some(p @ 1..)) => Ok((log_n, r, p)),
        _ => Err(damaged("a parameter of ln, r, p is missing or zero")),
    }
}

fn damaged(what: &'static str) -> PasswordHashError {
    PasswordHashError::Damaged(Family::Scrypt, what)
}
