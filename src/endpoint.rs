//! The gateway's own endpoints: thin translations of the token service into the dialects of its
//! clients.
//!
//! A worker hands over a whole request; the answer is made on a runtime of its own, so that a
//! slow store or a costly signature holds up nobody's data.

pub mod dialect;
pub mod forward_auth;
pub mod openapi;
pub mod page;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::PathAndQuery;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::route::endpoint::Dialect;
use crate::service::{Call, TokenService, TotpError};

/// The largest body of a request to an endpoint.
pub const MAX_BODY: usize = 64 * 1024;
/// The largest answer; none of ours is near it.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How many requests may be under way at once; more are refused.
const PLACES: usize = 1024;

/// All dialects, ready to answer.
#[derive(Debug)]
pub struct Endpoints {
    routers: HashMap<Dialect, Router>,
    service: Arc<TokenService>,
}

impl Endpoints {
    /// Makes the router of each dialect.
    #[must_use]
    pub fn new(service: Arc<TokenService>) -> Self {
        let routers = Dialect::ALL.into_iter().map(|dialect| (dialect, router(dialect))).collect();
        Self { routers, service }
    }

    /// The service behind them.
    #[must_use]
    pub fn service(&self) -> &Arc<TokenService> {
        &self.service
    }

    /// Answers one request. What it names is below the mount's prefix, which is taken off.
    pub async fn answer(&self, call: Call, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let Some(router) = self.routers.get(&call.profile.dialect).cloned() else {
            return plain(StatusCode::NOT_FOUND);
        };
        let Some(request) = prepare(call, request) else {
            return plain(StatusCode::NOT_FOUND);
        };
        let answer = match router.oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        finish(answer).await
    }
}

/// Where workers hand requests over: their answers are made on another runtime.
#[derive(Clone, Debug)]
pub struct Desk {
    endpoints: Arc<Endpoints>,
    runtime: Handle,
    places: Arc<Semaphore>,
}

/// No place is free, or the runtime has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests to endpoints are under way")]
pub struct Busy;

impl Desk {
    /// Answers on this runtime.
    #[must_use]
    pub fn new(endpoints: Arc<Endpoints>, runtime: Handle) -> Self {
        Self { endpoints, runtime, places: Arc::new(Semaphore::new(PLACES)) }
    }

    /// The service behind the endpoints.
    #[must_use]
    pub fn service(&self) -> &Arc<TokenService> {
        &self.endpoints.service
    }

    /// Has the code of a user's second factor looked at.
    ///
    /// # Errors
    ///
    /// [`Busy`]: it was not looked at.
    pub async fn check_code(
        &self,
        call: Call,
        user: String,
        code: String,
    ) -> Result<Result<(), TotpError>, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let checking = self.runtime.spawn(async move {
            let checked = call.service.totp_check(&call, &user, &code).await;
            drop(place);
            checked
        });
        checking.await.map_err(|_| Busy)
    }

    /// Has a request answered. What was begun is brought to its end even if nobody waits for it.
    ///
    /// # Errors
    ///
    /// [`Busy`]: nothing was begun.
    pub async fn answer(
        &self,
        call: Call,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let endpoints = Arc::clone(&self.endpoints);
        let answering = self.runtime.spawn(async move {
            let answer = endpoints.answer(call, request).await;
            drop(place);
            answer
        });
        match answering.await {
            Ok(answer) => Ok(answer),
            Err(error) if error.is_panic() => Ok(plain(StatusCode::INTERNAL_SERVER_ERROR)),
            Err(_) => Err(Busy),
        }
    }
}

fn router(dialect: Dialect) -> Router {
    let router = handlers(dialect);
    match dialect.document() {
        Some(path) => router.route(path, get(openapi::answer)),
        None => router,
    }
}

fn handlers(dialect: Dialect) -> Router {
    match dialect {
        Dialect::Appmesh => dialect::appmesh::router(),
        Dialect::Clustercockpit => page::clustercockpit::router(),
        Dialect::Jwthenticator => dialect::jwthenticator::router(),
        Dialect::Omegaml => dialect::omegaml::router(),
        Dialect::Page => page::router(),
        Dialect::Ryft => dialect::ryft::router(),
        Dialect::Standard => dialect::standard::router(),
        Dialect::ForwardAuth => Router::new(),
    }
}

fn prepare(call: Call, request: http::Request<Bytes>) -> Option<Request> {
    let (mut parts, body) = request.into_parts();
    let whole = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let inner = whole.strip_prefix(&*call.profile.prefix)?;
    parts.uri = inner.parse::<Uri>().ok()?;
    parts.extensions.insert(call);
    Some(Request::from_parts(parts, Body::new(Full::new(body))))
}

async fn finish(answer: Response) -> http::Response<Bytes> {
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = Limited::new(body, MAX_ANSWER).collect().await else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let fields = &mut parts.headers;
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let no_store = HeaderValue::from_static("no-store");
    fields.entry(header::CACHE_CONTROL).or_insert(no_store);
    fields.remove(header::CONTENT_LENGTH); // is written from the body
    http::Response::from_parts(parts, body.to_bytes())
}

fn plain(status: StatusCode) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
