//! Overrides from the environment: `DOORWARD_<SECTION>_<KEY>`.
//!
//! A key's name is its path, in upper case, joined by `_`; `-` becomes `_` as well. Names of tables
//! may hold underscores, so the longest existing name wins; a table that exists nowhere is made if
//! only one reading of the variable is possible. A variable that means nothing is an error: a
//! misspelt override that silently does nothing is worse than none.

use toml::de::DeValue;
use zeroize::Zeroizing;

use crate::config::findings::Found;
use crate::config::key::{Key, Step};
use crate::config::shape::{Shape, Text, suggest};
use crate::config::source::{Origin, Sources};
use crate::config::tree::{Entry, Node, Table, Value};

const PREFIX: &str = "DOORWARD_";

/// Read by the command line, not here.
const RESERVED: [&str; 2] = ["DOORWARD_CONFIG", "DOORWARD_LOG"];

/// Lays the variables over the tree.
pub(super) fn overlay(
    tree: &mut Table,
    shape: &Shape,
    variables: &[(String, String)],
    sources: &mut Sources,
    found: &mut Found,
) {
    let mut variables: Vec<_> =
        variables.iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    variables.sort();
    let mut waiting: Vec<Variable<'_>> = variables
        .into_iter()
        .map(|(name, value)| Variable { name, value, origin: sources.add_variable(name.clone()) })
        .collect();
    // What could belong to tables of several names waits until the others have named theirs.
    loop {
        let before = waiting.len();
        let mut ambiguous = Vec::new();
        for variable in waiting {
            if let Err(keys) = lay(tree, shape, &variable, sources, found) {
                ambiguous.push((variable, keys));
            }
        }
        if ambiguous.len() == before {
            for (variable, keys) in ambiguous {
                let reason = format!("could mean {keys}: write it into the file");
                found.error(sources, variable.origin, "", reason);
            }
            return;
        }
        waiting = ambiguous.into_iter().map(|(variable, _)| variable).collect();
    }
}

/// A variable of ours.
#[derive(Debug)]
struct Variable<'v> {
    name: &'v str,
    value: &'v str,
    origin: Origin,
}

/// Lays one variable over the tree.
///
/// # Errors
///
/// The keys that it could mean, where these are several; nothing was laid.
fn lay(
    tree: &mut Table,
    shape: &Shape,
    variable: &Variable<'_>,
    sources: &Sources,
    found: &mut Found,
) -> Result<(), String> {
    let Variable { name, value, origin } = *variable;
    let rest = name.strip_prefix(PREFIX).unwrap_or("");
    let mut readings = Vec::new();
    read(shape, Some(tree), rest, &Key::default(), &mut readings);
    match settle(readings)? {
        Some(reading) if reading.key == Key::of("include") => {
            let reason = "can only be written into a file";
            found.error(sources, origin, "include", reason.to_owned());
        }
        Some(reading) => match parse(reading.shape, &reading, value, origin) {
            Ok(node) => set(tree, reading.key.steps(), node, origin),
            Err(reason) => found.error(sources, origin, &reading.key.to_string(), reason),
        },
        None if is_foreign(name, value) || tree.mentions(&format!("env:{name}")) => {}
        None => {
            let names = sections(shape);
            let reason = match rest.split_once('_') {
                Some((section, _)) if names.iter().any(|name| name == section) => {
                    "names no key of its section".to_owned()
                }
                _ => {
                    let section = rest.split('_').next().unwrap_or("");
                    format!(
                        "names no key: section `{section}` is {}",
                        suggest(section, names.iter().map(String::as_str))
                    )
                }
            };
            found.error(sources, origin, "", reason);
        }
    }
    Ok(())
}

/// One way to read a variable's name.
#[derive(Debug)]
struct Reading<'s> {
    key: Key,
    shape: &'s Shape,
    /// The value names a file that holds the secret.
    is_file: bool,
    /// A table must be made for it.
    is_new: bool,
    /// Bytes of the name of a table that exists, if one is on the way.
    known: usize,
}

/// The names of the sections, as variables spell them.
fn sections(shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Keys(known) => known.iter().map(|known| spell(&known.name)).collect(),
        Shape::Boolean
        | Shape::Either(_)
        | Shape::Integer
        | Shape::List(_)
        | Shape::Names(_)
        | Shape::Text(_)
        | Shape::Word(_) => Vec::new(),
    }
}

