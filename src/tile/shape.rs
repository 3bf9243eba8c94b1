//! A feature as one zoom draws it: positions that the zoom needs, in its units, rounded in the same way wherever they occur.
//!
//! What simplification takes from an area is given back: each position that is left moves outward by what the positions
//! beside it enclosed, so that a class keeps its area at every zoom. What is smaller than the grid becomes the smallest
//! legal shape, a triangle or a square of a unit, so chosen that many of them have the area of their sources.

use crate::tile::held::mixed;
use crate::tile::record::Feature;
use crate::tile::record::HELD;
use crate::tile::record::Kind;
use crate::tile::record::Record;
use crate::tile::record::Ring;
use crate::tile::record::ZOOM;
use crate::tile::world::Part;
use crate::tile::world::Point;
use crate::tile::world::cross;
use crate::tile::world::doubled_area;
use crate::tile::world::rounded;
use crate::tile::world::shift;

/// A position moves by one tile unit at most to give back area.
const MOVE_MAX: f64 = 1.0;

/// Rings, lines or points in units of a zoom, one after another. Shells are clockwise on the map, holes are not.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    pub points: Vec<Point>,
    pub parts: Vec<PartEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartEnd {
    pub end: u32,
    pub is_hole: bool,
}

impl Shape {
    pub fn clear(&mut self) {
        self.points.clear();
        self.parts.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Where the part that is being written begins.
    pub fn begun(&self) -> usize {
        self.parts.last().map_or(0, |part| part.end as usize)
    }

    pub fn end_part(&mut self, is_hole: bool) {
        self.parts.push(PartEnd { end: self.points.len() as u32, is_hole });
    }

    /// Forgets the part that is being written.
    pub fn drop_part(&mut self) {
        let begun = self.begun();
        self.points.truncate(begun);
    }

    pub fn push_part(&mut self, points: &[Point], is_hole: bool) {
        self.points.extend_from_slice(points);
        self.end_part(is_hole);
    }

    pub fn parts(&self) -> impl Iterator<Item = (&[Point], bool)> {
        let mut start = 0;
        self.parts.iter().map(move |part| {
            let points = &self.points[start..part.end as usize];
            start = part.end as usize;
            (points, part.is_hole)
        })
    }
}

/// A position that a zoom keeps.
struct Kept {
    at: Point,
    is_held: bool,
    /// Twice the area that the positions up to the next kept one enclosed with the straight way, and whether there were any.
    enclosed: i64,
    is_cut: bool,
}

/// Draws features at a zoom, in buffers that are kept.
pub struct Draughtsman {
    zoom: u8,
    shift: u32,
    kept: Vec<Kept>,
    /// Of an arc: positions in units, and twice the area that each step owes.
    way: Vec<(Place, f64)>,
    collapsed: Vec<Point>,
}

/// A position in units of a zoom, not rounded.
type Place = [f64; 2];

impl Draughtsman {
    pub fn new(zoom: u8) -> Draughtsman {
        Draughtsman { zoom, shift: shift(zoom), kept: Vec::new(), way: Vec::new(), collapsed: Vec::new() }
    }

    /// The feature in units of the zoom, all of it, wherever tiles begin and end.
    pub fn draw(&mut self, feature: &Feature, record: Record<'_>, shape: &mut Shape) {
        shape.clear();
        if feature.kind != Kind::Point && feature.span() < 1 << self.shift {
            return self.dot(feature, shape);
        }
        match feature.kind {
            Kind::Point => self.points(feature, record, shape),
            Kind::Line => record.rings().for_each(|line| self.line(&line, shape)),
            Kind::Area => self.area(feature, record, shape),
        }
    }

    fn points(&self, feature: &Feature, record: Record<'_>, shape: &mut Shape) {
        let mut rings = record.rings().peekable();
        if rings.peek().is_none() {
            shape.points.push(feature.low.map(|axis| rounded(axis, self.shift)));
        }
        rings.for_each(|ring| shape.points.extend(ring.points().map(|point| point.map(|axis| rounded(axis, self.shift)))));
        shape.end_part(false);
    }

