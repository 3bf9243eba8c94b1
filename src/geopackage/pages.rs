//! The rows of a table where they lie in the file: its b-tree, page by page (SQLite file format 3, sections 1.3, 1.6, 2.1).
//!
//! Ten times cheaper than asking SQLite row by row. Reads a file that nobody writes, without its log: the caller sees to
//! both. Refuses what it does not know; the caller then asks SQLite.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use memmap2::Mmap;
use rayon::iter::IntoParallelIterator;
use rayon::iter::ParallelIterator;

use crate::geopackage::TornPage;

/// Pages of interior nodes from the root to a leaf: four billion rows need far fewer.
const DEPTH_MAX: usize = 16;

const HEAD_BYTES: usize = 100;
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// Told of a row's key and its record.
pub type Visit<'a, E> = &'a mut dyn FnMut(i64, &[u8]) -> Result<(), E>;

pub struct Pages {
    path: PathBuf,
    map: Mmap,
    page_bytes: usize,
    /// Without the bytes that extensions reserve at a page's end.
    usable: usize,
}

/// What a walk carries from page to page.
struct Walk<'a> {
    /// A record that lies in several pages.
    overflow: Vec<u8>,
    pages_left: &'a PagesLeft,
}

/// A tree has each page once; one that runs in circles is none.
struct PagesLeft(AtomicUsize);

