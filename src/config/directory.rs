//! `[directories.NAME]` and `[roles]`: who the users are, and what a role may do.

use std::path::PathBuf;

/// A file of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its name in the configuration.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// How it is written.
    pub format: UserFormat,
    /// The home of entries without one; `{name}` is the user's name as one segment.
    pub default_home: Option<String>,
    /// The roles of entries without any.
    pub default_roles: Vec<String>,
}

/// How a file of users is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserFormat {
    /// `name:hash` lines.
    Htpasswd,
    /// JSON.
    Json,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
}

/// A role: a name for permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What it may do; `*` at the end of a segment stands for the rest.
    pub permissions: Vec<String>,
}
