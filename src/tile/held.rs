//! Positions where features of a layer meet with different neighbours: the ends of the arcs that they share.
//!
//! A position is held where two rings or lines pass it and come from, or go to, different positions. Found by a table of
//! what each position's neighbours are, some of the positions at a time, so that it stays small for a layer of any size.

use rayon::iter::IntoParallelIterator;
use rayon::iter::ParallelIterator;

use crate::tile::record::Ring;
use crate::tile::world::Part;
use crate::tile::world::Point;

/// Positions of one table: its places stay near the processor.
const POSITIONS_A_TABLE: u64 = 1 << 18;

/// A set of positions.
#[derive(Default)]
pub struct Held {
    /// Open addressing, a power of two of places; packed positions, `filled` where there is one.
    places: Vec<u64>,
    filled: Vec<bool>,
}

fn packed(point: Point) -> u64 {
    u64::from(point[0] as u32) << 32 | u64::from(point[1] as u32)
}

/// A hash of sixty-four bits (the finaliser of MurmurHash3).
pub fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 33)
}

impl Held {
    pub fn holds(&self, point: Point) -> bool {
        if self.places.is_empty() {
            return false;
        }
        let (key, mask) = (packed(point), self.places.len() - 1);
        let mut place = mixed(key) as usize & mask;
        while self.filled[place] {
            if self.places[place] == key {
                return true;
            }
            place = (place + 1) & mask;
        }
        false
    }

    fn of(keys: &[u64]) -> Held {
        if keys.is_empty() {
            return Held::default();
        }
        let count = (keys.len() * 2).next_power_of_two();
        let mut held = Held { places: vec![0; count], filled: vec![false; count] };
        for key in keys {
            let mut place = mixed(*key) as usize & (count - 1);
            while held.filled[place] && held.places[place] != *key {
                place = (place + 1) & (count - 1);
            }
            (held.places[place], held.filled[place]) = (*key, true);
        }
        held
    }

    /// `positions`: how many there are in all; `walk` visits every ring, and may be called from several threads.
    pub fn find<'a>(positions: u64, walk: impl Fn(&mut dyn FnMut(Ring<'a>)) + Sync) -> Held {
        let turns = positions.div_ceil(POSITIONS_A_TABLE).max(1);
        let found: Vec<Vec<u64>> = (0..turns).into_par_iter().map(|turn| Table::fill(turn, turns, positions, &walk)).collect();
        Held::of(&found.concat())
    }
}

/// Keys, and a hash of the neighbours that each was first seen with (0: an empty place).
struct Table {
    keys: Vec<u64>,
    neighbours: Vec<u32>,
    seen: usize,
    held: Vec<u64>,
}

impl Table {
    fn fill<'a>(turn: u64, turns: u64, positions: u64, walk: &impl Fn(&mut dyn FnMut(Ring<'a>))) -> Vec<u64> {
        let count = (usize::try_from(positions / turns).unwrap_or(0) * 2).next_power_of_two().max(16);
        let mut table = Table { keys: vec![0; count], neighbours: vec![0; count], seen: 0, held: Vec::new() };
        walk(&mut |ring| {
            let count = ring.len();
            if ring.part == Part::Point || count < 2 {
                return;
            }
            let is_line = ring.part == Part::Line;
            let mut before = ring.point(count - 1);
            let mut here = ring.point(0);
            for at in 0..count {
                let after = ring.point(if at + 1 == count { 0 } else { at + 1 });
                let hash = mixed(packed(here));
                // The lower bits find the place in the table, the upper ones the table.
                if turns == 1 || (u128::from(hash) * u128::from(turns)) >> 64 == u128::from(turn) {
                    let one = if is_line && at == 0 { 0 } else { mixed(packed(before)) };
                    let other = if is_line && at + 1 == count { 0 } else { mixed(packed(after)) };
                    table.note(packed(here), hash, (one.wrapping_add(other) >> 32) as u32 | 1);
                }
                (before, here) = (here, after);
            }
        });
        table.held.sort_unstable();
        table.held.dedup();
        table.held
    }

    fn note(&mut self, key: u64, hash: u64, neighbours: u32) {
        let mask = self.keys.len() - 1;
        let mut place = hash as usize & mask;
        while self.neighbours[place] != 0 {
            if self.keys[place] == key {
                if self.neighbours[place] != neighbours {
                    self.held.push(key);
                }
                return;
            }
            place = (place + 1) & mask;
        }
        (self.keys[place], self.neighbours[place]) = (key, neighbours);
        self.seen += 1;
        if self.seen * 4 > self.keys.len() * 3 {
            self.grow();
        }
    }
    /// The hashes of some layers are spread unevenly.
    fn grow(&mut self) {
        let count = self.keys.len() * 2;
        let (keys, neighbours) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.neighbours));
        (self.keys, self.neighbours) = (vec![0; count], vec![0; count]);
        for (key, neighbours) in keys.into_iter().zip(neighbours).filter(|(_, neighbours)| *neighbours != 0) {
            let mut place = mixed(key) as usize & (count - 1);
            while self.neighbours[place] != 0 {
                place = (place + 1) & (count - 1);
            }
            (self.keys[place], self.neighbours[place]) = (key, neighbours);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::record::Feature;
    use crate::tile::record::Kind;
    use crate::tile::record::RecordWriter;
    use crate::tile::record::push_ring;

    fn held(rings: &[(Part, &[Point])]) -> Vec<Point> {
        let mut bytes = (rings.len() as u32).to_le_bytes().to_vec();
        for (part, points) in rings {
            push_ring(&mut bytes, *part, points, &vec![0; points.len()]);
        }
        let length = bytes.len() as u32;
        let mut writer = RecordWriter::new(None);
        writer.write(&bytes).expect("in memory");
        let records = writer.finish().expect("in memory");
        let feature = Feature { low: [0; 2], high: [0; 2], label: [0; 2], offset: 0, id: 0, size: 0.0, rank: 0, length, kind: Kind::Area };
        let positions = rings.iter().map(|(_, points)| points.len() as u64).sum();
        let found = Held::find(positions, |visit| records.record(&feature, 0).rings().for_each(visit));
        let mut all: Vec<Point> = rings.iter().flat_map(|(_, points)| points.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().filter(|point| found.holds(*point)).collect()
    }

    #[test]
    fn two_neighbours_part_where_their_border_ends() {
        let left: &[Point] = &[[0, 0], [10, 0], [11, 5], [10, 10], [0, 10]];
        let right: &[Point] = &[[10, 10], [11, 5], [10, 0], [20, 0], [20, 10]];
        assert_eq!(held(&[(Part::Shell, left), (Part::Shell, right)]), [[10, 0], [10, 10]]);
        assert!(held(&[(Part::Shell, left)]).is_empty());
    }

    #[test]
    fn an_island_in_its_own_hole_shares_all_of_its_ring() {
        let shell: &[Point] = &[[0, 0], [10, 0], [10, 10]];
        let hole: &[Point] = &[[10, 10], [10, 0], [0, 0]];
        assert!(held(&[(Part::Shell, shell), (Part::Hole, hole)]).is_empty());
    }

    #[test]
    fn a_junction_of_roads_is_held_and_a_passing_end_too() {
        let street: &[Point] = &[[0, 0], [5, 0], [9, 0]];
        let lane: &[Point] = &[[5, 0], [5, 7]];
        assert_eq!(held(&[(Part::Line, street), (Part::Line, lane)]), [[5, 0]]);
    }
}
