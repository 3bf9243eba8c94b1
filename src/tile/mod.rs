//! CUT: features become vector tiles that lose nothing, one archive of them or one tile at a time.
//!
//! ```text
//!  world     the source's coordinates become Web Mercator, a centimetre a unit, rounded once
//!  prepare   features in Hilbert order; `held` finds shared borders, `simplify` says from which zoom each position is
//!            needed, `label` where the one label stands
//!  plan      which features are in which tiles
//!  cutter    one tile: `shape` draws what the zoom needs, `clip` cuts it, `valid` proves it, `mvt` writes it
//!  thin      where a tile would grow too heavy: the most important features stay, in that tile alone
//!  archive   PMTiles 3
//! ```
//!
//! Every position is rounded in the same way wherever it occurs, and its zoom depends on its arc alone: neighbours that share
//! a border share it at every zoom. A tile's bytes depend on the features and nothing else, so an archive is the same on
//! every machine and with any number of threads.

mod address;
mod archive;
mod clip;
mod contact;
mod cutter;
#[cfg(test)]
mod decoded;
mod dictionary;
mod gzip;
mod held;
mod label;
mod metadata;
mod mvt;
mod plan;
mod prepare;
#[cfg(test)]
mod properties;
mod pyramid;
mod record;
mod report;
mod shape;
mod simplify;
mod thin;
#[cfg(test)]
mod thinning;
mod tileset;
mod valid;
mod varint;
mod world;

use std::io;
use std::path::Path;

pub use archive::Archive as ArchiveWriter;
pub use archive::Summary;
pub use prepare::Preparation;
pub use prepare::Prepared;
pub use report::LayerReport;
pub use report::LayerZoom;
pub use report::Report;
pub use report::ZoomReport;
pub use thin::TILE_BYTES_MAX;
pub use tileset::Limits;
pub use tileset::Place;
pub use tileset::TileKind;
pub use tileset::Tileset;
pub use tileset::TilesetError;

use crate::crs::CrsError;
use crate::model::geometry::Envelope;
use crate::model::tile_matrix_set::TileAddress;
use crate::tile::cutter::Cutter;
use crate::tile::cutter::Leaf;
use crate::tile::plan::Block;
use crate::tile::pyramid::Pyramid;

/// Of a tile out of gzip: ten times what a heavy one has.
const PLAIN_BYTES_MAX: usize = 128 << 20;

#[derive(Debug, thiserror::Error)]
pub enum TileError {
    #[error(transparent)]
    Crs(#[from] CrsError),
    #[error("layer `{layer}` has no field `{field}`")]
    Field { layer: String, field: String },
    #[error("tiles cannot be kept on disk")]
    Disk(#[from] io::Error),
}

/// Cuts prepared layers into one archive. With `keep_all` no tile is thinned, whatever its size.
///
/// # Errors
/// `Disk`.
pub fn build(layers: &[Prepared], keep_all: bool, out: &Path) -> Result<Report, TileError> {
    let mut report = Report::begin(layers);
    let mut archive = ArchiveWriter::create(out)?;
    Pyramid::plan(layers, keep_all).write(&mut archive, &mut report)?;
    let metadata = metadata::json(layers);
    let summary = Summary {
        min_zoom: layers.iter().map(Prepared::min_zoom).min().unwrap_or(0),
        max_zoom: layers.iter().map(|layer| layer.tiling().max_zoom).max().unwrap_or(0),
        extent: metadata::extent(layers),
        kind: TileKind::Mvt,
        metadata: metadata.as_bytes(),
    };
    report.bytes = archive.finish(&summary)?;
    Ok(report)
}

/// Lon, lat of all that a tile draws: itself and its margin.
pub fn reach(address: TileAddress) -> Envelope {
    world::reach(address)
}

/// A tile in gzip.
pub fn gzip(plain: &[u8]) -> Vec<u8> {
    gzip::Gzip::fast().compress(plain).to_vec()
}

/// A tile out of gzip; `None` where it is none.
pub fn plain(bytes: &[u8]) -> Option<Vec<u8>> {
    gzip::plain(bytes, PLAIN_BYTES_MAX)
}

/// One tile of prepared layers, MVT in gzip, thinned as an archive's would be; empty where nothing is.
pub fn one(address: TileAddress, layers: &[Prepared]) -> Vec<u8> {
    let leaf = |layer| Leaf::of(layer, Block::features(layer, address).map(|at| (at, None)).collect(), 0);
    let mut leaves: Vec<Leaf<'_>> = layers.iter().map(leaf).collect();
    let cut = thin::cut(&mut Cutter::default(), address, &mut leaves);
    if cut.counts.iter().any(|count| count.kept > 0) { cut.bytes } else { Vec::new() }
}
