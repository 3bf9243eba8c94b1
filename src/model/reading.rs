//! What a source claims, and how its reading went: said by `source`, judged by `check`.

use serde::Deserialize;
use serde::Serialize;

use crate::model::crs::Crs;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::GeometryColumn;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::tiling::Tiling;

/// What the file says of its CRS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimedCrs {
    Known(Crs),
    /// The file says something that names no CRS of the registry; the text is for the report.
    Unknown(String),
    Missing,
    /// A table without geometry.
    NotApplicable,
}

/// How the officer reads a CSV where detection doubts (`table = {…}`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableOptions {
    /// Counted from 1.
    pub header_row: Option<u32>,
    pub x: Option<String>,
    pub y: Option<String>,
    pub separator: Option<String>,
}

/// How to read a source: the officer's word, each `None` where detection decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadOptions {
    /// `CP1252`, `UTF-8`, `ISO-8859-1`, `CP850`.
    pub encoding: Option<String>,
    pub table: Option<TableOptions>,
    /// The CRS that applies where the file says none; x and y columns of a CSV are in it.
    pub crs: Option<Crs>,
}

/// One layer of a source, before its features are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceLayer {
    /// As the container names it; a file with one layer has its stem.
    pub name: String,
    /// Safe unique names in the source's order; `source_name` keeps the original.
    pub fields: Vec<Field>,
    /// Every feature conforms: polygons and multipolygons together are `MultiPolygon`.
    pub geometry: Option<GeometryColumn>,
    pub crs: ClaimedCrs,
    /// Rows that the container announces, null geometries included.
    pub rows_claimed: Option<u64>,
    /// Title and abstract that the file carries (GeoPackage contents, .qmd).
    pub title: Option<String>,
    #[serde(rename = "abstract")]
    pub description: Option<String>,
    /// How text was read and why, for the report: `CP1252 (d'après 12 lettres accentuées ; le .cpg annonce UTF-8)`.
    pub encoding: Option<EncodingEvidence>,
    /// Source names of the columns that became the geometry (x and y of a CSV).
    pub position_fields: Vec<String>,
    /// Row ids are a key that the source itself holds to be unique for ever: the features' ids, unmatched.
    #[serde(default)]
    pub is_keyed: bool,
    /// Tiles that somebody cut: columns, and no row.
    #[serde(default)]
    pub is_tileset: bool,
}

impl SourceLayer {
    /// A layer of all that the source holds, in `crs`, its ids the source's row ids; extent and interval are not known yet.
    pub fn to_layer(&self, id: LayerId, crs: Crs) -> Layer {
        Layer {
            id,
            title: self.title.clone().unwrap_or_else(|| self.name.clone()),
            description: self.description.clone().unwrap_or_default(),
            fields: self.fields.clone(),
            geometry: self.geometry,
            crs,
            id_kind: IdKind::Integer,
            id_field: None,
            time_fields: Vec::new(),
            features: self.rows_claimed.unwrap_or(0),
            extent: None,
            interval: None,
            tiling: Tiling::default(),
            is_tileset: false,
        }
    }
}

/// How the encoding of text was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncodingEvidence {
    /// The encoding that was used: `UTF-8`, `CP1252`, `ISO-8859-1`, `CP850`.
    pub used: String,
    /// What the file announces (.cpg, LDID), where it does.
    pub claimed: Option<String>,
    /// The bytes contradict the claim, or two encodings fit equally well.
    pub doubt: bool,
    /// Up to ten words with accents as they were understood: the proof that a person can judge.
    pub samples: Vec<String>,
}

/// One geometry that had to be mended by GEOS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repair {
    /// Counted from 1.
    pub row: u64,
    /// GEOS's reason in its own words (`Self-intersection`), and where, in the source's CRS.
    pub reason: String,
    pub position: Option<(f64, f64)>,
    /// |area after − area before| in the square of the source CRS's unit.
    pub area_change: f64,
    pub area_before: f64,
}

/// How a reading ended. Counts are exact; lists hold at most [`LIST_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub rows_read: u64,
    pub repaired: u64,
    pub repairs: Vec<Repair>,
    /// Rows whose geometry could not be mended, or held NaN or infinity: published with a null geometry. From 1.
    pub unusable: u64,
    pub unusable_rows: Vec<u64>,
    pub null_geometries: u64,
    pub null_rows: Vec<u64>,
    pub empty_geometries: u64,
    pub empty_rows: Vec<u64>,
    /// Geometries that were curves and are now lines.
    pub linearised: u64,
    /// Values that did not fit their field, or lost signs in decoding: (row from 1, field's source name).
    pub values_lost: u64,
    pub values_lost_places: Vec<(u64, String)>,
    /// x, y of all geometries in the source's own CRS, before any transformation.
    pub native_extent: Option<Envelope>,
    /// What the reading did that the officer should know, in French.
    pub messages: Vec<String>,
    /// What the driver failed at, in its own words (French where ours): something of the file was lost.
    pub failures: Vec<String>,
}

pub const LIST_MAX: usize = 20;

impl Outcome {
    /// With what was noted before the reading: values that were lost, and messages.
    pub fn with(mut self, noted: Outcome) -> Outcome {
        self.values_lost += noted.values_lost;
        self.values_lost_places.extend(noted.values_lost_places);
        self.values_lost_places.truncate(LIST_MAX);
        self.messages.extend(noted.messages);
        self
    }

    /// A row (from 1) without a geometry.
    pub fn note_null(&mut self, row: u64) {
        self.null_geometries += 1;
        note(&mut self.null_rows, row);
    }

    /// A row whose geometry has no position.
    pub fn note_empty(&mut self, row: u64) {
        self.empty_geometries += 1;
        note(&mut self.empty_rows, row);
    }

    /// A row whose geometry cannot be read or mended.
    pub fn note_unusable(&mut self, row: u64) {
        self.unusable += 1;
        note(&mut self.unusable_rows, row);
    }

    /// A value that did not fit its field, or lost signs.
    pub fn note_lost(&mut self, row: u64, field: &str) {
        self.values_lost += 1;
        if self.values_lost_places.len() < LIST_MAX {
            self.values_lost_places.push((row, field.to_owned()));
        }
    }
}

fn note(rows: &mut Vec<u64>, row: u64) {
    if rows.len() < LIST_MAX {
        rows.push(row);
    }
}
