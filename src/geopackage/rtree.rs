//! An R*Tree built at once: its shadow tables are written node by node, ten times faster than by inserts.
//!
//! SQLite's format: a node is a 16-bit depth (in the root only), a 16-bit count, then cells of a 64-bit number and four
//! 32-bit floats (min x, max x, min y, max y), all big-endian. Entries must come along a space-filling curve.

use rusqlite::Connection;
use rusqlite::params;

use crate::geopackage::quoted;
use crate::model::geometry::Envelope;

/// Row number and envelope in floats rounded outward: 24 bytes a feature.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub row: i64,
    min_x: f32,
    max_x: f32,
    min_y: f32,
    max_y: f32,
}

impl Entry {
    pub fn new(row: i64, envelope: &Envelope) -> Entry {
        Entry { row, min_x: below(envelope.west), max_x: above(envelope.east), min_y: below(envelope.south), max_y: above(envelope.north) }
    }

    /// West, south, east, north.
    pub fn bounds(&self) -> [f32; 4] {
        [self.min_x, self.min_y, self.max_x, self.max_y]
    }

    fn join(row: i64, entries: &[Entry]) -> Entry {
        let mut joined = Entry { row, ..entries[0] };
        for entry in entries {
            joined.min_x = joined.min_x.min(entry.min_x);
            joined.max_x = joined.max_x.max(entry.max_x);
            joined.min_y = joined.min_y.min(entry.min_y);
            joined.max_y = joined.max_y.max(entry.max_y);
        }
        joined
    }
}

/// Greatest float not above a double.
fn below(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) > value { near.next_down() } else { near }
}

/// Smallest float not below a double.
fn above(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value { near.next_up() } else { near }
}

/// Bytes of a cell, and of a node's head.
const CELL: usize = 24;
const HEAD: usize = 4;

/// Creates the R*Tree `name` and fills it.
///
/// # Errors
/// Those of SQLite.
pub fn build(connection: &Connection, name: &str, entries: &[Entry]) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("CREATE VIRTUAL TABLE {} USING rtree(id, minx, maxx, miny, maxy)", quoted(name)))?;
    if entries.is_empty() {
        return Ok(());
    }
    let table = |suffix: &str| quoted(&format!("{name}_{suffix}"));
    // The size that this SQLite chose for its nodes is that of the empty root.
    let node_bytes: usize =
        connection.query_row(&format!("SELECT length(data) FROM {} WHERE nodeno = 1", table("node")), [], |row| row.get(0))?;
    let cells = (node_bytes - HEAD) / CELL;
    connection.execute(&format!("DELETE FROM {}", table("node")), [])?;
    let mut node = connection.prepare(&format!("INSERT INTO {}(nodeno, data) VALUES (?1, ?2)", table("node")))?;
    let mut parent = connection.prepare(&format!("INSERT INTO {}(nodeno, parentnode) VALUES (?1, ?2)", table("parent")))?;
    let mut rowid = connection.prepare(&format!("INSERT INTO {}(rowid, nodeno) VALUES (?1, ?2)", table("rowid")))?;
    let mut level: Vec<Entry> = entries.to_vec();
    let mut depth = 0u16;
    // Node 1 is the root; the others are numbered from 2 as they are written.
    let mut next = 2i64;
    loop {
        let is_root = level.len() <= cells;
        let mut above = Vec::with_capacity(level.len() / cells + 1);
        for chunk in level.chunks(cells) {
            let number = if is_root { 1 } else { next };
            node.execute(params![number, encode(chunk, if is_root { depth } else { 0 }, node_bytes)])?;
            for entry in chunk {
                let link = if depth == 0 { &mut rowid } else { &mut parent };
                link.execute(params![entry.row, number])?;
            }
            above.push(Entry::join(number, chunk));
            next += i64::from(!is_root);
        }
        if is_root {
            return Ok(());
        }
        level = above;
        depth += 1;
    }
}

fn encode(entries: &[Entry], depth: u16, node_bytes: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(node_bytes);
    data.extend_from_slice(&depth.to_be_bytes());
    data.extend_from_slice(&(entries.len() as u16).to_be_bytes());
    for entry in entries {
        data.extend_from_slice(&entry.row.to_be_bytes());
        for value in [entry.min_x, entry.max_x, entry.min_y, entry.max_y] {
            data.extend_from_slice(&value.to_be_bytes());
        }
    }
    data.resize(node_bytes, 0);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_finds_nothing_wrong_with_a_tree_of_any_size() {
        for count in [0, 1, 51, 52, 2_601, 2_602, 150_000] {
            let connection = Connection::open_in_memory().expect("memory");
            let entries: Vec<Entry> = (0..count)
                .map(|n| {
                    let place = f64::from(n) * 1e-5;
                    Entry::new(i64::from(n) + 1, &Envelope { west: place, south: 48.0, east: place + 1e-5, north: 48.1 })
                })
                .collect();
            build(&connection, "rtree_t_geom", &entries).expect("built");
            let verdict: String = connection.query_row("SELECT rtreecheck('rtree_t_geom')", [], |row| row.get(0)).expect("checked");
            assert_eq!(verdict, "ok", "{count}");
            let found: i64 =
                connection.query_row("SELECT count(*) FROM rtree_t_geom WHERE maxx >= 0", [], |row| row.get(0)).expect("counted");
            assert_eq!(found, i64::from(count));
        }
    }

    #[test]
    fn floats_are_rounded_outward() {
        for value in [-1.96395, 48.126_1, 0.1, -0.1, 0.0] {
            assert!(f64::from(below(value)) <= value && f64::from(above(value)) >= value);
        }
    }
}
