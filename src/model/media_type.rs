//! Media types, spelled once.

pub const JSON: &str = "application/json";
pub const GEOJSON: &str = "application/geo+json";
pub const JSON_SCHEMA: &str = "application/schema+json";
pub const PROBLEM: &str = "application/problem+json";
/// OGC API asks for this very spelling, without a space.
pub const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";
pub const ATOM: &str = "application/atom+xml";
pub const HTML: &str = "text/html";
pub const TEXT: &str = "text/plain; charset=utf-8";
pub const CSS: &str = "text/css";
pub const JAVASCRIPT: &str = "text/javascript";
pub const SVG: &str = "image/svg+xml";
/// What every server of glyphs says.
pub const PROTOBUF: &str = "application/x-protobuf";
pub const CSV: &str = "text/csv";
pub const GEOPACKAGE: &str = "application/geopackage+sqlite3";
pub const ZIP: &str = "application/zip";
pub const SHAPEFILE_ZIP: &str = "application/x-shapefile";
pub const PMTILES: &str = "application/vnd.pmtiles";
pub const MVT: &str = "application/vnd.mapbox-vector-tile";
pub const FLATGEOBUF: &str = "application/vnd.fgb";
/// As OGC API - Styles names the encodings of styles.
pub const MAPBOX_STYLE: &str = "application/vnd.mapbox.style+json";
pub const SLD_1_1: &str = "application/vnd.ogc.sld+xml;version=1.1";
pub const SLD_1_0: &str = "application/vnd.ogc.sld+xml;version=1.0";
/// No registry knows QGIS's; ldproxy and its clients say this.
pub const QML: &str = "application/vnd.qgis.qml";
pub const PNG: &str = "image/png";