fn spell(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// Finds every way to read `rest` as a key below `key`.
fn read<'s>(
    shape: &'s Shape,
    table: Option<&Table>,
    rest: &str,
    key: &Key,
    readings: &mut Vec<Reading<'s>>,
) {
    match shape {
        Shape::Keys(known) => {
            for known in known {
                let below = table.and_then(|table| table.get(&known.name));
                let below = below.and_then(|entry| entry.node.as_table());
                let key = key.child(&known.name);
                step(&known.shape, below, &spell(&known.name), rest, &key, readings);
            }
        }
        Shape::Names(shape) => {
            let before = readings.len();
            for entry in table.map(|table| table.0.as_slice()).unwrap_or_default() {
                let start = readings.len();
                let spelt = spell(&entry.name);
                let key = key.child(&entry.name);
                step(shape, entry.node.as_table(), &spelt, rest, &key, readings);
                for reading in readings.iter_mut().skip(start) {
                    reading.known = spelt.len();
                }
            }
            if readings.len() == before && key.steps().len() == 1 {
                let start = readings.len();
                let ends = rest.match_indices('_').map(|(at, _)| at).chain([rest.len()]);
                for end in ends.filter(|end| *end > 0) {
                    let spelt = rest.get(..end).unwrap_or("");
                    let key = key.child(&spelt.to_ascii_lowercase());
                    step(shape, None, spelt, rest, &key, readings);
                }
                for reading in readings.iter_mut().skip(start) {
                    reading.is_new = true;
                }
            }
        }
        Shape::Boolean
        | Shape::Either(_)
        | Shape::Integer
        | Shape::List(_)
        | Shape::Text(_)
        | Shape::Word(_) => {}
    }
}

fn step<'s>(
    shape: &'s Shape,
    table: Option<&Table>,
    spelt: &str,
    rest: &str,
    key: &Key,
    readings: &mut Vec<Reading<'s>>,
) {
    let Some(after) = rest.strip_prefix(spelt) else { return };
    let is_secret = *shape == Shape::Text(Text::Secret);
    if after.is_empty() || (is_secret && after == "_FILE") {
        // Whole sections and whole named tables are no keys.
        let is_table = matches!(shape, Shape::Keys(_) | Shape::Names(_));
        if !is_table || key.steps().len() > 2 {
            let is_file = !after.is_empty();
            readings.push(Reading { key: key.clone(), shape, is_file, is_new: false, known: 0 });
        }
    } else if let Some(below) = after.strip_prefix('_') {
        read(shape, table, below, key, readings);
    }
}

/// The reading with the longest existing name; several new ones are none.
fn settle(mut readings: Vec<Reading<'_>>) -> Result<Option<Reading<'_>>, String> {
    readings.sort_by_key(|reading| (reading.is_new, std::cmp::Reverse(reading.known)));
    if let [first, second, ..] = readings.as_slice()
        && (first.is_new, first.known) == (second.is_new, second.known)
    {
        let keys = readings.iter().map(|reading| format!("`{}`", reading.key));
        return Err(keys.collect::<Vec<_>>().join(" or "));
    }
    Ok(readings.into_iter().next())
}

/// Variables that others put there: reserved ones, and those that Kubernetes sets in every pod for
/// a service of our name (`DOORWARD_PORT=tcp://…`, `DOORWARD_SERVICE_HOST`, …).
fn is_foreign(name: &str, value: &str) -> bool {
    let is_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    RESERVED.contains(&name)
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && value.contains("://"))
        || name.split("_PORT_").skip(1).any(is_digit)
}

/// The value as its key wants it. What does not fit stays a string, and is refused with the key.
fn parse(
    shape: &Shape,
    reading: &Reading<'_>,
    value: &str,
    origin: Origin,
) -> Result<Node, String> {
    let text = |text: String| Value::Text(Zeroizing::new(text));
    let parsed = match shape {
        Shape::Text(_) | Shape::Word(_) if reading.is_file => text(format!("@{value}")),
        Shape::Text(_) | Shape::Word(_) => text(value.to_owned()),
        Shape::Boolean => match value {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => text(value.to_owned()),
        },
        Shape::Integer => match value.parse() {
            Ok(number) => Value::Integer(number),
            Err(_) => text(value.to_owned()),
        },
        Shape::List(_) if !value.trim_start().starts_with('[') => {
            let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
            let node = |item: &str| Node { origin, value: text(item.to_owned()) };
            Value::List(items.map(node).collect())
        }
        Shape::Either(_) if !value.trim_start().starts_with('[') => text(value.to_owned()),
        Shape::List(_) | Shape::Either(_) | Shape::Keys(_) | Shape::Names(_) => {
            return from_toml(value, origin);
        }
    };
    Ok(Node { origin, value: parsed })
}

fn from_toml(value: &str, origin: Origin) -> Result<Node, String> {
    let parsed = DeValue::parse(value)
        .map_err(|error| format!("is not a TOML value: {}", error.message()))?;
    let mut node = Node::from_toml(&parsed, origin.source);
    node.set_origin(origin);
    Ok(node)
}

/// Puts `node` at `steps`, making tables on the way.
fn set(table: &mut Table, steps: &[Step], node: Node, origin: Origin) {
    let [Step::Name(name), rest @ ..] = steps else { return };
    if table.get(name).is_none() {
        let value = Value::Table(Table::default());
        let node = Node { origin, value };
        table.0.push(Entry { name: name.clone(), origin, node });
    }
    let Some(entry) = table.get_mut(name) else { return };
    if rest.is_empty() {
        entry.origin = origin;
        entry.node = node;
    } else {
        if entry.node.as_table().is_none() {
            entry.node = Node { origin, value: Value::Table(Table::default()) };
        }
        if let Some(below) = entry.node.as_table_mut() {
            set(below, rest, node, origin);
        }
    }
}
