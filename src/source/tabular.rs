//! CSV as French offices write it: any separator, any encoding, decimal commas, positions in columns by name and by value.
//!
//! Two readings: the first judges every value of every column, the second writes. A code keeps its zeros because a
//! column is a number only where no value has any to lose.

use std::path::Path;

use crate::model::crs::Crs;
use crate::model::feature::Value;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::EncodingEvidence;
use crate::model::reading::LIST_MAX;
use crate::model::reading::Outcome;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::model::wkb;
use crate::source::batcher::Batcher;
use crate::source::charset;
use crate::source::charset::Charset;
use crate::source::judge::Judge;
use crate::source::judge::date;
use crate::source::judge::number;
use crate::source::names;
use crate::source::worker::Sink;

/// A table read into memory as text, with what its columns were judged to be.
struct Table {
    text: String,
    separator: u8,
    /// Rows before the header.
    skipped: usize,
    fields: Vec<Field>,
    place: Option<Placing>,
    rows: u64,
    evidence: EncodingEvidence,
    native: Envelope,
}

/// Which columns hold positions.
#[derive(Clone, Debug, PartialEq)]
enum Placing {
    /// x (or longitude), y (or latitude).
    Columns {
        x: usize,
        y: usize,
        crs: Option<Crs>,
    },
    /// `48.1, -1.9` in one column.
    LatLon(usize),
    Wkt(usize),
}

fn load(path: &Path, options: &ReadOptions) -> Result<Table, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let (text, evidence) = decode(&bytes, options);
    drop(bytes);
    let table = options.table.clone().unwrap_or_default();
    let separator = match table.separator.as_deref() {
        Some("\\t" | "tab" | "tabulation") => b'\t',
        Some(separator) if separator.len() == 1 => separator.as_bytes()[0],
        Some(separator) => return Err(format!("separator = \"{separator}\" : attendu un seul signe, par exemple « ; »")),
        None => separator_of(&text),
    };
    let skipped = table.header_row.map_or(0, |row| row.saturating_sub(1) as usize);
    let mut judged = Table { text, separator, skipped, fields: Vec::new(), place: None, rows: 0, evidence, native: Envelope::NOTHING };
    let header = judged.header()?;
    let types = judged.types(header.len())?;
    let safe = names::safe_names(&header);
    judged.fields = header
        .into_iter()
        .zip(safe)
        .zip(types)
        .map(|((source, name), field_type)| Field {
            name,
            title: source.clone(),
            source_name: source,
            description: None,
            unit: None,
            field_type,
            values: Vec::new(),
        })
        .collect();
    judged.place = judged.placing(options)?;
    Ok(judged)
}

fn decode(bytes: &[u8], options: &ReadOptions) -> (String, EncodingEvidence) {
    let bare = bytes.strip_prefix(b"\xef\xbb\xbf");
    let (charset, mut evidence) = charset::judge(bare.unwrap_or(bytes), bare.map(|_| "UTF-8"));
    let charset = match options.encoding.as_deref().and_then(Charset::from_name) {
        Some(said) => {
            evidence.used = said.name().to_owned();
            evidence.doubt = false;
            said
        }
        None if bare.is_some() => Charset::Utf8,
        None => charset,
    };
    (charset.decode(bare.unwrap_or(bytes)).0, evidence)
}

/// The sign that divides the first lines into the most columns, equally.
fn separator_of(text: &str) -> u8 {
    // Enough lines to see a regularity, few enough to be quick.
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(20).collect();
    let score = |separator: u8| {
        let counts: Vec<usize> = lines.iter().map(|line| line.bytes().filter(|byte| *byte == separator).count()).collect();
        let first = counts.first().copied().unwrap_or(0);
        let regular = counts.iter().filter(|count| **count == first).count();
        if first == 0 { 0 } else { regular * 1_000 + first }
    };
    [b';', b'\t', b'|', b','].into_iter().max_by_key(|separator| (score(*separator), *separator == b';')).unwrap_or(b';')
}

