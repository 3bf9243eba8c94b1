//! What every handler may see: the site, and the catalogue of this moment.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::RwLock;

use crate::catalogue::Catalogue;
use crate::catalogue::CatalogueError;
use crate::catalogue::Found;
use crate::catalogue::PublishedLayer;
use crate::config::Site;
use crate::http::fault::Fault;
use crate::http::work::Work;
use crate::postgis::CONNECTIONS_MAX;
use crate::postgis::Service;
use crate::service::tiles::MadeTiles;

#[derive(Clone)]
pub struct AppState {
    pub site: Arc<Site>,
    /// Every absolute address begins with it; no trailing slash.
    pub base: Arc<str>,
    /// Turns of what keeps a core busy.
    pub work: Arc<Work>,
    /// Turns of questions that a database answers, one line for each: who waits for one that is slow or away keeps nobody else
    /// waiting.
    databases: Arc<Mutex<HashMap<Service, Arc<Work>>>>,
    /// Tiles that no archive holds.
    pub made_tiles: MadeTiles,
    current: Arc<RwLock<Arc<Catalogue>>>,
}

impl AppState {
    pub fn new(site: Arc<Site>, base: &str, catalogue: Catalogue) -> AppState {
        let current = Arc::new(RwLock::new(Arc::new(catalogue)));
        AppState {
            site,
            base: base.trim_end_matches('/').into(),
            work: Arc::default(),
            databases: Arc::default(),
            made_tiles: MadeTiles::default(),
            current,
        }
    }

    /// Taken once a request, so that an answer shows one moment.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn replace(&self, catalogue: Catalogue) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
    }

    /// Turns of the questions to a layer.
    pub fn turns(&self, layer: &PublishedLayer) -> Arc<Work> {
        let Some(live) = layer.live() else { return Arc::clone(&self.work) };
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(databases.entry(live.service().clone()).or_insert_with(|| Arc::new(Work::with_places(CONNECTIONS_MAX))))
    }

    /// A layer whose features can be asked.
    ///
    /// # Errors
    /// `NotFound`, `Gone`.
    pub fn features(&self, id: &str) -> Result<Arc<PublishedLayer>, Fault> {
        let layer = self.layer(id)?;
        if layer.layer().is_tileset { Err(CatalogueError::NoFeatures { layer: layer.id().clone() }.into()) } else { Ok(layer) }
    }

    /// # Errors
    /// `NotFound`, `Gone`.
    pub fn layer(&self, id: &str) -> Result<Arc<PublishedLayer>, Fault> {
        match self.catalogue().find(id) {
            Found::Layer(layer) => Ok(Arc::clone(layer)),
            Found::Gone => Err(Fault::Gone { what: "collection", id: shown(id) }),
            Found::Nothing => Err(Fault::NotFound { what: "collection", id: shown(id) }),
        }
    }
}

/// An id as an answer repeats it: what a client sent is not echoed at length.
pub fn shown(id: &str) -> String {
    id.chars().take(80).collect()
}
