//! From a question to rows, in the store's order.
//!
//! The R*Tree gives candidates; what lies on the edge of a box is looked at exactly. Conditions on fields are SQL with
//! bound values. A selection without end is pulled in chunks, each a question of its own.

use std::collections::HashSet;
use std::sync::Arc;

use geo::BoundingRect;
use geo::Intersects;
use geo_traits::to_geo::ToGeoGeometry;
use geo_types::Geometry;
use geo_types::Rect;
use geo_types::coord;
use rusqlite::Connection;
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
use crate::model::geometry::Envelope;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::wkb;
use crate::query::Query;
use crate::store::StoreError;
use crate::store::reader::ID_COLUMN;
use crate::store::reader::LayerReader;
use crate::store::reader::MEETS;

/// Rows of a chunk: some hundred kilobytes of parcels, so that a slow client holds little.
const CHUNK_ROWS: usize = 1_000;

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
struct Conditions {
    sql: Vec<String>,
    values: Vec<SqlValue>,
}

pub fn select(reader: &Arc<LayerReader>, query: &Query) -> Result<Selection, StoreError> {
    let columns = match &query.fields {
        None => (0..reader.layer.fields.len()).collect(),
        Some(names) => {
            let chosen = |(_, field): &(usize, &crate::model::layer::Field)| names.contains(&field.name);
            reader.layer.fields.iter().enumerate().filter(chosen).map(|(at, _)| at).collect()
        }
    };
    let unbounded = query.page.limit.is_none() && query.page.offset == 0 && query.bbox.is_empty() && query.area.is_none();
    let pending = match conditions(&reader.layer, query).filter(|_| unbounded) {
        Some(conditions) => Pending::Scan { conditions, after: query.page.after.unwrap_or(0), done: false },
        None => Pending::Rows { rows: select_rows(reader, query)?, at: 0 },
    };
    Ok(Selection { reader: Arc::clone(reader), columns, pending })
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

pub fn select_rows(reader: &LayerReader, query: &Query) -> Result<Vec<i64>, StoreError> {
    let after = query.page.after.unwrap_or(0);
    let limit = query.page.limit.unwrap_or(u64::MAX);
    if query.is_unfiltered() {
        // Rows are numbered from 1 without a gap.
        let first = query.page.offset.saturating_add(after.unsigned_abs()).saturating_add(1);
        let last = reader.layer.features.min(first.saturating_sub(1).saturating_add(limit));
        return Ok((first..=last).filter_map(|row| i64::try_from(row).ok()).collect());
    }
    let Some(conditions) = conditions(&reader.layer, query) else { return Ok(Vec::new()) };
    if query.bbox.is_empty() && query.area.is_none() {
        return scan(reader, &conditions, after, limit, query.page.offset);
    }
    let found = spatial(reader, query, &conditions, after, query.page.offset.saturating_add(limit))?;
    let offset = usize::try_from(query.page.offset).unwrap_or(usize::MAX);
    Ok(found.into_iter().skip(offset).collect())
}

pub fn count(reader: &LayerReader, query: &Query) -> Result<u64, StoreError> {
    if query.is_unfiltered() {
        return Ok(reader.layer.features);
    }
    let Some(conditions) = conditions(&reader.layer, query) else { return Ok(0) };
    if !query.bbox.is_empty() || query.area.is_some() {
        return Ok(spatial(reader, query, &conditions, 0, u64::MAX)?.len() as u64);
    }
    let sql = format!("SELECT count(*) FROM {} WHERE {}", quoted(reader.layer.id.as_str()), conditions.sql.join(" AND "));
    reader
        .with(|connection| connection.prepare_cached(&sql)?.query_row(params_from_iter(conditions.values), |row| row.get::<_, i64>(0)))
        .map(i64::unsigned_abs)
}

/// `None` where a value cannot be one of its field's: nothing matches.
fn conditions(layer: &Layer, query: &Query) -> Option<Conditions> {
    let mut found = Conditions { sql: Vec::new(), values: Vec::new() };
    for (name, text) in &query.equals {
        let field = layer.field(name)?;
        let value = match field.field_type {
            FieldType::Text | FieldType::Date | FieldType::DateTime => SqlValue::Text(text.clone()),
            FieldType::Integer => SqlValue::Integer(text.trim().parse().ok()?),
            FieldType::Real => SqlValue::Real(text.trim().parse().ok()?),
            FieldType::Boolean => SqlValue::Integer(match text.as_str() {
                "true" | "1" => 1,
                "false" | "0" => 0,
                _ => return None,
            }),
        };
        found.sql.push(format!("{} = ?", quoted(name)));
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

/// Rows after `after` whose geometry meets the boxes and the area and whose fields meet the conditions, at most `limit`.
fn spatial(reader: &LayerReader, query: &Query, conditions: &Conditions, after: i64, limit: u64) -> Result<Vec<i64>, StoreError> {
    if reader.layer.geometry.is_none() {
        return Ok(Vec::new());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    reader.with(|connection| {
        let candidates = candidates(connection, &reader.layer, query)?;
        let table = quoted(reader.layer.id.as_str());
        let plain = conditions.values.is_empty();
        let mut matches =
            connection.prepare_cached(&format!("SELECT 1 FROM {table} WHERE {} AND fid = ?", conditions.sql.join(" AND ")))?;
        let mut geometry = connection.prepare_cached(&format!("SELECT {GEOMETRY} FROM {table} WHERE fid = ?1"))?;
        let mut found = Vec::new();
        for (row, inside) in candidates.into_iter().filter(|(row, _)| *row > after) {
            if found.len() >= limit {
                break;
            }
            let near = inside || geometry.query_row([row], |row| Ok(meets(row.get_ref(0)?, query)))?;
            if near && (plain || matches.exists(params_from_iter(conditions.values.iter().cloned().chain([SqlValue::Integer(row)])))?) {
                found.push(row);
            }
        }
        Ok(found)
    })
}

/// Row numbers in ascending order, and whether the tree alone proves that the geometry meets the question.
fn candidates(connection: &Connection, layer: &Layer, query: &Query) -> rusqlite::Result<Vec<(i64, bool)>> {
    let area = query.area.as_ref().and_then(|area| area.bounding_rect());
    let area_box = area.map(|rect| Envelope { west: rect.min().x, south: rect.min().y, east: rect.max().x, north: rect.max().y });
    let boxes: Vec<Envelope> = match (query.bbox.is_empty(), area_box) {
        (true, Some(area)) => vec![area],
        _ => query.bbox.clone(),
    };
    let tree = quoted(&format!("rtree_{}_{GEOMETRY}", layer.id));
    let mut select = connection.prepare_cached(&format!(
        "SELECT id, minx, miny, maxx, maxy FROM {tree} WHERE maxx >= ?1 AND minx <= ?3 AND maxy >= ?2 AND miny <= ?4"
    ))?;
    let mut found: Vec<(i64, bool)> = Vec::new();
    for envelope in &boxes {
        let rows = select.query_map([envelope.west, envelope.south, envelope.east, envelope.north], |row| {
            let [west, south, east, north] = [row.get::<_, f64>(1)?, row.get::<_, f64>(2)?, row.get::<_, f64>(3)?, row.get::<_, f64>(4)?];
            let inside = west >= envelope.west && east <= envelope.east && south >= envelope.south && north <= envelope.north;
            Ok((row.get(0)?, inside && query.area.is_none()))
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    found.sort_unstable();
    if boxes.len() > 1 {
        let proven: HashSet<i64> = found.iter().filter(|(_, inside)| *inside).map(|(row, _)| *row).collect();
        found.iter_mut().for_each(|(row, inside)| *inside = *inside || proven.contains(row));
        found.dedup_by_key(|(row, _)| *row);
    }
    Ok(found)
}

/// Whether a geometry meets the boxes (touching counts) and the area.
fn meets(blob: ValueRef<'_>, query: &Query) -> bool {
    let ValueRef::Blob(blob) = blob else { return false };
    let Some((bytes, envelope)) = header::decode(blob) else { return false };
    let Some(envelope) = envelope.or_else(|| wkb::envelope(bytes).ok().flatten()) else { return false };
    let within = |outer: &Envelope| {
        envelope.west >= outer.west && envelope.east <= outer.east && envelope.south >= outer.south && envelope.north <= outer.north
    };
    let near: Vec<&Envelope> = query.bbox.iter().filter(|asked| asked.intersects(&envelope)).collect();
    if !query.bbox.is_empty() && near.is_empty() {
        return false;
    }
    let in_box = query.bbox.is_empty() || near.iter().any(|asked| within(asked));
    if in_box && query.area.is_none() {
        return true;
    }
    let Some(geometry) = ::wkb::reader::read_wkb(bytes).ok().and_then(|geometry| geometry.try_to_geometry()) else { return false };
    let geometry: Geometry<f64> = geometry;
    let rect = |asked: &Envelope| Rect::new(coord! { x: asked.west, y: asked.south }, coord! { x: asked.east, y: asked.north });
    let in_box = in_box || near.iter().any(|asked| geometry.intersects(&rect(asked)));
    in_box && query.area.as_ref().is_none_or(|area| geometry.intersects(area.as_ref()))
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
    let contiguous = rows[rows.len() - 1] - rows[0] == rows.len() as i64 - 1;
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
