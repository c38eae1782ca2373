//! JSON with one reading (RFC 8259): no member twice, nothing that only lenient parsers take.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::resource::ResourceError;
use crate::resource::query::could_be;

/// The deepest nest of arrays and objects, the body itself among them.
const MAX_DEPTH: usize = 32;

/// A JSON object, ready to be written anew: strings are decoded, numbers are as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Json<'b>(Vec<Member<'b>>);

/// A member of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'b> {
    /// Its name.
    pub name: Cow<'b, str>,
    /// Its value.
    pub value: Value<'b>,
}

/// The value of a member, as far as one that names resources needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'b> {
    /// Anything else, in the form in which it is sent.
    Other(String),
    /// A string.
    Text(Cow<'b, str>),
    /// An array of strings, or an empty one.
    Texts(Vec<Cow<'b, str>>),
}

impl<'b> Json<'b> {
    /// Parses a whole document, which must be an object.
    ///
    /// # Errors
    ///
    /// [`ResourceError::ContentForm`]: not JSON to the letter, not an object, or nested deeper
    /// than 32; [`ResourceError::FieldRepeated`]: an object has two members of one name.
    pub fn parse(text: &'b str) -> Result<Self, ResourceError> {
        let member = |(name, raw)| Ok(Member { name, value: Value::read(raw)? });
        members(text)?.into_iter().map(member).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a rule may rest on the member `name`: no other could be taken for it.
    ///
    /// # Errors
    ///
    /// [`ResourceError::AliasedParameter`]: one that differs only by case, brackets, surrounding
    /// spaces, an encoding, or what is behind a NUL.
    pub fn demand(&self, name: &str) -> Result<(), ResourceError> {
        let is_alias = |member: &Member<'_>| member.name != name && could_be(&member.name, name);
        if self.0.iter().any(is_alias) { Err(ResourceError::AliasedParameter) } else { Ok(()) }
    }

    /// The members, in the order in which they came.
    #[must_use]
    pub fn members(&self) -> &[Member<'b>] {
        &self.0
    }

    /// Writes the object without blanks; `text` writes the strings of members, given with their
    /// member's name.
    pub fn write(&self, out: &mut String, mut text: impl FnMut(&str, &str, &mut String)) {
        let mut written = String::new();
        list(out, ['{', '}'], &self.0, |Member { name, value }, out| {
            string(name, out);
            out.push(':');
            let mut one = |value: &Cow<'_, str>, out: &mut String| {
                written.clear();
                text(name, value, &mut written);
                string(&written, out);
            };
            match value {
                Value::Other(other) => out.push_str(other),
                Value::Text(value) => one(value, out),
                Value::Texts(values) => list(out, ['[', ']'], values, one),
            }
        });
    }
}

impl<'b> Value<'b> {
    /// Reads the value of a member of the body.
    fn read(raw: &'b RawValue) -> Result<Self, ResourceError> {
        let is_text = |raw: &RawValue| raw.get().starts_with('"');
        if is_text(raw) {
            return decoded(raw).map(Self::Text);
        }
        if raw.get().starts_with('[') {
            let items = items(raw)?;
            if items.iter().all(|item| is_text(item)) {
                return items.into_iter().map(decoded).collect::<Result<_, _>>().map(Self::Texts);
            }
        }
        let mut out = String::with_capacity(raw.get().len());
        rewrite(raw, 2, &mut out)?;
        Ok(Self::Other(out))
    }
}

/// Writes a value at this depth anew: without blanks, its strings with the fewest escapes.
fn rewrite(raw: &RawValue, depth: usize, out: &mut String) -> Result<(), ResourceError> {
    let is_nest = raw.get().starts_with(['{', '[']);
    if is_nest && depth > MAX_DEPTH {
        return Err(ResourceError::ContentForm);
    }
    if raw.get().starts_with('{') {
        try_list(out, ['{', '}'], members(raw.get())?, |(name, value), out| {
            string(&name, out);
            out.push(':');
            rewrite(value, depth + 1, out)
        })
    } else if is_nest {
        try_list(out, ['[', ']'], items(raw)?, |item, out| rewrite(item, depth + 1, out))
    } else if raw.get().starts_with('"') {
        string(&decoded(raw)?, out);
        Ok(())
    } else {
        out.push_str(raw.get());
        Ok(())
    }
}

/// The members of an object, each name once.
fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &RawValue)>, ResourceError> {
    let Members(members) = serde_json::from_str(text).map_err(|_| ResourceError::ContentForm)?;
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    let is_repeated = names.windows(2).any(|pair| matches!(pair, [one, other] if one == other));
    if is_repeated { Err(ResourceError::FieldRepeated) } else { Ok(members) }
}

fn items(raw: &RawValue) -> Result<Vec<&RawValue>, ResourceError> {
    serde_json::from_str(raw.get()).map_err(|_| ResourceError::ContentForm)
}

fn decoded(raw: &RawValue) -> Result<Cow<'_, str>, ResourceError> {
    let read = serde_json::from_str(raw.get()).map_err(|_| ResourceError::ContentForm);
    read.map(|Text(text)| text)
}

fn string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn list<T>(
    out: &mut String,
    marks: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut one: impl FnMut(T, &mut String),
) {
    let written = try_list(out, marks, items, |item, out| {
        one(item, out);
        Ok::<_, Infallible>(())
    });
    let Ok(()) = written;
}

fn try_list<T, E>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut one: impl FnMut(T, &mut String) -> Result<(), E>,
) -> Result<(), E> {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        one(item, out)?;
    }
    out.push(close);
    Ok(())
}

/// A string, borrowed where it holds no escape.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'b>(#[serde(borrow)] Cow<'b, str>);

/// All members of an object, as they came.
struct Members<'b>(Vec<(Cow<'b, str>, &'b RawValue)>);

impl<'b> Deserialize<'b> for Members<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'b> Visitor<'b> for Collect {
    type Value = Members<'b>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Members<'b>, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests;
