//! The paths of each dialect, as their clients know them.

/// App Mesh.
pub(super) const APPMESH: &[&str] = &[
    "/appmesh/login",
    "/appmesh/auth",
    "/appmesh/token/renew",
    "/appmesh/self/logoff",
    "/appmesh/totp/validate",
    "/appmesh/totp/secret",
    "/appmesh/totp/setup",
    "/appmesh/totp/{name}/disable",
    "/appmesh/user/{name}",
    "/appmesh/user/{name}/passwd",
    "/appmesh/user/{name}/lock",
    "/appmesh/user/{name}/unlock",
    "/appmesh/users",
    "/appmesh/roles",
    "/appmesh/role/{name}",
    "/appmesh/user/permissions",
    "/appmesh/permissions",
    "/appmesh/user/groups",
    "/openapi/appmesh.json",
];

/// `ClusterCockpit`.
pub(super) const CLUSTERCOCKPIT: &[&str] = &[
    "/login",
    "/logout",
    "/jwt-login",
    "/frontend/jwt",
    "/frontend/jwt/",
    "/api/jwt",
    "/api/jwt/",
    "/openapi/clustercockpit.json",
];

/// Proxies.
pub(super) const FORWARD_AUTH: &[&str] =
    &["/auth/nginx", "/auth/traefik", "/auth/caddy", "/auth/envoy/", "/auth/envoy/{*path}"];

/// `JWThenticator`.
pub(super) const JWTHENTICATOR: &[&str] = &[
    "/",
    "/health",
    "/jwks",
    "/authenticate",
    "/refresh",
    "/validate",
    "/validate_request",
    "/register_key",
    "/is_key_registered",
    "/openapi/jwthenticator.json",
];

/// omegaml.
pub(super) const OMEGAML: &[&str] = &["/token-auth/", "/token-refresh/", "/openapi/omegaml.json"];

/// Browsers.
pub(super) const PAGE: &[&str] = &[
    "/login",
    "/logout",
    "/logout/everywhere",
    "/me",
    "/me/tokens",
    "/me/tokens/revoke",
    "/me/keys",
    "/me/keys/revoke",
    "/me/totp",
    "/me/totp/confirm",
    "/me/totp/disable",
    "/me/password",
    "/openapi/page.json",
];

/// ryft-server.
pub(super) const RYFT: &[&str] =
    &["/login", "/token/refresh", "/user", "/version", "/openapi/ryft.json"];

/// OAuth 2.0 and what stands around it.
pub(super) const STANDARD: &[&str] = &[
    "/oauth2/token",
    "/oauth2/revoke",
    "/oauth2/introspect",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    "/openapi.json",
    "/totp/enrol",
    "/totp/confirm",
    "/totp/recovery",
    "/totp/disable",
    "/account",
    "/account/keys",
    "/account/keys/{id}",
    "/account/password",
    "/account/logout",
];
