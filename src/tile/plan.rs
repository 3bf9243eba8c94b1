//! Which features are in which tiles: the quadtree as runs of the features' order.
//!
//! Features lie along the Hilbert curve by the centres of their boxes, so those of a tile follow each other, at every zoom.
//! One that reaches into other tiles is a stray there. One that reaches into many is cut once for all of them, in halves of
//! halves, each half from the half before.

use crate::model::tile_matrix_set::TileAddress;
use crate::tile::clip::Clipper;
use crate::tile::clip::Frame;
use crate::tile::prepare::Prepared;
use crate::tile::record::Feature;
use crate::tile::shape::Draughtsman;
use crate::tile::shape::Shape;
use crate::tile::world::EXTENT;
use crate::tile::world::EXTENT_BITS;
use crate::tile::world::Point;
use crate::tile::world::shift;

/// Tile units around a tile that its features are drawn in: a little more than what others draw, 5 of 256, so that a tile
/// lacks nothing that theirs have.
pub const MARGIN: i32 = 81;
/// Tiles of a feature that each cut it for themselves.
const TILES_ALONE: i64 = 9;

/// Columns and rows of tiles, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub low: Point,
    pub high: Point,
}

impl Block {
    /// The tiles that a box meets, margins included.
    pub fn of(low: Point, high: Point, zoom: u8) -> Block {
        let side = 32 - u32::from(zoom);
        let margin = i64::from(MARGIN) << shift(zoom);
        let last = (1i64 << zoom) - 1;
        let tile = |axis: i32, by: i64| (((i64::from(axis) + (1 << 31) + by) >> side).clamp(0, last)) as i32;
        Block { low: low.map(|axis| tile(axis, -margin)), high: high.map(|axis| tile(axis, margin)) }
    }

    pub fn of_feature(feature: &Feature, zoom: u8) -> Block {
        Block::of(feature.low, feature.high, zoom)
    }

    /// Features of a layer that may be in a tile.
    pub fn features(layer: &Prepared, address: TileAddress) -> impl Iterator<Item = u32> + '_ {
        let tile = [address.col as i32, address.row as i32];
        let reaches = move |feature: &Feature| {
            let block = Block::of_feature(feature, address.zoom);
            (0..2).all(|axis| (block.low[axis]..=block.high[axis]).contains(&tile[axis]))
        };
        (0..layer.features.len() as u32).filter(move |at| reaches(&layer.features[*at as usize]))
    }

    fn count(&self) -> i64 {
        (0..2).map(|axis| i64::from(self.high[axis]) - i64::from(self.low[axis]) + 1).product()
    }

    /// Whether a feature is cut once for all of its tiles.
    pub fn is_shared(&self) -> bool {
        self.count() > TILES_ALONE
    }

    pub fn is_single(&self) -> bool {
        self.low == self.high
    }

    /// The frame of all its tiles with their margins, in the zoom's units.
    pub fn frame(&self, zoom: u8) -> Frame {
        let edge = |tile: i32| (i64::from(tile) << EXTENT_BITS) - (1i64 << (zoom + EXTENT_BITS - 1));
        Frame {
            low: self.low.map(|tile| (edge(tile) - i64::from(MARGIN)).max(i64::from(i32::MIN)) as i32),
            high: self.high.map(|tile| (edge(tile) + i64::from(EXTENT + MARGIN)).min(i64::from(i32::MAX)) as i32),
        }
    }
}

/// Column and row of the tile that a position is in.
pub fn tile_of(position: Point, zoom: u8) -> Point {
    position.map(|axis| ((i64::from(axis) + (1 << 31)) >> (32 - u32::from(zoom))) as i32)
}

/// One layer's share of one tile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    /// Features whose centres are in the tile: from, to.
    pub run: (u32, u32),
    /// Of `strays` and of `pieces`: from, to.
    pub strays: (u32, u32),
    pub pieces: (u32, u32),
}

impl Share {
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Features, those included that are pieces.
    pub fn count(&self) -> usize {
        [self.run, self.strays, self.pieces].iter().map(|(from, to)| (to - from) as usize).sum()
    }
}

/// One layer at one zoom.
#[derive(Default)]
pub struct Plan {
    runs: Vec<(u64, u32, u32)>,
    strays: Vec<(u64, u32)>,
    pieces: Vec<(u64, u32)>,
    shapes: Vec<Shape>,
}

impl Plan {
    pub fn of(layer: &Prepared, zoom: u8) -> Plan {
        let mut plan = Plan::default();
        let mut shared = Vec::new();
        let number = |tile: Point| TileAddress { zoom, row: tile[1] as u32, col: tile[0] as u32 }.number();
        let mut last = None;
        for (at, feature) in layer.features.iter().enumerate() {
            let (home, at) = (tile_of(feature.centre(), zoom), at as u32);
            if last != Some(home) {
                plan.runs.push((number(home), at, at));
                last = Some(home);
            }
            if let Some(run) = plan.runs.last_mut() {
                run.2 = at + 1;
            }
            let block = Block::of_feature(feature, zoom);
            if block.is_single() {
                continue;
            }
            if block.is_shared() {
                shared.push(at);
                continue;
            }
            let tiles = (block.low[1]..=block.high[1]).flat_map(|row| (block.low[0]..=block.high[0]).map(move |col| [col, row]));
            plan.strays.extend(tiles.filter(|tile| *tile != home).map(|tile| (number(tile), at)));
        }
        plan.strays.sort_unstable();
        plan.cut(layer, zoom, &shared);
        plan
    }

