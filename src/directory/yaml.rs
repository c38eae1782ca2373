//! YAML into [`Node`]s. Anchors, aliases, tags and several documents are refused: an alias can
//! blow a file up, and none of them has a use in a list of users.

use std::borrow::Cow;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use super::error::Fault;
use super::node::{self, MAX_DEPTH, Node, Pair, Value};

/// Parses a text of one document; an empty one is [`Value::Null`].
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let mut reader = Reader { text, events: Parser::new_from_str(text) };
    let mut root = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (event, span) => {
                if root.is_some() {
                    return Err(reader.fault(span, "a second document"));
                }
                root = Some(reader.node(event, span, 0)?);
            }
        }
    }
    Ok(root.unwrap_or(Node { value: Value::Null, span: text.len()..text.len() }))
}

struct Reader<'t, P> {
    text: &'t str,
    events: P,
}

impl<'t, P> Reader<'t, P>
where
    P: Iterator<Item = Result<(Event<'t>, Span), ScanError>>,
{
    fn next(&mut self) -> Result<(Event<'t>, Span), Fault> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                // The parser's own message may quote the text.
                let marker = *error.marker();
                Err(self.fault(Span::empty(marker), "not valid YAML here"))
            }
            None => Err(Fault::new(self.text.len(), "not valid YAML: it ends too early")),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's enum may grow")]
    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Fault> {
        if depth > MAX_DEPTH {
            return Err(self.fault(span, "nested too deeply"));
        }
        match event {
            Event::Scalar(text, style, 0, None) => Ok(self.scalar(text, style, span)),
            Event::SequenceStart(style, 0, None) => self.list(style, span, depth),
            Event::MappingStart(style, 0, None) => self.map(style, span, depth),
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                Err(self.fault(span, "anchors and tags are not read in a file of users"))
            }
            Event::Alias(_) => {
                Err(self.fault(span, "aliases are not read in a file of users; write it out"))
            }
            _ => Err(self.fault(span, "not valid YAML here")),
        }
    }

    fn scalar(&self, text: Cow<'_, str>, style: ScalarStyle, span: Span) -> Node {
        let plain = style == ScalarStyle::Plain;
        let value = Value::Text { text: text.into_owned(), plain };
        Node { value, span: self.bytes(span) }
    }

    fn list(&mut self, style: StructureStyle, span: Span, depth: usize) -> Result<Node, Fault> {
        let mut items: Vec<Node> = Vec::new();
        let end = loop {
            match self.next()? {
                (Event::SequenceEnd, end) => break end,
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        };
        let last = items.last().map(|item| item.span.end);
        let flow = style == StructureStyle::Flow;
        let span = self.whole(span, last, end, flow);
        Ok(Node { value: Value::List { items, flow }, span })
    }

    fn map(&mut self, style: StructureStyle, span: Span, depth: usize) -> Result<Node, Fault> {
        let mut pairs: Vec<Pair> = Vec::new();
        let end = loop {
            let (key, key_span) = match self.next()? {
                (Event::MappingEnd, end) => break end,
                (Event::Scalar(key, _, 0, None), span) => (key.into_owned(), self.bytes(span)),
                (_, span) => return Err(self.fault(span, "a key that is not a plain text")),
            };
            if key == "<<" {
                return Err(Fault::new(key_span.start, "merge keys are not read; write it out"));
            }
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            pairs.push(Pair { key, key_span, value });
        };
        let last = pairs.last().map(|pair| pair.value.span.end.max(pair.key_span.end));
        let flow = style == StructureStyle::Flow;
        let span = self.whole(span, last, end, flow);
        Ok(Node { value: node::map(pairs, flow)?, span })
    }

    /// From the start of a collection to its bracket, or to the end of what is in it.
    fn whole(
        &self,
        start: Span,
        last: Option<usize>,
        end: Span,
        flow: bool,
    ) -> std::ops::Range<usize> {
        let start = self.bytes(start).start;
        let end = if flow { self.bytes(end).end } else { last.unwrap_or(start) };
        start..end.max(start)
    }

    fn bytes(&self, span: Span) -> std::ops::Range<usize> {
        span.byte_range().unwrap_or(self.text.len()..self.text.len())
    }

    fn fault(&self, span: Span, what: &str) -> Fault {
        Fault::new(self.bytes(span).start, what)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_blow_up_or_mislead_is_refused() {
        for text in [
            "- &a x\n- *a",
            "- *a",
            "- !!str x",
            "- ? [a]\n  : b",
            "a: 1\n---\nb: 2",
            "a: 1\na: 2",
            "- <<: {a: b}",
            "- [",
            "{",
            "\"",
            "a: b: c",
            &format!("{}{}", "[".repeat(40), "]".repeat(40)),
            "a: &a [x]\nb: &b [*a, *a]",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_hold_exactly_what_was_written() {
        let text = "# é\n- name: 'é' # c\n  roles: [a, \"b\"]\n- {name: x}\n";
        let root = parse(text).unwrap();
        let items = root.list().unwrap();
        let first = items[0].map().unwrap();
        assert_eq!(&text[first[0].key_span.clone()], "name");
        assert_eq!(&text[first[0].value.span.clone()], "'é'");
        assert_eq!(&text[first[1].value.span.clone()], "[a, \"b\"]");
        assert_eq!(&text[items[0].span.clone()], "name: 'é' # c\n  roles: [a, \"b\"]");
        assert_eq!(&text[items[1].span.clone()], "{name: x}");
    }

    #[test]
    fn an_empty_document_is_null() {
        for text in ["", "\n", "# nothing\n", "---\n", "---\n...\n"] {
            assert!(parse(text).unwrap().is_null(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-a:{}\\[\\],\"'#&*! \n\té?|>]{0,60}") {
            if let Ok(node) = parse(&text) {
                prop_assert!(text.get(node.span).is_some());
            }
        }
    }
}
