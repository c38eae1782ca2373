//! TOML into [`Node`]s.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Fault;
use super::node::{self, MAX_DEPTH, Node, Pair, Value};

/// Parses a document.
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let table = DeTable::parse(text).map_err(|error| {
        // The message is the parser's own and quotes nothing; its Display would quote the line.
        let at = error.span().map_or(text.len(), |span| span.start);
        Fault::new(at, format!("not valid TOML: {}", error.message()))
    })?;
    let span = table.span();
    Ok(Node { value: map(table.into_inner(), 0)?, span })
}

fn node(value: Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Fault> {
    let span = value.span();
    if depth > MAX_DEPTH {
        return Err(Fault::new(span.start, "nested too deeply"));
    }
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text { text: text.into_owned(), plain: false },
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Array(items) => {
            let items: Result<_, _> = items.into_iter().map(|item| node(item, depth + 1)).collect();
            Value::List { items: items?, flow: true }
        }
        DeValue::Table(table) => map(table, depth)?,
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => Value::Number,
    };
    Ok(Node { value, span })
}

/// In the order of the text, though the parser gives it in the order of the keys.
fn map(table: DeTable<'_>, depth: usize) -> Result<Value, Fault> {
    let mut pairs = Vec::new();
    for (key, value) in table {
        let key_span = key.span();
        let value = node(value, depth + 1)?;
        pairs.push(Pair { key: key.into_inner().into_owned(), key_span, value });
    }
    pairs.sort_by_key(|pair| pair.key_span.start);
    node::map(pairs, true)
}
