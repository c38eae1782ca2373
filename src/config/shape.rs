//! Which keys there are and what kind of value each takes, read from the schema of the file.
//!
//! [`Shape::check`] finds every unknown key, every missing one and every value of the wrong kind in
//! one pass; what passes can be read into the structs of `file`.

use serde_json::Value as Json;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::tree::{Node, Table, Value};

/// What may stand somewhere in the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Boolean,
    /// One of several shapes.
    Either(Vec<Shape>),
    Integer,
    /// A table with these keys.
    Keys(Vec<Known>),
    List(Box<Shape>),
    /// A table whose keys the operator chooses.
    Names(Box<Shape>),
    Text(Text),
    /// One of these words.
    Word(Vec<String>),
}

/// A key that is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) required: bool,
}

/// What a string means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Any,
    Duration,
    Secret,
    Size,
}

impl Shape {
    /// The shape of the whole file.
    pub(super) fn root() -> Self {
        Self::from_schema(&file::schema(true))
    }

    fn from_schema(schema: &Json) -> Self {
        if let Some(choices) = schema.get("anyOf").and_then(Json::as_array) {
            return Self::Either(choices.iter().map(Self::from_schema).collect());
        }
        if let Some(words) = schema.get("enum").and_then(Json::as_array) {
            let words = words.iter().filter_map(Json::as_str).map(str::to_owned).collect();
            return Self::Word(words);
        }
        match schema.get("type").and_then(Json::as_str) {
            Some("boolean") => Self::Boolean,
            Some("integer") => Self::Integer,
            Some("array") => {
                Self::List(Box::new(Self::from_schema(schema.get("items").unwrap_or(&Json::Null))))
            }
            Some("object") => match schema.get("properties").and_then(Json::as_object) {
                Some(properties) => {
                    let required = schema.get("required").and_then(Json::as_array);
                    let is_required =
                        |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
                    let known = |(name, schema): (&String, &Json)| Known {
                        name: name.clone(),
                        shape: Self::from_schema(schema),
                        required: is_required(name),
                    };
                    Self::Keys(properties.iter().map(known).collect())
                }
                None => Self::Names(Box::new(Self::from_schema(
                    schema.get("additionalProperties").unwrap_or(&Json::Null),
                ))),
            },
            _ => Self::Text(match schema.get("format").and_then(Json::as_str) {
                Some("duration") => Text::Duration,
                Some("secret") => Text::Secret,
                Some("size") => Text::Size,
                _ => Text::Any,
            }),
        }
    }

    /// Finds everything in `node` that does not fit.
    pub(super) fn check(&self, node: &Node, key: &Key, findings: &mut Findings<'_>) {
        match (self, &node.value) {
            (Self::Boolean, Value::Boolean(_))
            | (Self::Integer, Value::Integer(_))
            | (Self::Text(_), Value::Text(_)) => {}
            (Self::Keys(known), Value::Table(table)) => {
                check_keys(known, table, key, findings);
            }
            (Self::Names(shape), Value::Table(table)) => {
                for entry in &table.0 {
                    shape.check(&entry.node, &key.child(&entry.name), findings);
                }
            }
            (Self::List(shape), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    shape.check(item, &key.item(index), findings);
                }
            }
            (Self::Either(choices), _) => {
                match choices.iter().find(|choice| choice.is_kind_of(node)) {
                    Some(choice) => choice.check(node, key, findings),
                    None => self.refuse(node, key, findings),
                }
            }
            (Self::Word(words), Value::Text(text)) => {
                if !words.contains(text) {
                    let hint = suggest(text, words.iter().map(String::as_str));
                    findings.error_at(node.origin, key, format!("`{}` is {hint}", text.as_str()));
                }
            }
            _ => self.refuse(node, key, findings),
        }
    }

    fn is_kind_of(&self, node: &Node) -> bool {
        matches!(
            (self, &node.value),
            (Self::Boolean, Value::Boolean(_))
                | (Self::Integer, Value::Integer(_))
                | (Self::Keys(_) | Self::Names(_), Value::Table(_))
                | (Self::List(_), Value::List(_))
                | (Self::Text(_) | Self::Word(_), Value::Text(_))
        )
    }

    fn refuse(&self, node: &Node, key: &Key, findings: &mut Findings<'_>) {
        let reason = format!("must be {}, not {}", self.describe(), node.kind());
        findings.error_at(node.origin, key, reason);
    }

    fn describe(&self) -> String {
        match self {
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Either(choices) => {
                choices.iter().map(Self::describe).collect::<Vec<_>>().join(" or ")
            }
            Self::Integer => "a whole number".to_owned(),
            Self::Keys(_) | Self::Names(_) => "a table".to_owned(),
            Self::List(shape) if matches!(**shape, Self::Keys(_)) => {
                "a list of tables in brackets".to_owned()
            }
            Self::List(_) => "a list of strings in brackets".to_owned(),
            Self::Text(Text::Any | Text::Secret) => "a string in quotes".to_owned(),
            Self::Text(Text::Duration) => "a duration in quotes such as \"30s\"".to_owned(),
            Self::Text(Text::Size) => "a size in quotes such as \"64KiB\"".to_owned(),
            Self::Word(words) => format!("{} in quotes", list(words.iter().map(String::as_str))),
        }
    }
}

