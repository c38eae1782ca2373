//! Directories: where users come from.
//!
//! A file is read as a whole or refused as a whole, with the place of the first mistake: an
//! unknown key, a name that stands twice, an ill-formed home. One thing is not the file's
//! mistake but its user's: a hash that is damaged, or that would cost too much. That user is
//! disabled and named in a warning. No error and no warning holds any part of a hash or password.

pub mod edit;
mod entry;
mod error;
mod file;
mod htpasswd;
mod json;
mod node;
mod toml;
mod yaml;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use self::entry::{Content, Entry};
pub use self::error::{DirectoryError, Warning};
use self::file::Warnings;
use crate::password::{Cost, Limits, Marker, PasswordHash, PasswordHashError};
use crate::user::{Roles, User};

/// How a file of users is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `name:hash` lines.
    Htpasswd,
    /// A list of entries, or a map with `users` and `roles`.
    Json,
    /// `[[users]]` and `[roles]`.
    Toml,
    /// A list of entries, or a map with `users` and `roles`.
    Yaml,
}

impl Format {
    /// The format of a file by its extension; anything unknown is htpasswd.
    #[must_use]
    pub fn of(file: &Path) -> Self {
        let extension = file.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Self::Json,
            Some("toml") => Self::Toml,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Htpasswd,
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Htpasswd => "htpasswd",
            Self::Json => "json",
            Self::Toml => "toml",
            Self::Yaml => "yaml",
        }
    }
}

/// A format's name that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of `yaml`, `json`, `toml`, `htpasswd`")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "htpasswd" => Ok(Self::Htpasswd),
            "json" => Ok(Self::Json),
            "toml" => Ok(Self::Toml),
            "yaml" => Ok(Self::Yaml),
            _ => Err(UnknownFormat),
        }
    }
}

/// Where and how to load a directory.
#[derive(Clone, Debug)]
pub struct DirectorySettings {
    /// Its name in the configuration.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// How the file is written.
    pub format: Format,
    /// The home of entries without one; `{name}` is the user's name as one segment.
    pub default_home: Option<String>,
    /// The roles of entries without any.
    pub default_roles: Vec<String>,
}

impl DirectorySettings {
    /// A directory in `file`, in the format of its extension, without defaults.
    #[must_use]
    pub fn of_file(file: &Path) -> Self {
        Self {
            name: file.display().to_string(),
            file: file.to_owned(),
            format: Format::of(file),
            default_home: None,
            default_roles: Vec::new(),
        }
    }
}

/// The users of one source, as of one moment.
#[derive(Debug)]
pub struct Directory {
    name: String,
    file: PathBuf,
    format: Format,
    users: Vec<Arc<User>>,
    /// The line on which each of them begins.
    lines: Vec<u32>,
    by_name: HashMap<Box<str>, usize>,
    roles: Roles,
    decoy: Arc<PasswordHash>,
}

impl Directory {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that it was read from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// How the file is written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The user of exactly this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<User>> {
        self.by_name.get(name).and_then(|place| self.users.get(*place))
    }

    /// Where the user of exactly this name stands: `file:line`.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<String> {
        let line = self.lines.get(*self.by_name.get(name)?)?;
        Some(format!("{}:{line}", self.file.display()))
    }

    /// How many users it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether it has no users.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// The users, in the order of the file.
    #[must_use]
    pub fn users(&self) -> impl ExactSizeIterator<Item = &Arc<User>> {
        self.users.iter()
    }

    /// What each role may do: those of the configuration, and those of the file.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// A hash that fits no known password and costs what most hashes of this directory cost.
    /// Verify against it for who is unknown here, or has no password: the answer then takes as
    /// long as for a wrong password.
    #[must_use]
    pub fn decoy(&self) -> &Arc<PasswordHash> {
        &self.decoy
    }
}

/// Loads a directory. `roles` are those of the configuration; the file may define more. With a
/// `marker`, two loads tell whether a plaintext password has changed.
///
/// # Errors
///
/// The file can't be read, or something in it is wrong: [`DirectoryError`] says where. Keep
/// serving what was loaded before; without that, nobody is let in.
pub fn load(
    settings: &DirectorySettings,
    roles: &Roles,
    limits: Limits,
    marker: Option<&Marker>,
) -> Result<(Directory, Vec<Warning>), DirectoryError> {
    let file = file::read(&settings.file)?;
    of_text(settings, &file.text, file.is_exposed, roles, (limits, marker))
}

