//! The `ClusterCockpit` dialect: its login form, its logout, and the tokens that it hands out.
//!
//! Its users' browsers and command lines find what they know: a form with `username`, `password`
//! and `redirect`, a session cookie, a token as plain text. What differs is on purpose: too many
//! attempts are 429 and not 401, a redirect stays on the host, and a token for logging in
//! (`/jwt-login`) is taken from the header or the form, never from the URL, where every log on
//! the way would keep it.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest as _, Query, Request};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{any, get, post};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use utoipa::{IntoResponses, OpenApi, ToSchema};

use super::answer::{self, Refusal};
use super::document::{self, FORM};
use super::fields::Fields;
use super::onward::{self, Onward};
use super::visit::{Known, Visit};
use super::{absent, login, logout, origin, wrong_method};
use crate::openapi::{self, Cover};
use crate::service::{IssueError, LoggedIn, LoginError, Shape, Unavailable, Wish};
use crate::session::How;
use crate::snapshot::Profile;

/// Who has it may issue tokens for others.
const ADMIN: &str = "admin";

/// The paths of the dialect, below its prefix.
pub fn router() -> Router {
    Router::new()
        .route("/login", get(login::show).post(login::log_in))
        .route("/logout", post(logout::clustercockpit))
        .route("/jwt-login", any(log_in_by_token).get(get_by_token).post(post_by_token))
        .route("/frontend/jwt", get(frontend_token))
        .route("/frontend/jwt/", get(frontend_token_below))
        .route("/api/jwt", get(api_token))
        .route("/api/jwt/", get(api_token_below))
        .fallback(absent)
        .method_not_allowed_fallback(wrong_method)
}

/// Whether a path is one of this mount's: tokens log nobody in where no issuer is trusted for it.
pub(in crate::endpoint) fn answers(profile: &Profile, path: &str) -> bool {
    path != "/jwt-login" || !profile.login_issuers.is_empty()
}

/// Its document, from the handlers.
pub(in crate::endpoint) fn document(server: &str) -> utoipa::openapi::OpenApi {
    let about = "Logging in, and tokens as plain text, for ClusterCockpit's users.";
    let cover = Cover { title: "clustercockpit dialect", about, server };
    let schemes = [
        ("bearer", openapi::bearer("A token of an issuer of `login_issuers`")),
        ("session", document::session()),
    ];
    let mut document = Document::openapi();
    // Login by form is the page dialect's own handler, which answers another redirect here.
    for item in document.paths.paths.values_mut() {
        let responses = item.post.iter_mut().map(|post| &mut post.responses.responses);
        for responses in responses {
            if let Some(redirect) = responses.remove("303") {
                responses.insert("302".to_owned(), redirect);
            }
        }
    }
    openapi::bind(document, &cover, schemes)
}

#[derive(Debug, OpenApi)]
#[openapi(paths(
    login::show,
    login::log_in,
    logout::clustercockpit,
    get_by_token,
    post_by_token,
    frontend_token,
    frontend_token_below,
    api_token,
    api_token_below,
))]
struct Document;

/// Whose token is asked for.
#[derive(Debug, serde::Deserialize)]
struct Wanted {
    username: Option<String>,
}

/// Why there is no token.
#[derive(Serialize, ToSchema)]
struct ErrorBody {
    /// The status in words.
    status: &'static str,
    /// Why.
    error: String,
}