fn check_keys(known: &[Known], table: &Table, key: &Key, findings: &mut Findings<'_>) {
    for entry in &table.0 {
        let below = key.child(&entry.name);
        if let Some(known) = known.iter().find(|known| known.name == entry.name) {
            known.shape.check(&entry.node, &below, findings);
        } else {
            let hint = suggest(&entry.name, known.iter().map(|known| known.name.as_str()));
            findings.error_at(entry.origin, &below, format!("is {hint}"));
        }
    }
    for missing in known.iter().filter(|known| known.required) {
        if table.get(&missing.name).is_none() {
            let reason = format!("is missing: must be {}", missing.shape.describe());
            findings.error(&key.child(&missing.name), reason);
        }
    }
}

/// "unknown; did you mean `x`?", or all there is.
pub(super) fn suggest<'a>(wrong: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    // `warning` for `warn` is far in edits, and near in meaning.
    let is_cut = |name: &&str| {
        wrong.len().min(name.len()) >= 4 && (wrong.starts_with(*name) || name.starts_with(wrong))
    };
    if let Some(name) = known.clone().find(is_cut) {
        return format!("unknown; did you mean `{name}`?");
    }
    let nearest = known.clone().map(|name| (distance(wrong, name), name)).min();
    match nearest {
        Some((distance, name)) if distance <= (name.len() / 3).max(1) => {
            format!("unknown; did you mean `{name}`?")
        }
        Some(_) => format!("unknown; write {}", list(known)),
        None => "unknown".to_owned(),
    }
}

/// "`a`, `b` or `c`".
pub(super) fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match (words.pop(), words.is_empty()) {
        (Some(last), true) => last,
        (Some(last), false) => format!("{} or {last}", words.join(", ")),
        (None, _) => "nothing".to_owned(),
    }
}

/// Edits from one word to the other (Levenshtein), on at most 64 characters.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, left) in from.chars().take(64).enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(index + 1);
        for ((right, pair), above) in to.iter().zip(row.windows(2)).zip(row.iter().skip(1)) {
            let diagonal = pair.first().copied().unwrap_or(0) + usize::from(left != *right);
            let before = next.last().copied().unwrap_or(0) + 1;
            next.push(diagonal.min(before).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let names = ["address", "protocols", "tls", "limits"];
        assert_eq!(suggest("adress", names.into_iter()), "unknown; did you mean `address`?");
        assert_eq!(suggest("tsl", names.into_iter()), {
            "unknown; write `address`, `protocols`, `tls` or `limits`"
        });
        assert_eq!(suggest("tl", names.into_iter()), "unknown; did you mean `tls`?");
    }

    #[test]
    fn distances_count_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn the_shape_knows_units_words_and_what_is_required() {
        let Shape::Keys(root) = Shape::root() else { panic!("the root is a table") };
        let section = |name: &str| root.iter().find(|known| known.name == name).unwrap();
        let Shape::Names(listener) = &section("listeners").shape else { panic!("names") };
        let Shape::Keys(listener) = &**listener else { panic!("keys") };
        let key = |name: &str| listener.iter().find(|known| known.name == name).unwrap();

        assert!(key("address").required);
        assert!(!key("tls").required);
        assert!(matches!(&key("tls").shape, Shape::Keys(tls) if tls.len() == 2));
        let Shape::Keys(log) = &section("log").shape else { panic!("keys") };
        let shape = |name: &str| &log.iter().find(|known| known.name == name).unwrap().shape;
        assert_eq!(shape("queue"), &Shape::Text(Text::Size));
        assert_eq!(
            shape("format"),
            &Shape::Word(vec!["auto".into(), "json".into(), "text".into()])
        );
        assert_eq!(shape("access"), &Shape::Boolean);
    }
}
