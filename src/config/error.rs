//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// Where in the configuration something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In a file; lines and columns count from 1, columns in characters.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// In an environment variable.
    Environment(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One thing that is wrong: where, which key, why, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {}{reason}", Prefix(.key))]
pub struct ConfigError {
    /// Where it stands.
    pub place: Place,
    /// The dotted key; empty if the file as a whole is meant.
    pub key: String,
    /// Why it is wrong, and what to write instead. Never part of a secret.
    pub reason: String,
}

/// Everything that is wrong with a configuration; at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// `errors` holds at least one.
    pub(super) fn new(errors: Vec<ConfigError>) -> Self {
        Self(errors)
    }

    /// Each of them, in the order of the files.
    #[must_use]
    pub fn as_slice(&self) -> &[ConfigError] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// A file or folder that the configuration names, and others read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Where it is looked for.
    pub path: PathBuf,
    /// Where it is named.
    pub place: Place,
    /// The dotted key that names it.
    pub key: String,
}

impl NamedFile {
    /// Why it cannot be read, if it cannot.
    #[must_use]
    pub fn unreadable(&self) -> Option<ConfigError> {
        let opened = std::fs::metadata(&self.path).and_then(|metadata| {
            if metadata.is_dir() {
                std::fs::read_dir(&self.path).map(drop)
            } else {
                std::fs::File::open(&self.path).map(drop)
            }
        });
        let error = opened.err()?;
        let reason = format!("cannot read `{}`: {error}", self.path.display());
        Some(ConfigError { place: self.place.clone(), key: self.key.clone(), reason })
    }
}

/// Something that works, and is seldom meant so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub place: Place,
    /// The dotted key.
    pub key: String,
    /// What is odd, and what to do about it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.place, Prefix(&self.key), self.message)
    }
}

/// `key: `, or nothing for the empty key.
struct Prefix<'a>(&'a str);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}
