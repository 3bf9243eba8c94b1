//! Pages in an order that fields give.
//!
//! A page begins behind a row, whose own values say where that is in the order: so it is found again however often the
//! page is asked, and a million rows before it cost no more than one.

use std::rc::Rc;

use rusqlite::ToSql;
use rusqlite::params_from_iter;
use rusqlite::types::Value as SqlValue;

use crate::geopackage::quoted;
use crate::model::geometry::Envelope;
use crate::query::Page;
use crate::query::Query;
use crate::store::StoreError;
use crate::store::filter_sql;
use crate::store::reader::LayerReader;
use crate::store::select;
use crate::store::select::Conditions;
use crate::store::select::RowPage;
use crate::store::spatial;

/// A column of the order.
struct Key {
    column: String,
    is_descending: bool,
}

/// # Errors
/// `Sqlite`, `TooLong`.
pub fn page(reader: &LayerReader, query: &Query, reach: &[Envelope], mut conditions: Conditions) -> Result<RowPage, StoreError> {
    let keys: Vec<Key> = query
        .sort
        .iter()
        .map(|key| Key { column: filter_sql::sort_column(key, &reader.layer), is_descending: key.is_descending })
        .collect();
    let found = (!reach.is_empty()).then(|| rows_in(reader, query, reach, &conditions)).transpose()?;
    let matched = match &found {
        Some(rows) => rows.len() as u64,
        None => select::count(reader, conditions.clone())?,
    };
    if found.is_some() {
        conditions = Conditions { sql: vec!["fid IN rarray(?)".to_owned()], values: Vec::new() };
    }
    if query.page.after.is_some() {
        behind(reader, &keys, query.page.after_row(), &mut conditions)?;
    }
    let limit = query.page.limit.unwrap_or(u64::MAX);
    let slice = [i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1), i64::try_from(query.page.offset).unwrap_or(i64::MAX)];
    let mut rows = ordered(reader, &keys, &conditions, found.as_ref(), slice)?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(RowPage { rows, matched, more })
}

/// The rows that lie in a place and meet the conditions, in the store's order.
fn rows_in(reader: &LayerReader, query: &Query, reach: &[Envelope], conditions: &Conditions) -> Result<Rows, StoreError> {
    let everywhere = Query { page: Page { limit: None, offset: 0, after: None }, ..query.clone() };
    let rows = spatial::page(reader, &everywhere, reach, conditions)?.rows;
    Ok(Rc::new(rows.into_iter().map(SqlValue::Integer).collect()))
}

/// As SQLite takes a list for a table.
type Rows = Rc<Vec<SqlValue>>;

/// `slice`: rows at most, and rows left out first.
fn ordered(
    reader: &LayerReader,
    keys: &[Key],
    conditions: &Conditions,
    among: Option<&Rows>,
    slice: [i64; 2],
) -> Result<Vec<i64>, StoreError> {
    let direction = |key: &Key| if key.is_descending { "DESC" } else { "ASC" };
    let order: Vec<String> = keys.iter().map(|key| format!("{} {} NULLS LAST", key.column, direction(key))).collect();
    let sql = format!(
        "SELECT fid FROM {} WHERE {} ORDER BY {}, fid LIMIT ? OFFSET ?",
        quoted(reader.layer.id.as_str()),
        conditions.sql.join(" AND "),
        order.join(", ")
    );
    let mut bound: Vec<&dyn ToSql> = among.into_iter().map(|rows| rows as &dyn ToSql).collect();
    bound.extend(conditions.values.iter().map(|value| value as &dyn ToSql));
    bound.extend(slice.iter().map(|number| number as &dyn ToSql));
    reader.with(|connection| connection.prepare_cached(&sql)?.query_map(&*bound, |row| row.get(0))?.collect())
}

/// Adds that a row stands behind row `after` in the order: in the first key that differs, else by its number.
fn behind(reader: &LayerReader, keys: &[Key], after: i64, conditions: &mut Conditions) -> Result<(), StoreError> {
    let columns: Vec<&str> = keys.iter().map(|key| key.column.as_str()).collect();
    let sql = format!("SELECT {} FROM {} WHERE fid = ?", columns.join(", "), quoted(reader.layer.id.as_str()));
    let values: Vec<SqlValue> = reader.with(|connection| {
        connection.prepare_cached(&sql)?.query_row(params_from_iter([after]), |row| (0..keys.len()).map(|at| row.get(at)).collect())
    })?;
    let mut ways = Vec::new();
    let mut bound = Vec::new();
    for at in 0..=keys.len() {
        let mut parts: Vec<String> = keys[..at].iter().map(|key| format!("{} IS ?", key.column)).collect();
        match keys.get(at).zip(values.get(at)) {
            // Nothing stands behind an absent value but another one.
            Some((_, SqlValue::Null)) => continue,
            Some((key, value)) => {
                bound.extend(values[..at].iter().cloned());
                let sign = if key.is_descending { "<" } else { ">" };
                parts.push(format!("({0} {sign} ? OR {0} IS NULL)", key.column));
                bound.push(value.clone());
            }
            None => {
                bound.extend(values.iter().cloned());
                parts.push("fid > ?".to_owned());
                bound.push(SqlValue::Integer(after));
            }
        }
        ways.push(format!("({})", parts.join(" AND ")));
    }
    conditions.sql.push(format!("({})", ways.join(" OR ")));
    conditions.values.extend(bound);
    Ok(())
}
