//! Proves areas valid (OGC 06-103r4 §6.1.11) without GEOS, which was two thirds of a reading: what is not proven here is
//! asked of GEOS.
//!
//! Sufficient and never wrong: no two edges of all the rings of a polygon meet but neighbours at their common end, holes
//! lie in the outer ring and not in each other, parts have boxes of their own. Boxes are compared exactly; the side that a
//! point lies on is believed where it exceeds the rounding of its calculation (Shewchuk 1997, the first filter). Rings that
//! touch, which may be valid, are not proven.
//!
//! ```text
//!      ____        A ring whose every edge turns the same way around one place, once round in all, is simple: a look at
//!     |  · |__     each edge, and no pair of them. So are convex rings and most with a corner more. A ring that is not
//!     |_______|    is compared with itself, edge by edge; rings whose boxes meet other edges, all with all.
//! ```
//!
//! Tried: a sweep from the first edge on. Under some two dozen edges, which buildings have, looking at every pair is twice
//! as fast, because nothing is sorted.

use crate::model::geometry::Envelope;
use crate::model::wkb;
use crate::model::wkb::Head;
use crate::model::wkb::Reader;

/// Edges up to which every pair is looked at.
const PAIRS_MAX: usize = 24;

/// Pairs an edge beyond which a sweep goes on for too long, and GEOS, which has an index, is faster.
const PAIRS_PER_EDGE_MAX: usize = 64;

/// Holes of a polygon, and parts of a multipolygon, that are compared with each other one by one.
const RINGS_MAX: usize = 64;

/// Rounding of a difference of two products of two differences, in units of its terms (Shewchuk's `ccwerrboundA`).
const ROUNDING: f64 = 3.330_669_073_875_471_6e-16;

/// Terms smaller than this may have lost digits to underflow.
const TERMS_MIN: f64 = 1e-200;

#[derive(Clone, Copy)]
struct Edge {
    from: (f64, f64),
    to: (f64, f64),
}

/// Boxes of edges, a side a column: a loop over them is vectorised.
#[derive(Default)]
struct Boxes {
    west: Vec<f64>,
    south: Vec<f64>,
    east: Vec<f64>,
    north: Vec<f64>,
}

impl Boxes {
    fn clear(&mut self) {
        [&mut self.west, &mut self.south, &mut self.east, &mut self.north].into_iter().for_each(Vec::clear);
    }

    fn push(&mut self, sides: [f64; 4]) {
        [&mut self.west, &mut self.south, &mut self.east, &mut self.north]
            .into_iter()
            .zip(sides)
            .for_each(|(column, side)| column.push(side));
    }

    fn at(&self, at: usize) -> [f64; 4] {
        [self.west[at], self.south[at], self.east[at], self.north[at]]
    }

    #[inline]
    fn meet(&self, at: usize, [west, south, east, north]: [f64; 4]) -> bool {
        (self.west[at] <= east) & (self.east[at] >= west) & (self.south[at] <= north) & (self.north[at] >= south)
    }

    /// Whether one of a range meets a box.
    #[inline]
    fn any_meets(&self, range: std::ops::Range<usize>, [west, south, east, north]: [f64; 4]) -> bool {
        let (wests, souths) = (&self.west[range.clone()], &self.south[range.clone()]);
        let (easts, norths) = (&self.east[range.clone()], &self.north[range]);
        let sides = wests.iter().zip(souths).zip(easts.iter().zip(norths));
        sides.fold(false, |any, ((w, s), (e, n))| any | ((*w <= east) & (*e >= west) & (*s <= north) & (*n >= south)))
    }
}

struct Ring {
    first: usize,
    end: usize,
    bounds: Envelope,
}

/// Keeps its room from one geometry to the next.
#[derive(Default)]
pub struct Prover {
    edges: Vec<Edge>,
    boxes: Boxes,
    rings: Vec<Ring>,
    order: Vec<u32>,
    /// `boxes` from west to east.
    sorted: Boxes,
    parts: Vec<Envelope>,
}

