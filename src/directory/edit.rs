//! Changes to a file of users, made as a careful person would: only what is meant is changed,
//! comments and order stay, and the file is replaced in one step.
//!
//! Every new text is read again before it is written, and must say exactly what the old one said
//! and the change. A file written in a way that can't be changed so is left alone.

mod lines;
mod spans;
mod store;
mod tables;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::entry::{self, Content, Entry};
use super::node::Value as Node;
use super::{DirectoryError, Format};
use crate::user::{self, NameError};

/// A change to a file of users.
#[derive(Clone, Debug)]
pub enum Change {
    /// Adds a user at the end.
    Add(NewUser),
    /// Shuts a user out.
    Disable(String),
    /// Lets a disabled user in again.
    Enable(String),
    /// Removes a user.
    Remove(String),
    /// Removes a role.
    RemoveRole(String),
    /// Gives a user another password. A plaintext password is replaced by the hash.
    SetPassword {
        /// The user.
        name: String,
        /// The hash of the new password.
        hash: String,
    },
    /// Says what a role may do, whether there was such a role or not.
    SetRole {
        /// The role.
        name: String,
        /// What it stands for.
        grants: Vec<String>,
    },
    /// Says something else of a user.
    Update(Update),
}

/// A user to be added. What is empty is left out.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// The name.
    pub name: String,
    /// The hash of the password; `None`: no password fits.
    pub hash: Option<String>,
    /// The roles.
    pub roles: Vec<String>,
    /// Direct permissions.
    pub permissions: Vec<String>,
    /// The home; empty is none, `/` is everything.
    pub home: Option<String>,
    /// The groups.
    pub groups: Vec<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The cluster tag.
    pub tag: Option<String>,
    /// Whether the user is shut out from the start.
    pub disabled: bool,
    /// Anything else.
    pub attributes: BTreeMap<String, String>,
}

/// What is said anew of a user. `None` leaves it as it is, what is empty takes it away.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// Whom.
    pub name: String,
    /// The hash of another password; a plaintext password is replaced by it.
    pub hash: Option<String>,
    /// The roles.
    pub roles: Option<Vec<String>>,
    /// The home; empty is none, whatever the directory's default is.
    pub home: Option<String>,
    /// The groups.
    pub groups: Option<Vec<String>>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The cluster tag.
    pub tag: Option<String>,
    /// Whether the user is shut out.
    pub disabled: Option<bool>,
    /// Anything else, all of it.
    pub attributes: Option<BTreeMap<String, String>>,
}

