//! Writes one layer as a GeoPackage in one go: no journal, rows as pages of their own, a bulk R*Tree.
//!
//! Create once, write rows, best in ascending order of `fid`, finish once. The caller syncs the file.

use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::params_from_iter;
use rusqlite::types::ToSqlOutput;
use rusqlite::types::ValueRef;

use crate::geopackage::GeoPackageError;
use crate::geopackage::bulk::BulkTable;
use crate::geopackage::bulk::Column;
use crate::geopackage::header;
use crate::geopackage::quoted;
use crate::geopackage::rtree;
use crate::geopackage::schema;
use crate::model::crs::Crs;
use crate::model::feature::Value;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;
use crate::model::wkb;

/// Names of the key and of the geometry column; no field has them (`model::layer::Field::name`).
pub const KEY: &str = "fid";
pub const GEOMETRY: &str = "geom";

pub struct TableSpec<'a> {
    pub table: &'a str,
    pub identifier: &'a str,
    pub description: &'a str,
    pub fields: &'a [Field],
    pub geometry: Option<GeometryColumn>,
    pub crs: Crs,
    /// WKT 1 of `crs`; not read for 4326, which every GeoPackage has.
    pub srs_wkt: &'a str,
    pub srs_name: &'a str,
    /// RFC 3339, UTC; `None`: now.
    pub last_change: Option<&'a str>,
    /// A column between the key and the fields.
    pub id_column: Option<(&'a str, FieldType)>,
}

pub struct GeoPackageWriter {
    path: PathBuf,
    rows: Rows,
    insert: String,
    table: String,
    /// A column of numbers that are the caller's promise to be unique.
    unique: Option<String>,
    srs_id: i32,
    /// Where the layer has a geometry.
    tree: Option<rtree::Shadows>,
    entries: Vec<rtree::Entry>,
    extent: Envelope,
    blob: Vec<u8>,
}

/// How rows get into the table.
enum Rows {
    /// In ascending order of keys.
    Pages(BulkTable),
    /// In any order; SQLite says which text an id repeats.
    Inserts(Connection),
    /// Pages that were finished, and could not be followed by others.
    Broken,
}

/// One row: `values` as the fields.
pub struct NewRow<'a> {
    pub fid: i64,
    pub id: Option<Value<'a>>,
    pub values: &'a [Value<'a>],
    pub wkb: Option<&'a [u8]>,
}

/// Pages of SQLite's cache while writing, in KiB: rows come in order, more would help nobody.
const CACHE_KIB: i32 = 16_384;

