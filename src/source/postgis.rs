//! A table of PostGIS: copied to a GeoPackage of our own as it is at one moment, then read as any other.
//!
//! So its geometries are mended, its columns judged and its rows counted by the same code as everybody's. The copy is made by
//! the parent: the database is the officer's, and no stranger's file.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gdal::spatial_ref::SpatialRef;
use tempfile::TempDir;

use crate::geopackage::writer::GeoPackageWriter;
use crate::geopackage::writer::NewRow;
use crate::geopackage::writer::TableSpec;
use crate::model::crs::Crs;
use crate::model::crs::WGS_84;
use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::layer::Field;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;
use crate::model::layer::IdKind;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::Outcome;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::postgis::ColumnKind;
use crate::postgis::Connection;
use crate::postgis::Rows;
use crate::postgis::Service;
use crate::postgis::Table;
use crate::postgis::describe;
use crate::postgis::in_table;
use crate::source::FoundLayer;
use crate::source::OpenSource;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::copy::Copied;
use crate::source::names;
use crate::source::pipe::Question;
use crate::source::pipe::Request;
use crate::source::pipe::Worker;

/// A department's parcels are copied in a minute; a view that takes an hour is none to publish.
const COPY_MAX: Duration = Duration::from_secs(3_600);

/// Rows on their way from the answer to the copy.
const BATCH_ROWS: usize = 4_096;
const BATCH_BYTES: usize = 8 << 20;

impl Source {
    /// Copies a table, or a view, and looks at it.
    ///
    /// # Errors
    /// `Database`, `Unreadable`, `Crashed`.
    pub fn open_table(&self, service: &Service, schema: &str, name: &str) -> Result<OpenSource, SourceError> {
        let shown = PathBuf::from(format!("{service} {schema}.{name}"));
        let unwritten = |reason: String| SourceError::Unreadable { path: shown.clone(), reason };
        let folder = TempDir::new_in(&self.scratch).map_err(|error| unwritten(error.to_string()))?;
        let mut connection = Connection::open(service, COPY_MAX)?;
        let table = describe(&mut connection, service, schema, name)?;
        let fields = fields_of(&table);
        let head = folder.path().join("table.gpkg");
        let noted = copy(&mut connection, &table, &fields, &head).map_err(|fault| match fault {
            Fault::Database(error) => SourceError::Database(error),
            Fault::Disk(reason) => unwritten(reason),
        })?;
        let request = Request { path: head.clone(), in_place: false, question: Question::Layers(None), options: ReadOptions::default() };
        let mut worker = Worker::start(self, &shown)?;
        let layers = worker.describe(&request)?.into_iter().map(|read| FoundLayer {
            head: head.clone(),
            inner: read.name.clone(),
            layer: as_the_table_says(read, &table, &fields),
        });
        let layers = layers.collect();
        let copied = Copied::of_our_own(folder, head);
        Ok(OpenSource {
            source: self.clone(),
            path: shown,
            options: ReadOptions::default(),
            copied: Arc::new(copied),
            layers,
            worker: Some(worker),
            table: Some(table),
            noted,
        })
    }

