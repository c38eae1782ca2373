//! What is found on the way from a tree to a configuration: mistakes and oddities, all of them.

use std::fs;
use std::io::Read;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::config::error::{ConfigError, ConfigErrors, NamedFile, Warning};
use crate::config::key::Key;
use crate::config::source::{Origin, Sources};
use crate::config::tree::Node;
use crate::config::unit;
use crate::secret::{self, MAX_SECRET_BYTES};

/// After this many mistakes nobody reads on.
const MAX_ERRORS: usize = 100;

/// More files of one folder are not looked at for who may read them.
const MAX_KEY_FILES: usize = 256;

/// An environment: what a variable holds.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Collects what is wrong, and knows where everything stands.
pub(super) struct Findings<'a> {
    tree: &'a Node,
    sources: &'a Sources,
    environment: Environment<'a>,
    found: Found,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) errors: Vec<ConfigError>,
    pub(super) warnings: Vec<Warning>,
    /// Files that were read or will be, and must be watched.
    pub(super) files: Vec<NamedFile>,
}

impl Found {
    /// The errors, if there are any.
    pub(super) fn into_errors(mut self) -> Result<Self, ConfigErrors> {
        if self.errors.is_empty() {
            return Ok(self);
        }
        self.errors.sort_by(|left, right| left.place.cmp(&right.place));
        Err(ConfigErrors::new(self.errors))
    }

    pub(super) fn error(&mut self, sources: &Sources, origin: Origin, key: &str, reason: String) {
        if self.errors.len() < MAX_ERRORS {
            let place = sources.place(origin);
            self.errors.push(ConfigError { place, key: key.to_owned(), reason });
        }
    }
}

impl<'a> Findings<'a> {
    pub(super) fn new(tree: &'a Node, sources: &'a Sources, environment: Environment<'a>) -> Self {
        Self { tree, sources, environment, found: Found::default() }
    }

    /// Goes on from what was found before.
    pub(super) fn with(self, found: Found) -> Self {
        Self { found, ..self }
    }

    pub(super) fn into_found(self) -> Found {
        self.found
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.found.errors.is_empty()
    }

    /// The value at `key` is wrong.
    pub(super) fn error(&mut self, key: &Key, reason: impl Into<String>) {
        self.error_at(self.locate(key), key, reason);
    }

    /// As [`Self::error`], for who knows where.
    pub(super) fn error_at(&mut self, origin: Origin, key: &Key, reason: impl Into<String>) {
        self.found.error(self.sources, origin, &key.to_string(), reason.into());
    }

    /// The value at `key` works, and is seldom meant so.
    pub(super) fn warn(&mut self, key: &Key, message: impl Into<String>) {
        let place = self.sources.place(self.locate(key));
        let message = message.into();
        self.found.warnings.push(Warning { place, key: key.to_string(), message });
    }

    /// Where `key` stands, in words.
    pub(super) fn place(&self, key: &Key) -> String {
        self.sources.place(self.locate(key)).to_string()
    }

    fn locate(&self, key: &Key) -> Origin {
        self.tree.locate(key)
    }

    /// A file that the value at `key` names; noted as one to watch.
    pub(super) fn file(&mut self, key: &Key, name: &str) -> PathBuf {
        if name.is_empty() {
            self.error(key, "is empty: write the name of a file");
        }
        let path = self.path(key, name);
        self.note_file(key, path.clone());
        path
    }

    /// As [`Self::file`], for one that nobody else may read.
    pub(super) fn private_file(&mut self, key: &Key, name: &str) -> PathBuf {
        let path = self.file(key, name);
        self.warn_if_exposed(key, &path);
        path
    }

    /// A folder of keys, or one file of them; private ones are for nobody else to read.
    pub(super) fn key_files(&mut self, key: &Key, name: &str) -> PathBuf {
        let path = self.file(key, name);
        let within = fs::read_dir(&path).map_or_else(
            |_| vec![path.clone()],
            |entries| entries.flatten().take(MAX_KEY_FILES).map(|entry| entry.path()).collect(),
        );
        for file in within.iter().filter(|file| is_private_key(file)) {
            self.warn_if_exposed(key, file);
        }
        path
    }

    fn note_file(&mut self, key: &Key, path: PathBuf) {
        let place = self.sources.place(self.locate(key));
        self.found.files.push(NamedFile { path, place, key: key.to_string() });
    }

