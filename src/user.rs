//! Users: what a directory says about one, with everything derived from it already computed.
//!
//! Names are compared byte for byte. A name that a log line or a person could take for another
//! one is refused when it is loaded.

mod permission;
mod role;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::permission::{Grant, Permission, PermissionError, PermissionSet};
pub use self::role::{RoleError, Roles};
use crate::password::PasswordHash;
use crate::resource::PathPrefix;

/// The longest user name, in bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// One user of a directory.
#[derive(Clone, Debug)]
pub struct User {
    /// The name, as it is presented at login.
    pub name: Box<str>,
    /// The hash that a presented password must fit; `None`: no password does.
    pub password: Option<Arc<PasswordHash>>,
    /// The roles, in the order of the file.
    pub roles: Vec<Box<str>>,
    /// What the user may do: direct permissions, and those of the roles.
    pub permissions: PermissionSet,
    /// The part of an API that is the user's; `None`: nothing.
    pub home: Option<PathPrefix>,
    /// The cluster tag.
    pub tag: Option<Box<str>>,
    /// The e-mail address.
    pub email: Option<Box<str>>,
    /// The groups, in the order of the file.
    pub groups: Vec<Box<str>>,
    /// Whether the user is shut out. Verify the password all the same, so that the refusal
    /// takes as long as any other.
    pub disabled: bool,
    /// Anything else.
    pub attributes: BTreeMap<Box<str>, Box<str>>,
}

/// Why a text can't be a user's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is there.
    #[error("an empty user name")]
    Empty,
    /// A control character, or one that is not seen.
    #[error("a user name with a control or invisible character")]
    Invisible,
    /// White space at its start or end.
    #[error("a user name that begins or ends with white space")]
    Padded,
    /// Over 255 bytes.
    #[error("a user name of over 255 bytes")]
    TooLong,
}

/// Decides whether `name` may be a user's: in a directory, or presented at login.
///
/// # Errors
///
/// [`NameError`] says why not.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong);
    }
    if name.contains(is_invisible) {
        return Err(NameError::Invisible);
    }
    if name.trim().len() != name.len() {
        return Err(NameError::Padded);
    }
    Ok(())
}

/// Control characters, line and paragraph separators, and those that change how the
/// characters around them are shown.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_are_names() {
        for name in ["alice", "a", "Алиса", "alice@example.org", "a b", "DOMAIN\\alice", "O'Neil"]
        {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_look_like_others_are_not() {
        let refused = [
            ("", NameError::Empty),
            (" alice", NameError::Padded),
            ("alice ", NameError::Padded),
            ("alice\u{a0}", NameError::Padded),
            ("al\0ice", NameError::Invisible),
            ("alice\n", NameError::Invisible),
            ("al\u{7f}ice", NameError::Invisible),
            ("al\u{85}ice", NameError::Invisible),
            ("al\u{200b}ice", NameError::Invisible),
            ("\u{202e}ecila", NameError::Invisible),
            ("\u{feff}alice", NameError::Invisible),
        ];
        for (name, error) in refused {
            assert_eq!(check_name(name), Err(error), "{name:?}");
        }
        assert_eq!(check_name(&"x".repeat(256)), Err(NameError::TooLong));
    }
}
