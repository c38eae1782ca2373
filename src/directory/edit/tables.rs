//! Changes to TOML files; `toml_edit` keeps what is not changed.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::{Change, NewUser, Update, is_nothing, spelled};

/// The new text; `None`: the file's shape is not one that is known.
pub(super) fn rewrite(text: &str, change: &Change) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    match change {
        Change::Add(new) => add(&mut document, new)?,
        Change::Disable(name) => {
            set(find(&mut document, name)?, "disabled", true.into());
        }
        Change::Enable(name) => {
            let entry = find(&mut document, name)?;
            if entry.contains_key("disabled") {
                set(entry, "disabled", false.into());
            }
        }
        Change::Remove(name) => remove(&mut document, name)?,
        Change::SetPassword { name, hash } => {
            let entry = find(&mut document, name)?;
            entry.remove("password");
            set(entry, "passhash", hash.as_str().into());
        }
        Change::Update(new) => update(find(&mut document, &new.name)?, new)?,
        Change::SetRole { name, grants } => {
            let grants: Array = grants.iter().map(String::as_str).collect();
            set(roles(&mut document)?, name, grants.into());
        }
        Change::RemoveRole(name) => {
            roles(&mut document)?.remove(name)?;
        }
    }
    Some(document.to_string())
}

/// The table of roles, made where there is none.
fn roles(document: &mut DocumentMut) -> Option<&mut dyn TableLike> {
    let roles = document.entry("roles").or_insert(Item::Table(Table::new()));
    roles.as_table_like_mut()
}

fn update(entry: &mut dyn TableLike, update: &Update) -> Option<()> {
    if let Some(hash) = &update.hash {
        entry.remove("password");
        set(entry, "passhash", hash.as_str().into());
    }
    for (key, value) in update.pairs() {
        let spelled = spelled(key, |key| entry.contains_key(key));
        if entry.contains_key(spelled) || key == "home" || !is_nothing(&value) {
            let is_table = entry.get(spelled).is_some_and(|item| !item.is_value());
            if is_table {
                entry.remove(spelled);
            }
            set(entry, spelled, literal(&value)?);
        }
    }
    Some(())
}

/// Replaces a value where it stands, with the comment behind it, or adds it at the end.
fn set(entry: &mut dyn TableLike, key: &str, mut value: Value) {
    if let Some(old) = entry.get_mut(key).and_then(Item::as_value_mut) {
        *value.decor_mut() = old.decor().clone();
        *old = value;
    } else {
        entry.insert(key, Item::Value(value));
    }
}

fn is_named(entry: &dyn TableLike, name: &str) -> bool {
    ["username", "name"].iter().any(|key| entry.get(key).and_then(Item::as_str) == Some(name))
}

fn find<'d>(document: &'d mut DocumentMut, name: &str) -> Option<&'d mut dyn TableLike> {
    match document.get_mut("users")? {
        Item::ArrayOfTables(tables) => tables
            .iter_mut()
            .find(|table| is_named(*table, name))
            .map(|table| -> &mut dyn TableLike { table }),
        Item::Value(Value::Array(array)) => array
            .iter_mut()
            .filter_map(Value::as_inline_table_mut)
            .find(|table| is_named(*table, name))
            .map(|table| -> &mut dyn TableLike { table }),
        users @ (Item::None | Item::Table(_) | Item::Value(_)) => {
            users.as_table_like_mut()?.get_mut(name)?.as_table_like_mut()
        }
    }
}

fn remove(document: &mut DocumentMut, name: &str) -> Option<()> {
    match document.get_mut("users")? {
        Item::ArrayOfTables(tables) => {
            let place = tables.iter().position(|table| is_named(table, name))?;
            tables.remove(place);
        }
        Item::Value(Value::Array(array)) => {
            let named =
                |value: &Value| value.as_inline_table().is_some_and(|it| is_named(it, name));
            let place = array.iter().position(named)?;
            array.remove(place);
        }
        users @ (Item::None | Item::Table(_) | Item::Value(_)) => {
            users.as_table_like_mut()?.remove(name)?;
        }
    }
    Some(())
}

fn add(document: &mut DocumentMut, new: &NewUser) -> Option<()> {
    if !document.contains_key("users") {
        document.insert("users", Item::ArrayOfTables(ArrayOfTables::new()));
    }
    match document.get_mut("users")? {
        Item::ArrayOfTables(tables) => tables.push(entry(new)?),
        Item::Value(Value::Array(array)) => {
            let table: InlineTable = entry(new)?.into_inline_table();
            array.push(table);
        }
        users @ (Item::None | Item::Table(_) | Item::Value(_)) => {
            let mut table = entry(new)?;
            table.remove("name");
            let is_inline = users.is_inline_table();
            let item = if is_inline {
                Item::Value(Value::InlineTable(table.into_inline_table()))
            } else {
                Item::Table(table)
            };
            users.as_table_like_mut()?.insert(&new.name, item);
        }
    }
    Some(())
}

fn entry(new: &NewUser) -> Option<Table> {
    let mut table = Table::new();
    for (key, value) in new.pairs() {
        let key = if key == "username" { "name" } else { key };
        table.insert(key, Item::Value(literal(&value)?));
    }
    Some(table)
}

fn literal(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::String(text) => Some(text.into()),
        serde_json::Value::Bool(value) => Some((*value).into()),
        serde_json::Value::Array(items) => {
            let items: Option<Array> = items.iter().map(serde_json::Value::as_str).collect();
            Some(items?.into())
        }
        serde_json::Value::Object(pairs) => {
            let mut table = InlineTable::new();
            for (key, value) in pairs {
                table.insert(key, value.as_str()?.into());
            }
            Some(table.into())
        }
        serde_json::Value::Null | serde_json::Value::Number(_) => None,
    }
}
