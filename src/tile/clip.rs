//! What of a shape lies in a tile and its margin.
//!
//! ```text
//!         ┌───────────┐
//!   ──────┼──●        │      An edge is cut where it meets the frame; the cut is rounded in the same way from both sides,
//!   \     │   \       │      so two neighbours that share an edge share its cut.
//!    \────┼────●      │
//!         └───────────┘
//! ```
//!
//! Rings are cut by one side after another (Sutherland and Hodgman): a ring that leaves and comes back keeps an edge along
//! the frame, and where it does so twice, `valid` parts what touches.

use crate::tile::record::Kind;
use crate::tile::shape::Shape;
use crate::tile::shape::tidy;
use crate::tile::world::Point;
use crate::tile::world::doubled_area;

/// Both corners are inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub low: Point,
    pub high: Point,
}

impl Frame {
    /// The box of some positions.
    pub fn of(points: &[Point]) -> Frame {
        points.iter().fold(Frame { low: [i32::MAX; 2], high: [i32::MIN; 2] }, |frame, point| Frame {
            low: [0, 1].map(|axis| frame.low[axis].min(point[axis])),
            high: [0, 1].map(|axis| frame.high[axis].max(point[axis])),
        })
    }

    pub fn holds(&self, point: Point) -> bool {
        (0..2).all(|axis| self.low[axis] <= point[axis] && point[axis] <= self.high[axis])
    }
}

/// Cuts shapes, in buffers that are kept.
#[derive(Default)]
pub struct Clipper {
    from: Vec<Point>,
    to: Vec<Point>,
}

impl Clipper {
    /// Fills `cut` with what of `shape` lies in the frame.
    pub fn clip(&mut self, shape: &Shape, kind: Kind, frame: &Frame, cut: &mut Shape) {
        cut.clear();
        match kind {
            Kind::Point => {
                cut.points.extend(shape.points.iter().copied().filter(|point| frame.holds(*point)));
                if !cut.points.is_empty() {
                    cut.end_part(false);
                }
            }
            Kind::Line => shape.parts().for_each(|(line, _)| clip_line(line, frame, cut)),
            Kind::Area => self.rings(shape, frame, cut),
        }
    }

    fn rings(&mut self, shape: &Shape, frame: &Frame, cut: &mut Shape) {
        let mut shell_is_there = false;
        for (ring, is_hole) in shape.parts() {
            if is_hole && !shell_is_there {
                continue;
            }
            if ring.iter().all(|point| frame.holds(*point)) {
                cut.push_part(ring, is_hole);
                shell_is_there = true;
                continue;
            }
            self.to.clear();
            self.to.extend_from_slice(ring);
            for axis in 0..2 {
                self.half(axis, frame.low[axis], false);
                self.half(axis, frame.high[axis], true);
            }
            cut.points.extend_from_slice(&self.to);
            if tidy(cut) && (doubled_area(&cut.points[cut.begun()..]) < 0) == is_hole {
                cut.end_part(is_hole);
                shell_is_there = true;
            } else {
                cut.drop_part();
                shell_is_there &= is_hole;
            }
        }
    }

    /// Keeps what lies on the lower or upper side of a limit, of `to` in `to`.
    fn half(&mut self, axis: usize, limit: i32, is_upper: bool) {
        let inside = |point: &Point| if is_upper { point[axis] <= limit } else { point[axis] >= limit };
        if self.to.iter().all(inside) {
            return;
        }
        std::mem::swap(&mut self.from, &mut self.to);
        self.to.clear();
        let Some(&last) = self.from.last() else { return };
        let mut before = last;
        for &point in &self.from {
            if inside(&point) != inside(&before) {
                self.to.push(crossing(before, point, axis, limit));
            }
            if inside(&point) {
                self.to.push(point);
            }
            before = point;
        }
    }
}

/// Where an edge meets a limit, rounded, whichever end comes first.
fn crossing(a: Point, b: Point, axis: usize, limit: i32) -> Point {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    let other = 1 - axis;
    let (run, rise) = (i64::from(b[axis]) - i64::from(a[axis]), i64::from(b[other]) - i64::from(a[other]));
    let part = i128::from(rise) * i128::from(i64::from(limit) - i64::from(a[axis]));
    // Half a unit upward, then down: to the nearest.
    let (part, run) = if run < 0 { (-part, -run) } else { (part, run) };
    let step = (2 * part + i128::from(run)).div_euclid(2 * i128::from(run));
    let mut point = [limit; 2];
    point[other] = (i64::from(a[other]) + step as i64) as i32;
    point
}

