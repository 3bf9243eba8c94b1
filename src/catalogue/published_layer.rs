//! A layer that answers: the verbs that protocols know.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::Weak;

use bytes::Bytes;
use geo_types::Geometry;
use geo_types::MultiPolygon;
use serde::Deserialize;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalogue::CatalogueError;
use crate::catalogue::answer;
use crate::catalogue::answer::FoundPage;
use crate::catalogue::open::Opened;
use crate::catalogue::open::Shelf;
use crate::catalogue::style::LayerStyle;
use crate::catalogue::style::PASSED_THROUGH;
use crate::crs::Transform;
use crate::crs::batch;
use crate::crs::registry;
use crate::live::LiveError;
use crate::live::LiveReader;
use crate::live::LiveSource;
use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::feature::FeatureId;
use crate::model::layer::Field;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::media_type;
use crate::model::record::Record;
use crate::model::tile_matrix_set::TileAddress;
use crate::model::version::Version;
use crate::query::Query;
use crate::store::KeptStyle;
use crate::store::Manifest;
use crate::store::ManifestFile;
use crate::store::Store;
use crate::store::VersionEntry;
use crate::tile;
use crate::tile::Preparation;
use crate::tile::TileKind;
use crate::tile::Tileset;

/// What the officer said anew of a version whose data did not change: a new revision of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    pub title: String,
    #[serde(rename = "abstract")]
    pub description: String,
    pub fields: Vec<Field>,
    pub record: Record,
    /// RFC 3339, UTC.
    pub revised: String,
}

/// What a table makes of a tile.
pub enum LiveTile {
    /// In gzip; empty where nothing is there.
    Cut(Vec<u8>),
    /// More than one answer holds.
    TooMany,
}

pub struct PublishedLayer {
    /// With the newest revision of the record laid over it.
    pub manifest: Manifest,
    /// When the record was last revised, RFC 3339 UTC: never before `manifest.published`.
    pub revised: String,
    /// What the register says of it, to see that nothing changed.
    pub(super) said: Said,
    /// The table that answers in the version's place.
    live: Option<LiveReader>,
    store: Store,
    shelf: Arc<Shelf>,
    opened: RwLock<Weak<Opened>>,
    tileset: RwLock<Weak<Tileset>>,
    /// Read when it is first asked for.
    style: OnceLock<Option<Arc<LayerStyle>>>,
}

/// The register's words of a layer: its newest revision, the table that answers, the style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    revision: Option<String>,
    live: Option<String>,
    style: Option<KeptStyle>,
}

impl Said {
    /// # Errors
    /// `Store`.
    pub fn of(store: &Store, id: &LayerId) -> Result<Said, CatalogueError> {
        let (revision, live) = (store.note(id, crate::store::REVISION)?, store.note(id, crate::store::LIVE)?);
        Ok(Said { revision, live, style: store.style(id)? })
    }
}

impl PublishedLayer {
    pub(super) fn new(
        store: &Store,
        id: &LayerId,
        version: &Version,
        said: Said,
        shelf: Arc<Shelf>,
    ) -> Result<PublishedLayer, CatalogueError> {
        let mut manifest = store.manifest(id, version)?;
        let mut revised = manifest.published.clone();
        if let Some(newer) = said.revision.as_deref().and_then(|text| serde_json::from_str::<Revision>(text).ok()) {
            manifest.layer.title = newer.title;
            manifest.layer.description = newer.description;
            for field in &mut manifest.layer.fields {
                if let Some(said) = newer.fields.iter().find(|said| said.name == field.name) {
                    *field = Field { field_type: field.field_type, ..said.clone() };
                }
            }
            manifest.record = newer.record;
            revised = revised.max(newer.revised);
        }
        let live = said.live.as_deref().and_then(|text| match live_reader(text, &manifest.layer, &shelf) {
            Ok(reader) => Some(reader),
            // What was published passed its checks: better than nothing, until the next publication says it anew.
            Err(error) => {
                tracing::error!(layer = %id, "{id} is answered by its version, not by its table: {error}");
                None
            }
        });
        Ok(PublishedLayer {
            manifest,
            revised,
            said,
            live,
            store: store.clone(),
            shelf,
            opened: RwLock::default(),
            tileset: RwLock::default(),
            style: OnceLock::new(),
        })
    }