    /// A feature as the smallest legal shape.
    pub fn dot(&self, feature: &Feature, shape: &mut Shape) {
        let [x, y] = feature.centre().map(|axis| rounded(axis, self.shift));
        if feature.kind == Kind::Line {
            return shape.push_part(&[[x, y], [x + 1, y]], false);
        }
        let units = f64::from(feature.size) / self.square();
        shape.clear();
        self.smallest([x, y], [x, y], units, chance(feature.id, u64::from(self.zoom)), shape);
    }

    /// World units of a square tile unit.
    fn square(&self) -> f64 {
        (1u64 << self.shift) as f64 * (1u64 << self.shift) as f64
    }

    fn line(&self, line: &Ring<'_>, shape: &mut Shape) {
        for at in (0..line.len()).filter(|at| line.needs[*at] & ZOOM <= self.zoom) {
            let point = line.point(at).map(|axis| rounded(axis, self.shift));
            if shape.points.len() == shape.begun() || shape.points.last() != Some(&point) {
                push_straight(shape, point);
            }
        }
        if shape.points.len() - shape.begun() == 1 {
            let [x, y] = *shape.points.last().expect("one was pushed");
            shape.points.push([x + 1, y]);
        }
        if shape.points.len() > shape.begun() {
            shape.end_part(false);
        }
    }

    fn area(&mut self, feature: &Feature, record: Record<'_>, shape: &mut Shape) {
        let mut shell_is_drawn = false;
        let mut largest: Option<(f64, Point, Point)> = None;
        for (number, ring) in record.rings().enumerate() {
            let is_hole = ring.part == Part::Hole;
            if is_hole && !shell_is_drawn {
                continue;
            }
            self.ring(&ring, shape);
            let drawn = tidy(shape);
            let area = doubled_area(&shape.points[shape.begun()..]);
            if drawn && (area < 0) == is_hole {
                shell_is_drawn = true;
                shape.end_part(is_hole);
                continue;
            }
            self.collapsed.clear();
            self.collapsed.extend(ring.points().map(|point| point.map(|axis| rounded(axis, self.shift))));
            shape.drop_part();
            if is_hole {
                continue;
            }
            // Of many small parts so many stay that their areas stay.
            shell_is_drawn = false;
            let units = ring_area(&ring) / self.square();
            let (from, to) = ends(&self.collapsed);
            let chance = chance(feature.id ^ number as u64, u64::from(self.zoom));
            if units >= chance * 0.5 {
                self.smallest(from, to, units, chance, shape);
            }
            if largest.is_none_or(|(known, ..)| units > known) {
                largest = Some((units, from, to));
            }
        }
        if let Some((units, from, to)) = largest.filter(|_| shape.is_empty()) {
            self.smallest(from, to, units, 1.0, shape);
        }
    }

    /// The ring's positions that the zoom needs, moved by what lay between, rounded.
    fn ring(&mut self, ring: &Ring<'_>, shape: &mut Shape) {
        if self.keep(ring) {
            shape.points.extend(ring.points().map(|point| point.map(|axis| rounded(axis, self.shift))));
            return;
        }
        let count = self.kept.len();
        let mut from = 0;
        for to in 1..=count {
            if to == count || self.kept[to].is_held {
                self.arc(from, to, shape);
                from = to;
            }
        }
    }

    /// Adds the positions of an arc but the last, in the same places whichever of its neighbours draws it.
    fn arc(&mut self, from: usize, to: usize, shape: &mut Shape) {
        let kept = |at: usize| &self.kept[at % self.kept.len()];
        if to - from < 2 || (from..to).all(|at| !kept(at).is_cut) {
            shape.points.extend((from..to).map(|at| kept(at).at.map(|axis| rounded(axis, self.shift))));
            return;
        }
        // The lower end first; of a closed arc, the end whose neighbour is lower.
        let is_forward = (kept(from).at, kept(from + 1).at) <= (kept(to).at, kept(to - 1).at);
        let unit = (1u64 << self.shift) as f64;
        self.way.clear();
        for at in from..=to {
            let at = if is_forward { at } else { from + to - at };
            let enclosed = match is_forward {
                true => kept(at).enclosed,
                false => kept(at + self.kept.len() - 1).enclosed.wrapping_neg(),
            };
            self.way.push((kept(at).at.map(|axis| f64::from(axis) / unit), enclosed as f64 / (unit * unit)));
        }
        let begun = shape.points.len();
        give_back(&self.way, &mut shape.points);
        if !is_forward {
            shape.points[begun..].reverse();
        }
        shape.points.pop();
    }

