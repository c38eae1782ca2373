//! A structured file as a tree of values that know where they stand. One shape for all three
//! formats, so that the rules for entries, their errors and their edits are written once.

use std::ops::Range;

use super::error::Fault;

/// Deeper than any file of users has reason to be.
pub(super) const MAX_DEPTH: usize = 16;

/// A value and the bytes it takes in the text.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

pub(super) enum Value {
    Bool(bool),
    List {
        items: Vec<Node>,
        flow: bool,
    },
    Map {
        pairs: Vec<Pair>,
        flow: bool,
    },
    Null,
    Number,
    /// A text. A `plain` one was written without quotes, in YAML, where it could be meant as
    /// another kind of value.
    Text {
        text: String,
        plain: bool,
    },
}

/// One key of a map and its value.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Node,
}

/// Prints the kind only: a value may be a password.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

impl Value {
    /// What it is, for an error.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::List { .. } => "a list",
            Self::Map { .. } => "a map",
            Self::Null => "nothing",
            Self::Number => "a number",
            Self::Text { .. } => "a text",
        }
    }
}

impl Node {
    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(self.span.start, what)
    }

    /// Whether nothing is there, in any spelling of it.
    pub(super) fn is_null(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Text { text, plain: true } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Value::Bool(_)
            | Value::List { .. }
            | Value::Map { .. }
            | Value::Number
            | Value::Text { plain: false, .. } => false,
        }
    }

    /// Its text; a plain `123` or `true` of YAML is one where a text is wanted.
    pub(super) fn text(&self) -> Result<&str, Fault> {
        let Value::Text { text, .. } = &self.value else { return Err(self.not("a text")) };
        if self.is_null() { Err(self.not("a text")) } else { Ok(text) }
    }

    pub(super) fn boolean(&self) -> Result<bool, Fault> {
        if let Value::Bool(value) = &self.value {
            return Ok(*value);
        }
        let Value::Text { text, plain: true } = &self.value else {
            return Err(self.not("true or false"));
        };
        match text.as_str() {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => Err(self.not("true or false")),
        }
    }

    /// Its items, or none where nothing is there.
    pub(super) fn list(&self) -> Result<&[Self], Fault> {
        if let Value::List { items, .. } = &self.value {
            return Ok(items);
        }
        if self.is_null() { Ok(&[]) } else { Err(self.not("a list")) }
    }

    /// Its pairs, or none where nothing is there.
    pub(super) fn map(&self) -> Result<&[Pair], Fault> {
        if let Value::Map { pairs, .. } = &self.value {
            return Ok(pairs);
        }
        if self.is_null() { Ok(&[]) } else { Err(self.not("a map")) }
    }

    fn not(&self, expected: &str) -> Fault {
        let found = if self.is_null() { "nothing" } else { self.value.kind() };
        self.fault(format!("expected {expected}, found {found}"))
    }
}

impl Pair {
    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(self.key_span.start, what)
    }
}

/// Makes a map, or says which key stands twice.
pub(super) fn map(pairs: Vec<Pair>, flow: bool) -> Result<Value, Fault> {
    let mut sorted: Vec<&Pair> = pairs.iter().collect();
    sorted.sort_by_key(|pair| (&pair.key, pair.key_span.start));
    for pair in sorted.array_windows() {
        let [one, other] = pair;
        if one.key == other.key {
            return Err(other.fault("a key that stands twice"));
        }
    }
    Ok(Value::Map { pairs, flow })
}
