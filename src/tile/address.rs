//! The number of a tile in an archive.

use crate::model::tile_matrix_set::TileAddress;
use crate::model::tile_matrix_set::ZOOM_MAX;

impl TileAddress {
    /// The tile's number in PMTiles 3: all tiles of the zooms above, then its place on the zoom's Hilbert curve.
    pub fn number(self) -> u64 {
        above(self.zoom) + hilbert(self.zoom, self.col, self.row)
    }

    /// The tile of a number, which is no greater than those of [`ZOOM_MAX`].
    pub fn of_number(number: u64) -> TileAddress {
        let zoom = (0..=ZOOM_MAX).rev().find(|zoom| above(*zoom) <= number).unwrap_or(0);
        let mut place = number - above(zoom);
        let (mut col, mut row) = (0u32, 0u32);
        for bit in 0..zoom {
            let side = 1u32 << bit;
            let right = (place >> 1) as u32 & 1;
            let lower = (place as u32 ^ right) & 1;
            if lower == 0 {
                if right == 1 {
                    (col, row) = (side - 1 - col, side - 1 - row);
                }
                (col, row) = (row, col);
            }
            (col, row) = (col + side * right, row + side * lower);
            place >>= 2;
        }
        TileAddress { zoom, row, col }
    }
}

/// Tiles of all zooms above one.
fn above(zoom: u8) -> u64 {
    ((1u64 << (2 * u32::from(zoom))) - 1) / 3
}

/// Place of a cell on the Hilbert curve through `2^order` columns and rows: a cell's four children follow each other in its
/// place, so one order of features suits every zoom.
pub fn hilbert(order: u8, col: u32, row: u32) -> u64 {
    let (mut x, mut y) = (col, row);
    let mut place = 0u64;
    for bit in (0..order).rev() {
        let side = 1u32 << bit;
        let (right, lower) = (u64::from(x & side != 0), u64::from(y & side != 0));
        place = (place << 2) | ((3 * right) ^ lower);
        if lower == 0 {
            if right == 1 {
                // Only the bits below this one are looked at again.
                (x, y) = (!x, !y);
            }
            (x, y) = (y, x);
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the PMTiles specification, version 3.
    #[test]
    fn numbers_are_those_of_the_specification() {
        for (zoom, col, row, number) in
            [(0, 0, 0, 0), (1, 0, 0, 1), (1, 0, 1, 2), (1, 1, 1, 3), (1, 1, 0, 4), (2, 0, 0, 5), (12, 3423, 1763, 19_078_479)]
        {
            assert_eq!(TileAddress { zoom, row, col }.number(), number);
            assert_eq!(TileAddress::of_number(number), TileAddress { zoom, row, col });
        }
    }

    #[test]
    fn children_lie_in_the_place_of_their_parent() {
        for (col, row) in [(0, 0), (5, 9), (1023, 77)] {
            for (dx, dy) in [(0, 0), (0, 1), (1, 1), (1, 0)] {
                assert_eq!(hilbert(11, 2 * col + dx, 2 * row + dy) >> 2, hilbert(10, col, row));
            }
        }
    }
}
