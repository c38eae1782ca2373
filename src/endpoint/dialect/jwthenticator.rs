//! `JWThenticator`'s clients: keys that services register against JWTs of their identifier.
//!
//! Two sets of paths, each of which a mount may leave out: the external one for clients, and the
//! internal one, which registers keys and asks nobody who they are, so that it belongs on a
//! listener of its own. Where the original answers 500 to what a client sent, we answer 401, and a
//! refresh token is good for the identifier that it was issued to.

mod body;
mod keys;
mod load;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use utoipa::OpenApi;

use self::body::{
    Empty, JustKey, KeyOfSomebody, Outcome, Refresh, Refusals, Tokens, Validate, Wrong,
};
use self::load::{Invalid, Kind, load};
use super::spaced;
use crate::openapi::{self, Cover};
use crate::service::{
    Call, IssueError, Issued, KeyError, LoginError, RefreshError, Shape, Unavailable, Verified,
    Wish,
};
use crate::snapshot::Sets;

const JSON: &str = "application/json; charset=utf-8";
/// When to come back, in seconds.
const AWAY: u64 = 5;

/// Its paths and how they are answered.
pub fn router() -> Router {
    let external = Router::new()
        .route("/authenticate", post(authenticate))
        .route("/refresh", post(refresh))
        .route("/validate", post(validate))
        .route("/validate_request", get(validate_request))
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(middleware::from_fn(external_only));
    let internal = Router::new()
        .route("/register_key", post(register_key))
        .route("/is_key_registered", post(is_key_registered))
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(middleware::from_fn(internal_only));
    Router::new()
        .route("/", get(root))
        .route("/health", get(health))
        .route("/jwks", get(keys::keys))
        .merge(external)
        .merge(internal)
        .fallback(async || not_found())
        .method_not_allowed_fallback(method_not_allowed)
}

const EXTERNAL: [&str; 4] = ["/authenticate", "/refresh", "/validate", "/validate_request"];
const INTERNAL: [&str; 2] = ["/register_key", "/is_key_registered"];

/// Whether a path is of a set that is on.
pub(in crate::endpoint) fn answers(sets: Sets, path: &str) -> bool {
    (sets.external || !EXTERNAL.contains(&path)) && (sets.internal || !INTERNAL.contains(&path))
}

/// Its document, from the handlers.
pub(in crate::endpoint) fn document(server: &str) -> utoipa::openapi::OpenApi {
    let about = "Keys against tokens, for JWThenticator's clients. Bodies are JSON, whatever they \
                 are called, and hold the fields that are named and no others.";
    let cover = Cover { title: "jwthenticator dialect", about, server };
    openapi::bind(Document::openapi(), &cover, [("bearer", openapi::bearer("A token"))])
}

#[derive(Debug, OpenApi)]
#[openapi(paths(
    root,
    health,
    keys::keys,
    authenticate,
    refresh,
    validate,
    validate_request,
    register_key,
    is_key_registered,
))]
struct Document;

async fn external_only(call: Call, request: Request, next: Next) -> Response {
    if call.profile.sets.external { next.run(request).await } else { not_found() }
}

async fn internal_only(call: Call, request: Request, next: Next) -> Response {
    if call.profile.sets.internal { next.run(request).await } else { not_found() }
}

fn text(status: StatusCode, text: &'static str) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(CONTENT_TYPE, plain)], text).into_response()
}

fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "404: Not Found")
}

async fn method_not_allowed() -> Response {
    text(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed")
}

fn outcome(status: StatusCode, result: bool) -> Response {
    spaced::answer(status, JSON, &Outcome { result, message: None })
}

fn tokens(issued: &Issued) -> Response {
    let refresh_token = issued.refresh_token.as_ref().map(|token| token.as_str());
    spaced::answer(StatusCode::OK, JSON, &Tokens { jwt: &issued.access_token, refresh_token })
}

/// Why nothing is granted.
#[derive(Debug)]
enum Refusal {
    /// The key or token does not hold.
    Unauthorized,
    /// No token, or not as it must be presented.
    Forbidden,
    /// The body is not as it must be.
    Invalid(Invalid),
    /// Not now.
    Later { status: StatusCode, seconds: u64 },
    /// The endpoint is configured so that it cannot answer.
    Impossible,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => spaced::answer(StatusCode::UNAUTHORIZED, JSON, &Empty {}),
            Self::Forbidden => spaced::answer(StatusCode::FORBIDDEN, JSON, &Empty {}),
            Self::Invalid(invalid) => spaced::answer(StatusCode::BAD_REQUEST, JSON, &invalid),
            Self::Later { status, seconds } => {
                let mut response = spaced::answer(status, JSON, &Empty {});
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Self::Impossible => {
                text(StatusCode::INTERNAL_SERVER_ERROR, "500 Internal Server Error")
            }
        }
    }
}

impl Refusal {
    fn away() -> Self {
        Self::Later { status: StatusCode::SERVICE_UNAVAILABLE, seconds: AWAY }
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<Unavailable> for Refusal {
    fn from(Unavailable: Unavailable) -> Self {
        Self::away()
    }
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Busy | LoginError::Unavailable(_) => Self::away(),
            LoginError::Throttled { retry_after } => Self::Later {
                status: StatusCode::TOO_MANY_REQUESTS,
                seconds: retry_after.as_secs().saturating_add(1),
            },
            LoginError::ChallengeGone
            | LoginError::Refused
            | LoginError::SecondFactor(_)
            | LoginError::WrongCode => Self::Unauthorized,
        }
    }
}

impl From<IssueError> for Refusal {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Audience | IssueError::Impossible | IssueError::Lifetime => {
                Self::Impossible
            }
            IssueError::Refused => Self::Unauthorized,
            IssueError::Unavailable(away) => away.into(),
        }
    }
}

