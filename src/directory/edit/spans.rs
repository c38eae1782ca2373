//! Changes to YAML and JSON files: pieces of the text are replaced where the parser says that
//! they stand, and the rest is not touched.

mod add;

use std::ops::Range;

use serde_json::Value as Json;

use self::add::spell;
use super::{Change, Update, is_nothing, spelled};
use crate::directory::Format;
use crate::directory::entry::parse_node;
use crate::directory::node::{Node, Pair, Value};

/// The new text; `None`: the file's shape is not one that is known.
pub(super) fn rewrite(text: &str, format: Format, change: &Change) -> Option<String> {
    let root = parse_node(text, format).ok()??;
    let mut editor = Editor { text, format, edits: Vec::new() };
    match change {
        Change::Add(new) => editor.add(&root, new)?,
        Change::Disable(name) => editor.set(find(&root, name)?.entry, "disabled", "true")?,
        Change::Enable(name) => {
            let entry = find(&root, name)?.entry;
            if pair(entry, "disabled").is_some() {
                editor.set(entry, "disabled", "false")?;
            }
        }
        Change::Remove(name) => editor.remove(&find(&root, name)?)?,
        Change::SetPassword { name, hash } => {
            editor.set_password(find(&root, name)?.entry, hash)?;
        }
        Change::Update(update) => editor.update(find(&root, &update.name)?.entry, update)?,
        Change::SetRole { name, grants } => {
            editor.set_role(&root, name, &spell(&Json::from(grants.clone())))?;
        }
        Change::RemoveRole(name) => {
            let roles = &pair(&root, "roles")?.value;
            editor.remove(&found(roles, |key, _| key == Some(name))?)?;
        }
    }
    editor.finish()
}

/// A user's place: in a list, or under a name in a map.
struct Found<'n> {
    entry: &'n Node,
    /// Where the entry begins, the ends of what is around it, and the start of the next.
    start: usize,
    end: usize,
    previous_end: Option<usize>,
    next_start: Option<usize>,
    flow: bool,
    in_list: bool,
}

/// The list or map of users, if there is one.
fn users(root: &Node) -> Option<&Node> {
    match &root.value {
        Value::Map { .. } => pair(root, "users").map(|pair| &pair.value),
        Value::Bool(_) | Value::List { .. } | Value::Null | Value::Number | Value::Text { .. } => {
            Some(root)
        }
    }
}

fn pair<'n>(node: &'n Node, key: &str) -> Option<&'n Pair> {
    node.map().ok()?.iter().find(|pair| pair.key == key)
}

fn find<'n>(root: &'n Node, name: &str) -> Option<Found<'n>> {
    found(users(root)?, |key, item| {
        let of = |key| pair(item, key).and_then(|pair| pair.value.text().ok());
        let named = || of("username").or_else(|| of("name"));
        key.or_else(named) == Some(name)
    })
}

/// The first of a list or map of which `is`, asked by its key and value, says so.
fn found(all: &Node, is: impl Fn(Option<&str>, &Node) -> bool) -> Option<Found<'_>> {
    let (parts, place, flow, in_list): (Vec<(usize, &Node)>, _, _, _) = match &all.value {
        Value::List { items, flow } => {
            let parts = items.iter().map(|item| (item.span.start, item)).collect();
            (parts, items.iter().position(|item| is(None, item))?, *flow, true)
        }
        Value::Map { pairs, flow } => {
            let parts = pairs.iter().map(|pair| (pair.key_span.start, &pair.value)).collect();
            let is = |pair: &Pair| is(Some(&pair.key), &pair.value);
            (parts, pairs.iter().position(is)?, *flow, false)
        }
        Value::Bool(_) | Value::Null | Value::Number | Value::Text { .. } => return None,
    };
    let (start, entry) = *parts.get(place)?;
    let previous = place.checked_sub(1).and_then(|place| parts.get(place));
    Some(Found {
        entry,
        start,
        end: entry.span.end.max(start),
        previous_end: previous.map(|(_, node)| node.span.end),
        next_start: parts.get(place + 1).map(|(start, _)| *start),
        flow,
        in_list,
    })
}

struct Editor<'t> {
    text: &'t str,
    format: Format,
    edits: Vec<(Range<usize>, String)>,
}

