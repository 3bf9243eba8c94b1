//! Reads every spelling of a CRS: URI, URN, `EPSG:n`, safe CURIE.

use crate::model::crs::Crs;

/// `http(s)://www.opengis.net/def/crs/…`, `urn:ogc:def:crs:…`, `urn:x-ogc:…`, `EPSG:n`, `CRS84`, `OGC:CRS84`, `[EPSG:n]`. `None` for anything else.
pub fn parse(_text: &str) -> Option<Crs> {
    unimplemented!()
}