impl Prover {
    /// The envelope of a polygon or multipolygon whose positions are finite and which is proven valid.
    pub fn prove(&mut self, wkb: &[u8]) -> Option<Envelope> {
        let mut reader = Reader::new(wkb);
        let head = reader.head().ok()?;
        let bounds = match head.code {
            3 => self.polygon(&mut reader, head)?,
            6 => self.parts(&mut reader, head)?,
            _ => return None,
        };
        (reader.at == wkb.len()).then_some(bounds)
    }

    fn parts(&mut self, reader: &mut Reader<'_>, head: Head) -> Option<Envelope> {
        let count = reader.u32().ok()? as usize;
        if !(1..=RINGS_MAX).contains(&count) {
            return None;
        }
        self.parts.clear();
        let mut all = Envelope::NOTHING;
        for _ in 0..count {
            let inner = reader.head().ok()?;
            if inner != (Head { code: 3, ..head }) {
                return None;
            }
            let bounds = self.polygon(reader, inner)?;
            if self.parts.iter().any(|other| other.intersects(&bounds)) {
                return None;
            }
            self.parts.push(bounds);
            all.join(&bounds);
        }
        Some(all)
    }

    fn polygon(&mut self, reader: &mut Reader<'_>, head: Head) -> Option<Envelope> {
        self.edges.clear();
        self.rings.clear();
        let count = reader.u32().ok()? as usize;
        if !(1..=RINGS_MAX).contains(&count) {
            return None;
        }
        for _ in 0..count {
            self.ring(reader, head)?;
        }
        if self.rings.len() > 1 {
            self.box_edges();
        }
        let is_simple = (self.rings_part() && self.rings.iter().all(|ring| self.turns_once(ring))) || self.edges_part();
        (is_simple && self.holes_fit()).then_some(self.rings[0].bounds)
    }

    /// Whether no hole's box meets an edge of the outer ring, or the box of another hole.
    fn rings_part(&self) -> bool {
        let (outer, holes) = (&self.rings[0], &self.rings[1..]);
        holes.iter().enumerate().all(|(at, hole)| {
            let b = hole.bounds;
            !self.boxes.any_meets(outer.first..outer.end, [b.west, b.south, b.east, b.north])
                && !holes[..at].iter().any(|other| other.bounds.intersects(&b))
        })
    }

    /// Whether the edges of a ring all turn one way around the mean of its positions, and once round.
    fn turns_once(&self, ring: &Ring) -> bool {
        let edges = &self.edges[ring.first..ring.end];
        let (x, y) = edges.iter().fold((0.0, 0.0), |sum, edge| (sum.0 + edge.from.0, sum.1 + edge.from.1));
        let middle = (x / edges.len() as f64, y / edges.len() as f64);
        let (mut left, mut right, mut crossings) = (true, true, 0);
        for edge in edges {
            let turn = side(edge.from, edge.to, middle);
            left &= turn.is_some_and(|turn| turn > 0.0);
            right &= turn.is_some_and(|turn| turn < 0.0);
            // Edges that all turn left pass the middle's height upward to its east alone: as often as they go round.
            crossings += u32::from(edge.from.1 <= middle.1 && edge.to.1 > middle.1);
        }
        (left | right) && crossings == 1
    }

    fn box_edges(&mut self) {
        self.boxes.clear();
        for Edge { from, to } in &self.edges {
            self.boxes.push([from.0.min(to.0), from.1.min(to.1), from.0.max(to.0), from.1.max(to.1)]);
        }
    }

    fn edges_part(&mut self) -> bool {
        self.box_edges();
        self.neighbours_part() && if self.edges.len() <= PAIRS_MAX { self.pairs_part() } else { self.sweep_parts() }
    }

    /// Closed, finite, of three edges at least; positions that repeat their neighbour are one.
    fn ring(&mut self, reader: &mut Reader<'_>, head: Head) -> Option<()> {
        let size = head.dimensions() * 8;
        let bytes = reader.u32().ok().and_then(|count| reader.take((count as usize).checked_mul(size)?).ok())?;
        let first = self.edges.len();
        let mut bounds = Envelope::NOTHING;
        let mut positions = bytes.chunks_exact(size).map(|position| (wkb::double(position, 0), wkb::double(position, 1)));
        let start = positions.next().filter(|start| start.0.is_finite() && start.1.is_finite())?;
        bounds.expand(start.0, start.1);
        let mut from = start;
        for to in positions {
            if !(to.0.is_finite() && to.1.is_finite()) {
                return None;
            }
            if to == from {
                continue;
            }
            bounds.expand(to.0, to.1);
            self.edges.push(Edge { from, to });
            from = to;
        }
        let end = self.edges.len();
        self.rings.push(Ring { first, end, bounds });
        (from == start && end - first >= 3).then_some(())
    }

