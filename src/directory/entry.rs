//! The rules of a user file, whatever its format: which keys an entry has and what they mean.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::error::Fault;
use super::node::{Node, Pair, Value};
use super::{Format, htpasswd, json, toml, yaml};
use crate::password::{Limits, Marker, PasswordHash, PasswordHashError};
use crate::resource::PathPrefix;
use crate::user::{self, Grant, MAX_NAME_BYTES};

/// What a file says, before anything is derived from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Content {
    pub(super) entries: Vec<Entry>,
    pub(super) roles: Vec<RoleEntry>,
}

impl Content {
    /// Whether both say the same; the order of roles says nothing.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let sorted = |content: &Self| {
            let mut roles = content.roles.clone();
            roles.sort_by(|a, b| a.name.cmp(&b.name));
            roles
        };
        self.entries == other.entries && sorted(self) == sorted(other)
    }
}

/// A role of a file.
#[derive(Clone, Debug)]
pub(super) struct RoleEntry {
    pub(super) name: String,
    pub(super) grants: Vec<String>,
    pub(super) offset: usize,
}

/// Two are equal that say the same, wherever they stand.
impl PartialEq for RoleEntry {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.grants) == (&other.name, &other.grants)
    }
}

/// What an entry says of its user's home.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Home {
    At(PathPrefix),
    /// It is there and empty: the user has none, whatever the default is.
    Nothing,
    Unsaid,
}

/// One user of a file.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) password: Option<Zeroizing<String>>,
    pub(super) passhash: Option<Zeroizing<String>>,
    pub(super) roles: Vec<Box<str>>,
    pub(super) permissions: Vec<Grant>,
    pub(super) home: Home,
    pub(super) tag: Option<Box<str>>,
    pub(super) email: Option<Box<str>>,
    pub(super) groups: Vec<Box<str>>,
    pub(super) disabled: bool,
    pub(super) attributes: BTreeMap<Box<str>, Box<str>>,
    /// Where it stands.
    pub(super) offset: usize,
}

impl Entry {
    pub(super) fn named(name: &str, offset: usize) -> Self {
        Self {
            name: name.to_owned(),
            password: None,
            passhash: None,
            roles: Vec::new(),
            permissions: Vec::new(),
            home: Home::Unsaid,
            tag: None,
            email: None,
            groups: Vec::new(),
            disabled: false,
            attributes: BTreeMap::new(),
            offset,
        }
    }

    pub(super) fn has_password(&self) -> bool {
        self.password.is_some() || self.passhash.is_some()
    }

    /// Whether a password stands there to be read, used or not.
    pub(super) fn is_plaintext(&self) -> bool {
        self.password.is_some()
    }

    /// What a presented password must fit; the plaintext counts where there is no hash.
    pub(super) fn hash(
        &self,
        limits: Limits,
        marker: Option<&Marker>,
    ) -> Result<Option<Arc<PasswordHash>>, PasswordHashError> {
        let hash = match (&self.passhash, &self.password, marker) {
            (Some(text), _, _) => PasswordHash::parse(text, limits)?,
            (None, Some(password), Some(marker)) => {
                PasswordHash::marked(password.as_bytes(), marker)?
            }
            (None, Some(password), None) => PasswordHash::plaintext(password.as_bytes())?,
            (None, None, _) => return Ok(None),
        };
        Ok(Some(Arc::new(hash)))
    }
}

/// Two are equal that say the same, wherever they stand.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            name,
            password,
            passhash,
            roles,
            permissions,
            home,
            tag,
            email,
            groups,
            disabled,
            attributes,
            offset: _,
        } = self;
        *name == other.name
            && *password == other.password
            && *passhash == other.passhash
            && *roles == other.roles
            && *permissions == other.permissions
            && *home == other.home
            && *tag == other.tag
            && *email == other.email
            && *groups == other.groups
            && *disabled == other.disabled
            && *attributes == other.attributes
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Parses a file's text.
pub(super) fn parse(text: &str, format: Format) -> Result<Content, Fault> {
    match parse_node(text, format)? {
        Some(root) => read(&root),
        None => htpasswd::parse(text),
    }
}

/// The tree of a structured format.
pub(super) fn parse_node(text: &str, format: Format) -> Result<Option<Node>, Fault> {
    match format {
        Format::Htpasswd => Ok(None),
        Format::Json => json::parse(text).map(Some),
        Format::Toml => toml::parse(text).map(Some),
        Format::Yaml => yaml::parse(text).map(Some),
    }
}

fn read(root: &Node) -> Result<Content, Fault> {
    let mut content = Content::default();
    if let Value::Map { pairs, .. } = &root.value {
        for pair in pairs {
            match pair.key.as_str() {
                "roles" => content.roles = read_roles(&pair.value)?,
                "users" => content.entries = read_users(&pair.value)?,
                _ => {
                    let what = unknown(&pair.key, "`users` and `roles`");
                    return Err(pair.fault(what));
                }
            }
        }
    } else {
        content.entries = read_users(root)?;
    }
    let mut names = HashSet::new();
    for entry in &content.entries {
        if !names.insert(entry.name.as_str()) {
            let what = format!("user `{}` stands twice", entry.name);
            return Err(Fault::new(entry.offset, what));
        }
    }
    Ok(content)
}

fn read_roles(node: &Node) -> Result<Vec<RoleEntry>, Fault> {
    node.map()?
        .iter()
        .map(|pair| {
            let grants = read_grants(&pair.value)?.iter().map(Grant::to_string).collect();
            Ok(RoleEntry { name: pair.key.clone(), grants, offset: pair.key_span.start })
        })
        .collect()
}

