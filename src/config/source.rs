//! The texts that a configuration is read from, and places in them.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::error::Place;

/// No configuration file is larger than this.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Where a key or value stands: which source, and the byte in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) source: usize,
    pub(super) offset: usize,
}

/// A text that was read. Wiped when dropped, since secrets may stand in it.
#[derive(Debug)]
enum Source {
    Environment(String),
    File {
        path: PathBuf,
        text: Zeroizing<String>,
        /// Where each line begins, so that a place is found without reading all before it.
        lines: Vec<usize>,
    },
}

/// All texts of one configuration; the first is the main file.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<Source>);

impl Sources {
    /// Keeps a file's text; its origins carry the returned number.
    pub(super) fn add_file(&mut self, path: PathBuf, text: Zeroizing<String>) -> usize {
        let after_each = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after_each).collect();
        self.0.push(Source::File { path, text, lines });
        self.0.len() - 1
    }

    /// Keeps the name of a variable.
    pub(super) fn add_variable(&mut self, name: String) -> Origin {
        self.0.push(Source::Environment(name));
        Origin { source: self.0.len() - 1, offset: 0 }
    }

    /// What to call this place in front of people.
    pub(super) fn place(&self, origin: Origin) -> Place {
        match self.0.get(origin.source) {
            Some(Source::File { path, text, lines }) => {
                let before = text.get(..origin.offset).unwrap_or(text);
                let line = lines.partition_point(|&start| start <= before.len());
                let start = lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
                Place::File {
                    path: path.clone(),
                    line,
                    column: before.get(start..).unwrap_or("").chars().count() + 1,
                }
            }
            Some(Source::Environment(name)) => Place::Environment(name.clone()),
            None => Place::File { path: PathBuf::new(), line: 1, column: 1 },
        }
    }

    /// The folder that relative paths written here start from: the file's; for the environment
    /// the main file's.
    pub(super) fn folder(&self, origin: Origin) -> &Path {
        let own = self.0.get(origin.source).and_then(Source::folder);
        own.or_else(|| self.0.first().and_then(Source::folder)).unwrap_or(Path::new(""))
    }

    /// The files, in the order in which they were read.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|source| match source {
            Source::File { path, .. } => Some(path.as_path()),
            Source::Environment(_) => None,
        })
    }
}

impl Source {
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => path.parent(),
            Self::Environment(_) => None,
        }
    }
}

/// Reads a file as text, bounded.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let file = fs::File::open(path)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "is larger than 4 MiB"));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "is not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let mut sources = Sources::default();
        let text = "a = 1\nü = 2\n".to_owned();
        let source = sources.add_file("main.toml".into(), Zeroizing::new(text));
        let place = |offset| sources.place(Origin { source, offset }).to_string();

        assert_eq!(place(0), "main.toml:1:1");
        assert_eq!(place(6), "main.toml:2:1");
        assert_eq!(place(11), "main.toml:2:5");
        assert_eq!(place(99), "main.toml:3:1");
    }
}
