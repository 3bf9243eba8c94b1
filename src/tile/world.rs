//! From the source's coordinates to the world: Web Mercator as a square of 2^32 units a side, a centimetre each.
//!
//! The origin is in the middle, x grows eastward and y southward, as tiles do. Tile units of a zoom are the world's divided
//! by a power of two, so a position is rounded once here and once more for a tile, in the same way for every feature that
//! shares it.

use crate::crs::CrsError;
use crate::crs::Transform;
use crate::model::batch::FeatureBatch;
use crate::model::crs::Crs;
use crate::model::crs::WEB_MERCATOR;
use crate::model::geometry::Envelope;
use crate::model::tile_matrix_set::TileAddress;
use crate::model::wkb;
use crate::model::wkb::NESTING_MAX;
use crate::model::wkb::Reader;
use crate::model::wkb::WkbError;
use crate::tile::plan::MARGIN;

/// A position: x, y in the world or in units of a zoom, as the owner says.
pub type Point = [i32; 2];

/// Units a tile has along a side, as a power of two.
pub const EXTENT_BITS: u8 = 12;
/// Units a tile has along a side (MVT `extent`).
pub const EXTENT: i32 = 1 << EXTENT_BITS;

/// Circumference of the sphere of Web Mercator.
const METRES_AROUND: f64 = 2.0 * std::f64::consts::PI * 6_378_137.0;
const UNITS_A_METRE: f64 = 4_294_967_296.0 / METRES_AROUND;

/// World units of one tile unit of a zoom, as a power of two.
pub fn shift(zoom: u8) -> u32 {
    u32::from(32 - EXTENT_BITS - zoom)
}

/// A world coordinate in units of a zoom, to the nearest.
#[inline]
pub fn rounded(world: i32, shift: u32) -> i32 {
    if shift == 0 { world } else { ((i64::from(world) + (1 << (shift - 1))) >> shift) as i32 }
}

/// Twice the area that a, b, c turn around, positive clockwise on the map (y grows southward).
#[inline]
pub fn cross(a: Point, b: Point, c: Point) -> i64 {
    let from = |p: Point, axis: usize| i64::from(p[axis]) - i64::from(a[axis]);
    from(b, 0).wrapping_mul(from(c, 1)).wrapping_sub(from(b, 1).wrapping_mul(from(c, 0)))
}

/// Twice the area of a ring, positive where it is clockwise on the map.
pub fn doubled_area(ring: &[Point]) -> i64 {
    let Some(&first) = ring.first() else { return 0 };
    ring.windows(2).fold(0, |sum, pair| sum.wrapping_add(cross(first, pair[0], pair[1])))
}

/// What a run of positions is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Point,
    Line,
    Shell,
    Hole,
}

/// Positions `start..end` of a row.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub row: u32,
    pub part: Part,
    pub start: u32,
    pub end: u32,
}

/// The geometries of a batch in the world, in buffers that are kept from one batch to the next.
pub struct World {
    transform: Transform,
    xs: Vec<f64>,
    ys: Vec<f64>,
    pub points: Vec<Point>,
    pub runs: Vec<Run>,
    /// Rows whose geometry has no image in Web Mercator or cannot be read.
    pub unusable: u64,
}

impl World {
    /// # Errors
    /// `NoTransform`.
    pub fn new(from: Crs) -> Result<World, CrsError> {
        let transform = Transform::new(from, WEB_MERCATOR)?;
        Ok(World { transform, xs: Vec::new(), ys: Vec::new(), points: Vec::new(), runs: Vec::new(), unusable: 0 })
    }

    /// Fills `points` and `runs` with the batch's. Empty geometries have no run.
    pub fn take(&mut self, batch: &FeatureBatch) {
        let before = self.unusable;
        self.gather(batch);
        if self.transform.positions(&mut self.xs, &mut self.ys).is_err() {
            // After an error the positions are of no use.
            self.unusable = before;
            self.gather(batch);
            self.one_by_one();
        }
        self.points.clear();
        self.points.extend(self.xs.iter().zip(&self.ys).map(|(x, y)| [world(*x), world(-*y)]));
    }

    fn gather(&mut self, batch: &FeatureBatch) {
        self.xs.clear();
        self.ys.clear();
        self.runs.clear();
        for row in 0..batch.rows() {
            let Some(wkb) = batch.wkb(row) else { continue };
            let (runs, positions) = (self.runs.len(), self.xs.len());
            if self.read(&mut Reader::new(wkb), row as u32, 0).is_err() {
                self.forget(runs, positions);
                self.unusable += 1;
            }
        }
    }

    fn forget(&mut self, runs: usize, positions: usize) {
        self.runs.truncate(runs);
        self.xs.truncate(positions);
        self.ys.truncate(positions);
    }

