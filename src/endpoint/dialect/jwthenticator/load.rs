//! Reads a body as marshmallow does: every field is demanded, no other is allowed, and what is
//! wrong is told field by field.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;
use zeroize::Zeroizing;

const MISSING: &str = "Missing data for required field.";
const NULL: &str = "Field may not be null.";
const NO_TEXT: &str = "Not a valid string.";
const NO_UUID: &str = "Not a valid UUID.";
const UNKNOWN: &str = "Unknown field.";
const NO_OBJECT: &str = "Invalid input type.";

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Uuid,
}

/// What is wrong, field by field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Invalid(Vec<(String, &'static str)>);

impl Invalid {
    /// One field is wrong.
    pub(super) fn field(name: &str, message: &'static str) -> Self {
        Self(vec![(name.to_owned(), message)])
    }
}

impl Serialize for Invalid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, message) in &self.0 {
            map.serialize_entry(name, &[message])?;
        }
        map.end()
    }
}

/// The values of the fields, in their order. A UUID comes in the form with hyphens.
pub(super) fn load<const N: usize>(
    body: &[u8],
    fields: [(&'static str, Kind); N],
) -> Result<[Zeroizing<String>; N], Invalid> {
    let mut object = match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => object,
        Ok(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        ) => {
            return Err(Invalid::field("_schema", NO_OBJECT));
        }
        Err(_) => return Err(Invalid::default()),
    };
    let mut invalid = Invalid::default();
    let values = fields.map(|(name, kind)| {
        take(&mut object, name, kind).unwrap_or_else(|message| {
            invalid.0.push((name.to_owned(), message));
            Zeroizing::default()
        })
    });
    invalid.0.extend(object.into_iter().map(|(name, _)| (name, UNKNOWN)));
    if invalid.0.is_empty() { Ok(values) } else { Err(invalid) }
}

fn take(
    object: &mut Map<String, Value>,
    name: &str,
    kind: Kind,
) -> Result<Zeroizing<String>, &'static str> {
    let text = match (object.remove(name).ok_or(MISSING)?, kind) {
        (Value::Null, _) => return Err(NULL),
        (Value::String(text), _) => Zeroizing::new(text),
        (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_), Kind::Text) => {
            return Err(NO_TEXT);
        }
        (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_), Kind::Uuid) => {
            return Err(NO_UUID);
        }
    };
    match kind {
        Kind::Text => Ok(text),
        Kind::Uuid => {
            let uuid = Uuid::try_parse(&text).map_err(|_| NO_UUID)?;
            Ok(Zeroizing::new(uuid.hyphenated().to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: [(&str, Kind); 2] = [("key", Kind::Text), ("identifier", Kind::Uuid)];
    const UUID: &str = "0f3c2a9e-1111-4222-8333-444455556666";

    fn refused(body: &str) -> Value {
        serde_json::to_value(load(body.as_bytes(), FIELDS).unwrap_err()).unwrap()
    }

    #[test]
    fn fields_are_taken_in_their_order_and_a_uuid_in_one_form() {
        for uuid in [UUID.to_owned(), UUID.replace('-', ""), UUID.to_uppercase()] {
            let body = json!({ "identifier": uuid, "key": "k" }).to_string();
            let [key, identifier] = load(body.as_bytes(), FIELDS).unwrap();
            assert_eq!((key.as_str(), identifier.as_str()), ("k", UUID));
        }
    }

    #[test]
    fn what_is_wrong_is_told_field_by_field() {
        for (body, expected) in [
            ("{}", json!({ "key": [MISSING], "identifier": [MISSING] })),
            (
                r#"{"key": 5, "identifier": 5}"#,
                json!({ "key": [NO_TEXT], "identifier": [NO_UUID] }),
            ),
            (
                r#"{"key": null, "identifier": null}"#,
                json!({ "key": [NULL], "identifier": [NULL] }),
            ),
            (
                r#"{"key": "k", "identifier": "x", "y": 1, "x": 1}"#,
                json!({ "identifier": [NO_UUID], "x": [UNKNOWN], "y": [UNKNOWN] }),
            ),
            ("[]", json!({ "_schema": [NO_OBJECT] })),
            ("null", json!({ "_schema": [NO_OBJECT] })),
            ("\"x\"", json!({ "_schema": [NO_OBJECT] })),
            ("", json!({})),
            ("{", json!({})),
            ("key=k", json!({})),
        ] {
            assert_eq!(refused(body), expected, "{body}");
        }
        assert_eq!(refused(&"[".repeat(10_000)), json!({}));
    }
}
