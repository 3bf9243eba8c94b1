//! Rows of a GeoPackage that hold nothing odd, read where they lie in the file; odd ones are OGR's.
//!
//! A row is plain where each value is stored as its column says, each text is UTF-8, and its geometry is linear, finite, of
//! the layer's kind and proven valid: then what is sent is what OGR would have given, at a tenth of the cost. One that is
//! not is asked of OGR by its key, with all that it takes (decoding, curves, repair).
//!
//! Tried: OGR's Arrow stream. It takes two thirds of the time of OGR's rows, keeps no zone of an instant, and gives text
//! that nobody proved.

use std::path::Path;

use gdal::vector::Layer;
use gdal::vector::LayerAccess;
use gdal_sys::OGRFieldDefnH;
use gdal_sys::OGRFieldSubType;
use gdal_sys::OGRFieldType;

use crate::geopackage::TornPage;
use crate::geopackage::header;
use crate::geopackage::pages::Cell;
use crate::geopackage::table::Table;
use crate::model::feature::Value;
use crate::model::geometry::Envelope;
use crate::model::layer::GeometryColumn;
use crate::model::wkb;
use crate::model::wkb::Head;
use crate::model::wkb::Reader;
use crate::source::geometry::Kinds;
use crate::source::geometry::fits;
use crate::source::simple::Prover;

/// How a column must be stored.
#[derive(Clone, Copy)]
enum Stored {
    Text,
    /// From and to.
    Integer(i64, i64),
    Real {
        single: bool,
    },
    Boolean,
    Date,
    DateTime,
}

pub struct Plain {
    key: String,
    table: Table,
    geometry: Option<usize>,
    columns: Vec<(usize, Stored)>,
}

/// Why a walk ends before the last row.
#[derive(Debug)]
pub enum Stop {
    /// The file is damaged here: OGR may say more.
    Torn,
    Said(String),
}

impl From<TornPage> for Stop {
    fn from(_: TornPage) -> Stop {
        Stop::Torn
    }
}

impl From<String> for Stop {
    fn from(reason: String) -> Stop {
        Stop::Said(reason)
    }
}

impl Plain {
    /// `fields`: places in OGR's definition of the columns that are read. `None` where every row is OGR's.
    pub fn open(path: &Path, layer: &Layer<'_>, fields: &[i32]) -> Option<Plain> {
        // SAFETY: names and definitions live as long as the layer and are copied before anything else is asked.
        unsafe {
            let handle = layer.c_layer();
            let said = |name: *const std::ffi::c_char| std::ffi::CStr::from_ptr(name).to_str().ok().map(str::to_owned);
            let key = said(gdal_sys::OGR_L_GetFIDColumn(handle))?;
            let table = Table::open(path, &layer.name(), &key)?;
            let geometry = said(gdal_sys::OGR_L_GetGeometryColumn(handle))?;
            let geometry = if geometry.is_empty() { None } else { Some(table.column(&geometry)?) };
            let definition = gdal_sys::OGR_L_GetLayerDefn(handle);
            let column = |at: &i32| {
                let field = gdal_sys::OGR_FD_GetFieldDefn(definition, *at);
                Some((table.column(&said(gdal_sys::OGR_Fld_GetNameRef(field))?)?, stored(field)?))
            };
            let columns = fields.iter().map(column).collect::<Option<_>>()?;
            Some(Plain { key, table, geometry, columns })
        }
    }

