//! A PostgreSQL with PostGIS of the tests' own (`tests/database.sh`), and both stores behind one face.

use std::fmt::Write as _;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;

use bocage::live::LiveReader;
use bocage::live::LiveSource;
use bocage::model::batch::FeatureBatch;
use bocage::model::batch::Row;
use bocage::model::feature::FeatureId;
use bocage::model::feature::Value;
use bocage::model::layer::FieldType;
use bocage::model::layer::Layer;
use bocage::postgis::Connection;
use bocage::postgis::Database;
use bocage::postgis::Service;
use bocage::postgis::describe;
use bocage::query::After;
use bocage::query::Query;
use bocage::store::LayerReader;

use crate::shared::skipped;
use crate::store::reader_of;

/// Stopped and deleted when it is dropped, or when the tests end, however they do.
pub struct PostgreSql {
    talk: Mutex<(Child, BufReader<std::process::ChildStdout>)>,
    /// Of the role that reads, and of the one that writes.
    pub reads: String,
    writes: String,
}

/// `make test` says where services are to be written (PGSERVICEFILE); `None`, said loudly, where nobody does.
fn service_file() -> Option<PathBuf> {
    let file = std::env::var_os("PGSERVICEFILE").map(PathBuf::from).filter(|file| file.to_string_lossy().contains("bocage-test"));
    if file.is_none() {
        skipped("PostgreSQL is started by `make test` (PGSERVICEFILE)");
    }
    file
}