impl PagesLeft {
    fn take(&self) -> Option<()> {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).ok().map(|_| ())
    }

    fn give_back(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Pages {
    /// `None` for a file that is not a database in UTF-8.
    pub fn open(path: &Path) -> Option<Pages> {
        // SAFETY: a file that changes under the mapping gives other bytes, which are checked as they are read, or a signal,
        // which ends the reading worker.
        let map = unsafe { Mmap::map(&File::open(path).ok()?) }.ok()?;
        let head = map.get(..HEAD_BYTES).filter(|head| head.starts_with(b"SQLite format 3\0"))?;
        let page_bytes = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        let usable = page_bytes.checked_sub(usize::from(head[20])).filter(|usable| *usable >= 480)?;
        let is_utf8 = u32::from_be_bytes([head[56], head[57], head[58], head[59]]) == 1;
        (is_utf8 && page_bytes.is_power_of_two()).then(|| Pages { path: path.to_owned(), map, page_bytes, usable })
    }

    /// Calls `visit` with the rowid and the record of each row below a root page, in the order of rowids.
    ///
    /// # Errors
    /// Those of `visit`; `TornPage` where the pages are no table.
    pub fn walk<E: From<TornPage>>(&self, root: u32, visit: Visit<'_, E>) -> Result<(), E> {
        let mut walk = Walk { overflow: Vec::new(), pages_left: &self.pages_left() };
        self.descend(root, 0, &mut walk, visit)
    }

    /// Folds the records below each child of a root page on every core: `begin` makes an empty `T`, `see` adds a record,
    /// `join` adds a `T` to another; the order of records is not kept.
    ///
    /// # Errors
    /// Those of `see`; `TornPage` where the pages are no table.
    pub fn fold<T: Send, E: From<TornPage> + Send>(
        &self,
        root: u32,
        begin: impl Fn() -> T + Sync,
        see: impl Fn(&mut T, &[u8]) -> Result<(), E> + Sync,
        join: impl Fn(T, T) -> T + Sync + Send,
    ) -> Result<T, E> {
        let pages_left = &self.pages_left();
        let (roots, depth) = self.roots(root, pages_left)?;
        let each = |root: u32| {
            let mut seen = begin();
            let mut walk = Walk { overflow: Vec::new(), pages_left };
            self.descend(root, depth, &mut walk, &mut |_, record| see(&mut seen, record))?;
            Ok(seen)
        };
        roots.into_par_iter().map(each).try_reduce(&begin, |one, other| Ok(join(one, other)))
    }

    /// Rows below a root page, by the heads of its leaves alone, on every core: what it waits for is the memory.
    ///
    /// # Errors
    /// `TornPage` where the pages are no table.
    pub fn count(&self, root: u32) -> Result<u64, TornPage> {
        let pages_left = &self.pages_left();
        let (roots, depth) = self.roots(root, pages_left)?;
        roots.into_par_iter().map(|root| self.count_below(root, depth, pages_left)).sum()
    }

    /// Pages below which the work can be shared, and how deep they lie: the children of the root, or a root that is a leaf.
    fn roots(&self, root: u32, pages_left: &PagesLeft) -> Result<(Vec<u32>, usize), TornPage> {
        let node = self.node(root, pages_left)?;
        if node.is_leaf {
            // Looked at once more as any other page.
            pages_left.give_back();
            return Ok((vec![root], 0));
        }
        Ok((self.children(&node).collect::<Result<_, _>>()?, 1))
    }

    fn count_below(&self, number: u32, depth: usize, pages_left: &PagesLeft) -> Result<u64, TornPage> {
        let node = self.node(number, pages_left)?;
        if node.is_leaf {
            return Ok(node.cells as u64);
        }
        self.deeper(&node, depth)?;
        self.children(&node).map(|child| self.count_below(child?, depth + 1, pages_left)).sum()
    }

    fn descend<E: From<TornPage>>(&self, number: u32, depth: usize, walk: &mut Walk<'_>, visit: Visit<'_, E>) -> Result<(), E> {
        let node = self.node(number, walk.pages_left)?;
        if !node.is_leaf {
            self.deeper(&node, depth)?;
            return self.children(&node).try_for_each(|child| self.descend(child?, depth + 1, walk, visit));
        }
        for cell in 0..node.cells {
            let found = node.place(cell).and_then(|at| self.cell(node.page, at, &mut walk.overflow));
            let (row, record) = found.ok_or_else(|| self.torn(number))?;
            visit(row, record)?;
        }
        Ok(())
    }

    fn pages_left(&self) -> PagesLeft {
        PagesLeft(AtomicUsize::new(self.map.len() / self.page_bytes))
    }

    fn torn(&self, page: u32) -> TornPage {
        TornPage { path: self.path.clone(), page }
    }

    fn deeper(&self, node: &Node<'_>, depth: usize) -> Result<(), TornPage> {
        if depth + 1 < DEPTH_MAX { Ok(()) } else { Err(self.torn(node.number)) }
    }

    fn node(&self, number: u32, pages_left: &PagesLeft) -> Result<Node<'_>, TornPage> {
        let node = pages_left.take().and_then(|()| self.page(number)).and_then(|page| Node::of(number, page));
        node.ok_or_else(|| self.torn(number))
    }

    /// The pages below an interior one, in the order of their rows.
    fn children<'n>(&'n self, node: &'n Node<'_>) -> impl Iterator<Item = Result<u32, TornPage>> + 'n {
        let last = std::iter::once_with(|| four(node.page, node.head + 8));
        let children = (0..node.cells).map(|cell| four(node.page, node.place(cell)?)).chain(last);
        children.map(|child| child.ok_or_else(|| self.torn(node.number)))
    }

    fn page(&self, number: u32) -> Option<&[u8]> {
        let start = usize::try_from(number.checked_sub(1)?).ok()?.checked_mul(self.page_bytes)?;
        self.map.get(start..start + self.page_bytes)
    }

    /// Rowid and record of a leaf's cell; a record that goes on in other pages is gathered in `overflow`.
    fn cell<'a>(&'a self, page: &'a [u8], at: usize, overflow: &'a mut Vec<u8>) -> Option<(i64, &'a [u8])> {
        let (length, at) = varint(page, at)?;
        let (row, at) = varint(page, at)?;
        let length = usize::try_from(length).ok().filter(|length| *length < self.map.len())?;
        // Section 1.6: how much of a record stays in the leaf.
        let local_max = self.usable - 35;
        if length <= local_max {
            return Some((row, page.get(at..at + length)?));
        }
        let local_min = (self.usable - 12) * 32 / 255 - 23;
        let surplus = local_min + (length - local_min) % (self.usable - 4);
        let local = if surplus <= local_max { surplus } else { local_min };
        overflow.clear();
        overflow.reserve(length);
        overflow.extend_from_slice(page.get(at..at + local)?);
        let mut next = four(page, at + local)?;
        while overflow.len() < length {
            let page = self.page(next)?;
            let rest = (length - overflow.len()).min(self.usable - 4);
            overflow.extend_from_slice(page.get(4..4 + rest)?);
            next = four(page, 0)?;
        }
        Some((row, overflow))
    }
}

/// A page of a table's b-tree.
struct Node<'a> {
    number: u32,
    page: &'a [u8],
    head: usize,
    is_leaf: bool,
    cells: usize,
}

