//! The values of a feature of OGR's, in the types of the layer's fields.

use std::ffi::CStr;
use std::ffi::c_char;

use gdal_sys::OGRFeatureH;

use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::source::charset::Charset;

/// A column of the source that is read: its place in OGR's definition and how it is read.
#[derive(Clone, Copy)]
pub struct Column {
    pub at: i32,
    pub field_type: FieldType,
    /// A list or a time of day: published as OGR writes it.
    pub is_date_time: bool,
}

/// Reads the values of a feature; text is decoded into one buffer.
pub struct Text {
    pub charset: Charset,
    pub buffer: String,
}

impl Text {
    /// The value, and whether something of it was lost.
    pub fn value(&mut self, feature: OGRFeatureH, column: Column) -> (Value<'_>, bool) {
        // SAFETY: the feature is live, the column exists, and OGR's text is read before the next call.
        unsafe {
            if gdal_sys::OGR_F_IsFieldSetAndNotNull(feature, column.at) == 0 {
                return (Value::Null, false);
            }
            match column.field_type {
                FieldType::Integer => (Value::Integer(gdal_sys::OGR_F_GetFieldAsInteger64(feature, column.at)), false),
                FieldType::Boolean => (Value::Boolean(gdal_sys::OGR_F_GetFieldAsInteger(feature, column.at) != 0), false),
                FieldType::Real => {
                    let value = gdal_sys::OGR_F_GetFieldAsDouble(feature, column.at);
                    if value.is_finite() { (Value::Real(value), false) } else { (Value::Null, true) }
                }
                FieldType::Date | FieldType::DateTime => match moment(feature, column) {
                    Some(moment) => {
                        self.buffer = moment;
                        (if column.is_date_time { Value::DateTime(&self.buffer) } else { Value::Date(&self.buffer) }, false)
                    }
                    None => (Value::Null, true),
                },
                FieldType::Text => {
                    let text: *const c_char = gdal_sys::OGR_F_GetFieldAsString(feature, column.at);
                    let (decoded, lost) = self.charset.decode(CStr::from_ptr(text).to_bytes());
                    self.buffer = decoded;
                    (Value::Text(&self.buffer), lost)
                }
            }
        }
    }
}

/// RFC 3339, with the zone that the source has.
unsafe fn moment(feature: OGRFeatureH, column: Column) -> Option<String> {
    let (mut year, mut month, mut day, mut hour, mut minute, mut zone) = (0, 0, 0, 0, 0, 0);
    let mut second = 0f32;
    // SAFETY: the caller's feature is live; all out-pointers are to locals.
    let known = unsafe {
        gdal_sys::OGR_F_GetFieldAsDateTimeEx(
            feature,
            column.at,
            &mut year,
            &mut month,
            &mut day,
            &mut hour,
            &mut minute,
            &mut second,
            &mut zone,
        )
    };
    let date = jiff::civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    if known == 0 {
        return None;
    }
    if !column.is_date_time {
        return Some(date.to_string());
    }
    // OGR: 0 unknown, 1 local, 100 UTC, and a quarter of an hour a unit around it.
    let zone = match zone {
        0 | 1 => String::new(),
        100 => "Z".to_owned(),
        other => {
            let minutes = (other - 100) * 15;
            format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60)
        }
    };
    let millis = (f64::from(second) * 1000.0).round() as i64;
    let fraction = if millis % 1000 == 0 { String::new() } else { format!(".{:03}", millis % 1000) };
    Some(format!("{date}T{hour:02}:{minute:02}:{:02}{fraction}{zone}", millis / 1000))
}
