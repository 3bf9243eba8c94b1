//! KEEP: versions as immutable folders, and the register of what must never be forgotten.
//!
//! ```text
//! var/format                          the store's format number
//! var/lock                            held by the one program that writes
//! var/register.sqlite                 identities, dates, feature ids, decisions, history
//! var/layers/<id>/current             text: the version being served; replaced by rename
//! var/layers/<id>/.staging-XXXX/      a version being built; swept away by the next writer
//! var/layers/<id>/<version>/          immutable
//!     data.gpkg  layer.json  <id>.geojson  <id>.geojson.offsets  <id>.csv …  each with <file>.sha256
//! ```

use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;

use crate::model::batch::FeatureBatch;
use crate::model::feature::FeatureId;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::record::Record;
use crate::model::version::Version;
use crate::query::Query;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("« {path} » est au format {found} ; ce programme lit le format {known}")]
    Format { path: PathBuf, found: String, known: u32 },
    #[error("« {path} » est déjà en cours d'écriture par un autre bocage")]
    Locked { path: PathBuf },
    #[error("la version {version} de « {layer} » n'existe pas")]
    NoSuchVersion { layer: LayerId, version: Version },
    #[error("{path}: {reason}")]
    Corrupt { path: PathBuf, reason: String },
}

/// The folder `var/`. Reading needs no lock.
#[derive(Clone, Debug)]
pub struct Store {
    pub root: PathBuf,
}

/// `layer.json`: everything a reader needs beside `data.gpkg`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub layer: Layer,
    pub record: Record,
    pub version: Version,
    /// RFC 3339, UTC: when this version was published.
    pub published: String,
    pub files: Vec<ManifestFile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// `communes.shp.zip`
    pub name: String,
    pub media_type: String,
    pub title: String,
    pub bytes: u64,
    pub sha256: String,
}

/// Whether a layer answers, kept in the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerState {
    Published,
    Withdrawn,
    Quarantined,
    /// Every version was purged, or the layer was removed for ever: 410.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionEntry {
    pub version: Version,
    pub published: String,
    pub features: u64,
    pub current: bool,
    /// The bytes are erased; the register keeps that it was.
    pub purged: bool,
}

impl Store {
    /// Opens `root`, making it where it is absent.
    ///
    /// # Errors
    /// `Format` for an older or newer store, `Io`.
    pub fn open(_root: &Path) -> Result<Store, StoreError> {
        unimplemented!()
    }

    /// Takes the writer's lock, sweeps what an interrupted writer left. One at a time across processes.
    ///
    /// # Errors
    /// `Locked` after `wait` went by.
    pub fn writer(&self, _wait: std::time::Duration) -> Result<Writer, StoreError> {
        unimplemented!()
    }

    /// Layers that were ever published, with their state and current version.
    ///
    /// # Errors
    /// `Io`, `Sqlite`, `Corrupt`.
    pub fn layers(&self) -> Result<Vec<(LayerId, LayerState, Option<Version>)>, StoreError> {
        unimplemented!()
    }

    /// Newest first, purged ones included.
    ///
    /// # Errors
    /// As `layers`.
    pub fn versions(&self, _layer: &LayerId) -> Result<Vec<VersionEntry>, StoreError> {
        unimplemented!()
    }

    /// # Errors
    /// `NoSuchVersion`.
    pub fn manifest(&self, _layer: &LayerId, _version: &Version) -> Result<Manifest, StoreError> {
        unimplemented!()
    }

    pub fn file(&self, layer: &LayerId, version: &Version, name: &str) -> PathBuf {
        self.root.join("layers").join(layer.as_str()).join(version.as_str()).join(name)
    }

    /// # Errors
    /// `NoSuchVersion`, `Corrupt`.
    pub fn reader(&self, _layer: &LayerId, _version: &Version) -> Result<LayerReader, StoreError> {
        unimplemented!()
    }

    /// The newest word said about anything published: changes whenever what is served changed. Cheap to ask every second.
    pub fn generation(&self) -> u64 {
        unimplemented!()
    }
}

/// The one that writes; holds the lock.
pub struct Writer {}

impl Writer {
    /// Starts a version. `layer.features`, `extent` and `interval` are filled by `finish`.
    ///
    /// # Errors
    /// `Io`, `Sqlite`.
    pub fn begin(&self, _layer: Layer) -> Result<LayerWriter, StoreError> {
        unimplemented!()
    }

