//! Passwords: what a directory stores of them, and whether a presented one fits.
//!
//! A [`PasswordHash`] is parsed once, at load; what it costs to verify is then bounded by
//! [`Limits`], so that a hash in a file can exhaust neither memory nor processor. A damaged hash
//! is an error value at load. Verification knows two answers, takes the same time for both, and
//! never panics. Only argon2id is written.

mod apr1;
mod argon2;
mod bcrypt;
mod cost;
mod encoding;
mod ldap;
mod marker;
pub mod once;
mod pbkdf2;
mod plaintext;
pub mod pool;
mod scrypt;
mod sha_crypt;

use std::fmt;

use ::argon2::Algorithm;

pub use self::cost::Cost;
pub use self::marker::Marker;
pub use self::pool::{Pool, PoolError, PoolSettings, PoolStatus};

/// The longest password that is ever verified, in bytes. Several families cost time in
/// proportion to the password's length; longer ones are refused (at the cost of a short one).
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// The longest text that is looked at as a hash, in bytes.
const MAX_HASH_BYTES: usize = 512;

/// What the verification of one hash may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The memory of argon2 and scrypt, in bytes.
    pub memory_bytes: u64,
    /// The memory of argon2 and scrypt times their passes over it, in bytes. 4 GiB are some
    /// four seconds of one core.
    pub traffic_bytes: u64,
    /// The logarithmic cost of bcrypt; 15 are three seconds of one core.
    pub bcrypt_cost: u32,
    /// The iterations of PBKDF2.
    pub pbkdf2_iterations: u32,
    /// The rounds of SHA-256-crypt and SHA-512-crypt.
    pub crypt_rounds: u32,
}

impl Limits {
    /// The default limits with `memory_bytes` as the cap of one hash's memory. Each thread of a
    /// [`Pool`] may take so much at a time.
    #[must_use]
    pub fn with_memory(memory_bytes: u64) -> Self {
        let default = Self::default();
        let traffic_bytes = default.traffic_bytes.max(memory_bytes.saturating_mul(4));
        Self { memory_bytes, traffic_bytes, ..default }
    }
}

impl Default for Limits {
    /// 256 MiB, and up to some four seconds of one core in each family.
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            traffic_bytes: 4 << 30,
            bcrypt_cost: 15,
            pbkdf2_iterations: 5_000_000,
            crypt_rounds: 1_000_000,
        }
    }
}

/// Why a text is not a password hash that could be verified. Never holds a piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    /// The text looks like a hash of this family, and is damaged.
    #[error("damaged {0} hash: {1}")]
    Damaged(Family, &'static str),
    /// Its parameters ask for more than [`Limits`] allow.
    #[error("{0} hash asks for more than is allowed: {1}")]
    Excessive(Family, &'static str),
    /// It is longer than any hash, or holds characters that none has.
    #[error("not a password hash")]
    NotAHash,
    /// The system's random numbers or memory were not to be had.
    #[error("no randomness or memory to hash with")]
    Unavailable,
    /// It names a family that is not read.
    #[error("unknown password hash family")]
    UnknownFamily,
}

/// A family of password hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Apache's MD5, `$apr1$`.
    Apr1,
    /// Argon2d.
    Argon2d,
    /// Argon2i.
    Argon2i,
    /// Argon2id, the one that is written.
    Argon2id,
    /// bcrypt, `$2a$`, `$2b$`, `$2y$`.
    Bcrypt,
    /// PBKDF2 with HMAC-SHA1.
    Pbkdf2Sha1,
    /// PBKDF2 with HMAC-SHA256.
    Pbkdf2Sha256,
    /// PBKDF2 with HMAC-SHA512.
    Pbkdf2Sha512,
    /// The password itself.
    Plaintext,
    /// scrypt.
    Scrypt,
    /// Unsalted SHA-1, `{SHA}`.
    Sha1,
    /// SHA-256-crypt, `$5$`.
    Sha256Crypt,
    /// SHA-512-crypt, `$6$`.
    Sha512Crypt,
    /// Salted SHA-1, `{SSHA}`.
    SaltedSha1,
}

