//! An R*Tree built at once: its shadow tables are written page by page, fifty times faster than by inserts.
//!
//! SQLite's format: a node is a 16-bit depth (in the root only), a 16-bit count, then cells of a 64-bit number and four
//! 32-bit floats (min x, max x, min y, max y), all big-endian. Entries must come along a space-filling curve.

use std::borrow::Cow;
use std::io;
use std::iter::once;
use std::path::Path;

use rusqlite::Connection;

use crate::geopackage::bulk::BulkTable;
use crate::geopackage::bulk::Column;
use crate::geopackage::quoted;
use crate::model::feature::Value;
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

/// The shadow tables of an R*Tree without a node, which `fill` writes.
pub struct Shadows {
    /// Root pages of `_node`, `_parent` and `_rowid`.
    node: u32,
    parent: u32,
    rowid: u32,
    node_bytes: usize,
}

/// Creates the R*Tree `name`, which is to be filled before anybody asks it.
///
/// # Errors
/// Those of SQLite.
pub fn create(connection: &Connection, name: &str) -> rusqlite::Result<Shadows> {
    connection.execute_batch(&format!("CREATE VIRTUAL TABLE {} USING rtree(id, minx, maxx, miny, maxy)", quoted(name)))?;
    let table = |suffix: &str| format!("{name}_{suffix}");
    let root = |suffix| connection.query_row("SELECT rootpage FROM sqlite_master WHERE name = ?1", [table(suffix)], |row| row.get(0));
    let nodes = quoted(&table("node"));
    // The size that this SQLite chose for its nodes is that of the empty root.
    let node_bytes = connection.query_row(&format!("SELECT length(data) FROM {nodes} WHERE nodeno = 1"), [], |row| row.get(0))?;
    connection.execute(&format!("DELETE FROM {nodes}"), [])?;
    Ok(Shadows { node: root("node")?, parent: root("parent")?, rowid: root("rowid")?, node_bytes })
}

/// Entries that lie in nodes of one depth, and the number of the first of these nodes.
struct Level<'e> {
    entries: Cow<'e, [Entry]>,
    first: i64,
}

impl Shadows {
    /// Writes the tree of `entries` into a file that nobody has open.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn fill(&self, path: &Path, entries: &[Entry]) -> io::Result<()> {
        let cells = (self.node_bytes - HEAD) / CELL;
        let (below, root) = levels(entries, cells);
        let mut nodes = BulkTable::open(path, self.node)?;
        let mut push = |number, chunk: &[Entry], depth| nodes.push(number, once(Column::Blob(&encode(chunk, depth, self.node_bytes))));
        push(1, &root, below.len() as u16)?;
        for level in &below {
            (level.first..).zip(level.entries.chunks(cells)).try_for_each(|(number, chunk)| push(number, chunk, 0))?;
        }
        nodes.finish()?;
        let root = Level { entries: root, first: 1 };
        let mut links = below
            .iter()
            .chain(once(&root))
            .map(|level| level.entries.iter().zip(0i64..).map(|(entry, at)| (entry.row, level.first + at / cells as i64)));
        let mut rows: Vec<(i64, i64)> = links.next().into_iter().flatten().collect();
        write_links(path, self.parent, links.flatten())?;
        rows.sort_unstable();
        write_links(path, self.rowid, rows.into_iter())
    }
}

/// From the leaves' entries up, and the root's. Node 1 is the root; the others are numbered from 2, leaves first.
fn levels(entries: &[Entry], cells: usize) -> (Vec<Level<'_>>, Cow<'_, [Entry]>) {
    let (mut below, mut next) = (Vec::new(), 2);
    let mut entries = Cow::Borrowed(entries);
    while entries.len() > cells {
        let first = next;
        let above: Vec<Entry> = (first..).zip(entries.chunks(cells)).map(|(number, chunk)| Entry::join(number, chunk)).collect();
        next += above.len() as i64;
        below.push(Level { entries, first });
        entries = Cow::Owned(above);
    }
    (below, entries)
}

/// Keys in ascending order, each with the node that it lies in.
fn write_links(path: &Path, root: u32, mut links: impl Iterator<Item = (i64, i64)>) -> io::Result<()> {
    let mut table = BulkTable::open(path, root)?;
    links.try_for_each(|(key, node)| table.push(key, once(Column::Value(Value::Integer(node)))))?;
    table.finish().map(|_| ())
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
        let folder = tempfile::tempdir().expect("a folder");
        for count in [0i32, 1, 51, 52, 2_601, 2_602, 150_000] {
            for is_shuffled in [false, true] {
                let path = folder.path().join(format!("{count}{is_shuffled}.db"));
                let connection = Connection::open(&path).expect("created");
                let shadows = create(&connection, "rtree_t_geom").expect("created");
                drop(connection);
                let row = |n: i32| if is_shuffled { i64::from(n) * 7_919 % 200_003 } else { i64::from(n) + 1 };
                let entries: Vec<Entry> = (0..count)
                    .map(|n| {
                        let place = f64::from(n) * 1e-5;
                        Entry::new(row(n), &Envelope { west: place, south: 48.0, east: place + 1e-5, north: 48.1 })
                    })
                    .collect();
                shadows.fill(&path, &entries).expect("filled");
                let connection = Connection::open(&path).expect("a database");
                for check in ["SELECT rtreecheck('rtree_t_geom')", "PRAGMA integrity_check"] {
                    let verdict: String = connection.query_row(check, [], |row| row.get(0)).expect("checked");
                    assert_eq!(verdict, "ok", "{count} {check}");
                }
                let found = "SELECT count(*), coalesce(sum(id), 0) FROM rtree_t_geom WHERE maxx >= 0";
                let found: (i64, i64) = connection.query_row(found, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("counted");
                assert_eq!(found, (i64::from(count), (0..count).map(row).sum()));
                let change = "DELETE FROM rtree_t_geom WHERE id % 3 = 0; INSERT INTO rtree_t_geom VALUES (900000, 0, 1, 48, 49)";
                connection.execute_batch(change).expect("a tree like any other");
                let verdict: String = connection.query_row("SELECT rtreecheck('rtree_t_geom')", [], |row| row.get(0)).expect("checked");
                assert_eq!(verdict, "ok", "{count}");
            }
        }
    }

    #[test]
    fn floats_are_rounded_outward() {
        for value in [-1.96395, 48.126_1, 0.1, -0.1, 0.0] {
            assert!(f64::from(below(value)) <= value && f64::from(above(value)) >= value);
        }
    }
}
