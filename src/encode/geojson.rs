//! GeoJSON (RFC 7946), written from batches to bytes without an object in between.
//!
//! Outer rings run counter-clockwise, holes clockwise. Seven decimals of a degree (a centimetre), three of a metre. M has
//! no place in GeoJSON and is left out. Axes are written in the order of the CRS, as OGC API - Features Part 2 wants it.

use std::io;
use std::io::Write;

use crate::encode::FeatureEncoder;
use crate::encode::OutputFormat;
use crate::encode::number;
use crate::encode::number::DIGITS_MAX;
use crate::model::batch::FeatureBatch;
use crate::model::crs::AxisOrder;
use crate::model::crs::Crs;
use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::layer::Layer;
use crate::model::media_type;
use crate::model::wkb;
use crate::model::wkb::Head;
use crate::model::wkb::Reader;
use crate::model::wkb::WkbError;

pub struct GeoJson;

impl OutputFormat for GeoJson {
    fn id(&self) -> &'static str {
        "geojson"
    }

    fn title(&self) -> &'static str {
        "GeoJSON"
    }

    fn media_type(&self) -> &'static str {
        media_type::GEOJSON
    }

    fn fixed_crs(&self) -> Option<Crs> {
        None
    }

    fn begin<'a>(&self, layer: &'a Layer, crs: Crs, out: &'a mut dyn Write) -> io::Result<Box<dyn FeatureEncoder + 'a>> {
        out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
        Ok(Box::new(Encoder { writer: FeatureWriter::new(layer, crs), out, buffer: Vec::new(), first: true }))
    }
}

struct Encoder<'a> {
    writer: FeatureWriter,
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
    first: bool,
}

impl FeatureEncoder for Encoder<'_> {
    fn write(&mut self, batch: &FeatureBatch) -> io::Result<()> {
        self.buffer.clear();
        for row in 0..batch.rows() {
            if !std::mem::take(&mut self.first) {
                self.buffer.push(b',');
            }
            self.buffer.push(b'\n');
            self.writer.feature(&mut self.buffer, batch, row);
        }
        self.out.write_all(&self.buffer)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")
    }
}

/// Writes features of one layer in one CRS.
pub struct FeatureWriter {
    /// `"name":` of each column, escaped once.
    keys: Vec<Vec<u8>>,
    decimals: u32,
    swapped: bool,
}

/// A centimetre in degrees; a millimetre in metres.
const DECIMALS_DEG: u32 = 7;
const DECIMALS_M: u32 = 3;

/// Of the text of a position: `[-1.9639512,48.1200001],`.
const POSITION_BYTES: usize = 25;

impl FeatureWriter {
    /// For batches that hold all fields of the layer.
    pub fn new(layer: &Layer, crs: Crs) -> FeatureWriter {
        FeatureWriter::with_fields(layer.fields.iter().map(|field| field.name.as_str()), crs)
    }

