//! OAuth 2.0 and what stands around it: tokens (RFC 6749), revocation (RFC 7009), introspection
//! (RFC 7662), metadata (RFC 8414), keys (RFC 7517); and, in JSON, a user's own account and second
//! factor.
//!
//! Requests to `/oauth2/…` are forms, the others JSON. Every refusal is an object with `error` and
//! `error_description` (RFC 6749 §5.2).

mod account;
mod bearer;
mod client;
mod form;
mod introspect;
mod keys;
mod metadata;
mod outcome;
mod refusal;
mod revoke;
mod token;
mod totp;

use axum::Router;
use axum::routing::{delete, get, post};
use utoipa::OpenApi;

use self::refusal::Refusal;
use crate::openapi::{self, Cover};

pub(super) use self::metadata::issuer;

/// Its paths and how they are answered.
pub fn router() -> Router {
    Router::new()
        .route("/oauth2/token", post(token::token))
        .route("/oauth2/revoke", post(revoke::revoke))
        .route("/oauth2/introspect", post(introspect::introspect))
        .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
        .route("/.well-known/jwks.json", get(metadata::keys))
        .route("/totp/enrol", post(totp::enrol))
        .route("/totp/confirm", post(totp::confirm))
        .route("/totp/recovery", post(totp::recovery))
        .route("/totp/disable", post(totp::disable))
        .route("/account", get(account::account))
        .route("/account/keys", get(keys::list).post(keys::issue))
        .route("/account/keys/{id}", delete(keys::end))
        .route("/account/password", post(account::password))
        .route("/account/logout", post(account::logout))
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
}

/// Its document, from the handlers.
pub(in crate::endpoint) fn document(server: &str) -> utoipa::openapi::OpenApi {
    let about = "Tokens, second factors and API keys. Requests to `/oauth2/…` are forms; a \
                 parameter that comes twice makes them invalid.";
    let cover = Cover { title: "standard dialect", about, server };
    let schemes = [
        ("bearer", openapi::bearer("An access token of the user, not of an API key")),
        ("client", openapi::basic("The id or owner of an API key, and the key")),
    ];
    openapi::bind(Document::openapi(), &cover, schemes)
}

#[derive(Debug, OpenApi)]
#[openapi(paths(
    token::token,
    revoke::revoke,
    introspect::introspect,
    metadata::metadata,
    metadata::keys,
    totp::enrol,
    totp::confirm,
    totp::recovery,
    totp::disable,
    account::account,
    account::password,
    account::logout,
    keys::list,
    keys::issue,
    keys::end,
))]
struct Document;
