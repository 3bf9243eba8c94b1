//! GeoJSON (RFC 7946, and the `crs` member of its forerunner).

use std::path::Path;

use crate::source::SourceFormat;
use crate::source::extension;

pub struct GeoJson;

impl SourceFormat for GeoJson {
    fn id(&self) -> &'static str {
        "GeoJSON"
    }

    fn driver(&self) -> Option<&'static str> {
        Some("GeoJSON")
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let is_object = head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let text = String::from_utf8_lossy(head);
        is_object && (extension(path) == "geojson" || (extension(path) == "json" && text.contains("\"FeatureCollection\"")))
    }
}

/// Whether the text has a `crs` member: without one the standard says lon, lat, and producers do otherwise.
pub fn names_its_crs(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.split_once("\"features\"").map_or(text.as_ref(), |(before, _)| before).contains("\"crs\"")
}