    /// Fills `kept`; true, and nothing filled, where the zoom needs every position.
    fn keep(&mut self, ring: &Ring<'_>) -> bool {
        if ring.needs.iter().all(|need| need & ZOOM <= self.zoom) {
            return true;
        }
        self.kept.clear();
        let first = ring.point(0);
        let (mut base, mut before, mut enclosed, mut is_cut) = (first, first, 0i64, false);
        for at in 0..ring.len() {
            let (point, need) = (ring.point(at), ring.needs[at]);
            enclosed = enclosed.wrapping_add(cross(base, before, point));
            before = point;
            if need & ZOOM > self.zoom && at > 0 {
                is_cut = true;
                continue;
            }
            if let Some(last) = self.kept.last_mut() {
                (last.enclosed, last.is_cut) = (enclosed, is_cut);
            }
            self.kept.push(Kept { at: point, is_held: need & HELD != 0, enclosed: 0, is_cut: false });
            (base, enclosed, is_cut) = (point, 0, false);
        }
        if let Some(last) = self.kept.last_mut() {
            (last.enclosed, last.is_cut) = (enclosed.wrapping_add(cross(base, before, first)), is_cut);
        }
        false
    }

    /// A triangle, or a band of whole units, along the way from one position to another. `chance`, from 0 to 1, decides so
    /// that on the average the area is what is asked.
    fn smallest(&self, from: Point, to: Point, units: f64, chance: f64, shape: &mut Shape) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let to = if dx == 0 && dy == 0 { [from[0] + 1, from[1]] } else { to };
        let length = f64::from(dx.abs().max(dy.abs()).max(1));
        let aside = if (to[0] - from[0]).abs() >= (to[1] - from[1]).abs() { [0, 1] } else { [1, 0] };
        let beside = |point: Point, by: i32| [point[0] + aside[0] * by, point[1] + aside[1] * by];
        let breadth = units / length;
        if breadth * 2.0 - 1.0 > chance {
            let breadth = ((breadth + chance).floor() as i32).max(1);
            shape.points.extend([from, to, beside(to, breadth), beside(from, breadth)]);
        } else {
            shape.points.extend([from, to, beside(to, 1)]);
        }
        let begun = shape.begun();
        if doubled_area(&shape.points[begun..]) < 0 {
            shape.points[begun..].reverse();
        }
        shape.end_part(false);
    }
}

/// Rounds the positions of an arc, one after another, each moved so as to give back the area that simplification and the
/// rounding of those before it took; the ends do not move.
fn give_back(way: &[(Place, f64)], points: &mut Vec<Point>) {
    let round = |place: Place| place.map(|axis| (axis + 0.5).floor());
    let less = |a: Place, b: Place| [a[0] - b[0], a[1] - b[1]];
    let turn = |a: Place, b: Place| a[0] * b[1] - a[1] * b[0];
    let last = way.len() - 1;
    let (first, end) = (way[0].0, way[last].0);
    let mut before = round(first);
    points.push(before.map(|axis| axis as i32));
    // Twice the area that is still owed.
    let mut owed = way[0].1 - turn(less(before, first), less(way[1].0, first));
    for at in 1..last {
        let (place, ahead) = way[at];
        let along = less(way[at + 1].0, before);
        let wanted = if at + 1 == last { owed + ahead - turn(less(round(end), end), less(end, place)) } else { owed + ahead / 2.0 };
        let length = turn(along, [-along[1], along[0]]).sqrt();
        let by = if length > 0.0 { (wanted / length).clamp(-MOVE_MAX, MOVE_MAX) / length } else { 0.0 };
        let here = round([place[0] + along[1] * by, place[1] - along[0] * by]);
        owed += ahead - turn(less(here, place), along);
        points.push(here.map(|axis| axis as i32));
        before = here;
    }
    points.push(round(end).map(|axis| axis as i32));
}

