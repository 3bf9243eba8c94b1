//! ESRI Shapefile: .shp, .shx, .dbf and company, in any letter case; whole, or refused.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::model::reading::EncodingEvidence;
use crate::model::reading::ReadOptions;
use crate::source::SourceFormat;
use crate::source::charset;
use crate::source::charset::Charset;
use crate::source::extension;

pub struct Shapefile;

impl SourceFormat for Shapefile {
    fn id(&self) -> &'static str {
        "Shapefile"
    }

    fn driver(&self) -> Option<&'static str> {
        Some("ESRI Shapefile")
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        // The file code 9994, big-endian.
        extension(path) == "shp" && head.starts_with(&[0, 0, 0x27, 0x0A])
    }
}

/// Bytes before the records of a .shp or .shx, of a record's header in the .shp, of a record of the .shx.
const HEAD: usize = 100;
const RECORD_HEAD: u64 = 8;
const INDEX_RECORD: usize = 8;

/// Before the driver opens it: the attributes are there, and a missing index is made anew from the shapes.
///
/// # Errors
/// The .dbf is missing.
pub fn prepare(path: &Path) -> Result<(), String> {
    if !path.with_extension("dbf").is_file() {
        return Err("le fichier .dbf, qui porte les attributs, manque à côté du .shp : copiez-les ensemble".to_owned());
    }
    if extension(path) == "shp" && !path.with_extension("shx").is_file() {
        gdal::config::set_config_option("SHAPE_RESTORE_SHX", "YES").map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// What is odd and can be read; `path` has its .shx.
///
/// # Errors
/// A part is cut short: in French, with its name and its sizes.
pub fn oddities(path: &Path) -> Result<Vec<String>, String> {
    let rows = whole_dbf(&path.with_extension("dbf"))?;
    if extension(path) == "dbf" {
        return Ok(Vec::new());
    }
    let shapes = whole_shp(path)?;
    let odd = format!("le nombre de formes du .shp ({shapes}) n'est pas celui des lignes du .dbf ({rows})");
    Ok(if shapes == rows { Vec::new() } else { vec![odd] })
}

/// The rows of a .dbf, deleted ones too, by its head.
fn whole_dbf(path: &Path) -> Result<u64, String> {
    let bytes = map(path)?;
    let number = |at: usize, length: usize| {
        bytes.get(at..at + length).map_or(0, |bytes| bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    let (rows, head, row) = (number(4, 4), number(8, 2), number(10, 2));
    cut_short(path, head + rows * row, bytes.len())?;
    Ok(rows)
}

/// The shapes of a .shp, by its index: each lies inside.
fn whole_shp(path: &Path) -> Result<u64, String> {
    let index = map(&path.with_extension("shx"))?;
    let (records, rest) = index.get(HEAD..).unwrap_or_default().as_chunks::<INDEX_RECORD>();
    let words = |bytes: &[u8]| u64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) * 2;
    if !rest.is_empty() {
        cut_short(&path.with_extension("shx"), (index.len() + INDEX_RECORD - rest.len()) as u64, index.len())?;
    }
    let end = records.iter().map(|record| words(&record[..4]) + RECORD_HEAD + words(&record[4..])).max();
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    cut_short(path, end.unwrap_or(0), usize::try_from(length).unwrap_or(usize::MAX))?;
    Ok(records.len() as u64)
}

fn cut_short(path: &Path, expected: u64, found: usize) -> Result<(), String> {
    if expected <= found as u64 {
        return Ok(());
    }
    let name = extension(path);
    Err(format!("le .{name} est coupé : {found} octets sur {expected} ; copiez-le ou exportez-le de nouveau"))
}

fn map(path: &Path) -> Result<Mmap, String> {
    let fault = |error: std::io::Error| format!(".{} : {error}", extension(path));
    let file = File::open(path).map_err(fault)?;
    // SAFETY: the file is the private copy of this process, which nobody else writes.
    unsafe { Mmap::map(&file) }.map_err(fault)
}

/// Judges every byte of the .dbf behind its head.
pub fn charset(path: &Path, options: &ReadOptions) -> (Charset, EncodingEvidence) {
    let mapped = map(&path.with_extension("dbf")).ok();
    let dbf = mapped.as_deref().unwrap_or_default();
    let head = dbf.get(8..10).map_or(0, |bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])));
    let claimed =
        std::fs::read_to_string(path.with_extension("cpg")).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    // The language driver id: 0x03 and 0x57 are Windows, 0x02 is MS-DOS.
    let claimed = claimed.or_else(|| match dbf.get(29) {
        Some(0x03 | 0x57) => Some("1252".to_owned()),
        Some(0x02) => Some("OEM 850".to_owned()),
        _ => None,
    });
    let (charset, mut evidence) = charset::judge(dbf.get(head..).unwrap_or_default(), claimed.as_deref());
    match options.encoding.as_deref().and_then(Charset::from_name) {
        Some(said) => {
            evidence.used = said.name().to_owned();
            evidence.doubt = false;
            (said, evidence)
        }
        None => (charset, evidence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Shapefile of two null shapes, by its parts.
    fn parts() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let mut shp = vec![0; HEAD];
        let mut shx = vec![0; HEAD];
        for (number, offset) in [(1u32, 50u32), (2, 56)] {
            shx.extend([offset, 2].iter().flat_map(|value| value.to_be_bytes()));
            shp.extend([number, 2].iter().flat_map(|value| value.to_be_bytes()));
            shp.extend([0; 4]);
        }
        let mut dbf = vec![0; 33];
        (dbf[4], dbf[8], dbf[10]) = (2, 33, 5);
        dbf.extend([b' '; 10]);
        (shp, shx, dbf)
    }

    fn judged((shp, shx, dbf): (&[u8], &[u8], &[u8])) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (extension, bytes) in [("shp", shp), ("shx", shx), ("dbf", dbf)] {
            std::fs::write(folder.path().join("a").with_extension(extension), bytes).expect("written");
        }
        oddities(&folder.path().join("a.shp"))
    }

    #[test]
    fn a_part_cut_short_is_refused_by_name() {
        let (shp, shx, dbf) = parts();
        assert_eq!(judged((&shp, &shx, &dbf)), Ok(Vec::new()));
        let refusal = |parts| judged(parts).expect_err("refused");
        assert!(refusal((&shp[..shp.len() - 1], &shx, &dbf)).starts_with("le .shp est coupé : 123 octets sur 124"));
        assert!(refusal((&shp, &shx[..shx.len() - 1], &dbf)).starts_with("le .shx est coupé"));
        assert!(refusal((&shp, &shx, &dbf[..42])).starts_with("le .dbf est coupé : 42 octets sur 43"));
        assert_eq!(
            judged((&shp, &shx[..HEAD + 8], &dbf)),
            Ok(vec!["le nombre de formes du .shp (1) n'est pas celui des lignes du .dbf (2)".to_owned()])
        );
    }

    #[test]
    fn attributes_are_not_lost_without_a_word() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(prepare(&folder.path().join("a.shp")).expect_err("refused").contains(".dbf"));
    }
}