fn clip_line(line: &[Point], frame: &Frame, cut: &mut Shape) {
    if line.iter().all(|point| frame.holds(*point)) {
        return cut.push_part(line, false);
    }
    for pair in line.windows(2) {
        let Some((from, to)) = clip_step(pair[0], pair[1], frame) else { continue };
        // A step that does not go on where the one before ended begins a part.
        if cut.points.len() > cut.begun() && cut.points.last() != Some(&from) {
            end_line(cut);
        }
        if cut.points.len() == cut.begun() {
            cut.points.push(from);
        }
        if cut.points.last() != Some(&to) {
            cut.points.push(to);
        }
        if to != pair[1] {
            end_line(cut);
        }
    }
    end_line(cut);
}

fn end_line(cut: &mut Shape) {
    if cut.points.len() - cut.begun() > 1 { cut.end_part(false) } else { cut.drop_part() }
}

/// The part of a step inside the frame; none where it only touches a corner.
fn clip_step(mut a: Point, mut b: Point, frame: &Frame) -> Option<(Point, Point)> {
    for axis in 0..2 {
        let (low, high) = (frame.low[axis], frame.high[axis]);
        if (a[axis] < low && b[axis] < low) || (a[axis] > high && b[axis] > high) {
            return None;
        }
        let (from, to) = (a, b);
        for end in [&mut a, &mut b] {
            let limit = end[axis].clamp(low, high);
            if limit != end[axis] {
                *end = crossing(from, to, axis, limit);
            }
        }
    }
    Some((a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { low: [0, 0], high: [10, 10] };

    fn clip(kind: Kind, parts: &[&[Point]]) -> Vec<Vec<Point>> {
        let mut shape = Shape::default();
        for part in parts {
            shape.push_part(part, kind == Kind::Area && doubled_area(part) < 0);
        }
        let mut cut = Shape::default();
        Clipper::default().clip(&shape, kind, &FRAME, &mut cut);
        cut.parts().map(|(part, _)| part.to_vec()).collect()
    }

    #[test]
    fn an_area_is_cut_and_its_hole_too() {
        assert_eq!(clip(Kind::Area, &[&[[-5, 5], [5, 5], [5, 20], [-5, 20]]]), [[[0, 10], [0, 5], [5, 5], [5, 10]]]);
        let around: &[Point] = &[[-9, -9], [19, -9], [19, 19], [-9, 19]];
        assert_eq!(clip(Kind::Area, &[around]), [[[0, 10], [0, 0], [10, 0], [10, 10]]]);
        assert_eq!(clip(Kind::Area, &[around, &[[2, 2], [2, 4], [4, 4], [4, 2]]]).len(), 2);
        assert!(clip(Kind::Area, &[&[[11, 0], [20, 0], [20, 9]]]).is_empty());
    }

    #[test]
    fn a_line_that_comes_back_has_two_parts() {
        let line: &[Point] = &[[2, 2], [2, 15], [8, 15], [8, 2]];
        assert_eq!(clip(Kind::Line, &[line]), [[[2, 2], [2, 10]], [[8, 10], [8, 2]]]);
        assert_eq!(clip(Kind::Line, &[&[[-5, 5], [15, 5]]]), [[[0, 5], [10, 5]]]);
        assert!(clip(Kind::Line, &[&[[-5, 5], [5, -5], [5, -9]], &[[-1, -1], [-1, 11]]]).is_empty(), "a corner is no line");
    }

    #[test]
    fn a_cut_is_the_same_from_both_sides() {
        for (a, b) in [([-7, 3], [9, 8]), ([-3, 9], [13, -4]), ([1, 1], [40, 33])] {
            for limit in [0, 10] {
                assert_eq!(crossing(a, b, 0, limit), crossing(b, a, 0, limit));
            }
        }
    }

    #[test]
    fn points_outside_go() {
        assert_eq!(clip(Kind::Point, &[&[[5, 5], [11, 5], [10, 10]]]), [[[5, 5], [10, 10]]]);
    }
}
