//! JSON as two readers would read it alike: no member twice, no deep nest, no odd number.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The deepest nest of arrays and objects.
const MAX_DEPTH: usize = 16;
/// The most members of one object.
const MAX_MEMBERS: usize = 256;

/// The names of an object's members so far.
#[derive(Default)]
pub(super) struct Names<'de>(Vec<Cow<'de, str>>);

impl<'de> Names<'de> {
    /// Takes the next name, or refuses the second of its kind.
    pub(super) fn next<A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
    ) -> Result<Option<&str>, A::Error> {
        let Some(Text(name)) = map.next_key_seed(TextSeed)? else { return Ok(None) };
        if self.0.len() >= MAX_MEMBERS {
            return Err(de::Error::custom("too many members"));
        }
        if self.0.contains(&name) {
            return Err(de::Error::custom("a member twice"));
        }
        if self.0.is_empty() {
            self.0.reserve(16); // as many as most tokens have
        }
        self.0.push(name);
        Ok(self.0.last().map(AsRef::as_ref))
    }
}

struct Text<'de>(Cow<'de, str>);
struct TextSeed;

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = Text<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for TextSeed {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// A JSON value, as far as headers and claims need one. Whole numbers below zero are
/// [`Found::Other`], as are `true`, objects, and arrays of anything but strings.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'de> {
    Fraction(f64),
    List(Vec<Cow<'de, str>>),
    Null,
    Other,
    Text(Cow<'de, str>),
    Whole(u64),
}

/// Reads any value, to the last byte of it, at this depth.
#[derive(Clone, Copy)]
pub(super) struct AnyValue(pub(super) usize);

impl AnyValue {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.0 >= MAX_DEPTH {
            return Err(E::custom("nested too deep"));
        }
        Ok(Self(self.0 + 1))
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Found<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Found<'de>, E> {
        Ok(Found::Other)
    }

    fn visit_unit<E>(self) -> Result<Found<'de>, E> {
        Ok(Found::Null)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Found<'de>, E> {
        Ok(u64::try_from(number).map_or(Found::Other, Found::Whole))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Found<'de>, E> {
        Ok(Found::Whole(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Found<'de>, E> {
        Ok(Found::Fraction(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Found<'de>, E> {
        Ok(Found::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Found<'de>, E> {
        Ok(Found::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Found<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut list = Some(Vec::new());
        while let Some(item) = items.next_element_seed(inner)? {
            match (item, &mut list) {
                (Found::Text(text), Some(list)) => list.push(text),
                _ => list = None,
            }
        }
        Ok(list.map_or(Found::Other, Found::List))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut names = Names::default();
        while names.next(&mut map)?.is_some() {
            map.next_value_seed(inner)?;
        }
        Ok(Found::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Found<'_>, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let found = AnyValue(0).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(found)
    }

    #[test]
    fn values_are_told_apart() {
        assert_eq!(read("17").unwrap(), Found::Whole(17));
        assert_eq!(read("1.5").unwrap(), Found::Fraction(1.5));
        assert_eq!(read("[]").unwrap(), Found::List(vec![]));
        assert_eq!(read(r#""a""#).unwrap(), Found::Text("a".into()));
        assert_eq!(read(r#"["a","\u0062"]"#).unwrap(), Found::List(vec!["a".into(), "b".into()]));
        assert_eq!(read("null").unwrap(), Found::Null);
        for other in ["-1", "true", "{}", r#"["a",1]"#, r#"[["a"]]"#] {
            assert_eq!(read(other).unwrap(), Found::Other, "{other}");
        }
    }

    #[test]
    fn ambiguous_json_is_refused() {
        let deep = "[".repeat(5000) + &"]".repeat(5000);
        for broken in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            "{}{}",
            "\u{feff}{}",
            "1e400",
            "01",
            "",
            r#"{"a":1,}"#,
            "\"a\nb\"",
            &deep,
        ] {
            assert!(read(broken).is_err(), "{}", &broken[..broken.len().min(40)]);
        }
    }
}
