//! The shapes of `[issuers.NAME]` and `[directories.NAME]`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::OneOrMore;

/// Whose tokens are accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the key is called so, after the claim")]
pub(in crate::config) struct Issuer {
    /// Folder of keys (PEM, DER, JWK, JWK set, raw secrets), or one file. Either this or `secret`.
    pub(in crate::config) keys: Option<String>,
    /// A symmetric key: literal, `@file`, `hex:…`, `base64:…` or `env:NAME`.
    #[schemars(extend("format" = "secret"))]
    pub(in crate::config) secret: Option<SecretText>,
    /// Narrows what the keys say; with `secret` exactly one is needed.
    pub(in crate::config) algorithms: Option<Vec<String>>,
    /// The `iss` that a token must carry.
    pub(in crate::config) issuer: String,
    /// The `aud` of which a token must carry one.
    pub(in crate::config) audience: OneOrMore,
    /// The claims without which a token is refused, besides `exp`; one that is there must be right
    /// in any case. One issuer at most may do without `iss`.
    #[schemars(extend("default" = ["iss", "aud"]))]
    pub(in crate::config) required_claims: Option<Vec<RequiredClaim>>,
    /// How far the clocks may be apart, at most 60s.
    #[schemars(extend("default" = "30s", "format" = "duration"))]
    pub(in crate::config) leeway: Option<String>,
    /// The longest lifetime that is accepted. Default: any.
    #[schemars(extend("format" = "duration"))]
    pub(in crate::config) max_lifetime: Option<String>,
    /// How long tokens live that are issued here.
    #[schemars(extend("default" = "1h", "format" = "duration"))]
    pub(in crate::config) lifetime: Option<String>,
    /// Whether the subject must be a user of a directory, whose present entry counts. Default:
    /// true if the issuer holds a private key or a secret, else false.
    pub(in crate::config) bound: Option<bool>,
    pub(in crate::config) claims: Option<Claims>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RequiredClaim {
    Iss,
    Aud,
}

/// How a secret is written, which may be the secret itself: wiped when dropped.
#[derive(JsonSchema)]
#[schemars(transparent, inline)]
pub(in crate::config) struct SecretText(
    #[schemars(with = "String")] pub(in crate::config) Zeroizing<String>,
);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Where the claims are: paths like `realm_access.roles`; a dot in a name is written `\.`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Claims {
    /// Who.
    #[schemars(extend("default" = "sub"))]
    pub(in crate::config) subject: Option<String>,
    /// Roles.
    #[schemars(extend("default" = "roles"))]
    pub(in crate::config) roles: Option<String>,
    /// Permissions.
    #[schemars(extend("default" = "permissions"))]
    pub(in crate::config) permissions: Option<String>,
    /// Groups.
    #[schemars(extend("default" = "groups"))]
    pub(in crate::config) groups: Option<String>,
    /// Home.
    #[schemars(extend("default" = "home"))]
    pub(in crate::config) home: Option<String>,
    /// E-mail address.
    #[schemars(extend("default" = "email"))]
    pub(in crate::config) email: Option<String>,
    /// Cluster tag.
    #[schemars(extend("default" = "cluster_tag"))]
    pub(in crate::config) tag: Option<String>,
}

/// Where users come from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Directory {
    /// The file of users.
    pub(in crate::config) file: String,
    /// How it is written. Default: by the file's extension.
    pub(in crate::config) format: Option<UserFormat>,
    /// The home of entries without one; `{name}` is the user's name. Default: none.
    pub(in crate::config) default_home: Option<String>,
    /// The roles of entries without any.
    #[schemars(extend("default" = []))]
    pub(in crate::config) default_roles: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum UserFormat {
    Yaml,
    Json,
    Toml,
    Htpasswd,
}
