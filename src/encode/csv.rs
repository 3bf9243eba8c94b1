//! CSV: one for programs (RFC 4180: UTF-8, comma) and one for a French spreadsheet (BOM, `;`, decimal comma).
//!
//! Points are lon and lat, then x and y in the source's own CRS, then z where they have one; other geometries are WKT in lon, lat.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

use crate::crs::Transform;
use crate::crs::batch;
use crate::encode::Batches;
use crate::encode::Download;
use crate::encode::FeatureEncoder;
use crate::encode::OutputFormat;
use crate::encode::number;
use crate::encode::wkt;
use crate::encode::wkt::DEGREE_DECIMALS;
use crate::encode::wkt::METRE_DECIMALS;
use crate::model::batch::FeatureBatch;
use crate::model::crs::AxisOrder;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::layer::GeometryType;
use crate::model::layer::Layer;
use crate::model::media_type;
use crate::model::record::Record;
use crate::model::wkb;

/// How a CSV is written.
#[derive(Clone, Copy)]
struct Dialect {
    separator: u8,
    bom: bool,
    decimal_comma: bool,
}

const RFC_4180: Dialect = Dialect { separator: b',', bom: false, decimal_comma: false };
const EXCEL_FR: Dialect = Dialect { separator: b';', bom: true, decimal_comma: true };

/// `f=csv`.
pub struct Csv;

impl OutputFormat for Csv {
    fn id(&self) -> &'static str {
        "csv"
    }

    fn title(&self) -> &'static str {
        "CSV"
    }

    fn media_type(&self) -> &'static str {
        media_type::CSV
    }

    fn fixed_crs(&self) -> Option<Crs> {
        None
    }

    fn begin<'a>(&self, layer: &'a Layer, crs: Crs, out: &'a mut dyn Write) -> io::Result<Box<dyn FeatureEncoder + 'a>> {
        Ok(Box::new(Encoder::new(layer, crs, None, RFC_4180, out)?))
    }
}

/// `.csv`
pub struct CsvFile;

/// `.excel.csv`
pub struct ExcelCsvFile;

impl Download for CsvFile {
    fn suffix(&self) -> &'static str {
        ".csv"
    }

    fn title(&self) -> &'static str {
        "CSV (UTF-8, virgule)"
    }

    fn media_type(&self) -> &'static str {
        media_type::CSV
    }

    fn suits(&self, _layer: &Layer) -> bool {
        true
    }

    fn write(&self, layer: &Layer, _record: Option<&Record>, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>> {
        write_file(layer, RFC_4180, batches, path)
    }
}

impl Download for ExcelCsvFile {
    fn suffix(&self) -> &'static str {
        ".excel.csv"
    }

    fn title(&self) -> &'static str {
        "CSV pour tableur français (point-virgule, virgule décimale)"
    }

    fn media_type(&self) -> &'static str {
        media_type::CSV
    }

    fn suits(&self, _layer: &Layer) -> bool {
        true
    }

    fn write(&self, layer: &Layer, _record: Option<&Record>, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>> {
        write_file(layer, EXCEL_FR, batches, path)
    }
}

fn write_file(layer: &Layer, dialect: Dialect, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>> {
    let mut out = BufWriter::new(File::create(path)?);
    let own = (layer.crs.epsg() != CRS84.epsg()).then_some(layer.crs);
    let mut encoder = Encoder::new(layer, CRS84, own, dialect, &mut out)?;
    for batch in batches {
        encoder.write(&batch?)?;
    }
    let neutralised = encoder.neutralised;
    encoder.writer.flush()?;
    drop(encoder);
    out.flush()?;
    let note = format!("{neutralised} valeurs qu'un tableur aurait prises pour des formules sont précédées d'une apostrophe");
    Ok(if neutralised > 0 { vec![note] } else { Vec::new() })
}

struct Encoder<'a> {
    writer: csv::Writer<&'a mut dyn Write>,
    crs: Crs,
    /// The source's own CRS, for x and y of points.
    own: Option<Crs>,
    dialect: Dialect,
    is_point: bool,
    has_geometry: bool,
    has_height: bool,
    /// Texts that a spreadsheet would have taken for a formula.
    neutralised: u64,
    buffer: Vec<u8>,
}

