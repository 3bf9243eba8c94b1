//! Writes one layer as a GeoPackage in one go: no journal, one transaction, a bulk R*Tree.
//!
//! Create once, write rows in ascending order of `fid`, finish once. The caller syncs the file.

use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::params_from_iter;
use rusqlite::types::ToSqlOutput;
use rusqlite::types::ValueRef;

use crate::geopackage::GeoPackageError;
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
    connection: Connection,
    insert: String,
    table: String,
    srs_id: i32,
    has_geometry: bool,
    entries: Vec<rtree::Entry>,
    extent: Envelope,
    blob: Vec<u8>,
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
        prepare(&connection, spec).map_err(fault)?;
        let columns = 1 + usize::from(spec.id_column.is_some()) + usize::from(spec.geometry.is_some()) + spec.fields.len();
        let marks = vec!["?"; columns].join(", ");
        let insert = format!("INSERT INTO {} VALUES ({marks})", quoted(spec.table));
        Ok(GeoPackageWriter {
            path: path.to_owned(),
            connection,
            insert,
            table: spec.table.to_owned(),
            srs_id: i32::try_from(spec.crs.epsg()).unwrap_or(0),
            has_geometry: spec.geometry.is_some(),
            entries: Vec::new(),
            extent: Envelope::NOTHING,
            blob: Vec::new(),
        })
    }

    /// # Errors
    /// `Sqlite`.
    pub fn write(&mut self, row: &NewRow<'_>) -> Result<(), GeoPackageError> {
        let mut values: Vec<ToSqlOutput<'_>> = Vec::with_capacity(row.values.len() + 3);
        values.push(ToSqlOutput::Owned(row.fid.into()));
        values.extend(row.id.map(sql_value));
        self.blob.clear();
        if let Some(bytes) = row.wkb.filter(|_| self.has_geometry) {
            let envelope = wkb::envelope(bytes).ok().flatten();
            if let Some(envelope) = &envelope {
                self.entries.push(rtree::Entry::new(row.fid, envelope));
                self.extent.join(envelope);
            }
            header::encode(&mut self.blob, self.srs_id, bytes, envelope.as_ref());
        }
        if self.has_geometry {
            let blob = if self.blob.is_empty() { ValueRef::Null } else { ValueRef::Blob(&self.blob) };
            values.push(ToSqlOutput::Borrowed(blob));
        }
        values.extend(row.values.iter().map(|value| sql_value(*value)));
        let inserted = self.connection.prepare_cached(&self.insert).and_then(|mut insert| insert.execute(params_from_iter(values)));
        inserted.map(|_| ()).map_err(|source| GeoPackageError::Sqlite { path: self.path.clone(), source })
    }

    /// Indexes, R*Tree, extent, commit; then the file is closed. Gives the envelopes of the rows that have one, in their order.
    ///
    /// # Errors
    /// `Sqlite`.
    pub fn finish(self, indexes: &[&str]) -> Result<Vec<rtree::Entry>, GeoPackageError> {
        self.close(indexes).map_err(|source| GeoPackageError::Sqlite { path: self.path.clone(), source })?;
        let path = self.path;
        self.connection.close().map_err(|(_, source)| GeoPackageError::Sqlite { path, source })?;
        Ok(self.entries)
    }

    fn close(&self, indexes: &[&str]) -> rusqlite::Result<()> {
        if self.has_geometry {
            rtree::build(&self.connection, &format!("rtree_{}_{GEOMETRY}", self.table), &self.entries)?;
            self.connection.execute_batch(&schema::rtree_triggers(&self.table, GEOMETRY, KEY))?;
        }
        for column in indexes {
            let name = format!("index_{}_{column}", self.table);
            self.connection.execute_batch(&format!("CREATE INDEX {} ON {} ({})", quoted(&name), quoted(&self.table), quoted(column)))?;
        }
        if !indexes.is_empty() {
            // Which of two indexes finds less.
            self.connection.execute_batch(&format!("ANALYZE {}", quoted(&self.table)))?;
        }
        if !self.extent.is_nothing() {
            let e = &self.extent;
            self.connection.execute(
                "UPDATE gpkg_contents SET min_x = ?1, min_y = ?2, max_x = ?3, max_y = ?4",
                rusqlite::params![e.west, e.south, e.east, e.north],
            )?;
        }
        self.connection.execute_batch("COMMIT")
    }
}

fn prepare(connection: &Connection, spec: &TableSpec<'_>) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", schema::USER_VERSION)?;
    // A half-written file is thrown away whole, so nothing need be recoverable inside it.
    connection.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(schema::TABLES)?;
    let srs = i64::from(spec.crs.epsg());
    if srs != 4326 && spec.geometry.is_some() {
        connection.execute(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?1, ?2, 'EPSG', ?2, ?3, NULL)",
            rusqlite::params![spec.srs_name, srs, spec.srs_wkt],
        )?;
    }
    let mut columns = vec![format!("{KEY} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL")];
    columns.extend(spec.id_column.map(|(name, kind)| format!("{} {} NOT NULL UNIQUE", quoted(name), schema::column_type(kind))));
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
    Ok(())
}

fn sql_value(value: Value<'_>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Text(text) | Value::Date(text) | Value::DateTime(text) => ValueRef::Text(text.as_bytes()),
        Value::Integer(value) => ValueRef::Integer(value),
        Value::Real(value) => ValueRef::Real(value),
        Value::Boolean(value) => ValueRef::Integer(i64::from(value)),
    })
}