/// A token, or why there is none; for the document.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "tells what `token` answers")]
enum TokenAnswers {
    /// The token, as plain text
    #[response(status = 200, content_type = "text/plain")]
    Token(String),
    /// The query cannot be read
    #[response(status = 400)]
    Bad(#[to_schema] ErrorBody),
    /// There is no session
    #[response(status = 401)]
    Unauthorized(#[to_schema] ErrorBody),
    /// Only administrators may for others, and no other site may ask
    #[response(status = 403)]
    Denied(#[to_schema] ErrorBody),
    /// No such user
    #[response(status = 404)]
    Unknown(#[to_schema] ErrorBody),
    /// Not now; see Retry-After
    #[response(status = 503)]
    Later(#[to_schema] ErrorBody),
}

/// A token for oneself, or by an administrator for others.
#[utoipa::path(
    get,
    path = "/frontend/jwt",
    tag = "tokens",
    params(("username" = Option<String>, Query, description = "For whom")),
    security(("session" = [])),
    responses(TokenAnswers),
)]
async fn frontend_token(visit: Visit, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    token(visit, wanted).await
}

/// A token for oneself, or by an administrator for others.
#[utoipa::path(
    get,
    path = "/frontend/jwt/",
    tag = "tokens",
    params(("username" = Option<String>, Query, description = "For whom")),
    security(("session" = [])),
    responses(TokenAnswers),
)]
async fn frontend_token_below(
    visit: Visit,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    token(visit, wanted).await
}

/// A token for oneself, or by an administrator for others.
#[utoipa::path(
    get,
    path = "/api/jwt",
    tag = "tokens",
    params(("username" = Option<String>, Query, description = "For whom")),
    security(("session" = [])),
    responses(TokenAnswers),
)]
async fn api_token(visit: Visit, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    token(visit, wanted).await
}

/// A token for oneself, or by an administrator for others.
#[utoipa::path(
    get,
    path = "/api/jwt/",
    tag = "tokens",
    params(("username" = Option<String>, Query, description = "For whom")),
    security(("session" = [])),
    responses(TokenAnswers),
)]
async fn api_token_below(visit: Visit, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    token(visit, wanted).await
}

async fn token(visit: Visit, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    let Ok(Query(wanted)) = wanted else {
        return error(StatusCode::BAD_REQUEST, "the query can't be read");
    };
    let Some(known) = &visit.known else {
        return error(StatusCode::UNAUTHORIZED, "no valid session");
    };
    // It would only be shown, to its owner; but nobody else has business to send them here.
    if origin::is_led_by_others(&visit.headers) {
        return error(StatusCode::FORBIDDEN, "cross-site request blocked");
    }
    let who = match subject(&visit, known, wanted.username.as_deref()) {
        Ok(who) => who,
        Err(refusal) => return refusal.into_response(),
    };
    let wish = Wish::of(Shape::ClusterCockpit);
    match visit.call.service.issue(&visit.call, &who, &wish).await {
        Ok(issued) => visit.keep(issued.access_token.to_string().into_response()),
        Err(IssueError::Unavailable(Unavailable)) => {
            let text = "no token can be issued at the moment";
            answer::after(error(StatusCode::SERVICE_UNAVAILABLE, text), 5)
        }
        Err(
            IssueError::Audience
            | IssueError::Impossible
            | IssueError::Lifetime
            | IssueError::Refused,
        ) => error(StatusCode::INTERNAL_SERVER_ERROR, "no token can be issued here"),
    }
}

/// For whom a token is issued.
fn subject(visit: &Visit, known: &Known, wanted: Option<&str>) -> Result<LoggedIn, Refusal> {
    let name = match wanted {
        None | Some("") => return Ok(known.who.clone()),
        Some(name) if *name == *known.user.name => return Ok(known.who.clone()),
        Some(name) => name,
    };
    if !known.user.roles.iter().any(|role| **role == *ADMIN) {
        let text = "only admins are allowed to sign JWTs not for themselves";
        return Err(error(StatusCode::FORBIDDEN, text).into());
    }
    let found = visit.call.service.stand_in(&visit.call, &known.who, name);
    found.map_err(|_: LoginError| error(StatusCode::NOT_FOUND, "unknown user").into())
}

/// A token in a form.
#[derive(serde::Deserialize, ToSchema)]
#[expect(dead_code, reason = "the fields are read one by one; this is what they are")]
struct TokenLoginForm {
    /// The token, unless it is in the header.
    #[serde(rename = "login-token")]
    #[schema(nullable = false)]
    login_token: Option<String>,
    /// Where to go afterwards: a path of the same host.
    #[schema(nullable = false)]
    redirect: Option<String>,
}