    /// What the geometries are; `None` where one of them must be looked at by OGR.
    pub fn kinds(&self) -> Option<Kinds> {
        let geometry = self.geometry?;
        let see = |(kinds, last): &mut (Kinds, Option<Head>), cell: Option<Cell<'_>>| {
            let head = match cell {
                Some(Cell::Null) => return Ok(()),
                Some(Cell::Blob(blob)) => linear(blob).and_then(peek),
                _ => None,
            };
            let head = head.ok_or(Stop::Torn)?;
            if *last != Some(head) {
                kinds.see(head.code + 1000 * (u32::from(head.has_z) + 2 * u32::from(head.has_m)));
                *last = Some(head);
            }
            Ok::<_, Stop>(())
        };
        let begin = || (Kinds::default(), None);
        self.table.fold_cells(geometry, begin, see, |(one, _), (other, _)| (one.joined(&other), None)).ok().map(|(kinds, _)| kinds)
    }

    /// Rows of the table; `None` where it is torn.
    pub fn count(&self) -> Option<u64> {
        self.table.count().ok()
    }

    /// OGR's filter for the rows that come after a key.
    pub fn after(&self, last: i64) -> String {
        format!("{} > {last}", crate::geopackage::quoted(&self.key))
    }

    /// Calls `visit` with each row's key, and its content where it is plain.
    ///
    /// # Errors
    /// Those of `visit`, and `Torn`.
    pub fn each(&self, column: Option<&GeometryColumn>, visit: Visit<'_>) -> Result<(), Stop> {
        let mut judge = Judge { column: column.copied(), prover: Prover::default(), wrapped: Vec::new() };
        self.table.each(&mut |key, cells| {
            // With room from the start: a third of the work on a row of points was a vector that grew.
            let mut values = Vec::with_capacity(self.columns.len());
            for (at, stored) in &self.columns {
                match cells.get(*at).and_then(|cell| plain_value(*cell, *stored)) {
                    Some(value) => values.push(value),
                    None => return visit(key, None),
                }
            }
            let geometry = match (judge.column, self.geometry.map(|at| cells.get(at))) {
                (None, _) | (Some(_), Some(Some(Cell::Null))) => None,
                (Some(_), Some(Some(Cell::Blob(blob)))) => match linear(blob).and_then(|wkb| judge.see(wkb)) {
                    Some(seen) => Some(seen),
                    None => return visit(key, None),
                },
                _ => return visit(key, None),
            };
            visit(key, Some(Row { values, geometry }))
        })
    }
}

