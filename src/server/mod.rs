//! From the services to listening sockets: start, follow what gets published, stop gracefully.

mod connection;
mod front;
mod live;
mod metrics;
mod router;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use anyhow::bail;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use crate::catalogue::Catalogue;
use crate::publish::Publisher;
use crate::server::front::Front;
use crate::server::metrics::Metrics;
use crate::service::state::AppState;
use crate::store::Store;

pub struct ServeOptions {
    pub listen: SocketAddr,
    /// The private listener: `/metrics`, and what only the officer may see.
    pub desk: Option<SocketAddr>,
    pub publisher: Publisher,
    /// How often layers that their tables answer are read and checked again.
    pub check_live: Duration,
    /// Stops once the public listener has answered that it is ready.
    pub until_ready: bool,
}

/// Between two checks of live layers where nobody says.
pub const CHECK_LIVE: Duration = Duration::from_secs(900);

/// How often the catalogue looks whether somebody published.
const POLL: Duration = Duration::from_millis(500);

/// Two cores are usual, and a question may hold one.
const WORKERS_MIN: usize = 2;

/// Serves until SIGTERM or SIGINT. `on_ready` is told the address that was bound.
///
/// # Errors
/// An address cannot be listened on, or the store cannot be read.
pub fn run(options: ServeOptions, on_ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    if options.publisher.site.public_url.is_none() && !options.listen.ip().is_loopback() {
        bail!(
            "écouter sur {} demande public_url dans layers/site.toml : sans elle, les liens donnés aux partenaires seraient faux",
            options.listen
        );
    }
    if let Some(desk) = options.desk.filter(|desk| !desk.ip().is_loopback()) {
        tracing::warn!(%desk, "the private listener is open beyond this machine: {desk}");
    }
    let workers = std::thread::available_parallelism().map_or(WORKERS_MIN, |cores| cores.get().max(WORKERS_MIN));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(serve(options, on_ready))
}

async fn serve(options: ServeOptions, on_ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let socket = connection::bind(options.listen).await?;
    let address = socket.local_addr()?;
    let publisher = Arc::new(options.publisher);
    let base = publisher.site.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let site = Arc::new(publisher.site.clone());
    let catalogue = Catalogue::open(&site, &publisher.store, None)?;
    let state = AppState::new(Arc::clone(&site), &base, catalogue);
    let metrics = Metrics::new();
    let (stopper, stopped) = watch::channel(false);
    tokio::spawn(follow(state.clone(), publisher.store.clone()));
    tokio::spawn(live::check(publisher, options.check_live));
    let desk = match options.desk {
        Some(desk) => {
            let socket = connection::bind(desk).await?;
            let private = TowerToHyperService::new(router::private_router(state.clone(), metrics.clone()));
            Some(tokio::spawn(connection::accept(socket, private, stopped.clone())))
        }
        None => None,
    };
    let public = tokio::spawn(connection::accept(socket, Front::new(state, metrics), stopped));
    if options.until_ready {
        connection::ask_ready(address).await.context("le serveur ne répond pas à /ready")?;
        on_ready(address);
    } else {
        on_ready(address);
        tracing::info!(%address, "listening on {address}");
        signalled().await;
        tracing::info!("stopping");
    }
    stopper.send_replace(true);
    public.await?;
    if let Some(desk) = desk {
        desk.await?;
    }
    Ok(())
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
            Ok(Ok(catalogue)) => {
                tracing::info!(layers = catalogue.layers.len(), "a publication was taken, {} layers are served", catalogue.layers.len());
                state.replace(catalogue);
            }
            // What was served goes on being served.
            Ok(Err(error)) => tracing::error!("the catalogue cannot be read: {error}"),
            Err(error) => tracing::error!("the catalogue cannot be read: {error}"),
        }
    }
}

async fn signalled() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