impl Update {
    /// All but the password, which has rules of its own.
    fn pairs(&self) -> Vec<(&'static str, Value)> {
        [
            ("roles", self.roles.clone().map(Value::from)),
            ("home", self.home.clone().map(Value::String)),
            ("groups", self.groups.clone().map(Value::from)),
            ("email", self.email.clone().map(Value::String)),
            ("cluster-tag", self.tag.clone().map(Value::String)),
            ("disabled", self.disabled.map(Value::Bool)),
            ("attributes", self.attributes.as_ref().map(object)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
}

/// Whether this says nothing, so that the key need not be there.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(pairs) => pairs.is_empty(),
    }
}

/// How a key of an entry is spelled there: the cluster tag's has three spellings.
fn spelled(key: &'static str, has: impl Fn(&str) -> bool) -> &'static str {
    let others = if key == "cluster-tag" { &["clusterTag", "cluster_tag"][..] } else { &[] };
    others.iter().copied().find(|other| has(other)).unwrap_or(key)
}

fn object(pairs: &BTreeMap<String, String>) -> Value {
    let pairs = pairs.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    Value::Object(pairs.collect())
}

impl NewUser {
    /// The keys and values of the entry, in the order in which they are written.
    fn keys(&self) -> Map<String, Value> {
        self.pairs().into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn pairs(&self) -> Vec<(&'static str, Value)> {
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let list = |list: &Vec<String>| (!list.is_empty()).then(|| Value::from(list.clone()));
        [
            ("username", Some(Value::from(self.name.as_str()))),
            ("passhash", text(&self.hash)),
            ("roles", list(&self.roles)),
            ("permissions", list(&self.permissions)),
            ("home", text(&self.home)),
            ("groups", list(&self.groups)),
            ("email", text(&self.email)),
            ("cluster-tag", text(&self.tag)),
            ("disabled", self.disabled.then_some(Value::Bool(true))),
            ("attributes", (!self.attributes.is_empty()).then(|| object(&self.attributes))),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
}

/// Why a file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file changed while it was being edited.
    #[error("{}: somebody else changed it meanwhile; nothing was done", .0.display())]
    Changed(PathBuf),
    /// There is such a user already.
    #[error("user `{0}` exists already")]
    Exists(String),
    /// What is to be written is not what a file of users may hold.
    #[error("{0}")]
    Ill(String),
    /// The name can't be a user's.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The format has no room for it.
    #[error("an htpasswd file holds names and passwords only")]
    NoRoom,
    /// The file has no room for roles.
    #[error("a file that is a list of users has no room for roles")]
    NoRoles,
    /// The file as it is can't be read.
    #[error(transparent)]
    Unreadable(#[from] DirectoryError),
    /// No such user.
    #[error("no user `{0}`")]
    Unknown(String),
    /// No such role in this file.
    #[error("no role `{0}` in this file")]
    UnknownRole(String),
    /// The change can't be made without changing more than is meant.
    #[error("written in a way that can't be changed safely; change it by hand")]
    Unsafe,
    /// The new file can't be written.
    #[error("{}: cannot be written", .file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Changes a file in one step: whoever reads it sees the old or the new one. Mode and, where
/// allowed, owner are kept. A missing file is made, readable for its owner only, when a user is
/// added.
///
/// # Errors
///
/// [`EditError`]; then the file is as it was.
pub fn apply(file: &Path, format: Format, change: &Change) -> Result<(), EditError> {
    let may_be_missing = matches!(change, Change::Add(_));
    store::replace(file, may_be_missing, |text| rewrite_in(file, text, format, change))
}

/// Whether [`apply`] would do it. Nothing is written; a missing file counts as an empty one.
///
/// # Errors
///
/// As [`apply`].
pub fn check(file: &Path, format: Format, change: &Change) -> Result<(), EditError> {
    let text = match super::file::read(file) {
        Ok(file) => file.text.to_string(),
        Err(error) if error.is_missing() => String::new(),
        Err(error) => return Err(error.into()),
    };
    rewrite_in(file, &text, format, change).map(|_| ())
}

/// What a file's text becomes by a change.
///
/// # Errors
///
/// [`EditError`]; none of the kinds that concern the disk.
pub fn rewrite(text: &str, format: Format, change: &Change) -> Result<String, EditError> {
    rewrite_in(Path::new("users"), text, format, change)
}

fn rewrite_in(
    file: &Path,
    text: &str,
    format: Format,
    change: &Change,
) -> Result<String, EditError> {
    let before = entry::parse(text, format).map_err(|fault| fault.at(file, text))?;
    if matches!(change, Change::SetRole { .. } | Change::RemoveRole(_)) {
        check_room_for_roles(text, format)?;
    }
    let expected = expect(before, format, change)?;
    let changed = match format {
        Format::Htpasswd => lines::rewrite(text, change),
        Format::Toml => tables::rewrite(text, change),
        Format::Json | Format::Yaml => spans::rewrite(text, format, change),
    };
    let changed = changed.ok_or(EditError::Unsafe)?;
    match entry::parse(&changed, format) {
        Ok(after) if after.says_the_same(&expected) => Ok(changed),
        _ => Err(EditError::Unsafe),
    }
}

/// What the file has to say afterwards.
fn expect(mut content: Content, format: Format, change: &Change) -> Result<Content, EditError> {
    let find = |entries: &mut Vec<Entry>, name: &str| {
        let place = entries.iter().position(|entry| entry.name == name);
        place.ok_or_else(|| EditError::Unknown(name.to_owned()))
    };
    let entries = &mut content.entries;
    match change {
        Change::Add(new) => {
            if entries.iter().any(|entry| entry.name == new.name) {
                return Err(EditError::Exists(new.name.clone()));
            }
            entries.push(new_entry(new, format)?);
        }
        Change::Disable(name) | Change::Enable(name) => {
            let place = find(entries, name)?;
            let disabled = matches!(change, Change::Disable(_));
            if let Some(entry) = entries.get_mut(place) {
                entry.disabled = disabled;
            }
        }
        Change::Remove(name) => {
            let place = find(entries, name)?;
            entries.remove(place);
        }
        Change::SetPassword { name, hash } => {
            check_hash(hash)?;
            let place = find(entries, name)?;
            if let Some(entry) = entries.get_mut(place) {
                entry.passhash = Some(hash.clone().into());
                entry.password = None;
            }
        }
        Change::Update(update) => {
            let place = find(entries, &update.name)?;
            if let Some(entry) = entries.get_mut(place) {
                expect_update(entry, update, format)?;
            }
        }
        Change::SetRole { name, grants } => {
            let role = new_role(name, grants)?;
            content.roles.retain(|role| role.name != *name);
            content.roles.push(role);
        }
        Change::RemoveRole(name) => {
            let place = content.roles.iter().position(|role| role.name == *name);
            let place = place.ok_or_else(|| EditError::UnknownRole(name.clone()))?;
            content.roles.remove(place);
        }
    }
    Ok(content)
}

/// Reads what is said anew by the rules of all entries.
fn expect_update(entry: &mut Entry, update: &Update, format: Format) -> Result<(), EditError> {
    if let Some(hash) = &update.hash {
        check_hash(hash)?;
        entry.passhash = Some(hash.clone().into());
        entry.password = None;
    }
    let pairs = update.pairs();
    if format == Format::Htpasswd && pairs.iter().any(|(key, _)| *key != "disabled") {
        return Err(EditError::NoRoom);
    }
    let mut keys: Map<String, Value> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    keys.insert("username".to_owned(), Value::from(update.name.as_str()));
    let said = one_entry(keys)?;
    for (key, _) in pairs {
        match key {
            "roles" => entry.roles.clone_from(&said.roles),
            "home" => entry.home = said.home.clone(),
            "groups" => entry.groups.clone_from(&said.groups),
            "email" => entry.email.clone_from(&said.email),
            "cluster-tag" => entry.tag.clone_from(&said.tag),
            "attributes" => entry.attributes.clone_from(&said.attributes),
            _ => entry.disabled = said.disabled,
        }
    }
    Ok(())
}

/// Reads a role by the rules of all roles.
fn new_role(name: &str, grants: &[String]) -> Result<entry::RoleEntry, EditError> {
    user::check_name(name)?;
    let file = serde_json::json!({ "roles": { name: grants } }).to_string();
    let content =
        entry::parse(&file, Format::Json).map_err(|fault| EditError::Ill(fault.into_what()))?;
    content.roles.into_iter().next().ok_or(EditError::Unsafe)
}

fn check_room_for_roles(text: &str, format: Format) -> Result<(), EditError> {
    let root = entry::parse_node(text, format).ok().flatten();
    match root.as_ref().map(|root| &root.value) {
        Some(Node::Map { .. }) => Ok(()),
        None => Err(EditError::NoRoom),
        Some(Node::Bool(_) | Node::List { .. } | Node::Null | Node::Number | Node::Text { .. }) => {
            Err(EditError::NoRoles)
        }
    }
}

/// Reads the new entry by the rules of all entries.
fn new_entry(new: &NewUser, format: Format) -> Result<Entry, EditError> {
    user::check_name(&new.name)?;
    if let Some(hash) = &new.hash {
        check_hash(hash)?;
    }
    let keys = new.keys();
    if format == Format::Htpasswd && (new.name.contains(':') || new.name.starts_with('#')) {
        return Err(EditError::Ill("a name with `:`, or `#` at its start, in htpasswd".into()));
    }
    if format == Format::Htpasswd && keys.keys().any(|key| key != "username" && key != "passhash") {
        return Err(EditError::NoRoom);
    }
    one_entry(keys)
}

fn one_entry(keys: Map<String, Value>) -> Result<Entry, EditError> {
    let text = Value::from(vec![Value::Object(keys)]).to_string();
    let content =
        entry::parse(&text, Format::Json).map_err(|fault| EditError::Ill(fault.into_what()))?;
    content.entries.into_iter().next().ok_or(EditError::Unsafe)
}

/// A hash is one word without a colon, in every format.
fn check_hash(hash: &str) -> Result<(), EditError> {
    let is_hash = !hash.is_empty()
        && hash.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
        && !hash.starts_with('!');
    if is_hash { Ok(()) } else { Err(EditError::Ill("not a password hash".into())) }
}

#[cfg(test)]
mod tests;