/// A number from 0 to 1, the same for a feature and zoom on every machine.
fn chance(id: u64, zoom: u64) -> f64 {
    (mixed(id ^ (zoom << 56)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Area in world units.
fn ring_area(ring: &Ring<'_>) -> f64 {
    let first = ring.point(0);
    let doubled: i64 = (1..ring.len()).fold(0, |sum, at| sum.wrapping_add(cross(first, ring.point(at - 1), ring.point(at))));
    doubled.unsigned_abs() as f64 / 2.0
}

/// The two positions that are farthest apart along the longer side of the box.
fn ends(points: &[Point]) -> (Point, Point) {
    let by = |axis: usize| {
        let key = |point: &&Point| (point[axis], point[1 - axis]);
        let low = points.iter().min_by_key(key).copied().unwrap_or_default();
        let high = points.iter().max_by_key(key).copied().unwrap_or_default();
        (low, high)
    };
    let (by_x, by_y) = (by(0), by(1));
    if by_x.1[0] - by_x.0[0] >= by_y.1[1] - by_y.0[1] { by_x } else { by_y }
}

/// Adds a position to a line; one that lies on the straight way between its neighbours goes.
fn push_straight(shape: &mut Shape, point: Point) {
    let begun = shape.begun();
    while let [.., a, b] = shape.points[begun..] {
        let goes_on = i64::from(b[0] - a[0]) * i64::from(point[0] - b[0]) + i64::from(b[1] - a[1]) * i64::from(point[1] - b[1]) > 0;
        if cross(a, b, point) != 0 || !goes_on {
            break;
        }
        shape.points.pop();
    }
    shape.points.push(point);
}

/// Takes repeated positions, straight ones and spikes out of the ring that is being written; false where no area is left.
pub fn tidy(shape: &mut Shape) -> bool {
    let begun = shape.begun();
    let ring = &mut shape.points[begun..];
    let mut count = 0;
    for at in 0..ring.len() {
        let point = ring[at];
        while count > 0 && (ring[count - 1] == point || (count > 1 && cross(ring[count - 2], ring[count - 1], point) == 0)) {
            count -= 1;
        }
        ring[count] = point;
        count += 1;
    }
    // Where the ring closes the same may hold.
    let mut start = 0;
    while count - start > 2 {
        if ring[count - 1] == ring[start] || cross(ring[count - 2], ring[count - 1], ring[start]) == 0 {
            count -= 1;
        } else if cross(ring[count - 1], ring[start], ring[start + 1]) == 0 {
            start += 1;
        } else {
            break;
        }
    }
    ring.copy_within(start..count, 0);
    shape.points.truncate(begun + count - start);
    count - start > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidied(points: &[Point]) -> Vec<Point> {
        let mut shape = Shape { points: points.to_vec(), parts: Vec::new() };
        if tidy(&mut shape) { shape.points } else { Vec::new() }
    }

    #[test]
    fn straight_positions_repeated_ones_and_spikes_go() {
        let square = [[0, 0], [5, 0], [5, 5], [0, 5]];
        assert_eq!(tidied(&square), square);
        assert_eq!(tidied(&[[0, 0], [2, 0], [5, 0], [5, 0], [5, 5], [0, 5], [0, 3]]), square);
        assert_eq!(tidied(&[[0, 0], [5, 0], [9, 0], [5, 0], [5, 5], [0, 5], [0, 0]]), square);
        assert_eq!(tidied(&[[2, 0], [5, 0], [5, 5], [0, 5], [0, 0]]), [[5, 0], [5, 5], [0, 5], [0, 0]]);
        assert!(tidied(&[[0, 0], [5, 0], [9, 0]]).is_empty());
        assert!(tidied(&[[0, 0], [5, 0]]).is_empty() && tidied(&[]).is_empty());
    }

    #[test]
    fn the_smallest_shapes_have_the_area_of_their_sources_on_the_average() {
        let draughtsman = Draughtsman::new(14);
        for units in [0.5, 0.6, 0.8, 1.0, 2.3] {
            let mut shape = Shape::default();
            for id in 0..4_000 {
                draughtsman.smallest([3, 4], [3, 4], units, chance(id, 9), &mut shape);
            }
            let doubled: i64 = shape.parts().map(|(ring, _)| doubled_area(ring)).sum();
            let mean = doubled as f64 / 2.0 / 4_000.0;
            assert!((mean - units).abs() < 0.02, "{units}: {mean}");
            assert!(shape.parts().all(|(ring, _)| ring.len() > 2 && doubled_area(ring) > 0));
        }
    }
}