/// The directory that a file's text makes. `is_exposed`: whether anybody may read the file.
///
/// # Errors
///
/// As [`load`], but for reading.
pub(crate) fn of_text(
    settings: &DirectorySettings,
    text: &str,
    is_exposed: bool,
    roles: &Roles,
    (limits, marker): (Limits, Option<&Marker>),
) -> Result<(Directory, Vec<Warning>), DirectoryError> {
    let content =
        entry::parse(text, settings.format).map_err(|fault| fault.at(&settings.file, text))?;
    let mut warnings = Warnings::new(&settings.file);
    let merged = merge_roles(roles, &content).map_err(|fault| fault.at(&settings.file, text));
    let mut roles = merged?;
    for role in &content.roles {
        let (line, column) = error::place(text, role.offset);
        let place = format!("{}:{line}:{column}", settings.file.display());
        roles.stands_at(&role.name, place);
    }
    let lines = lines(text, content.entries.iter().map(|entry| entry.offset));
    if is_exposed && content.entries.iter().any(Entry::has_password) {
        warnings
            .add(None, "everybody on this machine may read the passwords in it: chmod o-r".into());
    }
    let users = build(settings, content.entries, &roles, (limits, marker), &mut warnings)?;
    if users.is_empty() {
        warnings.add(None, "no users".into());
    }
    let decoy = decoy(&users, &mut warnings)?;
    let by_name =
        users.iter().enumerate().map(|(place, user)| (user.name.clone(), place)).collect();
    let (name, file, format) = (settings.name.clone(), settings.file.clone(), settings.format);
    let directory = Directory { name, file, format, users, lines, by_name, roles, decoy };
    Ok((directory, warnings.into_vec()))
}

/// The lines, from 1, on which these bytes stand. Going back begins anew.
fn lines(text: &str, offsets: impl Iterator<Item = usize>) -> Vec<u32> {
    let (mut line, mut seen) = (1_u32, 0);
    let count = |offset: usize| {
        if offset < seen {
            (line, seen) = (1, 0);
        }
        let between = text.as_bytes().get(seen..offset).unwrap_or_default();
        let breaks = memchr::memchr_iter(b'\n', between).count();
        line = line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        seen = offset.min(text.len());
        line
    };
    offsets.map(count).collect()
}

fn merge_roles(roles: &Roles, content: &Content) -> Result<Roles, error::Fault> {
    let mut merged = roles.clone();
    for role in &content.roles {
        merged
            .define(&role.name, &role.grants)
            .map_err(|error| error::Fault::new(role.offset, error.to_string()))?;
    }
    Ok(merged)
}

fn build(
    settings: &DirectorySettings,
    entries: Vec<Entry>,
    roles: &Roles,
    (limits, marker): (Limits, Option<&Marker>),
    warnings: &mut Warnings,
) -> Result<Vec<Arc<User>>, DirectoryError> {
    let mut users = Vec::with_capacity(entries.len());
    let mut plaintext = file::Names::default();
    let mut weak = file::Names::default();
    for entry in entries {
        let (password, damaged) = match entry.hash(limits, marker) {
            Ok(password) => (password, false),
            Err(PasswordHashError::Unavailable) => return Err(DirectoryError::Unavailable),
            Err(error) => {
                warnings.add(Some(&entry.name), format!("disabled: {error}"));
                (None, true)
            }
        };
        if entry.is_plaintext() {
            plaintext.add(&entry.name);
        } else if password.as_ref().is_some_and(|hash| hash.family().is_weak()) {
            weak.add(&entry.name);
        }
        let user = file::user(settings, entry, password, damaged, roles, warnings);
        users.push(Arc::new(user));
    }
    if let Some(names) = plaintext.text() {
        warnings.add(None, format!("plaintext passwords: {names}; replace them by hashes"));
    }
    if let Some(names) = weak.text() {
        warnings.add(None, format!("hashes that are quickly guessed (apr1, SHA-1): {names}"));
    }
    Ok(users)
}

/// What most users' passwords cost to verify; of equals, the dearest.
fn decoy(
    users: &[Arc<User>],
    warnings: &mut Warnings,
) -> Result<Arc<PasswordHash>, DirectoryError> {
    let mut counts: HashMap<Cost, (usize, &PasswordHash)> = HashMap::new();
    for hash in users.iter().filter_map(|user| user.password.as_deref()) {
        counts.entry(hash.cost()).or_insert((0, hash)).0 += 1;
    }
    if counts.len() > 1 {
        warnings.add(
            None,
            format!(
                "passwords are hashed at {} different costs: the time of a refused login can tell \
                 that a user exists",
                counts.len()
            ),
        );
    }
    let most = counts.iter().max_by_key(|(cost, (count, _))| (*count, **cost));
    let decoy = match most {
        Some((_, (_, hash))) => hash.decoy(),
        None => PasswordHash::written_decoy(),
    };
    decoy.map(Arc::new).map_err(|_| DirectoryError::Unavailable)
}

#[cfg(test)]
mod tests;
