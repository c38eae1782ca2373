//! Which request is answered how, and which not at all.

use std::net::IpAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{ALLOW, AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE},
};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use utoipa::OpenApi;

use super::health::{healthz, metrics_text, readiness, reload, status};
use super::reply::{Refusals, Refused, guard, json};
use super::{AdminState, address::is_loopback, api::Api, openapi};

/// No endpoint but the API takes a body worth the name.
const BODY_LIMIT: u64 = 4096;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Tcp(IpAddr),
    Unix,
}

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Api,
    Decision,
    Healthz,
    Metrics,
    Openapi,
    Readyz,
    Reload,
    Status,
}

/// The paths beside the API's, but for the document of them all.
#[cfg(test)]
pub(super) const PATHS: [&str; 6] =
    ["/decisions/{id}", "/healthz", "/metrics", "/readyz", "/reload", "/status"];

impl Endpoint {
    fn find(path: &str) -> Option<Self> {
        match path {
            "/healthz" => Some(Self::Healthz),
            "/metrics" => Some(Self::Metrics),
            "/openapi.json" => Some(Self::Openapi),
            "/readyz" => Some(Self::Readyz),
            "/reload" => Some(Self::Reload),
            "/status" => Some(Self::Status),
            _ if decision(path).is_some() => Some(Self::Decision),
            _ => Api::covers(path).then_some(Self::Api),
        }
    }

    fn changes_something(self) -> bool {
        match self {
            Self::Decision
            | Self::Healthz
            | Self::Metrics
            | Self::Openapi
            | Self::Readyz
            | Self::Status => false,
            Self::Api | Self::Reload => true,
        }
    }

    fn allows(self, method: &Method) -> bool {
        if self == Self::Api {
            true // which has more to say about it
        } else if self.changes_something() {
            method == Method::POST
        } else {
            method == Method::GET || method == Method::HEAD
        }
    }
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    BodyTooLarge,
    CrossSite,
    BodyBroken,
    ForeignHost,
    Forgotten,
    MethodNotAllowed(Endpoint),
    NoApi,
    NotFound,
    NotLocal,
    Unauthorized,
}

impl Refusal {
    fn response(self) -> Response<Full<Bytes>> {
        let (status, reason) = match self {
            Self::BodyBroken => (StatusCode::BAD_REQUEST, "the body did not arrive"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::CrossSite => (StatusCode::FORBIDDEN, "a web page may not ask"),
            Self::ForeignHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "the Host header must be an IP address or `localhost`",
            ),
            Self::Forgotten => (StatusCode::NOT_FOUND, "no such decision is kept"),
            Self::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
            Self::NoApi => (StatusCode::NOT_FOUND, "this gateway has no token service"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "over TCP this needs `admin.token`, as a Bearer token")
            }
            Self::NotLocal => (StatusCode::FORBIDDEN, "only for local peers"),
        };
        let mut response = json(status, &Refused { error: reason.into() });
        if let Self::MethodNotAllowed(endpoint) = self {
            let allowed = if endpoint.changes_something() { "POST" } else { "GET, HEAD" };
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
        if self == Self::Unauthorized {
            let challenge = HeaderValue::from_static("Bearer realm=\"admin\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The document of what is not the API's, from the handlers.
#[derive(Debug, OpenApi)]
#[openapi(paths(
    super::health::healthz,
    super::health::metrics_text,
    super::health::readiness,
    super::health::reload,
    super::health::status,
    tell
))]
pub(super) struct Document;

/// Answers one request. Only the API reads its body.
pub(super) async fn answer<B>(
    state: &AdminState,
    peer: Peer,
    request: Request<B>,
) -> Response<Full<Bytes>>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match admit(state, peer, &request) {
        Ok(Endpoint::Api) => match api(state, peer, request).await {
            Ok(mut answer) => {
                guard(&mut answer);
                answer
            }
            Err(refusal) => refusal.response(),
        },
        Ok(Endpoint::Decision) => match tell(state, peer, &request).await {
            Ok(report) => json(StatusCode::OK, &report),
            Err(refusal) => refusal.response(),
        },
        Ok(Endpoint::Healthz) => healthz(),
        Ok(Endpoint::Metrics) => metrics_text(state),
        Ok(Endpoint::Openapi) => json(StatusCode::OK, &openapi::document("/")),
        Ok(Endpoint::Readyz) => readiness(state),
        Ok(Endpoint::Reload) => reload(state).await,
        Ok(Endpoint::Status) => status(state, is_operator(state, peer, request.headers())),
        Err(refusal) => refusal.response(),
    }
}

