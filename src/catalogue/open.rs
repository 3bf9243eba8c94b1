//! Versions that are open: opened when first asked, the oldest closed first, so that ten thousand layers cost no ten
//! thousand files.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use memmap2::Mmap;

use crate::catalogue::CatalogueError;
use crate::model::layer::LayerId;
use crate::model::version::Version;
use crate::store::LayerReader;
use crate::store::Store;

/// Versions kept open: each holds about four file descriptors of the usual 1024.
const OPEN_MAX: usize = 64;

/// An open version: its store, and its GeoJSON download with the offsets of the features in it.
pub struct Opened {
    pub reader: Arc<LayerReader>,
    pub geojson: Mmap,
    pub offsets: Mmap,
}

#[derive(Default)]
pub struct Shelf {
    opened: Mutex<VecDeque<Arc<Opened>>>,
}

impl Shelf {
    /// Opens a version and keeps it open for a while.
    ///
    /// # Errors
    /// `Store`, `Io`.
    pub fn open(&self, store: &Store, layer: &LayerId, version: &Version) -> Result<Arc<Opened>, CatalogueError> {
        let name = format!("{layer}.geojson");
        let opened = Arc::new(Opened {
            reader: Arc::new(store.reader(layer, version)?),
            geojson: map(store, layer, version, &name)?,
            offsets: map(store, layer, version, &format!("{name}.offsets"))?,
        });
        let mut shelf = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() >= OPEN_MAX {
            shelf.pop_front();
        }
        shelf.push_back(Arc::clone(&opened));
        Ok(opened)
    }
}

fn map(store: &Store, layer: &LayerId, version: &Version, name: &str) -> Result<Mmap, CatalogueError> {
    let path = store.file(layer, version, name);
    let file = File::open(&path).map_err(|source| CatalogueError::Io { path: path.clone(), source })?;
    // SAFETY: files of a version are never changed in place: they are replaced by renames and erased by unlink, and a
    // mapping keeps the bytes of an unlinked file until it is dropped.
    unsafe { Mmap::map(&file) }.map_err(|source| CatalogueError::Io { path, source })
}
