//! What tokens say, dialect by dialect.

use serde::{Deserialize, Serialize};

/// In which dialect's shape a token is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// App Mesh: `resource_access`, `orig_iat`.
    AppMesh,
    /// `ClusterCockpit`: `roles`.
    ClusterCockpit,
    /// `JWThenticator`: `token_id` and `identifier`, which must be what the key was registered
    /// for.
    Jwthenticator {
        /// A UUID.
        identifier: Box<str>,
    },
    /// omegaml: `user_id`, `email`, `username`, `orig_iat`.
    Omegaml,
    /// ryft: `id`, `roles`, `home-dir`, `cluster-tag`, `orig_iat`.
    Ryft,
    /// Registered claims (RFC 7519, RFC 9068), and the user's roles.
    Standard,
}
