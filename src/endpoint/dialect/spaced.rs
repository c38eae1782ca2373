//! JSON as Python's `json.dumps` writes it, for clients of servers that were written in it: a
//! space behind every comma and colon, and nothing but ASCII.

use std::io::{self, Write};

use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// An answer of this content type.
pub(super) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: &impl Serialize,
) -> Response {
    let mut written = Vec::new();
    if body.serialize(&mut Serializer::with_formatter(&mut written, Spaced)).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response(); // no key of ours is not a text
    }
    let mut fields = HeaderMap::new();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    (status, fields, written).into_response()
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.is_ascii() {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if character.is_ascii() {
                write!(writer, "{character}")?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(value: &Value) -> String {
        let mut written = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut written, Spaced)).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn it_is_written_as_python_writes_it() {
        for (value, expected) in [
            (json!({}), "{}"),
            (json!([]), "[]"),
            (
                json!({"a": [1, null, true], "b": {"c": 300.0}}),
                r#"{"a": [1, null, true], "b": {"c": 300.0}}"#,
            ),
            (
                json!(["\u{e9}\u{1f600}\u{7f}", "\"\\\n\u{1}"]),
                "[\"\\u00e9\\ud83d\\ude00\u{7f}\", \"\\\"\\\\\\n\\u0001\"]",
            ),
        ] {
            assert_eq!(written(&value), expected);
        }
    }
}
