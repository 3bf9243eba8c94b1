//! KEEP: versions as immutable folders, and the register of what must never be forgotten.
//!
//! ```text
//! var/format                          the store's format number
//! var/lock                            held by the one program that writes
//! var/generation                      a number that grows whenever what is served changes
//! var/register.sqlite                 states, versions with their dates, decisions, history
//! var/ids/<id>                        the feature ids ever issued, with hashes of what they named
//! var/layers/<id>/current             text: the version being served; replaced by rename
//! var/layers/<id>/styles/<hash>       styles as they were given: the one that the register names, and the one before
//! var/layers/<id>/.staging-XXXX/      a version being built; swept away by the next writer
//! var/layers/<id>/<version>/          immutable
//!     data.gpkg  layer.json  <id>.geojson  <id>.geojson.offsets  <id>.csv …  each with <file>.sha256
//! ```

mod boxes;
mod disk;
mod filter_sql;
mod functions;
mod identify;
mod layer_writer;
mod reader;
mod register;
mod scan;
mod select;
mod sorted;
mod spatial;
mod spool;
mod styles;
mod writer;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::geopackage::GeoPackageError;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::record::Record;
use crate::model::version::Version;
pub use crate::store::layer_writer::LayerWriter;
pub use crate::store::layer_writer::Staged;
pub use crate::store::reader::LayerReader;
pub use crate::store::reader::count_no_memory;
use crate::store::register::Register;
pub use crate::store::select::Chunk;
pub use crate::store::select::RowPage;
pub use crate::store::select::Selection;
pub use crate::store::styles::GivenStyle;
pub use crate::store::styles::KeptStyle;
pub use crate::store::styles::STYLE;
pub use crate::store::writer::Writer;
pub use crate::store::writer::Writers;

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
    /// A question that took longer than anybody waits: it was stopped.
    #[error("une question à « {layer} » a été arrêtée après {seconds} s")]
    TooLong { layer: LayerId, seconds: u64 },
    #[error("deux objets de « {layer} » ont l'identifiant « {id} », ou il manque")]
    DuplicateId { layer: LayerId, id: String },
}

impl From<GeoPackageError> for StoreError {
    fn from(error: GeoPackageError) -> StoreError {
        match error {
            GeoPackageError::Sqlite { path, source } => StoreError::Sqlite { path, source },
            GeoPackageError::Io { path, source } => StoreError::Io { path, source },
        }
    }
}

/// Number of the store's format; it is part of every version's name.
pub const FORMAT: u32 = 2;

/// The register's note of what the officer said anew of a version whose data did not change.
pub const REVISION: &str = "revision";

/// The register's note of the table that answers in a version's place (`live::LiveSource`, as JSON).
pub const LIVE: &str = "live";

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
    pub fn open(root: &Path) -> Result<Store, StoreError> {
        fs::create_dir_all(root.join("layers")).map_err(disk::fault(root))?;
        let path = root.join("format");
        match fs::read_to_string(&path) {
            Ok(text) if text.trim() == FORMAT.to_string() => {}
            Ok(text) => return Err(StoreError::Format { path, found: text.trim().to_owned(), known: FORMAT }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => disk::replace(&path, FORMAT.to_string().as_bytes())?,
            Err(error) => return Err(disk::fault(&path)(error)),
        }
        let store = Store { root: root.to_owned() };
        Register::open(&store.register_path())?;
        Ok(store)
    }

    /// Takes the writer's lock, sweeps what an interrupted writer left. One at a time across processes.
    ///
    /// # Errors
    /// `Locked` after `wait` went by.
    pub fn writer(&self, wait: Duration) -> Result<Writer, StoreError> {
        Writer::lock(self, wait)
    }

    /// Writers that share one lock.
    pub fn writers(&self) -> Writers {
        Writers::new(self)
    }

    /// Layers that were ever published, with their state and current version.
    ///
    /// # Errors
    /// `Io`, `Sqlite`, `Corrupt`.
    pub fn layers(&self) -> Result<Vec<(LayerId, LayerState, Option<Version>)>, StoreError> {
        let register = Register::open(&self.register_path())?;
        register.layers()?.into_iter().map(|(id, state)| self.current(&id).map(|version| (id, state, version))).collect()
    }

    /// The version being served.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn current(&self, layer: &LayerId) -> Result<Option<Version>, StoreError> {
        let path = self.layer_folder(layer).join("current");
        match fs::read_to_string(&path) {
            Ok(text) => {
                Version::try_from(text.trim().to_owned()).map(Some).map_err(|error| StoreError::Corrupt { path, reason: error.to_string() })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk::fault(&path)(error)),
        }
    }

    /// Newest first, purged ones included.
    ///
    /// # Errors
    /// As `layers`.
    pub fn versions(&self, layer: &LayerId) -> Result<Vec<VersionEntry>, StoreError> {
        let current = self.current(layer)?;
        Register::open(&self.register_path())?.versions(layer, current.as_ref())
    }

    /// What was decided about a layer, oldest first: when (RFC 3339) and what (French).
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn history(&self, layer: &LayerId) -> Result<Vec<(String, String)>, StoreError> {
        Register::open(&self.register_path())?.history(layer)
    }

    /// # Errors
    /// `NoSuchVersion`, `Corrupt`.
    pub fn manifest(&self, layer: &LayerId, version: &Version) -> Result<Manifest, StoreError> {
        let path = self.file(layer, version, "layer.json");
        let text = fs::read(&path).map_err(|_| StoreError::NoSuchVersion { layer: layer.clone(), version: version.clone() })?;
        serde_json::from_slice(&text).map_err(|error| StoreError::Corrupt { path, reason: error.to_string() })
    }

    pub fn file(&self, layer: &LayerId, version: &Version, name: &str) -> PathBuf {
        self.layer_folder(layer).join(version.as_str()).join(name)
    }

    fn layer_folder(&self, layer: &LayerId) -> PathBuf {
        self.root.join("layers").join(layer.as_str())
    }

    fn register_path(&self) -> PathBuf {
        self.root.join("register.sqlite")
    }

    /// # Errors
    /// `NoSuchVersion`, `Corrupt`.
    pub fn reader(&self, layer: &LayerId, version: &Version) -> Result<LayerReader, StoreError> {
        let manifest = self.manifest(layer, version)?;
        LayerReader::open(manifest.layer, &self.file(layer, version, "data.gpkg"))
    }

    /// The newest word said about anything published: changes whenever what is served changed. Cheap to ask every second.
    pub fn generation(&self) -> u64 {
        fs::read_to_string(self.root.join("generation")).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// A small text kept for a layer by [`Writer::note`].
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn note(&self, layer: &LayerId, key: &str) -> Result<Option<String>, StoreError> {
        Register::open(&self.register_path())?.note(layer, key)
    }
}
