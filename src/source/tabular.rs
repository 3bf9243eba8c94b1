//! CSV as French offices write it: any separator, any encoding, decimal commas, positions in columns by name and by value.
//!
//! Two readings: the first judges every value of every column, the second writes. A code keeps its zeros because a
//! column is a number only where no value has any to lose.

use std::path::Path;

use crate::model::code_column;
use crate::model::crs::Crs;
use crate::model::feature::Value;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;
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
use crate::source::geometry::Kinds;
use crate::source::judge::Judge;
use crate::source::judge::date;
use crate::source::judge::number;
use crate::source::names;
use crate::source::placing;
use crate::source::placing::Placing;
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
    /// Columns that are named as positions and hold something else, in French.
    passed_over: Vec<String>,
}

/// Rows by what their columns of positions hold.
#[derive(Default)]
struct Placed {
    /// Something stands there.
    filled: u64,
    /// A position stands there.
    inside: u64,
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
    let mut judged = Table {
        text,
        separator,
        skipped,
        fields: Vec::new(),
        place: None,
        rows: 0,
        evidence,
        native: Envelope::NOTHING,
        passed_over: Vec::new(),
    };
    let header = judged.header()?;
    let types = judged.types(&header)?;
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

/// « Texte Unicode », as spreadsheets save it: UTF-16 with its mark.
pub fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF])
}

fn decode(bytes: &[u8], options: &ReadOptions) -> (String, EncodingEvidence) {
    if is_utf16(bytes) {
        let (text, encoding, _) = encoding_rs::UTF_16LE.decode(bytes);
        let used = encoding.name().to_owned();
        let evidence = EncodingEvidence { claimed: Some(used.clone()), used, doubt: false, samples: Vec::new() };
        return (text.into_owned(), evidence);
    }
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

/// `NOM` of `NOM,C,254`: spreadsheets save a dBASE table with the type of each column in its name.
fn bare_name(name: &str) -> &str {
    let mut parts = name.split(',');
    let (Some(bare), Some("C" | "N" | "F" | "D" | "L" | "M")) = (parts.next(), parts.next()) else { return name };
    let sizes = parts.clone().count() <= 2 && parts.all(|size| !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()));
    if sizes && !bare.is_empty() { bare } else { name }
}

impl Table {
    fn records(&self) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new().delimiter(self.separator).has_headers(false).flexible(true).from_reader(self.text.as_bytes())
    }

    fn header(&self) -> Result<Vec<String>, String> {
        let first = self.records().into_records().nth(self.skipped).and_then(Result::ok);
        let header = first.ok_or("le fichier est vide")?;
        Ok(header.iter().map(|name| bare_name(name.trim()).to_owned()).collect())
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

    fn types(&mut self, header: &[String]) -> Result<Vec<FieldType>, String> {
        let mut judges = vec![Judge::default(); header.len()];
        let rows = self.each_row(|_, record| {
            for (judge, value) in judges.iter_mut().zip(record) {
                judge.see(value.trim());
            }
            Ok(())
        })?;
        self.rows = rows;
        // A code of digits alone is a code still: the next commune may be 01004.
        let type_of = |(name, judge): (&String, &Judge)| code_column::length(name).map_or_else(|| judge.verdict(), |_| FieldType::Text);
        Ok(header.iter().zip(&judges).map(type_of).collect())
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
        for candidate in placing::candidates(&self.fields) {
            let (native, placed) = self.measured(&candidate)?;
            // A column named so and mostly filled otherwise is none; a stray value is told when it is read.
            if placed.inside * 2 > placed.filled {
                self.native = native;
                return Ok(Some(candidate));
            }
            if placed.filled > 0 {
                self.passed_over.push(candidate.passed_over(&self.fields));
            }
        }
        Ok(None)
    }

    /// Envelope of the positions, and how many rows have one.
    fn measured(&self, placing: &Placing) -> Result<(Envelope, Placed), String> {
        let mut native = Envelope::NOTHING;
        let mut placed = Placed::default();
        self.each_row(|_, record| {
            placed.filled += u64::from(placing.is_filled(record));
            if let Some(found) = placing.position(record).and_then(|bytes| wkb::envelope(&bytes).ok().flatten()) {
                native.join(&found);
                placed.inside += 1;
            }
            Ok(())
        })?;
        Ok((native, placed))
    }

    fn crs(&self) -> ClaimedCrs {
        match &self.place {
            None => ClaimedCrs::NotApplicable,
            Some(Placing::Pair { .. }) => ClaimedCrs::Known(Crs::Epsg(4326)),
            Some(Placing::Columns { crs: Some(crs), .. }) => ClaimedCrs::Known(Crs::Epsg(crs.epsg())),
            Some(_) => ClaimedCrs::Missing,
        }
    }

    /// Whole rows of the table inside one value: what a quotation mark that nobody closed takes in.
    fn rows_inside(&self, value: &str) -> usize {
        let between = self.fields.len() - 1;
        if between == 0 || !value.contains('\n') {
            return 0;
        }
        // The first and the last line are parts of rows at best.
        let lines: Vec<&str> = value.split('\n').collect();
        let whole = |line: &&str| line.bytes().filter(|byte| *byte == self.separator).count() == between;
        let inside = &lines[1..lines.len() - 1];
        if inside.iter().all(whole) { inside.len() } else { 0 }
    }

    fn geometry(&self) -> Option<GeometryColumn> {
        let place = self.place.as_ref()?;
        let mut kinds = Kinds::default();
        if let Placing::Wkt(_) = place {
            let seen = self.each_row(|_, record| {
                if let Some(head) = place.position(record).and_then(|bytes| wkb::head(&bytes).ok()) {
                    kinds.see(head.code);
                    kinds.has_z |= head.has_z;
                    kinds.has_m |= head.has_m;
                }
                Ok(())
            });
            seen.ok()?;
        } else {
            kinds.see(POINT);
        }
        Some(GeometryColumn { geometry_type: kinds.geometry_type(), has_z: kinds.has_z, has_m: kinds.has_m })
    }
}

