//! Reads one immutable version: connections without locks, pooled, none held between two batches.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::OptionalExtension;

use crate::geopackage::quoted;
use crate::model::batch::FeatureBatch;
use crate::model::feature::FeatureId;
use crate::model::layer::Layer;
use crate::query::Query;
use crate::store::StoreError;
use crate::store::boxes::Boxes;
use crate::store::disk::fault;
use crate::store::functions;
use crate::store::select;
use crate::store::select::RowPage;
use crate::store::select::Selection;

/// The column of issued ids in `data.gpkg`.
pub const ID_COLUMN: &str = "bocage_id";

/// The rows' envelopes, beside `data.gpkg`.
pub const BOXES: &str = "data.boxes";

/// Page cache of a connection, KiB: pages come from the map, the cache only holds what is being worked on.
const CACHE_KIB: i32 = 2_048;

/// Bytes of a version that SQLite may map: the address space is free, and pages are shared between connections.
const MAP_BYTES: i64 = 1 << 32;

/// A question that takes longer is stopped: a scan of a million rows with the dearest filter takes a third of it.
const QUESTION_MAX: Duration = Duration::from_secs(10);

/// Steps of SQLite's machine between two looks at the clock: some ten microseconds of plain work.
const STEPS_UNTIMED: i32 = 1_000;

/// Connections kept for the next request; more are opened under load and closed after.
const POOL_MAX: usize = 4;

/// `Send + Sync`.
pub struct LayerReader {
    pub layer: Layer,
    pub(super) boxes: Boxes,
    path: PathBuf,
    pool: Mutex<Vec<Timed>>,
}

/// A connection whose questions end.
struct Timed {
    connection: Connection,
    /// Milliseconds since the process knew the clock: when the question under way is stopped.
    deadline: Arc<AtomicU64>,
}

/// Milliseconds since the first call.
fn clock_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
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

    fn connect(&self) -> Result<Timed, StoreError> {
        let connect = || -> rusqlite::Result<Timed> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(uri(&self.path), flags)?;
            connection.pragma_update(None, "mmap_size", MAP_BYTES)?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            connection.query_row("SELECT count(*) FROM gpkg_contents", [], |_| Ok(()))?;
            functions::register(&connection)?;
            let deadline = Arc::new(AtomicU64::new(u64::MAX));
            let watched = Arc::clone(&deadline);
            connection.progress_handler(STEPS_UNTIMED, Some(move || clock_ms() > watched.load(Ordering::Relaxed)));
            Ok(Timed { connection, deadline })
        };
        connect().map_err(self.fault())
    }

    pub(super) fn fault(&self) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
        |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OperationInterrupted) => {
                StoreError::TooLong { layer: self.layer.id.clone(), seconds: QUESTION_MAX.as_secs() }
            }
            _ => StoreError::Sqlite { path: self.path.clone(), source },
        }
    }

    /// Lends a connection for the length of one question, which is stopped after [`QUESTION_MAX`].
    pub(super) fn with<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let pooled = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let timed = match pooled {
            Some(timed) => timed,
            None => self.connect()?,
        };
        timed.deadline.store(clock_ms() + QUESTION_MAX.as_millis() as u64, Ordering::Relaxed);
        let answer = question(&timed.connection).map_err(self.fault());
        self.give_back(timed);
        answer
    }

    fn give_back(&self, timed: Timed) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOL_MAX {
            pool.push(timed);
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