    /// Cuts the features that many tiles share.
    fn cut(&mut self, layer: &Prepared, zoom: u8, shared: &[u32]) {
        let mut draughtsman = Draughtsman::new(zoom);
        let mut clipper = Clipper::default();
        let mut found: Vec<(u64, u32, Shape)> = Vec::new();
        for &at in shared {
            let feature = &layer.features[at as usize];
            let mut shape = Shape::default();
            draughtsman.draw(feature, layer.records.record(feature, layer.keys.len()), &mut shape);
            let mut halves = vec![(Block::of_feature(feature, zoom), shape)];
            while let Some((block, shape)) = halves.pop() {
                if block.is_single() {
                    let number = TileAddress { zoom, row: block.low[1] as u32, col: block.low[0] as u32 }.number();
                    found.push((number, at, shape));
                    continue;
                }
                for half in split(block) {
                    let mut cut = Shape::default();
                    clipper.clip(&shape, feature.kind, &half.frame(zoom), &mut cut);
                    if !cut.is_empty() {
                        halves.push((half, cut));
                    }
                }
            }
        }
        found.sort_unstable_by_key(|(number, at, _)| (*number, *at));
        for (number, at, shape) in found {
            self.pieces.push((number, at));
            self.shapes.push(shape);
        }
    }

    /// Numbers of the tiles that may hold something.
    pub fn tiles(&self) -> impl Iterator<Item = u64> + '_ {
        let runs = self.runs.iter().map(|run| run.0);
        runs.chain(self.strays.iter().map(|stray| stray.0)).chain(self.pieces.iter().map(|piece| piece.0))
    }

    pub fn share(&self, number: u64) -> Share {
        let run = self.runs.binary_search_by_key(&number, |run| run.0).map_or((0, 0), |at| (self.runs[at].1, self.runs[at].2));
        let range = |list: &[(u64, u32)]| {
            let of = |limit: u64| list.partition_point(|entry| entry.0 < limit) as u32;
            (of(number), of(number + 1))
        };
        Share { run, strays: range(&self.strays), pieces: range(&self.pieces) }
    }

    /// Features of a share in their order: the feature, and its piece where it was cut already. Of more than `most`, the
    /// most important.
    pub fn features<'a>(&'a self, layer: &'a Prepared, zoom: u8, share: Share, most: usize) -> Vec<(u32, Option<&'a Shape>)> {
        let range = |(from, to): (u32, u32)| from as usize..to as usize;
        let rank = |at: u32| layer.features[at as usize].rank;
        let own = || (share.run.0..share.run.1).filter(|at| !Block::of_feature(&layer.features[*at as usize], zoom).is_shared());
        let strays = || self.strays[range(share.strays)].iter().map(|stray| stray.1);
        let pieces = || self.pieces[range(share.pieces)].iter().map(|piece| piece.1);
        let mut last = u32::MAX;
        if share.count() > most {
            let mut ranks: Vec<u32> = own().chain(strays()).chain(pieces()).map(rank).collect();
            if ranks.len() > most {
                last = *ranks.select_nth_unstable(most - 1).1;
            }
        }
        let stays = |(at, _): &(u32, Option<&Shape>)| rank(*at) <= last;
        let mut features: Vec<(u32, Option<&Shape>)> = own().chain(strays()).map(|at| (at, None)).filter(stays).collect();
        features.extend(pieces().zip(&self.shapes[range(share.pieces)]).map(|(at, shape)| (at, Some(shape))).filter(stays));
        if share.strays.0 < share.strays.1 || share.pieces.0 < share.pieces.1 {
            features.sort_unstable_by_key(|(at, _)| *at);
        }
        features
    }
}

/// Two halves across the longer side.
fn split(block: Block) -> [Block; 2] {
    let length = |axis: usize| block.high[axis] - block.low[axis];
    let axis = usize::from(length(1) > length(0));
    let middle = block.low[axis] + length(axis) / 2;
    let (mut lower, mut upper) = (block, block);
    (lower.high[axis], upper.low[axis]) = (middle, middle + 1);
    [lower, upper]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_near_an_edge_reaches_over_it_by_the_margin() {
        let unit = 1 << shift(3);
        let at = |x: i32, y: i32| Block::of([x, y], [x, y], 3);
        assert_eq!(at(1000 * unit, 1000 * unit), Block { low: [4, 4], high: [4, 4] });
        assert_eq!(at(80 * unit, 82 * unit), Block { low: [3, 4], high: [4, 4] });
        assert_eq!(at(i32::MIN, i32::MAX), Block { low: [0, 7], high: [0, 7] });
        assert_eq!(tile_of([-1, 0], 3), [3, 4]);
    }

    #[test]
    fn halves_make_the_whole() {
        let mut left = vec![Block { low: [3, 5], high: [9, 7] }];
        let mut single = Vec::new();
        while let Some(block) = left.pop() {
            if block.is_single() { single.push(block.low) } else { left.extend(split(block)) }
        }
        single.sort_unstable();
        single.dedup();
        assert_eq!(single.len(), 21);
    }

    #[test]
    fn the_frame_of_the_world_is_the_world_and_its_margin() {
        let whole = Block { low: [0, 0], high: [0, 0] }.frame(0);
        assert_eq!((whole.low, whole.high), ([-2048 - MARGIN; 2], [2048 + MARGIN; 2]));
        assert_eq!(Block { low: [0, 0], high: [(1 << 20) - 1; 2] }.frame(20).high, [i32::MAX; 2]);
    }
}
