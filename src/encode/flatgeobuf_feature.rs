//! A feature of FlatGeobuf: its tables of FlatBuffers.
//!
//! Points, lines and polygons of two dimensions, which most features are, are written from a form whose offsets are known
//! before: their coordinates are WKB's own bytes. The builder, which writes from the end to the front and looks for tables
//! that it wrote before, takes four times as long; it writes the others.

use std::io;

use flatbuffers::FlatBufferBuilder;
use flatbuffers::WIPOffset;
use flatgeobuf as fgb;

use crate::model::feature::Value;
use crate::model::geometry::Envelope;
use crate::model::wkb;
use crate::model::wkb::Reader;
use crate::model::wkb::WkbError;

/// Features of a batch, one behind the other.
#[derive(Default)]
pub struct Features<'b> {
    pub bytes: Vec<u8>,
    /// Length of each, and its box where it has one.
    pub places: Vec<(usize, Option<Envelope>)>,
    properties: Vec<u8>,
    builder: FlatBufferBuilder<'b>,
}

impl Features<'_> {
    /// # Errors
    /// The geometry is not WKB.
    pub fn push<'v>(&mut self, geometry: Option<&[u8]>, values: impl Iterator<Item = Value<'v>>) -> io::Result<()> {
        self.properties.clear();
        for (at, value) in (0u16..).zip(values) {
            write_property(&mut self.properties, at, value);
        }
        let start = self.bytes.len();
        let bounds = match geometry.and_then(|wkb| flat(&mut self.bytes, wkb, &self.properties)) {
            Some(bounds) => Some(bounds),
            None => {
                self.bytes.truncate(start);
                write_feature(&mut self.builder, geometry, &self.properties).map_err(io::Error::other)?;
                self.bytes.extend_from_slice(self.builder.finished_data());
                self.builder.reset();
                geometry.and_then(|geometry| wkb::envelope(geometry).ok().flatten())
            }
        };
        self.places.push((self.bytes.len() - start, bounds));
        Ok(())
    }
}

/// Everything before the coordinates, for a geometry without ends; a hole is patched. Offsets count from the length.
///
/// ```text
///   0 length │ 4 root → 16 │ 8 table of Feature's fields │ 16 Feature: fields → 8, geometry → 48, properties → ?
///  28 table of Geometry's fields │ 48 Geometry: fields → 28, ends → ?, xy → 68, type │ 68 doubles │ 72 coordinates
/// ```
const FORM: [u8; 72] = [
    0, 0, 0, 0, 12, 0, 0, 0, // length, root
    8, 0, 12, 0, 4, 0, 8, 0, // sizes of the table of fields and of Feature; geometry, properties
    8, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, // Feature
    18, 0, 16, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, // sizes; ends, xy, z, m, t, tm, type; filling
    20, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, // Geometry
    0, 0, 0, 0, 0, 0, 0, 0, // filling, so that the doubles stand at a multiple of eight
];
const PROPERTIES_AT: usize = 24;
const ENDS_FIELD_AT: usize = 32;
const ENDS_AT: usize = 52;
const TYPE_AT: usize = 60;
const DOUBLES_AT: usize = 68;

