//! From a question to rows, in the store's order.
//!
//! Conditions on fields are SQL with bound values; places are `store::spatial`. A selection without end is pulled in
//! chunks, each a question of its own.

use std::sync::Arc;

use rusqlite::Row;
use rusqlite::params_from_iter;
use rusqlite::types::Value as SqlValue;
use rusqlite::types::ValueRef;

use crate::geopackage::header;
use crate::geopackage::quoted;
use crate::geopackage::writer::GEOMETRY;
use crate::model::batch::ColumnBuilder;
use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::query::Query;
use crate::query::filter::ID;
use crate::store::StoreError;
use crate::store::filter_sql;
use crate::store::functions::MEETS;
use crate::store::reader::ID_COLUMN;
use crate::store::reader::LayerReader;
use crate::store::sorted;
use crate::store::spatial;

/// Rows of a chunk: some hundred kilobytes of parcels, so that a slow client holds little.
const CHUNK_ROWS: usize = 1_000;

/// Rows that are found at once, whatever the page: as many as the largest page.
const FEW: i64 = 10_000;

/// A chunk: the batch and the store's row number of each row (the key that pages by).
pub struct Chunk {
    pub rows: Vec<i64>,
    pub batch: FeatureBatch,
}

/// Rows that answer a query, in the store's order, pulled in chunks. Columns as `query.fields` (else all), in the layer's order.
pub struct Selection {
    reader: Arc<LayerReader>,
    columns: Vec<usize>,
    pending: Pending,
}

enum Pending {
    /// Found already: by the R*Tree, or a page.
    Rows { rows: Vec<i64>, at: usize },
    /// To be looked for chunk after chunk, to the end of the layer.
    Scan { conditions: Conditions, after: i64, done: bool },
}

/// Conditions on fields: SQL and the values bound to it. `None`: no row can match.
#[derive(Clone)]
pub struct Conditions {
    pub sql: Vec<String>,
    pub values: Vec<SqlValue>,
}

/// One page of an answer.
pub struct RowPage {
    /// Row numbers, in the order asked: ascending where none is.
    pub rows: Vec<i64>,
    /// Rows that match in all, whatever the page.
    pub matched: u64,
    /// Whether another row follows the page.
    pub more: bool,
}

pub fn select(reader: &Arc<LayerReader>, query: &Query) -> Result<Selection, StoreError> {
    let unbounded = query.page.limit.is_none() && query.page.offset == 0 && query.sort.is_empty() && query.reach().is_empty();
    match conditions(&reader.layer, query).filter(|_| unbounded) {
        Some(conditions) => {
            let pending = Pending::Scan { conditions, after: query.page.after_row(), done: false };
            Ok(Selection { reader: Arc::clone(reader), columns: columns(&reader.layer, query), pending })
        }
        None => Ok(rows(reader, page(reader, query)?, query)),
    }
}

/// The rows of a page that was found before.
pub fn rows(reader: &Arc<LayerReader>, page: RowPage, query: &Query) -> Selection {
    Selection { reader: Arc::clone(reader), columns: columns(&reader.layer, query), pending: Pending::Rows { rows: page.rows, at: 0 } }
}

fn columns(layer: &Layer, query: &Query) -> Vec<usize> {
    let chosen = |name: &String| query.fields.as_ref().is_none_or(|names| names.contains(name));
    layer.fields.iter().enumerate().filter(|(_, field)| chosen(&field.name)).map(|(at, _)| at).collect()
}

impl Iterator for Selection {
    type Item = Result<Chunk, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = match &mut self.pending {
            Pending::Rows { rows, at } => {
                let end = (*at + CHUNK_ROWS).min(rows.len());
                let chunk = rows[*at..end].to_vec();
                *at = end;
                chunk
            }
            Pending::Scan { done: true, .. } => Vec::new(),
            Pending::Scan { conditions, after, done } => match scan(&self.reader, conditions, *after, CHUNK_ROWS as u64, 0) {
                Ok(rows) => {
                    *after = rows.last().copied().unwrap_or(*after);
                    *done = rows.len() < CHUNK_ROWS;
                    rows
                }
                Err(error) => {
                    *done = true;
                    return Some(Err(error));
                }
            },
        };
        if rows.is_empty() {
            return None;
        }
        match read_rows(&self.reader, &rows, &self.columns) {
            Ok(batch) => batch.map(|batch| Ok(Chunk { rows, batch })),
            Err(error) => Some(Err(error)),
        }
    }
}