impl<'a> Node<'a> {
    /// `None` for a page that is none of a table.
    fn of(number: u32, page: &'a [u8]) -> Option<Node<'a>> {
        let head = if number == 1 { HEAD_BYTES } else { 0 };
        let is_leaf = match page[head] {
            LEAF => true,
            INTERIOR => false,
            _ => return None,
        };
        Some(Node { number, page, head, is_leaf, cells: two(page, head + 3)? })
    }

    /// Where the nth cell begins.
    fn place(&self, cell: usize) -> Option<usize> {
        two(self.page, self.head + if self.is_leaf { 8 } else { 12 } + 2 * cell)
    }
}

fn two(bytes: &[u8], at: usize) -> Option<usize> {
    let two = bytes.get(at..at + 2)?;
    Some(usize::from(u16::from_be_bytes([two[0], two[1]])))
}

fn four(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// Section 1.6: seven bits a byte, eight in the ninth, the greatest first.
#[inline]
fn varint(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let mut value = 0u64;
    for n in 0..9 {
        let byte = *bytes.get(at + n)?;
        if n == 8 {
            return Some((((value << 8) | u64::from(byte)) as i64, at + 9));
        }
        value = (value << 7) | u64::from(byte & 0x7F);
        if byte < 0x80 {
            return Some((value as i64, at + n + 1));
        }
    }
    None
}

/// A column of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    /// Bytes that claim to be UTF-8.
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// Takes a record apart; `None` for what is none (section 2.1).
pub fn cells<'a>(record: &'a [u8], out: &mut Vec<Cell<'a>>) -> Option<()> {
    out.clear();
    let mut parts = Parts::of(record)?;
    while parts.at < parts.head {
        let (kind, bytes) = parts.part()?;
        out.push(cell(kind, bytes)?);
    }
    Some(())
}

/// One column of a record, without the others; `None` also where the record ends before it.
pub fn nth_cell(record: &[u8], column: usize) -> Option<Cell<'_>> {
    let mut parts = Parts::of(record)?;
    for _ in 0..column {
        parts.part()?;
    }
    let (kind, bytes) = parts.part()?;
    cell(kind, bytes)
}

/// The columns of a record that are left: the kind of the next stands at `at`, its bytes at `body`.
struct Parts<'a> {
    record: &'a [u8],
    at: usize,
    head: usize,
    body: usize,
}

impl<'a> Parts<'a> {
    fn of(record: &'a [u8]) -> Option<Parts<'a>> {
        let (head, at) = varint(record, 0)?;
        let head = usize::try_from(head).ok().filter(|head| *head <= record.len())?;
        Some(Parts { record, at, head, body: head })
    }

    #[inline]
    fn part(&mut self) -> Option<(i64, &'a [u8])> {
        if self.at >= self.head {
            return None;
        }
        let (kind, after) = varint(self.record, self.at)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let bytes = self.record.get(self.body..self.body.checked_add(length)?)?;
        (self.at, self.body) = (after, self.body + length);
        Some((kind, bytes))
    }
}

#[inline]
fn cell(kind: i64, bytes: &[u8]) -> Option<Cell<'_>> {
    Some(match kind {
        0 => Cell::Null,
        8 => Cell::Integer(0),
        9 => Cell::Integer(1),
        1..=6 => Cell::Integer(signed(bytes)),
        7 => Cell::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        kind if kind % 2 == 0 => Cell::Blob(bytes),
        _ => Cell::Text(bytes),
    })
}

