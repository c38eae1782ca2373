//! The shapes of `[store]`, `[totp]`, `[sessions]`, `[throttle]` and `[endpoints.NAME]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMore, SecretText};
use crate::config::named::Named;

/// What the gateway itself must remember: refresh tokens, API keys, revocations, second factors.
/// Read at start; a change needs a restart.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Store {
    /// A file of SQLite, made where there is none. Default, if an endpoint needs a store and
    /// `postgres` is not said: `doorward.db` in `$STATE_DIRECTORY`, else beside this file.
    pub(in crate::config) sqlite: Option<String>,
    /// PostgreSQL, for several nodes: `postgres://user:password@host/database`, in any of the
    /// forms of a secret.
    #[schemars(extend("format" = "secret"))]
    pub(in crate::config) postgres: Option<SecretText>,
    /// PEM file: who vouches for PostgreSQL's certificate. Default: the system's.
    pub(in crate::config) ca: Option<String>,
    /// At least 32 bytes, the same on all nodes: encrypts the secrets of second factors, seals
    /// sessions. Without it sessions end with the process, and nobody can enrol a second factor.
    #[schemars(extend("format" = "secret"))]
    pub(in crate::config) secret: Option<SecretText>,
    /// What takes longer counts as the store's being away.
    #[schemars(extend("default" = "5s", "format" = "duration"))]
    pub(in crate::config) timeout: Option<String>,
}

/// One-time codes (RFC 6238) as a second factor.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Totp {
    /// What an authenticator app shows.
    #[schemars(extend("default" = "doorward"))]
    pub(in crate::config) issuer: Option<String>,
    /// How long the code is waited for after the password, at most 5m.
    #[schemars(extend("default" = "5m", "format" = "duration"))]
    pub(in crate::config) challenge_timeout: Option<String>,
    /// How many codes may be tried for one password, at most 5.
    #[schemars(extend("default" = 5, "minimum" = 1))]
    pub(in crate::config) challenge_tries: Option<i64>,
    /// Basic on a route, of a user with a second factor: `refuse`, or `append` for the code behind
    /// the password.
    #[schemars(extend("default" = "refuse"))]
    pub(in crate::config) basic: Option<TotpBasic>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum TotpBasic {
    Append,
    Refuse,
}

/// Sessions of browsers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Sessions {
    /// A session that is not used ends after this.
    #[schemars(extend("default" = "30m", "format" = "duration"))]
    pub(in crate::config) idle_timeout: Option<String>,
    /// A session ends after this, used or not.
    #[schemars(extend("default" = "12h", "format" = "duration"))]
    pub(in crate::config) lifetime: Option<String>,
}

/// What wrong passwords, codes and keys cost whoever tries them.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Throttle {
    /// Failures of a user from an address before the next has to wait.
    #[schemars(extend("default" = 5, "minimum" = 1))]
    pub(in crate::config) failures: Option<i64>,
    /// Failures of an address, whoever it names.
    #[schemars(extend("default" = 50, "minimum" = 1))]
    pub(in crate::config) failures_per_address: Option<i64>,
    /// The first wait; it doubles with each further failure.
    #[schemars(extend("default" = "1s", "format" = "duration"))]
    pub(in crate::config) delay: Option<String>,
    /// The longest wait.
    #[schemars(extend("default" = "5m", "format" = "duration"))]
    pub(in crate::config) max_delay: Option<String>,
}

/// Endpoints of the gateway itself, in the wire format of a family of clients.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Endpoint {
    /// The family of clients.
    pub(in crate::config) dialect: Dialect,
    /// The hosts it answers for. Default: any.
    pub(in crate::config) hosts: Option<Vec<String>>,
    /// The listeners it is reached by. Default: all.
    pub(in crate::config) listeners: Option<Vec<String>>,
    /// Stands in front of the dialect's own paths.
    #[schemars(extend("default" = "/"))]
    pub(in crate::config) path: Option<String>,
    /// The issuer whose newest private key or secret signs. Needed wherever tokens are issued.
    pub(in crate::config) issuer: Option<String>,
    /// How long tokens live. Default: what the dialect's clients expect.
    #[schemars(extend("format" = "duration"))]
    pub(in crate::config) lifetime: Option<String>,
    /// The longest that a client may ask for. Default: what the dialect's clients expect.
    #[schemars(extend("format" = "duration"))]
    pub(in crate::config) max_lifetime: Option<String>,
    /// How long a login can be refreshed. Default: 30d; `jwthenticator`: 24h.
    #[schemars(extend("format" = "duration"))]
    pub(in crate::config) refresh_lifetime: Option<String>,
    /// For how many lifetimes after the login a token may be renewed by itself (ryft, omegaml).
    /// Default: 10; `omegaml`: 2016, which is 7 days.
    #[schemars(extend("minimum" = 0))]
    pub(in crate::config) refresh_window: Option<i64>,
    /// The `aud` of its tokens. Default: the issuer's.
    pub(in crate::config) audience: Option<OneOrMore>,
    /// Further claims: the name of the claim, and the user's attribute in it.
    pub(in crate::config) extra_claims: Option<Named<String>>,
    /// Claims that a service cannot stand: `iss`, `aud`, `sub`.
    #[schemars(extend("default" = []))]
    pub(in crate::config) omit_claims: Option<Vec<OmittedClaim>>,
    /// Whether a one-time code may be used again within its 30 seconds, as App Mesh's clients do.
    #[schemars(extend("default" = false))]
    pub(in crate::config) totp_reuse: Option<bool>,
    /// `JWThenticator`'s sets of endpoints that answer. `internal` lets whoever reaches it register
    /// keys: name it on a listener or host of its own.
    #[schemars(extend("default" = ["external"]))]
    pub(in crate::config) sets: Option<Vec<EndpointSet>>,
    /// How long the keys live that `JWThenticator`'s clients register.
    #[schemars(extend("default" = "48h", "format" = "duration"))]
    pub(in crate::config) key_lifetime: Option<String>,
    /// Origins, besides its own, from which browsers may send with a cookie.
    #[schemars(extend("default" = []))]
    pub(in crate::config) origins: Option<Vec<String>>,
    /// Issuers whose tokens log a browser in, at `/jwt-login` (clustercockpit). Whoever can make
    /// one of their tokens can be any user. Default: none, and there is no such path.
    #[schemars(extend("default" = []))]
    pub(in crate::config) login_issuers: Option<Vec<String>>,
    /// Networks of the proxies that may ask (forward-auth). Default: loopback.
    pub(in crate::config) trusted: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Dialect {
    Appmesh,
    Clustercockpit,
    ForwardAuth,
    Jwthenticator,
    Omegaml,
    Page,
    Ryft,
    Standard,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum OmittedClaim {
    Aud,
    Iss,
    Sub,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum EndpointSet {
    External,
    Internal,
}