    /// For batches of chosen columns.
    pub fn with_fields<'a>(names: impl Iterator<Item = &'a str>, crs: Crs) -> FeatureWriter {
        let key = |name: &str| {
            let mut key = Vec::new();
            string(&mut key, name);
            key.push(b':');
            key
        };
        let decimals = if crs.is_geographic() { DECIMALS_DEG } else { DECIMALS_M };
        FeatureWriter { keys: names.map(key).collect(), decimals, swapped: crs.axis_order() == AxisOrder::NorthEast }
    }

    /// Appends one feature. A geometry that cannot be read becomes null: the store holds none.
    pub fn feature(&self, out: &mut Vec<u8>, batch: &FeatureBatch, row: usize) {
        out.extend_from_slice(b"{\"type\":\"Feature\"");
        if let Some(id) = batch.id(row) {
            out.extend_from_slice(b",\"id\":");
            match id {
                FeatureId::Integer(id) => out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes()),
                FeatureId::Text(id) => string(out, &id),
            }
        }
        out.extend_from_slice(b",\"geometry\":");
        let start = out.len();
        let written = batch.wkb(row).map(|bytes| self.geometry(out, &mut Reader::new(bytes), 0));
        if !matches!(written, Some(Ok(()))) {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
        out.extend_from_slice(b",\"properties\":{");
        for (column, key) in self.keys.iter().enumerate() {
            if column > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            value(out, batch.value(row, column));
        }
        out.extend_from_slice(b"}}");
    }

    fn geometry(&self, out: &mut Vec<u8>, reader: &mut Reader<'_>, depth: usize) -> Result<(), WkbError> {
        if depth > wkb::NESTING_MAX {
            return Err(WkbError::Nesting);
        }
        let head = reader.head()?;
        out.extend_from_slice(b"{\"type\":\"");
        // In the order of the codes, OGC 06-103r4 table 7.
        let name = ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"]
            [head.code as usize - 1];
        out.extend_from_slice(name.as_bytes());
        if head.code == 7 {
            out.extend_from_slice(b"\",\"geometries\":[");
            for part in 0..reader.u32()? {
                comma(out, part);
                self.geometry(out, reader, depth + 1)?;
            }
            out.extend_from_slice(b"]}");
            return Ok(());
        }
        out.extend_from_slice(b"\",\"coordinates\":");
        match head.code {
            4..=6 => {
                out.push(b'[');
                for part in 0..reader.u32()? {
                    comma(out, part);
                    let inner = reader.head()?;
                    self.coordinates(out, reader, inner)?;
                }
                out.push(b']');
            }
            _ => self.coordinates(out, reader, head)?,
        }
        out.push(b'}');
        Ok(())
    }

    /// Of a point, a line or a polygon, its head read.
    fn coordinates(&self, out: &mut Vec<u8>, reader: &mut Reader<'_>, head: Head) -> Result<(), WkbError> {
        match head.code {
            1 => {
                let bytes = reader.take(head.dimensions() * 8)?;
                if wkb::double(bytes, 0).is_nan() {
                    out.extend_from_slice(b"[]");
                } else {
                    self.position(out, bytes, head);
                }
            }
            2 => {
                let bytes = run(reader, head)?;
                self.line(out, bytes, head, false);
            }
            _ => {
                out.push(b'[');
                for ring in 0..reader.u32()? {
                    comma(out, ring);
                    let bytes = run(reader, head)?;
                    // RFC 7946 3.1.6: the first ring to the left, holes to the right.
                    let left = signed_area(bytes, head.dimensions() * 8) > 0.0;
                    self.line(out, bytes, head, left != (ring == 0));
                }
                out.push(b']');
            }
        }
        Ok(())
    }

    fn line(&self, out: &mut Vec<u8>, bytes: &[u8], head: Head, reversed: bool) {
        let size = head.dimensions() * 8;
        out.push(b'[');
        let count = bytes.len() / size;
        out.reserve(count * POSITION_BYTES);
        for at in 0..count {
            if at > 0 {
                out.push(b',');
            }
            let at = if reversed { count - 1 - at } else { at };
            self.position(out, &bytes[at * size..(at + 1) * size], head);
        }
        out.push(b']');
    }

    /// Put together on the stack and appended at once.
    #[inline]
    fn position(&self, out: &mut Vec<u8>, bytes: &[u8], head: Head) {
        let (x, y) = (wkb::double(bytes, 0), wkb::double(bytes, 1));
        let (first, second) = if self.swapped { (y, x) } else { (x, y) };
        let mut text = [b'['; 3 * (DIGITS_MAX + 1)];
        let mut end = number_at(&mut text, 1, first, self.decimals);
        text[end] = b',';
        end = number_at(&mut text, end + 1, second, self.decimals);
        if head.has_z {
            let z = wkb::double(bytes, 2);
            if z.is_finite() {
                text[end] = b',';
                end = number_at(&mut text, end + 1, z, DECIMALS_M);
            }
        }
        text[end] = b']';
        out.extend_from_slice(&text[..=end]);
    }
}

/// Writes a number at a place; gives the place behind it.
#[inline]
fn number_at(text: &mut [u8], at: usize, value: f64, decimals: u32) -> usize {
    let place = text[at..].first_chunk_mut().expect("there is room for three numbers");
    at + number::fixed_at(place, value, decimals)
}

