//! The Shapefile download: one zip of the parts, the licence and a readme, in the source's own CRS.
//!
//! The format holds ten bytes of a column's name, 254 bytes of a text, no time of day and two gigabytes: what it cuts is
//! counted, said in the readme and in the publication report. A layer of mixed dimensions has no Shapefile.

use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;

use unicode_normalization::UnicodeNormalization;
use zip::CompressionMethod;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::encode::Batches;
use crate::encode::Download;
use crate::encode::columns::Column;
use crate::encode::columns::columns_of;
use crate::encode::columns::row_values;
use crate::encode::ogr::OgrSpec;
use crate::encode::ogr::OgrWriter;
use crate::encode::reproject;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryType;
use crate::model::layer::Layer;
use crate::model::media_type;
use crate::model::record::Record;

pub struct ShapefileZip;

/// dBASE III: bytes of a column's name, and of a text.
const NAME_BYTES_MAX: usize = 10;
const TEXT_BYTES_MAX: usize = 254;

/// Bytes of a part: offsets in the .shp count 16-bit words in a signed 32-bit number.
const PART_BYTES_MAX: u64 = 1 << 31;

/// The usual 6 makes files 6 % smaller for four times the work, which was a sixth of a whole publication.
const DEFLATE_LEVEL: Option<i64> = Some(4);

/// What may lie in the zip, in the order that readers expect.
const PARTS: [&str; 5] = ["shp", "shx", "dbf", "prj", "cpg"];

impl Download for ShapefileZip {
    fn suffix(&self) -> &'static str {
        ".shp.zip"
    }

    fn title(&self) -> &'static str {
        "Shapefile (zip)"
    }

    fn media_type(&self) -> &'static str {
        media_type::SHAPEFILE_ZIP
    }

    /// GDAL asks the kernel for each record, three times.
    fn weight(&self) -> u32 {
        6
    }

    fn suits(&self, layer: &Layer) -> bool {
        let mixed = [GeometryType::Geometry, GeometryType::GeometryCollection];
        layer.geometry.is_some_and(|geometry| !mixed.contains(&geometry.geometry_type))
    }

    fn write(&self, layer: &Layer, record: Option<&Record>, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>> {
        let folder = tempfile::tempdir_in(path.parent().unwrap_or(Path::new(".")))?;
        let shp = folder.path().join(format!("{}.shp", layer.id));
        let original = columns_of(layer);
        let fields = short_names(&original);
        let typed: Vec<(String, FieldType)> = fields.iter().cloned().zip(original.iter().map(|column| column.field_type)).collect();
        let options = [c"ENCODING=UTF-8", c"2GB_LIMIT=YES"];
        let spec = OgrSpec {
            driver: c"ESRI Shapefile",
            layer: layer.id.as_str(),
            fields: &typed,
            plain: true,
            geometry: layer.geometry,
            crs: layer.crs,
            options: &options,
        };
        let mut writer = OgrWriter::create(&shp, &spec)?;
        let mut cut = vec![0u64; fields.len()];
        let (mut rows, mut buffer) = (0u64, Vec::new());
        for batch in reproject::reprojected(batches, layer.crs) {
            let batch = batch?;
            for row in 0..batch.rows() {
                let values = row_values(layer, &batch, row).enumerate().map(|(column, value)| shortened(value, &mut cut[column]));
                buffer.clear();
                buffer.extend(values);
                writer.write(buffer.drain(..), batch.wkb(row)).map_err(|error| too_large(&shp, error))?;
            }
            rows += batch.rows() as u64;
            buffer = Vec::new();
        }
        writer.close().map_err(|error| too_large(&shp, error))?;
        let notes = notes(&original, &fields, &cut);
        let mut zip = ZipWriter::new(io::BufWriter::new(File::create(path)?));
        // No date: the same data make the same bytes.
        let plain =
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(DEFLATE_LEVEL).large_file(true);
        for part in PARTS {
            let file = shp.with_extension(part);
            if file.exists() {
                zip.start_file(format!("{}.{part}", layer.id), plain).map_err(io::Error::other)?;
                io::copy(&mut File::open(file)?, &mut zip)?;
            }
        }
        if let Some(record) = record {
            zip.start_file("LICENCE.txt", plain).map_err(io::Error::other)?;
            zip.write_all(licence(record).as_bytes())?;
        }
        zip.start_file("LISEZMOI.txt", plain).map_err(io::Error::other)?;
        zip.write_all(readme(layer, record, rows, &original, &fields, &notes).as_bytes())?;
        zip.finish().map_err(io::Error::other)?.flush()?;
        Ok(notes)
    }
}

/// The driver's refusal at two gigabytes, told apart from a full disk.
fn too_large(shp: &Path, error: io::Error) -> io::Error {
    // A tenth below the limit: the row that did not fit is not counted.
    let full = |part: &str| std::fs::metadata(shp.with_extension(part)).is_ok_and(|file| file.len() > PART_BYTES_MAX / 10 * 9);
    if full("shp") || full("dbf") { io::Error::new(io::ErrorKind::FileTooLarge, error) } else { error }
}

