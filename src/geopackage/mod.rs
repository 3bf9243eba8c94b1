//! The GeoPackage file format (OGC 12-128r18, version 1.3): what `store` and `encode` share.

pub mod header;
pub mod rtree;
pub mod schema;
pub mod writer;

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum GeoPackageError {
    #[error("{path}: {source}")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

/// An SQL identifier in quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