/// WKB's code.
const POINT: u32 = 1;

pub fn describe(path: &Path, options: &ReadOptions) -> Result<Vec<SourceLayer>, String> {
    let table = load(path, options)?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(vec![SourceLayer {
        is_keyed: false,
        name: stem,
        geometry: table.geometry(),
        crs: table.crs(),
        rows_claimed: Some(table.rows),
        title: None,
        description: None,
        encoding: Some(table.evidence.clone()),
        is_tileset: false,
        position_fields: table.place.iter().flat_map(Placing::columns).map(|column| table.fields[column].source_name.clone()).collect(),
        fields: table.fields,
    }])
}

pub fn read(path: &Path, options: &ReadOptions, sink: Sink<'_>) -> Result<Outcome, String> {
    let table = load(path, options)?;
    let geometry = table.geometry();
    let types: Vec<FieldType> = table.fields.iter().map(|field| field.field_type).collect();
    let mut batcher = Batcher::new(&types, geometry.is_some());
    let mut outcome = Outcome { messages: table.passed_over.clone(), ..Outcome::default() };
    table.each_row(|row, record| {
        outcome.rows_read += 1;
        for (at, field) in table.fields.iter().enumerate() {
            let text = record.get(at).unwrap_or_default();
            let swallowed = table.rows_inside(text);
            if swallowed > 0 && outcome.failures.len() < LIST_MAX {
                outcome.failures.push(format!(
                    "ligne {row}, colonne « {} » : un guillemet n'est pas fermé, et le texte va sur {swallowed} lignes du tableau",
                    field.source_name
                ));
            }
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
            outcome.note_lost(row, &format!("colonne {}", table.fields.len() + 1));
        }
        let wkb = table.place.as_ref().and_then(|place| place.position(record));
        match &table.place {
            Some(place) if wkb.is_none() && place.is_filled(record) => {
                outcome.note_unusable(row);
            }
            Some(_) if wkb.is_none() => outcome.note_null(row),
            _ => {}
        }
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
    use crate::model::layer::GeometryType;

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
        let found = types("voie;siret;n;prix;jour;vide\n01004;21350023400012;7;12,50;30/06/2026;\n35188;;-8;3;2026-07-01;\n");
        assert_eq!(found, [FieldType::Text, FieldType::Text, FieldType::Integer, FieldType::Real, FieldType::Date, FieldType::Text]);
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
        assert_eq!(table("coordonneesXY\n\"[-1.96, 48.12]\"\n").crs, ClaimedCrs::Known(Crs::Epsg(4326)));
        let raised = table("nom;wkt\na;POINT Z (1 2 3)\nb;POINT Z (1 2 4)\n").geometry.expect("points");
        assert!(raised.has_z && !raised.has_m);
    }

    #[test]
    fn a_stray_position_is_lost_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("essai.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            super::read(&path, &ReadOptions::default(), &mut |_| Ok(())).expect("read")
        };
        let outcome = read("nom;lat;lon\na;48,1;-1,9\nb;;\nc;91;-1,9\nd;48,2;-1,8\ne;ici;-1,8\nf;48,3;-1,9\n");
        assert_eq!((outcome.rows_read, outcome.null_geometries, outcome.unusable_rows), (6, 1, vec![3, 5]));
        let outcome = read("lat;lon\n6789000;351000\n");
        assert!(outcome.messages[0].contains("« lon » et « lat » ne contiennent pas des degrés"), "{:?}", outcome.messages);
    }

    #[test]
    fn a_quotation_mark_that_nobody_closed_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("essai.csv");
        let failures = |text: &str| {
            std::fs::write(&path, text).expect("written");
            super::read(&path, &ReadOptions::default(), &mut |_| Ok(())).expect("read").failures
        };
        let told = failures("nom;note;n\na;\"b;1\nc;d;2\ne;f;3\ng;h;4\n");
        assert!(told.len() == 1 && told[0].starts_with("ligne 1, colonne « note »"), "{told:?}");
        assert_eq!(failures("nom;note;n\na;\"sur\ndeux; ou\ntrois lignes\";1\nb;;2\n"), [""; 0]);
    }

    #[test]
    fn spreadsheets_own_forms_are_understood() {
        let dbase = table("\"NOM,C,254\",\"N,N,9,0\",\"a,b\"\nx,1,2\n");
        assert_eq!(dbase.fields.iter().map(|field| field.source_name.as_str()).collect::<Vec<_>>(), ["NOM", "N", "a,b"]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("essai.csv");
        let utf16: Vec<u8> = "\u{feff}nom\tn\r\nBédée\t1\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, utf16).expect("written");
        let layer = describe(&path, &ReadOptions::default()).expect("described").remove(0);
        assert_eq!((layer.fields[0].source_name.as_str(), layer.encoding.expect("known").used.as_str()), ("nom", "UTF-16LE"));
    }

    #[test]
    fn an_empty_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vide.csv");
        std::fs::write(&path, "").expect("written");
        assert!(describe(&path, &ReadOptions::default()).is_err());
    }
}