impl Family {
    /// The family's name, as people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apr1 => "apr1",
            Self::Argon2d => "argon2d",
            Self::Argon2i => "argon2i",
            Self::Argon2id => "argon2id",
            Self::Bcrypt => "bcrypt",
            Self::Pbkdf2Sha1 => "pbkdf2-sha1",
            Self::Pbkdf2Sha256 => "pbkdf2-sha256",
            Self::Pbkdf2Sha512 => "pbkdf2-sha512",
            Self::Plaintext => "plaintext",
            Self::Scrypt => "scrypt",
            Self::Sha1 => "sha1",
            Self::Sha256Crypt => "sha256-crypt",
            Self::Sha512Crypt => "sha512-crypt",
            Self::SaltedSha1 => "ssha1",
        }
    }

    /// Whether one who steals such a hash has, in effect, the password.
    #[must_use]
    pub fn is_weak(self) -> bool {
        match self {
            Self::Apr1 | Self::Plaintext | Self::Sha1 | Self::SaltedSha1 => true,
            Self::Argon2d
            | Self::Argon2i
            | Self::Argon2id
            | Self::Bcrypt
            | Self::Pbkdf2Sha1
            | Self::Pbkdf2Sha256
            | Self::Pbkdf2Sha512
            | Self::Scrypt
            | Self::Sha256Crypt
            | Self::Sha512Crypt => false,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a directory stores of a password, ready to verify.
///
/// Invariant: well-formed and within the [`Limits`] it was parsed with.
#[derive(Clone)]
pub struct PasswordHash {
    kind: Kind,
    /// The digest of the text that it was parsed from, if there was one.
    text: Option<[u8; 32]>,
}

#[derive(Clone)]
enum Kind {
    Apr1(apr1::Apr1),
    Argon2(argon2::Argon2Hash),
    Bcrypt(bcrypt::Bcrypt),
    Ldap(ldap::Ldap),
    Pbkdf2(pbkdf2::Pbkdf2),
    Plaintext(plaintext::Plaintext),
    Scrypt(scrypt::Scrypt),
    ShaCrypt(sha_crypt::ShaCrypt),
}

impl PasswordHash {
    /// Parses a stored hash of any family but plaintext.
    ///
    /// # Errors
    ///
    /// The text is no hash, a damaged one, one of an unknown family, or one that costs more
    /// than `limits` allow. The user whose hash it is must then not be let in.
    pub fn parse(text: &str, limits: Limits) -> Result<Self, PasswordHashError> {
        if text.len() > MAX_HASH_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PasswordHashError::NotAHash);
        }
        let mut digest = [0; 32];
        let hashed = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        digest.copy_from_slice(hashed.as_ref());
        Ok(Self { kind: Kind::parse(text, limits)?, text: Some(digest) })
    }

    /// Takes a password that stands in a file as it is. Of the password, only a salted digest
    /// stays in memory.
    ///
    /// # Errors
    ///
    /// The password is one that [`PasswordHash::verify`] would never accept, or there is no
    /// randomness.
    pub fn plaintext(password: &[u8]) -> Result<Self, PasswordHashError> {
        if !is_admissible(password) {
            return Err(PasswordHashError::Damaged(
                Family::Plaintext,
                "empty, over 1024 bytes, or with a NUL",
            ));
        }
        plaintext::Plaintext::new(password)
            .map(|hash| Self { kind: Kind::Plaintext(hash), text: None })
    }

    /// As [`PasswordHash::plaintext`], so that it can be told whether another load finds another
    /// password in its place.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn marked(password: &[u8], marker: &Marker) -> Result<Self, PasswordHashError> {
        let mark = marker.mark(password);
        Self::plaintext(password).map(|hash| Self { text: Some(mark), ..hash })
    }

    /// Whether `password` is the one that was hashed.
    ///
    /// Takes milliseconds to seconds of processor time, so never call it on a thread that
    /// serves; [`Pool`] does it elsewhere. A password that is empty, longer than
    /// [`MAX_PASSWORD_BYTES`] or holds a NUL fits nothing, and still costs what a wrong one costs.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let admissible = is_admissible(password);
        // A fixed stand-in, so that the answer's time does not tell users from non-users.
        let password = if admissible { password } else { b"stand-in" };
        let matches = match &self.kind {
            Kind::Apr1(hash) => hash.verify(password),
            Kind::Argon2(hash) => hash.verify(password),
            Kind::Bcrypt(hash) => hash.verify(password),
            Kind::Ldap(hash) => hash.verify(password),
            Kind::Pbkdf2(hash) => hash.verify(password),
            Kind::Plaintext(hash) => hash.verify(password),
            Kind::Scrypt(hash) => hash.verify(password),
            Kind::ShaCrypt(hash) => hash.verify(password),
        };
        matches & admissible
    }

    /// Whether another password stands behind `other`, as far as that shows: a hash with another
    /// text is another's, and a plaintext password with another mark of the same [`Marker`].
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        self.text != other.text
    }

    /// Which family it is of.
    #[must_use]
    pub fn family(&self) -> Family {
        self.cost().family
    }

    /// What it costs to verify: two hashes of equal cost take equal time.
    #[must_use]
    pub fn cost(&self) -> Cost {
        match &self.kind {
            Kind::Apr1(_) => Cost::flat(Family::Apr1),
            Kind::Argon2(hash) => hash.cost(),
            Kind::Bcrypt(hash) => hash.cost(),
            Kind::Ldap(hash) => Cost::flat(hash.family()),
            Kind::Pbkdf2(hash) => hash.cost(),
            Kind::Plaintext(_) => Cost::flat(Family::Plaintext),
            Kind::Scrypt(hash) => hash.cost(),
            Kind::ShaCrypt(hash) => hash.cost(),
        }
    }

    /// A hash of the same cost that no known password fits: for those who have none to verify.
    ///
    /// # Errors
    ///
    /// There is no randomness.
    pub fn decoy(&self) -> Result<Self, PasswordHashError> {
        let mut decoy = Self { text: None, ..self.clone() };
        match &mut decoy.kind {
            Kind::Apr1(hash) => hash.scramble()?,
            Kind::Argon2(hash) => hash.scramble()?,
            Kind::Bcrypt(hash) => hash.scramble()?,
            Kind::Ldap(hash) => hash.scramble()?,
            Kind::Pbkdf2(hash) => hash.scramble()?,
            Kind::Plaintext(hash) => hash.scramble()?,
            Kind::Scrypt(hash) => hash.scramble()?,
            Kind::ShaCrypt(hash) => hash.scramble()?,
        }
        Ok(decoy)
    }

    /// A hash of the family and parameters that [`hash`] writes, which no known password fits.
    ///
    /// # Errors
    ///
    /// There is no randomness.
    pub fn written_decoy() -> Result<Self, PasswordHashError> {
        argon2::Argon2Hash::written_decoy()
            .map(|hash| Self { kind: Kind::Argon2(hash), text: None })
    }
}

