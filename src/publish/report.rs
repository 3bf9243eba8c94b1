//! What became of a layer: for people (French text) and for machines (`--json`).

use std::fmt::Write;

use serde::Deserialize;
use serde::Serialize;

use crate::config::LayerFile;
use crate::model::finding::Finding;
use crate::model::finding::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// `check`: nothing stands in the way.
    Ready,
    Published,
    /// The source made no new data version; the record may have a new revision.
    Unchanged,
    /// A finding waits for an answer, or blocks. What was published stays.
    Held,
    Proposed,
    Withdrawn,
    /// The source is away or cannot be read. What was published stays.
    Failed,
}

impl Outcome {
    fn french(self) -> &'static str {
        match self {
            Outcome::Ready => "prête",
            Outcome::Published => "publiée",
            Outcome::Unchanged => "inchangée",
            Outcome::Held => "retenue",
            Outcome::Proposed => "proposée, attend « bocage accept »",
            Outcome::Withdrawn => "retirée",
            Outcome::Failed => "en échec",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LayerReport {
    pub id: String,
    pub outcome: Outcome,
    pub source: String,
    pub source_layer: Option<String>,
    pub title: Option<String>,
    pub version: Option<String>,
    pub features: Option<u64>,
    /// `MultiPolygon`; `None` for a table.
    pub geometry: Option<String>,
    /// `EPSG:3948`
    pub crs: Option<String>,
    /// Lon, lat: west, south, east, north.
    pub extent: Option<[f64; 4]>,
    pub encoding: Option<String>,
    pub findings: Vec<Finding>,
    /// Downloads written, and what they lost, in French.
    pub notes: Vec<String>,
    pub duration_ms: u64,
}

impl LayerReport {
    /// A report of a layer of which nothing was read.
    pub fn waiting(file: &LayerFile, outcome: Outcome) -> LayerReport {
        LayerReport {
            id: file.id.to_string(),
            outcome,
            source: file.source.to_string(),
            source_layer: file.layer.clone(),
            title: file.title.clone(),
            version: None,
            features: None,
            geometry: None,
            crs: None,
            extent: None,
            encoding: None,
            findings: Vec::new(),
            notes: Vec::new(),
            duration_ms: 0,
        }
    }

    /// The chain of causes becomes the note.
    pub fn failed(file: &LayerFile, error: &anyhow::Error) -> LayerReport {
        let text = match is_full_disk(error) {
            true => "le disque est plein ; libérez de la place, puis relancez la publication (ce qui était publié le reste)".to_owned(),
            false => format!("{error:#}"),
        };
        LayerReport::waiting(file, Outcome::Failed).noting(&text)
    }

    pub fn noting(mut self, note: &str) -> LayerReport {
        self.notes.push(note.to_owned());
        self
    }

    /// Whether the command must end with 1.
    pub fn is_refusal(&self) -> bool {
        matches!(self.outcome, Outcome::Held | Outcome::Failed)
    }

    /// For the terminal.
    pub fn text(&self) -> String {
        let mut text = format!("{} : {}", self.id, self.outcome.french());
        if let Some(version) = &self.version {
            let _ = write!(text, " (version {version})");
        }
        let mut facts = Vec::new();
        if let Some(features) = self.features {
            facts.push(counted(features, "objet", "objets"));
        }
        facts.extend(self.geometry.clone().or_else(|| self.features.map(|_| "table sans géométrie".to_owned())));
        facts.extend(self.crs.clone());
        facts.extend(self.encoding.clone());
        let _ = write!(
            text,
            "\n  source : {}{}",
            self.source,
            self.source_layer.as_ref().map(|layer| format!(" [{layer}]")).unwrap_or_default()
        );
        if !facts.is_empty() {
            let _ = write!(text, "\n  lu : {}", facts.join(", "));
        }
        for finding in &self.findings {
            let _ = write!(text, "\n  {} [{}] {}", finding.severity.french(), finding.code, finding.message);
            let places: Vec<String> = finding.places.iter().map(place_text).filter(|place| !place.is_empty()).collect();
            if !places.is_empty() {
                let _ = write!(text, "\n      où : {}", places.join(" ; "));
            }
            for remedy in &finding.remedies {
                let remedy = remedy.replace('\n', "\n          ");
                let line = if remedy.contains('\n') { "\n          " } else { " " };
                let _ = write!(text, "\n      à écrire dans layers/{}.toml :{line}{remedy}", self.id);
            }
        }
        for note in &self.notes {
            let _ = write!(text, "\n  {note}");
        }
        text
    }
}

fn place_text(place: &Place) -> String {
    let mut parts = Vec::new();
    parts.extend(place.row.map(|row| format!("ligne {row}")));
    parts.extend(place.field.as_ref().map(|field| format!("colonne « {field} »")));
    parts.extend(place.position.map(|(lon, lat)| format!("lon {lon:.5}, lat {lat:.5}")));
    parts.join(", ")
}

/// `2 tuiles`, `1 tuile`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count < 2 { one } else { many })
}

/// A size for people, rounded up.
pub fn kilobytes(bytes: u64) -> String {
    format!("{} ko", grouped(bytes.div_ceil(1_000)))
}

/// `26 991`: thousands apart by a no-break space, as French writes them.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Whether the system, or SQLite by its one sentence for it, said that the disk takes no more.
fn is_full_disk(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let is_full = matches!(kind, Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded));
        is_full || cause.to_string().ends_with("database or disk is full")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (26_991, "26\u{202f}991"), (1_000_000, "1\u{202f}000\u{202f}000")] {
            assert_eq!(grouped(number), text);
        }
    }
}
