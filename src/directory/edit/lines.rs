//! Changes to htpasswd files, line by line.

use super::{Change, NewUser, Update};
use crate::directory::htpasswd::Line;

/// The new text; other lines stay as they are.
pub(super) fn rewrite(text: &str, change: &Change) -> Option<String> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut changed = String::with_capacity(text.len() + 128);
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\r', '\n']);
        let end = whole.get(line.len()..)?;
        match Line::parse(line) {
            Some(Ok(parts)) if Some(parts.name) == name(change) => {
                if let Some(line) = replace(&parts, change) {
                    changed.push_str(&line);
                    changed.push_str(end);
                }
            }
            _ => changed.push_str(whole),
        }
    }
    if let Change::Add(NewUser { name, hash, disabled, .. }) = change {
        if !changed.is_empty() && !changed.ends_with('\n') {
            changed.push_str(newline);
        }
        let hash = hash.as_deref().unwrap_or_default();
        let lock = if *disabled { "!" } else { "" };
        changed.push_str(&[name, ":", lock, hash, newline].concat());
    }
    Some(changed)
}

/// Whose line is to be changed.
fn name(change: &Change) -> Option<&str> {
    match change {
        Change::Add(_) | Change::RemoveRole(_) | Change::SetRole { .. } => None,
        Change::Update(update) => Some(&update.name),
        Change::Disable(name)
        | Change::Enable(name)
        | Change::Remove(name)
        | Change::SetPassword { name, .. } => Some(name),
    }
}

/// The line instead; `None`: no line.
fn replace(line: &Line<'_>, change: &Change) -> Option<String> {
    let (lock, hash) = match change {
        Change::Disable(_) => ("!", line.hash),
        Change::Enable(_) => ("", line.hash),
        Change::SetPassword { hash, .. } => (if line.locked { "!" } else { "" }, hash.as_str()),
        Change::Update(Update { hash, disabled, .. }) => {
            let lock = if disabled.unwrap_or(line.locked) { "!" } else { "" };
            (lock, hash.as_deref().unwrap_or(line.hash))
        }
        Change::Add(_) | Change::Remove(_) | Change::RemoveRole(_) | Change::SetRole { .. } => {
            return None;
        }
    };
    Some(format!("{}:{lock}{hash}{}", line.name, line.rest))
}