pub fn page(reader: &LayerReader, query: &Query) -> Result<RowPage, StoreError> {
    let after = query.page.after_row();
    let limit = query.page.limit.unwrap_or(u64::MAX);
    if query.is_unfiltered() && query.sort.is_empty() {
        // Rows are numbered from 1 without a gap.
        let features = reader.layer.features;
        let first = query.page.offset.saturating_add(after.unsigned_abs()).saturating_add(1);
        let last = features.min(first.saturating_sub(1).saturating_add(limit));
        let rows = (first..=last).filter_map(|row| i64::try_from(row).ok()).collect();
        return Ok(RowPage { rows, matched: features, more: last < features && first <= features });
    }
    let Some(conditions) = conditions(&reader.layer, query) else { return Ok(RowPage { rows: Vec::new(), matched: 0, more: false }) };
    let reach = query.reach();
    if !query.sort.is_empty() {
        return sorted::page(reader, query, &reach, conditions);
    }
    if !reach.is_empty() {
        return spatial::page(reader, query, &reach, &conditions);
    }
    if let Some(found) = few(reader, &conditions)? {
        let matched = found.len() as u64;
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let mut following = found.into_iter().filter(|row| *row > after).skip(whole(query.page.offset));
        let rows = following.by_ref().take(whole(limit)).collect();
        return Ok(RowPage { rows, matched, more: following.next().is_some() });
    }
    let mut rows = scan(reader, &conditions, after, limit.saturating_add(1), query.page.offset)?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(RowPage { rows, matched: count(reader, conditions)?, more })
}

/// Every row that matches, ascending, where they are few: an index finds them, which the order of rows would keep from its
/// work. `None` where they are many: then a page in the order of rows is soon full.
fn few(reader: &LayerReader, conditions: &Conditions) -> Result<Option<Vec<i64>>, StoreError> {
    let sql = format!("SELECT fid FROM {} WHERE {} LIMIT ?", quoted(reader.layer.id.as_str()), conditions.sql.join(" AND "));
    let mut values = conditions.values.clone();
    values.push(SqlValue::Integer(FEW + 1));
    let mut rows: Vec<i64> =
        reader.with(|connection| connection.prepare_cached(&sql)?.query_map(params_from_iter(values), |row| row.get(0))?.collect())?;
    rows.sort_unstable();
    Ok((rows.len() as i64 <= FEW).then_some(rows))
}

pub fn count(reader: &LayerReader, conditions: Conditions) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) FROM {} WHERE {}", quoted(reader.layer.id.as_str()), conditions.sql.join(" AND "));
    reader
        .with(|connection| connection.prepare_cached(&sql)?.query_row(params_from_iter(conditions.values), |row| row.get::<_, i64>(0)))
        .map(i64::unsigned_abs)
}

/// `None` where a value cannot be one of its field's: nothing matches.
fn conditions(layer: &Layer, query: &Query) -> Option<Conditions> {
    let mut found = Conditions { sql: Vec::new(), values: Vec::new() };
    for (name, text) in &query.equals {
        let (column, field_type) = match name.as_str() {
            ID if layer.id_kind == IdKind::Integer => (ID_COLUMN.to_owned(), FieldType::Integer),
            ID => (ID_COLUMN.to_owned(), FieldType::Text),
            name => (quoted(name), layer.field(name)?.field_type),
        };
        let value = match field_type {
            FieldType::Text | FieldType::Date | FieldType::DateTime => SqlValue::Text(text.clone()),
            FieldType::Integer => SqlValue::Integer(text.trim().parse().ok()?),
            FieldType::Real => SqlValue::Real(text.trim().parse().ok()?),
            FieldType::Boolean => SqlValue::Integer(match text.as_str() {
                "true" | "1" => 1,
                "false" | "0" => 0,
                _ => return None,
            }),
        };
        found.sql.push(format!("{column} = ?"));
        found.values.push(value);
    }
    if let Some(interval) = &query.datetime {
        // A layer without a time field meets every interval: the standard asks that it is not filtered (/req/core/fc-time-response A).
        if let (Some(first), Some(last)) = (layer.time_fields.first(), layer.time_fields.last()) {
            found.sql.push(format!("{MEETS}({}, {}, ?)", quoted(first), quoted(last)));
            let end = |instant: &Option<String>| instant.clone().unwrap_or_else(|| "..".to_owned());
            found.values.push(SqlValue::Text(format!("{}/{}", end(&interval.start), end(&interval.end))));
        }
    }
    if let Some(filter) = &query.filter {
        let (sql, values) = filter_sql::translate(filter, layer);
        found.sql.push(sql);
        found.values.extend(values);
    }
    if found.sql.is_empty() {
        found.sql.push("1".to_owned());
    }
    Some(found)
}

