//! One-time passwords by time (RFC 6238), as every authenticator app makes them: six digits of
//! HMAC-SHA1 over the number of 30-second steps since 1970.
//!
//! Which step a code is of is the answer, so that whoever asks can refuse a step that was used.
//! Pure: time and secrets are arguments, nothing is remembered.

mod enrolment;
pub mod recovery;

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

pub use self::enrolment::{QrError, svg, uri};

/// How long one code holds, in seconds.
pub const PERIOD: u64 = 30;
/// The digits of a code.
pub const DIGITS: usize = 6;
/// How many steps a clock may be off, to either side (RFC 6238 §5.2 recommends one).
pub const WINDOW: u64 = 1;
/// A secret's length in bytes: that of the hash (RFC 4226 §4).
const SECRET_BYTES: usize = 20;

/// What a user's authenticator and the gateway share.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<Vec<u8>>);

/// Why a text or bytes are no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotpSecretError {
    /// Not base32.
    #[error("not base32")]
    Base32,
    /// The system has no random numbers.
    #[error("the system has no randomness")]
    NoRandomness,
    /// Shorter than 128 bits (RFC 4226 §4) or longer than 64 bytes.
    #[error("a secret has 16 to 64 bytes")]
    WrongLength,
}

impl TotpSecret {
    /// A new one: 160 random bits.
    ///
    /// # Errors
    ///
    /// [`TotpSecretError::NoRandomness`].
    pub fn random() -> Result<Self, TotpSecretError> {
        let mut bytes = Zeroizing::new(vec![0; SECRET_BYTES]);
        rand::fill(&mut bytes).map_err(|_| TotpSecretError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// Takes the bytes of one.
    ///
    /// # Errors
    ///
    /// [`TotpSecretError::WrongLength`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, TotpSecretError> {
        let bytes = Zeroizing::new(bytes);
        if (16..=64).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(TotpSecretError::WrongLength)
        }
    }

    /// Reads one as apps show it: base32, in any case, with blanks, padded or not.
    ///
    /// # Errors
    ///
    /// [`TotpSecretError::Base32`], [`TotpSecretError::WrongLength`].
    pub fn from_base32(text: &str) -> Result<Self, TotpSecretError> {
        let letters = text.trim_end_matches('=').bytes().filter(|byte| *byte != b' ');
        let letters =
            Zeroizing::new(letters.map(|byte| byte.to_ascii_uppercase()).collect::<Vec<_>>());
        Self::from_bytes(BASE32_NOPAD.decode(&letters).map_err(|_| TotpSecretError::Base32)?)
    }

    /// Its bytes, for the code that seals or computes with them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// As apps read it: base32 without padding.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.0))
    }

    /// The code of one step.
    #[must_use]
    pub fn code(&self, step: u64) -> Zeroizing<String> {
        Zeroizing::new(code(Function::Sha1, &self.0, step, DIGITS))
    }

    /// The step that `presented` is the code of, among those that a clock at `now` (Unix seconds)
    /// may be at; the latest, if several have it. Blanks around and within it do not count. Takes
    /// the same time for every six digits.
    #[must_use]
    pub fn step_of(&self, presented: &str, now: u64) -> Option<u64> {
        let digits = presented.bytes().filter(|byte| !matches!(byte, b' ' | b'-'));
        let digits = Zeroizing::new(digits.take(DIGITS + 1).collect::<Vec<_>>());
        if digits.len() != DIGITS || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let current = now / PERIOD;
        let mut found = None;
        for step in current.saturating_sub(WINDOW)..=current.saturating_add(WINDOW) {
            if self.code(step).as_bytes().ct_eq(&digits).into() {
                found = Some(step);
            }
        }
        found
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Whether a text could be a code: six digits.
#[must_use]
pub fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The hash in the HMAC (RFC 6238 §1.2). Apps know one; the others are here for the vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Sha1,
    #[cfg(test)]
    Sha256,
    #[cfg(test)]
    Sha512,
}

