//! WebMercatorQuad, the one tile matrix set that is served (OGC 17-083r4, annex D.1).

/// A tile: matrix (its zoom), row and column.
///
/// Row 0 is in the north and rows grow southward; column 0 begins at 180° west and columns grow eastward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TileAddress {
    pub zoom: u8,
    pub row: u32,
    pub col: u32,
}

/// Deepest zoom: there a tile unit is one unit of the world, a centimetre.
pub const ZOOM_MAX: u8 = 20;

impl TileAddress {
    /// `None` where the matrix set has no such tile.
    pub fn within(zoom: u8, row: u32, col: u32) -> Option<TileAddress> {
        let side = 1u32 << zoom.min(ZOOM_MAX);
        (zoom <= ZOOM_MAX && row < side && col < side).then_some(TileAddress { zoom, row, col })
    }
}
