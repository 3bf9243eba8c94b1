//! From which zoom on a position is needed: importance, computed once for each arc that features share.
//!
//! An arc runs from one held position to the next. Its importances (Douglas and Peucker's distances, never greater than
//! those of the split before) depend on the arc alone and not on its direction, so both neighbours of a border keep the same
//! positions at every zoom:
//!
//! ```text
//!        ┌────h────┐      h  held: neighbours differ there
//!        │ A  ·  B │      ·  on the arc between, the same for A and for B
//!        └────h────┘
//! ```

use crate::tile::record::HELD;
use crate::tile::world::Point;
use crate::tile::world::shift;

/// Greatest distance in tile units between what was drawn and what is left: a quarter of a pixel of a 512-pixel tile, below
/// what others take (geojson-vt: 3).
const TOLERANCE: f64 = 2.0;

/// By how much an arc of a ring counts for more in its first half way: a small ring keeps a body, whose area can be made
/// right, until it is smaller than half a unit.
const BODY: f64 = 4.0;

/// Computes the zooms for rings and lines of a layer, in buffers that are kept.
pub struct Simplifier {
    /// At this zoom every position is there.
    zoom_max: u8,
    /// Squared distance under which nothing is asked further: only the deepest zoom sees it.
    finest: f64,
    pending: Vec<(usize, usize, f64)>,
}

impl Simplifier {
    pub fn new(zoom_max: u8) -> Simplifier {
        let unit = if zoom_max == 0 { f64::INFINITY } else { (1u64 << shift(zoom_max - 1)) as f64 * TOLERANCE };
        Simplifier { zoom_max, finest: unit * unit, pending: Vec::new() }
    }

    /// Fills `needs` for a line. `held[i]`: other features meet there.
    pub fn line(&mut self, points: &[Point], held: impl Fn(usize) -> bool, needs: &mut Vec<u8>) {
        needs.clear();
        needs.resize(points.len(), self.zoom_max);
        let Some(last) = points.len().checked_sub(1) else { return };
        let mut start = 0;
        (needs[0], needs[last]) = (HELD, HELD);
        for end in 1..=last {
            if end == last || held(end) {
                needs[end] = HELD;
                self.arc(&points[start..=end], &mut needs[start..=end], 1.0);
                start = end;
            }
        }
    }

    /// Fills `needs` for a ring without its closing position, and turns the ring so that it begins with a position that
    /// every zoom keeps.
    pub fn ring(&mut self, points: &mut Vec<Point>, held: impl Fn(Point) -> bool, needs: &mut Vec<u8>) {
        needs.clear();
        let Some(lowest) = (0..points.len()).min_by_key(|at| points[*at]) else { return };
        let first_held = (0..points.len()).filter(|at| held(points[*at])).min_by_key(|at| points[*at]);
        points.rotate_left(first_held.unwrap_or(lowest));
        // Closed, so that the last arc ends where the first begins.
        points.push(points[0]);
        needs.resize(points.len(), self.zoom_max);
        let last = points.len() - 1;
        let others: Vec<usize> = if first_held.is_some() { (1..last).filter(|at| held(points[*at])).collect() } else { Vec::new() };
        needs[0] = if first_held.is_some() { HELD } else { 0 };
        if others.is_empty() {
            // One end is no arc: the position farthest from it is the other.
            let far = farthest(points);
            needs[far] = 0;
            self.arc(&points[..=far], &mut needs[..=far], BODY);
            self.arc(&points[far..], &mut needs[far..], BODY);
        } else {
            let mut start = 0;
            for end in others.into_iter().chain([last]) {
                if end < last {
                    needs[end] = HELD;
                }
                self.arc(&points[start..=end], &mut needs[start..=end], BODY);
                start = end;
            }
        }
        points.pop();
        needs.pop();
    }

    /// Positions between the ends of an arc; `first`: by how much the first of them counts for more.
    fn arc(&mut self, points: &[Point], needs: &mut [u8], first: f64) {
        let mut weight = first * first;
        self.pending.clear();
        self.pending.push((0, points.len() - 1, f64::INFINITY));
        while let Some((start, end, above)) = self.pending.pop() {
            if end - start < 2 {
                continue;
            }
            let (at, squared) = most_distant(points, start, end);
            let squared = squared.min(above);
            if squared * weight < self.finest {
                continue;
            }
            needs[at] = self.zoom_of(squared * weight);
            weight = 1.0;
            self.pending.push((start, at, squared));
            self.pending.push((at, end, squared));
        }
    }