impl Function {
    fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            #[cfg(test)]
            Self::Sha256 => hmac::HMAC_SHA256,
            #[cfg(test)]
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// HOTP (RFC 4226 §5.3): the digits of four bytes of the HMAC, from where its last nibble says.
fn code(function: Function, secret: &[u8], counter: u64, digits: usize) -> String {
    let key = hmac::Key::new(function.algorithm(), secret);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let offset = usize::from(tag.as_ref().last().copied().unwrap_or_default() & 15);
    let four = tag.as_ref().iter().skip(offset).take(4);
    let number = four.fold(0_u64, |number, byte| number << 8 | u64::from(*byte)) & 0x7fff_ffff;
    let all = format!("{number:010}");
    all.get(all.len().saturating_sub(digits)..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B. Its secrets are as long as the hash (erratum 2866).
    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        let seed = b"1234567890".repeat(7);
        let vectors = [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000_u64, "65353130", "77737706", "47863826"),
        ];
        for (time, sha1, sha256, sha512) in vectors {
            let step = time / PERIOD;
            assert_eq!(code(Function::Sha1, &seed[..20], step, 8), sha1, "{time}");
            assert_eq!(code(Function::Sha256, &seed[..32], step, 8), sha256, "{time}");
            assert_eq!(code(Function::Sha512, &seed[..64], step, 8), sha512, "{time}");
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn the_vectors_of_rfc_4226_hold() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec()).unwrap();
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, expected) in (0..).zip(codes) {
            assert_eq!(*secret.code(counter), expected);
        }
    }

    #[test]
    fn a_code_is_right_for_one_step_to_either_side() {
        let secret = TotpSecret::random().unwrap();
        let step = 60_000_000;
        let code = secret.code(step);

        for (now, right) in [
            (step * PERIOD - PERIOD - 1, false),
            (step * PERIOD - PERIOD, true),
            (step * PERIOD, true),
            (step * PERIOD + 2 * PERIOD - 1, true),
            (step * PERIOD + 2 * PERIOD, false),
        ] {
            // A code may be that of another step by chance: one in a million.
            assert_eq!(secret.step_of(&code, now) == Some(step), right, "{now}");
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec()).unwrap();
        assert_eq!(secret.step_of("755224", 0), Some(0));
        assert_eq!(secret.step_of(" 755 224 ", 29), Some(0));
        for text in
            ["", "75522", "7552240", "755224\0", "+55224", "７５５２２４", "0755224", "abcdef"]
        {
            assert_eq!(secret.step_of(text, 0), None, "{text}");
        }
        assert!(is_code("000000") && !is_code("00000") && !is_code("00000a"));
        let _ = secret.step_of("000000", u64::MAX); // no overflow
    }

    #[test]
    fn secrets_are_read_as_apps_show_them() {
        let secret =
            TotpSecret::from_bytes(b"Hello!\xde\xad\xbe\xef\0\0\0\0\0\0".to_vec()).unwrap();
        let text = secret.to_base32();
        assert!(text.starts_with("JBSWY3DPEHPK3PXP"));
        for written in [text.to_string(), text.to_lowercase(), format!(" {} ======", &**text)] {
            assert_eq!(TotpSecret::from_base32(&written).unwrap().expose(), secret.expose());
        }
        for (written, error) in [
            ("JBSWY3DPEHPK3PX0", TotpSecretError::Base32),
            ("JBSWY3DPEHPK3PXP", TotpSecretError::WrongLength),
            ("", TotpSecretError::WrongLength),
        ] {
            assert_eq!(TotpSecret::from_base32(written).unwrap_err(), error);
        }
    }

    #[test]
    fn a_secret_is_long_and_never_prints_itself() {
        let secret = TotpSecret::random().unwrap();
        assert_eq!(secret.to_base32().len(), 32);
        assert_eq!(format!("{secret:?}"), "[redacted]");
    }
}
