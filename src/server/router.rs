//! The routers of the two listeners, and the limits every request is under.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Extensions;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::Version;
use axum::http::header;
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::DefaultPredicate;
use tower_http::compression::Predicate;
use tower_http::compression::predicate::SizeAbove;
use tower_http::cors::Any;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;

use crate::http::cache::EncodedAsItLies;
use crate::http::fault::Fault;
use crate::server::metrics::Metrics;
use crate::service::SERVICES;
use crate::service::page;
use crate::service::quick::PLAIN_BYTES_MAX;
use crate::service::state::AppState;
use crate::service::state::shown;

/// Nothing here takes a body; this is what a form of a lost client may send before it is cut.
const BODY_BYTES_MAX: usize = 64 * 1024;

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
pub fn public_router(state: AppState) -> Router {
    let mut services = Router::new();
    for service in SERVICES {
        services = services.merge(service.routes());
    }
    let cors = CorsLayer::new().allow_origin(Any).allow_methods([Method::GET, Method::HEAD]).allow_headers(Any).max_age(PREFLIGHT);
    // The default level costs ten times the page itself, for a tenth fewer bytes.
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(DefaultPredicate::new().and(SizeAbove::new(PLAIN_BYTES_MAX as u64)).and(is_text));
    services
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(|| async { "ready\n" }))
        .fallback(|uri: Uri| async move { Fault::NotFound { what: "page", id: shown(uri.path()) } })
        .method_not_allowed_fallback(|| async { Fault::MethodNotAllowed })
        .layer(middleware::from_fn_with_state(state.clone(), page::faults_as_pages))
        .with_state(state)
        .layer(compression)
        .layer(middleware::map_response(weaken))
        .layer(cors.expose_headers(EXPOSED))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::new())
}

/// Archives and databases are compressed already, or read by ranges.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.starts_with("text/") || ["json", "xml", "qml"].iter().any(|kind| media_type.contains(kind))
}

/// A strong validator speaks of bytes, and these bytes are others now: a range of the plain file must not be joined to them
/// (RFC 9110 §8.8.3.3).
async fn weaken(mut response: Response) -> Response {
    if response.extensions().get::<EncodedAsItLies>().is_some() {
        return response;
    }
    let headers = response.headers_mut();
    let strong = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).filter(|etag| etag.starts_with('"'));
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(weak) = strong.and_then(|etag| HeaderValue::from_str(&format!("W/{etag}")).ok())
    {
        headers.insert(header::ETAG, weak);
    }
    response
}

/// The names of [`EXPOSED`] as one header.
pub fn exposed() -> HeaderValue {
    let names = EXPOSED.map(|name| name.as_str().to_owned());
    HeaderValue::from_str(&names.join(",")).expect("names of headers are a header's value")
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
