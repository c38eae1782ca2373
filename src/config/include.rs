//! Reads the main file and what it includes into one tree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::DeTable;
use zeroize::Zeroizing;

use crate::config::findings::Found;
use crate::config::key::Key;
use crate::config::source::{self, Origin, Sources};
use crate::config::tree::{Node, Table, Value};

/// How deep files may include each other.
const MAX_DEPTH: usize = 8;
/// How many files there may be.
const MAX_FILES: usize = 256;

/// What is read, and what was found wrong with it.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) sources: Sources,
    pub(super) found: Found,
    /// Folders in which a new file would be included.
    pub(super) folders: Vec<PathBuf>,
    /// Canonical paths of what was read.
    read: Vec<PathBuf>,
}

impl Reading {
    /// Reads `path` and everything that it includes; an empty path is no file.
    pub(super) fn read(&mut self, path: &Path) -> Table {
        if path.as_os_str().is_empty() {
            self.sources.add_variable("DOORWARD_*".to_owned());
            return Table::default();
        }
        match source::read(path) {
            Ok(text) => {
                self.read.extend(path.canonicalize());
                self.parse(path, &text, 0)
            }
            Err(error) => {
                let source = self.sources.add_file(path.to_owned(), String::new().into());
                self.error(Origin { source, offset: 0 }, "", unreadable(path, &error));
                Table::default()
            }
        }
    }

    fn parse(&mut self, path: &Path, text: &Zeroizing<String>, depth: usize) -> Table {
        let source = self.sources.add_file(path.to_owned(), text.clone());
        let (parsed, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let offset = error.span().map_or(0, |span| span.start);
            // Only the message: the rendered error repeats the line, which may hold a secret.
            let message = error.message();
            let hint = if message.contains("invalid") || message.contains("quoted") {
                "; text, durations and sizes stand in quotes"
            } else {
                ""
            };
            self.error(Origin { source, offset }, "", format!("is not TOML: {message}{hint}"));
        }
        let mut table = Table::from_toml(parsed.get_ref(), source);
        if let Some(include) = table.remove("include") {
            for node in self.patterns(include.node) {
                self.include(&mut table, path, &node, depth);
            }
        }
        table
    }

    /// The elements of an `include` that are strings; each other one is an error.
    fn patterns(&mut self, include: Node) -> Vec<(Origin, String)> {
        let key = Key::of("include");
        let Value::List(items) = include.value else {
            let reason = format!("must be a list of strings in brackets, not {}", include.kind());
            self.error(include.origin, "include", reason);
            return Vec::new();
        };
        let mut patterns = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let kind = item.kind();
            if let Value::Text(text) = item.value {
                patterns.push((item.origin, text.to_string()));
            } else {
                let reason = format!("must be a string in quotes, not {kind}");
                self.error(item.origin, &key.item(index).to_string(), reason);
            }
        }
        patterns
    }

    fn include(
        &mut self,
        table: &mut Table,
        including: &Path,
        (origin, pattern): &(Origin, String),
        depth: usize,
    ) {
        let files = match self.expand(including, pattern) {
            Ok(files) => files,
            Err(reason) => return self.error(*origin, "include", reason),
        };
        if depth == MAX_DEPTH && !files.is_empty() {
            let reason = format!("is more than {MAX_DEPTH} files deep: include from fewer files");
            return self.error(*origin, "include", reason);
        }
        for file in files {
            match self.open(&file) {
                Ok(text) => {
                    let theirs = self.parse(&file, &text, depth + 1);
                    self.merge(table, theirs);
                }
                Err(reason) => self.error(*origin, "include", reason),
            }
        }
    }

    fn open(&mut self, file: &Path) -> Result<Zeroizing<String>, String> {
        if self.read.len() >= MAX_FILES {
            return Err(format!("names more than {MAX_FILES} files"));
        }
        let canonical = file.canonicalize().map_err(|error| unreadable(file, &error))?;
        if self.read.contains(&canonical) {
            return Err(format!("`{}` is included twice, or by itself", file.display()));
        }
        let text = source::read(file).map_err(|error| unreadable(file, &error))?;
        self.read.push(canonical);
        Ok(text)
    }

    fn merge(&mut self, table: &mut Table, theirs: Table) {
        let Self { sources, found, .. } = self;
        table.merge(theirs, &mut |key, second, first| {
            let reason = format!("is already set at {}: remove one", sources.place(first));
            found.error(sources, second, &key.to_string(), reason);
        });
    }

    /// The files that `pattern` stands for, sorted by name.
    fn expand(&mut self, including: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
        let path = including.parent().unwrap_or(Path::new("")).join(pattern);
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err("names no file: write one such as \"conf.d/*.toml\"".to_owned());
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let given_folder = Path::new(pattern).parent().unwrap_or(Path::new(""));
        if given_folder.to_string_lossy().contains('*') {
            return Err("may have `*` in the name of the file only, not of a folder".to_owned());
        }
        if !name.contains('*') {
            return Ok(vec![path]);
        }
        self.folders.push(folder.to_owned());
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = match fs::read_dir(here) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(folder, &error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(folder, &error))?;
            let file_name = entry.file_name();
            if file_name.to_str().is_some_and(|file_name| matches(name, file_name)) {
                files.push(folder.join(file_name));
            }
        }
        files.retain(|file| !file.is_dir());
        files.sort();
        Ok(files)
    }

    fn error(&mut self, origin: Origin, key: &str, reason: String) {
        self.found.error(&self.sources, origin, key, reason);
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read `{}`: {error}", path.display())
}

/// Whether `name` is what `pattern` means; `*` stands for anything. Hidden files must be named.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middles, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for middle in middles.split('*') {
        let Some(at) = name.find(middle) else { return false };
        name = name.get(at + middle.len()..).unwrap_or("");
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_part_of_a_name() {
        for (pattern, name, expected) in [
            ("*.toml", "a.toml", true),
            ("*.toml", "toml", false),
            ("*.toml", ".hidden.toml", false),
            (".*.toml", ".hidden.toml", true),
            ("*.toml", "a.toml.bak", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("*a*", "bab", true),
            ("a*a", "a", false),
            ("plain", "plain", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