    /// Tables and views that a service may read, as `schema.table`, those with a geometry first.
    ///
    /// # Errors
    /// `Database`.
    pub fn tables(&self, service: &Service) -> Result<Vec<String>, SourceError> {
        let sql = "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'topology') \
                   AND c.relname NOT IN ('spatial_ref_sys', 'geometry_columns', 'geography_columns', 'raster_columns', 'raster_overviews') \
                   AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT') \
                   ORDER BY NOT EXISTS (SELECT 1 FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
                   WHERE a.attrelid = c.oid AND t.typname IN ('geometry', 'geography')), 1 LIMIT 200";
        let mut found = Vec::new();
        Connection::open(service, COPY_MAX)?.query(sql, &[], &mut |row| {
            found.extend(row.text(0).map(str::to_owned));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

/// Every column that can be published, under the name that layers give it.
fn fields_of(table: &Table) -> Vec<Field> {
    let sources: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let safe = names::safe_names(&sources);
    let columns = table.columns.iter().zip(safe);
    let field = |(column, name): (&crate::postgis::Column, String)| Field {
        name,
        source_name: column.name.clone(),
        title: column.name.clone(),
        description: column.comment.clone(),
        unit: None,
        field_type: column.kind.field_type(),
        values: Vec::new(),
    };
    columns.map(field).collect()
}

fn as_the_table_says(read: SourceLayer, table: &Table, fields: &[Field]) -> SourceLayer {
    let crs = match &table.geometry {
        None => ClaimedCrs::NotApplicable,
        Some(geometry) => match geometry.epsg {
            Some(code) => ClaimedCrs::Known(Crs::Epsg(code)),
            None if geometry.srid == 0 => ClaimedCrs::Missing,
            None => ClaimedCrs::Unknown(format!("SRID {}", geometry.srid)),
        },
    };
    SourceLayer {
        name: format!("{}.{}", table.schema, table.name),
        fields: fields.to_vec(),
        geometry: table.geometry.as_ref().and_then(|geometry| geometry.declared).or(read.geometry),
        crs,
        title: None,
        description: table.comment.clone(),
        is_keyed: table.integer_key().is_some(),
        ..read
    }
}

enum Fault {
    Database(crate::postgis::PostgisError),
    Disk(String),
}

/// What was lost on the way is noted.
fn copy(connection: &mut Connection, table: &Table, fields: &[Field], path: &Path) -> Result<Outcome, Fault> {
    let disk = |error: &dyn std::fmt::Display| Fault::Disk(error.to_string());
    let crs = table.geometry.as_ref().and_then(|geometry| geometry.epsg).map_or(WGS_84, Crs::Epsg);
    let system = SpatialRef::from_epsg(crs.epsg()).map_err(|error| disk(&error))?;
    let declared = table.geometry.as_ref().map(|geometry| geometry.declared.unwrap_or(ANY));
    let spec = TableSpec {
        table: "copie",
        identifier: "copie",
        description: "",
        fields,
        geometry: declared,
        crs,
        srs_wkt: &system.to_wkt().map_err(|error| disk(&error))?,
        srs_name: &system.name().unwrap_or_default(),
        last_change: None,
        id_column: None,
    };
    let mut writer = GeoPackageWriter::create(path, &spec).map_err(|error| disk(&error))?;
    let key = table.integer_key().map(|key| key.kind.exact(&in_table(&key.name)));
    let mut list = vec![key.as_ref().map_or_else(|| "row_number() OVER ()".to_owned(), |key| format!("{key}::int8"))];
    list.extend(table.geometry.as_ref().map(|geometry| format!("ST_AsBinary({}, 'NDR')", geometry.linear())));
    list.extend(table.columns.iter().map(|column| column.kind.sent(&in_table(&column.name))));
    let order = key.map(|key| format!(" ORDER BY {key}")).unwrap_or_default();
    let sql = format!("SELECT {} FROM {}{order}", list.join(", "), table.relation());
    let kinds: Vec<ColumnKind> = table.columns.iter().map(|column| column.kind).collect();
    let mut rows = Rows::new(IdKind::Integer, kinds, table.geometry.is_some(), None);
    let mut outcome = Outcome::default();
    if !table.left_out.is_empty() {
        outcome.messages.push(format!("colonnes que rien ne peut montrer, laissées de côté : {}", table.left_out.join(", ")));
    }
    let (mut written, mut failure) = (0, None);
    connection
        .query(&sql, &[], &mut |row| {
            rows.push(&row);
            if rows.len() < BATCH_ROWS && rows.bytes() < BATCH_BYTES {
                return ControlFlow::Continue(());
            }
            match write(&mut writer, &mut rows, &mut written, fields, &mut outcome) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        })
        .map_err(Fault::Database)?;
    let last = failure.map_or_else(|| write(&mut writer, &mut rows, &mut written, fields, &mut outcome), Err);
    last.map_err(|error| disk(&error))?;
    writer.finish(&[]).map_err(|error| disk(&error))?;
    Ok(outcome)
}

const ANY: GeometryColumn = GeometryColumn { geometry_type: GeometryType::Geometry, has_z: false, has_m: false };

fn write(writer: &mut GeoPackageWriter, rows: &mut Rows, written: &mut u64, fields: &[Field], outcome: &mut Outcome) -> io::Result<()> {
    let (batch, lost) = rows.take();
    for row in 0..batch.rows() {
        let values: Vec<Value<'_>> = (0..batch.columns.len()).map(|column| batch.value(row, column)).collect();
        let Some(FeatureId::Integer(fid)) = batch.id(row) else { continue };
        writer.write(&NewRow { fid, id: None, values: &values, wkb: batch.wkb(row) }).map_err(io::Error::other)?;
    }
    for (row, column) in lost {
        outcome.note_lost(*written + row as u64 + 1, &fields[column].source_name);
    }
    *written += batch.rows() as u64;
    Ok(())
}