    fn warn_if_exposed(&mut self, key: &Key, path: &Path) {
        let is_exposed = fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o004 != 0);
        if is_exposed {
            let path = path.display();
            self.warn(key, format!("everybody on this machine may read `{path}`: chmod o-r"));
        }
    }

    /// A path that the value at `key` names; relative ones start beside the file they stand in.
    pub(super) fn path(&self, key: &Key, name: &str) -> PathBuf {
        let folder = self.sources.folder(self.locate(key));
        secret::locate(name.as_ref(), folder, self.environment)
    }

    /// A variable of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    /// The secret that the value at `key` is or names.
    pub(super) fn secret(&mut self, key: &Key, form: &str) -> Option<secret::Secret> {
        let folder = self.sources.folder(self.locate(key));
        match secret::resolve_with(form, folder, self.environment) {
            Ok((secret, file)) => {
                if let Some(file) = file {
                    if secret.ends_in_newline() {
                        let message = format!(
                            "`{}` ends in a newline, which is part of the secret; write it with \
                             `printf %s` if it is not meant",
                            file.display()
                        );
                        self.warn(key, message);
                    }
                    self.warn_if_exposed(key, &file);
                    self.note_file(key, file);
                }
                Some(secret)
            }
            Err(error) => {
                self.error(key, error.to_string());
                None
            }
        }
    }

    /// A duration within `range`, in which zero may be left out.
    pub(super) fn duration(
        &mut self,
        key: &Key,
        raw: Option<&str>,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let Some(text) = raw else { return default };
        match unit::duration(text) {
            Ok(duration) if range.contains(&duration) => return duration,
            Ok(_) => {
                let (least, most) = (unit::Span(*range.start()), unit::Span(*range.end()));
                self.error(key, format!("must be between \"{least}\" and \"{most}\""));
            }
            Err(reason) => self.error(key, reason),
        }
        default
    }

    /// A size within `range`, in bytes.
    pub(super) fn size(
        &mut self,
        key: &Key,
        raw: Option<&str>,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        let Some(text) = raw else { return default };
        match unit::size(text) {
            Ok(bytes) if range.contains(&bytes) => return bytes,
            Ok(_) => {
                let (least, most) = (unit::Bytes(*range.start()), unit::Bytes(*range.end()));
                self.error(key, format!("must be between \"{least}\" and \"{most}\""));
            }
            Err(reason) => self.error(key, reason),
        }
        default
    }

    /// As [`Self::size`], for what is kept in memory.
    pub(super) fn memory(
        &mut self,
        key: &Key,
        raw: Option<&str>,
        default: usize,
        range: RangeInclusive<u64>,
    ) -> usize {
        let bytes = self.size(key, raw, default as u64, range);
        usize::try_from(bytes).unwrap_or(default)
    }

    /// A number within `range`.
    pub(super) fn number(
        &mut self,
        key: &Key,
        raw: Option<i64>,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let Some(number) = raw else { return default };
        if let Ok(number) = u32::try_from(number)
            && range.contains(&number)
        {
            return number;
        }
        self.error(key, format!("must be between {} and {}", range.start(), range.end()));
        default
    }

    /// A number from 1 to `most`.
    pub(super) fn count(
        &mut self,
        key: &Key,
        raw: Option<i64>,
        default: NonZeroU32,
        most: u32,
    ) -> NonZeroU32 {
        NonZeroU32::new(self.number(key, raw, default.get(), 1..=most)).unwrap_or(default)
    }

    /// A number of threads; `None` and 0 are `default`.
    pub(super) fn threads(
        &mut self,
        key: &Key,
        raw: Option<i64>,
        default: NonZeroUsize,
    ) -> NonZeroUsize {
        let threads = usize::try_from(self.number(key, raw, 0, 0..=1024)).unwrap_or(0);
        NonZeroUsize::new(threads).unwrap_or(default)
    }

    /// A name that the operator chose for a table; it becomes a part of variable names, of log
    /// fields and of metric labels.
    pub(super) fn name(&mut self, key: &Key, name: &str) {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let starts_well = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if !starts_well || name.len() > 64 || !name.bytes().all(is_plain) {
            self.error(
                key,
                "is no name: write up to 64 letters, digits, `-` and `_`, starting with a letter \
                 or digit",
            );
        }
    }
}

/// Whether a file looks like a private key, a private JWK or a raw secret.
fn is_private_key(file: &Path) -> bool {
    if !fs::metadata(file).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    if file.extension().is_some_and(|extension| extension == "hs" || extension == "secret") {
        return true;
    }
    let mut head = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES));
    let read = fs::File::open(file)
        .and_then(|opened| opened.take(MAX_SECRET_BYTES as u64).read_to_end(&mut head));
    let contains = |needle: &[u8]| memchr::memmem::find(&head, needle).is_some();
    read.is_ok() && (contains(b"PRIVATE KEY-----") || contains(b"\"d\"") || contains(b"\"k\""))
}
