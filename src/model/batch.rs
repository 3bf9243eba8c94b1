//! Features in columns: what travels from `source` to `publish`, from `store` to `encode`, and over the worker's pipe.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::BooleanArray;
use arrow_array::Int64Array;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::types::Int64Type;

use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::layer::FieldType;

/// Rows of one batch at most: large enough to hide per-batch cost, small enough that a batch of parcels stays near 20 MB.
pub const BATCH_ROWS_MAX: usize = 8192;

/// Ids of the rows of a batch.
#[derive(Clone, Debug)]
pub enum Ids {
    /// From `source`: the source's own row id, null where it has none. From `store`: the issued id, never null.
    Integer(Int64Array),
    /// From `store`: the declared field's text, never null.
    Text(StringArray),
}

/// A run of features in columns. All columns have `rows` values. Text is UTF-8 because `StringArray` is only ever
/// built by constructors that prove it.
///
/// Column `i` has the Arrow type of its field: Text, Date and DateTime are `StringArray`, Integer `Int64Array`, Real
/// `Float64Array` (finite or null), Boolean `BooleanArray`.
#[derive(Clone, Debug)]
pub struct FeatureBatch {
    rows: usize,
    pub ids: Ids,
    pub columns: Vec<(FieldType, ArrayRef)>,
    /// ISO WKB as `model::geometry` says; null where the feature has no geometry. `None`: the layer has no geometry.
    pub geometry: Option<BinaryArray>,
}

impl FeatureBatch {
    /// # Panics
    /// Where a column's length or Arrow type does not fit: a fault of the room that builds it.
    pub fn new(ids: Ids, columns: Vec<(FieldType, ArrayRef)>, geometry: Option<BinaryArray>) -> FeatureBatch {
        let rows = match &ids {
            Ids::Integer(ids) => ids.len(),
            Ids::Text(ids) => ids.len(),
        };
        for (field_type, column) in &columns {
            assert_eq!(column.len(), rows, "a column is as long as its batch");
            let fits = match field_type {
                FieldType::Text | FieldType::Date | FieldType::DateTime => column.as_string_opt::<i32>().is_some(),
                FieldType::Integer => column.as_primitive_opt::<Int64Type>().is_some(),
                FieldType::Real => column.as_primitive_opt::<Float64Type>().is_some(),
                FieldType::Boolean => column.as_boolean_opt().is_some(),
            };
            assert!(fits, "a column has the Arrow type of its field");
        }
        if let Some(geometry) = &geometry {
            assert_eq!(geometry.len(), rows, "the geometry column is as long as its batch");
        }
        FeatureBatch { rows, ids, columns, geometry }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// `None` where the source gave the row no id.
    pub fn id(&self, row: usize) -> Option<FeatureId> {
        match &self.ids {
            Ids::Integer(ids) => ids.is_valid(row).then(|| FeatureId::Integer(ids.value(row))),
            Ids::Text(ids) => ids.is_valid(row).then(|| FeatureId::Text(ids.value(row).to_owned())),
        }
    }

    pub fn value(&self, row: usize, column: usize) -> Value<'_> {
        let (field_type, array) = &self.columns[column];
        if array.is_null(row) {
            return Value::Null;
        }
        match field_type {
            FieldType::Text => Value::Text(array.as_string::<i32>().value(row)),
            FieldType::Date => Value::Date(array.as_string::<i32>().value(row)),
            FieldType::DateTime => Value::DateTime(array.as_string::<i32>().value(row)),
            FieldType::Integer => Value::Integer(array.as_primitive::<Int64Type>().value(row)),
            FieldType::Real => Value::Real(array.as_primitive::<Float64Type>().value(row)),
            FieldType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        }
    }

    /// ISO WKB; `None` for a null geometry and in a layer without geometry.
    pub fn wkb(&self, row: usize) -> Option<&[u8]> {
        let geometry = self.geometry.as_ref()?;
        geometry.is_valid(row).then(|| geometry.value(row))
    }

    /// The batch with only the columns at `kept`, in that order. Costs no copy.
    pub fn project(&self, kept: &[usize]) -> FeatureBatch {
        let columns = kept.iter().map(|&column| self.columns[column].clone()).collect();
        FeatureBatch { rows: self.rows, ids: self.ids.clone(), columns, geometry: self.geometry.clone() }
    }

    /// The batch with only the rows that are `chosen`, which is as long as the batch.
    pub fn choose(&self, chosen: &BooleanArray) -> FeatureBatch {
        let choose = |array: &dyn Array| arrow_select::filter::filter(array, chosen).expect("a choice is as long as its batch");
        let ids = match &self.ids {
            Ids::Integer(ids) => Ids::Integer(choose(ids).as_primitive::<Int64Type>().clone()),
            Ids::Text(ids) => Ids::Text(choose(ids).as_string::<i32>().clone()),
        };
        let columns = self.columns.iter().map(|(field_type, column)| (*field_type, choose(column))).collect();
        let geometry = self.geometry.as_ref().map(|geometry| choose(geometry).as_binary::<i32>().clone());
        FeatureBatch::new(ids, columns, geometry)
    }
}

