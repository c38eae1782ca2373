//! What a client finds out by itself: the server's metadata (RFC 8414) and its keys (RFC 7517).

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::header::CACHE_CONTROL;
use serde::Serialize;
use utoipa::ToSchema;

use super::refusal::Refusal;
use super::token::GRANTS;
use crate::service::Call;
use crate::token::IssuerSettings;

/// How long a client may keep what is told here. A new key signs nothing before it has been
/// published for longer.
const CACHEABLE: &str = "public, max-age=300";
const AUTH_METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

/// Where everything is, and what is offered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Metadata {
    /// The `iss` of its tokens.
    issuer: String,
    token_endpoint: String,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    jwks_uri: String,
    grant_types_supported: Vec<&'static str>,
    /// None: there is no authorization endpoint.
    response_types_supported: Vec<&'static str>,
}

/// The public keys that verify its tokens, as a JWK set; none where tokens are signed with a shared
/// secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeysBody {
    /// JWKs (RFC 7517 §4).
    keys: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// Where everything is.
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "discovery",
    responses((status = 200, description = "The metadata", body = Metadata)),
)]
pub(super) async fn metadata(call: Call) -> Result<Response, Refusal> {
    let issuer = issuer(&call).ok_or(Refusal::Impossible)?;
    let base = format!("{}{}", call.origin(), call.profile.prefix);
    let of = |path: &str| format!("{base}{path}");
    let metadata = Metadata {
        issuer: issuer.issuer.clone(),
        token_endpoint: of("/oauth2/token"),
        token_endpoint_auth_methods_supported: AUTH_METHODS.to_vec(),
        revocation_endpoint: of("/oauth2/revoke"),
        revocation_endpoint_auth_methods_supported: AUTH_METHODS.to_vec(),
        introspection_endpoint: of("/oauth2/introspect"),
        introspection_endpoint_auth_methods_supported: vec![
            "client_secret_basic",
            "client_secret_post",
        ],
        jwks_uri: of("/.well-known/jwks.json"),
        grant_types_supported: GRANTS.to_vec(),
        response_types_supported: Vec::new(),
    };
    Ok(([(CACHE_CONTROL, CACHEABLE)], Json(metadata)).into_response())
}

/// The public keys.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "discovery",
    responses((status = 200, description = "The keys", body = KeysBody)),
)]
pub(super) async fn keys(call: Call) -> Result<Response, Refusal> {
    let issuer = issuer(&call).ok_or(Refusal::Impossible)?;
    let keys = issuer.keyring.public_jwks();
    Ok(([(CACHE_CONTROL, CACHEABLE)], Json(keys)).into_response())
}

/// The issuer whose tokens an endpoint hands out.
pub(in crate::endpoint::dialect) fn issuer(call: &Call) -> Option<&IssuerSettings> {
    let verifier = call.snapshot.identities.verifier.as_ref()?;
    verifier.issuer(call.profile.issuer?)
}