/// How a login by a token is answered; for the document.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "tells what `log_in_by_token` answers")]
enum TokenLoginAnswers {
    /// The session has begun
    #[response(status = 302)]
    Begun,
    /// A token in the URL, or a form that cannot be read
    #[response(status = 400, content_type = "text/html")]
    Bad(String),
    /// No token that logs somebody in
    #[response(status = 401, content_type = "text/html")]
    Unauthorized(String),
    /// It comes from another site, or this needs HTTPS
    #[response(status = 403, content_type = "text/html")]
    Forged(String),
    /// No form
    #[response(status = 415, content_type = "text/html")]
    NoForm(String),
}

/// Begins a session by a token in the header.
#[utoipa::path(
    get,
    path = "/jwt-login",
    tag = "login",
    params(("redirect" = Option<String>, Query, description = "Where to go afterwards: a path of the same host")),
    security(("bearer" = [])),
    responses(TokenLoginAnswers),
)]
async fn get_by_token(visit: Visit, request: Request) -> Result<Response, Refusal> {
    log_in_by_token(visit, request).await
}

/// Begins a session by a token in the header or in a form.
#[utoipa::path(
    post,
    path = "/jwt-login",
    tag = "login",
    request_body(content = TokenLoginForm, content_type = FORM),
    security((), ("bearer" = [])),
    responses(TokenLoginAnswers),
)]
async fn post_by_token(visit: Visit, request: Request) -> Result<Response, Refusal> {
    log_in_by_token(visit, request).await
}

/// `/jwt-login`: a session for a token of an issuer that is trusted for that.
async fn log_in_by_token(visit: Visit, request: Request) -> Result<Response, Refusal> {
    if visit.call.profile.login_issuers.is_empty() {
        return Ok(absent(visit.call).await);
    }
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').any(|pair| pair.split('=').next() == Some("login-token")) {
        return Ok(answer::message(
            &visit.call,
            StatusCode::BAD_REQUEST,
            "A token does not belong in a URL",
            "Send it in the Authorization header, or in a form.",
        ));
    }
    let query = Query::<login::Asked>::try_from_uri(request.uri());
    let asked = query.ok().and_then(|Query(asked)| asked.redirect).unwrap_or_default();
    visit.refuse_foreign()?;
    let (token, asked) = match bearer(request.headers()) {
        Some(token) => (token.to_owned(), asked),
        None if request.method() == Method::POST => {
            let fields = Fields::from_request(request, &()).await;
            let fields = fields.map_err(|status| refuse(&visit, status))?;
            let token = fields.one("login-token").unwrap_or_default().to_owned();
            let redirect = fields.find(onward::FIELD).ok().flatten();
            (token, redirect.map_or(asked, str::to_owned))
        }
        None => return Err(refuse(&visit, StatusCode::UNAUTHORIZED).into()),
    };
    let began = visit.call.service.now();
    let name =
        trusted_subject(&visit, &token).ok_or_else(|| refuse(&visit, StatusCode::UNAUTHORIZED))?;
    let place = Onward::parse(&asked);
    let response = answer::see(StatusCode::FOUND, place.as_ref().map_or("/", Onward::as_str));
    Ok(visit.begin(&name, How::Token, began, response))
}

/// The user whom a token names, if its issuer may log people in and the directory knows them. The
/// token of an API key does not: a session would be wider than the key.
fn trusted_subject(visit: &Visit, token: &str) -> Option<Box<str>> {
    let verified = visit.call.service.verify(&visit.call, token).ok()?;
    let is_trusted = visit.call.profile.login_issuers.contains(&verified.issuer);
    if !is_trusted || verified.key.is_some() {
        return None;
    }
    let (_, user) = visit.call.snapshot.identities.find(&verified.principal.name)?;
    (!user.disabled).then(|| user.name.clone())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(token)
}

fn refuse(visit: &Visit, status: StatusCode) -> Response {
    let title = "Authentication failed";
    let text = "There is no token that logs you in here.";
    answer::message_with(&visit.call, status, (title, text), (&visit.path("/login"), "Log in"))
}

fn error(status: StatusCode, text: &str) -> Response {
    let body =
        ErrorBody { status: status.canonical_reason().unwrap_or_default(), error: text.into() };
    let mut response = (status, Json(body)).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}
