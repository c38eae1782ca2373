//! Roles: names for permissions.

use std::collections::BTreeMap;

use super::{Grant, PermissionError, PermissionSet};

/// What each role may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    defined: BTreeMap<Box<str>, PermissionSet>,
    places: BTreeMap<Box<str>, Box<str>>,
}

/// Why a role can't be defined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// It is defined already.
    #[error("role `{0}` is defined twice")]
    Duplicate(Box<str>),
    /// Its name is empty, over 255 bytes, or holds a control character.
    #[error("an empty, overlong or unprintable role name")]
    Name,
    /// One of its permissions is ill-formed.
    #[error("role `{role}`: {source}")]
    Permission {
        /// The role.
        role: Box<str>,
        /// What is wrong.
        source: PermissionError,
    },
}

impl Roles {
    /// Defines a role by the grants it stands for.
    ///
    /// # Errors
    ///
    /// [`RoleError`]; then nothing is defined.
    pub fn define<T: AsRef<str>>(
        &mut self,
        name: &str,
        grants: impl IntoIterator<Item = T>,
    ) -> Result<(), RoleError> {
        super::check_name(name).map_err(|_| RoleError::Name)?;
        if self.defined.contains_key(name) {
            return Err(RoleError::Duplicate(name.into()));
        }
        let grants: Result<PermissionSet, _> =
            grants.into_iter().map(|grant| grant.as_ref().parse::<Grant>()).collect();
        let grants =
            grants.map_err(|source| RoleError::Permission { role: name.into(), source })?;
        self.defined.insert(name.into(), grants);
        Ok(())
    }

    /// Notes where a role is defined: `file:line:column`.
    pub fn stands_at(&mut self, name: &str, place: impl Into<Box<str>>) {
        self.places.insert(name.into(), place.into());
    }

    /// Where a role is defined, if that was noted.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<&str> {
        self.places.get(name).map(|place| &**place)
    }

    /// What a role may do; `None`: there is no such role.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&PermissionSet> {
        self.defined.get(name)
    }

    /// What one with all of these roles may do. An unknown role adds nothing.
    #[must_use]
    pub fn permissions<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> PermissionSet {
        names
            .into_iter()
            .filter_map(|name| self.get(name))
            .flat_map(|set| set.iter().cloned())
            .collect()
    }

    /// The roles by name, with what each may do.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PermissionSet)> {
        self.defined.iter().map(|(name, permissions)| (&**name, permissions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_add_up_and_unknown_ones_add_nothing() {
        let mut roles = Roles::default();
        roles.define("reader", ["files:read"]).unwrap();
        roles.define("editor", ["files:*", "files:read"]).unwrap();

        let held = roles.permissions(["reader", "nobody", "editor"]);

        assert!(held.grants(&"files:write".parse().unwrap()));
        assert_eq!(held.iter().count(), 2);
        assert!(roles.permissions(["nobody"]).is_empty());
        assert!(roles.get("nobody").is_none());
    }

    #[test]
    fn a_role_is_defined_once_and_whole() {
        let mut roles = Roles::default();
        roles.define("reader", ["files:read"]).unwrap();

        let again = roles.define("reader", ["files:write"]);
        assert_eq!(again, Err(RoleError::Duplicate("reader".into())));
        assert!(roles.define("editor", ["files:write", "bad one"]).is_err());
        assert_eq!(roles.define("", ["x"]), Err(RoleError::Name));
        assert_eq!(roles.define("a\n", ["x"]), Err(RoleError::Name));
        assert_eq!(roles.iter().count(), 1);
    }
}
