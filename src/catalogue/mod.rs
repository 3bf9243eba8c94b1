//! What is published, as one immutable picture that is swapped whole.

use std::sync::Arc;

use crate::config::Site;
use crate::model::crs::Crs;
use crate::model::feature::FeatureId;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::version::Version;
use crate::query::Query;
use crate::store::Chunk;
use crate::store::LayerState;
use crate::store::Manifest;
use crate::store::Store;
use crate::store::VersionEntry;

#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error(transparent)]
    Crs(#[from] crate::crs::CrsError),
}

/// One consistent town. A request takes the `Arc` once.
pub struct Catalogue {
    /// `Store::generation` when it was read.
    pub generation: u64,
    /// Sorted by id.
    pub layers: Vec<Arc<PublishedLayer>>,
}

/// What an id means.
pub enum Found<'a> {
    Layer(&'a Arc<PublishedLayer>),
    /// Purged or removed: 410.
    Gone,
    /// Unknown, withdrawn or quarantined: 404.
    Nothing,
}

/// A layer that answers.
pub struct PublishedLayer {
    pub manifest: Manifest,
}

/// Features of an answer, in `query.crs`, pulled in chunks.
pub struct Features {}

impl Iterator for Features {
    type Item = Result<Chunk, CatalogueError>;
    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}

/// Byte ranges of the GeoJSON download, one a feature: an answer in CRS84 with all properties, without formatting.
pub struct Fragments {
    /// The store's row numbers, ascending.
    pub rows: Vec<i64>,
}

impl Fragments {
    /// The GeoJSON text of the nth feature.
    pub fn feature(&self, _n: usize) -> &[u8] {
        unimplemented!()
    }
}

impl Catalogue {
    /// Reads what is published; layers that did not change are taken over from `before`.
    ///
    /// # Errors
    /// `Store`.
    pub fn open(_site: &Site, _store: &Store, _before: Option<&Catalogue>) -> Result<Catalogue, CatalogueError> {
        unimplemented!()
    }

    /// By id or alias.
    pub fn find(&self, _id: &str) -> Found<'_> {
        unimplemented!()
    }

    /// The area of a commune of the territory layer, lon, lat; `None` for an unknown code or a site without one.
    pub fn commune(&self, _code_insee: &str) -> Option<Arc<geo_types::MultiPolygon<f64>>> {
        unimplemented!()
    }
}

impl PublishedLayer {
    pub fn id(&self) -> &LayerId {
        &self.manifest.layer.id
    }

    pub fn layer(&self) -> &Layer {
        &self.manifest.layer
    }

    /// CRS that clients may ask features in: CRS84 first, then the served ones that are valid over the extent; the storage CRS always among them.
    pub fn crs_served(&self) -> Vec<Crs> {
        unimplemented!()
    }

    /// # Errors
    /// Any `CatalogueError`.
    pub fn features(self: &Arc<Self>, _query: &Query) -> Result<Features, CatalogueError> {
        unimplemented!()
    }

    /// The same page cut from the GeoJSON download; `None` where the query asks another CRS or chosen properties.
    ///
    /// # Errors
    /// `Store`.
    pub fn fragments(self: &Arc<Self>, _query: &Query) -> Result<Option<Fragments>, CatalogueError> {
        unimplemented!()
    }

    /// One feature cut from the GeoJSON download.
    ///
    /// # Errors
    /// `Store`.
    pub fn fragment(self: &Arc<Self>, _id: &FeatureId) -> Result<Option<Fragments>, CatalogueError> {
        unimplemented!()
    }

    /// # Errors
    /// `Store`.
    pub fn count(&self, _query: &Query) -> Result<u64, CatalogueError> {
        unimplemented!()
    }

    /// In `crs`; a chunk of one row.
    ///
    /// # Errors
    /// Any `CatalogueError`.
    pub fn feature(self: &Arc<Self>, _id: &FeatureId, _crs: Crs) -> Result<Option<Chunk>, CatalogueError> {
        unimplemented!()
    }

    /// The feature id that a path segment means in this layer: an integer where ids are integers (`None` where it is not one).
    pub fn feature_id(&self, _text: &str) -> Option<FeatureId> {
        unimplemented!()
    }

    /// This layer as an older version that is still kept: what a `next` link of that version reads. `None` where it is not kept.
    ///
    /// # Errors
    /// `Store`.
    pub fn at_version(self: &Arc<Self>, _version: &Version) -> Result<Option<Arc<PublishedLayer>>, CatalogueError> {
        unimplemented!()
    }

    /// Versions, newest first, purged ones included.
    ///
    /// # Errors
    /// `Store`.
    pub fn versions(&self) -> Result<Vec<VersionEntry>, CatalogueError> {
        unimplemented!()
    }

    /// Path on disk of a download of this version, with its manifest entry; `None` for a name that the manifest lacks.
    pub fn file(&self, _name: &str) -> Option<(std::path::PathBuf, &crate::store::ManifestFile)> {
        unimplemented!()
    }

    pub fn state(&self) -> LayerState {
        LayerState::Published
    }
}
