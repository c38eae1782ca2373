//! A file of users on disk, and what its entries become.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::entry::{self, Entry, Home};
use super::{DirectoryError, DirectorySettings, Warning};
use crate::password::PasswordHash;
use crate::resource::PathPrefix;
use crate::user::{PermissionSet, Roles, User};

/// Some 200,000 users.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// A file with more warnings than this says the rest in one.
const MAX_WARNINGS: usize = 50;
/// RFC 3986 §2.3.
const NOT_UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What was read.
pub(super) struct Text {
    pub(super) text: Zeroizing<String>,
    /// Whether others than owner and group may read it.
    pub(super) is_exposed: bool,
}

/// Reads a file whole.
pub(super) fn read(path: &Path) -> Result<Text, DirectoryError> {
    let unreadable = |source| DirectoryError::Unreadable { file: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let capacity = usize::try_from(metadata.len().min(MAX_FILE_BYTES)).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity + 1));
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(DirectoryError::TooLarge { file: path.to_owned() });
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let good = String::from_utf8_lossy(good);
        super::error::Fault::new(good.len(), "not UTF-8 here").at(path, &good)
    })?;
    let text = Zeroizing::new(text.to_owned());
    Ok(Text { text, is_exposed: is_exposed(&metadata) })
}

#[cfg(unix)]
fn is_exposed(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o004 != 0
}

#[cfg(not(unix))]
fn is_exposed(_metadata: &std::fs::Metadata) -> bool {
    false
}

/// Makes a user of an entry.
pub(super) fn user(
    settings: &DirectorySettings,
    entry: Entry,
    password: Option<Arc<PasswordHash>>,
    damaged: bool,
    roles: &Roles,
    warnings: &mut Warnings,
) -> User {
    let Entry { name, permissions, home, tag, email, groups, disabled, attributes, .. } = entry;
    let mut held = entry.roles;
    if held.is_empty() {
        held = settings.default_roles.iter().map(|role| role.as_str().into()).collect();
    }
    for role in &held {
        if roles.get(role).is_none() {
            warnings.add_unknown_role(&name, role);
        }
    }
    let mut all: PermissionSet = permissions.into_iter().collect();
    all.merge(&roles.permissions(held.iter().map(|role| &**role)));
    let home = match home {
        Home::At(home) => Some(home),
        Home::Nothing => None,
        Home::Unsaid => default_home(settings, &name, warnings),
    };
    User {
        name: name.into(),
        password,
        roles: held,
        permissions: all,
        home,
        tag,
        email,
        groups,
        disabled: disabled || damaged,
        attributes,
    }
}

/// The home of an entry without one. A name that can't be a segment has none.
fn default_home(
    settings: &DirectorySettings,
    name: &str,
    warnings: &mut Warnings,
) -> Option<PathPrefix> {
    let template = settings.default_home.as_deref().filter(|template| !template.is_empty())?;
    let segment = utf8_percent_encode(name, NOT_UNRESERVED).to_string();
    match entry::home(&template.replace("{name}", &segment)) {
        Ok(home) => Some(home),
        Err(error) => {
            warnings
                .add(Some(name), format!("has no home, for the default one is refused: {error}"));
            None
        }
    }
}

/// Warnings about one file, not too many of them.
pub(super) struct Warnings {
    file: PathBuf,
    list: Vec<Warning>,
    more: usize,
}

impl Warnings {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), list: Vec::new(), more: 0 }
    }

    /// Warnings about users are bounded in number; those about the file are few anyway.
    pub(super) fn add(&mut self, user: Option<&str>, message: String) {
        self.push(user, message, false);
    }

    pub(super) fn add_unknown_role(&mut self, user: &str, role: &str) {
        self.push(Some(user), format!("unknown role `{role}` has no permissions"), true);
    }

    fn push(&mut self, user: Option<&str>, message: String, unknown_role: bool) {
        if user.is_some() && self.list.len() >= MAX_WARNINGS {
            self.more += 1;
            return;
        }
        let user = user.map(Into::into);
        self.list.push(Warning { file: self.file.clone(), user, message, unknown_role });
    }

    pub(super) fn into_vec(mut self) -> Vec<Warning> {
        if self.more > 0 {
            let message = format!("{} more warnings about users", self.more);
            self.add(None, message);
        }
        self.list
    }
}

/// Names of users to list, the first few of them.
#[derive(Default)]
pub(super) struct Names {
    first: Vec<String>,
    count: usize,
}

impl Names {
    const SHOWN: usize = 5;

    pub(super) fn add(&mut self, name: &str) {
        if self.first.len() < Self::SHOWN {
            self.first.push(format!("`{name}`"));
        }
        self.count += 1;
    }

    /// `None`: there are none.
    pub(super) fn text(&self) -> Option<String> {
        let listed = self.first.join(", ");
        match self.count {
            0 => None,
            count if count > Self::SHOWN => {
                Some(format!("{listed} and {} more", count - Self::SHOWN))
            }
            _ => Some(listed),
        }
    }
}
