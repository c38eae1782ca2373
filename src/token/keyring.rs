//! The keys of one issuer, loaded from a file or a directory.
//!
//! A load is whole or refused: a file that is not a key, two keys under one id, secrets beside
//! public keys (RFC 8725 §3.1), and nothing at all are errors. Only keys of a JWK set that are
//! of another type, curve or use are left out, with a [`Warning`].

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonwebtoken::jwk::JwkSet;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, KeyType};
use super::encoding;
use super::jwk::{self, Document};
use super::key::{Key, KeyFault, require_length};
use crate::secret::ends_in_newline;

/// The longest file that is read as a key.
const MAX_FILE: u64 = 256 * 1024;
/// The id of a key that has none and stands in no file.
const INLINE_ID: &str = "inline";

/// Keys by id: either all secrets or none. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Keyring(Vec<Arc<Key>>);

/// Why keys are not loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Two different keys under one id.
    #[error("the key id `{id}` is taken twice{}", places(.first.as_deref(), .second.as_deref()))]
    DuplicateId {
        /// The id.
        id: String,
        /// Where the first comes from.
        first: Option<PathBuf>,
        /// Where the second comes from.
        second: Option<PathBuf>,
    },
    /// No key at all.
    #[error("no keys{}", places(.0.as_deref(), None))]
    Empty(Option<PathBuf>),
    /// The key itself, without a file.
    #[error("the key is refused")]
    Fault(#[from] KeyFault),
    /// A file is not a key that we use.
    #[error("the key file `{}` is refused", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyFault,
    },
    /// Secrets and public keys side by side.
    #[error("both secrets and public keys{}; give each its own issuer", places(.0.as_deref(), None))]
    Mixed(Option<PathBuf>),
    /// A file or directory cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

fn places(first: Option<&Path>, second: Option<&Path>) -> String {
    match (first, second) {
        (Some(first), Some(second)) => {
            format!(", in `{}` and `{}`", first.display(), second.display())
        }
        (Some(place), None) | (None, Some(place)) => format!(" in `{}`", place.display()),
        (None, None) => String::new(),
    }
}

/// What should be told about keys that are loaded all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A raw secret ends with a newline, which is part of it.
    EndsWithNewline(PathBuf),
    /// A raw secret has fewer than eight different bytes.
    Guessable(Option<PathBuf>),
    /// A key of a JWK set is of no use to us.
    Skipped {
        /// Where the set comes from.
        source: Option<PathBuf>,
        /// The id of the key, else its place in the set.
        key: String,
        /// Why.
        fault: KeyFault,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndsWithNewline(path) => {
                write!(f, "the secret in `{}` ends with a newline, a part of it", path.display())
            }
            Self::Guessable(path) => {
                write!(f, "the secret{} is easy to guess", places(path.as_deref(), None))
            }
            Self::Skipped { source, key, fault } => {
                let place = places(source.as_deref(), None);
                write!(f, "the key `{key}`{place} is skipped: {fault}")
            }
        }
    }
}

