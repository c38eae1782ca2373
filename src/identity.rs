//! From a credential to the principal whom it proves.
//!
//! [`Identities`] holds what one snapshot knows of issuers and directories; it is shared by all
//! workers and never written to. What a worker remembers of verified credentials is its own
//! ([`memory`]).

pub mod memory;
pub mod principal;

use std::sync::Arc;

use crate::directory::Directory;
use crate::password::PasswordHash;
use crate::resource::PathPrefix;
use crate::token::{VerifiedToken, Verifier, VerifyError};
use crate::user::{Grant, PermissionSet, Roles, User};

pub use self::principal::{Principal, Proof};

/// Issuers and directories of one snapshot.
#[derive(Debug)]
pub struct Identities {
    /// Verifies tokens; `None`: no issuer is configured.
    pub verifier: Option<Verifier>,
    /// The names of its issuers, in its order; shared by all whom they vouch for.
    pub issuer_names: Vec<Arc<str>>,
    /// The directories, in the order in which they are asked.
    pub directories: Vec<Directory>,
    /// What each role may do.
    pub roles: Roles,
    /// Verified in place of a user's hash where there is none, at the same cost.
    pub decoy: Arc<PasswordHash>,
}

/// Why a credential does not prove anybody.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The home that a token claims is none.
    #[error("the token claims a home that is not a path")]
    HomeClaim,
    /// Neither known nor right; which of the two is nobody's business.
    #[error("unknown user or wrong password")]
    Password,
    /// A token in the place of a password, beside another user's name.
    #[error("the user name is not the token's subject")]
    SubjectMismatch,
    /// The token does not hold.
    #[error(transparent)]
    Token(#[from] VerifyError),
    /// The token is bound to a user who is unknown or disabled.
    #[error("the token's subject is no user, or a disabled one")]
    UnknownSubject,
}

impl IdentityError {
    /// The reason as logs and metrics name it.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::HomeClaim => "token_home_claim",
            Self::Password => "password",
            Self::SubjectMismatch => "token_subject_mismatch",
            Self::Token(error) => error.label(),
            Self::UnknownSubject => "token_unknown_subject",
        }
    }
}

impl Identities {
    /// Verifies a token as of `now` (Unix seconds) and says whom it proves, and until when.
    ///
    /// # Errors
    ///
    /// [`IdentityError`], never [`IdentityError::Password`].
    pub fn identify_token(&self, token: &str, now: u64) -> Result<(Principal, u64), IdentityError> {
        let verifier = self.verifier.as_ref().ok_or(VerifyError::UnknownIssuer)?;
        let claims = verifier.verify(token, now)?;
        let until = claims.valid_until;
        let issuer = verifier.issuer(claims.issuer).ok_or(VerifyError::UnknownIssuer)?;
        let authority = self.issuer_names.get(claims.issuer).cloned().unwrap_or_default();
        let principal = if issuer.bound {
            let found = self.find(&claims.subject).filter(|(_, user)| !user.disabled);
            let (_, user) = found.ok_or(IdentityError::UnknownSubject)?;
            Principal::of_user(user, Proof::Token, authority)
        } else {
            self.foreign(claims, authority)?
        };
        Ok((principal, until))
    }

    /// The user of this name in the first directory that has one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(&Directory, &Arc<User>)> {
        self.directories.iter().find_map(|directory| Some((directory, directory.get(name)?)))
    }

    /// What a presented password must be verified against. The hash of an unknown user, of
    /// one without a password and of a disabled one is a decoy, so that each refusal costs what
    /// a wrong password costs.
    #[must_use]
    pub fn password_of(&self, name: &str) -> PasswordQuestion<'_> {
        let Some((directory, user)) = self.find(name) else {
            let decoy = self.directories.first().map_or(&self.decoy, Directory::decoy);
            return PasswordQuestion { hash: Arc::clone(decoy), entry: None };
        };
        let hash = Arc::clone(user.password.as_ref().unwrap_or_else(|| directory.decoy()));
        let may_log_in = user.password.is_some() && !user.disabled;
        PasswordQuestion { hash, entry: may_log_in.then_some((directory, &**user)) }
    }

    /// A principal of whom only the token speaks.
    fn foreign(
        &self,
        token: VerifiedToken,
        authority: Arc<str>,
    ) -> Result<Principal, IdentityError> {
        let roles = boxed(token.roles);
        let mut permissions = self.roles.permissions(roles.iter().map(AsRef::as_ref));
        let claimed = token.permissions.unwrap_or_default();
        // A text that is no permission grants nothing.
        permissions.extend(claimed.iter().filter_map(|claimed| claimed.parse::<Grant>().ok()));
        let home = match token.home.as_deref() {
            None | Some("") => None,
            Some(home) => Some(home.parse::<PathPrefix>().map_err(|_| IdentityError::HomeClaim)?),
        };
        Ok(Principal::new(principal::Facts {
            name: token.subject.into(),
            proof: Proof::Token,
            authority,
            roles,
            permissions,
            groups: boxed(token.groups),
            home,
            email: token.email.map(Into::into),
            tag: token.tag.map(Into::into),
        }))
    }
}

fn boxed(values: Option<Vec<String>>) -> Vec<Box<str>> {
    values.unwrap_or_default().into_iter().map(Into::into).collect()
}

/// What decides about a password.
#[derive(Debug)]
pub struct PasswordQuestion<'i> {
    /// What it must fit.
    pub hash: Arc<PasswordHash>,
    entry: Option<(&'i Directory, &'i User)>,
}

impl PasswordQuestion<'_> {
    /// Whom a password that fits proves; `None`: nobody, whatever it fits. Only then is anything
    /// made of the user, so that the time until a refusal does not tell of it.
    #[must_use]
    pub fn proves(&self) -> Option<Principal> {
        let (directory, user) = self.entry?;
        Some(Principal::of_user(user, Proof::Password, directory.name().into()))
    }
}

/// Permissions of nobody in particular, for routes that accept anonymous requests.
#[must_use]
pub fn anonymous() -> Principal {
    Principal::new(principal::Facts {
        name: "".into(),
        proof: Proof::Nothing,
        authority: "".into(),
        roles: Vec::new(),
        permissions: PermissionSet::default(),
        groups: Vec::new(),
        home: None,
        email: None,
        tag: None,
    })
}
