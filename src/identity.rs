//! From a credential to the principal whom it proves.
//!
//! [`Identities`] holds what one snapshot knows of issuers and directories; it is shared by all
//! workers and never written to. What a worker remembers of verified credentials is its own
//! ([`memory`]).

pub mod basis;
pub mod memory;
pub mod principal;
pub mod standing;
pub mod throttle;
pub mod verified;

use std::sync::Arc;

use self::basis::Basis;
use self::standing::{Ended, Standing, TokenFacts};
use crate::api_key::{ApiKey, KeyKind};
use crate::directory::Directory;
use crate::password::PasswordHash;
use crate::resource::PathPrefix;
use crate::session::Session;
use crate::token::{Scratch, VerifiedToken, Verifier, VerifyError};
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
    /// It was right once.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// The home that a token claims is none.
    #[error("the token claims a home that is not a path")]
    HomeClaim,
    /// The API key is somebody else's than is said beside it.
    #[error("the user name is not that of the API key's owner")]
    KeyMismatch,
    /// The API key's owner is no user, or a disabled one.
    #[error("the API key's owner is no user, or a disabled one")]
    KeyOwner,
    /// Neither known nor right; which of the two is nobody's business.
    #[error("unknown user or wrong password")]
    Password,
    /// The password of a user with a second factor, alone.
    #[error("the user has a second factor, and none was presented")]
    SecondFactor,
    /// The session's user is unknown or disabled.
    #[error("the session's user is no user, or a disabled one")]
    SessionUser,
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
            Self::Ended(ended) => ended.label(),
            Self::HomeClaim => "token_home_claim",
            Self::KeyMismatch => "key_user_mismatch",
            Self::KeyOwner => "key_owner",
            Self::Password => "password",
            Self::SecondFactor => "second_factor_missing",
            Self::SessionUser => "session_user",
            Self::SubjectMismatch => "token_subject_mismatch",
            Self::Token(error) => error.label(),
            Self::UnknownSubject => "token_unknown_subject",
        }
    }
}

impl Identities {
    /// Verifies a token as of `now` (Unix seconds) and says whom it proves, and until when, as
    /// far as the token and the snapshot know: for the command line, which lets nobody in. It has
    /// the scope of no API key, and may have been revoked.
    ///
    /// # Errors
    ///
    /// [`IdentityError`], never [`IdentityError::Password`].
    pub fn identify_token(&self, token: &str, now: u64) -> Result<(Principal, u64), IdentityError> {
        let verifier = self.verifier.as_ref().ok_or(VerifyError::UnknownIssuer)?;
        let token = VerifiedToken { client: None, ..verifier.verify(token, now)? };
        let until = token.valid_until;
        Ok((self.principal_of(token, &Standing::default(), now)?, until))
    }

    /// Verifies a token as of `now` (Unix seconds), judges it, and says whom it proves, and until
    /// when.
    ///
    /// # Errors
    ///
    /// [`IdentityError`], never [`IdentityError::Password`].
    pub fn identify_token_with(
        &self,
        scratch: &mut Scratch,
        standing: &Standing,
        token: &str,
        now: u64,
    ) -> Result<(Principal, u64), IdentityError> {
        let verifier = self.verifier.as_ref().ok_or(VerifyError::UnknownIssuer)?;
        let token = verifier.verify_with(scratch, token, now)?;
        let until = token.valid_until;
        Ok((self.principal_of(token, standing, now)?, until))
    }

    /// Whom a token that has verified proves at `now` (Unix seconds), unless it was revoked, in
    /// as far as the API key that it was exchanged for passes it on.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Ended`], [`IdentityError::UnknownSubject`], [`IdentityError::HomeClaim`].
    pub fn principal_of(
        &self,
        token: VerifiedToken,
        standing: &Standing,
        now: u64,
    ) -> Result<Principal, IdentityError> {
        let verifier = self.verifier.as_ref().ok_or(VerifyError::UnknownIssuer)?;
        let issuer = verifier.issuer(token.issuer).ok_or(VerifyError::UnknownIssuer)?;
        let authority = self.issuer_names.get(token.issuer).cloned().unwrap_or_default();
        // Elsewhere `sid` and `client_id` (RFC 9068) name something else.
        let is_ours = issuer.keyring.can_sign();
        let facts = TokenFacts {
            token_id: token.token_id.as_deref().map(Into::into),
            family: token.family.as_deref().filter(|_| is_ours).map(Into::into),
            subject: token.subject.as_str().into(),
            issued_at: token.issued_at,
            key: token.client.as_deref().filter(|_| is_ours).map(Into::into),
        };
        let key = standing.judge(&facts, now)?;
        let basis = Basis::Token { token: facts, is_bound: issuer.bound };
        if !issuer.bound {
            return self.foreign(token, authority, key, basis);
        }
        let (_, user) = self.enabled(&token.subject).ok_or(IdentityError::UnknownSubject)?;
        Ok(Principal::of_user(user, Proof::Token, authority, key, basis))
    }

