//! Which request is answered how, and which not at all.

use std::net::IpAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{
        ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN, WWW_AUTHENTICATE,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};

use super::{AdminState, address::is_loopback, api::Api};
use crate::telemetry::metrics;

/// No endpoint but the API takes a body worth the name.
const BODY_LIMIT: u64 = 4096;
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

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
    Readyz,
    Reload,
    Status,
}

impl Endpoint {
    fn find(path: &str) -> Option<Self> {
        match path {
            "/healthz" => Some(Self::Healthz),
            "/metrics" => Some(Self::Metrics),
            "/readyz" => Some(Self::Readyz),
            "/reload" => Some(Self::Reload),
            "/status" => Some(Self::Status),
            _ if decision(path).is_some() => Some(Self::Decision),
            _ => Api::covers(path).then_some(Self::Api),
        }
    }

    fn changes_something(self) -> bool {
        match self {
            Self::Decision | Self::Healthz | Self::Metrics | Self::Readyz | Self::Status => false,
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
        let mut response = json(status, &serde_json::json!({ "error": reason }));
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
        Ok(Endpoint::Healthz) => text(StatusCode::OK, TEXT, "ok\n"),
        Ok(Endpoint::Metrics) => metrics_text(state),
        Ok(Endpoint::Readyz) => readiness(state),
        Ok(Endpoint::Reload) => reload(state).await,
        Ok(Endpoint::Status) => {
            let mut status = (state.status)();
            if !is_operator(state, peer, request.headers()) {
                status.throttle.waiting.clear(); // names and addresses are not for everybody
            }
            json(StatusCode::OK, &status)
        }
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

/// What became of a request holds names and paths: it is told to whom the API answers.
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

fn metrics_text(state: &AdminState) -> Response<Full<Bytes>> {
    match metrics::encode(&state.registry) {
        Ok(values) => text(StatusCode::OK, metrics::CONTENT_TYPE, values),
        Err(error) => {
            tracing::error!(error = %error, "Could not encode the metrics");
            text(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the metrics could not be encoded\n")
        }
    }
}

fn readiness(state: &AdminState) -> Response<Full<Bytes>> {
    let reasons = state.readiness.obstacles();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let degraded = state.readiness.degraded();
    let body = serde_json::json!({
        "ready": reasons.is_empty(), "reasons": reasons, "degraded": degraded
    });
    json(status, &body)
}

async fn reload(state: &AdminState) -> Response<Full<Bytes>> {
    match (state.reload)().await {
        Ok(generation) => json(StatusCode::OK, &serde_json::json!({ "generation": generation })),
        Err(error) => json(StatusCode::CONFLICT, &serde_json::json!({ "error": error })),
    }
}

fn json(status: StatusCode, body: &impl serde::Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_vec(body) {
        Ok(mut body) => {
            body.push(b'\n');
            text(status, JSON, body)
        }
        Err(error) => {
            tracing::error!(error = %error, "Could not write an admin response");
            text(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the response could not be written\n")
        }
    }
}

fn text(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    guard(&mut response);
    response
}

/// Nothing that is answered here is kept, or taken for anything else.
fn guard(response: &mut Response<Full<Bytes>>) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

#[cfg(test)]
mod tests {
    use std::{
        future::ready,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };

    use http_body_util::BodyExt;
    use prometheus::Registry;

    use super::*;
    use crate::admin::{Readiness, Status};

    const LOCAL: Peer = Peer::Tcp(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    fn state() -> (AdminState, Arc<AtomicU64>) {
        let reloads = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&reloads);
        let state = AdminState {
            registry: Registry::new(),
            readiness: Arc::new(Readiness::new()),
            status: Box::new(Status::default),
            reload: Box::new(move || {
                let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
                Box::pin(ready(match number {
                    1 => Ok(2),
                    _ => Err("doorward.toml:3:1: routes.a: no such upstream".to_owned()),
                }))
            }),
            decision: Box::new(|id| {
                let known = (id == "abc123").then(|| serde_json::json!({ "verdict": "deny" }));
                Box::pin(ready(known))
            }),
            api: None,
            hosts: vec!["gw.example.org".to_owned()],
        };
        (state, reloads)
    }

    async fn ask(state: &AdminState, peer: Peer, request: Request<String>) -> (u16, String) {
        let response = answer(state, peer, request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<String> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:9180");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(String::new()).unwrap()
    }

    #[tokio::test]
    async fn each_endpoint_answers() {
        let (state, _) = state();

        assert_eq!(ask(&state, LOCAL, request("GET", "/healthz", &[])).await, (200, "ok\n".into()));
        assert_eq!(ask(&state, LOCAL, request("GET", "/metrics", &[])).await.0, 200);
        assert_eq!(ask(&state, LOCAL, request("GET", "/readyz", &[])).await.0, 503);
        state.readiness.listening();
        state.readiness.loaded();
        let ready = ask(&state, LOCAL, request("HEAD", "/readyz", &[])).await;
        assert_eq!(ready, (200, "{\"degraded\":[],\"ready\":true,\"reasons\":[]}\n".into()));
        let (status, body) = ask(&state, LOCAL, request("GET", "/status", &[])).await;
        assert_eq!(status, 200);
        assert_eq!(serde_json::from_str::<Status>(&body).unwrap(), Status::default());
    }

    #[tokio::test]
    async fn decisions_and_who_waits_are_for_operators_alone() {
        let (mut state, _) = state();
        state.status = Box::new(|| {
            let waiting = vec![crate::admin::status::WaitStatus::default()];
            let throttle = crate::admin::status::ThrottleStatus {
                waiting_now: 1,
                waiting,
                ..crate::admin::status::ThrottleStatus::default()
            };
            Status { throttle, ..Status::default() }
        });
        let get = |path| request("GET", path, &[]);

        assert_eq!(ask(&state, LOCAL, get("/decisions/abc123")).await.0, 401);
        let (status, told) = ask(&state, Peer::Unix, get("/decisions/abc123")).await;
        assert_eq!((status, told.as_str()), (200, "{\"verdict\":\"deny\"}\n"));
        assert_eq!(ask(&state, Peer::Unix, get("/decisions/another")).await.0, 404);
        for path in ["/decisions", "/decisions/", "/decisions/a%2e", "/decisions/a/b"] {
            assert_eq!(ask(&state, Peer::Unix, get(path)).await.0, 404, "{path}");
        }
        let (_, all) = ask(&state, Peer::Unix, get("/status")).await;
        let (_, some) = ask(&state, LOCAL, get("/status")).await;
        assert!(all.contains("\"failures\":0") && all.contains("\"waiting_now\":1"), "{all}");
        assert!(!some.contains("\"failures\"") && some.contains("\"waiting_now\":1"), "{some}");
    }

    #[tokio::test]
    async fn a_reload_tells_the_generation_or_the_place() {
        let (state, _) = state();

        let first = ask(&state, LOCAL, request("POST", "/reload", &[])).await;
        let second = ask(&state, Peer::Unix, request("POST", "/reload", &[("host", "x")])).await;

        assert_eq!(first, (200, "{\"generation\":2}\n".into()));
        assert_eq!(second.0, 409);
        assert!(second.1.contains("doorward.toml:3:1"));
    }

    #[tokio::test]
    async fn wrong_paths_and_methods_are_told_apart() {
        let (state, reloads) = state();

        for (method, path, status) in [
            ("GET", "/", 404),
            ("GET", "/healthz/", 404),
            ("GET", "/metrics/../status", 404),
            ("GET", "/users", 404), // no token service
            ("POST", "/status", 405),
            ("GET", "/reload", 405),
            ("HEAD", "/reload", 405),
            ("PUT", "/reload", 405),
            ("OPTIONS", "/reload", 405),
        ] {
            assert_eq!(ask(&state, LOCAL, request(method, path, &[])).await.0, status, "{path}");
        }
        assert_eq!(reloads.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_web_page_reaches_nothing() {
        let (state, reloads) = state();

        for headers in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:9180")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
        ] {
            assert_eq!(ask(&state, LOCAL, request("POST", "/reload", headers)).await.0, 403);
            assert_eq!(ask(&state, Peer::Unix, request("GET", "/status", headers)).await.0, 403);
        }
        assert_eq!(reloads.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_name_that_somebody_else_may_point_here_is_refused() {
        let (state, _) = state();

        for (host, status) in [
            ("localhost", 200),
            ("LocalHost:9180", 200),
            ("127.0.0.1:9180", 200),
            ("[::1]:9180", 200),
            ("192.0.2.1", 200),
            ("gw.example.org:9180", 200),
            ("evil.example", 421),
            ("evil.example:9180", 421),
            ("localhost.evil.example", 421),
            ("127.0.0.1.evil.example", 421),
            ("127.0.0.1@evil.example", 421),
            ("", 421),
            ("[::1", 421),
        ] {
            let seen = ask(&state, LOCAL, request("GET", "/status", &[("host", host)])).await.0;
            assert_eq!(seen, status, "{host}");
        }
        let two = &[("host", "localhost"), ("host", "localhost")];
        assert_eq!(ask(&state, LOCAL, request("GET", "/status", two)).await.0, 421);
        let absolute = request("GET", "http://evil.example/status", &[("host", "localhost")]);
        assert_eq!(ask(&state, LOCAL, absolute).await.0, 421);
    }

    #[tokio::test]
    async fn a_peer_elsewhere_may_look_and_not_touch() {
        let (state, reloads) = state();
        let elsewhere = Peer::Tcp("192.0.2.9".parse().unwrap());

        assert_eq!(ask(&state, elsewhere, request("GET", "/metrics", &[])).await.0, 200);
        assert_eq!(ask(&state, elsewhere, request("POST", "/reload", &[])).await.0, 403);

        assert_eq!(reloads.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn one_token_is_presented_or_none() {
        let presented = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            presented_token(&headers).map(<[u8]>::to_vec)
        };

        assert_eq!(presented(&["Bearer abc"]).as_deref(), Some(&b"abc"[..]));
        assert_eq!(presented(&["bearer abc"]).as_deref(), Some(&b"abc"[..]));
        for none in [&[][..], &["abc"], &["Basic abc"], &["Bearer"], &["Bearer a", "Bearer a"]] {
            assert_eq!(presented(none), None, "{none:?}");
        }
    }

    #[tokio::test]
    async fn a_body_is_not_taken() {
        let (state, reloads) = state();
        let request = request("POST", "/reload", &[]).map(|_| "x".repeat(5000));

        assert_eq!(ask(&state, LOCAL, request).await.0, 413);
        assert_eq!(reloads.load(Ordering::Relaxed), 0);
    }
}
