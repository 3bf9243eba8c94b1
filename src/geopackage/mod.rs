//! The GeoPackage file format (OGC 12-128r18, version 1.3): what `store` and `encode` share.

mod bulk;
pub mod header;
pub mod layer_styles;
pub mod pages;
pub mod rtree;
pub mod schema;
pub mod table;
pub mod writer;

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum GeoPackageError {
    #[error("{path}: {source}")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
}

/// A table's b-tree that does not hold together.
#[derive(Debug, thiserror::Error)]
#[error("{path}: page {page} is not a page of a table")]
pub struct TornPage {
    pub path: PathBuf,
    pub page: u32,
}

/// An SQL identifier in quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
