//! App Mesh's endpoints, for the clients of all its generations: answers have the members of
//! each, since its clients look for those they know.
//!
//! What differs from App Mesh is what was wrong with it: an unknown user and a wrong password
//! have one answer (401), a missing permission is 403, a token that can't be decoded 401, `HEAD`
//! verifies what `GET` verifies, a one-time code is checked and by default holds once, the groups
//! are told to those only who may list users, and the second factor of others is taken away by
//! those only who may change their passwords too.
//!
//! Who calls needs App Mesh's permissions, such as `user-token-renew` or `user-list`.

mod answer;
mod body;
mod credential;
mod login;
mod roles;
mod token;
mod totp;
mod users;
mod wish;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};
use utoipa::OpenApi;

use self::answer::Refusal;
use crate::openapi::{self, Cover};
use crate::service::Call;

/// What every answer carries, so that pages of other origins may ask with a token of theirs.
const CORS: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type"),
];
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// All paths of the dialect.
pub fn router() -> Router {
    let user = get(users::own).put(users::put).delete(users::remove);
    Router::new()
        .route("/appmesh/login", post(login::login))
        .route("/appmesh/totp/validate", post(login::validate))
        .route("/appmesh/auth", post(token::auth))
        .route("/appmesh/token/renew", post(token::renew))
        .route("/appmesh/self/logoff", post(token::log_off))
        .route("/appmesh/totp/secret", post(totp::secret))
        .route("/appmesh/totp/setup", post(totp::set_up))
        .route("/appmesh/totp/{name}/disable", post(totp::disable))
        .route("/appmesh/user/{name}", user)
        .route("/appmesh/user/{name}/passwd", post(users::change_password))
        .route("/appmesh/user/{name}/lock", post(users::lock))
        .route("/appmesh/user/{name}/unlock", post(users::unlock))
        .route("/appmesh/user/groups", get(users::groups))
        .route("/appmesh/user/permissions", get(roles::own_permissions))
        .route("/appmesh/users", get(users::list))
        .route("/appmesh/permissions", get(roles::permissions))
        .route("/appmesh/roles", get(roles::list))
        .route("/appmesh/role/{name}", post(roles::set).delete(roles::remove))
        .fallback(no_path)
        .method_not_allowed_fallback(no_path)
        .layer(middleware::from_fn(dress))
}

/// Its document, from the handlers.
pub(in crate::endpoint) fn document(server: &str) -> utoipa::openapi::OpenApi {
    let about = "Tokens, second factors, users and roles, for App Mesh's clients of all \
                 generations. A path is known by its method too: another one is 404.";
    let cover = Cover { title: "appmesh dialect", about, server };
    let cookie = "The token, as `X-Set-Cookie` has a browser keep it; only from pages of ours";
    let schemes = [
        ("basic", openapi::basic("Name and password")),
        ("bearer", openapi::bearer("A token; `Bearer` may be left out")),
        ("cookie", openapi::cookie(answer::COOKIE, cookie)),
    ];
    openapi::bind(Document::openapi(), &cover, schemes)
}

#[derive(Debug, OpenApi)]
#[openapi(paths(
    login::login,
    login::validate,
    token::auth,
    token::renew,
    token::log_off,
    totp::secret,
    totp::set_up,
    totp::disable,
    users::own,
    users::put,
    users::remove,
    users::change_password,
    users::lock,
    users::unlock,
    users::groups,
    users::list,
    roles::own_permissions,
    roles::permissions,
    roles::list,
    roles::set,
    roles::remove,
))]
struct Document;

/// A path is known by its method too.
async fn no_path(method: Method, uri: Uri) -> Refusal {
    Refusal::said(StatusCode::NOT_FOUND, format!("Path not found {method}:{}", uri.path()))
}

/// Answers what browsers ask first, and adds what all answers have.
async fn dress(call: Call, request: Request, next: Next) -> Response {
    let mut answer = if request.method() == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        next.run(request).await
    };
    let fields = answer.headers_mut();
    for (name, value) in CORS {
        fields.insert(name, HeaderValue::from_static(value));
    }
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    if call.is_secure {
        fields.insert(header::STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    answer
}
