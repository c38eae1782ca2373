//! `[directories.NAME]` and `[roles]`: who the users are, and what a role may do.

use std::path::PathBuf;

use crate::config::file;
use crate::config::findings::Findings;
use crate::config::key::Key;
use crate::config::named::Named;
use crate::resource::PathPrefix;
use crate::user::Grant;

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
    /// Where it stands: `file:line:column`, or the environment.
    pub place: String,
    /// What it may do; `*` at the end of a segment stands for the rest.
    pub permissions: Vec<Grant>,
}

impl Directory {
    pub(super) fn validate(
        name: String,
        raw: file::Directory,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let file::Directory { file, format, default_home, default_roles } = raw;
        let key = Key::of("directories").child(&name);
        findings.name(&key, &name);
        let path = findings.file(&key.child("file"), &file);
        if let Some(home) = &default_home {
            template(&key.child("default_home"), home, findings);
        }
        let format = match format {
            Some(file::UserFormat::Htpasswd) => UserFormat::Htpasswd,
            Some(file::UserFormat::Json) => UserFormat::Json,
            Some(file::UserFormat::Toml) => UserFormat::Toml,
            Some(file::UserFormat::Yaml) => UserFormat::Yaml,
            None => match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => UserFormat::Json,
                Some("toml") => UserFormat::Toml,
                Some("yaml" | "yml") => UserFormat::Yaml,
                Some(_) | None => {
                    let reason = format!(
                        "`{file}` does not say by its extension how it is written: add \
                         `format = \"htpasswd\"`, or name it .yaml, .json or .toml"
                    );
                    findings.error(&key.child("file"), reason);
                    return None;
                }
            },
        };
        let default_roles = default_roles.unwrap_or_default();
        Some(Self { name, file: path, format, default_home, default_roles })
    }
}

/// A home for everybody: `{name}` becomes the user's name.
fn template(key: &Key, home: &str, findings: &mut Findings<'_>) {
    let example = home.replace("{name}", "name");
    if example.contains(['{', '}']) {
        findings.error(key, "knows only `{name}` in braces: write \"/{name}\"");
    } else if let Err(error) = example.parse::<PathPrefix>() {
        findings.error(key, format!("{error}: write one such as \"/{{name}}\""));
    } else if !home.contains("{name}") {
        findings.warn(key, "is one home for everybody: write \"/{name}\" for one each");
    }
}

impl Role {
    pub(super) fn validate_all(raw: Named<Vec<String>>, findings: &mut Findings<'_>) -> Vec<Self> {
        let section = Key::of("roles");
        let mut roles = Vec::new();
        for (name, grants) in raw.0 {
            let key = section.child(&name);
            if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
                findings.error(&key, "is no name: write 1 to 255 printable characters");
            }
            let mut permissions = Vec::new();
            for (index, grant) in grants.iter().enumerate() {
                match grant.parse() {
                    Ok(grant) => permissions.push(grant),
                    Err(error) => findings.error(&key.item(index), format!("`{grant}`: {error}")),
                }
            }
            roles.push(Self { place: findings.place(&key), name, permissions });
        }
        roles
    }
}
