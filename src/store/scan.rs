//! Every row of a version on its way to the downloads, read where it lies in the file: each of six asks for all of them,
//! and row by row SQLite would take longer than most of their encoders.

use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;

use arrow_array::builder::BinaryBuilder;
use arrow_array::builder::Int64Builder;
use arrow_array::builder::StringBuilder;

use crate::geopackage::TornPage;
use crate::geopackage::header;
use crate::geopackage::pages::Cell;
use crate::geopackage::table::Table;
use crate::geopackage::writer::GEOMETRY;
use crate::geopackage::writer::KEY;
use crate::model::batch::BATCH_ROWS_MAX;
use crate::model::batch::ColumnBuilder;
use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::store::StoreError;
use crate::store::reader::ID_COLUMN;

/// Bytes of geometry after which a batch goes out, whatever its rows.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// Batches that wait while the one before is encoded.
const BATCHES_AHEAD: usize = 1;

/// Batches in lon, lat, in the store's order; read on a thread of their own. As many rows as the layer has, or an error.
pub struct Scan {
    path: PathBuf,
    batches: Receiver<Result<FeatureBatch, StoreError>>,
    /// Rows that are to come.
    left: u64,
}

impl Iterator for Scan {
    type Item = Result<FeatureBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = match self.batches.recv() {
            Ok(Ok(batch)) => match self.left.checked_sub(batch.rows() as u64) {
                Some(left) => {
                    self.left = left;
                    return Some(Ok(batch));
                }
                None => Err(corrupt(&self.path)),
            },
            Ok(Err(error)) => Err(error),
            Err(_) if self.left == 0 => return None,
            Err(_) => Err(corrupt(&self.path)),
        };
        self.left = 0;
        Some(found)
    }
}

/// # Errors
/// `Corrupt` where the table is not one of ours.
pub fn scan(path: &Path, layer: &Layer) -> Result<Scan, StoreError> {
    let builder = Builder::open(path, layer).ok_or_else(|| corrupt(path))?;
    let (sender, batches) = sync_channel(BATCHES_AHEAD);
    let scan = Scan { path: path.to_owned(), batches, left: layer.features };
    let path = path.to_owned();
    std::thread::spawn(move || send_all(builder, &path, &sender));
    Ok(scan)
}

fn corrupt(path: &Path) -> StoreError {
    StoreError::Corrupt { path: PathBuf::from(path), reason: "un objet n'a pas pu être relu".to_owned() }
}

/// Why a walk ends early.
enum Stop {
    Corrupt,
    /// Nobody takes any more.
    Alone,
}

impl From<TornPage> for Stop {
    fn from(_: TornPage) -> Stop {
        Stop::Corrupt
    }
}

fn send_all(mut builder: Builder, path: &Path, sender: &SyncSender<Result<FeatureBatch, StoreError>>) {
    let table = std::mem::take(&mut builder.table);
    let Some(table) = table else { return };
    let walked = table.each(&mut |_, cells| {
        builder.push(cells).ok_or(Stop::Corrupt)?;
        if builder.rows >= BATCH_ROWS_MAX || builder.geometry_bytes >= BATCH_BYTES_MAX {
            sender.send(Ok(builder.finish())).map_err(|_| Stop::Alone)?;
        }
        Ok(())
    });
    let last = match walked {
        Ok(()) if builder.rows > 0 => Ok(builder.finish()),
        Err(Stop::Corrupt) => Err(corrupt(path)),
        Ok(()) | Err(Stop::Alone) => return,
    };
    // The one who asked may have gone.
    let _ = sender.send(last);
}

struct Builder {
    table: Option<Table>,
    id: usize,
    geometry: Option<usize>,
    fields: Vec<(usize, FieldType)>,
    rows: usize,
    geometry_bytes: usize,
    numbers: Int64Builder,
    texts: StringBuilder,
    kind: IdKind,
    columns: Vec<ColumnBuilder>,
    wkb: BinaryBuilder,
}

impl Builder {
    fn open(path: &Path, layer: &Layer) -> Option<Builder> {
        let table = Table::open(path, layer.id.as_str(), KEY)?;
        let geometry = if layer.geometry.is_some() { Some(table.column(GEOMETRY)?) } else { None };
        let fields = layer.fields.iter().map(|field| Some((table.column(&field.name)?, field.field_type))).collect::<Option<Vec<_>>>()?;
        Some(Builder {
            id: table.column(ID_COLUMN)?,
            table: Some(table),
            geometry,
            columns: fields.iter().map(|(_, kind)| ColumnBuilder::new(*kind)).collect(),
            fields,
            rows: 0,
            geometry_bytes: 0,
            numbers: Int64Builder::new(),
            texts: StringBuilder::new(),
            kind: layer.id_kind,
            wkb: BinaryBuilder::new(),
        })
    }

    fn push(&mut self, cells: &[Cell<'_>]) -> Option<()> {
        match (self.kind, cells.get(self.id)?) {
            (IdKind::Integer, Cell::Integer(id)) => self.numbers.append_value(*id),
            (IdKind::Text, Cell::Text(id)) => self.texts.append_value(std::str::from_utf8(id).ok()?),
            _ => return None,
        }
        if let Some(geometry) = self.geometry {
            let wkb = match cells.get(geometry)? {
                Cell::Blob(blob) => header::decode(blob).map(|(wkb, _)| wkb),
                _ => None,
            };
            self.geometry_bytes += wkb.map_or(0, <[u8]>::len);
            self.wkb.append_option(wkb);
        }
        for ((at, field_type), column) in self.fields.iter().zip(&mut self.columns) {
            column.push(value(*cells.get(*at)?, *field_type)?);
        }
        self.rows += 1;
        Some(())
    }

    fn finish(&mut self) -> FeatureBatch {
        let ids = match self.kind {
            IdKind::Integer => Ids::Integer(self.numbers.finish()),
            IdKind::Text => Ids::Text(self.texts.finish()),
        };
        let columns = self.columns.iter_mut().map(ColumnBuilder::take).collect();
        let next = BinaryBuilder::with_capacity(self.rows, self.geometry_bytes);
        let geometry = self.geometry.map(|_| std::mem::replace(&mut self.wkb, next).finish());
        (self.rows, self.geometry_bytes) = (0, 0);
        FeatureBatch::new(ids, columns, geometry)
    }
}

fn value(cell: Cell<'_>, field_type: FieldType) -> Option<Value<'_>> {
    Some(match (cell, field_type) {
        (Cell::Null, _) => Value::Null,
        (Cell::Text(text), FieldType::Date) => Value::Date(std::str::from_utf8(text).ok()?),
        (Cell::Text(text), FieldType::DateTime) => Value::DateTime(std::str::from_utf8(text).ok()?),
        (Cell::Text(text), _) => Value::Text(std::str::from_utf8(text).ok()?),
        (Cell::Integer(number), FieldType::Boolean) => Value::Boolean(number != 0),
        (Cell::Integer(number), FieldType::Real) => Value::Real(number as f64),
        (Cell::Integer(number), _) => Value::Integer(number),
        (Cell::Real(number), _) => Value::Real(number),
        (Cell::Blob(_), _) => return None,
    })
}