/// Big-endian, two's complement, one to eight bytes.
fn signed(bytes: &[u8]) -> i64 {
    let first = if bytes[0] >= 0x80 { -1 } else { 0 };
    bytes.iter().fold(first, |value: i64, byte| (value << 8) | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn rows_are_those_that_sqlite_gives() {
        for page_bytes in [512, 4096, 65_536] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("t.db");
            let connection = Connection::open(&path).expect("created");
            connection.pragma_update(None, "page_size", page_bytes).expect("set");
            connection.execute_batch("CREATE TABLE t (fid INTEGER PRIMARY KEY, n, r REAL, s TEXT, b BLOB); BEGIN").expect("created");
            for n in 0..5_000i64 {
                let number = [0, 1, -1, 127, -129, 70_000, -9_000_000, 1 << 40, i64::MIN][n as usize % 9];
                let blob = vec![n as u8; (n * n % 9_973) as usize * usize::from(n % 7 == 0)];
                let row = rusqlite::params![n * 3 - 70, number, n as f64 / 8.0, "é".repeat((n % 300) as usize), blob];
                connection.execute("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)", row).expect("inserted");
            }
            connection.execute_batch("COMMIT; DELETE FROM t WHERE fid % 5 = 0").expect("committed");
            let root: u32 = connection.query_row("SELECT rootpage FROM sqlite_master", [], |row| row.get(0)).expect("known");
            let mut statement = connection.prepare("SELECT fid, n, r, s, b FROM t").expect("prepared");
            let mut expected = statement.query([]).expect("queried");
            let pages = Pages::open(&path).expect("a database");
            let mut walked = 0;
            let walk: Result<(), TornPage> = pages.walk(root, &mut |row, record| {
                let mut found = Vec::new();
                cells(record, &mut found).expect("a record");
                assert!((0..6).all(|column| nth_cell(record, column) == found.get(column).copied()));
                let asked = expected.next().expect("stepped").expect("a row");
                assert_eq!((row, found[0]), (asked.get(0).expect("an integer"), Cell::Null));
                assert_eq!(found[1], Cell::Integer(asked.get(1).expect("an integer")));
                let real: f64 = asked.get(2).expect("a real");
                assert!(found[2] == Cell::Real(real) || found[2] == Cell::Integer(real as i64));
                assert_eq!(found[3], Cell::Text(asked.get::<_, String>(3).expect("a text").as_bytes()));
                assert_eq!(found[4], Cell::Blob(&asked.get::<_, Vec<u8>>(4).expect("a blob")));
                walked += 1;
                Ok(())
            });
            walk.expect("walked");
            assert_eq!(walked, 4_000, "{page_bytes}");
            assert_eq!(pages.count(root).expect("counted"), 4_000);
            let see = |sizes: &mut (usize, usize), record: &[u8]| {
                *sizes = (sizes.0 + 1, sizes.1 + record.len());
                Ok::<_, TornPage>(())
            };
            let folded = pages.fold(root, || (0, 0), see, |one, other| (one.0 + other.0, one.1 + other.1)).expect("folded");
            let mut sizes = (0, 0);
            pages.walk(root, &mut |_, record| see(&mut sizes, record)).expect("walked");
            assert_eq!(folded, sizes);
            assert!(expected.next().expect("stepped").is_none());
        }
    }

    #[test]
    fn a_tree_that_runs_in_circles_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.db");
        let connection = Connection::open(&path).expect("created");
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) INSERT INTO t SELECT i FROM n";
        connection.execute_batch(&format!("CREATE TABLE t (a); {rows}")).expect("created");
        let root: u32 = connection.query_row("SELECT rootpage FROM sqlite_master", [], |row| row.get(0)).expect("known");
        drop(connection);
        let mut bytes = std::fs::read(&path).expect("read");
        let page = 4096 * (root as usize - 1);
        assert_eq!(bytes[page], INTERIOR);
        let cells = usize::from(u16::from_be_bytes([bytes[page + 3], bytes[page + 4]]));
        for cell in 0..cells {
            let pointer = page + 12 + 2 * cell;
            let at = page + usize::from(u16::from_be_bytes([bytes[pointer], bytes[pointer + 1]]));
            bytes[at..at + 4].copy_from_slice(&root.to_be_bytes());
        }
        std::fs::write(&path, bytes).expect("written");
        let mut seen = 0;
        let pages = Pages::open(&path).expect("a database");
        let walk: Result<(), TornPage> = pages.walk(root, &mut |_, _| {
            seen += 1;
            Ok(())
        });
        assert!(matches!(walk, Err(TornPage { .. })), "{seen}");
        assert!(matches!(pages.count(root), Err(TornPage { .. })));
        let folded: Result<(), TornPage> = pages.fold(root, || (), |(), _| Ok(()), |(), ()| ());
        assert!(matches!(folded, Err(TornPage { .. })));
    }

    #[test]
    fn a_page_that_is_no_table_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.db");
        Connection::open(&path).expect("created").execute_batch("CREATE TABLE t (a); CREATE INDEX i ON t (a)").expect("created");
        let pages = Pages::open(&path).expect("a database");
        for root in [0, 3, 4, u32::MAX] {
            let walk: Result<(), TornPage> = pages.walk(root, &mut |_, _| Ok(()));
            assert!(matches!(walk, Err(TornPage { .. })), "{root}");
        }
        assert!(cells(&[5, 1], &mut Vec::new()).is_none() && cells(&[2, 10], &mut Vec::new()).is_none());
        std::fs::write(&path, b"SQLite format 3").expect("written");
        assert!(Pages::open(&path).is_none());
    }
}