impl GeoPackageWriter {
    /// # Errors
    /// `Sqlite`, also where the file exists.
    pub fn create(path: &Path, spec: &TableSpec<'_>) -> Result<GeoPackageWriter, GeoPackageError> {
        let fault = |source| GeoPackageError::Sqlite { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(fault)?;
        let number = spec.id_column.filter(|(_, kind)| *kind == FieldType::Integer);
        let tree = prepare(&connection, spec).map_err(fault)?;
        let rows = if spec.id_column.is_none() || number.is_some() {
            let root = "SELECT rootpage FROM sqlite_master WHERE name = ?1";
            let root = connection.query_row(root, [spec.table], |row| row.get(0)).map_err(fault)?;
            connection.execute_batch("COMMIT").map_err(fault)?;
            connection.close().map_err(|(_, source)| fault(source))?;
            let pages = BulkTable::open(path, root).map_err(|source| GeoPackageError::Io { path: path.to_owned(), source })?;
            Rows::Pages(pages)
        } else {
            Rows::Inserts(connection)
        };
        let columns = 1 + usize::from(spec.id_column.is_some()) + usize::from(spec.geometry.is_some()) + spec.fields.len();
        Ok(GeoPackageWriter {
            path: path.to_owned(),
            rows,
            insert: format!("INSERT INTO {} VALUES ({})", quoted(spec.table), vec!["?"; columns].join(", ")),
            table: spec.table.to_owned(),
            unique: number.map(|(name, _)| name.to_owned()),
            srs_id: i32::try_from(spec.crs.epsg()).unwrap_or(0),
            tree,
            entries: Vec::new(),
            extent: Envelope::NOTHING,
            blob: Vec::new(),
        })
    }

    /// # Errors
    /// `Sqlite`, `Io`.
    pub fn write(&mut self, row: &NewRow<'_>) -> Result<(), GeoPackageError> {
        if matches!(&self.rows, Rows::Pages(pages) if !pages.is_next(row.fid)) {
            self.rows = Rows::Inserts(self.reopen()?);
        }
        self.blob.clear();
        if let Some(bytes) = row.wkb.filter(|_| self.tree.is_some()) {
            let envelope = wkb::envelope(bytes).ok().flatten();
            if let Some(envelope) = &envelope {
                self.entries.push(rtree::Entry::new(row.fid, envelope));
                self.extent.join(envelope);
            }
            header::encode(&mut self.blob, self.srs_id, bytes, envelope.as_ref());
        }
        let geometry =
            self.tree.is_some().then(|| if self.blob.is_empty() { Column::Value(Value::Null) } else { Column::Blob(&self.blob) });
        let columns = row.id.map(Column::Value).into_iter().chain(geometry).chain(row.values.iter().copied().map(Column::Value));
        match &mut self.rows {
            Rows::Pages(pages) => pages.push(row.fid, columns).map_err(|source| GeoPackageError::Io { path: self.path.clone(), source }),
            Rows::Broken => Ok(()),
            Rows::Inserts(connection) => {
                let values = std::iter::once(ToSqlOutput::Owned(row.fid.into())).chain(columns.map(sql_value));
                let inserted = connection.prepare_cached(&self.insert).and_then(|mut insert| insert.execute(params_from_iter(values)));
                inserted.map(|_| ()).map_err(|source| GeoPackageError::Sqlite { path: self.path.clone(), source })
            }
        }
    }

    /// The file in SQLite's hands again, in a transaction.
    fn reopen(&mut self) -> Result<Connection, GeoPackageError> {
        let fault = |source| GeoPackageError::Sqlite { path: self.path.clone(), source };
        match std::mem::replace(&mut self.rows, Rows::Broken) {
            Rows::Inserts(connection) => Ok(connection),
            Rows::Broken => Err(fault(rusqlite::Error::InvalidQuery)),
            Rows::Pages(pages) => {
                let last = pages.finish().map_err(|source| GeoPackageError::Io { path: self.path.clone(), source })?;
                let connection = Connection::open(&self.path).map_err(fault)?;
                begin(&connection).map_err(fault)?;
                // What AUTOINCREMENT goes on from.
                let sequence = "INSERT INTO sqlite_sequence SELECT ?1, ?2 WHERE ?2 NOTNULL";
                connection.execute(sequence, rusqlite::params![self.table, last]).map_err(fault)?;
                Ok(connection)
            }
        }
    }

    /// Indexes, R*Tree, extent, commit; then the file is closed. Gives the envelopes of the rows that have one, in their order.
    ///
    /// # Errors
    /// `Sqlite`, `Io`.
    pub fn finish(mut self, indexes: &[&str]) -> Result<Vec<rtree::Entry>, GeoPackageError> {
        let mut connection = self.reopen()?;
        let path = self.path;
        let fault = |source| GeoPackageError::Sqlite { path: path.clone(), source };
        if let Some(tree) = &self.tree {
            connection.execute_batch("COMMIT").map_err(fault)?;
            connection.close().map_err(|(_, source)| fault(source))?;
            tree.fill(&path, &self.entries).map_err(|source| GeoPackageError::Io { path: path.clone(), source })?;
            connection = Connection::open(&path).map_err(fault)?;
            begin(&connection).map_err(fault)?;
        }
        let closing = Closing { connection: &connection, table: &self.table, extent: &self.extent };
        closing.close(self.tree.is_some(), self.unique.as_deref(), indexes).map_err(fault)?;
        connection.close().map_err(|(_, source)| fault(source))?;
        Ok(self.entries)
    }
}

/// What is written behind the last row.
struct Closing<'a> {
    connection: &'a Connection,
    table: &'a str,
    extent: &'a Envelope,
}

impl Closing<'_> {
    fn close(&self, has_tree: bool, unique: Option<&str>, indexes: &[&str]) -> rusqlite::Result<()> {
        if has_tree {
            self.connection.execute_batch(&schema::rtree_triggers(self.table, GEOMETRY, KEY))?;
        }
        let unique = unique.into_iter().map(|column| ("UNIQUE ", column));
        for (kind, column) in unique.chain(indexes.iter().map(|column| ("", *column))) {
            let name = format!("index_{}_{column}", self.table);
            self.connection.execute_batch(&format!(
                "CREATE {kind}INDEX {} ON {} ({})",
                quoted(&name),
                quoted(self.table),
                quoted(column)
            ))?;
        }
        if !indexes.is_empty() {
            // Which of two indexes finds less.
            self.connection.execute_batch(&format!("ANALYZE {}", quoted(self.table)))?;
        }
        if !self.extent.is_nothing() {
            let e = self.extent;
            self.connection.execute(
                "UPDATE gpkg_contents SET min_x = ?1, min_y = ?2, max_x = ?3, max_y = ?4",
                rusqlite::params![e.west, e.south, e.east, e.north],
            )?;
        }
        self.connection.execute_batch("COMMIT")
    }
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    // A half-written file is thrown away whole, so nothing need be recoverable inside it.
    connection.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.execute_batch("BEGIN")
}

