//! `bocage add`: looks at files and writes a layer file for each layer in them.

use std::path::Path;
use std::path::PathBuf;

use crate::model::layer::LayerId;
use crate::publish::Progress;
use crate::publish::Publisher;
use crate::publish::report::LayerReport;

pub struct Added {
    pub report: LayerReport,
    /// The file that was written; `None` where the layer was known already or could not be read.
    pub written: Option<PathBuf>,
}

impl Publisher {
    /// Writes `layers/<id>.toml` for each layer of a file below the depot (`state = "published"`, or "proposed" by the watch).
    ///
    /// # Errors
    /// Where a layer file cannot be written, or `id` is given for a file of several layers.
    pub fn add(&self, _path: &Path, _id: Option<&LayerId>, _proposed: bool, _progress: Progress<'_>) -> anyhow::Result<Vec<Added>> {
        unimplemented!()
    }
}
