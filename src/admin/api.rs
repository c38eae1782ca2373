//! Users, keys, tokens and second factors, for operators: JSON in, JSON out, problem details
//! (RFC 9457) for errors.
//!
//! Whoever gets here may do everything, so the way here is narrow: the Unix socket, which only its
//! owner can open, or loopback with `admin.token`. What is changed here is written to the log with
//! the name of what was changed and never with a secret.

mod key;
mod problem;
mod second_factor;
mod token;
mod user;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::routing::{delete, get, post, put};
use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;
use tower::ServiceExt as _;
use utoipa::OpenApi;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use self::problem::Problem;
use crate::identity::throttle::Throttle;
use crate::service::{Call, TokenService};
use crate::snapshot::{Profile, Snapshot, SnapshotStore};

/// The largest body of a request.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// How long a key lives that is registered without a word about it: as an endpoint's would.
const KEY_LIFETIME: Duration = Duration::from_hours(48);

/// What it acts on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api {
    service: Arc<TokenService>,
    snapshots: Arc<SnapshotStore>,
}

/// What a handler acts on: one version of everything.
#[derive(Clone, Debug)]
struct Desk {
    service: Arc<TokenService>,
    snapshot: Arc<Snapshot>,
}

impl Api {
    /// Acts on this service.
    #[must_use]
    pub fn new(service: Arc<TokenService>, snapshots: Arc<SnapshotStore>) -> Self {
        Self { service, snapshots }
    }

    /// Who has failed how often.
    #[must_use]
    pub fn throttle(&self) -> &Arc<Throttle> {
        self.service.throttle()
    }

    /// Whether a path is one of these.
    #[must_use]
    pub(super) fn covers(path: &str) -> bool {
        let first = path.split('/').nth(1);
        matches!(first, Some("addresses" | "users" | "keys" | "tokens" | "revocations"))
    }

    /// Whether this is the token of the admin listener. Where none is configured, none is.
    #[must_use]
    pub(super) fn knows(&self, presented: &[u8]) -> bool {
        let snapshot = self.snapshots.current();
        snapshot.admin_token.as_ref().is_some_and(|token| token.expose().ct_eq(presented).into())
    }

    /// The paths that it answers; `{name}` stands for one segment.
    #[cfg(test)]
    pub(super) const PATHS: [&str; 17] = [
        "/addresses/{address}/unlock",
        "/users",
        "/users/{name}",
        "/users/{name}/password",
        "/users/{name}/disable",
        "/users/{name}/enable",
        "/users/{name}/logout",
        "/users/{name}/unlock",
        "/users/{name}/totp",
        "/users/{name}/totp/confirm",
        "/keys",
        "/keys/register",
        "/keys/{id}",
        "/tokens",
        "/tokens/inspect",
        "/tokens/revoke",
        "/revocations",
    ];

    /// Answers a request of somebody who may.
    pub(super) async fn answer(&self, request: http::Request<Bytes>) -> Response<Full<Bytes>> {
        let desk = Desk { service: Arc::clone(&self.service), snapshot: self.snapshots.current() };
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(desk);
        let request = Request::from_parts(parts, axum::body::Body::from(body));
        let answer = match router().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let (parts, body) = answer.into_parts();
        match body.collect().await {
            Ok(body) => Response::from_parts(parts, Full::new(body.to_bytes())),
            Err(error) => {
                tracing::error!(%error, "Could not write an admin response");
                let mut broken = Response::new(Full::default());
                *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                broken
            }
        }
    }
}

/// The document of the API, from its handlers.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    user::list,
    user::add,
    user::show,
    user::remove,
    user::set_password,
    user::disable,
    user::enable,
    user::log_out,
    user::unlock,
    user::unlock_address,
    second_factor::show,
    second_factor::begin,
    second_factor::disable,
    second_factor::confirm,
    key::list,
    key::issue,
    key::register,
    key::end,
    token::list,
    token::issue,
    token::inspect,
    token::revoke,
    token::revocations,
))]
pub(super) struct Document;

fn router() -> Router {
    Router::new()
        .route("/addresses/{address}/unlock", post(user::unlock_address))
        .route("/users", get(user::list).post(user::add))
        .route("/users/{name}", get(user::show).delete(user::remove))
        .route("/users/{name}/password", put(user::set_password))
        .route("/users/{name}/disable", post(user::disable))
        .route("/users/{name}/enable", post(user::enable))
        .route("/users/{name}/logout", post(user::log_out))
        .route("/users/{name}/unlock", post(user::unlock))
        .route(
            "/users/{name}/totp",
            get(second_factor::show).post(second_factor::begin).delete(second_factor::disable),
        )
        .route("/users/{name}/totp/confirm", post(second_factor::confirm))
        .route("/keys", get(key::list).post(key::issue))
        .route("/keys/register", post(key::register))
        .route("/keys/{id}", delete(key::end))
        .route("/tokens", get(token::list).post(token::issue))
        .route("/tokens/inspect", post(token::inspect))
        .route("/tokens/revoke", post(token::revoke))
        .route("/revocations", get(token::revocations))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "nothing is here"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "another method is meant")
        })
}

impl Desk {
    /// The operator as a caller of the token service.
    fn call(&self, key_lifetime: Option<Duration>) -> Call {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Call {
            snapshot: Arc::clone(&self.snapshot),
            profile: Arc::new(Profile::of_operator(key_lifetime.unwrap_or(KEY_LIFETIME))),
            client: here,
            peer: here,
            is_secure: false,
            authority: "localhost".into(),
            service: Arc::clone(&self.service),
        }
    }

    fn now(&self) -> u64 {
        self.service.now().as_secs()
    }
}

impl<S: Sync> FromRequestParts<S> for Desk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "nothing to act on");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

/// A body of JSON.
#[derive(Debug)]
struct Json<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

fn refused(rejection: &JsonRejection) -> Problem {
    Problem::new(rejection.status(), rejection.body_text())
}

/// The segment of the path that names something.
#[derive(Debug)]
struct Name(String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read: Result<Path<String>, _> = Path::from_request_parts(parts, state).await;
        match read {
            Ok(Path(name)) => Ok(Self(name)),
            Err(rejection) => Err(Problem::new(rejection.status(), rejection.body_text())),
        }
    }
}

/// A time such as `15m`, or a number of seconds.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(try_from = "serde_json::Value")]
struct Lifetime(Duration);

impl utoipa::PartialSchema for Lifetime {
    fn schema() -> RefOr<Schema> {
        let about = "A time such as `15m`, or a number of seconds";
        let text = ObjectBuilder::new().schema_type(Type::String);
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        OneOfBuilder::new().item(text).item(number).description(Some(about)).into()
    }
}

impl utoipa::ToSchema for Lifetime {}

impl TryFrom<serde_json::Value> for Lifetime {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        let read = match &value {
            serde_json::Value::String(text) => humantime::parse_duration(text).ok(),
            serde_json::Value::Number(number) => number.as_u64().map(Duration::from_secs),
            serde_json::Value::Array(_)
            | serde_json::Value::Bool(_)
            | serde_json::Value::Null
            | serde_json::Value::Object(_) => None,
        };
        let reason = || "a lifetime is a text such as \"15m\" or a number of seconds".to_owned();
        read.map(Self).ok_or_else(reason)
    }
}

/// What a handler answers.
type Answer<T> = Result<T, Problem>;

#[cfg(test)]
mod tests;
