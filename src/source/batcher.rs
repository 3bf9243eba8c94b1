//! Rows gathered into batches, for the readers that see one row after another.

use std::io;

use arrow_array::builder::BinaryBuilder;
use arrow_array::builder::Int64Builder;

use crate::model::batch::BATCH_ROWS_MAX;
use crate::model::batch::ColumnBuilder;
use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::source::worker::Sink;

/// Rows gathered into batches.
pub struct Batcher {
    columns: Vec<ColumnBuilder>,
    ids: Int64Builder,
    geometry: Option<BinaryBuilder>,
    rows: usize,
    geometry_bytes: usize,
}

/// Bytes of geometry after which a batch goes out, whatever its rows: memory stays the same for coastlines and for lamps.
const BATCH_BYTES_MAX: usize = 8 << 20;

impl Batcher {
    pub fn new(types: &[FieldType], has_geometry: bool) -> Batcher {
        Batcher {
            columns: types.iter().map(|field_type| ColumnBuilder::new(*field_type)).collect(),
            ids: Int64Builder::new(),
            geometry: has_geometry.then(BinaryBuilder::new),
            rows: 0,
            geometry_bytes: 0,
        }
    }

    pub fn push(&mut self, column: usize, value: Value<'_>) {
        self.columns[column].push(value);
    }

    pub fn end_row(&mut self, id: Option<i64>, wkb: Option<&[u8]>) {
        self.ids.append_option(id);
        if let Some(geometry) = &mut self.geometry {
            geometry.append_option(wkb);
        }
        self.geometry_bytes += wkb.map_or(0, <[u8]>::len);
        self.rows += 1;
    }

    /// # Errors
    /// Those of the sink.
    pub fn flush_full(&mut self, sink: Sink<'_>) -> io::Result<()> {
        if self.rows >= BATCH_ROWS_MAX || self.geometry_bytes >= BATCH_BYTES_MAX { self.flush(sink) } else { Ok(()) }
    }

    /// # Errors
    /// Those of the sink.
    pub fn flush(&mut self, sink: Sink<'_>) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let columns = self.columns.iter_mut().map(ColumnBuilder::take).collect();
        let (rows, bytes) = (self.rows, self.geometry_bytes);
        let geometry =
            self.geometry.as_mut().map(|geometry| std::mem::replace(geometry, BinaryBuilder::with_capacity(rows, bytes)).finish());
        let batch = FeatureBatch::new(Ids::Integer(self.ids.finish()), columns, geometry);
        (self.rows, self.geometry_bytes) = (0, 0);
        sink(&batch)
    }
}
