//! Who a request is made by, once a credential has proved it.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::sync::Arc;

use super::basis::Basis;
use crate::api_key::ApiKey;
use crate::resource::PathPrefix;
use crate::route::IdentityFields;
use crate::user::{PermissionSet, User};

/// What proved a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// An API key.
    Key,
    /// Nothing: the route accepts anybody.
    Nothing,
    /// A password.
    Password,
    /// A browser's session.
    Session,
    /// A token.
    Token,
}

/// What a text takes besides its bytes, about.
const TEXT_BYTES: usize = 24;

/// A verified identity: only this module's constructors make one.
#[derive(Debug)]
pub struct Principal {
    facts: Facts,
    pub(super) basis: Basis,
    fields: [OnceCell<Box<[u8]>>; 3],
}

/// What is known of a principal.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The user's name or the token's subject; empty for nobody.
    pub name: Box<str>,
    /// What proved it.
    pub proof: Proof,
    /// The issuer or directory that vouches for it.
    pub authority: Arc<str>,
    /// Its roles.
    pub roles: Vec<Box<str>>,
    /// What it may do.
    pub permissions: PermissionSet,
    /// Its groups.
    pub groups: Vec<Box<str>>,
    /// The part of an API that is its own.
    pub home: Option<PathPrefix>,
    /// Its e-mail address.
    pub email: Option<Box<str>>,
    /// Its cluster tag.
    pub tag: Option<Box<str>>,
    /// The API key that it came by, or that its token was exchanged for: its scope narrows all of
    /// the above.
    pub key: Option<Arc<ApiKey>>,
}

impl Facts {
    /// Without what the key's scope does not pass on. A role is a name for permissions, so that a
    /// key which passes on some of them has none; what the owner may not, no scope adds.
    pub(super) fn narrowed(mut self) -> Self {
        if self.key.as_ref().is_some_and(|key| key.scope.permissions.is_some()) {
            self.roles = Vec::new();
        }
        self
    }
}

impl Principal {
    pub(super) fn new(facts: Facts, basis: Basis) -> Self {
        Self { facts, basis, fields: [const { OnceCell::new() }; 3] }
    }

    /// The user, or as much of them as the key passes on.
    pub(super) fn of_user(
        user: &User,
        proof: Proof,
        authority: Arc<str>,
        key: Option<Arc<ApiKey>>,
        basis: Basis,
    ) -> Self {
        let facts = Facts {
            name: user.name.clone(),
            proof,
            authority,
            roles: user.roles.clone(),
            permissions: user.permissions.clone(),
            groups: user.groups.clone(),
            home: user.home.clone(),
            email: user.email.clone(),
            tag: user.tag.clone(),
            key,
        };
        Self::new(facts.narrowed(), basis)
    }

    /// Somebody of whom a test knows this.
    #[cfg(test)]
    pub(crate) fn of_facts(facts: Facts) -> Self {
        Self::new(facts.narrowed(), Basis::Nobody)
    }

    /// Whom a directory's entry describes, without any proof: for `explain` alone, which sends
    /// nothing.
    #[must_use]
    pub fn supposed(user: &User, authority: &str) -> Self {
        Self::of_user(user, Proof::Nothing, authority.into(), None, Basis::Nobody)
    }

    /// What is known of it.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// About how many bytes it holds.
    #[must_use]
    pub fn weight(&self) -> usize {
        let facts = &self.facts;
        let lists = facts.roles.iter().chain(&facts.groups).map(|name| name.len());
        let grants = facts.permissions.iter().map(|grant| grant.as_str().len());
        let texts = facts.name.len() + facts.email.as_ref().map_or(0, |email| email.len());
        let basis = match &self.basis {
            Basis::Key | Basis::Nobody | Basis::Password { .. } => 0,
            Basis::Session { id, .. } => id.len() + TEXT_BYTES,
            Basis::Token { token, .. } => token.weight(),
        };
        size_of::<Self>()
            + texts
            + basis
            + lists.chain(grants).map(|text| text + TEXT_BYTES).sum::<usize>()
    }

    /// The name; `None` for nobody.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        if self.facts.name.is_empty() { None } else { Some(&self.facts.name) }
    }

    /// The fields that tell an upstream who it is, each ending in CR LF; made once. Values that
    /// an upstream would read as others are left out, such as a group with a comma or a name
    /// with a blank at its end: it then knows less, never else.
    #[must_use]
    pub fn fields(&self, family: IdentityFields) -> &[u8] {
        let index = match family {
            IdentityFields::None => return &[],
            IdentityFields::XForwarded => 0,
            IdentityFields::XAuthRequest => 1,
            IdentityFields::Remote => 2,
        };
        let Some(cell) = self.fields.get(index) else { return &[] };
        cell.get_or_init(|| self.write_fields(family.names()).into_bytes().into_boxed_slice())
    }

    fn write_fields(&self, names: &[&str]) -> String {
        let facts = &self.facts;
        let home = facts.home.as_ref().map(|home| if home.is_root() { "/" } else { home.as_str() });
        let values = [
            Some(facts.name.to_string()),
            Some(list(&facts.groups)),
            facts.email.as_ref().map(ToString::to_string),
            Some(list(&facts.roles)),
            home.map(ToOwned::to_owned),
        ];
        let mut fields = String::new();
        for (name, value) in names.iter().zip(values) {
            let value = value.unwrap_or_default();
            if !value.is_empty() && is_plain(&value) {
                let _ = write!(fields, "{name}: {value}\r\n");
            }
        }
        fields
    }
}

/// The names that stay what they are in a list.
fn list(names: &[Box<str>]) -> String {
    let names = names.iter().map(AsRef::as_ref);
    let names: Vec<_> = names.filter(|name| is_plain(name) && !name.contains(',')).collect();
    names.join(",")
}

/// Whether a text stays what it is as the value of a field.
fn is_plain(value: &str) -> bool {
    !value.chars().any(char::is_control) && value.trim() == value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(name: &str, roles: &[&str]) -> Principal {
        let facts = Facts {
            name: name.into(),
            proof: Proof::Token,
            authority: "local".into(),
            roles: roles.iter().map(|&role| role.into()).collect(),
            permissions: PermissionSet::default(),
            groups: Vec::new(),
            home: Some("/alice".parse().unwrap()),
            email: None,
            tag: None,
            key: None,
        };
        Principal::new(facts, Basis::Nobody)
    }

    #[test]
    fn an_upstream_is_told_what_is_known_and_nothing_else() {
        let fields = principal("alice", &["a", "b"]).fields(IdentityFields::Remote).to_vec();

        assert_eq!(
            String::from_utf8(fields).unwrap(),
            "remote-user: alice\r\nremote-roles: a,b\r\nremote-home: /alice\r\n"
        );
    }

    #[test]
    fn what_an_upstream_would_read_otherwise_is_left_out() {
        let roles = &["a,admin", "b", " admin", "c\u{a0}", "d\te"];
        for (name, fields) in [
            ("alice ", "remote-roles: b\r\nremote-home: /alice\r\n"),
            ("alice", "remote-user: alice\r\nremote-roles: b\r\nremote-home: /alice\r\n"),
        ] {
            let principal = principal(name, roles);
            assert_eq!(principal.fields(IdentityFields::Remote), fields.as_bytes());
        }
    }

    #[test]
    fn a_value_that_could_split_a_field_is_left_out() {
        let fields =
            principal("alice\r\nx-admin: 1", &[]).fields(IdentityFields::XForwarded).to_vec();

        assert_eq!(String::from_utf8(fields).unwrap(), "x-forwarded-home: /alice\r\n");
    }
}
