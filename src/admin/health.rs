//! Health, metrics, status and reload: what needs no token service.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use utoipa::ToSchema;

use super::reply::{Refusals, Refused, TEXT, json, text};
use super::{AdminState, Status};
use crate::telemetry::metrics;

/// Whether requests are welcome.
#[derive(Serialize, ToSchema)]
struct ReadyBody {
    /// What does not work, though requests are welcome.
    degraded: Vec<&'static str>,
    /// Whether they are.
    ready: bool,
    /// Why not.
    reasons: Vec<&'static str>,
}

/// What serves since a reload.
#[derive(Serialize, ToSchema)]
struct Reloaded {
    /// The snapshot's number.
    generation: u64,
}

/// That the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    responses((status = 200, description = "It does", body = String), Refusals),
)]
pub(super) fn healthz() -> Response<Full<Bytes>> {
    text(StatusCode::OK, TEXT, "ok\n")
}

/// What serves, and how it is.
#[utoipa::path(
    get,
    path = "/status",
    tag = "health",
    responses((status = 200, description = "The status", body = Status), Refusals),
)]
pub(super) fn status(state: &AdminState, is_operator: bool) -> Response<Full<Bytes>> {
    let mut status = (state.status)();
    if !is_operator {
        status.throttle.waiting.clear(); // names and addresses are not for everybody
    }
    json(StatusCode::OK, &status)
}

/// The metrics, in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "health",
    responses((status = 200, description = "The metrics", body = String), Refusals),
)]
pub(super) fn metrics_text(state: &AdminState) -> Response<Full<Bytes>> {
    match metrics::encode(&state.registry) {
        Ok(values) => text(StatusCode::OK, metrics::CONTENT_TYPE, values),
        Err(error) => {
            tracing::error!(error = %error, "Could not encode the metrics");
            text(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the metrics could not be encoded\n")
        }
    }
}

/// Whether requests are welcome.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "health",
    responses(
        (status = 200, description = "They are", body = ReadyBody),
        (status = 503, description = "They are not", body = ReadyBody),
        Refusals,
    ),
)]
pub(super) fn readiness(state: &AdminState) -> Response<Full<Bytes>> {
    let reasons = state.readiness.obstacles();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let degraded = state.readiness.degraded();
    json(status, &ReadyBody { degraded, ready: reasons.is_empty(), reasons })
}

/// Loads the configuration and its files anew; on any error what serves goes on serving.
#[utoipa::path(
    post,
    path = "/reload",
    tag = "health",
    responses(
        (status = 200, description = "It serves", body = Reloaded),
        (status = 409, description = "The errors, with their places", body = Refused),
        Refusals,
    ),
)]
pub(super) async fn reload(state: &AdminState) -> Response<Full<Bytes>> {
    match (state.reload)().await {
        Ok(generation) => json(StatusCode::OK, &Reloaded { generation }),
        Err(error) => json(StatusCode::CONFLICT, &Refused { error: error.into() }),
    }
}