fn scan(reader: &LayerReader, conditions: &Conditions, after: i64, limit: u64, offset: u64) -> Result<Vec<i64>, StoreError> {
    let sql = format!(
        "SELECT fid FROM {} WHERE {} AND fid > ? ORDER BY fid LIMIT ? OFFSET ?",
        quoted(reader.layer.id.as_str()),
        conditions.sql.join(" AND ")
    );
    let mut values = conditions.values.clone();
    values.extend([after, i64::try_from(limit).unwrap_or(-1), i64::try_from(offset).unwrap_or(i64::MAX)].map(SqlValue::Integer));
    reader.with(|connection| connection.prepare_cached(&sql)?.query_map(params_from_iter(values), |row| row.get(0))?.collect())
}

/// The rows as a batch, in the order given; `None` for no rows.
pub fn read_rows(reader: &LayerReader, rows: &[i64], columns: &[usize]) -> Result<Option<FeatureBatch>, StoreError> {
    if rows.is_empty() {
        return Ok(None);
    }
    let layer = &reader.layer;
    let mut names = vec![ID_COLUMN.to_owned()];
    names.push(if layer.geometry.is_some() { GEOMETRY.to_owned() } else { "NULL".to_owned() });
    names.extend(columns.iter().map(|column| quoted(&layer.fields[*column].name)));
    let list = format!("SELECT {} FROM {}", names.join(", "), quoted(layer.id.as_str()));
    let contiguous = rows.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let mut batch = BatchBuilder::new(layer, columns);
    reader.with(|connection| {
        if contiguous {
            let mut select = connection.prepare_cached(&format!("{list} WHERE fid BETWEEN ?1 AND ?2 ORDER BY fid"))?;
            let mut found = select.query([rows[0], rows[rows.len() - 1]])?;
            while let Some(row) = found.next()? {
                batch.push(row)?;
            }
        } else {
            let mut select = connection.prepare_cached(&format!("{list} WHERE fid = ?1"))?;
            for row in rows {
                let mut found = select.query([row])?;
                if let Some(row) = found.next()? {
                    batch.push(row)?;
                }
            }
        }
        Ok(())
    })?;
    Ok(Some(batch.finish()))
}

struct BatchBuilder {
    numbers: arrow_array::builder::Int64Builder,
    texts: arrow_array::builder::StringBuilder,
    kind: IdKind,
    types: Vec<FieldType>,
    columns: Vec<ColumnBuilder>,
    geometry: Option<arrow_array::builder::BinaryBuilder>,
}

impl BatchBuilder {
    fn new(layer: &Layer, columns: &[usize]) -> BatchBuilder {
        let types: Vec<FieldType> = columns.iter().map(|column| layer.fields[*column].field_type).collect();
        BatchBuilder {
            numbers: Default::default(),
            texts: Default::default(),
            kind: layer.id_kind,
            columns: types.iter().map(|kind| ColumnBuilder::new(*kind)).collect(),
            types,
            geometry: layer.geometry.map(|_| Default::default()),
        }
    }

    fn push(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        match self.kind {
            IdKind::Integer => self.numbers.append_value(row.get(0)?),
            IdKind::Text => self.texts.append_value(row.get_ref(0)?.as_str()?),
        }
        if let Some(geometry) = &mut self.geometry {
            match row.get_ref(1)? {
                ValueRef::Blob(blob) => geometry.append_option(header::decode(blob).map(|(wkb, _)| wkb)),
                _ => geometry.append_null(),
            }
        }
        for (at, column) in self.columns.iter_mut().enumerate() {
            column.push(value(row.get_ref(at + 2)?, self.types[at]));
        }
        Ok(())
    }

    fn finish(mut self) -> FeatureBatch {
        let ids = match self.kind {
            IdKind::Integer => Ids::Integer(self.numbers.finish()),
            IdKind::Text => Ids::Text(self.texts.finish()),
        };
        FeatureBatch::new(
            ids,
            self.columns.iter_mut().map(ColumnBuilder::finish).collect(),
            self.geometry.map(|mut geometry| geometry.finish()),
        )
    }
}

fn value(stored: ValueRef<'_>, field_type: FieldType) -> Value<'_> {
    match (stored, field_type) {
        (ValueRef::Text(text), FieldType::Date) => std::str::from_utf8(text).map_or(Value::Null, Value::Date),
        (ValueRef::Text(text), FieldType::DateTime) => std::str::from_utf8(text).map_or(Value::Null, Value::DateTime),
        (ValueRef::Text(text), _) => std::str::from_utf8(text).map_or(Value::Null, Value::Text),
        (ValueRef::Integer(number), FieldType::Boolean) => Value::Boolean(number != 0),
        (ValueRef::Integer(number), _) => Value::Integer(number),
        (ValueRef::Real(number), _) => Value::Real(number),
        _ => Value::Null,
    }
}