impl Table {
    fn records(&self) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new().delimiter(self.separator).has_headers(false).flexible(true).from_reader(self.text.as_bytes())
    }

    fn header(&self) -> Result<Vec<String>, String> {
        let first = self.records().into_records().nth(self.skipped).and_then(Result::ok);
        let header = first.ok_or("le fichier est vide")?;
        Ok(header.iter().map(|name| name.trim().to_owned()).collect())
    }

    /// Calls `see` with each row behind the header, numbered from 1; wholly empty lines are no rows.
    fn each_row(&self, mut see: impl FnMut(u64, &csv::StringRecord) -> Result<(), String>) -> Result<u64, String> {
        let mut reader = self.records();
        let mut record = csv::StringRecord::new();
        let mut rows = 0;
        let mut skipped = 0;
        while reader.read_record(&mut record).map_err(|error| format!("ligne illisible ({error})"))? {
            if skipped <= self.skipped {
                skipped += 1;
                continue;
            }
            if record.iter().all(|value| value.trim().is_empty()) {
                continue;
            }
            rows += 1;
            see(rows, &record)?;
        }
        Ok(rows)
    }

    fn types(&mut self, width: usize) -> Result<Vec<FieldType>, String> {
        let mut judges = vec![Judge::default(); width];
        let rows = self.each_row(|_, record| {
            for (judge, value) in judges.iter_mut().zip(record) {
                judge.see(value.trim());
            }
            Ok(())
        })?;
        self.rows = rows;
        Ok(judges.iter().map(Judge::verdict).collect())
    }

    fn column(&self, wanted: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.source_name.eq_ignore_ascii_case(wanted) || field.name.eq_ignore_ascii_case(wanted))
    }

    /// The officer's word, else WKT, else longitude and latitude, else x and y; by name, then proven by value.
    fn placing(&mut self, options: &ReadOptions) -> Result<Option<Placing>, String> {
        if let Some((x, y)) = options.table.as_ref().and_then(|table| table.x.as_ref().zip(table.y.as_ref())) {
            let find = |name: &str| self.column(name).ok_or_else(|| format!("table : pas de colonne « {name} »"));
            let placing = Placing::Columns { x: find(x)?, y: find(y)?, crs: None };
            return self.measured(&placing).map(|(native, _)| {
                self.native = native;
                Some(placing)
            });
        }
        for candidate in self.candidates() {
            let (native, placed) = self.measured(&candidate)?;
            let degrees = native.west >= -180.0 && native.east <= 180.0 && native.south >= -90.0 && native.north <= 90.0;
            let fits = match &candidate {
                Placing::Columns { crs: Some(crs), .. } if crs.is_geographic() => degrees,
                Placing::LatLon(_) => degrees,
                _ => true,
            };
            if placed > 0 && fits {
                self.native = native;
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    fn candidates(&self) -> Vec<Placing> {
        let named = |names: &[&str]| names.iter().find_map(|name| self.fields.iter().position(|field| plain(&field.source_name) == *name));
        let mut found = Vec::new();
        found.extend(named(&["wkt", "geom", "geometry", "thegeom", "geometrie", "shape"]).map(Placing::Wkt));
        let lon = named(&["lon", "long", "longitude", "lng", "xlong", "longitudewgs84", "xwgs84", "coordlon", "geolon"]);
        let lat = named(&["lat", "latitude", "ylat", "latitudewgs84", "ywgs84", "coordlat", "geolat"]);
        found.extend(lon.zip(lat).map(|(x, y)| Placing::Columns { x, y, crs: Some(Crs::Crs84) }));
        found.extend(named(&["geopoint2d", "geopoint", "coordonnees", "latlon", "coordonneesgps"]).map(Placing::LatLon));
        for (suffix, crs) in SUFFIXES {
            let pair = |axis: &str| {
                [format!("{axis}{suffix}"), format!("coord{axis}{suffix}"), format!("{axis}coord{suffix}")]
                    .iter()
                    .find_map(|name| named(&[name.as_str()]))
            };
            found.extend(pair("x").zip(pair("y")).map(|(x, y)| Placing::Columns { x, y, crs }));
        }
        let easting = named(&["easting", "est", "xm", "abscisse"]);
        let northing = named(&["northing", "nord", "ym", "ordonnee"]);
        found.extend(easting.zip(northing).map(|(x, y)| Placing::Columns { x, y, crs: None }));
        found
    }

    /// Envelope of the positions, and how many rows have one.
    fn measured(&self, placing: &Placing) -> Result<(Envelope, u64), String> {
        let mut native = Envelope::NOTHING;
        let mut placed = 0;
        self.each_row(|_, record| {
            if let Some(Some(found)) = position(record, placing).map(|bytes| wkb::envelope(&bytes).ok().flatten()) {
                native.join(&found);
                placed += 1;
            }
            Ok(())
        })?;
        Ok((native, placed))
    }

    fn crs(&self) -> ClaimedCrs {
        match &self.place {
            None => ClaimedCrs::NotApplicable,
            Some(Placing::LatLon(_)) => ClaimedCrs::Known(Crs::Epsg(4326)),
            Some(Placing::Columns { crs: Some(crs), .. }) => ClaimedCrs::Known(Crs::Epsg(crs.epsg())),
            Some(_) => ClaimedCrs::Missing,
        }
    }

    fn geometry(&self) -> Option<GeometryColumn> {
        let flat = |geometry_type| GeometryColumn { geometry_type, has_z: false, has_m: false };
        match &self.place {
            None => None,
            Some(Placing::Wkt(column)) => {
                let mut kinds = crate::source::geometry::Kinds::default();
                let seen = self.each_row(|_, record| {
                    let head = record.get(*column).and_then(wkt_to_wkb).and_then(|bytes| wkb::head(&bytes).ok());
                    if let Some(head) = head {
                        kinds.see(head.code);
                    }
                    Ok(())
                });
                seen.ok().map(|_| flat(kinds.geometry_type()))
            }
            Some(_) => Some(flat(GeometryType::Point)),
        }
    }
}

/// Endings of column names that tell the system; without one nothing is told.
const SUFFIXES: [(&str, Option<Crs>); 13] = [
    ("l93", Some(Crs::Epsg(2154))),
    ("lambert93", Some(Crs::Epsg(2154))),
    ("2154", Some(Crs::Epsg(2154))),
    ("cc42", Some(Crs::Epsg(3942))),
    ("cc43", Some(Crs::Epsg(3943))),
    ("cc44", Some(Crs::Epsg(3944))),
    ("cc45", Some(Crs::Epsg(3945))),
    ("cc46", Some(Crs::Epsg(3946))),
    ("cc47", Some(Crs::Epsg(3947))),
    ("cc48", Some(Crs::Epsg(3948))),
    ("cc49", Some(Crs::Epsg(3949))),
    ("cc50", Some(Crs::Epsg(3950))),
    ("", None),
];

/// Lower case, without accents and signs.
fn plain(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    name.nfkd().filter(|sign| sign.is_ascii_alphanumeric()).map(|sign| sign.to_ascii_lowercase()).collect()
}

fn position(record: &csv::StringRecord, placing: &Placing) -> Option<Vec<u8>> {
    match placing {
        Placing::Columns { x, y, .. } => Some(wkb::point(number(record.get(*x)?)?, number(record.get(*y)?)?)),
        Placing::LatLon(column) => {
            let (lat, lon) = record.get(*column)?.split_once([',', ' '])?;
            Some(wkb::point(number(lon.trim_start_matches(','))?, number(lat)?))
        }
        Placing::Wkt(column) => wkt_to_wkb(record.get(*column)?),
    }
}

fn wkt_to_wkb(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    // `SRID=2154;POINT(…)`, as PostGIS writes it.
    let text = text.split_once(';').filter(|(head, _)| head.starts_with("SRID=")).map_or(text, |(_, rest)| rest);
    if !text.starts_with(|sign: char| sign.is_ascii_alphabetic()) {
        return None;
    }
    let geometry = gdal::vector::Geometry::from_wkt(text).ok()?;
    // SAFETY: the handle is live and the buffer has the size that OGR asks for.
    unsafe {
        let handle = geometry.c_geometry();
        gdal_sys::OGR_G_FlattenTo2D(handle);
        let size = gdal_sys::OGR_G_WkbSize(handle);
        let mut bytes = vec![0u8; usize::try_from(size).ok()?];
        let written = gdal_sys::OGR_G_ExportToIsoWkb(handle, gdal_sys::OGRwkbByteOrder::wkbNDR, bytes.as_mut_ptr());
        (written == gdal_sys::OGRErr::OGRERR_NONE).then_some(bytes)
    }
}

pub fn describe(path: &Path, options: &ReadOptions) -> Result<Vec<SourceLayer>, String> {
    let table = load(path, options)?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(vec![SourceLayer {
        name: stem,
        geometry: table.geometry(),
        crs: table.crs(),
        rows_claimed: Some(table.rows),
        title: None,
        description: None,
        encoding: Some(table.evidence.clone()),
        fid_column: None,
        fields: table.fields,
    }])
}

pub fn read(path: &Path, options: &ReadOptions, sink: Sink<'_>) -> Result<Outcome, String> {
    let table = load(path, options)?;
    let geometry = table.geometry();
    let types: Vec<FieldType> = table.fields.iter().map(|field| field.field_type).collect();
    let mut batcher = Batcher::new(&types, geometry.is_some());
    let mut outcome = Outcome::default();
    table.each_row(|row, record| {
        outcome.rows_read += 1;
        for (at, field) in table.fields.iter().enumerate() {
            let text = record.get(at).unwrap_or_default();
            let trimmed = text.trim();
            let day;
            let value = match field.field_type {
                _ if trimmed.is_empty() => Value::Null,
                FieldType::Integer => trimmed.parse().map_or(Value::Null, Value::Integer),
                FieldType::Real => number(trimmed).map_or(Value::Null, Value::Real),
                FieldType::Date => {
                    day = date(trimmed).map(|date| date.to_string()).unwrap_or_default();
                    Value::Date(&day)
                }
                _ => Value::Text(text),
            };
            batcher.push(at, value);
        }
        if record.len() > table.fields.len() {
            outcome.values_lost += 1;
            if outcome.values_lost_places.len() < LIST_MAX {
                outcome.values_lost_places.push((row, format!("colonne {}", table.fields.len() + 1)));
            }
        }
        let wkb = table.place.as_ref().and_then(|place| position(record, place));
        outcome.null_geometries += u64::from(geometry.is_some() && wkb.is_none());
        let id = i64::try_from(row).ok();
        let wkb = match (&table.place, wkb, &geometry) {
            // WKT may hold anything: it goes the way of every other geometry.
            (Some(Placing::Wkt(_)), Some(bytes), Some(column)) => fit_wkb(&bytes, column, row, &mut outcome),
            (_, wkb, _) => wkb,
        };
        batcher.end_row(id, wkb.as_deref());
        batcher.flush_full(sink).map_err(|error| error.to_string())
    })?;
    batcher.flush(sink).map_err(|error| error.to_string())?;
    if !table.native.is_nothing() {
        outcome.native_extent = Some(table.native);
    }
    Ok(outcome)
}

fn fit_wkb(bytes: &[u8], column: &GeometryColumn, row: u64, outcome: &mut Outcome) -> Option<Vec<u8>> {
    let geometry = gdal::vector::Geometry::from_wkb(bytes).ok()?;
    // SAFETY: the handle lives as long as `geometry`.
    crate::source::geometry::fit(unsafe { geometry.c_geometry() }, column, row, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> SourceLayer {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("essai.csv");
        std::fs::write(&path, text).expect("written");
        describe(&path, &ReadOptions::default()).expect("described").remove(0)
    }

    fn types(text: &str) -> Vec<FieldType> {
        table(text).fields.into_iter().map(|field| field.field_type).collect()
    }

    #[test]
    fn codes_keep_their_zeros_and_numbers_are_numbers() {
        let found = types("insee;siret;n;prix;jour;vide\n01004;21350023400012;7;12,50;30/06/2026;\n35188;;-8;3;2026-07-01;\n");
        assert_eq!(found, [FieldType::Text, FieldType::Integer, FieldType::Integer, FieldType::Real, FieldType::Date, FieldType::Text]);
        assert_eq!(types("a\n0612345678\n"), [FieldType::Text]);
        assert_eq!(types("a\n1.2.3\n"), [FieldType::Text]);
        assert_eq!(types("a\n31/02/2026\n"), [FieldType::Text]);
    }

    #[test]
    fn separators_are_found_by_regularity() {
        for separator in [";", ",", "\t", "|"] {
            let text = ["a", "b", "c"].join(separator) + "\n" + &["x y", "2", "3"].join(separator) + "\n";
            assert_eq!(table(&text).fields.len(), 3, "{separator:?}");
        }
        assert_eq!(table("nom;note\nA, B;1,5\nC, D;2,5\n").fields.len(), 2);
    }

    #[test]
    fn positions_are_found_by_name_and_proven_by_value() {
        assert_eq!(table("x;y;long;lat\n351000;6789000;-1,96;48,12\n").crs, ClaimedCrs::Known(Crs::Epsg(4326)));
        assert_eq!(table("X;Y\n1318450,84;7218220,43\n").crs, ClaimedCrs::Missing);
        assert_eq!(table("x_l93;y_l93\n351000;6789000\n").crs, ClaimedCrs::Known(Crs::Epsg(2154)));
        assert_eq!(table("lon;lat\n351000;6789000\n").crs, ClaimedCrs::NotApplicable);
        assert_eq!(table("geo_point_2d\n\"48.12, -1.96\"\n").crs, ClaimedCrs::Known(Crs::Epsg(4326)));
        let wkt = table("nom;wkt\na;POINT (1 2)\nb;\n");
        assert_eq!((wkt.crs, wkt.geometry.map(|g| g.geometry_type)), (ClaimedCrs::Missing, Some(GeometryType::Point)));
        assert_eq!(table("nom;x\na;b\n").geometry, None);
    }

    #[test]
    fn an_empty_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vide.csv");
        std::fs::write(&path, "").expect("written");
        assert!(describe(&path, &ReadOptions::default()).is_err());
    }
}