/// The tables, and the R*Tree's where there is a geometry.
fn prepare(connection: &Connection, spec: &TableSpec<'_>) -> rusqlite::Result<Option<rtree::Shadows>> {
    connection.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", schema::USER_VERSION)?;
    begin(connection)?;
    connection.execute_batch(schema::TABLES)?;
    let srs = i64::from(spec.crs.epsg());
    if srs != 4326 && spec.geometry.is_some() {
        connection.execute(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?1, ?2, 'EPSG', ?2, ?3, NULL)",
            rusqlite::params![spec.srs_name, srs, spec.srs_wkt],
        )?;
    }
    let mut columns = vec![format!("{KEY} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL")];
    columns.extend(spec.id_column.map(|(name, kind)| {
        let unique = if kind == FieldType::Integer { "" } else { " UNIQUE" };
        format!("{} {} NOT NULL{unique}", quoted(name), schema::column_type(kind))
    }));
    columns.extend(spec.geometry.map(|geometry| format!("{GEOMETRY} {}", geometry.geometry_type.name().to_uppercase())));
    columns.extend(spec.fields.iter().map(|field| format!("{} {}", quoted(&field.name), schema::column_type(field.field_type))));
    connection.execute_batch(&format!("CREATE TABLE {} ({})", quoted(spec.table), columns.join(", ")))?;
    let kind = if spec.geometry.is_some() { "features" } else { "attributes" };
    connection.execute(
        "INSERT INTO gpkg_contents(table_name, data_type, identifier, description, srs_id) VALUES (?1, ?2, ?3, ?4, ?5)",
        rusqlite::params![spec.table, kind, spec.identifier, spec.description, spec.geometry.map(|_| srs)],
    )?;
    if let Some(last_change) = spec.last_change {
        connection.execute("UPDATE gpkg_contents SET last_change = ?1", [last_change])?;
    }
    if let Some(geometry) = spec.geometry {
        connection.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            rusqlite::params![spec.table, GEOMETRY, geometry.geometry_type.name().to_uppercase(), srs, geometry.has_z, geometry.has_m],
        )?;
        connection.execute(
            "INSERT INTO gpkg_extensions VALUES (?1, ?2, 'gpkg_rtree_index', 'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
            rusqlite::params![spec.table, GEOMETRY],
        )?;
    }
    spec.geometry.map(|_| rtree::create(connection, &format!("rtree_{}_{GEOMETRY}", spec.table))).transpose()
}

fn sql_value(column: Column<'_>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match column {
        Column::Blob(blob) => ValueRef::Blob(blob),
        Column::Value(Value::Null) => ValueRef::Null,
        Column::Value(Value::Text(text) | Value::Date(text) | Value::DateTime(text)) => ValueRef::Text(text.as_bytes()),
        Column::Value(Value::Integer(value)) => ValueRef::Integer(value),
        Column::Value(Value::Real(value)) => ValueRef::Real(value),
        Column::Value(Value::Boolean(value)) => ValueRef::Integer(i64::from(value)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::crs::WGS_84;

    #[test]
    fn rows_in_any_order_are_a_table() {
        for fids in [vec![1, 2, 3, 4], vec![4, 1, 3, 2], vec![1, 3, 2, 9], vec![]] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("t.gpkg");
            let spec = TableSpec {
                table: "t",
                identifier: "t",
                description: "",
                fields: &[],
                geometry: None,
                crs: WGS_84,
                srs_wkt: "",
                srs_name: "",
                last_change: None,
                id_column: Some(("id", FieldType::Integer)),
            };
            let mut writer = GeoPackageWriter::create(&path, &spec).expect("created");
            for fid in &fids {
                writer.write(&NewRow { fid: *fid, id: Some(Value::Integer(fid * 2)), values: &[], wkb: None }).expect("written");
            }
            writer.finish(&[]).expect("finished");
            let connection = Connection::open(&path).expect("a database");
            let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
            assert_eq!(verdict, "ok", "{fids:?}");
            let found: (i64, Option<i64>) = connection
                .query_row("SELECT count(*), max(fid) FROM t WHERE id = 2 * fid", [], |row| Ok((row.get(0)?, row.get(1)?)))
                .expect("counted");
            assert_eq!(found, (fids.len() as i64, fids.iter().max().copied()));
            connection.execute("INSERT INTO t(id) VALUES (77)", []).expect("goes on");
            let next: i64 = connection.query_row("SELECT fid FROM t WHERE id = 77", [], |row| row.get(0)).expect("found");
            assert_eq!(next, fids.iter().max().map_or(1, |last| last + 1));
            assert!(connection.execute("INSERT INTO t(id) VALUES (77)", []).is_err(), "ids are unique");
        }
    }
}
