//! Apache's htpasswd files: `name:hash` lines, comments, blank lines.
//!
//! What follows a second colon is ignored, as Apache does. A hash behind a `!` belongs to a
//! disabled user, as in shadow(5).

use std::collections::HashSet;

use super::entry::{Content, Entry};
use super::error::Fault;
use crate::user;

/// A line that is a user's, in parts.
pub(super) struct Line<'t> {
    pub(super) name: &'t str,
    pub(super) locked: bool,
    pub(super) hash: &'t str,
    /// From the second colon on.
    pub(super) rest: &'t str,
}

impl<'t> Line<'t> {
    /// `None`: a comment or blank line. An error: neither that nor a user's.
    pub(super) fn parse(line: &'t str) -> Option<Result<Self, &'static str>> {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            return None;
        }
        let Some((name, rest)) = line.split_once(':') else {
            return Some(Err("expected `name:hash`"));
        };
        let (hash, rest) = match rest.find(':') {
            Some(colon) => rest.split_at_checked(colon).unwrap_or((rest, "")),
            None => (rest, ""),
        };
        let hash = hash.trim_end();
        let (locked, hash) = match hash.strip_prefix('!') {
            Some(hash) => (true, hash),
            None => (false, hash),
        };
        Some(Ok(Self { name, locked, hash, rest }))
    }
}

/// Parses a file; lines may end in CR LF.
pub(super) fn parse(text: &str) -> Result<Content, Fault> {
    let mut content = Content::default();
    let mut names = HashSet::new();
    let mut offset = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(line) = Line::parse(line) {
            let line = line.map_err(|what| Fault::new(offset, what))?;
            user::check_name(line.name).map_err(|error| Fault::new(offset, error.to_string()))?;
            if !names.insert(line.name) {
                return Err(Fault::new(offset, format!("user `{}` stands twice", line.name)));
            }
            content.entries.push(Entry {
                passhash: (!line.hash.is_empty()).then(|| line.hash.to_owned().into()),
                disabled: line.locked,
                ..Entry::named(line.name, offset)
            });
        }
        offset += whole.len();
    }
    Ok(content)
}
