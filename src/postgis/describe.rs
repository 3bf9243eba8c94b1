//! Asks a database what a table holds.

use std::ops::ControlFlow;

use crate::crs::france;
use crate::model::crs::Crs;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;
use crate::postgis::Column;
use crate::postgis::ColumnKind;
use crate::postgis::Connection;
use crate::postgis::GeometryOfTable;
use crate::postgis::PostgisError;
use crate::postgis::Service;
use crate::postgis::Table;
use crate::postgis::table::quoted;

const TABLE: &str = "SELECT obj_description(c.oid, 'pg_class'), getdatabaseencoding() = 'UTF8', \
     c.relkind IN ('r', 'm') FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'v', 'm', 'p', 'f')";

/// Columns that the role may read, each with its type below any domain.
const COLUMNS: &str = "WITH RECURSIVE kind AS ( \
         SELECT a.attnum, t.oid, t.typname, t.typtype, t.typbasetype, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = to_regclass($1) \
         UNION ALL \
         SELECT k.attnum, b.oid, b.typname, b.typtype, b.typbasetype, CASE WHEN b.typtype = 'd' THEN b.typtypmod ELSE k.typmod END \
         FROM kind k JOIN pg_type b ON b.oid = k.typbasetype WHERE k.typtype = 'd') \
     SELECT a.attname::text, k.typname::text, k.typmod::int8, coalesce(l.collisdeterministic, true), col_description(a.attrelid, a.attnum), \
         coalesce(i.indisprimary, false) \
     FROM pg_attribute a JOIN kind k ON k.attnum = a.attnum AND k.typtype <> 'd' \
     LEFT JOIN pg_collation l ON l.oid = a.attcollation \
     LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum \
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(a.attrelid, a.attnum, 'SELECT') \
     ORDER BY a.attnum";

struct Found {
    name: String,
    type_name: String,
    typmod: i64,
    is_deterministic: bool,
    comment: Option<String>,
    is_key: bool,
}

/// # Errors
/// `NoTable`; those of the connection.
pub fn describe(connection: &mut Connection, service: &Service, schema: &str, name: &str) -> Result<Table, PostgisError> {
    let mut said = None;
    connection.query(TABLE, &[Some(schema), Some(name)], &mut |row| {
        said = Some((row.text(0).map(str::to_owned), row.truth(1) == Some(true), row.truth(2) == Some(true)));
        ControlFlow::Continue(())
    })?;
    let relation = format!("{}.{}", quoted(schema), quoted(name));
    let mut found = Vec::new();
    if said.is_some() {
        connection.query(COLUMNS, &[Some(&relation)], &mut |row| {
            let text = |column| row.text(column).unwrap_or_default().to_owned();
            found.push(Found {
                name: text(0),
                type_name: text(1),
                typmod: row.whole(2).unwrap_or(-1),
                is_deterministic: row.truth(3) == Some(true),
                comment: row.text(4).map(str::to_owned),
                is_key: row.truth(5) == Some(true),
            });
            ControlFlow::Continue(())
        })?;
    }
    let Some((comment, is_utf8, has_places)) = said.filter(|_| !found.is_empty()) else {
        return Err(PostgisError::NoTable { service: service.clone(), schema: schema.to_owned(), name: name.to_owned() });
    };
    let key = found.iter().find(|column| column.is_key).map(|column| column.name.clone());
    let (columns, geometry, left_out) = (Vec::new(), None, Vec::new());
    let (schema, name) = (schema.to_owned(), name.to_owned());
    let mut table = Table { schema, name, columns, key, geometry, comment, left_out, is_utf8, has_places };
    for column in found {
        if matches!(column.type_name.as_str(), "geometry" | "geography") && table.geometry.is_none() {
            table.geometry = Some(geometry_of(connection, &relation, &column)?);
            continue;
        }
        match kind_of(&column) {
            Some(kind) => table.columns.push(Column { name: column.name, kind, comment: column.comment }),
            None => table.left_out.push(column.name),
        }
    }
    Ok(table)
}

