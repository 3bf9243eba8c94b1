//! The routers of the two listeners, and the limits every request is under.

use std::time::Duration;
use std::time::Instant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header;
use axum::middleware;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::Any;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;

use crate::http::fault::Fault;
use crate::server::metrics::Metrics;
use crate::service::SERVICES;
use crate::service::page;
use crate::service::state::AppState;
use crate::service::state::shown;

/// Nothing here takes a body; this is what a form of a lost client may send before it is cut.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Requests at work at once: each holds at most some megabytes.
const CONCURRENCY_MAX: usize = 256;

/// A question to the store takes milliseconds; what takes longer than this has gone wrong.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a browser remembers that any page may ask.
const PREFLIGHT: Duration = Duration::from_secs(86_400);

/// Headers that a web map's script may read.
const EXPOSED: [HeaderName; 6] = [
    header::CONTENT_RANGE,
    header::CONTENT_LENGTH,
    header::ETAG,
    header::LINK,
    header::LAST_MODIFIED,
    HeaderName::from_static("content-crs"),
];

/// What Prometheus asks for.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every service, under its limits.
pub fn public_router(state: AppState, metrics: Metrics) -> Router {
    let mut services = Router::new();
    for service in SERVICES {
        services = services.merge(service.routes());
    }
    let cors = CorsLayer::new().allow_origin(Any).allow_methods([Method::GET, Method::HEAD]).allow_headers(Any).max_age(PREFLIGHT);
    services
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(|| async { "ready\n" }))
        .fallback(|uri: Uri| async move { Fault::NotFound { what: "page", id: shown(uri.path()) } })
        .method_not_allowed_fallback(|| async { Fault::MethodNotAllowed })
        .layer(middleware::from_fn_with_state(state.clone(), page::faults_as_pages))
        .with_state(state)
        .layer(CompressionLayer::new())
        .layer(cors.expose_headers(EXPOSED))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(GlobalConcurrencyLimitLayer::new(CONCURRENCY_MAX))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(metrics, observe))
}

/// What only this machine may ask.
pub fn private_router(state: AppState, metrics: Metrics) -> Router {
    let text = move || async move { ([(header::CONTENT_TYPE, OPENMETRICS)], metrics.text(&state)) };
    Router::new()
        .route("/metrics", get(text))
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(|| async { "ready\n" }))
        .fallback(|uri: Uri| async move { Fault::NotFound { what: "page", id: shown(uri.path()) } })
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::new())
}

/// Counts every answer, and tells the log those worth a line. Neither address nor client is written.
async fn observe(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let path = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().path().to_owned());
    let response = next.run(request).await;
    let (status, elapsed) = (response.status(), started.elapsed());
    metrics.count(status, elapsed);
    if let Some(path) = path {
        tracing::debug!(status = status.as_u16(), duration_us = elapsed.as_micros(), "answered {status} to `{path}`");
    }
    response
}
