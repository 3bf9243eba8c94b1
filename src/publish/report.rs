//! What became of a layer: for people (French text) and for machines (`--json`).

use serde::Serialize;

use crate::model::finding::Finding;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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

#[derive(Clone, Debug, Serialize)]
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
    /// Whether the command must end with 1.
    pub fn is_refusal(&self) -> bool {
        matches!(self.outcome, Outcome::Held | Outcome::Failed)
    }

    /// For the terminal.
    pub fn text(&self) -> String {
        unimplemented!()
    }
}
