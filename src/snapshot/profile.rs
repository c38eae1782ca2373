//! How an endpoint issues: what `[endpoints.NAME]` says, with every name resolved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::route::endpoint::Dialect;
use crate::token::Signer;

/// One endpoint's settings.
#[derive(Debug)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// How it speaks.
    pub dialect: Dialect,
    /// What stands in front of the dialect's own paths; empty or `/prefix`.
    pub prefix: Box<str>,
    /// Index of the issuer among those of the verifier; `None`: it issues nothing.
    pub issuer: Option<usize>,
    /// Signs with the issuer's newest private key or secret.
    pub signer: Option<Arc<Signer>>,
    /// How long tokens live unless a client asks for less.
    pub lifetime: Duration,
    /// The longest that a client may ask for.
    pub max_lifetime: Duration,
    /// How long a family of refresh tokens lives, from the login on.
    pub refresh_lifetime: Duration,
    /// For how many lifetimes after `orig_iat` a token may be renewed by itself.
    pub refresh_window: u32,
    /// The `aud` of tokens; never empty where it issues.
    pub audience: Vec<Box<str>>,
    /// Further claims, from the user's attributes.
    pub extra_claims: BTreeMap<Box<str>, Box<str>>,
    /// Which of the claims that it would write it leaves out.
    pub omitted: Omitted,
    /// Whether a one-time code may be used again within its step.
    pub totp_reuse: bool,
    /// Which of `JWThenticator`'s sets of endpoints answer.
    pub sets: Sets,
    /// How long keys live that clients register.
    pub key_lifetime: Duration,
    /// Origins, besides the own, from which browsers may send with a cookie.
    pub origins: Vec<Box<str>>,
    /// Indices of the issuers, among those of the verifier, whose tokens log a browser in.
    pub login_issuers: Vec<usize>,
    /// The proxies that may ask (forward-auth).
    pub trusted: Vec<IpNet>,
}

impl Profile {
    /// For what an operator asks of the token service himself: it issues nothing. Keys that are
    /// registered live for `key_lifetime`.
    #[must_use]
    pub fn of_operator(key_lifetime: Duration) -> Self {
        Self {
            name: "admin".into(),
            dialect: Dialect::Standard,
            prefix: "".into(),
            issuer: None,
            signer: None,
            lifetime: Duration::ZERO,
            max_lifetime: Duration::ZERO,
            refresh_lifetime: Duration::ZERO,
            refresh_window: 0,
            audience: Vec::new(),
            extra_claims: BTreeMap::new(),
            omitted: Omitted::default(),
            totp_reuse: false,
            sets: Sets { external: false, internal: false },
            key_lifetime,
            origins: Vec::new(),
            login_issuers: Vec::new(),
            trusted: Vec::new(),
        }
    }
}

/// Claims that some services cannot stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Omitted {
    /// No `iss`.
    pub issuer: bool,
    /// No `aud`.
    pub audience: bool,
    /// No `sub`.
    pub subject: bool,
}

/// `JWThenticator`'s sets of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sets {
    /// What clients use.
    pub external: bool,
    /// What registers keys.
    pub internal: bool,
}