/// Told of a row's key and, where it is plain, of the row.
type Visit<'a> = &'a mut dyn FnMut(i64, Option<Row<'_>>) -> Result<(), Stop>;

/// A plain row.
pub struct Row<'a> {
    pub values: Vec<Value<'a>>,
    /// ISO WKB of the layer's kind, and its envelope.
    pub geometry: Option<(&'a [u8], Envelope)>,
}

/// `None` for a type whose stored form is not OGR's text of it (lists, times of day, binary).
unsafe fn stored(field: OGRFieldDefnH) -> Option<Stored> {
    // SAFETY: the caller's definition is live.
    let (kind, subtype) = unsafe { (gdal_sys::OGR_Fld_GetType(field), gdal_sys::OGR_Fld_GetSubType(field)) };
    Some(match (kind, subtype) {
        (OGRFieldType::OFTInteger, OGRFieldSubType::OFSTBoolean) => Stored::Boolean,
        (OGRFieldType::OFTInteger, OGRFieldSubType::OFSTInt16) => Stored::Integer(i64::from(i16::MIN), i64::from(i16::MAX)),
        (OGRFieldType::OFTInteger, _) => Stored::Integer(i64::from(i32::MIN), i64::from(i32::MAX)),
        (OGRFieldType::OFTInteger64, _) => Stored::Integer(i64::MIN, i64::MAX),
        (OGRFieldType::OFTReal, subtype) => Stored::Real { single: subtype == OGRFieldSubType::OFSTFloat32 },
        (OGRFieldType::OFTString, _) => Stored::Text,
        (OGRFieldType::OFTDate, _) => Stored::Date,
        (OGRFieldType::OFTDateTime, _) => Stored::DateTime,
        _ => return None,
    })
}

fn plain_value(cell: Cell<'_>, stored: Stored) -> Option<Value<'_>> {
    Some(match (cell, stored) {
        (Cell::Null, _) => Value::Null,
        (Cell::Integer(value), Stored::Integer(low, high)) if (low..=high).contains(&value) => Value::Integer(value),
        (Cell::Integer(value @ (0 | 1)), Stored::Boolean) => Value::Boolean(value == 1),
        // SQLite keeps a whole number of a column of reals as an integer.
        (Cell::Integer(value), Stored::Real { single: false }) => Value::Real(value as f64),
        (Cell::Real(value), Stored::Real { single }) if value.is_finite() && (!single || f64::from(value as f32) == value) => {
            Value::Real(value)
        }
        // A NUL ends a text of OGR's.
        (Cell::Text(bytes), Stored::Text) => {
            // Without an early end the loop is vectorised.
            let has_nul = bytes.iter().fold(false, |found, byte| found | (*byte == 0));
            Value::Text(std::str::from_utf8(bytes).ok().filter(|_| !has_nul)?)
        }
        (Cell::Text(bytes), Stored::Date) => Value::Date(day(bytes)?),
        (Cell::Text(bytes), Stored::DateTime) => Value::DateTime(instant(bytes)?),
        _ => return None,
    })
}

/// `2026-06-30`, and nothing else.
fn day(bytes: &[u8]) -> Option<&str> {
    let is_shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    if !is_shaped {
        return None;
    }
    let number = |from: usize, to: usize| bytes[from..to].iter().fold(0i16, |number, byte| number * 10 + i16::from(byte - b'0'));
    jiff::civil::Date::new(number(0, 4), number(5, 7) as i8, number(8, 10) as i8).ok()?;
    std::str::from_utf8(bytes).ok()
}

/// `2026-06-30T10:11:12Z`, as it goes out; with a fraction or another zone OGR writes it anew.
fn instant(bytes: &[u8]) -> Option<&str> {
    let (date, time) = bytes.split_at_checked(10)?;
    day(date)?;
    let is_shaped = time.len() == 10
        && time.iter().zip(b"T00:00:00Z").all(|(byte, shape)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == shape });
    let is_there = is_shaped && time[1..3] < b"24"[..] && time[4..6] < b"60"[..] && time[7..9] < b"60"[..];
    std::str::from_utf8(bytes).ok().filter(|_| is_there)
}

/// The WKB of a blob, unless it has a form of its own.
fn linear(blob: &[u8]) -> Option<&[u8]> {
    const EXTENDED: u8 = 1 << 5;
    header::decode(blob).filter(|_| blob[3] & EXTENDED == 0).map(|(wkb, _)| wkb)
}

/// The head of a geometry that is surely not empty.
fn peek(wkb: &[u8]) -> Option<Head> {
    let mut reader = Reader::new(wkb);
    let head = reader.head().ok()?;
    let is_there = match head.code {
        1 => reader.f64().ok()?.is_finite(),
        2 => reader.u32().ok()? > 0,
        3 => reader.u32().ok()? > 0 && reader.u32().ok()? > 0,
        4..=6 => reader.u32().ok()? > 0 && peek(&wkb[reader.at..]).is_some(),
        _ => false,
    };
    is_there.then_some(head)
}

/// Says of a geometry whether it goes out as it is.
struct Judge {
    column: Option<GeometryColumn>,
    prover: Prover,
    /// A single geometry made the one part of a multiple one.
    wrapped: Vec<u8>,
}

impl Judge {
    fn see<'a>(&'a mut self, bytes: &'a [u8]) -> Option<(&'a [u8], Envelope)> {
        let column = self.column?;
        let head = wkb::head(bytes).ok()?;
        if (head.has_z, head.has_m) != (column.has_z, column.has_m) {
            return None;
        }
        let bounds = match head.code {
            3 | 6 => self.prover.prove(bytes)?,
            1 | 2 | 4 | 5 => {
                let mut reader = Reader::new(bytes);
                let bounds = line_or_points(&mut reader, None)?;
                (reader.at == bytes.len()).then_some(bounds)?
            }
            _ => return None,
        };
        if fits(head.code, column.geometry_type) {
            return Some((bytes, bounds));
        }
        if head.code > 3 || !fits(head.code + 3, column.geometry_type) {
            return None;
        }
        let code = u32::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]) + 3;
        self.wrapped.clear();
        self.wrapped.push(1);
        self.wrapped.extend_from_slice(&code.to_le_bytes());
        self.wrapped.extend_from_slice(&1u32.to_le_bytes());
        self.wrapped.extend_from_slice(bytes);
        Some((&self.wrapped, bounds))
    }
}

