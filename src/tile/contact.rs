//! Edges of an area that have a position in common and should not.
//!
//! Few edges are compared each with each, many through a grid of cells, each with those in its cells.

use crate::tile::clip::Frame;
use crate::tile::shape::Shape;
use crate::tile::world::Point;
use crate::tile::world::cross;

/// Up to so many edges the grid costs more than it saves.
const PAIRS_EDGES_MAX: usize = 24;

#[derive(Clone, Copy)]
struct Edge {
    from: Point,
    to: Point,
    low: Point,
    high: Point,
    /// Its number, and that of the edge that follows in its ring.
    at: u32,
    next: u32,
}

/// Finds contacts, in buffers that are kept.
#[derive(Default)]
pub struct Contacts {
    edges: Vec<Edge>,
    /// Where each cell's entries begin, then the entries: numbers of edges.
    starts: Vec<u32>,
    entries: Vec<u32>,
}

impl Contacts {
    /// Whether two edges have a position in common, other than neighbours of a ring, who have one. Rings are tidy.
    pub fn are_in(&mut self, shape: &Shape) -> bool {
        self.edges.clear();
        for (ring, _) in shape.parts() {
            let first = self.edges.len() as u32;
            for (number, from) in ring.iter().enumerate() {
                let is_last = number + 1 == ring.len();
                let to = ring[if is_last { 0 } else { number + 1 }];
                let (low, high) = ([from[0].min(to[0]), from[1].min(to[1])], [from[0].max(to[0]), from[1].max(to[1])]);
                let at = first + number as u32;
                self.edges.push(Edge { from: *from, to, low, high, at, next: if is_last { first } else { at + 1 } });
            }
        }
        if self.edges.len() > PAIRS_EDGES_MAX {
            return self.are_in_cells(&Frame::of(&shape.points));
        }
        self.edges.iter().enumerate().any(|(number, one)| self.edges[number + 1..].iter().any(|other| meet(one, other)))
    }

    fn are_in_cells(&mut self, frame: &Frame) -> bool {
        let grid = Grid::of(frame, self.edges.len());
        self.starts.clear();
        self.starts.resize(grid.cells() + 1, 0);
        for edge in &self.edges {
            grid.cells_of(edge, |cell| self.starts[cell + 1] += 1);
        }
        for cell in 1..self.starts.len() {
            self.starts[cell] += self.starts[cell - 1];
        }
        self.entries.clear();
        self.entries.resize(self.starts[grid.cells()] as usize, 0);
        // Filling moves each start to its end, which is the start of the next.
        for (number, edge) in self.edges.iter().enumerate() {
            grid.cells_of(edge, |cell| {
                self.entries[self.starts[cell] as usize] = number as u32;
                self.starts[cell] += 1;
            });
        }
        let mut begin = 0;
        for end in &self.starts[..grid.cells()] {
            let cell = &self.entries[begin..*end as usize];
            begin = *end as usize;
            for (number, one) in cell.iter().enumerate() {
                let one = &self.edges[*one as usize];
                if cell[number + 1..].iter().any(|other| meet(one, &self.edges[*other as usize])) {
                    return true;
                }
            }
        }
        false
    }
}

/// About as many cells as edges, over the box of the area.
struct Grid {
    low: Point,
    side: i64,
    cols: i64,
    rows: i64,
}

impl Grid {
    fn of(frame: &Frame, edges: usize) -> Grid {
        let length = |axis: usize| i64::from(frame.high[axis]) - i64::from(frame.low[axis]) + 1;
        let (width, height) = (length(0), length(1));
        let side = ((width as f64 * height as f64 / edges as f64).sqrt().ceil() as i64).max(1);
        Grid { low: frame.low, side, cols: (width - 1) / side + 1, rows: (height - 1) / side + 1 }
    }

    fn cells(&self) -> usize {
        (self.cols * self.rows) as usize
    }

    fn cells_of(&self, edge: &Edge, mut visit: impl FnMut(usize)) {
        let cell = |point: Point, axis: usize| (i64::from(point[axis]) - i64::from(self.low[axis])) / self.side;
        for row in cell(edge.low, 1)..=cell(edge.high, 1) {
            for col in cell(edge.low, 0)..=cell(edge.high, 0) {
                visit((row * self.cols + col) as usize);
            }
        }
    }
}

#[inline]
fn meet(one: &Edge, other: &Edge) -> bool {
    let are_apart =
        (one.low[0] > other.high[0]) | (other.low[0] > one.high[0]) | (one.low[1] > other.high[1]) | (other.low[1] > one.high[1]);
    // A tidy ring has no edge that goes back along its neighbour.
    if are_apart || one.next == other.at || other.next == one.at {
        return false;
    }
    let side = |edge: &Edge, point: Point| cross(edge.from, edge.to, point).signum();
    side(one, other.from) * side(one, other.to) <= 0 && side(other, one.from) * side(other, one.to) <= 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A comb of so many teeth; `tooth` is where the last one ends.
    fn comb(teeth: i32, tooth: Point) -> Shape {
        let mut ring = vec![[0, -5]];
        for at in 0..teeth {
            ring.extend([[at * 10, 0], [at * 10 + 5, 100]]);
        }
        ring.extend([tooth, [teeth * 10, -5]]);
        let mut shape = Shape::default();
        shape.push_part(&ring, false);
        shape
    }

    #[test]
    fn cells_find_what_pairs_find() {
        for teeth in [3, 40] {
            let sound = comb(teeth, [teeth * 10, 0]);
            let touching = comb(teeth, [5, 100]);
            let crossing = comb(teeth, [7, 60]);
            let found = [sound, touching, crossing].map(|shape| Contacts::default().are_in(&shape));
            assert_eq!(found, [false, true, true], "{teeth}");
        }
    }
}
