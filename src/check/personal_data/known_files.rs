//! The check on files whose answer is known: two with personal data, the others without.

#![cfg(test)]

use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::check::Context;
use crate::check::personal_data::PersonalData;
use crate::check::suspected_columns;
use crate::check::trial;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::reading::Outcome;

/// The folder of known files; `None`, told loudly, where it is absent.
fn montfort() -> Option<PathBuf> {
    let shared = std::env::var("BOCAGE_SHARED").unwrap_or_else(|_| "../shared".to_owned());
    let folder = Path::new(&shared).join("data/montfort");
    if !folder.is_dir() {
        // `eprintln!` would be kept from the reader where the test passes.
        let _ = writeln!(io::stderr(), "SKIPPED: {} is absent, the check was not held to known files", folder.display());
        return None;
    }
    Some(folder)
}

fn decoded(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(), str::to_owned)
}

/// Header and rows of a CSV with semicolons.
fn csv(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let bytes = std::fs::read(path).expect("the file is there");
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').flexible(true).from_reader(&bytes[..]);
    let row = |record: &csv::ByteRecord| record.iter().map(decoded).collect::<Vec<_>>();
    let header = row(reader.byte_headers().expect("a header"));
    (header, reader.byte_records().map(|record| row(&record.expect("a record"))).collect())
}

/// Header and rows of a dBASE file, every column as text.
fn dbf(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let bytes = std::fs::read(path).expect("the file is there");
    let short = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let (head, record) = (short(8), short(10));
    let descriptors: Vec<&[u8]> = bytes[32..head].chunks_exact(32).take_while(|descriptor| descriptor[0] != 0x0D).collect();
    let names = descriptors.iter().map(|descriptor| decoded(descriptor[..11].split(|b| *b == 0).next().unwrap_or_default()));
    let row = |record: &[u8]| {
        let mut at = 1;
        let cut = |descriptor: &&[u8]| {
            let start = at;
            at += usize::from(descriptor[16]);
            decoded(&record[start..at]).trim().to_owned()
        };
        descriptors.iter().map(cut).collect()
    };
    (names.collect(), bytes[head..].chunks_exact(record).map(row).collect())
}

/// Columns for which the layer would be held.
fn held_for(path: &Path) -> Vec<String> {
    let (header, rows) = if path.extension().is_some_and(|extension| extension == "csv") { csv(path) } else { dbf(path) };
    let columns: Vec<(&str, FieldType)> = header.iter().map(|name| (name.as_str(), FieldType::Text)).collect();
    let source = trial::table(&columns);
    let context = Context { listed: Some(&[]), ..trial::context(&source) };
    fn value(text: &str) -> Value<'_> {
        if text.is_empty() { Value::Null } else { Value::Text(text) }
    }
    let rows: Vec<_> = rows.iter().map(|row| (row.iter().map(|text| value(text)).collect::<Vec<_>>(), None)).collect();
    let findings = trial::judge(&PersonalData, &context, &rows, &Outcome::default());
    assert!(findings.iter().all(|finding| finding.severity.holds()));
    suspected_columns(&findings).into_iter().map(|(column, _)| column).collect()
}

#[test]
fn both_layers_with_persons_are_held_for_exactly_their_columns() {
    let Some(folder) = montfort() else { return };
    let subscribers = held_for(&folder.join("09_DECHETS/abonnes_dechets_verts_SYNTHETIC.csv"));
    assert_eq!(subscribers, ["Civilité", "NOM", "Prénom", "Tél. fixe", "Portable", "Courriel", "IBAN", "Date naissance"]);
    assert_eq!(held_for(&folder.join("06_RESEAUX/spanc_installations_SYNTHETIC.dbf")), ["ETIQUETTE", "OBS"]);
}

#[test]
fn layers_without_persons_are_not_held() {
    let Some(folder) = montfort() else { return };
    for file in [
        "01_ADMIN/communes.dbf",
        "01_ADMIN/vieux/COMMUNES_LII.dbf",
        "02_ADRESSES/bal_243500550_SYNTHETIC.csv",
        "04_URBANISME/35331_ZONE_URBA_TRANSPLANTE.dbf",
        "08_FINANCES/subventions_associations.csv",
    ] {
        assert_eq!(held_for(&folder.join(file)), [""; 0], "{file}");
    }
}
