//! Where a feature's one label stands: the pole of inaccessibility of an area, the middle of a line.
//!
//! The pole is the inner position farthest from every edge. Squares are asked, the most promising first, and quartered until
//! none can be better by more than the precision (V. Agafonkin's quadtree search).

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::tile::world::Point;

/// Squares that are asked at most: a shape that needs more has many poles, and any will do.
const SQUARES_MAX: usize = 4_000;

/// Edges that are asked at once: two registers of any processor.
const LANES: usize = 8;

/// Edges of rings, relative to a corner of the box; single precision is a millionth of it, far below any precision asked.
#[derive(Clone, Copy)]
struct Edges {
    ax: [f32; LANES],
    ay: [f32; LANES],
    dx: [f32; LANES],
    dy: [f32; LANES],
    per_length: [f32; LANES],
}

/// An edge that is infinitely far and crosses nothing.
const NO_EDGES: Edges =
    Edges { ax: [f32::MAX; LANES], ay: [f32::MAX; LANES], dx: [0.0; LANES], dy: [0.0; LANES], per_length: [0.0; LANES] };

struct Square {
    x: f64,
    y: f64,
    half: f64,
    distance: f64,
    /// What a position in it can have at most.
    best: f64,
}

impl PartialEq for Square {
    fn eq(&self, other: &Square) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Square {}
impl PartialOrd for Square {
    fn partial_cmp(&self, other: &Square) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Square {
    fn cmp(&self, other: &Square) -> Ordering {
        self.best.total_cmp(&other.best)
    }
}

/// Finds poles, in buffers that are kept.
#[derive(Default)]
pub struct Labeller {
    edges: Vec<Edges>,
    count: usize,
    squares: BinaryHeap<Square>,
}

impl Labeller {
    /// The inner position farthest from the edges, within a precision. The first ring is the shell, the others its holes.
    pub fn pole<'a>(&mut self, mut rings: impl Iterator<Item = &'a [Point]>, precision: f64) -> Point {
        let Some(shell) = rings.next() else { return [0, 0] };
        let Some(&first) = shell.first() else { return [0, 0] };
        let low = shell.iter().fold(first, |low, p| [low[0].min(p[0]), low[1].min(p[1])]);
        let high = shell.iter().fold(first, |high, p| [high[0].max(p[0]), high[1].max(p[1])]);
        self.edges.clear();
        self.count = 0;
        for ring in std::iter::once(shell).chain(rings) {
            self.add(ring, low);
        }
        let relative = |axis: usize| f64::from(high[axis]) - f64::from(low[axis]);
        let (x, y) = self.search(relative(0), relative(1), precision, centroid(shell, low));
        [(f64::from(low[0]) + x).round() as i32, (f64::from(low[1]) + y).round() as i32]
    }

    fn add(&mut self, ring: &[Point], low: Point) {
        let Some(&last) = ring.last() else { return };
        let at = |p: Point| (f64::from(p[0]) - f64::from(low[0]), f64::from(p[1]) - f64::from(low[1]));
        let (mut ax, mut ay) = at(last);
        for point in ring {
            let (bx, by) = at(*point);
            let (dx, dy) = (bx - ax, by - ay);
            let squared = dx * dx + dy * dy;
            let lane = self.count % LANES;
            if lane == 0 {
                self.edges.push(NO_EDGES);
            }
            self.count += 1;
            if let Some(edges) = self.edges.last_mut() {
                (edges.ax[lane], edges.ay[lane], edges.dx[lane], edges.dy[lane]) = (ax as f32, ay as f32, dx as f32, dy as f32);
                edges.per_length[lane] = if squared > 0.0 { (1.0 / squared) as f32 } else { 0.0 };
            }
            (ax, ay) = (bx, by);
        }
    }

    fn search(&mut self, width: f64, height: f64, precision: f64, centre: (f64, f64)) -> (f64, f64) {
        let side = width.min(height);
        if side <= 0.0 {
            return (width / 2.0, height / 2.0);
        }
        let mut found = self.square(centre.0, centre.1, 0.0);
        let middle = self.square(width / 2.0, height / 2.0, 0.0);
        if middle.distance > found.distance {
            found = middle;
        }
        self.squares.clear();
        let half = side / 2.0;
        let count = |length: f64| (length / side).ceil().clamp(1.0, 64.0) as usize;
        for (col, row) in (0..count(width)).flat_map(|col| (0..count(height)).map(move |row| (col, row))) {
            let square = self.square(side * col as f64 + half, side * row as f64 + half, half);
            self.squares.push(square);
        }
        let mut asked = 0;
        while let Some(square) = self.squares.pop().filter(|square| square.best - found.distance > precision) {
            if square.distance > found.distance {
                found = Square { ..square };
            }
            asked += 4;
            if asked > SQUARES_MAX {
                break;
            }
            let half = square.half / 2.0;
            for (dx, dy) in [(-half, -half), (half, -half), (-half, half), (half, half)] {
                let quarter = self.square(square.x + dx, square.y + dy, half);
                if quarter.distance > found.distance {
                    found = Square { ..quarter };
                }
                if quarter.best - found.distance > precision {
                    self.squares.push(quarter);
                }
            }
        }
        (found.x, found.y)
    }