/// A list of entries, or a map of them by name.
fn read_users(node: &Node) -> Result<Vec<Entry>, Fault> {
    if let Value::Map { pairs, .. } = &node.value {
        pairs.iter().map(|pair| read_entry(&pair.value, Some(pair))).collect()
    } else {
        node.list()?.iter().map(|item| read_entry(item, None)).collect()
    }
}

/// One entry; `named` is the pair whose key is its name.
fn read_entry(node: &Node, named: Option<&Pair>) -> Result<Entry, Fault> {
    let offset = named.map_or(node.span.start, |pair| pair.key_span.start);
    let mut entry = Entry::named("", offset);
    let mut name = named.map(|pair| (pair.key.as_str(), offset));
    let mut tagged = false;
    for pair in node.map()? {
        let value = &pair.value;
        match pair.key.as_str() {
            "username" | "name" => {
                let text = value.text()?;
                if name.replace((text, value.span.start)).is_some_and(|(other, _)| other != text) {
                    return Err(pair.fault("a second name for the same user"));
                }
            }
            "password" => entry.password = read_secret(value)?,
            "passhash" => entry.passhash = read_secret(value)?,
            "roles" => entry.roles = read_names(value)?,
            "permissions" => entry.permissions = read_grants(value)?,
            "home" => entry.home = read_home(value)?,
            "cluster-tag" | "clusterTag" | "cluster_tag" => {
                if tagged {
                    return Err(pair.fault("a second cluster tag"));
                }
                tagged = true;
                entry.tag = read_text(value)?;
            }
            "email" => entry.email = read_text(value)?,
            "groups" => entry.groups = read_names(value)?,
            "disabled" => entry.disabled = value.boolean()?,
            "attributes" => entry.attributes = read_attributes(value)?,
            _ => {
                let known = "`username`, `password`, `passhash`, `roles`, `permissions`, `home`, \
                             `cluster-tag`, `email`, `groups`, `disabled` and `attributes`";
                return Err(pair.fault(unknown(&pair.key, known)));
            }
        }
    }
    let (name, at) = name.ok_or(node.fault("an entry without `username`"))?;
    user::check_name(name).map_err(|error| Fault::new(at, error.to_string()))?;
    name.clone_into(&mut entry.name);
    Ok(entry)
}

/// Says which keys there are, and names the unknown one unless it could be a secret that
/// slipped into the wrong place.
fn unknown(key: &str, known: &str) -> String {
    let is_plain = key.len() <= 32
        && key.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
    if is_plain {
        format!("unknown key `{key}`; there are {known}")
    } else {
        format!("unknown key; there are {known}")
    }
}

/// An empty one is none.
fn read_secret(node: &Node) -> Result<Option<Zeroizing<String>>, Fault> {
    if node.is_null() {
        return Ok(None);
    }
    let text = node.text()?;
    Ok((!text.is_empty()).then(|| text.to_owned().into()))
}

/// An empty one is none. Goes into headers, so it is one line.
fn read_text(node: &Node) -> Result<Option<Box<str>>, Fault> {
    if node.is_null() {
        return Ok(None);
    }
    let text = node.text()?;
    if text.contains(char::is_control) {
        return Err(node.fault("a control character in a text"));
    }
    Ok((!text.is_empty()).then(|| text.into()))
}

/// A list of role or group names, or a single one.
fn read_names(node: &Node) -> Result<Vec<Box<str>>, Fault> {
    let read = |node: &Node| {
        let name = node.text()?;
        let is_name = user::check_name(name).is_ok() && !name.contains(',');
        let wrong = format!("a name of 1 to {MAX_NAME_BYTES} printable characters without commas");
        if is_name { Ok(name.into()) } else { Err(node.fault(format!("expected {wrong}"))) }
    };
    texts(node)?.into_iter().map(read).collect()
}

fn read_grants(node: &Node) -> Result<Vec<Grant>, Fault> {
    let read =
        |node: &Node| node.text()?.parse::<Grant>().map_err(|error| node.fault(error.to_string()));
    texts(node)?.into_iter().map(read).collect()
}

/// The items of a list, or the one text that stands in its place.
fn texts(node: &Node) -> Result<Vec<&Node>, Fault> {
    match &node.value {
        Value::Text { text, .. } if text.is_empty() => Ok(Vec::new()),
        Value::Text { .. } if !node.is_null() => Ok(vec![node]),
        Value::Text { .. }
        | Value::Bool(_)
        | Value::List { .. }
        | Value::Map { .. }
        | Value::Null
        | Value::Number => Ok(node.list()?.iter().collect()),
    }
}

/// An empty home is none, `/` is everything. The leading slash may be left out.
fn read_home(node: &Node) -> Result<Home, Fault> {
    if node.is_null() {
        return Ok(Home::Nothing);
    }
    let text = node.text()?;
    if text.is_empty() {
        return Ok(Home::Nothing);
    }
    home(text).map(Home::At).map_err(|error| node.fault(format!("home: {error}")))
}

/// Parses a home as it is written in a file.
pub(super) fn home(text: &str) -> Result<PathPrefix, crate::resource::ResourceError> {
    if text.starts_with('/') { text.parse() } else { format!("/{text}").parse() }
}

fn read_attributes(node: &Node) -> Result<BTreeMap<Box<str>, Box<str>>, Fault> {
    let mut attributes = BTreeMap::new();
    for pair in node.map()? {
        if let Some(text) = read_text(&pair.value)? {
            attributes.insert(pair.key.as_str().into(), text);
        }
    }
    Ok(attributes)
}