/// `None` for what no output shows.
fn kind_of(column: &Found) -> Option<ColumnKind> {
    Some(match column.type_name.as_str() {
        "text" | "varchar" if column.is_deterministic => ColumnKind::Text,
        "int2" | "int4" | "int8" => ColumnKind::Integer,
        "float4" => ColumnKind::Single,
        "float8" => ColumnKind::Double,
        "bool" => ColumnKind::Boolean,
        "date" => ColumnKind::Date,
        "timestamp" => ColumnKind::Timestamp,
        "timestamptz" => ColumnKind::TimestampZone,
        "uuid" => ColumnKind::Uuid,
        "numeric" => match numeric(column.typmod) {
            Some((digits, 0)) if digits <= 18 => ColumnKind::WholeNumeric,
            _ => ColumnKind::Numeric,
        },
        "bytea" | "geometry" | "geography" | "raster" | "topogeometry" => return None,
        _ => ColumnKind::Written,
    })
}

/// Digits and decimals of a `numeric(p, s)`; `None` where none are declared.
fn numeric(typmod: i64) -> Option<(i64, i64)> {
    // PostgreSQL's own packing: the length of a variable's head, 16 bits of precision, 11 of scale with a sign.
    let packed = typmod.checked_sub(4).filter(|packed| *packed >= 0)?;
    let scale = packed & 0x7ff;
    Some(((packed >> 16) & 0xffff, (scale ^ 1024) - 1024))
}

/// Declared types that hold no arc.
const LINEAR: [GeometryType; 6] = [
    GeometryType::Point,
    GeometryType::LineString,
    GeometryType::Polygon,
    GeometryType::MultiPoint,
    GeometryType::MultiLineString,
    GeometryType::MultiPolygon,
];

/// `MultiPolygonZ`, as PostGIS names what a column is declared to hold.
fn declared(name: &str) -> Option<GeometryColumn> {
    let flat = name.trim_end_matches(['Z', 'M']);
    let suffix = &name[flat.len()..];
    let geometry_type = *LINEAR.iter().find(|known| known.name().eq_ignore_ascii_case(flat))?;
    Some(GeometryColumn { geometry_type, has_z: suffix.contains('Z'), has_m: suffix.contains('M') })
}

fn geometry_of(connection: &mut Connection, relation: &str, column: &Found) -> Result<GeometryOfTable, PostgisError> {
    let name = quoted(&column.name);
    let is_geography = column.type_name == "geography";
    let mut one = |sql: &str, values: &[Option<&str>]| {
        let mut found = Vec::new();
        let seen = connection.query(sql, values, &mut |row| {
            found.push(row.text(0).unwrap_or_default().to_owned());
            ControlFlow::Continue(())
        });
        seen.map(|()| found)
    };
    let typmod = column.typmod.to_string();
    let said = one("SELECT postgis_typmod_type($1::int4) || ' ' || postgis_typmod_srid($1::int4)", &[Some(&typmod)])?.concat();
    let (declared_type, srid) = said.split_once(' ').unwrap_or(("Geometry", "0"));
    let mut srids = vec![srid.to_owned()];
    if column.typmod == -1 && !is_geography {
        srids = one(&format!("SELECT DISTINCT ST_SRID({name})::text FROM {relation} WHERE {name} IS NOT NULL LIMIT 2"), &[])?;
    }
    let srid: i32 = match srids.as_slice() {
        _ if is_geography => 4326,
        [one] => one.parse().unwrap_or(0),
        _ => 0,
    };
    let declared = declared(declared_type);
    let has_curves =
        declared.is_none() && !is_geography && !one(&format!("SELECT '' FROM {relation} WHERE ST_HasArc({name}) LIMIT 1"), &[])?.is_empty();
    let system = "SELECT coalesce(upper(auth_name), '') || ' ' || coalesce(auth_srid, 0) || ' ' || coalesce(srtext, '') FROM spatial_ref_sys \
                  WHERE srid = $1::int4";
    let system = one(system, &[Some(&srid.to_string())])?.concat();
    let mut words = system.splitn(3, ' ');
    let epsg = match (words.next(), words.next(), words.next()) {
        (Some("EPSG"), Some(code), _) => code.parse().ok(),
        (_, _, Some(wkt)) => france::identify(wkt).map(Crs::epsg),
        _ => None,
    };
    Ok(GeometryOfTable { column: column.name.clone(), srid, epsg, declared, has_curves, is_geography })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_a_numeric_are_read() {
        assert_eq!(numeric(-1), None);
        assert_eq!(numeric(((10 << 16) | 2) + 4), Some((10, 2)));
        assert_eq!(numeric((18 << 16) + 4), Some((18, 0)));
        assert_eq!(numeric(((5 << 16) | (2048 - 3)) + 4), Some((5, -3)));
    }
}
