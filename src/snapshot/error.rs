//! Why a snapshot could not be built.

use std::fmt;

use crate::directory::DirectoryError;
use crate::password::PasswordHashError;
use crate::tls::TlsError;
use crate::token::{IssuerError, KeyError, SignError};
use crate::user::RoleError;

/// One thing that keeps a snapshot from being built. Names its file and place where there is
/// one.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A bug ended it.
    #[error("loading broke off; this is a bug of ours")]
    BrokeOff,
    /// A user file.
    #[error("directory `{0}`")]
    Directory(String, #[source] DirectoryError),
    /// No decoy for unknown users could be made.
    #[error("no password can be verified")]
    Decoy(#[from] PasswordHashError),
    /// The issuers do not fit together.
    #[error("issuers")]
    Issuers(#[from] IssuerError),
    /// An issuer's keys.
    #[error("issuer `{0}`: keys")]
    Keys(String, #[source] KeyError),
    /// The addresses or names of listeners are not those that were bound at start.
    #[error(
        "listeners: {0} changed; their names and addresses are fixed at start, so restart instead"
    )]
    Listeners(String),
    /// There is no randomness.
    #[error("no randomness")]
    Randomness,
    /// A role.
    #[error("roles")]
    Role(#[from] RoleError),
    /// An endpoint whose issuer cannot sign.
    #[error("endpoint `{0}`: its issuer cannot sign")]
    Signer(String, #[source] SignError),
    /// The system gives no threads to verify passwords with.
    #[error("no threads to verify passwords with")]
    Threads(#[source] std::io::Error),
    /// A listener's certificates.
    #[error("listener `{0}`")]
    Tls(String, #[source] TlsError),
}

/// Everything that keeps a snapshot from being built; at least one thing.
#[derive(Debug)]
pub struct LoadErrors(pub Vec<LoadError>);

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        Ok(())
    }
}

impl std::error::Error for LoadErrors {}