impl PostgreSql {
    /// One for all tests that leave it running.
    pub fn shared() -> Option<&'static PostgreSql> {
        static ONE: OnceLock<Option<PostgreSql>> = OnceLock::new();
        ONE.get_or_init(PostgreSql::start).as_ref()
    }

    pub fn start() -> Option<PostgreSql> {
        /// Services of this process so far, as the file has them.
        static KNOWN: Mutex<(u32, String)> = Mutex::new((0, String::new()));
        let file = service_file()?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/database.sh");
        let mut child = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("tests/database.sh");
        let mut said = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        said.read_line(&mut line).expect("a service file");
        let services = std::fs::read_to_string(line.trim()).expect("services");
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.0 += 1;
        let (reads, writes) = (format!("sig{}", known.0), format!("maitre{}", known.0));
        let named = services.replace("[sig]", &format!("[{reads}]")).replace("[maitre]", &format!("[{writes}]"));
        known.1.push_str(&named);
        let new = file.with_extension("new");
        std::fs::write(&new, &known.1).and_then(|()| std::fs::rename(&new, &file)).expect("written");
        Some(PostgreSql { talk: Mutex::new((child, said)), reads, writes })
    }

    /// `stop`, `start`, `freeze`, `thaw`.
    pub fn order(&self, word: &str) {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        let input = talk.0.stdin.as_mut().expect("piped");
        writeln!(input, "{word}").and_then(|()| input.flush()).expect("ordered");
        let mut line = String::new();
        talk.1.read_line(&mut line).expect("an answer");
        assert_eq!(line, "ok\n", "{word}");
    }

    /// As the owner.
    pub fn sql(&self, sql: &str) {
        let mut psql = Command::new("psql")
            .args(["-q", "-X", "-v", "ON_ERROR_STOP=1"])
            .env("PGSERVICE", &self.writes)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("psql");
        psql.stdin.take().expect("piped").write_all(sql.as_bytes()).expect("told");
        assert!(psql.wait().expect("psql").success(), "{}", sql.chars().take(2_000).collect::<String>());
    }

    /// A GeoPackage's only layer as `public.<table>`, ids as `gid`.
    pub fn load(&self, geopackage: &std::path::Path, table: &str) {
        let output = Command::new("ogr2ogr")
            .args(["-f", "PostgreSQL", &format!("PG:service={}", self.writes)])
            .arg(geopackage)
            .args([
                "-nln",
                &format!("public.{table}"),
                "-preserve_fid",
                "-lco",
                "LAUNDER=NO",
                "-lco",
                "GEOMETRY_NAME=geom",
                "-lco",
                "FID=gid",
            ])
            .output()
            .expect("ogr2ogr");
        assert!(output.status.success(), "{table}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn service(&self) -> Service {
        Service(self.reads.clone())
    }

    /// Rows as a table of this name whose geometry is in lon, lat, answered live.
    pub fn table(&self, name: &str, layer: Layer, rows: &[Row<'_>]) -> LiveReader {
        let types: Vec<String> = layer
            .fields
            .iter()
            .map(|field| {
                let kind = match field.field_type {
                    FieldType::Text => "text",
                    FieldType::Integer => "int8",
                    FieldType::Real => "float8",
                    FieldType::Boolean => "bool",
                    FieldType::Date => "date",
                    FieldType::DateTime => "timestamptz",
                };
                format!("\"{}\" {kind}", field.name)
            })
            .collect();
        let mut sql = format!(
            "SET TIME ZONE 'UTC'; CREATE TABLE \"{name}\" (gid int8 PRIMARY KEY, {}, geom geometry);\n\
             COPY \"{name}\" FROM STDIN WITH (FORMAT csv, NULL 'absent');\n",
            types.join(", ")
        );
        for (id, values, wkb) in rows {
            let _ = write!(sql, "{}", id.expect("an id"));
            for value in values {
                let _ = match value {
                    Value::Null => write!(sql, ",absent"),
                    Value::Text(text) | Value::Date(text) | Value::DateTime(text) => write!(sql, ",\"{}\"", text.replace('"', "\"\"")),
                    Value::Integer(whole) => write!(sql, ",{whole}"),
                    Value::Real(real) => write!(sql, ",{real:?}"),
                    Value::Boolean(truth) => write!(sql, ",{truth}"),
                };
            }
            let hex: Option<String> = wkb.as_ref().map(|wkb| wkb.iter().map(|byte| format!("{byte:02x}")).collect());
            let _ = writeln!(sql, ",{}", hex.unwrap_or_else(|| "absent".to_owned()));
        }
        let _ = write!(
            sql,
            "\\.\nUPDATE \"{name}\" SET geom = ST_SetSRID(geom, 4326);\nCREATE INDEX ON \"{name}\" USING gist (geom);\nANALYZE \"{name}\";\n"
        );
        self.sql(&sql);
        self.live("public", name, layer)
    }

    /// A table as it is, answered live: every column of it is one of the layer.
    pub fn live(&self, schema: &str, name: &str, layer: Layer) -> LiveReader {
        let service = self.service();
        let mut connection = Connection::open(&service, Duration::from_secs(10)).expect("connected");
        let table = describe(&mut connection, &service, schema, name).expect("described");
        let key = crate::store::field("c_gid", FieldType::Integer);
        let fields = std::iter::once(key).chain(layer.fields.clone()).collect();
        let source = LiveSource { service: service.clone(), table, fields, rows: None, closed: None };
        LiveReader::new(source, layer, Arc::new(Database::new(service))).expect("a reader")
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        let (child, _) = self.talk.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(child.stdin.take());
        let _ = child.wait();
    }
}

/// One of the two stores, asked alike.
pub enum Store {
    Stored(Arc<LayerReader>, tempfile::TempDir),
    Live(Box<LiveReader>),
}

/// A page, as both give it.
pub struct Page {
    pub ids: Vec<i64>,
    pub matched: Option<u64>,
    pub next: Option<After>,
}

impl Store {
    /// The same rows in a version and, where there is a database, in a table of this name.
    pub fn both(name: &str, layer: &Layer, rows: &[Row<'_>]) -> Vec<Store> {
        let (folder, reader) = reader_of(layer.clone(), rows);
        let mut both = vec![Store::Stored(reader, folder)];
        both.extend(PostgreSql::shared().map(|database| Store::Live(Box::new(database.table(name, layer.clone(), rows)))));
        both
    }

    pub fn name(&self) -> &'static str {
        match self {
            Store::Stored(..) => "stored",
            Store::Live(_) => "live",
        }
    }

    pub fn page(&self, query: &Query) -> Page {
        match self {
            Store::Stored(reader, _) => {
                let found = reader.page(query).expect("a page");
                let next = found.rows.last().copied().filter(|_| found.more).map(After::Row);
                let matched = Some(found.matched);
                let batches = reader.rows(found, query).map(|chunk| chunk.expect("read").batch);
                Page { matched, next, ids: batches.flat_map(|batch| ids_of(&batch)).collect() }
            }
            Store::Live(reader) => {
                let found = reader.page(query).expect("a page");
                Page { ids: found.batches.iter().flat_map(ids_of).collect(), matched: found.matched, next: found.next.map(After::Values) }
            }
        }
    }

    /// Every row, from page to page.
    pub fn ids(&self, query: &Query) -> Vec<i64> {
        let mut query = query.clone();
        let mut all = Vec::new();
        loop {
            let page = self.page(&query);
            all.extend(page.ids);
            match page.next {
                Some(next) => query.page.after = Some(next),
                None => return all,
            }
        }
    }
}

fn ids_of(batch: &FeatureBatch) -> Vec<i64> {
    let id = |row| match batch.id(row) {
        Some(FeatureId::Integer(id)) => id,
        other => panic!("{other:?}"),
    };
    (0..batch.rows()).map(id).collect()
}
