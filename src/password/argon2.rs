//! Argon2 (RFC 9106) in the PHC spelling: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;

use super::encoding::{decimal, decode, encode, fill_random};
use super::{Cost, Family, Limits, PasswordHashError};

/// What is written: OWASP's first choice of 2024. 19 MiB, two passes, one lane.
const WRITTEN: Params = Params::DEFAULT;
const WRITTEN_SALT_BYTES: usize = 16;
const WRITTEN_HASH_BYTES: usize = 32;
/// More lanes than any real hash has; they are computed one after the other here.
const MAX_LANES: u32 = 64;

#[derive(Clone)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Argon2Hash {
    /// Parses what follows `$argon2id$`.
    pub(super) fn parse(
        algorithm: Algorithm,
        rest: &str,
        limits: Limits,
    ) -> Result<Self, PasswordHashError> {
        let family = family(algorithm);
        let damaged = |what| PasswordHashError::Damaged(family, what);
        let (version, rest) = match rest.strip_prefix("v=") {
            Some(rest) => rest.split_once('$').ok_or(damaged("cut short"))?,
            None => ("16", rest), // before versions were written, it was 1.0
        };
        let version = match version {
            "16" => Version::V0x10,
            "19" => Version::V0x13,
            _ => return Err(damaged("unknown version")),
        };
        let mut fields = rest.split('$');
        let (Some(costs), Some(salt), Some(hash), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(damaged("not of five parts"));
        };
        let params = parse_params(family, costs, limits)?;
        let salt = decode(salt).ok_or(damaged("its salt is not base64"))?;
        if !(8..=64).contains(&salt.len()) {
            return Err(damaged("its salt is not of 8 to 64 bytes"));
        }
        let hash = decode(hash).ok_or(damaged("its digest is not base64"))?;
        if !(16..=128).contains(&hash.len()) {
            return Err(damaged("its digest is not of 16 to 128 bytes"));
        }
        Ok(Self { algorithm, version, params, salt, hash })
    }

    pub(super) fn written_decoy() -> Result<Self, PasswordHashError> {
        let mut decoy = Self {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: WRITTEN,
            salt: vec![0; WRITTEN_SALT_BYTES],
            hash: vec![0; WRITTEN_HASH_BYTES],
        };
        decoy.scramble()?;
        Ok(decoy)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut computed = vec![0; self.hash.len()];
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        let done = compute(&argon2, password, &self.salt, &mut computed);
        done.is_ok() & bool::from(computed.ct_eq(&self.hash))
    }

    pub(super) fn cost(&self) -> Cost {
        let traffic = u64::from(self.params.m_cost()) * u64::from(self.params.t_cost());
        Cost::new(family(self.algorithm), traffic, 1_000) // a KiB takes about a microsecond
    }

    pub(super) fn scramble(&mut self) -> Result<(), PasswordHashError> {
        fill_random(&mut self.salt)?;
        fill_random(&mut self.hash)
    }
}

fn family(algorithm: Algorithm) -> Family {
    match algorithm {
        Algorithm::Argon2d => Family::Argon2d,
        Algorithm::Argon2i => Family::Argon2i,
        Algorithm::Argon2id => Family::Argon2id,
    }
}

/// Hashes with what is written, and spells it.
pub(super) fn write(password: &[u8]) -> Result<String, PasswordHashError> {
    let mut salt = [0; WRITTEN_SALT_BYTES];
    fill_random(&mut salt)?;
    let mut hash = [0; WRITTEN_HASH_BYTES];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, WRITTEN);
    compute(&argon2, password, &salt, &mut hash)?;
    let (m, t, p) = (WRITTEN.m_cost(), WRITTEN.t_cost(), WRITTEN.p_cost());
    Ok(format!("$argon2id$v=19$m={m},t={t},p={p}${}${}", encode(&salt), encode(&hash)))
}

/// Computes in memory that is asked for fallibly: to be short of it is no reason to abort.
fn compute(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), PasswordHashError> {
    let mut blocks: Vec<Block> = Vec::new();
    let count = argon2.params().block_count();
    blocks.try_reserve_exact(count).map_err(|_| PasswordHashError::Unavailable)?;
    blocks.resize(count, Block::default());
    argon2
        .hash_password_into_with_memory(password, salt, out, &mut blocks)
        .map_err(|_| PasswordHashError::Unavailable)
}

/// `m=…,t=…,p=…` in any order, each once. `keyid` and `data` name secrets that we do not have.
fn parse_params(family: Family, text: &str, limits: Limits) -> Result<Params, PasswordHashError> {
    let damaged = |what| PasswordHashError::Damaged(family, what);
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for pair in text.split(',') {
        let (name, value) = pair.split_once('=').ok_or(damaged("ill-formed parameters"))?;
        let place = match name {
            "m" => &mut memory,
            "t" => &mut passes,
            "p" => &mut lanes,
            _ => return Err(damaged("a parameter other than m, t, p")),
        };
        let value = decimal(value).ok_or(damaged("a parameter is not a number"))?;
        if place.replace(value).is_some() {
            return Err(damaged("a parameter stands twice"));
        }
    }
    let (Some(memory), Some(passes), Some(lanes)) = (memory, passes, lanes) else {
        return Err(damaged("a parameter of m, t, p is missing"));
    };
    let bytes = u64::from(memory) * 1024;
    if bytes > limits.memory_bytes {
        return Err(PasswordHashError::Excessive(family, "memory (m)"));
    }
    if bytes.saturating_mul(u64::from(passes)) > limits.traffic_bytes {
        return Err(PasswordHashError::Excessive(family, "passes (t)"));
    }
    if lanes > MAX_LANES {
        return Err(PasswordHashError::Excessive(family, "lanes (p)"));
    }
    Params::new(memory, passes, lanes, None).map_err(|_| damaged("parameters out of range"))
}
