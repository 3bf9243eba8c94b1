//! What is published, as one immutable picture that is swapped whole.
//!
//! A request takes the `Arc<Catalogue>` once and sees one consistent town from its first byte to its last. A new picture
//! takes over every `Arc<PublishedLayer>` that did not change.

mod answer;
mod open;
mod published_layer;
pub mod style;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use geo_types::MultiPolygon;

pub use crate::catalogue::answer::Features;
pub use crate::catalogue::answer::FoundPage;
use crate::catalogue::open::Shelf;
pub use crate::catalogue::published_layer::LiveTile;
pub use crate::catalogue::published_layer::PublishedLayer;
pub use crate::catalogue::published_layer::Revision;
use crate::catalogue::published_layer::Said;
use crate::config::Site;
use crate::model::layer::LayerId;
use crate::model::version::Version;
use crate::store::LayerState;
use crate::store::Store;

#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error(transparent)]
    Live(#[from] crate::live::LiveError),
    #[error(transparent)]
    Crs(#[from] crate::crs::CrsError),
    #[error(transparent)]
    Tile(#[from] crate::tile::TileError),
    /// It was published as tiles alone.
    #[error("{layer} has no features")]
    NoFeatures { layer: LayerId },
    #[error("{path}: {source}")]
    Io { path: std::path::PathBuf, source: std::io::Error },
    /// Its files were erased while this picture of the town was taken: the next picture is without it.
    #[error("version {version} was erased")]
    Erased { version: crate::model::version::Version },
    #[error("{path}: {reason}")]
    Corrupt { path: std::path::PathBuf, reason: String },
}

/// One consistent town.
pub struct Catalogue {
    /// `Store::generation` when it was read.
    pub generation: u64,
    /// Sorted by id.
    pub layers: Vec<Arc<PublishedLayer>>,
    aliases: HashMap<String, LayerId>,
    gone: Vec<LayerId>,
    /// Erased versions of layers that have others, none of them served.
    erased: Vec<(LayerId, Version)>,
    territory: Option<LayerId>,
    communes: Mutex<HashMap<String, Arc<MultiPolygon<f64>>>>,
}

/// What an id means.
pub enum Found<'a> {
    Layer(&'a Arc<PublishedLayer>),
    /// Purged or removed: 410.
    Gone,
    /// Unknown, withdrawn or quarantined: 404.
    Nothing,
}

/// The layer that gives the communes where site.toml names none.
const COMMUNES: &str = "communes";

/// Columns that hold a commune's INSEE code, as IGN, INSEE, the CNIG and the BAL name them, likeliest first.
const CODE_INSEE_FIELDS: [&str; 7] = ["code_insee", "insee_com", "insee", "codgeo", "code_commune", "commune_insee", "code"];

impl Catalogue {
    /// Reads what is published; layers that did not change are taken over from `before`.
    ///
    /// # Errors
    /// `Store`.
    pub fn open(site: &Site, store: &Store, before: Option<&Catalogue>) -> Result<Catalogue, CatalogueError> {
        let generation = store.generation();
        let shelf = before.and_then(|before| before.layers.first()).map_or_else(|| Arc::new(Shelf::default()), |layer| layer.shelf());
        let mut layers = Vec::new();
        let mut gone = Vec::new();
        let mut erased = Vec::new();
        for (id, state, version) in store.layers()? {
            match (state, version) {
                (LayerState::Published, Some(version)) => {
                    let said = Said::of(store, &id)?;
                    let kept = before.and_then(|before| before.by_id(id.as_str()));
                    let is_same = |kept: &&Arc<PublishedLayer>| kept.manifest.version == version && kept.said == said;
                    layers.push(match kept.filter(is_same) {
                        Some(kept) => Arc::clone(kept),
                        None => Arc::new(PublishedLayer::new(store, &id, &version, said, Arc::clone(&shelf))?),
                    });
                }
                (LayerState::Published, None) => {
                    let purged = store.versions(&id)?.into_iter().filter(|entry| entry.purged);
                    erased.extend(purged.map(|entry| (id.clone(), entry.version)));
                }
                (LayerState::Gone, _) => gone.push(id),
                _ => {}
            }
        }
        layers.sort_by(|a, b| a.id().cmp(b.id()));
        let aliases = aliases_of(site, &layers);
        let territory = site.territory_layer.clone().or_else(|| LayerId::new(COMMUNES).ok());
        Ok(Catalogue { generation, layers, aliases, gone, erased, territory, communes: Mutex::default() })
    }

    /// By id or alias.
    pub fn find(&self, id: &str) -> Found<'_> {
        if let Some(layer) = self.by_id(id).or_else(|| self.aliases.get(id).and_then(|real| self.by_id(real.as_str()))) {
            return Found::Layer(layer);
        }
        if self.gone.iter().any(|gone| gone.as_str() == id) { Found::Gone } else { Found::Nothing }
    }

    /// Whether this version was erased and no other is served: 410.
    pub fn is_erased(&self, id: &str, version: &Version) -> bool {
        self.erased.iter().any(|(layer, gone)| layer.as_str() == id && gone == version)
    }

    fn by_id(&self, id: &str) -> Option<&Arc<PublishedLayer>> {
        let at = self.layers.binary_search_by(|layer| layer.id().as_str().cmp(id)).ok()?;
        Some(&self.layers[at])
    }

    /// When a layer or its record last changed, RFC 3339 UTC; `None` while nothing is published.
    pub fn modified(&self) -> Option<&str> {
        self.layers.iter().map(|layer| layer.revised.as_str()).max()
    }

    /// The area of a commune of the territory layer, lon, lat; `None` for an unknown code or a site without communes.
    pub fn commune(&self, code_insee: &str) -> Option<Arc<MultiPolygon<f64>>> {
        let layer = self.by_id(self.territory.as_ref()?.as_str())?;
        // A client may ask for any code: only those that exist are remembered.
        if let Some(known) = self.communes.lock().ok()?.get(code_insee) {
            return Some(Arc::clone(known));
        }
        let field =
            CODE_INSEE_FIELDS.iter().find_map(|name| layer.layer().fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)))?;
        let area = layer.area_where(&field.name, code_insee).ok()??;
        let area = Arc::new(area);
        self.communes.lock().ok()?.insert(code_insee.to_owned(), Arc::clone(&area));
        Some(area)
    }

    /// Whether `commune=` can be asked.
    pub fn has_communes(&self) -> bool {
        self.territory.as_ref().is_some_and(|id| self.by_id(id.as_str()).is_some())
    }
}

/// Old ids that the layer files still answer to. A file that cannot be read costs its aliases only.
fn aliases_of(site: &Site, layers: &[Arc<PublishedLayer>]) -> HashMap<String, LayerId> {
    let mut aliases = HashMap::new();
    for file in site.layer_files().unwrap_or_default().into_iter().flatten() {
        if layers.iter().any(|layer| layer.id() == &file.id) {
            aliases.extend(file.aliases.iter().map(|alias| (alias.to_string(), file.id.clone())));
        }
    }
    aliases
}
