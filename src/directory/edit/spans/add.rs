//! New users in YAML and JSON files, written as their neighbours are.

use serde_json::Value as Json;

use super::{Editor, literal, pair, users};
use crate::directory::Format;
use crate::directory::edit::NewUser;
use crate::directory::node::{Node, Pair, Value};

impl Editor<'_> {
    pub(super) fn add(&mut self, root: &Node, new: &NewUser) -> Option<()> {
        let Some(users) = users(root) else {
            return self.add_users(root, new);
        };
        match &users.value {
            Value::List { items, flow } => self.add_item(users, items, *flow, new),
            Value::Map { pairs, flow } => self.add_named(users, pairs, *flow, new),
            _ if users.is_null() => self.add_first(root, users, new),
            Value::Bool(_) | Value::Null | Value::Number | Value::Text { .. } => None,
        }
    }

    fn add_item(&mut self, users: &Node, items: &[Node], flow: bool, new: &NewUser) -> Option<()> {
        let Some(last) = items.last() else {
            let inside = users.span.start + 1;
            self.replace(inside..inside, self.flow_entry(new));
            return flow.then_some(());
        };
        if flow {
            let space = self.space_before(last.span.start);
            let space = if space.is_empty() { " " } else { space };
            let text = format!(",{space}{}", self.flow_entry(new));
            self.replace(last.span.end..last.span.end, text);
            return Some(());
        }
        let start = self.block_start(last.span.start, true)?;
        let prefix = self.text.get(start..last.span.start)?;
        self.add_lines(last.span.end, &block_entry(new, prefix, self.newline()))
    }

    fn add_named(&mut self, map: &Node, pairs: &[Pair], flow: bool, new: &NewUser) -> Option<()> {
        let entry = flow_pairs(new.pairs().into_iter().skip(1), self.format);
        if flow {
            let Some(last) = pairs.last() else {
                let inside = map.span.start + 1;
                self.replace(inside..inside, format!("{}: {entry}", literal(&new.name)));
                return Some(());
            };
            let space = self.space_before(last.key_span.start);
            let space = if space.is_empty() { " " } else { space };
            let text = format!(",{space}{}: {entry}", literal(&new.name));
            let end = last.value.span.end;
            self.replace(end..end, text);
            return Some(());
        }
        let last = pairs.last()?;
        let start = self.block_start(last.key_span.start, false)?;
        let indent = self.text.get(start..last.key_span.start)?;
        let (newline, name) = (self.newline(), scalar(&new.name));
        let mut text = format!("{indent}{name}:");
        for (key, value) in new.pairs().into_iter().skip(1) {
            text.push_str(&[newline, indent, "  ", key, ": ", &spell(&value)].concat());
        }
        if new.pairs().len() == 1 {
            text.push_str(" {}");
        }
        text.push_str(newline);
        self.add_lines(last.value.span.end.max(last.key_span.end), &text)
    }

    /// The first user, where there is room for users and none in it.
    fn add_first(&mut self, root: &Node, users: &Node, new: &NewUser) -> Option<()> {
        let newline = self.newline();
        if let Some(pair) = pair(root, "users") {
            if self.format == Format::Json || !users.span.is_empty() {
                let list = format!("[{}]", self.flow_entry(new));
                return self.set_value(pair, &list);
            }
            let (_, column) = self.column(pair.key_span.start)?;
            let prefix = format!("{}- ", " ".repeat(column + 2));
            return self.add_lines(pair.key_span.end, &block_entry(new, &prefix, newline));
        }
        let text = match self.format {
            Format::Json => format!("[{newline}  {}{newline}]{newline}", self.flow_entry(new)),
            Format::Htpasswd | Format::Toml | Format::Yaml => block_entry(new, "- ", newline),
        };
        if !users.span.is_empty() {
            self.replace(users.span.clone(), text.trim_end());
            return Some(());
        }
        self.add_lines(self.text.len(), &text)
    }

    /// The key `users`, in a map that has only roles.
    fn add_users(&mut self, root: &Node, new: &NewUser) -> Option<()> {
        let Value::Map { pairs, flow } = &root.value else { return None };
        if *flow {
            let list = format!("[{}]", self.flow_entry(new));
            return self.insert_pair(root, pairs, true, "users", &list);
        }
        let newline = self.newline();
        let text = format!("users:{newline}{}", block_entry(new, "  - ", newline));
        self.add_lines(root.span.end, &text)
    }

    fn flow_entry(&self, new: &NewUser) -> String {
        flow_pairs(new.pairs().into_iter(), self.format)
    }
}

/// The lines of an entry of a block list, the first behind `prefix`, which ends with `- `.
fn block_entry(new: &NewUser, prefix: &str, newline: &str) -> String {
    let mut text = String::new();
    for (number, (key, value)) in new.pairs().into_iter().enumerate() {
        let value = if key == "username" { scalar(&new.name) } else { spell(&value) };
        let indent = " ".repeat(prefix.chars().count());
        let before = if number == 0 { prefix } else { &indent };
        text.push_str(&[before, key, ": ", &value, newline].concat());
    }
    text
}

fn flow_pairs(pairs: impl Iterator<Item = (&'static str, Json)>, format: Format) -> String {
    let spell = |(key, value): (&str, Json)| {
        let key = if format == Format::Json { literal(key) } else { key.to_owned() };
        format!("{key}: {}", spell(&value))
    };
    format!("{{{}}}", pairs.map(spell).collect::<Vec<_>>().join(", "))
}

/// A value in the spelling that is both JSON's and YAML's.
pub(super) fn spell(value: &Json) -> String {
    match value {
        Json::Array(items) => {
            format!("[{}]", items.iter().map(spell).collect::<Vec<_>>().join(", "))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
            value.to_string()
        }
    }
}

/// A YAML text without quotes where nobody could take it for something else.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_word { text.to_owned() } else { literal(text) }
}
