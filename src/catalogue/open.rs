//! Versions that are open: opened when first asked, the oldest closed first, so that ten thousand layers cost no ten
//! thousand files.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;
use memmap2::Mmap;

use crate::catalogue::CatalogueError;
use crate::encode::geojson_lines;
use crate::model::layer::LayerId;
use crate::model::version::Version;
use crate::postgis::Database;
use crate::postgis::Service;
use crate::store::LayerReader;
use crate::store::Store;
use crate::tile::Tileset;

/// Archives of tiles kept open: each holds its directories in memory, and no file.
const TILESETS_MAX: usize = 256;

/// Versions kept open: each holds about four file descriptors of the usual 1024.
const OPEN_MAX: usize = 64;

/// An open version: its store, and its GeoJSON download with the offsets of the features in it.
pub struct Opened {
    pub reader: Arc<LayerReader>,
    /// The mapped file: a slice of it is sent without a copy.
    geojson: Bytes,
    offsets: Mmap,
    offsets_path: PathBuf,
}

impl Opened {
    /// The GeoJSON text of a row (from 1).
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn fragment(&self, row: i64) -> Result<Bytes, CatalogueError> {
        self.fragments(row, row, false)
    }

    /// The text of rows `first` to `last`, with the comma and the line's end behind the last one if `more` follow.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn fragments(&self, first: i64, last: i64, more: bool) -> Result<Bytes, CatalogueError> {
        let range = |row: i64| geojson_lines::feature_range(&self.offsets, u64::try_from(row - 1).ok()?);
        let found = range(first).zip(range(last)).map(|(first, last)| {
            let behind = if more { geojson_lines::BETWEEN.len() } else { 0 };
            first.start as usize..last.end as usize + behind
        });
        let within = found.filter(|range| range.start <= range.end && range.end <= self.geojson.len());
        within.map(|range| self.geojson.slice(range)).ok_or_else(|| CatalogueError::Corrupt {
            path: self.offsets_path.clone(),
            reason: "an offset points outside the file".to_owned(),
        })
    }
}

#[derive(Default)]
pub struct Shelf {
    opened: Mutex<VecDeque<Arc<Opened>>>,
    tilesets: Mutex<VecDeque<Arc<Tileset>>>,
    databases: Mutex<Vec<Arc<Database>>>,
}

impl Shelf {
    /// The one pool of connections that all layers of a service share.
    pub fn database(&self, service: &Service) -> Arc<Database> {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = databases.iter().find(|known| known.service == *service) {
            return Arc::clone(known);
        }
        let database = Arc::new(Database::new(service.clone()));
        databases.push(Arc::clone(&database));
        database
    }

    /// Opens a version and keeps it open for a while.
    ///
    /// # Errors
    /// `Store`, `Io`.
    pub fn open(&self, store: &Store, layer: &LayerId, version: &Version) -> Result<Arc<Opened>, CatalogueError> {
        let path = store.file(layer, version, &format!("{layer}.geojson"));
        let offsets_path = geojson_lines::offsets_path(&path);
        let opened = Arc::new(Opened {
            reader: Arc::new(store.reader(layer, version)?),
            geojson: Bytes::from_owner(map(&path)?),
            offsets: map(&offsets_path)?,
            offsets_path,
        });
        keep(&self.opened, &opened, OPEN_MAX);
        Ok(opened)
    }

    /// Opens a version's archive of tiles and keeps it open for a while.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn open_tileset(&self, path: &Path) -> Result<Arc<Tileset>, CatalogueError> {
        let opened = Tileset::open(Bytes::from_owner(map(path)?));
        let tileset = opened.map_err(|error| CatalogueError::Corrupt { path: path.to_owned(), reason: error.to_string() })?;
        let tileset = Arc::new(tileset);
        keep(&self.tilesets, &tileset, TILESETS_MAX);
        Ok(tileset)
    }
}

/// The last one; the first goes where there are too many.
fn keep<T>(shelf: &Mutex<VecDeque<Arc<T>>>, opened: &Arc<T>, most: usize) {
    let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
    if shelf.len() >= most {
        shelf.pop_front();
    }
    shelf.push_back(Arc::clone(opened));
}

fn map(path: &Path) -> Result<Mmap, CatalogueError> {
    let fault = |source| CatalogueError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(fault)?;
    // SAFETY: files of a version are never changed in place: they are replaced by renames and erased by unlink, and a
    // mapping keeps the bytes of an unlinked file until it is dropped.
    unsafe { Mmap::map(&file) }.map_err(fault)
}