impl<'a> Encoder<'a> {
    fn new(layer: &Layer, crs: Crs, own: Option<Crs>, dialect: Dialect, out: &'a mut dyn Write) -> io::Result<Encoder<'a>> {
        if dialect.bom {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let mut writer = csv::WriterBuilder::new().delimiter(dialect.separator).terminator(csv::Terminator::CRLF).from_writer(out);
        let is_point = layer.geometry.is_some_and(|geometry| geometry.geometry_type == GeometryType::Point);
        let has_geometry = layer.geometry.is_some();
        let has_height = layer.geometry.is_some_and(|geometry| geometry.has_z);
        let mut names = vec!["id".to_owned()];
        names.extend(layer.fields.iter().map(|field| field.name.clone()));
        let mut added = Vec::new();
        if is_point {
            added.extend(if crs.is_geographic() { ["lon", "lat"] } else { ["x", "y"] });
            added.extend(own.map(|_| ["x", "y"]).into_iter().flatten());
            added.extend(has_height.then_some("z"));
        } else if has_geometry {
            added.push("wkt");
        }
        for name in added {
            // A column of the layer may have this name already.
            let taken = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
            let free = if taken(name) { format!("geom_{name}") } else { name.to_owned() };
            names.push(free);
        }
        writer.write_record(&names)?;
        Ok(Encoder { writer, crs, own, dialect, is_point, has_geometry, has_height, neutralised: 0, buffer: Vec::new() })
    }

    fn field(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_field(bytes).map_err(io::Error::other)
    }

    fn number(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        write(&mut buffer);
        if self.dialect.decimal_comma {
            buffer.iter_mut().filter(|byte| **byte == b'.').for_each(|byte| *byte = b',');
        }
        let written = self.field(&buffer);
        self.buffer = buffer;
        written
    }

    fn value(&mut self, value: Value<'_>) -> io::Result<()> {
        match value {
            Value::Null => self.field(b""),
            Value::Text(text) if is_formula(text) => {
                self.neutralised += 1;
                self.field(format!("'{text}").as_bytes())
            }
            Value::Text(text) | Value::Date(text) | Value::DateTime(text) => self.field(text.as_bytes()),
            Value::Integer(value) => self.field(itoa::Buffer::new().format(value).as_bytes()),
            Value::Real(value) => self.number(|out| number::shortest(out, value)),
            Value::Boolean(value) => self.field(match (self.dialect.decimal_comma, value) {
                (true, true) => "VRAI".as_bytes(),
                (true, false) => b"FAUX",
                (false, true) => b"true",
                (false, false) => b"false",
            }),
        }
    }

    fn point(&mut self, wkb: Option<&[u8]>, crs: Crs) -> io::Result<()> {
        let place = wkb.and_then(|bytes| wkb::envelope(bytes).ok().flatten()).map(|place| (place.west, place.south));
        let Some((x, y)) = place else {
            self.field(b"")?;
            return self.field(b"");
        };
        let decimals = if crs.is_geographic() { DEGREE_DECIMALS } else { METRE_DECIMALS };
        self.number(|out| number::fixed(out, x, decimals))?;
        self.number(|out| number::fixed(out, y, decimals))
    }

    fn wkt(&mut self, wkb: Option<&[u8]>) -> io::Result<()> {
        let mut text = std::mem::take(&mut self.buffer);
        text.clear();
        // WKT of OGC 06-103r4 names x first whatever the CRS; only CRS with north first by definition are swapped.
        let swapped = self.crs.axis_order() == AxisOrder::NorthEast;
        let written = wkb.map_or(Ok(()), |wkb| wkt::write(&mut text, wkb, self.crs.is_geographic(), swapped));
        written.map_err(io::Error::other)?;
        let done = self.field(&text);
        self.buffer = text;
        done
    }

    fn height(&mut self, wkb: Option<&[u8]>) -> io::Result<()> {
        match wkb.and_then(wkb::height).filter(|z| z.is_finite()) {
            Some(z) => self.number(|out| number::fixed(out, z, METRE_DECIMALS)),
            None => self.field(b""),
        }
    }
}

/// Signs that make a spreadsheet take a text for a formula (OWASP, CSV injection); a plain number is none.
fn is_formula(text: &str) -> bool {
    let is_number = || text.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'.' | b','));
    text.starts_with(['=', '@', '\t', '\r']) || (text.starts_with(['+', '-']) && !is_number())
}

impl FeatureEncoder for Encoder<'_> {
    fn write(&mut self, batch: &FeatureBatch) -> io::Result<()> {
        let own = match self.own.filter(|_| self.is_point) {
            Some(own) => Some((own, batch::transform(batch.clone(), &Transform::new(self.crs, own).map_err(io::Error::other)?).0)),
            None => None,
        };
        for row in 0..batch.rows() {
            match batch.id(row) {
                Some(FeatureId::Integer(id)) => self.field(itoa::Buffer::new().format(id).as_bytes())?,
                Some(FeatureId::Text(id)) => self.value(Value::Text(&id))?,
                None => self.field(b"")?,
            }
            for column in 0..batch.columns.len() {
                self.value(batch.value(row, column))?;
            }
            if self.is_point {
                self.point(batch.wkb(row), self.crs)?;
                if let Some((crs, own)) = &own {
                    self.point(own.wkb(row), *crs)?;
                }
                if self.has_height {
                    self.height(batch.wkb(row))?;
                }
            } else if self.has_geometry {
                self.wkt(batch.wkb(row))?;
            }
            self.writer.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_known_from_numbers() {
        for text in ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1"] {
            assert!(is_formula(text), "{text}");
        }
        for text in ["-12", "+33 2 99 00 00 00", "-1,5", "a=b", "", "Bédée"] {
            assert!(!is_formula(text), "{text}");
        }
    }
}
