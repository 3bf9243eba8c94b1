//! Rows of an answer as batches of features.

use arrow_array::builder::BinaryBuilder;
use arrow_array::builder::Int64Builder;
use arrow_array::builder::StringBuilder;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::batch::ColumnBuilder;
use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;
use crate::model::layer::IdKind;
use crate::model::wkb;
use crate::model::wkb::Reader;
use crate::postgis::ColumnKind;
use crate::postgis::Row;

/// Gathers rows of one shape: an id (`int8` or `text`), ISO WKB where the layer has a geometry, then the columns as
/// [`ColumnKind::sent`] writes them.
pub struct Rows {
    kinds: Vec<ColumnKind>,
    /// `None`: geometries as they come; else what the layer's are made to be.
    fit: Option<GeometryColumn>,
    numbers: Int64Builder,
    texts: StringBuilder,
    id_kind: IdKind,
    columns: Vec<ColumnBuilder>,
    geometry: Option<BinaryBuilder>,
    rows: usize,
    bytes: usize,
    /// Places (row of this batch, column) of values that are none of ours: NaN, infinity, a year beyond 9999.
    lost: Vec<(usize, usize)>,
}

impl Rows {
    pub fn new(id_kind: IdKind, kinds: Vec<ColumnKind>, has_geometry: bool, fit: Option<GeometryColumn>) -> Rows {
        Rows {
            fit,
            numbers: Int64Builder::new(),
            texts: StringBuilder::new(),
            id_kind,
            columns: kinds.iter().map(|kind| ColumnBuilder::new(kind.field_type())).collect(),
            kinds,
            geometry: has_geometry.then(BinaryBuilder::new),
            rows: 0,
            bytes: 0,
            lost: Vec::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes of geometry and text, nearly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn push(&mut self, row: &Row<'_>) {
        match self.id_kind {
            IdKind::Integer => self.numbers.append_value(row.whole(0).unwrap_or_default()),
            IdKind::Text => self.texts.append_value(row.text(0).unwrap_or_default()),
        }
        if let Some(geometry) = &mut self.geometry {
            let found = row.get(1).filter(|bytes| !is_empty(bytes));
            self.bytes += found.map_or(0, <[u8]>::len);
            match (found, self.fit) {
                (Some(bytes), Some(column)) => match promoted(bytes, column.geometry_type) {
                    Some(whole) => geometry.append_value(whole),
                    None => geometry.append_value(bytes),
                },
                (found, _) => geometry.append_option(found),
            }
        }
        let first = 1 + usize::from(self.geometry.is_some());
        for (at, (kind, column)) in self.kinds.iter().zip(&mut self.columns).enumerate() {
            let Some(bytes) = row.get(first + at) else {
                column.push(Value::Null);
                continue;
            };
            let (mut text, mut is_known) = (String::new(), true);
            let value = match kind.field_type() {
                FieldType::Text => {
                    self.bytes += bytes.len();
                    std::str::from_utf8(bytes).ok().map(Value::Text)
                }
                FieldType::Integer => eight(bytes).map(|bytes| Value::Integer(i64::from_be_bytes(bytes))),
                FieldType::Real => eight(bytes).map(f64::from_be_bytes).filter(|real| real.is_finite()).map(Value::Real),
                FieldType::Boolean => Some(Value::Boolean(bytes == [1])),
                FieldType::Date => day(bytes).map(|day| {
                    text = day.to_string();
                    Value::Date(&text)
                }),
                FieldType::DateTime => instant(bytes).map(|instant| {
                    text = written(instant, *kind == ColumnKind::TimestampZone);
                    Value::DateTime(&text)
                }),
            };
            let value = value.unwrap_or_else(|| {
                is_known = false;
                Value::Null
            });
            column.push(value);
            if !is_known {
                self.lost.push((self.rows, at));
            }
        }
        self.rows += 1;
    }

    /// The rows so far, and the places of values that were lost (row of the batch, column); then there are none.
    pub fn take(&mut self) -> (FeatureBatch, Vec<(usize, usize)>) {
        let ids = match self.id_kind {
            IdKind::Integer => Ids::Integer(self.numbers.finish()),
            IdKind::Text => Ids::Text(self.texts.finish()),
        };
        (self.rows, self.bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(ColumnBuilder::take).collect();
        (FeatureBatch::new(ids, columns, self.geometry.as_mut().map(BinaryBuilder::finish)), std::mem::take(&mut self.lost))
    }
}

fn eight(bytes: &[u8]) -> Option<[u8; 8]> {
    bytes.try_into().ok()
}

/// PostgreSQL counts from the year 2000.
const EPOCH_DAY: Date = Date::constant(2000, 1, 1);
const EPOCH_US: i64 = 946_684_800_000_000;

/// Of the years that RFC 3339 writes.
fn day(bytes: &[u8]) -> Option<Date> {
    let days = i32::from_be_bytes(bytes.try_into().ok()?);
    let span = jiff::Span::new().try_days(days).ok()?;
    EPOCH_DAY.checked_add(span).ok().filter(|day| day.year() >= 1)
}

fn instant(bytes: &[u8]) -> Option<DateTime> {
    let micros = i64::from_be_bytes(eight(bytes)?).checked_add(EPOCH_US)?;
    let moment = TimeZone::UTC.to_datetime(Timestamp::from_microsecond(micros).ok()?);
    (moment.year() >= 1).then_some(moment)
}

/// RFC 3339, with as many decimals as there are.
fn written(moment: DateTime, has_zone: bool) -> String {
    let zone = if has_zone { "Z" } else { "" };
    let micros = moment.subsec_nanosecond() / 1000;
    let seconds = moment.strftime("%Y-%m-%dT%H:%M:%S");
    match micros {
        0 => format!("{seconds}{zone}"),
        micros if micros % 1000 == 0 => format!("{seconds}.{:03}{zone}", micros / 1000),
        micros => format!("{seconds}.{micros:06}{zone}"),
    }
}

/// A geometry without a position, as files' readers know it.
fn is_empty(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    match reader.head() {
        Ok(head) if head.code == 1 => reader.f64().is_ok_and(f64::is_nan),
        Ok(head) if head.code <= 3 => reader.u32().is_ok_and(|count| count == 0),
        Ok(_) => wkb::envelope(bytes).is_ok_and(|envelope| envelope.is_none()),
        // What is no WKB of ours is said to be unusable by whoever reads it.
        Err(_) => false,
    }
}

/// One point, line or area as the only part of what the layer holds; `None` where it is that already.
fn promoted(bytes: &[u8], wanted: GeometryType) -> Option<Vec<u8>> {
    let code = u32::from_le_bytes(bytes.get(1..5)?.try_into().ok()?);
    let single = u32::from(wanted.wkb_code()).checked_sub(3).filter(|single| (1..=3).contains(single))?;
    (code % 1000 == single).then(|| {
        let mut whole = Vec::with_capacity(bytes.len() + 9);
        whole.push(1);
        whole.extend_from_slice(&(code + 3).to_le_bytes());
        whole.extend_from_slice(&1u32.to_le_bytes());
        whole.extend_from_slice(bytes);
        whole
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_read_in_the_years_that_rfc_3339_writes() {
        assert_eq!(day(&0i32.to_be_bytes()).map(|day| day.to_string()).as_deref(), Some("2000-01-01"));
        assert_eq!(day(&9_682i32.to_be_bytes()).map(|day| day.to_string()).as_deref(), Some("2026-07-05"));
        // Infinity, minus infinity, 45 before Christ.
        for days in [i32::MAX, i32::MIN, -747_000] {
            assert_eq!(day(&days.to_be_bytes()), None);
        }
        let text = |micros: i64, has_zone| instant(&micros.to_be_bytes()).map(|moment| written(moment, has_zone));
        assert_eq!(text(0, true).as_deref(), Some("2000-01-01T00:00:00Z"));
        assert_eq!(text(1_500_000, false).as_deref(), Some("2000-01-01T00:00:01.500"));
        assert_eq!(text(-1, true).as_deref(), Some("1999-12-31T23:59:59.999999Z"));
        assert_eq!((text(i64::MAX, true), text(i64::MIN, true)), (None, None));
    }

    #[test]
    fn single_parts_become_what_the_layer_holds() {
        let point = wkb::point(1.0, 2.0);
        let multi = promoted(&point, GeometryType::MultiPoint).expect("promoted");
        assert_eq!(wkb::head(&multi).map(|head| head.code), Ok(4));
        assert_eq!(wkb::envelope(&multi), wkb::envelope(&point));
        assert_eq!(promoted(&multi, GeometryType::MultiPoint), None);
        assert_eq!(promoted(&point, GeometryType::Point), None);
        assert_eq!(promoted(&point, GeometryType::MultiPolygon), None);
        assert!(is_empty(&wkb::point(f64::NAN, f64::NAN)) && !is_empty(&point));
    }
}
