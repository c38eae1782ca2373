//! The shape of the configuration file: what may be written, before anything is known about what
//! it means.
//!
//! The JSON Schema, the check for unknown keys and the environment's names all come from these
//! structs. Their comments are what an editor shows to the operator, their `default` is what the
//! schema says; a test keeps it equal to what the program does.

mod identity;
mod route;
mod service;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::Value;

use crate::config::named::Named;

pub(super) use self::identity::{Claims, Directory, Issuer, RequiredClaim, SecretText, UserFormat};
pub(super) use self::route::{Accept, Credential, Home, Host, IdentityHeaders, Login, Mode, Route};
pub(super) use self::service::{
    Dialect, Endpoint, EndpointSet, OmittedClaim, Sessions, Store, Throttle, Totp, TotpBasic,
};

/// Configuration of doorward.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "doorward.toml")]
pub(super) struct Root {
    /// More files, read after this one in the order of their names. `*` stands for any part of a
    /// file name, not of a folder name. What is already set may not be set again.
    #[schemars(extend("default" = []))]
    #[expect(dead_code, reason = "is done, and gone from the tree, before this is read")]
    pub(super) include: Option<Vec<String>>,
    pub(super) server: Option<Server>,
    pub(super) limits: Option<Limits>,
    /// Where requests come in, by name.
    pub(super) listeners: Option<Named<Listener>>,
    /// Where requests go, by name.
    pub(super) upstreams: Option<Named<Upstream>>,
    /// What is let through, for whom, where to; by name.
    pub(super) routes: Option<Named<Route>>,
    /// Whose tokens are accepted, by name.
    pub(super) issuers: Option<Named<Issuer>>,
    /// Where users come from, by name; asked in the order of the file.
    pub(super) directories: Option<Named<Directory>>,
    /// Names for permissions. `*` at the end of a segment stands for the rest.
    pub(super) roles: Option<Named<Vec<String>>>,
    pub(super) passwords: Option<Passwords>,
    pub(super) tokens: Option<Tokens>,
    pub(super) store: Option<Store>,
    pub(super) totp: Option<Totp>,
    pub(super) sessions: Option<Sessions>,
    pub(super) throttle: Option<Throttle>,
    /// Endpoints of the gateway itself, by name.
    pub(super) endpoints: Option<Named<Endpoint>>,
    pub(super) log: Option<Log>,
    pub(super) admin: Option<Admin>,
}

/// The process as a whole.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    /// Worker threads; 0: one per core.
    #[schemars(extend("default" = 0, "minimum" = 0))]
    pub(super) workers: Option<i64>,
    /// How long requests may run on after SIGTERM.
    #[schemars(extend("default" = "30s", "format" = "duration"))]
    pub(super) grace: Option<String>,
    /// Networks whose X-Forwarded-* and Forwarded are extended instead of overwritten.
    #[schemars(extend("default" = []))]
    pub(super) trusted_proxies: Option<Vec<String>>,
    /// The realm in challenges.
    #[schemars(extend("default" = "doorward"))]
    pub(super) realm: Option<String>,
    /// Whether transfers and tunnels under way end, within a second, when their user is
    /// disabled, removed or ended otherwise.
    #[schemars(extend("default" = true))]
    pub(super) cut_revoked: Option<bool>,
}

/// What a peer may take: of every listener, unless the listener says otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// Open connections of a listener.
    #[schemars(extend("default" = 16384, "minimum" = 0))]
    pub(super) connections: Option<i64>,
    /// Open connections of one address; 0: no limit.
    #[schemars(extend("default" = 1024, "minimum" = 0))]
    pub(super) connections_per_address: Option<i64>,
    /// From accept to the end of the TLS handshake.
    #[schemars(extend("default" = "10s", "format" = "duration"))]
    pub(super) handshake_timeout: Option<String>,
    /// From the first byte of a request to the end of its headers.
    #[schemars(extend("default" = "10s", "format" = "duration"))]
    pub(super) header_timeout: Option<String>,
    /// Silence while a request body is awaited, or while the client does not read.
    #[schemars(extend("default" = "30s", "format" = "duration"))]
    pub(super) body_idle_timeout: Option<String>,
    /// Silence between two requests of a connection.
    #[schemars(extend("default" = "75s", "format" = "duration"))]
    pub(super) keep_alive_timeout: Option<String>,
    /// Silence between two requests after which an HTTP/1.1 connection gives back the memory that
    /// serving takes; 0s: never.
    #[schemars(extend("default" = "3s", "format" = "duration"))]
    pub(super) park_after: Option<String>,
    /// The longest request line.
    #[schemars(extend("default" = "8KiB", "format" = "size"))]
    pub(super) request_line: Option<String>,
    /// All header fields of a request together.
    #[schemars(extend("default" = "32KiB", "format" = "size"))]
    pub(super) header_bytes: Option<String>,
    /// Header fields of a request.
    #[schemars(extend("default" = 100, "minimum" = 0))]
    pub(super) header_count: Option<i64>,
    /// Concurrent HTTP/2 streams of a connection.
    #[schemars(extend("default" = 100, "minimum" = 0))]
    pub(super) h2_streams: Option<i64>,
    /// `RST_STREAM` frames of a connection within 10 s.
    #[schemars(extend("default" = 200, "minimum" = 0))]
    pub(super) h2_resets: Option<i64>,
    /// PING, SETTINGS, PRIORITY, empty DATA and the like of a connection within 10 s.
    #[schemars(extend("default" = 1000, "minimum" = 0))]
    pub(super) h2_control_frames: Option<i64>,
}