/// Appends a point, a line or a polygon of two dimensions; `None` for anything else, `out` then being of no use.
fn flat(out: &mut Vec<u8>, bytes: &[u8], properties: &[u8]) -> Option<Envelope> {
    let mut reader = Reader::new(bytes);
    let head = reader.head().ok().filter(|head| head.dimensions() == 2 && head.code <= 3)?;
    out.reserve(FORM.len() + bytes.len() + properties.len() + 8);
    let start = out.len();
    out.extend_from_slice(&FORM);
    let rings = if head.code == 3 { reader.u32().ok()? } else { 1 };
    let (mut bounds, mut finite) = (Envelope::NOTHING, true);
    let mut ends = Vec::new();
    for _ in 0..rings {
        let count = if head.code == 1 { 1 } else { reader.u32().ok()? as usize };
        let run = reader.take(count.checked_mul(16)?).ok()?;
        for position in run.chunks_exact(16) {
            let (x, y) = (wkb::double(position, 0), wkb::double(position, 1));
            finite &= x.is_finite() & y.is_finite();
            bounds.expand(x, y);
        }
        out.extend_from_slice(run);
        if rings > 1 {
            ends.extend_from_slice(&u32::try_from((out.len() - start - FORM.len()) / 16).ok()?.to_le_bytes());
        }
    }
    if !finite || bounds.is_nothing() {
        return None;
    }
    let mut patch = |at: usize, value: usize| {
        out[start + at..start + at + 4].copy_from_slice(&u32::try_from(value).ok()?.to_le_bytes());
        Some(())
    };
    let coordinates_end =
        FORM.len() + (bytes.len() - 5 - if head.code == 1 { 0 } else { 4 * (rings as usize + usize::from(head.code == 3)) });
    let properties_at = coordinates_end + if rings > 1 { 4 + ends.len() } else { 0 };
    patch(0, properties_at + properties.len())?;
    patch(PROPERTIES_AT, properties_at - PROPERTIES_AT)?;
    patch(DOUBLES_AT, (coordinates_end - FORM.len()) / 8)?;
    patch(TYPE_AT, head.code as usize)?;
    if rings > 1 {
        patch(ENDS_FIELD_AT, 4 | 8 << 16)?;
        patch(ENDS_AT, coordinates_end - ENDS_AT)?;
        out.extend_from_slice(&rings.to_le_bytes());
        out.extend_from_slice(&ends);
    }
    out.extend_from_slice(&u32::try_from(properties.len()).ok()?.to_le_bytes());
    out.extend_from_slice(properties);
    (reader.at == bytes.len()).then_some(bounds)
}

