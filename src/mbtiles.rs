//! MBTiles 1.3, read: tiles in a table or a view of SQLite, rows counted from the south.
//!
//! A stranger's database: opened read-only, its own functions and triggers trusted with nothing, a question stopped after a
//! while.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use crate::model::tile_matrix_set::TileAddress;
use crate::model::tile_matrix_set::ZOOM_MAX;

/// Tiles that are listed in memory, and how long the listing may last.
const TILES_MAX: usize = 4_000_000;
const LISTING_MAX: Duration = Duration::from_secs(120);
/// SQLite's steps between two looks at the clock.
const STEPS: i32 = 10_000;

#[derive(Debug, thiserror::Error)]
pub enum MbtilesError {
    #[error("« {path} » n'est pas un MBTiles lisible : {source}")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("« {path} » a plus de {TILES_MAX} tuiles")]
    TooMany { path: PathBuf },
    #[error("« {path} » : la tuile {zoom}/{col}/{row} n'est pas de ce monde")]
    Address { path: PathBuf, zoom: i64, col: i64, row: i64 },
    #[error(
        "« {path} » : ses tuiles n'ont pas d'index ; créez-le par « CREATE UNIQUE INDEX tile_index ON tiles (zoom_level, tile_column, tile_row) »"
    )]
    NoIndex { path: PathBuf },
}

pub struct Mbtiles {
    path: PathBuf,
    connection: Connection,
}

impl Mbtiles {
    /// # Errors
    /// `Sqlite`.
    pub fn open(path: &Path) -> Result<Mbtiles, MbtilesError> {
        let open = || {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
            let began = Instant::now();
            connection.progress_handler(STEPS, Some(move || began.elapsed() > LISTING_MAX));
            Ok(connection)
        };
        let connection = open().map_err(|source| MbtilesError::Sqlite { path: path.to_owned(), source })?;
        Ok(Mbtiles { path: path.to_owned(), connection })
    }

    fn fault(&self) -> impl Fn(rusqlite::Error) -> MbtilesError + '_ {
        |source| MbtilesError::Sqlite { path: self.path.clone(), source }
    }

    /// Names and values as they are written: `name`, `format`, `bounds`, `json` …
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn metadata(&self) -> Result<Vec<(String, String)>, MbtilesError> {
        let read = || {
            let mut statement = self.connection.prepare("SELECT name, value FROM metadata WHERE name IS NOT NULL AND value IS NOT NULL")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(self.fault())
    }

    /// Where tiles are, in any order.
    ///
    /// # Errors
    /// `Sqlite`, `TooMany`, `Address`.
    pub fn addresses(&self) -> Result<Vec<TileAddress>, MbtilesError> {
        let mut statement = self.connection.prepare("SELECT zoom_level, tile_column, tile_row FROM tiles").map_err(self.fault())?;
        let mut rows = statement.query([]).map_err(self.fault())?;
        let mut addresses = Vec::new();
        while let Some(row) = rows.next().map_err(self.fault())? {
            let number = |at: usize| row.get::<_, i64>(at).map_err(self.fault());
            let (zoom, col, south) = (number(0)?, number(1)?, number(2)?);
            let address = || {
                let zoom = u8::try_from(zoom).ok().filter(|zoom| *zoom <= ZOOM_MAX)?;
                let row = (1i64 << zoom).checked_sub(1)?.checked_sub(south)?;
                TileAddress::within(zoom, u32::try_from(row).ok()?, u32::try_from(col).ok()?)
            };
            addresses.push(address().ok_or_else(|| MbtilesError::Address { path: self.path.clone(), zoom, col, row: south })?);
            if addresses.len() > TILES_MAX {
                return Err(MbtilesError::TooMany { path: self.path.clone() });
            }
        }
        if addresses.len() > 1 && !self.is_indexed().map_err(self.fault())? {
            return Err(MbtilesError::NoIndex { path: self.path.clone() });
        }
        Ok(addresses)
    }

    /// Whether one tile is found without reading all.
    fn is_indexed(&self) -> rusqlite::Result<bool> {
        let mut plan = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {ONE}"))?;
        let steps: Vec<String> = plan.query_map([0, 0, 0], |row| row.get::<_, String>(3))?.collect::<Result<_, _>>()?;
        Ok(!steps.iter().any(|step| step.starts_with("SCAN")))
    }

    /// The tile's bytes as they are stored.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn tile(&self, address: TileAddress) -> Result<Vec<u8>, MbtilesError> {
        let south = (1i64 << address.zoom) - 1 - i64::from(address.row);
        let mut one = self.connection.prepare_cached(ONE).map_err(self.fault())?;
        one.query_row([i64::from(address.zoom), i64::from(address.col), south], |row| row.get(0)).map_err(self.fault())
    }
}

const ONE: &str = "SELECT tile_data FROM tiles WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3";

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        Connection::open(file.path()).and_then(|connection| connection.execute_batch(sql)).expect("written");
        file
    }

    const TABLE: &str = "CREATE TABLE metadata (name text, value text); INSERT INTO metadata VALUES ('format', 'pbf');
        CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob);
        INSERT INTO tiles VALUES (2, 1, 0, x'0102'), (2, 1, 3, x'03');";
    const INDEX: &str = "CREATE UNIQUE INDEX tile_index ON tiles (zoom_level, tile_column, tile_row);";

    #[test]
    fn rows_are_counted_from_the_south() {
        let file = written(&format!("{TABLE}{INDEX}"));
        let tiles = Mbtiles::open(file.path()).expect("opened");
        let (south, north) = (TileAddress { zoom: 2, row: 3, col: 1 }, TileAddress { zoom: 2, row: 0, col: 1 });
        assert_eq!(tiles.addresses().expect("listed"), [south, north]);
        assert_eq!((tiles.tile(south).expect("there"), tiles.tile(north).expect("there")), (vec![1, 2], vec![3]));
        assert_eq!(tiles.metadata().expect("read"), [("format".to_owned(), "pbf".to_owned())]);
    }

    #[test]
    fn what_is_no_mbtiles_is_refused_by_name() {
        assert!(matches!(Mbtiles::open(written(TABLE).path()).expect("opened").addresses(), Err(MbtilesError::NoIndex { .. })));
        let beyond = format!("{TABLE}{INDEX}INSERT INTO tiles VALUES (2, 4, 0, x'00');");
        assert!(matches!(Mbtiles::open(written(&beyond).path()).expect("opened").addresses(), Err(MbtilesError::Address { col: 4, .. })));
        let other = Mbtiles::open(written("CREATE TABLE x (y)").path()).expect("opened").addresses().expect_err("no tiles");
        assert!(other.to_string().contains("n'est pas un MBTiles"), "{other}");
    }
}