    /// Makes another kept version the served one. Under a second.
    ///
    /// # Errors
    /// `NoSuchVersion`.
    pub fn switch(&self, _layer: &LayerId, _version: &Version, _now: &str) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// # Errors
    /// `Io`, `Sqlite`.
    pub fn set_state(&self, _layer: &LayerId, _state: LayerState, _now: &str) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Erases the bytes of one version, or of all. The register keeps that it happened.
    ///
    /// # Errors
    /// `NoSuchVersion`, `Io`.
    pub fn purge(&self, _layer: &LayerId, _version: Option<&Version>, _now: &str) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Deletes versions beyond the `keep` newest; never the current one.
    ///
    /// # Errors
    /// `Io`.
    pub fn prune(&self, _layer: &LayerId, _keep: usize) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// A small text kept for a layer (the source's fingerprint, the last report): `None` forgets it.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn note(&self, _layer: &LayerId, _key: &str, _value: Option<&str>) -> Result<(), StoreError> {
        unimplemented!()
    }
}

/// A version being written: any number of batches, then `finish`.
pub struct LayerWriter {}

impl LayerWriter {
    /// Columns as `layer.fields`, geometry lon, lat unrounded. `batch.ids` are the source's own row ids (may be null).
    ///
    /// # Errors
    /// `Io`, `Sqlite`.
    pub fn write(&mut self, _batch: &FeatureBatch) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Issues feature ids (by the declared field, else matched with the register: source's row id as key, then equal
    /// content, then equal geometry; never reused), sorts along Hilbert's curve, writes `data.gpkg` with a bulk R*Tree.
    /// Ties in every step are broken by the order of rows, so equal input gives equal bytes.
    ///
    /// # Errors
    /// `Io`, `Sqlite`.
    pub fn finish(self) -> Result<Staged, StoreError> {
        unimplemented!()
    }
}

/// A version written but not yet served. Dropped: as if it had never been.
pub struct Staged {
    /// With features, extent and interval filled in.
    pub layer: Layer,
    /// Where the downloads are to be written.
    pub folder: PathBuf,
}

impl Staged {
    /// Whether the version being served holds the same features, columns and format.
    pub fn is_unchanged(&self) -> bool {
        unimplemented!()
    }

    /// # Errors
    /// `Sqlite`, `Corrupt`.
    pub fn reader(&self) -> Result<LayerReader, StoreError> {
        unimplemented!()
    }

    /// Writes hashes and `layer.json`, fsyncs, renames, switches, tells the register. `now` is RFC 3339 UTC.
    /// Each file is (name, media type, title) and lies in `folder`.
    ///
    /// # Errors
    /// `Io`, `Sqlite`; then nothing was switched.
    pub fn commit(self, _record: Record, _files: Vec<(String, String, String)>, _now: &str) -> Result<Manifest, StoreError> {
        unimplemented!()
    }
}

/// Reads one immutable version. `Send + Sync`; connections are pooled inside, none is held between two batches.
pub struct LayerReader {
    pub layer: Layer,
}

/// Rows that answer a query, in the store's order, pulled in chunks. Columns as `query.fields` (else all), in `layer.fields`' order.
pub struct Selection {}

/// A chunk: the batch and the store's row number of each row (the key that pages by).
pub struct Chunk {
    pub rows: Vec<i64>,
    pub batch: FeatureBatch,
}

impl Iterator for Selection {
    type Item = Result<Chunk, StoreError>;
    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}

impl LayerReader {
    /// Lon, lat geometry, issued ids; `query.crs` is not applied here.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn select(self: &std::sync::Arc<Self>, _query: &Query) -> Result<Selection, StoreError> {
        unimplemented!()
    }

    /// Only the row numbers of a page, for answers cut from the GeoJSON file.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn select_rows(&self, _query: &Query) -> Result<Vec<i64>, StoreError> {
        unimplemented!()
    }

    /// Matches of the whole query, its page apart.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn count(&self, _query: &Query) -> Result<u64, StoreError> {
        unimplemented!()
    }

    /// The row number of a feature.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn row_of(&self, _id: &FeatureId) -> Result<Option<i64>, StoreError> {
        unimplemented!()
    }

    /// One row as a batch of one.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn row(&self, _row: i64) -> Result<Option<FeatureBatch>, StoreError> {
        unimplemented!()
    }
}

pub const REVISION: &str = "revision";
impl Store {
    pub fn note(&self, _layer: &LayerId, _key: &str) -> Result<Option<String>, StoreError> {
        unimplemented!()
    }
}
