//! The gateway's own endpoints: thin translations of the token service into the dialects of its
//! clients.
//!
//! A worker hands over a whole request; the answer is made on a runtime of its own, so that a
//! slow store or a costly signature holds up nobody's data.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::PathAndQuery;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use tower::ServiceExt as _;

use crate::route::endpoint::Dialect;
use crate::service::{Call, TokenService};

/// The largest body of a request to an endpoint.
pub const MAX_BODY: usize = 64 * 1024;
/// The largest answer; none of ours is near it.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

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

fn router(dialect: Dialect) -> Router {
    match dialect {
        Dialect::Appmesh
        | Dialect::Clustercockpit
        | Dialect::ForwardAuth
        | Dialect::Jwthenticator
        | Dialect::Omegaml
        | Dialect::Page
        | Dialect::Ryft
        | Dialect::Standard => Router::new(),
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
