//! JSON into [`Node`]s. `serde_json` decides what is JSON, and says where it is not; a second,
//! simple pass over what it accepted finds out where the values stand.

use serde::de::IgnoredAny;

use super::error::{Fault, offset};
use super::node::{self, MAX_DEPTH, Node, Pair, Value};

/// Parses a text of one value; an empty one is [`Value::Null`].
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    if text.trim_ascii().is_empty() {
        return Ok(Node { value: Value::Null, span: text.len()..text.len() });
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let at = offset(text, error.line(), error.column().max(1));
        return Err(Fault::new(at, "not valid JSON here"));
    }
    Scanner { text, at: 0 }.node(0)
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn node(&mut self, depth: usize) -> Result<Node, Fault> {
        self.skip_space();
        let start = self.at;
        if depth > MAX_DEPTH {
            return Err(Fault::new(start, "nested too deeply"));
        }
        let value = match self.peek() {
            Some(b'{') => self.map(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text { text: self.string()?, plain: false },
            _ => self.word(),
        };
        Ok(Node { value, span: start..self.at })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        self.at += 1;
        while !self.closes(b']')? {
            items.push(self.node(depth + 1)?);
        }
        Ok(Value::List { items, flow: true })
    }

    fn map(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut pairs = Vec::new();
        self.at += 1;
        while !self.closes(b'}')? {
            let start = self.at;
            let key = self.string()?;
            let key_span = start..self.at;
            self.skip_space();
            self.at += 1; // the colon
            let value = self.node(depth + 1)?;
            pairs.push(Pair { key, key_span, value });
        }
        node::map(pairs, true)
    }

    /// Steps over space and a comma, and over the closing bracket if it is there.
    fn closes(&mut self, bracket: u8) -> Result<bool, Fault> {
        self.skip_space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.skip_space();
        }
        let next = self.peek().ok_or(Fault::new(self.at, "not valid JSON here"))?;
        self.at += usize::from(next == bracket);
        Ok(next == bracket)
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(Fault::new(start, "not valid JSON here")),
            }
        }
        self.at += 1;
        let literal = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(literal).map_err(|_| Fault::new(start, "not valid JSON here"))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Value {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |byte: u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.at += length;
        match rest.get(..length) {
            Some("true") => Value::Bool(true),
            Some("false") => Value::Bool(false),
            Some("null") => Value::Null,
            _ => Value::Number,
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_hold_exactly_what_was_written() {
        let text = "[ {\"na\\\"me\" : \"é\\u0041\",\n \"n\": [1, -2.5e3, true, null, {}] } , [ ] ]";
        let root = parse(text).unwrap();
        assert_eq!(root.span, 0..text.len());
        let pairs = root.list().unwrap()[0].map().unwrap();
        assert_eq!(pairs[0].key, "na\"me");
        assert_eq!(pairs[0].value.text().unwrap(), "éA");
        assert_eq!(&text[pairs[0].key_span.clone()], "\"na\\\"me\"");
        let items = pairs[1].value.list().unwrap();
        let texts: Vec<&str> = items.iter().map(|item| &text[item.span.clone()]).collect();
        assert_eq!(texts, ["1", "-2.5e3", "true", "null", "{}"]);
        assert!(root.list().unwrap()[1].list().unwrap().is_empty());
    }

    #[test]
    fn what_is_not_json_is_refused_without_quoting_it() {
        for text in
            ["[", "{\"a\": hunter2}", "[1,]", "[] x", "{\"a\":1,\"a\":2}", "'x'", "\u{feff}[]"]
        {
            let fault = parse(text).unwrap_err();
            assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        }
        assert!(parse(&format!("{}{}", "[".repeat(40), "]".repeat(40))).is_err());
        assert!(parse(" \n").unwrap().is_null());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a:{}\\[\\],\"\\\\ \né0-9tfn]{0,60}") {
            if let Ok(node) = parse(&text) {
                prop_assert!(text.get(node.span).is_some());
            }
        }
    }
}
