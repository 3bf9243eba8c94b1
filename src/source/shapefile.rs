//! ESRI Shapefile: .shp, .shx, .dbf and company, in any letter case; a .dbf alone is a table.

use std::path::Path;

use crate::source::SourceFormat;
use crate::source::extension;

pub struct Shapefile;

impl SourceFormat for Shapefile {
    fn id(&self) -> &'static str {
        "Shapefile"
    }

    fn driver(&self) -> Option<&'static str> {
        Some("ESRI Shapefile")
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        // The file code 9994, big-endian.
        extension(path) == "shp" && head.starts_with(&[0, 0, 0x27, 0x0A])
    }
}