/// Where requests come in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listener {
    /// `address:port`, `[::]:port`, or `systemd:NAME` for a socket that systemd passes.
    pub(super) address: String,
    /// Offered by ALPN, in this order.
    #[schemars(extend("default" = ["h2", "http/1.1"]))]
    pub(super) protocols: Option<Vec<String>>,
    /// Without it the listener speaks plain HTTP.
    pub(super) tls: Option<Tls>,
    /// Overrides single keys of `[limits]`.
    pub(super) limits: Option<Limits>,
}

/// The TLS side of a listener.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    /// Chosen by the name that the client asks for, from the names in the certificates; the first
    /// is for everybody else.
    pub(super) certificates: Vec<Certificate>,
    /// The oldest version of TLS that is spoken.
    #[schemars(extend("default" = "1.2", "enum" = ["1.2", "1.3"]))]
    pub(super) minimum: Option<String>,
}

/// A certificate and its key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    /// PEM file: the certificate, then those that lead to a root.
    pub(super) chain: String,
    /// PEM file: the private key.
    pub(super) key: String,
}

/// Where requests go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Upstream {
    /// `http://host:port`, without a path.
    pub(super) url: String,
    /// Bounds resolving and connecting.
    #[schemars(extend("default" = "3s", "format" = "duration"))]
    pub(super) connect_timeout: Option<String>,
    /// From the end of the request to the first byte of the response.
    #[schemars(extend("default" = "60s", "format" = "duration"))]
    pub(super) first_byte_timeout: Option<String>,
    /// Silence of the upstream within a body.
    #[schemars(extend("default" = "60s", "format" = "duration"))]
    pub(super) idle_timeout: Option<String>,
    /// An unused connection is closed after this.
    #[schemars(extend("default" = "60s", "format" = "duration"))]
    pub(super) pool_idle: Option<String>,
    /// Connections per worker; who finds none free is answered 503.
    #[schemars(extend("default" = 512, "minimum" = 0))]
    pub(super) pool_size: Option<i64>,
}

/// One, or a list of which all are meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// The pool that verifies passwords.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Passwords {
    /// Threads; 0: half the cores, at least 1.
    #[schemars(extend("default" = 0, "minimum" = 0))]
    pub(super) workers: Option<i64>,
    /// Verifications that may wait; more are answered 503.
    #[schemars(extend("default" = 64, "minimum" = 0))]
    pub(super) queue: Option<i64>,
    /// Verifications of one address that may wait.
    #[schemars(extend("default" = 8, "minimum" = 0))]
    pub(super) queue_per_address: Option<i64>,
    /// How long a success is remembered, under a keyed digest; "0s": not at all.
    #[schemars(extend("default" = "5m", "format" = "duration"))]
    pub(super) remember: Option<String>,
    /// The most memory that one hash may ask for.
    #[schemars(extend("default" = "256MiB", "format" = "size"))]
    pub(super) memory: Option<String>,
}

/// Tokens that verified.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tokens {
    /// Verified tokens that are remembered, per worker; "0": none.
    #[schemars(extend("default" = "16MiB", "format" = "size"))]
    pub(super) memory: Option<String>,
}

/// The log.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    /// `auto` is text on a terminal, else JSON.
    #[schemars(extend("default" = "auto"))]
    pub(super) format: Option<LogFormat>,
    /// What is worth a line.
    #[schemars(extend("default" = "info"))]
    pub(super) level: Option<LogLevel>,
    /// Whether each request leaves a line.
    #[schemars(extend("default" = true))]
    pub(super) access: Option<bool>,
    /// `-` is standard output; a file is opened anew on reload.
    #[schemars(extend("default" = "-"))]
    pub(super) file: Option<String>,
    /// Lines that may wait; more are dropped and counted.
    #[schemars(extend("default" = "1MiB", "format" = "size"))]
    pub(super) queue: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogFormat {
    Auto,
    Json,
    Text,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Where health, metrics and status are served.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Admin {
    /// `address:port`, `unix:/path` or `off`.
    #[schemars(extend("default" = "127.0.0.1:9180"))]
    pub(super) address: Option<String>,
    /// At least 32 bytes: who shows it over TCP may change users, keys and tokens. Without it only
    /// who may open the Unix socket.
    #[schemars(extend("format" = "secret"))]
    pub(super) token: Option<SecretText>,
    /// Refusals that are kept for `doorward explain`, each with at most 2 KiB of its request; 0:
    /// none.
    #[schemars(extend("default" = 1000))]
    pub(super) decisions: Option<i64>,
}

/// The JSON Schema of the file. `inline`: without references, for walking through.
pub(super) fn schema(inline: bool) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = inline;
        settings.transforms.push(Box::new(WithoutNull));
    });
    settings.into_generator().into_root_schema_for::<Root>().to_value()
}

/// TOML has no null: what may be left out is just not required.
#[derive(Clone, Debug)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        let null = Value::from("null");
        if let Some(Value::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(|kind| *kind != null);
            if let [only] = kinds.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(words)) = schema.get_mut("enum") {
            words.retain(|word| !word.is_null());
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type") != Some(&null));
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    // What the field says about itself comes before what its type says.
                    if schema.get(&key).is_none() {
                        schema.insert(key, value);
                    }
                }
            }
        }
        transform_subschemas(self, schema);
    }
}
