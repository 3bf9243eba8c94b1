//! GeoPackage (OGC 12-128r18).

use std::path::Path;

use crate::source::SourceFormat;
use crate::source::extension;

pub struct GeoPackage;

impl SourceFormat for GeoPackage {
    fn id(&self) -> &'static str {
        "GeoPackage"
    }

    fn driver(&self) -> Option<&'static str> {
        Some("GPKG")
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        // Offset 68: the application id, `GPKG` since version 1.2, `GP10` and `GP11` before. A SpatiaLite file has none.
        let application = head.get(68..72);
        head.starts_with(b"SQLite format 3\0") && (matches!(application, Some(b"GPKG" | b"GP10" | b"GP11")) || extension(path) == "gpkg")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spatialite_file_is_not_a_geopackage() {
        let mut head = vec![0; 100];
        head[..16].copy_from_slice(b"SQLite format 3\0");
        assert!(!GeoPackage.recognises(Path::new("a.sqlite"), &head));
        head[68..72].copy_from_slice(b"GPKG");
        assert!(GeoPackage.recognises(Path::new("a.sqlite"), &head));
        assert!(!GeoPackage.recognises(Path::new("a.gpkg"), b"not a database"));
    }
}