impl Keyring {
    /// Loads every key of a directory, or of one file.
    ///
    /// In a directory, hidden files, `README*` and `*.md` are passed over. Read are PEM (PKCS#1,
    /// PKCS#8, SEC1, SPKI, certificates), DER of the same, JWK and JWK sets; a file named
    /// `.secret`, `.hs` or `.key` that is none of them is a raw HMAC secret, every byte of it, a
    /// newline at the end included. The key id is the JWK's `kid`, else the name of the file
    /// without its extension; a private key and its own public half may share it.
    ///
    /// # Errors
    ///
    /// See [`KeyError`]; nothing is loaded then.
    pub fn load(path: &Path) -> Result<(Self, Vec<Warning>), KeyError> {
        let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
        let mut loading = Loading::default();
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            let mut files = Vec::new();
            for entry in fs::read_dir(path).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                if !is_passed_over(&entry.file_name().to_string_lossy()) {
                    files.push(entry.path());
                }
            }
            files.sort();
            for file in &files {
                loading.file(file)?;
            }
        } else {
            loading.file(path)?;
        }
        loading.finish(Some(path))
    }

    /// One secret, for all these algorithms; its id is `inline`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Fault`]: it is shorter than the hash of one of them, or one of them takes no
    /// secret. [`KeyError::Empty`]: no algorithm.
    pub fn from_secret(
        secret: &[u8],
        algorithms: &[Algorithm],
    ) -> Result<(Self, Vec<Warning>), KeyError> {
        for algorithm in algorithms {
            require_length(secret, *algorithm)?;
        }
        let declared = match algorithms {
            [] => return Err(KeyError::Empty(None)),
            [only] => Some(*only),
            _ => None,
        };
        let mut loading = Loading::default();
        loading.look_at(secret, None);
        loading.add(Key::secret(INLINE_ID, secret, declared)?)?;
        loading.finish(None)
    }

    /// The keys of a JWK, or of a JWK set as an issuer publishes it. Without a `kid`, a key of a
    /// set goes by its thumbprint, a single one by `inline`.
    ///
    /// # Errors
    ///
    /// See [`KeyError`].
    pub fn from_jwks(json: &[u8]) -> Result<(Self, Vec<Warning>), KeyError> {
        let mut loading = Loading::default();
        loading.document(Document::parse(json)?, None, |key| key)?;
        loading.finish(None)
    }

    /// All keys, in the order of their files.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The key with this id.
    #[must_use]
    pub fn key(&self, id: &str) -> Option<&Key> {
        self.keys().find(|key| key.id() == id)
    }

    /// Whether any key can sign.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        self.keys().any(Key::is_private)
    }

    /// The public halves as a JWK set, fit to be published: no private member, no secret.
    #[must_use]
    pub fn public_jwks(&self) -> JwkSet {
        jwk::public_set(self.keys())
    }

    pub(super) fn shared(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.0.iter()
    }
}

fn is_passed_over(name: &str) -> bool {
    let extension = Path::new(name).extension();
    name.starts_with('.')
        || name.starts_with("README")
        || extension.is_some_and(|extension| extension.eq_ignore_ascii_case("md"))
}

#[derive(Default)]
struct Loading {
    keys: Vec<Arc<Key>>,
    warnings: Vec<Warning>,
}