/// Ten ASCII signs at most, unique in any letter case.
fn short_names(columns: &[Column]) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    let mut short = Vec::new();
    for column in columns {
        let ascii: String = column.name.nfkd().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect();
        let ascii = if ascii.is_empty() { "champ".to_owned() } else { ascii };
        let numbered = (2..).map(|number: u32| {
            let number = number.to_string();
            format!("{}{number}", &ascii[..ascii.len().min(NAME_BYTES_MAX - number.len())])
        });
        let first = std::iter::once(ascii[..ascii.len().min(NAME_BYTES_MAX)].to_owned());
        let name = first.chain(numbered).find(|name| !taken.contains(&name.to_lowercase())).unwrap_or_default();
        taken.push(name.to_lowercase());
        short.push(name);
    }
    short
}

/// A text at the sign before its 255th byte.
fn shortened<'v>(value: Value<'v>, cut: &mut u64) -> Value<'v> {
    match value {
        Value::Text(text) if text.len() > TEXT_BYTES_MAX => {
            *cut += 1;
            Value::Text(&text[..text.floor_char_boundary(TEXT_BYTES_MAX)])
        }
        other => other,
    }
}

fn notes(original: &[Column], short: &[String], cut: &[u64]) -> Vec<String> {
    let renamed: Vec<String> = original
        .iter()
        .zip(short)
        .filter(|(long, short)| long.name != **short)
        .map(|(long, short)| format!("« {} » devient « {short} »", long.name))
        .collect();
    let mut notes = Vec::new();
    if !renamed.is_empty() {
        notes.push(format!("noms de colonnes raccourcis : {}", renamed.join(", ")));
    }
    for (field, &cut) in original.iter().zip(cut).filter(|(_, cut)| **cut > 0) {
        let values = if cut > 1 { "valeurs coupées" } else { "valeur coupée" };
        notes.push(format!("« {} » : {cut} {values} à {TEXT_BYTES_MAX} octets", field.name));
    }
    for field in original.iter().filter(|field| field.field_type == FieldType::DateTime) {
        notes.push(format!("« {} » : la date et l'heure sont un texte", field.name));
    }
    notes
}

fn licence(record: &Record) -> String {
    let attribution = record.attribution.as_ref().map_or_else(|| record.producer.name.clone(), Clone::clone);
    format!("{}\r\n{}\r\n\r\nMention à reproduire : {attribution}\r\n", record.licence.title, record.licence.url)
}

fn readme(layer: &Layer, record: Option<&Record>, rows: u64, original: &[Column], short: &[String], notes: &[String]) -> String {
    let mut lines = vec![layer.title.clone(), String::new()];
    if !layer.description.is_empty() {
        lines.extend([layer.description.clone(), String::new()]);
    }
    if let Some(record) = record {
        lines.push(format!("Producteur : {}", record.producer.name));
        lines.push(format!("Licence : {} ({})", record.licence.title, record.licence.url));
    }
    lines.push(format!("Objets : {rows}"));
    lines.push(format!("Système de coordonnées : {}. Textes en UTF-8.", layer.crs));
    lines.extend(record.and_then(|record| record.limits.as_ref()).map(|limits| format!("Limites : {limits}")));
    lines.extend([String::new(), "Colonnes".to_owned()]);
    for (long, short) in original.iter().zip(short) {
        let unit = layer.field(&long.name).and_then(|field| field.unit.as_ref()).map(|unit| format!(" ({unit})")).unwrap_or_default();
        lines.push(format!("  {short} : {}{unit}", long.title));
    }
    if !notes.is_empty() {
        lines.extend([String::new(), "Ce que ce format a coupé (le GeoPackage a tout)".to_owned()]);
        lines.extend(notes.iter().map(|note| format!("  {note}")));
    }
    lines.push(String::new());
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortened_names(names: &[&str]) -> Vec<String> {
        let column = |name: &&str| Column { name: (*name).to_owned(), title: String::new(), field_type: FieldType::Text };
        short_names(&names.iter().map(column).collect::<Vec<_>>())
    }

    #[test]
    fn names_are_cut_to_ten_and_stay_unique() {
        assert_eq!(shortened_names(&["nombre_de_places", "nombre_de_velos", "NOMBRE_DE_x"]), ["nombre_de_", "nombre_de2", "NOMBRE_DE3"]);
        assert_eq!(shortened_names(&["qualité", "œuvre", "数"]), ["qualite", "uvre", "champ"]);
    }

    #[test]
    fn a_text_is_cut_between_signs_and_counted() {
        let long = "é".repeat(200);
        let mut cut = 0;
        assert_eq!(shortened(Value::Text(&long), &mut cut), Value::Text(&long[..254]));
        assert_eq!(shortened(Value::Text("court"), &mut cut), Value::Text("court"));
        assert_eq!(cut, 1);
    }
}