impl Kind {
    fn parse(text: &str, limits: Limits) -> Result<Self, PasswordHashError> {
        if let Some(rest) = text.strip_prefix('{') {
            return ldap::Ldap::parse(rest).map(Self::Ldap);
        }
        let Some((name, rest)) = text.strip_prefix('$').and_then(|rest| rest.split_once('$'))
        else {
            return Err(PasswordHashError::NotAHash);
        };
        let kind = match name {
            "2a" | "2b" | "2y" => Self::Bcrypt(bcrypt::Bcrypt::parse(rest, limits)?),
            "5" => Self::ShaCrypt(sha_crypt::ShaCrypt::parse_sha256(rest, limits)?),
            "6" => Self::ShaCrypt(sha_crypt::ShaCrypt::parse_sha512(rest, limits)?),
            "apr1" => Self::Apr1(apr1::Apr1::parse(rest)?),
            "argon2d" => Self::Argon2(argon2::Argon2Hash::parse(Algorithm::Argon2d, rest, limits)?),
            "argon2i" => Self::Argon2(argon2::Argon2Hash::parse(Algorithm::Argon2i, rest, limits)?),
            "argon2id" => {
                Self::Argon2(argon2::Argon2Hash::parse(Algorithm::Argon2id, rest, limits)?)
            }
            "pbkdf2" => Self::Pbkdf2(pbkdf2::Pbkdf2::parse_unnamed(rest, limits)?),
            "pbkdf2-sha1" => {
                Self::Pbkdf2(pbkdf2::Pbkdf2::parse(pbkdf2::Function::Sha1, rest, limits)?)
            }
            "pbkdf2-sha256" => {
                Self::Pbkdf2(pbkdf2::Pbkdf2::parse(pbkdf2::Function::Sha256, rest, limits)?)
            }
            "pbkdf2-sha512" => {
                Self::Pbkdf2(pbkdf2::Pbkdf2::parse(pbkdf2::Function::Sha512, rest, limits)?)
            }
            "scrypt" => Self::Scrypt(scrypt::Scrypt::parse(rest, limits)?),
            _ => return Err(PasswordHashError::UnknownFamily),
        };
        Ok(kind)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PasswordHash").field(&self.family()).finish()
    }
}

/// Hashes a password with argon2id (19 MiB, two passes, one lane) and a fresh salt, and returns
/// it as a PHC string.
///
/// # Errors
///
/// The password is one that [`PasswordHash::verify`] would never accept, or there is no
/// randomness or memory.
pub fn hash(password: &[u8]) -> Result<String, PasswordHashError> {
    if !is_admissible(password) {
        return Err(PasswordHashError::Damaged(
            Family::Argon2id,
            "the password is empty, over 1024 bytes, or holds a NUL",
        ));
    }
    argon2::write(password)
}

/// A NUL ends the password in the C code that other systems verify with: `pass\0x` would pass
/// there for `pass`. bcrypt even repeats its key, so that `a\0a` would here.
fn is_admissible(password: &[u8]) -> bool {
    !password.is_empty() && password.len() <= MAX_PASSWORD_BYTES && !password.contains(&0)
}

#[cfg(test)]
mod tests;
