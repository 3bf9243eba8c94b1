//! What became of the features: how many each layer has at each zoom, where some were left out, which tiles are heavy.

use serde::Serialize;

use crate::model::tile_matrix_set::TileAddress;
use crate::tile::cutter::Count;
use crate::tile::prepare::Prepared;
use crate::tile::thin::TILE_BYTES_MAX;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Bytes of the archive.
    pub bytes: u64,
    pub tiles: u64,
    pub layers: Vec<LayerReport>,
    /// Those that have tiles, from the shallowest on.
    pub zooms: Vec<ZoomReport>,
}

#[derive(Clone, Debug, Serialize)]
pub struct LayerReport {
    pub id: String,
    /// Rows of the source.
    pub rows: u64,
    /// Rows without a geometry, or with one that has no position.
    pub empty: u64,
    /// Rows whose geometry has no place in Web Mercator or cannot be read.
    pub unusable: u64,
    pub min_zoom: u8,
    pub max_zoom: u8,
    pub zooms: Vec<LayerZoom>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LayerZoom {
    pub zoom: u8,
    /// Features, counted in every tile that they are in.
    pub features: u64,
    /// Features left out of a tile that would have grown too heavy, counted in every such tile.
    pub thinned: u64,
    /// Tiles in which some were left out.
    pub thinned_tiles: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct ZoomReport {
    pub zoom: u8,
    pub tiles: u64,
    pub bytes: u64,
    /// Bytes of the heaviest tile.
    pub heaviest: u64,
    /// Tiles of more than 500 kB: at the deepest zoom only, or where everything is kept.
    pub heavy: u64,
}

impl Report {
    pub fn begin(layers: &[Prepared]) -> Report {
        let layer = |layer: &Prepared| LayerReport {
            id: layer.name.clone(),
            rows: layer.rows,
            empty: layer.empty,
            unusable: layer.unusable,
            min_zoom: layer.min_zoom(),
            max_zoom: layer.tiling().max_zoom,
            zooms: Vec::new(),
        };
        Report { layers: layers.iter().map(layer).collect(), ..Report::default() }
    }

    /// A tile that was written, and the counts of its layers. Zooms come one after another.
    pub fn tile(&mut self, address: TileAddress, bytes: usize, counts: impl Iterator<Item = (usize, Count)>) {
        let (zoom, bytes) = (address.zoom, bytes as u64);
        self.tiles += 1;
        if self.zooms.last().is_none_or(|last| last.zoom != zoom) {
            self.zooms.push(ZoomReport { zoom, tiles: 0, bytes: 0, heaviest: 0, heavy: 0 });
        }
        if let Some(last) = self.zooms.last_mut() {
            last.tiles += 1;
            last.bytes += bytes;
            last.heaviest = last.heaviest.max(bytes);
            last.heavy += u64::from(bytes > TILE_BYTES_MAX as u64);
        }
        for (layer, count) in counts {
            let zooms = &mut self.layers[layer].zooms;
            if zooms.last().is_none_or(|last| last.zoom != zoom) {
                zooms.push(LayerZoom { zoom, features: 0, thinned: 0, thinned_tiles: 0 });
            }
            if let Some(last) = zooms.last_mut() {
                last.features += u64::from(count.kept);
                last.thinned += u64::from(count.thinned);
                last.thinned_tiles += u64::from(count.thinned > 0);
            }
        }
    }
}