    /// The first zoom whose tolerance is no greater than a distance.
    fn zoom_of(&self, squared: f64) -> u8 {
        let scaled = squared / (TOLERANCE * TOLERANCE);
        // The exponent of the square, halved, is the floor of the binary logarithm of the distance.
        let exponent = ((scaled.to_bits() >> 52) as i64 - 1023) >> 1;
        let zoom = i64::from(shift(0)) - exponent;
        u8::try_from(zoom.max(0)).map_or(self.zoom_max, |zoom| zoom.min(self.zoom_max))
    }
}

fn between(a: Point, b: Point) -> (f64, f64) {
    (f64::from(b[0]) - f64::from(a[0]), f64::from(b[1]) - f64::from(a[1]))
}

fn farthest(points: &[Point]) -> usize {
    let key = |at: &usize| {
        let (dx, dy) = between(points[0], points[*at]);
        (dx * dx + dy * dy, points[*at])
    };
    (0..points.len()).max_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal)).unwrap_or(0)
}

/// The position most distant from the segment between the ends, and the square of its distance. Of two, the one whose
/// coordinates are lower, whichever way the arc runs.
fn most_distant(points: &[Point], start: usize, end: usize) -> (usize, f64) {
    let (a, b) = if points[start] <= points[end] { (points[start], points[end]) } else { (points[end], points[start]) };
    let (dx, dy) = between(a, b);
    let squared = dx * dx + dy * dy;
    let per_length = if squared > 0.0 { 1.0 / squared } else { 0.0 };
    let (mut found, mut greatest) = (start + 1, -1.0);
    for (at, point) in points.iter().enumerate().take(end).skip(start + 1) {
        let (px, py) = between(a, *point);
        let along = ((px * dx + py * dy) * per_length).clamp(0.0, 1.0);
        let (ox, oy) = (px - along * dx, py - along * dy);
        let distance = ox * ox + oy * oy;
        if distance > greatest || (distance == greatest && *point < points[found]) {
            (found, greatest) = (at, distance);
        }
    }
    (found, greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::record::ZOOM;

    fn wave(count: i32) -> Vec<Point> {
        (0..count).map(|n| [n * 700, (n * n * 7919) % 90_000 + (n % 5) * 1000]).collect()
    }

    #[test]
    fn an_arc_has_the_same_importances_both_ways() {
        let points = wave(200);
        let mut reversed = points.clone();
        reversed.reverse();
        let (mut forth, mut back) = (Vec::new(), Vec::new());
        let mut simplifier = Simplifier::new(14);
        simplifier.line(&points, |_| false, &mut forth);
        simplifier.line(&reversed, |_| false, &mut back);
        back.reverse();
        assert_eq!(forth, back);
        assert!(forth.iter().any(|need| (1..14).contains(need)), "{forth:?}");
    }

    #[test]
    fn a_ring_without_neighbours_is_the_same_wherever_it_begins() {
        let mut ring = vec![[0, 0], [90_000, 2_000], [95_000, 60_000], [40_000, 99_000], [41_000, 50_000], [2_000, 70_000]];
        let mut turned: Vec<Point> = ring[3..].iter().chain(&ring[..3]).rev().copied().collect();
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let mut simplifier = Simplifier::new(14);
        simplifier.ring(&mut ring, |_| false, &mut one);
        simplifier.ring(&mut turned, |_| false, &mut other);
        let pairs = |points: &[Point], needs: &[u8]| {
            let mut pairs: Vec<(Point, u8)> = points.iter().copied().zip(needs.iter().copied()).collect();
            pairs.sort_unstable();
            pairs
        };
        assert_eq!(pairs(&ring, &one), pairs(&turned, &other));
        assert_eq!((ring[0], one[0] & ZOOM), ([0, 0], 0));
    }

    #[test]
    fn what_is_left_at_a_zoom_lies_within_its_tolerance() {
        let points = wave(300);
        let mut needs = Vec::new();
        Simplifier::new(14).line(&points, |_| false, &mut needs);
        for zoom in 4..14 {
            let kept: Vec<usize> = (0..points.len()).filter(|at| needs[*at] & ZOOM <= zoom).collect();
            let tolerance = (1u64 << shift(zoom)) as f64 * TOLERANCE;
            for pair in kept.windows(2).filter(|pair| pair[1] - pair[0] > 1) {
                assert!(most_distant(&points, pair[0], pair[1]).1 <= tolerance * tolerance, "zoom {zoom}");
            }
        }
        assert!(needs.iter().all(|need| need & ZOOM <= 14));
    }
}
