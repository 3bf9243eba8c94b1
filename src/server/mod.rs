//! From the services to a listening socket: router, limits, graceful stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use anyhow::bail;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;

use crate::catalogue::Catalogue;
use crate::config::Site;
use crate::http::fault::Fault;
use crate::service::SERVICES;
use crate::service::state::AppState;
use crate::store::Store;

pub struct ServeOptions {
    pub listen: SocketAddr,
    pub site: Site,
    pub store: Store,
}

/// Nothing here takes a body; this is what a form of a lost client may send before it is cut.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Requests at work at once: each holds at most some megabytes.
const CONCURRENCY_MAX: usize = 256;

/// A question to the store takes milliseconds; what takes longer than this has gone wrong.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How often the catalogue looks whether somebody published.
const POLL: Duration = Duration::from_millis(500);

/// Two cores are usual, and a question may hold one.
const WORKERS_MIN: usize = 2;

/// Serves until SIGTERM or SIGINT. `on_ready` is told the address that was bound.
///
/// # Errors
/// The address cannot be listened on, or the store cannot be read.
pub fn run(options: ServeOptions, on_ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    if options.site.public_url.is_none() && !options.listen.ip().is_loopback() {
        bail!(
            "écouter sur {} demande public_url dans layers/site.toml : sans elle, les liens donnés aux partenaires seraient faux",
            options.listen
        );
    }
    let workers = std::thread::available_parallelism().map_or(WORKERS_MIN, |cores| cores.get().max(WORKERS_MIN));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(serve(options, on_ready))
}

async fn serve(options: ServeOptions, on_ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let socket = tokio::net::TcpListener::bind(options.listen).await.with_context(|| format!("écoute sur {}", options.listen))?;
    let address = socket.local_addr()?;
    let base = options.site.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let site = Arc::new(options.site);
    let catalogue = Catalogue::open(&site, &options.store, None)?;
    let state = AppState::new(Arc::clone(&site), &base, catalogue);
    tokio::spawn(follow(state.clone(), options.store));
    on_ready(address);
    axum::serve(socket, router(state)).with_graceful_shutdown(stop()).await?;
    Ok(())
}

/// The router of every service, under its limits.
pub fn router(state: AppState) -> Router {
    let mut services = Router::new();
    for service in SERVICES {
        services = services.merge(service.routes());
    }
    services
        .route("/health", get(|| async { "ok\n" }))
        .route("/ready", get(|| async { "ready\n" }))
        .fallback(|| async { Fault::NotFound { what: "page", id: "here".to_owned() } })
        .method_not_allowed_fallback(|| async { Fault::MethodNotAllowed })
        .with_state(state)
        .layer(CompressionLayer::new())
        .layer(CorsLayer::permissive())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(GlobalConcurrencyLimitLayer::new(CONCURRENCY_MAX))
        .layer(CatchPanicLayer::new())
}

/// Takes the new catalogue when another process published.
async fn follow(state: AppState, store: Store) {
    loop {
        tokio::time::sleep(POLL).await;
        let before = state.catalogue();
        if store.generation() == before.generation {
            continue;
        }
        let (site, store) = (Arc::clone(&state.site), store.clone());
        match tokio::task::spawn_blocking(move || Catalogue::open(&site, &store, Some(&before))).await {
            Ok(Ok(catalogue)) => state.replace(catalogue),
            // What was served goes on being served.
            Ok(Err(error)) => tracing::error!("the catalogue cannot be read: {error}"),
            Err(error) => tracing::error!("the catalogue cannot be read: {error}"),
        }
    }
}

async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(_) => return,
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}