/// Builds one column value by value.
pub enum ColumnBuilder {
    Text(FieldType, arrow_array::builder::StringBuilder),
    Integer(arrow_array::builder::Int64Builder),
    Real(arrow_array::builder::Float64Builder),
    Boolean(arrow_array::builder::BooleanBuilder),
}

impl ColumnBuilder {
    pub fn new(field_type: FieldType) -> ColumnBuilder {
        match field_type {
            FieldType::Text | FieldType::Date | FieldType::DateTime => ColumnBuilder::Text(field_type, Default::default()),
            FieldType::Integer => ColumnBuilder::Integer(Default::default()),
            FieldType::Real => ColumnBuilder::Real(Default::default()),
            FieldType::Boolean => ColumnBuilder::Boolean(Default::default()),
        }
    }

    /// What was pushed, as an array; then it is empty, with room for as much again.
    pub fn take(&mut self) -> (FieldType, ArrayRef) {
        let next = self.anew();
        std::mem::replace(self, next).finish()
    }

    fn anew(&self) -> ColumnBuilder {
        use arrow_array::builder::ArrayBuilder;
        match self {
            ColumnBuilder::Text(field_type, builder) => {
                let bytes = builder.values_slice().len();
                ColumnBuilder::Text(*field_type, arrow_array::builder::StringBuilder::with_capacity(builder.len(), bytes))
            }
            ColumnBuilder::Integer(builder) => ColumnBuilder::Integer(arrow_array::builder::Int64Builder::with_capacity(builder.len())),
            ColumnBuilder::Real(builder) => ColumnBuilder::Real(arrow_array::builder::Float64Builder::with_capacity(builder.len())),
            ColumnBuilder::Boolean(builder) => ColumnBuilder::Boolean(arrow_array::builder::BooleanBuilder::with_capacity(builder.len())),
        }
    }

    /// Appends a value; one that does not fit the column's type becomes null. A real that is not finite too.
    pub fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (ColumnBuilder::Text(_, builder), Value::Text(text) | Value::Date(text) | Value::DateTime(text)) => builder.append_value(text),
            (ColumnBuilder::Text(_, builder), _) => builder.append_null(),
            (ColumnBuilder::Integer(builder), Value::Integer(value)) => builder.append_value(value),
            (ColumnBuilder::Integer(builder), _) => builder.append_null(),
            (ColumnBuilder::Real(builder), Value::Real(value)) if value.is_finite() => builder.append_value(value),
            (ColumnBuilder::Real(builder), Value::Integer(value)) => builder.append_value(value as f64),
            (ColumnBuilder::Real(builder), _) => builder.append_null(),
            (ColumnBuilder::Boolean(builder), Value::Boolean(value)) => builder.append_value(value),
            (ColumnBuilder::Boolean(builder), _) => builder.append_null(),
        }
    }

    pub fn finish(&mut self) -> (FieldType, ArrayRef) {
        match self {
            ColumnBuilder::Text(field_type, builder) => (*field_type, Arc::new(builder.finish()) as ArrayRef),
            ColumnBuilder::Integer(builder) => (FieldType::Integer, Arc::new(builder.finish()) as ArrayRef),
            ColumnBuilder::Real(builder) => (FieldType::Real, Arc::new(builder.finish()) as ArrayRef),
            ColumnBuilder::Boolean(builder) => (FieldType::Boolean, Arc::new(builder.finish()) as ArrayRef),
        }
    }
}

/// Id, values, ISO WKB of one row.
pub type Row<'a> = (Option<i64>, Vec<Value<'a>>, Option<Vec<u8>>);

/// Convenience for tests and small tables: a batch from rows of values.
pub fn batch_of(types: &[FieldType], rows: &[Row<'_>], has_geometry: bool) -> FeatureBatch {
    let mut builders: Vec<ColumnBuilder> = types.iter().map(|t| ColumnBuilder::new(*t)).collect();
    for (_, values, _) in rows {
        for (builder, value) in builders.iter_mut().zip(values) {
            builder.push(*value);
        }
    }
    let ids = Ids::Integer(rows.iter().map(|(id, _, _)| *id).collect());
    let geometry = has_geometry.then(|| BinaryArray::from_iter(rows.iter().map(|(_, _, wkb)| wkb.as_deref())));
    FeatureBatch::new(ids, builders.iter_mut().map(ColumnBuilder::finish).collect(), geometry)
}
