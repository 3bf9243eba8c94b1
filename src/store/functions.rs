//! What SQLite is taught, so that it answers filters as `query::evaluate` says.

use std::sync::Arc;

use geo_types::Geometry;
use rusqlite::Connection;
use rusqlite::Error;
use rusqlite::functions::Context;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

use crate::geopackage::header;
use crate::query::datetime;
use crate::query::evaluate;
use crate::query::filter::Arithmetic;
use crate::query::filter::Spatial;
use crate::query::filter::Temporal;
use crate::query::filter::fold;
use crate::query::filter::moment;
use crate::query::filter::relate;

/// (start, end, interval): `datetime` of OGC API - Features.
pub const MEETS: &str = "bocage_meets";
/// (text): microseconds of a date or an instant.
pub const MICROS: &str = "bocage_micros";
pub const CASEI: &str = "bocage_casei";
pub const ACCENTI: &str = "bocage_accenti";
/// (text, pattern).
pub const LIKE: &str = "bocage_like";
/// (place in `Arithmetic::ALL`, a, b).
pub const COMPUTE: &str = "bocage_compute";
/// (place in `Temporal::ALL`, start, end, start, end).
pub const TIMES: &str = "bocage_times";
/// (place in `Spatial::ALL`, geometry, geometry): GeoPackage's own form, or WKB.
pub const RELATE: &str = "bocage_relate";

/// # Errors
/// Those of SQLite.
pub fn register(connection: &Connection) -> rusqlite::Result<()> {
    // A list of rows as a table.
    rusqlite::vtab::array::load_module(connection)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(MEETS, 3, flags, |context| {
        let asked = text(context, 2).and_then(|asked| datetime::parse(asked).ok());
        Ok(asked.is_some_and(|asked| asked.meets(text(context, 0), text(context, 1))))
    })?;
    connection.create_scalar_function(MICROS, 1, flags, |context| Ok(text(context, 0).and_then(moment::micros_of)))?;
    connection.create_scalar_function(CASEI, 1, flags, |context| Ok(text(context, 0).map(fold::casei)))?;
    connection.create_scalar_function(ACCENTI, 1, flags, |context| Ok(text(context, 0).map(fold::accenti)))?;
    connection.create_scalar_function(LIKE, 2, flags, |context| {
        Ok(text(context, 0).zip(text(context, 1)).map(|(text, pattern)| fold::like(text, pattern)))
    })?;
    connection.create_scalar_function(COMPUTE, 3, flags, |context| {
        let operator = *member(Arithmetic::ALL, context)?;
        Ok(number(context, 1).zip(number(context, 2)).and_then(|(a, b)| evaluate::compute(operator, a, b)))
    })?;
    connection.create_scalar_function(TIMES, 5, flags, |context| {
        let relation = *member(Temporal::ALL, context)?;
        let ends: Option<Vec<i64>> = (1..5).map(|at| context.get_raw(at).as_i64_or_null().ok().flatten()).collect();
        Ok(ends.map(|ends| moment::holds(relation, (ends[0], ends[1]), (ends[2], ends[3]))))
    })?;
    connection.create_scalar_function(RELATE, 3, flags, |context| {
        let relation = *member(Spatial::ALL, context)?;
        let (a, b) = (geometry(context, 1)?, geometry(context, 2)?);
        Ok((*a).as_ref().zip((*b).as_ref()).map(|(a, b)| relate::holds(relation, a, b)))
    })
}

fn text<'c>(context: &'c Context<'_>, at: usize) -> Option<&'c str> {
    context.get_raw(at).as_str_or_null().ok().flatten()
}

fn number(context: &Context<'_>, at: usize) -> Option<f64> {
    match context.get_raw(at) {
        ValueRef::Integer(whole) => Some(whole as f64),
        ValueRef::Real(real) => Some(real),
        _ => None,
    }
}

/// The member that the first argument names by its place.
fn member<'m, T>(all: &'m [T], context: &Context<'_>) -> rusqlite::Result<&'m T> {
    let place: i64 = context.get(0)?;
    usize::try_from(place)
        .ok()
        .and_then(|place| all.get(place))
        .ok_or(Error::InvalidFunctionParameterType(0, rusqlite::types::Type::Integer))
}

/// Of a row, read each time; of a literal, which is bare WKB, kept from row to row.
fn geometry(context: &Context<'_>, at: usize) -> rusqlite::Result<Arc<Option<Geometry<f64>>>> {
    match context.get_raw(at) {
        ValueRef::Blob(blob) => match header::decode(blob) {
            Some((wkb, _)) => Ok(Arc::new(relate::of_wkb(wkb))),
            None => context.get_or_create_aux(i32::try_from(at).unwrap_or_default(), |_| Ok::<_, Error>(relate::of_wkb(blob))),
        },
        _ => Ok(Arc::new(None)),
    }
}
