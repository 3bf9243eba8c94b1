//! Areas as OGC 06-103r4 §6.1.11.1 and MVT 2.1 §4.3.4.4 want them: rings that neither cross nor touch themselves, holes inside.
//!
//! Rounding and cutting seldom break an area, so each is proven sound first, by the cheapest proof that holds: a ring that
//! turns once around its middle, one look at each edge; else by looking for contacts. What is not proven goes
//! through `i_overlay`, which parts and joins on the same grid.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::ContourDirection;
use i_overlay::core::overlay::IntOverlayOptions;
use i_overlay::core::simplify::Simplify;
use i_overlay::i_float::int::point::IntPoint;

use crate::tile::clip::Frame;
use crate::tile::contact::Contacts;
use crate::tile::shape::Shape;
use crate::tile::world::Point;
use crate::tile::world::cross;
use crate::tile::world::doubled_area;

/// Proves and repairs areas, in buffers that are kept.
#[derive(Default)]
pub struct Validator {
    contacts: Contacts,
}

impl Validator {
    /// Leaves a sound area as it is and mends another; what has no area left is empty.
    pub fn make_valid(&mut self, shape: &mut Shape) {
        if self.is_valid(shape) {
            return;
        }
        let contours: Vec<Vec<IntPoint>> =
            shape.parts().map(|(ring, _)| ring.iter().map(|[x, y]| IntPoint::new(*x, *y)).collect()).collect();
        // With y southward, what is clockwise on the map is counter-clockwise in the numbers.
        let options = IntOverlayOptions {
            preserve_input_collinear: false,
            output_direction: ContourDirection::CounterClockwise,
            preserve_output_collinear: false,
            min_output_area: 0,
            ogc: true,
        };
        let mended = contours.simplify(FillRule::EvenOdd, options);
        shape.clear();
        for contours in mended {
            for (number, contour) in contours.iter().enumerate() {
                shape.points.extend(contour.iter().map(|point| [point.x, point.y]));
                let begun = shape.begun();
                let is_hole = number > 0;
                let area = doubled_area(&shape.points[begun..]);
                if area == 0 {
                    shape.drop_part();
                    if is_hole { continue } else { break }
                }
                if (area < 0) != is_hole {
                    shape.points[begun..].reverse();
                }
                shape.end_part(is_hole);
            }
        }
    }

    pub fn is_valid(&mut self, shape: &Shape) -> bool {
        if let [_] = shape.parts[..] {
            return turns_once(&shape.points) || !self.contacts.are_in(shape);
        }
        !self.contacts.are_in(shape) && holes_are_inside(shape)
    }
}

/// Whether a ring goes round its middle once, forward at every step: then it is simple.
fn turns_once(ring: &[Point]) -> bool {
    let count = ring.len() as i64;
    let sum = ring.iter().fold([0i64; 2], |sum, point| [sum[0] + i64::from(point[0]), sum[1] + i64::from(point[1])]);
    let from_middle = |point: Point| [0, 1].map(|axis| i64::from(point[axis]) * count - sum[axis]);
    let Some(&last) = ring.last() else { return false };
    let mut before = from_middle(last);
    let mut turns = 0;
    for point in ring {
        let here = from_middle(*point);
        if before[0] * here[1] - before[1] * here[0] <= 0 {
            return false;
        }
        turns += u32::from(before[1] < 0 && here[1] >= 0);
        before = here;
    }
    turns == 1
}

/// Whether each hole lies in the shell before it, and no shell in another. Edges have no contact.
fn holes_are_inside(shape: &Shape) -> bool {
    let mut shell: &[Point] = &[];
    for (ring, is_hole) in shape.parts() {
        if !is_hole {
            shell = ring;
        } else if !surrounds(shell, ring[0]) {
            return false;
        }
    }
    let rings: Vec<(&[Point], Frame, bool)> = shape.parts().map(|(ring, is_hole)| (ring, Frame::of(ring), is_hole)).collect();
    // How many rings surround a ring: none a shell, one a hole.
    rings.iter().enumerate().all(|(number, (ring, _, is_hole))| {
        let others = rings.iter().enumerate().filter(|(other, _)| *other != number);
        let around = others.filter(|(_, (outer, frame, _))| frame.holds(ring[0]) && surrounds(outer, ring[0]));
        around.count() == usize::from(*is_hole)
    })
}

