//! Secrets, and the forms in which they are written.
//!
//! A [`Secret`] is wiped from memory when it is dropped, is never printed, and is compared by
//! nobody: who needs its bytes says so with [`Secret::expose`].
//!
//! | form | the secret is |
//! |---|---|
//! | `@path` | the bytes of the file, all of them: a newline at its end is part of it |
//! | `hex:…` | the decoded bytes |
//! | `base64:…` | the decoded bytes; standard or URL-safe alphabet, padded or not |
//! | `env:NAME` | the value of the environment variable |
//! | anything else | the text itself |
//!
//! A relative `@path` is looked up beside the file that names it, then below
//! `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`). An empty secret is refused in every
//! form.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// No secret is larger than this; a larger file is a mistake in its name.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;

/// Bytes that are wiped when dropped and never printed.
///
/// There is no `Clone`, on purpose: a copy is made where somebody writes it out, with
/// [`Secret::duplicate`].
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the caller keeps no copy.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the code that verifies or signs with them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// A second copy, wiped on its own.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.0.to_vec())
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// See [`ends_in_newline`].
    #[must_use]
    pub fn ends_in_newline(&self) -> bool {
        ends_in_newline(&self.0)
    }
}

/// Whether a secret is a line of text: what `echo secret > file` leaves behind. The newline is part
/// of the secret, and seldom meant so; among random bytes it is one like any other.
#[must_use]
pub fn ends_in_newline(secret: &[u8]) -> bool {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r');
    secret.strip_suffix(b"\n").is_some_and(|line| line.iter().all(is_text))
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a secret could not be had. Never holds any part of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Not base64 after `base64:`.
    #[error("is not valid base64 after `base64:`")]
    Base64,
    /// There, but without a byte in it.
    #[error("is empty")]
    Empty,
    /// `env:NAME`, and there is no such variable.
    #[error("environment variable `{0}` is not set")]
    EnvironmentMissing(String),
    /// Not hexadecimal after `hex:`.
    #[error("is not valid hexadecimal after `hex:`")]
    Hex,
    /// Larger than [`MAX_SECRET_BYTES`].
    #[error("is larger than 64 KiB")]
    TooLarge,
    /// The file could not be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// The file that was looked for first.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Resolves a secret written as `form`; relative files are looked up below `base`, then below
/// `$CREDENTIALS_DIRECTORY`.
///
/// # Errors
///
/// [`SecretError`] when the form is damaged, or names nothing that can be read.
pub fn resolve(form: &str, base: &Path) -> Result<Secret, SecretError> {
    resolve_with(form, base, &|name| std::env::var(name).ok()).map(|(secret, _)| secret)
}

/// As [`resolve`], with the environment as an argument; also says which file it came from.
///
/// # Errors
///
/// As [`resolve`].
pub fn resolve_with(
    form: &str,
    base: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(Secret, Option<PathBuf>), SecretError> {
    let mut origin = None;
    let secret = if let Some(name) = form.strip_prefix('@') {
        let path = locate(Path::new(name), base, environment);
        let secret = read(&path)?;
        origin = Some(path);
        secret
    } else if let Some(digits) = form.strip_prefix("hex:") {
        Secret::new(from_hex(digits).ok_or(SecretError::Hex)?)
    } else if let Some(text) = form.strip_prefix("base64:") {
        Secret::new(from_base64(text).ok_or(SecretError::Base64)?)
    } else if let Some(name) = form.strip_prefix("env:") {
        environment(name)
            .map(Secret::from)
            .ok_or_else(|| SecretError::EnvironmentMissing(name.to_owned()))?
    } else {
        Secret::from(form.to_owned())
    };
    if secret.is_empty() {
        return Err(SecretError::Empty);
    }
    if secret.len() > MAX_SECRET_BYTES {
        return Err(SecretError::TooLarge);
    }
    Ok((secret, origin))
}

/// Where a file that the configuration names is: below `base`; if nothing is there and the name
/// is relative, below `$CREDENTIALS_DIRECTORY` if something is there.
#[must_use]
pub fn locate(name: &Path, base: &Path, environment: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let beside = base.join(name);
    if name.is_absolute() || beside.exists() {
        return beside;
    }
    match environment("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(name)) {
        Some(credential) if credential.exists() => credential,
        Some(_) | None => beside,
    }
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(unreadable)?;
    // One allocation, so that growing leaves no copy behind in freed memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 1));
    file.take(MAX_SECRET_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Secret::new(bytes.to_vec()))
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.as_bytes().chunks(2) {
        let [high, low] = pair else { return None };
        bytes.push((digit(*high)? << 4) | digit(*low)?);
    }
    Some(std::mem::take(&mut *bytes))
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, config).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        (name == "HS_KEY").then(|| "from the environment".to_owned())
    }

    fn bytes(form: &str) -> Result<Vec<u8>, String> {
        resolve_with(form, Path::new("/nowhere"), &environment)
            .map(|(secret, _)| secret.expose().to_vec())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_gives_its_bytes() {
        for (form, expected) in [
            ("plain text", &b"plain text"[..]),
            ("hex:00ffAb", &[0, 255, 171]),
            ("base64:/+8=", &[255, 239]),
            ("base64:/+8", &[255, 239]),
            ("base64:_-8", &[255, 239]),
            ("env:HS_KEY", b"from the environment"),
            (" @x", b" @x"),
        ] {
            assert_eq!(bytes(form).as_deref(), Ok(expected), "{form}");
        }
    }

    #[test]
    fn a_damaged_form_is_refused_and_not_repeated() {
        for (form, expected) in [
            ("", "is empty"),
            ("hex:", "is empty"),
            ("hex:abc", "is not valid hexadecimal after `hex:`"),
            ("hex:zz", "is not valid hexadecimal after `hex:`"),
            ("base64:a", "is not valid base64 after `base64:`"),
            ("base64:a+b_", "is not valid base64 after `base64:`"),
            ("env:NONE", "environment variable `NONE` is not set"),
        ] {
            assert_eq!(bytes(form), Err(expected.to_owned()), "{form}");
        }
        assert!(bytes("@absent").unwrap_err().starts_with("cannot read `/nowhere/absent`: "));
        assert_eq!(bytes(&"x".repeat(MAX_SECRET_BYTES + 1)), Err("is larger than 64 KiB".into()));
    }

    #[test]
    fn a_file_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hs.key"), b"secret\n").unwrap();

        let (secret, origin) = resolve_with("@hs.key", folder.path(), &|_| None).unwrap();

        assert_eq!(secret.expose(), b"secret\n");
        assert!(secret.ends_in_newline());
        assert_eq!(origin, Some(folder.path().join("hs.key")));
    }

    #[test]
    fn a_newline_is_odd_behind_text_alone() {
        for (secret, is_odd) in [
            (&b"correct horse\n"[..], true),
            (b"correct horse\r\n", true),
            (b"\n", true),
            (b"correct horse", false),
            (b"correct\nhorse", false),
            (b"\x8c\x1f\xe2+\n", false),
        ] {
            assert_eq!(ends_in_newline(secret), is_odd, "{secret:?}");
        }
    }

    #[test]
    fn a_file_is_found_among_the_credentials_of_the_service() {
        let credentials = tempfile::tempdir().unwrap();
        let beside = tempfile::tempdir().unwrap();
        fs::write(credentials.path().join("hs.key"), b"credential").unwrap();
        let lookup = |_: &str| Some(credentials.path().display().to_string());

        let (secret, _) = resolve_with("@hs.key", beside.path(), &lookup).unwrap();
        assert_eq!(secret.expose(), b"credential");

        fs::write(beside.path().join("hs.key"), b"beside").unwrap();
        let (secret, _) = resolve_with("@hs.key", beside.path(), &lookup).unwrap();
        assert_eq!(secret.expose(), b"beside");
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::from("hunter2".to_owned());

        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), {
            "[redacted] [redacted] Some([redacted])"
        });
    }
}