    /// Edges that follow each other meet at their common end alone.
    fn neighbours_part(&self) -> bool {
        self.rings.iter().all(|ring| {
            let edges = &self.edges[ring.first..ring.end];
            let mut before = &edges[edges.len() - 1];
            edges.iter().all(|edge| parts_from(std::mem::replace(&mut before, edge), edge))
        })
    }

    fn pairs_part(&self) -> bool {
        for ring in &self.rings {
            for at in ring.first..ring.end {
                // The next one is a neighbour, and so is the ring's last of its first.
                let last = if at == ring.first { ring.end - 1 } else { ring.end };
                for range in [(at + 2).min(last)..last, ring.end..self.edges.len()] {
                    let sides = self.boxes.at(at);
                    if self.boxes.any_meets(range.clone(), sides) {
                        let mut met = range.filter(|other| self.boxes.meet(*other, sides));
                        if !met.all(|other| are_apart(&self.edges[at], &self.edges[other])) {
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    /// As `pairs_part`, from west to east.
    fn sweep_parts(&mut self) -> bool {
        self.order.clear();
        self.order.extend(0..self.edges.len() as u32);
        let west = &self.boxes.west;
        // A ring runs east and west: a stable sort finds these runs sorted already.
        self.order.sort_by(|one, other| west[*one as usize].total_cmp(&west[*other as usize]));
        self.sorted.clear();
        self.order.iter().for_each(|at| self.sorted.push(self.boxes.at(*at as usize)));
        let (edges, order) = (&self.edges, &self.order);
        let mut pairs_left = PAIRS_PER_EDGE_MAX * edges.len();
        for (at, one) in order.iter().enumerate() {
            let [_, south, east, north] = self.sorted.at(at);
            // Those that begin beyond this one's east are no longer met.
            for (other, two) in order.iter().enumerate().skip(at + 1).take_while(|(other, _)| self.sorted.west[*other] <= east) {
                let Some(left) = pairs_left.checked_sub(1) else { return false };
                pairs_left = left;
                let meet = (self.sorted.south[other] <= north) & (self.sorted.north[other] >= south);
                let (one, two) = (*one as usize, *two as usize);
                if meet && !self.are_neighbours(one, two) && !are_apart(&edges[one], &edges[two]) {
                    return false;
                }
            }
        }
        true
    }

    fn are_neighbours(&self, one: usize, two: usize) -> bool {
        let (low, high) = (one.min(two), one.max(two));
        let ends = |ring: &Ring| low >= ring.first && high < ring.end && (high - low == 1 || (low == ring.first && high == ring.end - 1));
        self.rings.iter().any(ends)
    }

    /// No two rings meet: one position tells where a whole ring lies.
    fn holes_fit(&self) -> bool {
        let holes = &self.rings[1..];
        let lies_in = |inner: &Ring, outer: &Ring| self.contains(outer, self.edges[inner.first].from);
        holes.iter().enumerate().all(|(at, hole)| {
            lies_in(hole, &self.rings[0]) == Some(true)
                && holes[..at].iter().all(|other| {
                    !hole.bounds.intersects(&other.bounds) || (lies_in(hole, other) == Some(false) && lies_in(other, hole) == Some(false))
                })
        })
    }

    /// By the edges that a ray to the east crosses; `None` where one of them is too near to tell.
    fn contains(&self, ring: &Ring, place: (f64, f64)) -> Option<bool> {
        let mut inside = false;
        for edge in &self.edges[ring.first..ring.end] {
            if (edge.from.1 > place.1) != (edge.to.1 > place.1) {
                let is_left = side(edge.from, edge.to, place)? > 0.0;
                inside ^= is_left == (edge.to.1 > edge.from.1);
            }
        }
        Some(inside)
    }
}

/// Proven where both ends of one lie on the same side of the other's line.
fn are_apart(one: &Edge, other: &Edge) -> bool {
    let same_side = |line: &Edge, edge: &Edge| {
        let sides = side(line.from, line.to, edge.from).zip(side(line.from, line.to, edge.to));
        sides.is_some_and(|(from, to)| (from > 0.0) == (to > 0.0))
    };
    same_side(one, other) || same_side(other, one)
}

/// Whether an edge does not run back over the one before: it turns off, or goes on ahead.
fn parts_from(before: &Edge, edge: &Edge) -> bool {
    let (turn, ahead) = (
        side(before.from, before.to, edge.to),
        certain((before.to.0 - before.from.0) * (edge.to.0 - edge.from.0), -((before.to.1 - before.from.1) * (edge.to.1 - edge.from.1))),
    );
    turn.is_some() || ahead.is_some_and(|ahead| ahead > 0.0)
}

/// Positive to the left of a line, `None` on it or too near to tell.
#[inline]
fn side(from: (f64, f64), to: (f64, f64), place: (f64, f64)) -> Option<f64> {
    certain((from.0 - place.0) * (to.1 - place.1), (from.1 - place.1) * (to.0 - place.0))
}

/// A difference of two products, where it is greater than its rounding.
#[inline]
fn certain(left: f64, right: f64) -> Option<f64> {
    let (difference, terms) = (left - right, left.abs() + right.abs());
    (difference.abs() > ROUNDING * terms && terms > TERMS_MIN).then_some(difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudo-random numbers that are the same on every machine.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, count: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % count
        }

        fn unit(&mut self) -> f64 {
            self.below(1 << 53) as f64 / (1u64 << 53) as f64
        }
    }

    type Ring = Vec<(f64, f64)>;

    fn wkb_of(polygon: &[Ring]) -> Vec<u8> {
        let mut wkb = [&[1u8, 3, 0, 0, 0][..], &(polygon.len() as u32).to_le_bytes()].concat();
        for ring in polygon {
            wkb.extend((ring.len() as u32).to_le_bytes());
            ring.iter().for_each(|(x, y)| wkb.extend([x.to_le_bytes(), y.to_le_bytes()].concat()));
        }
        wkb
    }

    fn multi(polygons: &[Vec<u8>]) -> Vec<u8> {
        [&[1u8, 6, 0, 0, 0][..], &(polygons.len() as u32).to_le_bytes(), &polygons.concat()].concat()
    }

    fn is_valid(wkb: &[u8]) -> bool {
        crate::source::complaints::hush();
        gdal::vector::Geometry::from_wkb(wkb).expect("WKB").is_valid()
    }

    /// Corners on a small grid: edges that cross, touch, overlap and run back on themselves.
    fn on_a_grid(dice: &mut Dice) -> Ring {
        let (corners, grid) = (3 + dice.below(6), 3 + dice.below(5));
        let mut ring: Ring = (0..corners).map(|_| (dice.below(grid) as f64, dice.below(grid) as f64)).collect();
        ring.push(ring[0]);
        ring
    }

    fn around(dice: &mut Dice, corners: usize, middle: (f64, f64), radius: f64, roughness: f64) -> Ring {
        let mut ring: Ring = (0..corners)
            .map(|at| {
                let angle = at as f64 / corners as f64 * std::f64::consts::TAU;
                let reach = radius * (1.0 - roughness * dice.unit());
                (middle.0 + reach * angle.cos(), middle.1 + reach * angle.sin())
            })
            .collect();
        ring.push(ring[0]);
        ring
    }

    /// Far from the origin, where doubles are coarse, and by less than their step beside each other.
    fn shaken(dice: &mut Dice, ring: &Ring, scale: f64) -> Ring {
        let mut moved: Ring = ring[1..]
            .iter()
            .map(|(x, y)| {
                let jitter = (dice.below(5) as f64 - 2.0) * 2e-10;
                (700_000.3 + x * scale + jitter, 6_600_000.7 + y * scale + jitter * dice.below(2) as f64)
            })
            .collect();
        moved.push(moved[0]);
        moved
    }

    fn polygon(dice: &mut Dice, round: u64) -> Vec<Ring> {
        match round % 6 {
            0 => vec![on_a_grid(dice)],
            1 => vec![on_a_grid(dice), on_a_grid(dice)],
            2 => {
                let shape = on_a_grid(dice);
                let scale = [1.0, 1e-9, 1e-10, 0.1][dice.below(4) as usize];
                vec![shaken(dice, &shape, scale)]
            }
            3 => {
                let corners = 3 + dice.below(120) as usize;
                let roughness = dice.unit() * 1.3;
                vec![around(dice, corners, (0.0, 0.0), 10.0, roughness)]
            }
            4 => {
                let (x, y) = (dice.unit() * 8.0 - 4.0, dice.unit() * 8.0 - 4.0);
                let outer = around(dice, 30, (0.0, 0.0), 10.0, 0.5);
                vec![outer, around(dice, 7, (x, y), 2.0, 0.3), around(dice, 5, (y, x), 2.0, 0.3)]
            }
            _ => {
                // Holes in holes, and an outer ring inside its hole.
                let mut rings = vec![around(dice, 8, (0.0, 0.0), 4.0, 0.1), around(dice, 8, (0.0, 0.0), 3.0, 0.1)];
                rings.push(around(dice, 8, (dice.0 as f64 % 5.0, 0.0), 1.0, 0.1));
                let by = dice.below(3) as usize;
                rings.rotate_left(by);
                rings
            }
        }
    }

    #[test]
    fn what_is_proven_is_valid_for_geos_too() {
        let (mut dice, mut prover) = (Dice(0x9E37_79B9_7F4A_7C15), Prover::default());
        let (mut proven, mut valid, mut invalid) = (0, 0, 0);
        for round in 0..60_000 {
            let mut wkb = wkb_of(&polygon(&mut dice, round));
            if round % 5 == 0 {
                wkb = multi(&[wkb, wkb_of(&[on_a_grid(&mut dice)])]);
            }
            let geos = is_valid(&wkb);
            let ours = prover.prove(&wkb).is_some();
            assert!(!ours || geos, "proven, and invalid: {}", gdal::vector::Geometry::from_wkb(&wkb).expect("WKB").wkt().expect("WKT"));
            proven += u32::from(ours);
            valid += u32::from(geos);
            invalid += u32::from(!geos);
        }
        assert!(invalid > 15_000 && valid > 8_000, "both kinds are met: {valid} valid, {invalid} invalid");
        assert!(proven * 10 > valid * 7, "{proven} of {valid} valid ones are proven");
    }

    #[test]
    fn plain_buildings_are_proven() {
        let (mut dice, mut prover) = (Dice(7), Prover::default());
        for corners in [3, 4, 12, 24, 25, 400, 2_000] {
            let outer = around(&mut dice, corners, (0.0, 0.0), 10.0, 0.01);
            let hole = around(&mut dice, corners, (0.0, 0.0), 3.0, 0.01);
            let bounds = prover.prove(&wkb_of(&[outer.clone(), hole.clone()])).expect("valid");
            assert!(bounds.east <= 10.0 && bounds.east > 9.0);
            assert!(prover.prove(&wkb_of(&[hole, outer])).is_none(), "the hole is around the outer ring");
        }
    }

    #[test]
    fn what_is_no_area_is_not_proven() {
        let mut prover = Prover::default();
        let square = vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
        let repeated = vec![(0.0, 0.0), (0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)];
        assert!(prover.prove(&wkb_of(std::slice::from_ref(&square))).is_some() && prover.prove(&wkb_of(&[repeated])).is_some());
        let open = square[..4].to_vec();
        let line = vec![(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (0.0, 0.0)];
        let infinite = vec![(0.0, 0.0), (f64::INFINITY, 0.0), (1.0, 1.0), (0.0, 0.0)];
        for ring in [open, line, infinite, Vec::new(), vec![(0.0, 0.0)]] {
            assert!(prover.prove(&wkb_of(std::slice::from_ref(&ring))).is_none(), "{ring:?}");
        }
        let square = wkb_of(&[square]);
        assert!(prover.prove(&multi(&[square.clone(), square.clone()])).is_none());
        assert!(prover.prove(&[square.clone(), vec![0]].concat()).is_none(), "bytes are left");
        assert!(prover.prove(&wkb::point(1.0, 2.0)).is_none() && prover.prove(&square[..40]).is_none());
    }
}
