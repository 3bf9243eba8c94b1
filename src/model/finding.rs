//! What a check found. Bad data is a finding, never an error.

use serde::Deserialize;
use serde::Serialize;

/// Four severities; these sentences are the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing need be done.
    Notice,
    /// The data can go out, and a careful publisher would mend it.
    Warning,
    /// The layer waits for an answer that only a person can give: it is *held*, and what was published stays.
    Question,
    /// The layer cannot be published without harm or loss; what was published stays.
    Blocking,
}

impl Severity {
    /// Whether the layer is kept from being published.
    pub fn holds(self) -> bool {
        self >= Severity::Question
    }

    pub fn french(self) -> &'static str {
        match self {
            Severity::Notice => "remarque",
            Severity::Warning => "avertissement",
            Severity::Question => "question",
            Severity::Blocking => "bloquant",
        }
    }
}

/// Where: a row, a field, a position; each only where it makes sense.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Row of the source, counted from 1 as a spreadsheet or QGIS shows it without its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The column's name as the source writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Lon, lat, degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<(f64, f64)>,
}

/// What, where, how many, what to do; French; without a person's data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's code, kebab-case, stable for ever.
    pub code: String,
    pub severity: Severity,
    pub message: String,
    pub count: u64,
    /// The first places, at most [`PLACES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// Lines to paste into the layer's file, each an answer that would settle the finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<String>,
}

/// A report shows so many places of one finding: enough to find the pattern, few enough to read.
pub const PLACES_MAX: usize = 5;
