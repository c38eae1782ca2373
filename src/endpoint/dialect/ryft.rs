//! ryft-server's endpoints: log in with JSON, refresh by the token itself, look into the users
//! and change them.
//!
//! What its clients see is as they know it, but for this: a mistake of theirs is never answered
//! with 5xx (an unknown user is 404 and one that exists already 409, where ryft-server says 500),
//! a token dies with its user, and a user with a second factor must show it (`totp_code`, beside
//! the password).

mod account;
mod answer;
mod login;
mod users;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use self::answer::Refusal;
use crate::openapi::{self, Cover};

/// What every answer carries, so that pages of other origins may ask.
const CORS: [(HeaderName, &str); 6] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS, GET, PUT, DELETE, HEAD"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Origin, Content-Type, Content-Length, Accept, Accept-Encoding, X-CSRF-Token, \
         Authorization, x-requested-with",
    ),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Length,Set-Cookie"),
    (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
];

/// All paths of the dialect.
pub fn router() -> Router {
    let users = get(users::list).post(users::add).put(users::change).delete(users::remove);
    Router::new()
        .route("/login", post(login::login))
        .route("/token/refresh", get(login::refresh))
        .route("/user", users)
        .route("/version", get(version))
        .fallback(|| async { Refusal::NoPage })
        .method_not_allowed_fallback(|| async { Refusal::NoMethod })
        .layer(middleware::from_fn(cors))
}

/// Answers the questions of browsers before anybody is asked who they are.
async fn cors(request: Request, next: Next) -> Response {
    let mut answer = if request.method() == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in CORS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// What serves.
#[derive(Serialize, ToSchema)]
struct Version {
    /// Always empty.
    #[serde(rename = "git-hash")]
    git_hash: &'static str,
    /// The gateway's.
    version: &'static str,
}

/// Which version serves.
#[utoipa::path(
    get,
    path = "/version",
    tag = "ryft",
    responses((status = 200, description = "The version", body = Version)),
)]
async fn version() -> Response {
    let said = Version { git_hash: "", version: env!("CARGO_PKG_VERSION") };
    answer::json(StatusCode::OK, &said)
}

/// Its document, from the handlers.
pub(in crate::endpoint) fn document(server: &str) -> utoipa::openapi::OpenApi {
    let about = "Tokens and users, for ryft-server's clients. Bodies are JSON, whatever they are \
                 called.";
    let cover = Cover { title: "ryft dialect", about, server };
    let schemes = [
        ("bearer", openapi::bearer("A token of a login, not of an API key")),
        ("basic", openapi::basic("Name and password, of users without a second factor")),
    ];
    openapi::bind(Document::openapi(), &cover, schemes)
}

#[derive(Debug, OpenApi)]
#[openapi(paths(
    login::login,
    login::refresh,
    users::list,
    users::add,
    users::change,
    users::remove,
    version,
))]
struct Document;
