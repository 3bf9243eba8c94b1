//! Reads one immutable version: connections without locks, pooled, none held between two batches.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::OptionalExtension;
use rusqlite::functions::FunctionFlags;

use crate::geopackage::quoted;
use crate::model::batch::FeatureBatch;
use crate::model::feature::FeatureId;
use crate::model::layer::Layer;
use crate::query::Query;
use crate::query::datetime;
use crate::store::StoreError;
use crate::store::boxes::Boxes;
use crate::store::disk::fault;
use crate::store::select;
use crate::store::select::RowPage;
use crate::store::select::Selection;

/// The column of issued ids in `data.gpkg`.
pub const ID_COLUMN: &str = "bocage_id";

/// The rows' envelopes, beside `data.gpkg`.
pub const BOXES: &str = "data.boxes";

/// The function that `datetime` becomes in SQL.
pub const MEETS: &str = "bocage_meets";

/// Page cache of a connection, KiB: pages come from the map, the cache only holds what is being worked on.
const CACHE_KIB: i32 = 2_048;

/// Bytes of a version that SQLite may map: the address space is free, and pages are shared between connections.
const MAP_BYTES: i64 = 1 << 32;

/// Connections kept for the next request; more are opened under load and closed after.
const POOL_MAX: usize = 4;

/// `Send + Sync`.
pub struct LayerReader {
    pub layer: Layer,
    pub(super) boxes: Boxes,
    path: PathBuf,
    pool: Mutex<Vec<Connection>>,
}

impl LayerReader {
    /// Opens one connection at once: it keeps the bytes readable whatever becomes of the folder.
    pub(super) fn open(layer: Layer, path: &Path) -> Result<LayerReader, StoreError> {
        let boxes_path = path.with_file_name(BOXES);
        let boxes = Boxes::open(&boxes_path).map_err(fault(&boxes_path))?;
        let reader = LayerReader { layer, boxes, path: path.to_owned(), pool: Mutex::default() };
        let first = reader.connect()?;
        reader.give_back(first);
        Ok(reader)
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let connect = || -> rusqlite::Result<Connection> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(uri(&self.path), flags)?;
            connection.pragma_update(None, "mmap_size", MAP_BYTES)?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            connection.query_row("SELECT count(*) FROM gpkg_contents", [], |_| Ok(()))?;
            let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
            connection.create_scalar_function(MEETS, 3, flags, |context| {
                let text = |at: usize| context.get_raw(at).as_str_or_null().ok().flatten();
                let asked = text(2).and_then(|asked| datetime::parse(asked).ok());
                Ok(asked.is_some_and(|asked| asked.meets(text(0), text(1))))
            })?;
            Ok(connection)
        };
        connect().map_err(self.fault())
    }

    pub(super) fn fault(&self) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
        |source| StoreError::Sqlite { path: self.path.clone(), source }
    }

    /// Lends a connection for the length of one question.
    pub(super) fn with<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let pooled = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let answer = question(&connection).map_err(self.fault());
        self.give_back(connection);
        answer
    }

    fn give_back(&self, connection: Connection) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOL_MAX {
            pool.push(connection);
        }
    }

    /// Rows that answer, in the store's order. Lon, lat geometry, issued ids; `query.crs` is not applied here.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn select(self: &Arc<Self>, query: &Query) -> Result<Selection, StoreError> {
        select::select(self, query)
    }

    /// One page of row numbers, and how many rows match in all.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn page(&self, query: &Query) -> Result<RowPage, StoreError> {
        select::page(self, query)
    }

    /// The rows of a page found before. Columns as `query.fields`.
    pub fn rows(self: &Arc<Self>, page: RowPage, query: &Query) -> Selection {
        select::rows(self, page, query)
    }

    /// The row number of a feature.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn row_of(&self, id: &FeatureId) -> Result<Option<i64>, StoreError> {
        let sql = format!("SELECT fid FROM {} WHERE {ID_COLUMN} = ?1", quoted(self.layer.id.as_str()));
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            match id {
                FeatureId::Integer(id) => statement.query_row([id], |row| row.get(0)).optional(),
                FeatureId::Text(id) => statement.query_row([id], |row| row.get(0)).optional(),
            }
        })
    }

    /// One row as a batch of one.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn row(&self, row: i64) -> Result<Option<FeatureBatch>, StoreError> {
        let columns: Vec<usize> = (0..self.layer.fields.len()).collect();
        Ok(select::read_rows(self, &[row], &columns)?.filter(|batch| batch.rows() == 1))
    }
}

/// Tells SQLite to keep no count of its memory: the count is a lock that every thread waits for, a sixth of a page's cost.
/// To be called once, before anything opens a database; later it changes nothing.
pub fn count_no_memory() {
    // SAFETY: the option takes one integer; SQLite refuses the call once it is at work.
    let _ = unsafe { rusqlite::ffi::sqlite3_config(rusqlite::ffi::SQLITE_CONFIG_MEMSTATUS, 0) };
}

/// `immutable`: no lock, no journal, no look at the clock; true because a version never changes.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'?' | b'#' | b'%' => uri.push_str(&format!("%{byte:02X}")),
            _ if byte.is_ascii() => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1&mode=ro");
    uri
}
