//! What can be wrong with a file of users, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a directory could not be loaded. Never holds any part of a hash or password.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Something in the file is wrong.
    #[error("{}{}: {what}", .file.display(), Colon(*.place))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Line and column, from 1, where they are known.
        place: Option<(usize, usize)>,
        /// What is wrong.
        what: String,
    },
    /// It is larger than 64 MiB.
    #[error("{}: larger than 64 MiB", .file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// There is no randomness to make a decoy with.
    #[error("no randomness")]
    Unavailable,
    /// It can't be read.
    #[error("{}: cannot be read", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DirectoryError {
    /// Whether there is no such file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// `:line:column`, or nothing.
struct Colon(Option<(usize, usize)>);

impl fmt::Display for Colon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// Something odd about a directory that was loaded all the same. Never holds any part of a hash
/// or password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub file: PathBuf,
    /// The user it is about.
    pub user: Option<Box<str>>,
    /// What is odd, and what follows from it.
    pub message: String,
    /// Whether it is about a role that nobody has defined.
    pub(super) unknown_role: bool,
}

impl Warning {
    /// Whether it is about a role that is not defined. Who reads a file without the
    /// configuration can't know.
    #[must_use]
    pub fn is_unknown_role(&self) -> bool {
        self.unknown_role
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file.display())?;
        if let Some(user) = &self.user {
            write!(f, "user `{user}`: ")?;
        }
        f.write_str(&self.message)
    }
}

/// What is wrong, and at which byte of the text.
#[derive(Debug)]
pub(super) struct Fault {
    offset: usize,
    what: String,
}

impl Fault {
    pub(super) fn new(offset: usize, what: impl Into<String>) -> Self {
        Self { offset, what: what.into() }
    }

    pub(super) fn into_what(self) -> String {
        self.what
    }

    /// Says so of a file that holds `text`.
    pub(super) fn at(self, file: &Path, text: &str) -> DirectoryError {
        let place = Some(place(text, self.offset));
        DirectoryError::Invalid { file: file.to_owned(), place, what: self.what }
    }
}

/// Line and column (in characters) of a byte, from 1.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let offset = text.floor_char_boundary(offset);
    let before = text.get(..offset).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The byte at which a line and column (in characters), from 1, stand.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let within = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    start + within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let text = "a: é\n  b: x\n";
        assert_eq!(place(text, 0), (1, 1));
        assert_eq!(place(text, 5), (1, 5));
        assert_eq!(place(text, 6), (2, 1));
        assert_eq!(place(text, 8), (2, 3));
        assert_eq!(place(text, 999), (3, 1));
        assert_eq!(place("é", 1), (1, 1));
        for at in [0, 3, 6, 8, 11] {
            let (line, column) = place(text, at);
            assert_eq!(offset(text, line, column), at);
        }
        assert_eq!(offset(text, 99, 99), text.len());
    }
}