    pub(super) fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.shelf)
    }

    fn opened(&self) -> Result<Arc<Opened>, CatalogueError> {
        if self.layer().is_tileset {
            return Err(CatalogueError::NoFeatures { layer: self.id().clone() });
        }
        once(&self.opened, || self.shelf.open(&self.store, self.id(), &self.manifest.version))
    }

    /// Asks the open version. What fails because its files are gone fails as `Erased`.
    fn asking<T>(&self, ask: impl FnOnce(Arc<Opened>) -> Result<T, CatalogueError>) -> Result<T, CatalogueError> {
        self.opened().and_then(ask).map_err(|error| self.or_erased(error))
    }

    fn or_erased(&self, error: CatalogueError) -> CatalogueError {
        let is_there = self.store.file(self.id(), &self.manifest.version, "").is_dir();
        if is_there { error } else { CatalogueError::Erased { version: self.manifest.version.clone() } }
    }

    /// The version's vector tiles; `None` of a table without geometry, and of versions that were published without.
    ///
    /// # Errors
    /// `Io`, `Corrupt`, `Erased`.
    pub fn tileset(&self) -> Result<Option<Arc<Tileset>>, CatalogueError> {
        let Some(file) = self.manifest.files.iter().find(|file| file.media_type == media_type::PMTILES) else { return Ok(None) };
        let path = self.store.file(self.id(), &self.manifest.version, &file.name);
        once(&self.tileset, || self.shelf.open_tileset(&path)).map(Some).map_err(|error| self.or_erased(error))
    }

    /// Whether tiles of it can be asked.
    pub fn has_tiles(&self) -> bool {
        self.manifest.files.iter().any(|file| file.media_type == media_type::PMTILES)
    }

    /// Whether these are vector tiles, not pictures.
    pub fn has_vector_tiles(&self) -> bool {
        self.tileset().ok().flatten().is_some_and(|tileset| tileset.kind == TileKind::Mvt)
    }

    /// One tile of the table that answers, as it is now.
    ///
    /// # Errors
    /// `Live`; `Tile`.
    pub fn live_tile(self: &Arc<Self>, address: TileAddress) -> Result<LiveTile, CatalogueError> {
        let Some(live) = &self.live else { return Ok(LiveTile::TooMany) };
        let page = live.page(&Query { bbox: vec![tile::reach(address)], ..Query::all(CRS84) })?;
        if page.next.is_some() {
            return Ok(LiveTile::TooMany);
        }
        let mut preparation = Preparation::begin(self.layer(), CRS84, None)?;
        for batch in &page.batches {
            preparation.take(batch)?;
        }
        Ok(LiveTile::Cut(tile::one(address, &[preparation.finish()?])))
    }

    /// Another number where another description of the table answers.
    pub fn live_mark(&self) -> u64 {
        xxh3_64(format!("{} {:?}", self.manifest.version, self.said.live).as_bytes())
    }

    pub fn id(&self) -> &LayerId {
        &self.manifest.layer.id
    }

    pub fn layer(&self) -> &Layer {
        &self.manifest.layer
    }

    /// The table that answers at this moment; `None` where the version does.
    pub fn live(&self) -> Option<&LiveReader> {
        self.live.as_ref()
    }

    /// CRS that clients may ask features in: CRS84 first, then the storage CRS, then the served ones whose area of use
    /// holds the layer. OGC API - Features `/req/crs/crs-uri`.
    pub fn crs_served(&self) -> Vec<Crs> {
        let Some(extent) = self.layer().extent else { return vec![CRS84] };
        let holds = |area: &crate::model::geometry::Envelope| {
            area.west <= extent.west && area.south <= extent.south && area.east >= extent.east && area.north >= extent.north
        };
        let mut served = vec![CRS84];
        if self.layer().crs != CRS84 {
            served.push(self.layer().crs);
        }
        for row in registry::REGISTRY.iter().filter(|row| row.served && holds(&row.area)) {
            if !served.contains(&row.crs) {
                served.push(row.crs);
            }
        }
        served
    }

    /// One page, and how many features match in all. OGC API - Features `/req/core/fc-numberMatched`.
    ///
    /// # Errors
    /// `Store`, `Live`.
    pub fn page(self: &Arc<Self>, query: &Query) -> Result<FoundPage, CatalogueError> {
        match &self.live {
            Some(live) => Ok(FoundPage::live(live.page(query)?)),
            None => self.asking(|opened| Ok(FoundPage::stored(opened.reader.page(query)?, opened))),
        }
    }

    /// One feature of the version as the GeoJSON download has it: in CRS84, with all its properties.
    ///
    /// # Errors
    /// `Store`.
    pub fn fragment(self: &Arc<Self>, id: &FeatureId) -> Result<Option<Bytes>, CatalogueError> {
        self.asking(|opened| match opened.reader.row_of(id)? {
            Some(row) => opened.fragment(row).map(Some),
            None => Ok(None),
        })
    }

    /// In `crs`; a batch of one row.
    ///
    /// # Errors
    /// Any `CatalogueError`.
    pub fn feature(self: &Arc<Self>, id: &FeatureId, crs: Crs) -> Result<Option<FeatureBatch>, CatalogueError> {
        let found = match &self.live {
            Some(live) => live.feature(id)?,
            None => self.asking(|opened| match opened.reader.row_of(id)? {
                Some(row) => Ok(opened.reader.row(row)?),
                None => Ok(None),
            })?,
        };
        let Some(found) = found else { return Ok(None) };
        Ok(Some(batch::transform(found, &Transform::new(CRS84, crs)?).0))
    }

    /// Of a feature that changes: a text that is another one when it is another. `None` where the version tells.
    pub fn digest(&self, feature: &FeatureBatch) -> Option<String> {
        self.live.as_ref().map(|_| answer::digest(std::slice::from_ref(feature), ""))
    }

    /// The feature id that a path segment means in this layer; `None` where ids are integers and this is none.
    pub fn feature_id(&self, text: &str) -> Option<FeatureId> {
        match self.layer().id_kind {
            IdKind::Integer => text.parse::<i64>().ok().filter(|id| id.to_string() == text).map(FeatureId::Integer),
            IdKind::Text => Some(FeatureId::Text(text.to_owned())),
        }
    }

    /// This layer as a version that is still kept: what a `next` link of that version reads. `None` where it is not kept.
    ///
    /// # Errors
    /// `Store`.
    pub fn at_version(self: &Arc<Self>, version: &Version) -> Result<Option<Arc<PublishedLayer>>, CatalogueError> {
        if *version == self.manifest.version && self.live.is_none() {
            return Ok(Some(Arc::clone(self)));
        }
        if !self.versions()?.iter().any(|entry| entry.version == *version && !entry.purged) {
            return Ok(None);
        }
        PublishedLayer::new(&self.store, self.id(), version, Said::default(), self.shelf()).map(|layer| Some(Arc::new(layer)))
    }

    /// How it is drawn; `None` for a table. Reads a file when it is asked for the first time.
    pub fn style(&self) -> Option<Arc<LayerStyle>> {
        self.style.get_or_init(|| self.given_style().or_else(|| LayerStyle::by_default(self.layer())).map(Arc::new)).clone()
    }

    /// Whether there is a style, without reading it.
    pub fn is_drawn(&self) -> bool {
        self.layer().geometry.is_some()
    }

    /// Whether its style is also served as it was given, without reading it.
    pub fn has_original_style(&self) -> bool {
        self.said.style.as_ref().is_some_and(|kept| kept.format == PASSED_THROUGH && !kept.is_private)
    }

    fn given_style(&self) -> Option<LayerStyle> {
        let kept = self.said.style.as_ref().filter(|_| self.is_drawn())?;
        let path = self.store.style_path(self.id(), kept);
        let read = std::fs::read(&path).map_err(anyhow::Error::from);
        match read.and_then(|bytes| Ok(LayerStyle::read(self.layer(), &bytes, &kept.origin)?)) {
            Ok(style) => Some(style.kept(path, kept)),
            // It was read when it was published: a layer drawn otherwise is better than none.
            Err(error) => {
                tracing::error!(layer = %self.id(), "{} is drawn by default, {}: {error}", self.id(), path.display());
                None
            }
        }
    }

    /// Versions, newest first, purged ones included.
    ///
    /// # Errors
    /// `Store`.
    pub fn versions(&self) -> Result<Vec<VersionEntry>, CatalogueError> {
        Ok(self.store.versions(self.id())?)
    }

    /// Path on disk of a download of this version, with its manifest entry; `None` for a name that the manifest lacks.
    pub fn file(&self, name: &str) -> Option<(PathBuf, &ManifestFile)> {
        let file = self.manifest.files.iter().find(|file| file.name == name)?;
        Some((self.store.file(self.id(), &self.manifest.version, &file.name), file))
    }

    /// The areas of the features whose `field` is `value`, joined; `None` where there is none.
    pub(super) fn area_where(&self, field: &str, value: &str) -> Result<Option<MultiPolygon<f64>>, CatalogueError> {
        let query = Query { equals: vec![(field.to_owned(), value.to_owned())], ..Query::all(CRS84) };
        let mut polygons = Vec::new();
        for chunk in self.opened()?.reader.select(&query)? {
            let chunk = chunk?;
            for row in 0..chunk.batch.rows() {
                let geometry = chunk.batch.wkb(row).and_then(|bytes| wkb::reader::read_wkb(bytes).ok()).map(|geometry| to_geo(&geometry));
                match geometry {
                    Some(Some(Geometry::Polygon(polygon))) => polygons.push(polygon),
                    Some(Some(Geometry::MultiPolygon(multi))) => polygons.extend(multi),
                    _ => {}
                }
            }
        }
        Ok((!polygons.is_empty()).then(|| MultiPolygon::new(polygons)))
    }
}

/// What is open already, else what `open` gives.
fn once<T>(slot: &RwLock<Weak<T>>, open: impl FnOnce() -> Result<Arc<T>, CatalogueError>) -> Result<Arc<T>, CatalogueError> {
    if let Some(opened) = slot.read().unwrap_or_else(PoisonError::into_inner).upgrade() {
        return Ok(opened);
    }
    let mut slot = slot.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(opened) = slot.upgrade() {
        return Ok(opened);
    }
    let opened = open()?;
    *slot = Arc::downgrade(&opened);
    Ok(opened)
}

fn live_reader(source: &str, layer: &Layer, shelf: &Shelf) -> Result<LiveReader, LiveError> {
    let source: LiveSource = serde_json::from_str(source).map_err(|error| LiveError::Unusable { reason: error.to_string() })?;
    let database = shelf.database(&source.service);
    LiveReader::new(source, layer.clone(), database)
}

fn to_geo(geometry: &wkb::reader::Wkb<'_>) -> Option<Geometry<f64>> {
    use geo_traits::to_geo::ToGeoGeometry;
    geometry.try_to_geometry()
}