    /// Some position has no image: its row goes, the others stay.
    fn one_by_one(&mut self) {
        let mut lost: Vec<u32> = Vec::new();
        for run in &self.runs {
            let range = run.start as usize..run.end as usize;
            if self.transform.positions(&mut self.xs[range.clone()], &mut self.ys[range]).is_err() {
                lost.push(run.row);
            }
        }
        lost.dedup();
        self.unusable += lost.len() as u64;
        self.runs.retain(|run| lost.binary_search(&run.row).is_err());
    }

    fn read(&mut self, reader: &mut Reader<'_>, row: u32, depth: usize) -> Result<(), WkbError> {
        if depth > NESTING_MAX {
            return Err(WkbError::Nesting);
        }
        let head = reader.head()?;
        let size = head.dimensions() * 8;
        match head.code {
            1 => self.run(reader.take(size)?, size, row, Part::Point),
            2 => {
                let count = reader.u32()? as usize;
                self.run(taken(reader, count, size)?, size, row, Part::Line);
            }
            3 => {
                for ring in 0..reader.u32()? {
                    let count = reader.u32()? as usize;
                    self.run(taken(reader, count, size)?, size, row, if ring == 0 { Part::Shell } else { Part::Hole });
                }
            }
            _ => {
                for _ in 0..reader.u32()? {
                    self.read(reader, row, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn run(&mut self, bytes: &[u8], size: usize, row: u32, part: Part) {
        let start = self.xs.len() as u32;
        let positions = bytes.chunks_exact(size);
        // An empty point is NaN NaN.
        if part == Part::Point && wkb::double(bytes, 0).is_nan() {
            return;
        }
        self.xs.extend(positions.clone().map(|position| wkb::double(position, 0)));
        self.ys.extend(positions.map(|position| wkb::double(position, 1)));
        let end = self.xs.len() as u32;
        if end > start {
            self.runs.push(Run { row, part, start, end });
        }
    }
}

fn taken<'a>(reader: &mut Reader<'a>, count: usize, size: usize) -> Result<&'a [u8], WkbError> {
    let bytes = count.checked_mul(size).ok_or(WkbError::Truncated { at: reader.at })?;
    reader.take(bytes)
}

/// Metres of Web Mercator in the world; beyond its edge, the edge.
fn world(metres: f64) -> i32 {
    // The cast saturates.
    (metres * UNITS_A_METRE).round() as i32
}

/// Lon, lat in degrees of a position in the world.
pub fn lon_lat(point: Point) -> (f64, f64) {
    let [x, y] = point.map(|axis| f64::from(axis) / 4_294_967_296.0);
    (x * 360.0, (-y * std::f64::consts::TAU).sinh().atan().to_degrees())
}

/// Lon, lat of a tile and its margin; at the world's edges no further than it goes.
pub fn reach(address: TileAddress) -> Envelope {
    let side = 1i64 << (32 - u32::from(address.zoom));
    let margin = i64::from(MARGIN) << shift(address.zoom);
    let at = |number: i64, by: i64| (number * side - (1 << 31) + by).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    let [col, row] = [address.col, address.row].map(i64::from);
    let (west, north) = lon_lat([at(col, -margin), at(row, -margin)]);
    let (east, south) = lon_lat([at(col + 1, margin), at(row + 1, margin)]);
    Envelope { west, south, east, north }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::batch::batch_of;
    use crate::model::crs::CRS84;

    #[test]
    fn greenwich_on_the_equator_is_the_middle_and_south_is_down() {
        let rows = [(Some(1), vec![], Some(wkb::point(0.0, 0.0))), (Some(2), vec![], Some(wkb::point(-90.0, -85.051_128_78)))];
        let mut world = World::new(CRS84).expect("known");
        world.take(&batch_of(&[], &rows, true));
        assert_eq!(world.points[0], [0, 0]);
        assert_eq!(world.points[1][0], -(1 << 30));
        assert!(world.points[1][1] > i32::MAX - 10);
    }

    #[test]
    fn what_has_no_image_is_counted_and_the_others_stay() {
        let rows = [
            (Some(1), vec![], Some(wkb::point(0.0, 95.0))),
            (Some(2), vec![], Some(wkb::point(f64::NAN, f64::NAN))),
            (Some(3), vec![], Some(wkb::point(3.0, 46.5))),
            (Some(4), vec![], Some(vec![1, 2, 0])),
            (Some(5), vec![], None),
        ];
        let mut world = World::new(CRS84).expect("known");
        world.take(&batch_of(&[], &rows, true));
        assert_eq!((world.unusable, world.runs.len(), world.runs[0].row), (2, 1, 2));
    }

    #[test]
    fn rounding_is_to_the_nearest_on_both_sides_of_the_middle() {
        assert_eq!([-129, -128, -127, -64, 63, 64, 65].map(|x| rounded(x, 7)), [-1, -1, -1, 0, 0, 1, 1]);
    }
}