/// Even-odd rule; the position is on no edge.
fn surrounds(ring: &[Point], point: Point) -> bool {
    let Some(&last) = ring.last() else { return false };
    let mut inside = false;
    let mut before = last;
    for &here in ring {
        if (before[1] > point[1]) != (here[1] > point[1]) {
            let (low, high) = if before[1] < here[1] { (before, here) } else { (here, before) };
            inside ^= cross(low, high, point) > 0;
        }
        before = here;
    }
    inside
}

#[cfg(test)]
mod tests {
    use geo::Validation;
    use geo_types::LineString;
    use geo_types::MultiPolygon;
    use geo_types::Polygon;
    use geo_types::coord;

    use super::*;

    fn shape(parts: &[&[Point]]) -> Shape {
        let mut shape = Shape::default();
        for part in parts {
            shape.push_part(part, doubled_area(part) < 0);
        }
        shape
    }

    /// The judgement of another house.
    fn is_valid_by_geo(shape: &Shape) -> bool {
        let ring = |points: &[Point]| LineString::from_iter(points.iter().map(|[x, y]| coord! { x: f64::from(*x), y: f64::from(*y) }));
        let mut polygons: Vec<Polygon<f64>> = Vec::new();
        for (points, is_hole) in shape.parts() {
            match polygons.last_mut() {
                Some(last) if is_hole => last.interiors_push(ring(points)),
                _ => polygons.push(Polygon::new(ring(points), Vec::new())),
            }
        }
        MultiPolygon::new(polygons).is_valid()
    }

    fn mended(parts: &[&[Point]]) -> Vec<i64> {
        let mut shape = shape(parts);
        let mut validator = Validator::default();
        validator.make_valid(&mut shape);
        assert!(is_valid_by_geo(&shape), "{shape:?}");
        shape.parts().map(|(ring, _)| doubled_area(ring)).collect()
    }

    const SQUARE: &[Point] = &[[0, 0], [10, 0], [10, 10], [0, 10]];

    #[test]
    fn sound_areas_are_proven() {
        let hook: &[Point] = &[[0, 0], [30, 0], [30, 30], [20, 30], [20, 10], [10, 10], [10, 30], [0, 30]];
        let hole: &[Point] = &[[2, 2], [2, 5], [5, 5]];
        for parts in [&[SQUARE][..], &[hook], &[SQUARE, hole], &[SQUARE, &[[20, 0], [30, 0], [30, 10]]]] {
            assert!(Validator::default().is_valid(&shape(parts)), "{parts:?}");
        }
    }

    #[test]
    fn crossings_contacts_and_strays_are_found_and_mended() {
        let bow: &[Point] = &[[0, 0], [10, 10], [10, 0], [0, 20]];
        let pinched: &[Point] = &[[0, 0], [10, 0], [10, 10], [5, 0], [0, 10]];
        let stray: &[Point] = &[[20, 20], [20, 22], [22, 22]];
        let across: &[Point] = &[[5, 5], [5, 8], [15, 8], [15, 5]];
        for parts in [&[bow][..], &[pinched], &[SQUARE, stray], &[SQUARE, across], &[SQUARE, SQUARE]] {
            assert!(!Validator::default().is_valid(&shape(parts)), "{parts:?}");
            mended(parts);
        }
        assert_eq!(mended(&[pinched]), [50, 50]);
    }

    #[test]
    fn shells_stay_clockwise_on_the_map_and_holes_not() {
        let touching: &[Point] = &[[0, 5], [5, 8], [5, 5]];
        let areas = mended(&[SQUARE, touching]);
        assert!(areas.iter().sum::<i64>() == 185 && areas[0] > 0, "{areas:?}");
    }

    /// A ring that turns twice goes forward at every step too.
    #[test]
    fn a_ring_that_turns_twice_is_not_simple() {
        let twice: &[Point] = &[[10, 0], [0, 10], [-10, 0], [0, -10], [11, -1], [1, 11], [-11, 1], [-1, -11]];
        assert!(!Validator::default().is_valid(&shape(&[twice])));
    }
}
