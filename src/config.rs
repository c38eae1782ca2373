//! The configuration: TOML files and environment in, one validated [`Config`] out.
//!
//! It decides nothing about requests. What it holds is complete: every default is filled in,
//! every name of a listener or upstream is resolved, every path is joined to the folder of the
//! file that names it. A configuration with one mistake is refused as a whole, and every mistake
//! that can be found is reported with its file, line, column and key.

mod directory;
mod error;
mod issuer;
mod limits;
mod listener;
mod log;
mod passwords;
mod route;
mod server;
mod upstream;

use std::path::PathBuf;

pub use self::directory::{Directory, Role, UserFormat};
pub use self::error::{ConfigError, ConfigErrors, Place, Warning};
pub use self::issuer::{Bound, ClaimPath, Claims, Issuer, KeySource};
pub use self::limits::Limits;
pub use self::listener::{Certificate, ListenAddress, Listener, Protocol, Tls, TlsVersion};
pub use self::log::{Admin, Log, LogFile, LogFormat, LogLevel};
pub use self::passwords::{Passwords, Tokens};
pub use self::route::{
    Accept, CredentialPolicy, Dialect, HomeRule, HostPolicy, IdentityHeaders, MethodRule, Mode,
    Place as HomePlace, Route,
};
pub use self::server::Server;
pub use self::upstream::Upstream;

/// What the program runs on.
#[derive(Debug)]
pub struct Config {
    /// The process as a whole.
    pub server: Server,
    /// In the order of the files; at least one.
    pub listeners: Vec<Listener>,
    /// In the order of the files.
    pub upstreams: Vec<Upstream>,
    /// In the order of the files, which means nothing.
    pub routes: Vec<Route>,
    /// In the order of the files.
    pub issuers: Vec<Issuer>,
    /// In the order in which they are asked.
    pub directories: Vec<Directory>,
    /// What each role may do.
    pub roles: Vec<Role>,
    /// The password pool.
    pub passwords: Passwords,
    /// The token memory.
    pub tokens: Tokens,
    /// The log.
    pub log: Log,
    /// The admin listener.
    pub admin: Admin,
    /// The files that this was read from, the main one first; absolute or as the caller gave it.
    pub files: Vec<PathBuf>,
    /// What works, and is seldom meant so.
    pub warnings: Vec<Warning>,
}