/// The envelope of points and lines that are finite and not empty; `member`: the head that they must have.
fn line_or_points(reader: &mut Reader<'_>, member: Option<Head>) -> Option<Envelope> {
    let head = reader.head().ok().filter(|head| member.is_none_or(|member| member == *head))?;
    let size = head.dimensions() * 8;
    let mut bounds = Envelope::NOTHING;
    let count = if head.code == 1 { 1 } else { reader.u32().ok()? as usize };
    match head.code {
        1 | 2 if count >= head.code as usize => {
            let positions = reader.take(count.checked_mul(size)?).ok()?;
            let mut finite = true;
            for position in positions.chunks_exact(size) {
                let (x, y) = (wkb::double(position, 0), wkb::double(position, 1));
                finite &= x.is_finite() && y.is_finite();
                bounds.expand(x, y);
            }
            finite.then_some(bounds)
        }
        4 | 5 if count >= 1 => {
            for _ in 0..count {
                bounds.join(&line_or_points(reader, Some(Head { code: head.code - 3, ..head }))?);
            }
            Some(bounds)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::layer::GeometryType;

    #[test]
    fn a_value_stored_otherwise_is_not_plain() {
        let integer = Stored::Integer(-5, 5);
        assert_eq!(plain_value(Cell::Integer(3), integer), Some(Value::Integer(3)));
        assert_eq!(plain_value(Cell::Integer(3), Stored::Real { single: false }), Some(Value::Real(3.0)));
        assert_eq!(plain_value(Cell::Text("é".as_bytes()), Stored::Text), Some(Value::Text("é")));
        for (cell, stored) in [
            (Cell::Integer(6), integer),
            (Cell::Text(b"3"), integer),
            (Cell::Integer(2), Stored::Boolean),
            (Cell::Real(f64::INFINITY), Stored::Real { single: false }),
            (Cell::Real(0.1), Stored::Real { single: true }),
            (Cell::Text(b"\xE9"), Stored::Text),
            (Cell::Text(b"a\0b"), Stored::Text),
            (Cell::Blob(b"a"), Stored::Text),
            (Cell::Text(b"2026-02-30"), Stored::Date),
            (Cell::Text(b"2026/02/03"), Stored::Date),
            (Cell::Text(b"2026-02-03T10:00:00.5Z"), Stored::DateTime),
            (Cell::Text(b"2026-02-03T10:00:00+02:00"), Stored::DateTime),
            (Cell::Text(b"2026-02-03T24:00:00Z"), Stored::DateTime),
        ] {
            assert_eq!(plain_value(cell, stored), None, "{cell:?}");
        }
        assert_eq!(plain_value(Cell::Text(b"2024-02-29T23:59:59Z"), Stored::DateTime), Some(Value::DateTime("2024-02-29T23:59:59Z")));
    }

    #[test]
    fn a_geometry_goes_out_as_it_is_or_as_one_part() {
        let column = |geometry_type| Some(GeometryColumn { geometry_type, has_z: false, has_m: false });
        let judge = |geometry_type, bytes: &[u8]| {
            Judge { column: column(geometry_type), prover: Prover::default(), wrapped: Vec::new() }
                .see(bytes)
                .map(|(bytes, _)| bytes.to_vec())
        };
        let point = wkb::point(1.0, 2.0);
        assert_eq!(judge(GeometryType::Point, &point), Some(point.clone()));
        let wrapped = [&[1u8, 4, 0, 0, 0, 1, 0, 0, 0][..], &point].concat();
        assert_eq!(judge(GeometryType::MultiPoint, &point), Some(wrapped.clone()));
        assert_eq!(judge(GeometryType::Geometry, &wrapped), Some(wrapped.clone()));
        assert_eq!(judge(GeometryType::Point, &wrapped), None);
        assert_eq!(judge(GeometryType::LineString, &point), None);
        assert_eq!(judge(GeometryType::Point, &wkb::point(f64::NAN, f64::NAN)), None);
        assert_eq!(judge(GeometryType::Point, &[point, vec![0]].concat()), None);
        let line: Vec<u8> = [&[1u8, 2, 0, 0, 0, 1, 0, 0, 0][..], &[0; 16]].concat();
        assert_eq!(judge(GeometryType::LineString, &line), None, "a line of one position");
    }
}