fn comma(out: &mut Vec<u8>, at: u32) {
    if at > 0 {
        out.push(b',');
    }
}

/// The positions of a line or a ring.
fn run<'a>(reader: &mut Reader<'a>, head: Head) -> Result<&'a [u8], WkbError> {
    let count = reader.u32()? as usize;
    reader.take(count.checked_mul(head.dimensions() * 8).ok_or(WkbError::Truncated { at: reader.at })?)
}

/// Twice the area, positive where the ring runs counter-clockwise (x east, y north), by differences to its first position.
fn signed_area(bytes: &[u8], size: usize) -> f64 {
    let mut positions = bytes.chunks_exact(size).map(|position| (wkb::double(position, 0), wkb::double(position, 1)));
    let Some(origin) = positions.next() else { return 0.0 };
    let (mut sum, mut before) = (0.0, (0.0, 0.0));
    for (x, y) in positions {
        let here = (x - origin.0, y - origin.1);
        sum += before.0 * here.1 - here.0 * before.1;
        before = here;
    }
    sum
}

fn value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Text(text) | Value::Date(text) | Value::DateTime(text) => string(out, text),
        Value::Integer(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        Value::Real(value) if value.is_finite() => number::shortest(out, value),
        Value::Real(_) => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
    }
}

/// Appends a JSON string: runs without a sign to escape are copied whole.
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    // Without an early end the loop is vectorised.
    if !bytes.iter().fold(false, |found, byte| found | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\')) {
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escaped: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[start..at]);
        if escaped.is_empty() {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend_from_slice(escaped);
        }
        start = at + 1;
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::batch::batch_of;
    use crate::model::crs::CRS84;
    use crate::model::crs::WGS_84;
    use crate::model::layer::FieldType;

    fn ring(positions: &[(f64, f64)]) -> Vec<u8> {
        let mut bytes = (positions.len() as u32).to_le_bytes().to_vec();
        positions.iter().for_each(|(x, y)| bytes.extend([x.to_le_bytes(), y.to_le_bytes()].concat()));
        bytes
    }

    fn feature(crs: Crs, value: Value<'_>, wkb: Option<Vec<u8>>) -> serde_json::Value {
        let batch = batch_of(&[FieldType::Text], &[(Some(7), vec![value], wkb)], true);
        let mut out = Vec::new();
        FeatureWriter::with_fields(["n\"om"].into_iter(), crs).feature(&mut out, &batch, 0);
        serde_json::from_slice(&out).expect("JSON")
    }

    #[test]
    fn rings_run_as_the_rfc_says_whichever_way_they_came() {
        let outer = [(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0), (0.0, 0.0)];
        let hole = [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)];
        let wkb = [&[1u8, 3, 0, 0, 0, 2, 0, 0, 0][..], &ring(&outer), &ring(&hole)].concat();
        let found = feature(CRS84, Value::Null, Some(wkb));
        assert_eq!(
            found["geometry"]["coordinates"],
            serde_json::json!([[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]])
        );
    }

    #[test]
    fn axes_follow_the_reference_system() {
        assert_eq!(
            feature(CRS84, Value::Null, Some(wkb::point(-1.96, 48.12)))["geometry"]["coordinates"],
            serde_json::json!([-1.96, 48.12])
        );
        assert_eq!(
            feature(WGS_84, Value::Null, Some(wkb::point(-1.96, 48.12)))["geometry"]["coordinates"],
            serde_json::json!([48.12, -1.96])
        );
    }

    #[test]
    fn any_text_is_escaped() {
        let text = "a\"b\\c\n\r\t\u{1}é\u{1F600}</script>";
        assert_eq!(feature(CRS84, Value::Text(text), None)["properties"]["n\"om"], text);
    }

    #[test]
    fn a_geometry_that_is_absent_or_broken_is_null() {
        assert_eq!(feature(CRS84, Value::Null, None)["geometry"], serde_json::Value::Null);
        assert_eq!(feature(CRS84, Value::Null, Some(vec![1, 3, 0, 0, 0, 9]))["geometry"], serde_json::Value::Null);
    }
}
