//! How a layer gets published: read → check → normalise → store → files → switch.

pub mod add;
pub mod report;

use std::path::Path;

use crate::config::LayerFile;
use crate::config::Site;
use crate::publish::report::LayerReport;
use crate::source::Source;
use crate::store::Store;

/// Publishes the layers of one site.
pub struct Publisher {
    pub site: Site,
    pub store: Store,
    pub source: Source,
}

/// Told while a layer is on its way: layer, step in French, rows so far.
pub type Progress<'a> = &'a (dyn Fn(&str, &str, u64) + Sync);

impl Publisher {
    /// `program`: this executable, for the reading worker.
    ///
    /// # Errors
    /// Those of `Store::open`.
    pub fn open(_site: Site, _program: &Path) -> anyhow::Result<Publisher> {
        unimplemented!()
    }

    /// Reads and judges one layer file; publishes nothing.
    pub fn check(&self, _file: &LayerFile, _progress: Progress<'_>) -> LayerReport {
        unimplemented!()
    }

    /// Judges every layer of a file that no layer file names yet.
    pub fn check_path(&self, _path: &Path, _progress: Progress<'_>) -> Vec<LayerReport> {
        unimplemented!()
    }

    /// Publishes one layer if its source or its file changed. The layer switches whole or not at all. Takes the writer's lock.
    pub fn publish(&self, _file: &LayerFile, _progress: Progress<'_>) -> LayerReport {
        unimplemented!()
    }
}
