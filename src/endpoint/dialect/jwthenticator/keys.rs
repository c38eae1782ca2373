//! `/jwks`, with the members that its clients know: `x5c` is the public key itself, not a
//! certificate, and `x5t` its SHA-1.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use jsonwebtoken::jwk::AlgorithmParameters;
use serde::Serialize;
use utoipa::ToSchema;

use super::{JSON, Refusal};
use crate::endpoint::dialect::{spaced, standard};
use crate::service::Call;
use crate::token::Key;

/// The public keys that verify its tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct Keys {
    keys: Vec<PublicKey>,
}

/// One key, its members in this order. `kid` is what tokens name, whatever the key's digest.
#[derive(Serialize, ToSchema)]
struct PublicKey {
    /// The key itself (`SubjectPublicKeyInfo`), in base64.
    x5c: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    crv: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    y: Option<String>,
    /// The SHA-1 of it, in base64url.
    x5t: String,
    kid: String,
    alg: String,
    kty: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
}

/// The public keys.
#[utoipa::path(
    get,
    path = "/jwks",
    tag = "both sets",
    responses((status = 200, description = "The keys", body = Keys)),
)]
pub(super) async fn keys(call: Call) -> Result<Response, Refusal> {
    let issuer = standard::issuer(&call).ok_or(Refusal::Impossible)?;
    let keys = issuer.keyring.keys().filter_map(published).collect();
    let mut response = spaced::answer(StatusCode::OK, JSON, &Keys { keys });
    let cacheable = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(CACHE_CONTROL, cacheable);
    Ok(response)
}

/// The public half; `None` for a secret.
fn published(key: &Key) -> Option<PublicKey> {
    let (der, jwk) = (key.public_der()?, key.public_jwk()?);
    let key = PublicKey {
        x5c: [STANDARD.encode(&der)],
        n: None,
        e: None,
        crv: None,
        x: None,
        y: None,
        x5t: URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der)),
        kid: jwk.common.key_id?,
        alg: jwk.common.key_algorithm?.to_string(),
        kty: "RSA",
        usage: "sig",
    };
    match jwk.algorithm {
        AlgorithmParameters::RSA(rsa) => Some(PublicKey { n: Some(rsa.n), e: Some(rsa.e), ..key }),
        AlgorithmParameters::EllipticCurve(ec) => {
            let crv = serde_json::to_value(ec.curve).ok();
            Some(PublicKey { crv, x: Some(ec.x), y: Some(ec.y), kty: "EC", ..key })
        }
        AlgorithmParameters::OctetKeyPair(pair) => {
            let crv = serde_json::to_value(pair.curve).ok();
            Some(PublicKey { crv, x: Some(pair.x), kty: "OKP", ..key })
        }
        AlgorithmParameters::OctetKey(_) | _ => None,
    }
}
