//! How a layer is cut into tiles, as its file says or leaves to the data.

use serde::Deserialize;
use serde::Serialize;

/// Zooms are those of WebMercatorQuad, at most [`ZOOM_MAX`](crate::model::tile_matrix_set::ZOOM_MAX).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiling {
    /// The first zoom that has the layer; `None`: derived from its extent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_zoom: Option<u8>,
    /// There every feature is whole, whatever the tile's size.
    pub max_zoom: u8,
    /// A field of numbers: where a tile is thinned, features with greater ones stay. `None`: larger areas and longer lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<String>,
    /// Fields that are there from a zoom on only; the others always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields_from: Vec<(String, u8)>,
}

/// At zoom 14 a tile unit is half a metre: what a plan at 1 : 2 000 shows.
pub const MAX_ZOOM: u8 = 14;

impl Default for Tiling {
    fn default() -> Tiling {
        Tiling { min_zoom: None, max_zoom: MAX_ZOOM, importance: None, fields_from: Vec::new() }
    }
}