/// That it serves.
#[utoipa::path(
    get,
    path = "/",
    tag = "both sets",
    responses((status = 200, description = "It serves", body = Outcome)),
)]
async fn root() -> Response {
    outcome(StatusCode::OK, true)
}

/// That it serves.
#[utoipa::path(
    get,
    path = "/health",
    tag = "both sets",
    responses((status = 200, description = "It serves", body = Outcome)),
)]
async fn health() -> Response {
    outcome(StatusCode::OK, true)
}

/// Exchanges a key for tokens.
#[utoipa::path(
    post,
    path = "/authenticate",
    tag = "external set",
    request_body = KeyOfSomebody,
    responses((status = 200, description = "Tokens", body = Tokens<'static>), Refusals),
)]
async fn authenticate(call: Call, body: Bytes) -> Result<Response, Refusal> {
    let [key, identifier] = load(&body, [("key", Kind::Text), ("identifier", Kind::Uuid)])?;
    let who = call.service.exchange_key(&call, &key).await?;
    let shape = Shape::Jwthenticator { identifier: identifier.as_str().into() };
    let wish = Wish { refresh: true, ..Wish::of(shape) };
    Ok(tokens(&call.service.issue(&call, &who, &wish).await?))
}

/// Exchanges a refresh token for new tokens.
#[utoipa::path(
    post,
    path = "/refresh",
    tag = "external set",
    request_body = Refresh,
    responses((status = 200, description = "Tokens", body = Tokens<'static>), Refusals),
)]
async fn refresh(call: Call, body: Bytes) -> Result<Response, Refusal> {
    let fields = [("refresh_token", Kind::Text), ("identifier", Kind::Uuid)];
    let [token, identifier] = load(&body, fields)?;
    match call.service.refresh_as(&call, &token, &identifier).await {
        Ok(issued) => Ok(tokens(&issued)),
        Err(RefreshError::Issue(error)) => Err(error.into()),
        Err(RefreshError::Unavailable(away)) => Err(away.into()),
        Err(
            RefreshError::Invalid(_)
            | RefreshError::MissingOrigin
            | RefreshError::Over
            | RefreshError::Refused
            | RefreshError::Reused
            | RefreshError::UserDisabled
            | RefreshError::UserGone,
        ) => Err(Refusal::Unauthorized),
    }
}

/// Verifies a token in the body.
#[utoipa::path(
    post,
    path = "/validate",
    tag = "external set",
    request_body = Validate,
    responses((status = 200, description = "It holds", body = Outcome), Refusals),
)]
async fn validate(call: Call, body: Bytes) -> Result<Response, Refusal> {
    let [token] = load(&body, [("jwt", Kind::Text)])?;
    verify(&call, &token)?;
    Ok(outcome(StatusCode::OK, true))
}

/// Verifies the token of the request, for nginx's `auth_request`.
///
/// No header or another scheme is 403, a token that does not hold 401.
#[utoipa::path(
    get,
    path = "/validate_request",
    tag = "external set",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "It holds", body = Empty),
        (status = 401, description = "It does not hold", body = Empty),
        (status = 403, description = "There is none", body = Empty),
    ),
)]
async fn validate_request(call: Call, fields: HeaderMap) -> Result<Response, Refusal> {
    let mut headers = fields.get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(Refusal::Forbidden);
    };
    let token = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer "));
    match token {
        Some(token) if !token.contains(' ') => verify(&call, token)?,
        _ => return Err(Refusal::Forbidden),
    };
    Ok(spaced::answer(StatusCode::OK, JSON, &Empty {}))
}

/// Verifies a token of this endpoint's issuer; another's is none here.
fn verify(call: &Call, token: &str) -> Result<Verified, Refusal> {
    let verified = call.service.verify(call, token).map_err(|_| Refusal::Unauthorized)?;
    if Some(verified.issuer) == call.profile.issuer {
        Ok(verified)
    } else {
        Err(Refusal::Unauthorized)
    }
}

/// Registers a key of somebody's.
#[utoipa::path(
    post,
    path = "/register_key",
    tag = "internal set",
    request_body = KeyOfSomebody,
    responses(
        (status = 201, description = "It is registered", body = Outcome),
        (status = 400, description = "Not such a key, or it is taken", body = Wrong),
        (status = 503, description = "Not now; see Retry-After", body = Empty),
    ),
)]
async fn register_key(call: Call, body: Bytes) -> Result<Response, Refusal> {
    let [key, identifier] = load(&body, [("key", Kind::Text), ("identifier", Kind::Uuid)])?;
    match call.service.register_key(&call, &key, &identifier).await {
        Ok(_) => Ok(outcome(StatusCode::CREATED, true)),
        Err(KeyError::Unavailable(away)) => Err(away.into()),
        Err(KeyError::Full | KeyError::Ill | KeyError::Taken | KeyError::UnknownUser) => {
            Err(Invalid::field("key", "Not a valid string.").into())
        }
    }
}

/// Whether a key is registered.
#[utoipa::path(
    post,
    path = "/is_key_registered",
    tag = "internal set",
    request_body = JustKey,
    responses(
        (status = 200, description = "Whether it is", body = Outcome),
        (status = 400, description = "Not a key", body = Wrong),
        (status = 503, description = "Not now; see Retry-After", body = Empty),
    ),
)]
async fn is_key_registered(call: Call, body: Bytes) -> Result<Response, Refusal> {
    let [key] = load(&body, [("key", Kind::Text)])?;
    let is_registered = call.service.is_key_registered(&key).await?;
    Ok(outcome(StatusCode::OK, is_registered))
}
