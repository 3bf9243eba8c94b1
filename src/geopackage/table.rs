//! A feature table as its rows lie in the file: where each column stands in a record.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::OpenFlags;

use crate::geopackage::TornPage;
use crate::geopackage::pages::Cell;
use crate::geopackage::pages::Pages;
use crate::geopackage::pages::cells;
use crate::geopackage::pages::nth_cell;
use crate::geopackage::quoted;

/// Told of a row's key and its cells.
pub type Visit<'a, E> = &'a mut dyn FnMut(i64, &[Cell<'_>]) -> Result<(), E>;

/// A table whose rows are read without SQLite: a plain one with an integer key, in a file without a log.
pub struct Table {
    pages: Pages,
    root: u32,
    /// Names of the columns in the order of a record.
    columns: Vec<String>,
}

impl Table {
    /// `None` where SQLite must be asked for the rows: a view, a table without rowid or with computed columns, a log
    /// beside the file.
    pub fn open(path: &Path, name: &str, key: &str) -> Option<Table> {
        let is_logged = ["-wal", "-journal"].iter().any(|suffix| {
            let mut log = path.as_os_str().to_owned();
            log.push(suffix);
            std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0)
        });
        if is_logged {
            return None;
        }
        let (root, columns) = shape(path, name, key).ok()??;
        Some(Table { pages: Pages::open(path)?, root, columns })
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// Calls `visit` with the key and the cells of each row, in the order of the keys; a row that was written before its
    /// table got its last column has fewer cells.
    ///
    /// # Errors
    /// Those of `visit`; `TornPage`.
    pub fn each<E: From<TornPage>>(&self, visit: Visit<'_, E>) -> Result<(), E> {
        let mut spare: Vec<Cell<'static>> = Vec::new();
        self.pages.walk(self.root, &mut |row, record| {
            let mut found: Vec<Cell<'_>> = std::mem::take(&mut spare);
            if cells(record, &mut found).is_none() {
                found.clear();
            }
            let seen = visit(row, &found);
            spare = emptied(found);
            seen
        })
    }

    /// Folds one column's cell of each row on every core, as `Pages::fold`: `None` where a row has none. A third of the cost of
    /// all cells.
    ///
    /// # Errors
    /// Those of `see`; `TornPage`.
    pub fn fold_cells<T: Send, E: From<TornPage> + Send>(
        &self,
        column: usize,
        begin: impl Fn() -> T + Sync,
        see: impl Fn(&mut T, Option<Cell<'_>>) -> Result<(), E> + Sync,
        join: impl Fn(T, T) -> T + Sync + Send,
    ) -> Result<T, E> {
        self.pages.fold(self.root, begin, |seen, record| see(seen, nth_cell(record, column)), join)
    }

    /// Rows, counted where SQLite would read every page through its cache.
    ///
    /// # Errors
    /// `TornPage`.
    pub fn count(&self) -> Result<u64, TornPage> {
        self.pages.count(self.root)
    }
}

/// The room of a vector for cells that live elsewhere.
fn emptied(mut cells: Vec<Cell<'_>>) -> Vec<Cell<'static>> {
    cells.clear();
    cells.into_iter().map(|_| Cell::Null).collect()
}

fn shape(path: &Path, name: &str, key: &str) -> rusqlite::Result<Option<(u32, Vec<String>)>> {
    let address = format!("file:{}?immutable=1", percent(&path.to_string_lossy()));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(address, flags)?;
    let (root, sql): (u32, String) =
        connection.query_row("SELECT rootpage, sql FROM sqlite_master WHERE type = 'table' AND name = ?1", [name], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if root == 0 || sql.to_uppercase().contains("WITHOUT") {
        return Ok(None);
    }
    let mut columns = Vec::new();
    let mut is_keyed = false;
    let mut info = connection.prepare(&format!("PRAGMA table_xinfo({})", quoted(name)))?;
    let mut rows = info.query([])?;
    while let Some(row) = rows.next()? {
        let (column, kind, place, hidden): (String, String, i64, i64) = (row.get(1)?, row.get(2)?, row.get(5)?, row.get(6)?);
        if hidden != 0 || place > 1 {
            return Ok(None);
        }
        // Only this spelling makes a key the rowid itself.
        is_keyed |= place == 1 && column == key && kind.eq_ignore_ascii_case("INTEGER");
        columns.push(column);
    }
    Ok(is_keyed.then_some((root, columns)))
}

/// A path inside a `file:` address.
fn percent(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_tables_are_read_without_sqlite() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a #1?.gpkg");
        let connection = Connection::open(&path).expect("created");
        let sql = "CREATE TABLE plain (fid INTEGER PRIMARY KEY, geom, nom TEXT);
            INSERT INTO plain VALUES (7, NULL, 'Bédée');
            ALTER TABLE plain ADD COLUMN late TEXT DEFAULT 'x';
            CREATE TABLE other (fid INT PRIMARY KEY, geom);
            CREATE TABLE keyed (fid INTEGER PRIMARY KEY, geom) WITHOUT ROWID;
            CREATE TABLE computed (fid INTEGER PRIMARY KEY, a, b AS (a + 1));
            CREATE VIEW seen AS SELECT * FROM plain;";
        connection.execute_batch(sql).expect("created");
        for name in ["other", "keyed", "computed", "seen", "absent"] {
            assert!(Table::open(&path, name, "fid").is_none(), "{name}");
        }
        let table = Table::open(&path, "plain", "fid").expect("plain");
        assert_eq!(table.column("nom"), Some(2));
        let mut rows = 0;
        let each: Result<(), TornPage> = table.each(&mut |key, cells| {
            rows += 1;
            assert_eq!((key, cells), (7, &[Cell::Null, Cell::Null, Cell::Text("Bédée".as_bytes())][..]));
            Ok(())
        });
        each.expect("read");
        assert_eq!(rows, 1);
        std::fs::write(folder.path().join("a #1?.gpkg-wal"), b"x").expect("written");
        assert!(Table::open(&path, "plain", "fid").is_none());
    }
}