/// The API is for whoever could open the Unix socket, and over TCP for who shows the token.
async fn api<B>(
    state: &AdminState,
    peer: Peer,
    request: Request<B>,
) -> Result<Response<Full<Bytes>>, Refusal>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let api = state.api.as_ref().ok_or(Refusal::NoApi)?;
    if !is_operator(state, peer, request.headers()) {
        return Err(Refusal::Unauthorized);
    }
    let (parts, body) = request.into_parts();
    match Limited::new(body, super::api::MAX_BODY).collect().await {
        Ok(body) => Ok(api.answer(Request::from_parts(parts, body.to_bytes())).await),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLarge),
        Err(_) => Err(Refusal::BodyBroken),
    }
}

/// Whether who asks could open the Unix socket, or shows the token.
fn is_operator(state: &AdminState, peer: Peer, headers: &HeaderMap) -> bool {
    let knows = |token| state.api.as_ref().is_some_and(|api| api.knows(token));
    peer == Peer::Unix || presented_token(headers).is_some_and(knows)
}

/// What became of a request that was refused, by the id that the answer named.
///
/// It holds names and paths: it is told to whom the API answers.
#[utoipa::path(
    get,
    path = "/decisions/{id}",
    operation_id = "decision",
    tag = "decisions",
    params(("id" = String, Path, description = "The decision's id")),
    security((), ("token" = [])),
    responses(
        (status = 200, description = "What became of it", body = serde_json::Value),
        (status = 401, description = "Over TCP: not with this token", body = Refused),
        (status = 404, description = "It is not known, or forgotten", body = Refused),
        Refusals,
    ),
)]
async fn tell<B>(
    state: &AdminState,
    peer: Peer,
    request: &Request<B>,
) -> Result<serde_json::Value, Refusal> {
    if !is_operator(state, peer, request.headers()) {
        return Err(Refusal::Unauthorized);
    }
    let id = decision(request.uri().path()).ok_or(Refusal::NotFound)?;
    (state.decision)(id.to_owned()).await.ok_or(Refusal::Forgotten)
}

/// The id in `/decisions/ID`.
fn decision(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/decisions/")?;
    let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some(id)
}

fn presented_token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

fn admit<B: Body>(
    state: &AdminState,
    peer: Peer,
    request: &Request<B>,
) -> Result<Endpoint, Refusal> {
    let headers = request.headers();
    if is_cross_site(headers) {
        return Err(Refusal::CrossSite);
    }
    if peer != Peer::Unix && !is_ours(state, request.uri(), headers) {
        return Err(Refusal::ForeignHost);
    }
    let endpoint = Endpoint::find(request.uri().path()).ok_or(Refusal::NotFound)?;
    if !endpoint.allows(request.method()) {
        return Err(Refusal::MethodNotAllowed(endpoint));
    }
    if endpoint.changes_something() && matches!(peer, Peer::Tcp(address) if !is_loopback(address)) {
        return Err(Refusal::NotLocal);
    }
    if endpoint != Endpoint::Api && request.body().size_hint().lower() > BODY_LIMIT {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(endpoint)
}

/// A browser sends `Origin` with what can change something, and says where a request comes from.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    headers.contains_key(ORIGIN) || site.is_some_and(|site| site != "none" && site != "same-origin")
}

/// Whether the request means this machine. A name that somebody else's DNS can point here does not
/// (DNS rebinding); an address cannot be pointed.
fn is_ours(state: &AdminState, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Ok(host) = host.to_str() else { return false };
    if uri.authority().is_some_and(|authority| authority.as_str() != host) {
        return false;
    }
    let name = host_name(host);
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || state.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The host without its port and, for IPv6, its brackets.
fn host_name(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests;