    fn square(&self, x: f64, y: f64, half: f64) -> Square {
        let distance = self.distance(x, y);
        Square { x, y, half, distance, best: distance + half * std::f64::consts::SQRT_2 }
    }

    /// To the nearest edge; negative outside.
    fn distance(&self, x: f64, y: f64) -> f64 {
        let (x, y) = (x as f32, y as f32);
        let mut nearest = [f32::INFINITY; LANES];
        let mut crossings = [0u32; LANES];
        for edges in &self.edges {
            for lane in 0..LANES {
                let (dx, dy) = (edges.dx[lane], edges.dy[lane]);
                let (px, py) = (x - edges.ax[lane], y - edges.ay[lane]);
                // Crosses the horizontal through the position, to its right.
                let crosses = ((py >= 0.0) != (py >= dy)) & ((px * dy < py * dx) == (dy > 0.0));
                crossings[lane] ^= u32::from(crosses);
                let along = (px * dx + py * dy) * edges.per_length[lane];
                let along = if along > 0.0 { along } else { 0.0 };
                let along = if along < 1.0 { along } else { 1.0 };
                let (ox, oy) = (px - along * dx, py - along * dy);
                let squared = ox * ox + oy * oy;
                nearest[lane] = if squared < nearest[lane] { squared } else { nearest[lane] };
            }
        }
        let nearest = f64::from(nearest.into_iter().fold(f32::INFINITY, f32::min)).sqrt();
        let inside = crossings.into_iter().fold(0, |sum, crossing| sum ^ crossing) == 1;
        if inside { nearest } else { -nearest }
    }
}

fn centroid(ring: &[Point], low: Point) -> (f64, f64) {
    let at = |p: Point| (f64::from(p[0]) - f64::from(low[0]), f64::from(p[1]) - f64::from(low[1]));
    let (mut x, mut y, mut area) = (0.0, 0.0, 0.0);
    for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let ((ax, ay), (bx, by)) = (at(*a), at(*b));
        let cross = ax * by - bx * ay;
        (x, y, area) = (x + (ax + bx) * cross, y + (ay + by) * cross, area + cross);
    }
    if area == 0.0 { at(ring[0]) } else { (x / (3.0 * area), y / (3.0 * area)) }
}

/// Length of a line.
pub fn length(line: &[Point]) -> f64 {
    line.windows(2).map(|pair| step(pair[0], pair[1])).sum()
}

fn step(a: Point, b: Point) -> f64 {
    (f64::from(b[0]) - f64::from(a[0])).hypot(f64::from(b[1]) - f64::from(a[1]))
}

/// The position halfway along a line.
pub fn middle(line: &[Point]) -> Point {
    let mut left = length(line) / 2.0;
    for pair in line.windows(2) {
        let step = step(pair[0], pair[1]);
        if step >= left && step > 0.0 {
            let part = left / step;
            return [0, 1].map(|axis| {
                let (from, to) = (f64::from(pair[0][axis]), f64::from(pair[1][axis]));
                (from + (to - from) * part).round() as i32
            });
        }
        left -= step;
    }
    line.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pole(rings: &[&[Point]]) -> Point {
        Labeller::default().pole(rings.iter().copied(), 1.0)
    }

    #[test]
    fn the_pole_of_an_angle_lies_in_its_corner() {
        let angle: &[Point] = &[[0, 0], [1000, 0], [1000, 200], [200, 200], [200, 1000], [0, 1000]];
        let [x, y] = pole(&[angle]);
        assert!((x - 117).abs() < 4 && (y - 117).abs() < 4, "{x} {y}");
    }

    #[test]
    fn a_hole_pushes_it_aside() {
        let square: &[Point] = &[[0, 0], [1000, 0], [1000, 1000], [0, 1000]];
        assert_eq!(pole(&[square]), [500, 500]);
        let [x, y] = pole(&[square, &[[300, 300], [300, 990], [990, 990], [990, 300]]]);
        assert!(x < 300 || y < 300, "{x} {y}");
    }

    #[test]
    fn it_is_inside_whatever_the_shape() {
        let hook: &[Point] = &[[0, 0], [10_000, 0], [10_000, 9_000], [9_700, 9_000], [9_700, 300], [300, 300], [300, 9_000], [0, 9_000]];
        let [x, y] = pole(&[hook]);
        assert!((0..=10_000).contains(&x) && (y <= 300 || !(300..=9_700).contains(&x)), "{x} {y}");
    }

    #[test]
    fn a_line_is_labelled_halfway_and_a_dot_where_it_is() {
        assert_eq!(middle(&[[0, 0], [10, 0], [10, 30]]), [10, 10]);
        assert_eq!(middle(&[[7, 7]]), [7, 7]);
        assert_eq!(pole(&[&[[5, 5]]]), [5, 5]);
    }
}