    /// Whom an API key proves at `now` (Unix seconds), and until when.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Ended`], [`IdentityError::KeyOwner`].
    pub fn identify_key(
        &self,
        key: Arc<ApiKey>,
        now: u64,
    ) -> Result<(Principal, u64), IdentityError> {
        if key.has_expired(now) {
            return Err(Ended::KeyExpired.into());
        }
        if key.kind != KeyKind::User {
            return Err(IdentityError::KeyOwner);
        }
        let until = key.expires_at.map_or(u64::MAX, |expires_at| expires_at.saturating_sub(1));
        let (directory, user) = self.enabled(&key.owner).ok_or(IdentityError::KeyOwner)?;
        let authority = directory.name().into();
        Ok((Principal::of_user(user, Proof::Key, authority, Some(key), Basis::Key), until))
    }

    /// Whom a browser's session proves that holds as such, unless it was ended.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Ended`], [`IdentityError::SessionUser`].
    pub fn identify_session(
        &self,
        session: &Session,
        standing: &Standing,
    ) -> Result<Principal, IdentityError> {
        standing.judge_session(&session.id, &session.user, session.created_ms)?;
        let (directory, user) = self.enabled(&session.user).ok_or(IdentityError::SessionUser)?;
        let basis = Basis::Session { id: session.id.clone(), began_ms: session.created_ms };
        Ok(Principal::of_user(user, Proof::Session, directory.name().into(), None, basis))
    }

    /// The user of this name, unless they are disabled.
    #[must_use]
    pub fn enabled(&self, name: &str) -> Option<(&Directory, &Arc<User>)> {
        self.find(name).filter(|(_, user)| !user.disabled)
    }

    /// The user of this name in the first directory that has one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(&Directory, &Arc<User>)> {
        self.directories.iter().find_map(|directory| Some((directory, directory.get(name)?)))
    }

    /// What the roles mean of those for whom this authority vouches: a directory has its own.
    #[must_use]
    pub fn roles_of(&self, authority: &str) -> &Roles {
        let directory = self.directories.iter().find(|known| known.name() == authority);
        directory.map_or(&self.roles, Directory::roles)
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
        key: Option<Arc<ApiKey>>,
        basis: Basis,
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
        let facts = principal::Facts {
            name: token.subject.into(),
            proof: Proof::Token,
            authority,
            roles,
            permissions,
            groups: boxed(token.groups),
            home,
            email: token.email.map(Into::into),
            tag: token.tag.map(Into::into),
            key,
        };
        Ok(Principal::new(facts.narrowed(), basis))
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
    /// Whether a password that fits proves anybody.
    #[must_use]
    pub fn is_anybody(&self) -> bool {
        self.entry.is_some()
    }

    /// Whom a password that fits proves; `None`: nobody, whatever it fits. Only then is anything
    /// made of the user, so that the time until a refusal does not tell of it. `has_code`: a
    /// one-time code came with it, and was right.
    #[must_use]
    pub fn proves(&self, has_code: bool) -> Option<Principal> {
        let (directory, user) = self.entry?;
        let basis = Basis::Password { has_code };
        let authority = directory.name().into();
        Some(Principal::of_user(user, Proof::Password, authority, None, basis))
    }
}

/// Permissions of nobody in particular, for routes that accept anonymous requests.
#[must_use]
pub fn anonymous() -> Principal {
    let facts = principal::Facts {
        name: "".into(),
        proof: Proof::Nothing,
        authority: "".into(),
        roles: Vec::new(),
        permissions: PermissionSet::default(),
        groups: Vec::new(),
        home: None,
        email: None,
        tag: None,
        key: None,
    };
    Principal::new(facts, Basis::Nobody)
}

#[cfg(test)]
mod tests;