impl Loading {
    fn file(&mut self, path: &Path) -> Result<(), KeyError> {
        let refused = |source| KeyError::File { path: path.to_owned(), source };
        let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(refused(KeyFault::NotAKey)); // before it is opened: a pipe would block
        }
        let capacity = usize::try_from(metadata.len().min(MAX_FILE)).unwrap_or_default() + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity)); // so that no copy stays behind
        let file = File::open(path).map_err(unreadable)?;
        let length = file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if length as u64 > MAX_FILE {
            return Err(refused(KeyFault::TooLong));
        }
        let modified = metadata.modified().ok();
        let attributed = |key: Key| key.attributed(path, modified);

        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.ok_or(KeyFault::InvalidKeyId).map_err(refused)?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        match content(&bytes, extension).map_err(refused)? {
            Content::Document(document) => self.document(document, Some((path, stem)), attributed),
            Content::Pair((public, signing)) => {
                let key = Key::asymmetric(stem, public, signing, None).map_err(refused)?;
                self.add(attributed(key))
            }
            Content::Secret => {
                self.look_at(&bytes, Some(path));
                let key = Key::secret(stem, &bytes, None).map_err(refused)?;
                self.add(attributed(key))
            }
        }
    }

    fn document(
        &mut self,
        document: Document,
        file: Option<(&Path, &str)>,
        attributed: impl Fn(Key) -> Key,
    ) -> Result<(), KeyError> {
        let refused = |source| match file {
            Some((path, _)) => KeyError::File { path: path.to_owned(), source },
            None => KeyError::Fault(source),
        };
        let raw_keys = match document {
            Document::One(raw) => {
                let fallback_id = file.map_or(INLINE_ID, |(_, stem)| stem);
                let key = raw.into_key(Some(fallback_id)).map_err(refused)?;
                return self.add(attributed(key));
            }
            Document::Set(keys) => keys,
        };
        for (index, raw) in raw_keys.into_iter().enumerate() {
            let name = raw.id().map_or_else(|| format!("#{index}"), str::to_owned);
            match raw.into_key(None) {
                Ok(key) => self.add(attributed(key))?,
                Err(fault @ KeyFault::Unsupported(_)) => self.warnings.push(Warning::Skipped {
                    source: file.map(|(path, _)| path.to_owned()),
                    key: name,
                    fault,
                }),
                Err(fault) => return Err(refused(fault)),
            }
        }
        Ok(())
    }

    fn look_at(&mut self, secret: &[u8], path: Option<&Path>) {
        let mut seen = [false; 256];
        for byte in secret {
            if let Some(seen) = seen.get_mut(usize::from(*byte)) {
                *seen = true;
            }
        }
        if seen.into_iter().filter(|seen| *seen).count() < 8 {
            self.warnings.push(Warning::Guessable(path.map(Path::to_owned)));
        }
        if let Some(path) = path
            && ends_in_newline(secret)
        {
            self.warnings.push(Warning::EndsWithNewline(path.to_owned()));
        }
    }

    fn add(&mut self, key: Key) -> Result<(), KeyError> {
        let Some(known) = self.keys.iter_mut().find(|known| known.id() == key.id()) else {
            self.keys.push(Arc::new(key));
            return Ok(());
        };
        let is_other_half = known.public().is_some()
            && known.public() == key.public()
            && known.declared() == key.declared()
            && !(known.is_private() && key.is_private());
        if !is_other_half {
            let (id, first) = (key.id().to_owned(), known.source().map(Path::to_owned));
            return Err(KeyError::DuplicateId {
                id,
                first,
                second: key.source().map(Path::to_owned),
            });
        }
        if key.is_private() {
            *known = Arc::new(key);
        }
        Ok(())
    }

    fn finish(self, path: Option<&Path>) -> Result<(Keyring, Vec<Warning>), KeyError> {
        let path = path.map(Path::to_owned);
        let secrets = self.keys.iter().filter(|key| key.key_type() == KeyType::Secret).count();
        if self.keys.is_empty() {
            return Err(KeyError::Empty(path));
        }
        if secrets != 0 && secrets != self.keys.len() {
            return Err(KeyError::Mixed(path));
        }
        Ok((Keyring(self.keys), self.warnings))
    }
}

enum Content {
    Document(Document),
    Pair(encoding::Pair),
    Secret,
}

/// Tells what a file holds. Only a name that says so makes a raw secret of it, and PEM is never
/// one, so that no public key becomes a secret that everybody knows.
fn content(bytes: &[u8], extension: Option<&str>) -> Result<Content, KeyFault> {
    let is_raw = matches!(extension, Some("secret" | "hs"));
    if encoding::is_pem(bytes) {
        if is_raw {
            return Err(KeyFault::PemAsSecret);
        }
        return encoding::from_pem(bytes).map(Content::Pair);
    }
    if is_raw {
        return Ok(Content::Secret);
    }
    if matches!(bytes.trim_ascii_start(), [b'{', ..])
        && let Ok(document) = Document::parse(bytes)
    {
        return Ok(Content::Document(document));
    }
    match (encoding::from_der(bytes), extension) {
        (Ok(pair), _) => Ok(Content::Pair(pair)),
        (Err(KeyFault::NotAKey), Some("key")) => Ok(Content::Secret),
        (Err(KeyFault::NotAKey), Some("json" | "jwk" | "jwks")) => Err(KeyFault::InvalidJwk),
        (Err(fault), _) => Err(fault),
    }
}

#[cfg(test)]
mod tests;
