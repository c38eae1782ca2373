//! The configuration as one tree in which every node knows where it came from.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use crate::config::key::{Key, Step};
use crate::config::source::Origin;

/// A value, and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Boolean(bool),
    Datetime,
    Float(f64),
    Integer(i64),
    List(Vec<Node>),
    Table(Table),
    Text(Zeroizing<String>),
}

/// A table in the order of its file.
#[derive(Debug, Default)]
pub(super) struct Table(pub(super) Vec<Entry>);

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Where the key stands.
    pub(super) origin: Origin,
    pub(super) node: Node,
}

impl Node {
    /// From a parsed value; its offsets count from the start of `source`.
    pub(super) fn from_toml(value: &Spanned<DeValue<'_>>, source: usize) -> Self {
        let origin = Origin { source, offset: value.span().start };
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(Zeroizing::new(text.clone().into_owned())),
            DeValue::Integer(number) => {
                // What does not fit is out of range of every key.
                let digits = number.as_str().replace('_', "");
                Value::Integer(i64::from_str_radix(&digits, number.radix()).unwrap_or(i64::MAX))
            }
            DeValue::Float(number) => {
                Value::Float(number.as_str().parse().unwrap_or(f64::INFINITY))
            }
            DeValue::Boolean(boolean) => Value::Boolean(*boolean),
            DeValue::Datetime(_) => Value::Datetime,
            DeValue::Array(list) => {
                Value::List(list.iter().map(|item| Self::from_toml(item, source)).collect())
            }
            DeValue::Table(table) => Value::Table(Table::from_toml(table, source)),
        };
        Self { origin, value }
    }

    pub(super) fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            Value::Boolean(_)
            | Value::Datetime
            | Value::Float(_)
            | Value::Integer(_)
            | Value::List(_)
            | Value::Text(_) => None,
        }
    }

    pub(super) fn as_table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.value {
            Value::Table(table) => Some(table),
            Value::Boolean(_)
            | Value::Datetime
            | Value::Float(_)
            | Value::Integer(_)
            | Value::List(_)
            | Value::Text(_) => None,
        }
    }

    /// Its kind in words, without its content, which may be a secret.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Boolean(_) => "a boolean",
            Value::Datetime => "a date",
            Value::Float(_) => "a number with a fraction",
            Value::Integer(_) => "an integer",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Text(_) => "a string",
        }
    }

    /// Makes everything in it stand at `origin`.
    pub(super) fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.set_origin(origin)),
            Value::Table(table) => {
                for entry in &mut table.0 {
                    entry.origin = origin;
                    entry.node.set_origin(origin);
                }
            }
            Value::Boolean(_)
            | Value::Datetime
            | Value::Float(_)
            | Value::Integer(_)
            | Value::Text(_) => {}
        }
    }

    /// Where `key` stands; if it does not, where the nearest table above it begins.
    pub(super) fn locate(&self, key: &Key) -> Origin {
        let (mut node, mut found) = (self, self.origin);
        for step in key.steps() {
            match (step, &node.value) {
                (Step::Name(name), Value::Table(table)) => {
                    let Some(entry) = table.get(name) else { break };
                    let is_table = entry.node.as_table().is_some();
                    found = if is_table { entry.origin } else { entry.node.origin };
                    node = &entry.node;
                }
                (Step::Index(index), Value::List(items)) => {
                    let Some(item) = items.get(*index) else { break };
                    found = item.origin;
                    node = item;
                }
                _ => break,
            }
        }
        found
    }

    fn mentions(&self, text: &str) -> bool {
        match &self.value {
            Value::Text(own) => own.as_str() == text,
            Value::List(items) => items.iter().any(|item| item.mentions(text)),
            Value::Table(table) => table.mentions(text),
            Value::Boolean(_) | Value::Datetime | Value::Float(_) | Value::Integer(_) => false,
        }
    }
}

impl Table {
    /// From a parsed table, brought back into the order of the file.
    pub(super) fn from_toml(table: &DeTable<'_>, source: usize) -> Self {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(name, value)| Entry {
                name: name.get_ref().clone().into_owned(),
                origin: Origin { source, offset: name.span().start },
                node: Node::from_toml(value, source),
            })
            .collect();
        entries.sort_by_key(|entry| entry.origin.offset);
        Self(entries)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.name == name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.name == name)
    }

    /// Whether `text` is somewhere in it, as a whole value.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.0.iter().any(|entry| entry.node.mentions(text))
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Entry> {
        let position = self.0.iter().position(|entry| entry.name == name)?;
        Some(self.0.remove(position))
    }

    /// Adds what `other` holds. Sections are joined; below them nothing may be said twice: the
    /// second saying is handed to `twice` together with the first.
    pub(super) fn merge(&mut self, other: Self, twice: &mut dyn FnMut(&Key, Origin, Origin)) {
        for theirs in other.0 {
            let section = Key::of(&theirs.name);
            let Some(ours) = self.get_mut(&theirs.name) else {
                self.0.push(theirs);
                continue;
            };
            let first = ours.origin;
            match (&mut ours.node.value, theirs.node.value) {
                (Value::Table(ours), Value::Table(theirs)) => {
                    for entry in theirs.0 {
                        match ours.get(&entry.name) {
                            Some(first) => {
                                twice(&section.child(&entry.name), entry.origin, first.origin);
                            }
                            None => ours.0.push(entry),
                        }
                    }
                }
                _ => twice(&section, theirs.origin, first),
            }
        }
    }
}

/// The error of reading a shape out of a tree that was already found to have it.
pub(super) type ShapeError = serde::de::value::Error;

impl<'de> Deserializer<'de> for &'de Node {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match &self.value {
            Value::Boolean(boolean) => visitor.visit_bool(*boolean),
            Value::Datetime => Err(serde::de::Error::custom("a date has no place here")),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            Value::Table(table) => table.into_deserializer().deserialize_any(visitor),
            Value::Text(text) => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, ShapeError> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> IntoDeserializer<'de, ShapeError> for &'de Table {
    type Deserializer = MapDeserializer<'de, Pairs<'de>, ShapeError>;

    fn into_deserializer(self) -> Self::Deserializer {
        MapDeserializer::new(Pairs(self.0.iter()))
    }
}

/// Names and nodes of a table.
#[derive(Debug)]
pub(super) struct Pairs<'de>(std::slice::Iter<'de, Entry>);

impl<'de> Iterator for Pairs<'de> {
    type Item = (&'de str, &'de Node);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|entry| (entry.name.as_str(), &entry.node))
    }
}

impl<'de> EnumAccess<'de> for &'de Node {
    type Error = ShapeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), ShapeError> {
        Ok((seed.deserialize(self)?, self))
    }
}

impl<'de> VariantAccess<'de> for &'de Node {
    type Error = ShapeError;

    fn unit_variant(self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, ShapeError> {
        Err(serde::de::Error::custom("only plain words have a place here"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ShapeError> {
        Err(serde::de::Error::custom("only plain words have a place here"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ShapeError> {
        Err(serde::de::Error::custom("only plain words have a place here"))
    }
}