impl Editor<'_> {
    fn finish(mut self) -> Option<String> {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut changed = String::with_capacity(self.text.len() + 256);
        let mut at = 0;
        for (range, with) in &self.edits {
            changed.push_str(self.text.get(at..range.start)?);
            changed.push_str(with);
            at = range.end;
        }
        changed.push_str(self.text.get(at..)?);
        Some(changed)
    }

    fn replace(&mut self, range: Range<usize>, with: impl Into<String>) {
        self.edits.push((range, with.into()));
    }

    fn set_password(&mut self, entry: &Node, hash: &str) -> Option<()> {
        let hash = literal(hash);
        match (pair(entry, "passhash"), pair(entry, "password")) {
            (None, Some(password)) => {
                self.replace(password.key_span.clone(), self.key("passhash"));
                self.set_value(password, &hash)
            }
            (Some(passhash), Some(password)) => {
                self.set_value(password, "\"\"")?;
                self.set_value(passhash, &hash)
            }
            (_, None) => self.set(entry, "passhash", &hash),
        }
    }

    fn update(&mut self, entry: &Node, update: &Update) -> Option<()> {
        if let Some(hash) = &update.hash {
            self.set_password(entry, hash)?;
        }
        for (key, value) in update.pairs() {
            let spelled = spelled(key, |key| pair(entry, key).is_some());
            if pair(entry, spelled).is_some() || key == "home" || !is_nothing(&value) {
                self.set(entry, spelled, &spell(&value))?;
            }
        }
        Some(())
    }

    fn set_role(&mut self, root: &Node, name: &str, grants: &str) -> Option<()> {
        let role = format!("{}: {grants}", literal(name));
        let Some(roles) = pair(root, "roles") else {
            return self.set(root, "roles", &format!("{{{role}}}"));
        };
        if let Some(known) = pair(&roles.value, name) {
            return self.set_value(known, grants);
        }
        let Value::Map { pairs, flow } = &roles.value.value else {
            return if roles.value.is_null() {
                self.set_value(roles, &format!("{{{role}}}"))
            } else {
                None
            };
        };
        if pairs.is_empty() {
            return self.set_value(roles, &format!("{{{role}}}"));
        }
        self.insert_spelled(&roles.value, pairs, *flow, &literal(name), grants)
    }

    /// Gives a key of an entry another value, or adds the pair.
    fn set(&mut self, entry: &Node, key: &str, value: &str) -> Option<()> {
        if let Some(pair) = pair(entry, key) {
            return self.set_value(pair, value);
        }
        let Value::Map { pairs, flow } = &entry.value else { return None };
        self.insert_pair(entry, pairs, *flow, key, value)
    }

    fn set_value(&mut self, pair: &Pair, value: &str) -> Option<()> {
        let span = pair.value.span.clone();
        let old = self.text.get(span.clone())?;
        if old.is_empty() {
            let colon = pair.key_span.end;
            if self.text.get(colon..=colon)? != ":" {
                return None;
            }
            self.replace(colon + 1..colon + 1, format!(" {value}"));
        } else {
            let end = if old.ends_with('\n') { self.newline() } else { "" };
            self.replace(span, format!("{value}{end}"));
        }
        Some(())
    }

    /// Adds a pair before the second one, spaced as that is, so that the name stays in front.
    fn insert_pair(
        &mut self,
        map: &Node,
        pairs: &[Pair],
        flow: bool,
        key: &str,
        value: &str,
    ) -> Option<()> {
        self.insert_spelled(map, pairs, flow, &self.key(key), value)
    }

    fn insert_spelled(
        &mut self,
        map: &Node,
        pairs: &[Pair],
        flow: bool,
        key: &str,
        value: &str,
    ) -> Option<()> {
        let Some(anchor) = pairs.get(1).or(pairs.first()) else {
            let inside = map.span.start + 1;
            self.replace(inside..inside, format!("{key}: {value}"));
            return flow.then_some(());
        };
        let at = anchor.key_span.start;
        let space = self.space_before(at);
        let text = if flow {
            format!("{key}: {value},{}", if space.is_empty() { " " } else { space })
        } else {
            let (start, column) = self.column(at)?;
            let indent = " ".repeat(column);
            // Behind a `- `, or on a line of its own.
            let is_dash = self.text.get(start..at)?.trim_start() == "- ";
            if !is_dash && !self.text.get(start..at)?.trim().is_empty() {
                return None;
            }
            format!("{key}: {value}{}{indent}", self.newline())
        };
        self.replace(at..at, text);
        Some(())
    }

    fn remove(&mut self, found: &Found<'_>) -> Option<()> {
        if found.flow {
            let range = match (found.next_start, found.previous_end) {
                (Some(next), _) => found.start..next,
                (None, Some(previous)) => previous..found.end,
                (None, None) => found.start..found.end,
            };
            self.replace(range, "");
            return Some(());
        }
        let start = self.block_start(found.start, found.in_list)?;
        let next = match found.next_start {
            Some(next) => self.block_start(next, found.in_list)?,
            None => self.text.len(),
        };
        // Comments between this one and the next belong to the next.
        self.replace(start..self.line_end(found.end).min(next), "");
        Some(())
    }

    /// Puts whole lines behind the line in which `at` lies.
    fn add_lines(&mut self, at: usize, lines: &str) -> Option<()> {
        let end = self.line_end(at);
        let before = self.text.get(..end)?;
        let is_open = !before.is_empty() && !before.ends_with('\n');
        let newline = if is_open { self.newline() } else { "" };
        self.replace(end..end, format!("{newline}{lines}"));
        Some(())
    }

    fn key(&self, key: &str) -> String {
        if self.format == Format::Json { literal(key) } else { key.to_owned() }
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// White space directly before `at`.
    fn space_before(&self, at: usize) -> &str {
        let before = self.text.get(..at).unwrap_or_default();
        before.get(before.trim_end().len()..).unwrap_or_default()
    }

    /// The start of the line of `at`, and how many characters of it are before `at`.
    fn column(&self, at: usize) -> Option<(usize, usize)> {
        let start = self.text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
        Some((start, self.text.get(start..at)?.chars().count()))
    }

    /// The start of the line with which a block entry begins, if there is nothing else on it.
    fn block_start(&self, at: usize, in_list: bool) -> Option<usize> {
        let (start, _) = self.column(at)?;
        let before = self.text.get(start..at)?.trim_start_matches(' ');
        let expected =
            if in_list { before.strip_prefix('-')?.trim_start_matches(' ') } else { before };
        expected.is_empty().then_some(start)
    }

    /// Behind the line in which `at` lies; `at` itself where it begins a line.
    fn line_end(&self, at: usize) -> usize {
        if at > 0 && self.text.get(..at).is_some_and(|before| before.ends_with('\n')) {
            return at;
        }
        let rest = self.text.get(at..).unwrap_or_default();
        rest.find('\n').map_or(self.text.len(), |newline| at + newline + 1)
    }
}

fn literal(text: &str) -> String {
    Json::from(text).to_string()
}