/// Column number and value, little-endian; what is null is not there.
fn write_property(out: &mut Vec<u8>, at: u16, value: Value<'_>) {
    if matches!(value, Value::Null) {
        return;
    }
    out.extend_from_slice(&at.to_le_bytes());
    let mut text = |text: &str, end: &str| {
        // A column of 4 GB of text does not pass the reader.
        out.extend_from_slice(&u32::try_from(text.len() + end.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(end.as_bytes());
    };
    match value {
        Value::Null => {}
        Value::Text(value) | Value::DateTime(value) => text(value, ""),
        // The format knows instants only, and a day is written as GDAL does.
        Value::Date(value) => text(value, "T00:00:00"),
        Value::Integer(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Real(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Boolean(value) => out.push(u8::from(value)),
    }
}

fn write_feature<'b>(buffer: &mut FlatBufferBuilder<'b>, geometry: Option<&[u8]>, properties: &[u8]) -> Result<(), WkbError> {
    let geometry = geometry.map(|bytes| write_geometry(buffer, &mut Reader::new(bytes), 0)).transpose()?;
    let properties = Some(buffer.create_vector(properties));
    let feature = fgb::Feature::create(buffer, &fgb::FeatureArgs { geometry, properties, columns: None });
    buffer.finish_size_prefixed(feature, None);
    Ok(())
}

/// Coordinates of one geometry: x y pairs, and z and m apart.
#[derive(Default)]
struct Coordinates {
    xy: Vec<f64>,
    z: Vec<f64>,
    m: Vec<f64>,
    /// Positions at the end of each ring or line.
    ends: Vec<u32>,
}

impl Coordinates {
    fn run(&mut self, reader: &mut Reader<'_>, head: wkb::Head, count: usize) -> Result<(), WkbError> {
        for _ in 0..count {
            let (x, y) = (reader.f64()?, reader.f64()?);
            // An empty point: no position at all.
            let is_there = x.is_finite() && y.is_finite();
            if is_there {
                self.xy.extend([x, y]);
            }
            if head.has_z {
                self.z.extend(Some(reader.f64()?).filter(|_| is_there));
            }
            if head.has_m {
                self.m.extend(Some(reader.f64()?).filter(|_| is_there));
            }
        }
        self.ends.push(u32::try_from(self.xy.len() / 2).unwrap_or(u32::MAX));
        Ok(())
    }
}

fn write_geometry<'b>(
    buffer: &mut FlatBufferBuilder<'b>,
    reader: &mut Reader<'_>,
    depth: usize,
) -> Result<WIPOffset<fgb::Geometry<'b>>, WkbError> {
    if depth > wkb::NESTING_MAX {
        return Err(WkbError::Nesting);
    }
    let head = reader.head()?;
    let mut coordinates = Coordinates::default();
    let mut parts = Vec::new();
    match head.code {
        1 => coordinates.run(reader, head, 1)?,
        2 => {
            let count = reader.u32()? as usize;
            coordinates.run(reader, head, count)?;
        }
        3 => {
            for _ in 0..reader.u32()? {
                let count = reader.u32()? as usize;
                coordinates.run(reader, head, count)?;
            }
        }
        // Points and lines of one dimension lie flat; what has holes, or mixes, is kept in parts.
        4 | 5 => {
            for _ in 0..reader.u32()? {
                let member = reader.head()?;
                let count = if member.code == 2 { reader.u32()? as usize } else { 1 };
                coordinates.run(reader, member, count)?;
            }
        }
        _ => {
            for _ in 0..reader.u32()? {
                parts.push(write_geometry(buffer, reader, depth + 1)?);
            }
        }
    }
    let flat = !matches!(head.code, 6 | 7);
    // The format lets a single part go without its end; GDAL demands it of MultiLineString.
    let several = head.code == 5 || (head.code == 3 && coordinates.ends.len() > 1);
    let args = fgb::GeometryArgs {
        ends: several.then(|| buffer.create_vector(&coordinates.ends)),
        xy: flat.then(|| buffer.create_vector(&coordinates.xy)),
        z: (!coordinates.z.is_empty()).then(|| buffer.create_vector(&coordinates.z)),
        m: (!coordinates.m.is_empty()).then(|| buffer.create_vector(&coordinates.m)),
        type_: fgb::GeometryType(u8::try_from(head.code).unwrap_or(0)),
        parts: (!flat).then(|| buffer.create_vector(&parts)),
        ..Default::default()
    };
    Ok(fgb::Geometry::create(buffer, &args))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(lengths: &[u32]) -> Vec<u8> {
        let run = |length: &u32| {
            let mut bytes = length.to_le_bytes().to_vec();
            (0..length * 2).for_each(|n| bytes.extend((f64::from(n) * 0.37 - 1.9).to_le_bytes()));
            bytes
        };
        lengths.iter().flat_map(run).collect()
    }

    #[test]
    fn the_form_says_what_the_builder_says() {
        let line = [&[1u8, 2, 0, 0, 0][..], &runs(&[5])].concat();
        let plain = [&[1u8, 3, 0, 0, 0, 1, 0, 0, 0][..], &runs(&[4])].concat();
        let holed = [&[1u8, 3, 0, 0, 0, 3, 0, 0, 0][..], &runs(&[7, 4, 5])].concat();
        for geometry in [wkb::point(1.5, -2.0), line, plain, holed] {
            for properties in [&b""[..], b"\0\0abc", &[7; 300]] {
                let mut form = Vec::new();
                let bounds = flat(&mut form, &geometry, properties).expect("of two dimensions");
                assert_eq!(Some(bounds), wkb::envelope(&geometry).expect("WKB"));
                let mut builder = FlatBufferBuilder::new();
                write_feature(&mut builder, Some(&geometry), properties).expect("WKB");
                let ours = fgb::size_prefixed_root_as_feature(&form).expect("verified");
                let theirs = fgb::size_prefixed_root_as_feature(builder.finished_data()).expect("verified");
                assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
                assert_eq!(form.len(), 4 + u32::from_le_bytes(form[..4].try_into().expect("four bytes")) as usize);
            }
        }
    }

    #[test]
    fn other_geometries_are_the_builders() {
        let empty = wkb::point(f64::NAN, f64::NAN);
        let many = [&[1u8, 4, 0, 0, 0, 1, 0, 0, 0][..], &wkb::point(1.0, 2.0)].concat();
        let high = [&[1u8, 0xE9, 3, 0, 0][..], &[0; 24]].concat();
        for geometry in [empty, many, high, vec![1, 3, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(flat(&mut Vec::new(), &geometry, b"").is_none());
            let mut features = Features::default();
            features.push(Some(&geometry), [Value::Integer(1)].into_iter()).expect("WKB");
            assert!(fgb::size_prefixed_root_as_feature(&features.bytes).is_ok());
        }
    }
}
