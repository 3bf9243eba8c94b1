//! How features are drawn: one model of a style, whoever wrote it and whoever draws it.
//!
//! ```text
//!  QML (QGIS 3) ─┐                                        ┌─▶ MapLibre layers, sprite sheets
//!  SLD 1.0, 1.1 ─┼─▶ Style ─ bind to the layer's fields ──┼─▶ SLD 1.0, 1.1
//!  MapLibre ─────┤   rules, symbols, labels, losses       └─▶ legend
//!  no file ──────┘
//! ```
//!
//! What a reader or a writer cannot carry over is a sentence in French among the [`losses`], and the rule is then drawn the
//! safe way: a feature is never drawn as what it is not. No file that a style names is opened.

pub mod bind;
pub mod cited;
pub mod colour;
pub mod default;
pub mod font;
pub mod label;
pub mod legend;
pub mod losses;
pub mod maplibre;
mod outline;
pub mod qml;
pub mod rule;
pub mod scale;
pub mod sld;
pub mod sprite;
pub mod symbol;

use crate::portrayal::label::Label;
use crate::portrayal::losses::Losses;
use crate::portrayal::rule::Rule;
use crate::portrayal::scale::Latitude;
use crate::xml::XmlError;

/// A style: every rule that fits a feature draws it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Style {
    pub title: Option<String>,
    /// In the painter's order: what comes first lies below.
    pub rules: Vec<Rule>,
    pub labels: Vec<Label>,
    /// What the reader could not carry over.
    pub losses: Losses,
}

/// Why a file is no style.
#[derive(Debug, thiserror::Error)]
pub enum StyleError {
    #[error("le fichier n'est pas un style connu ; attendu : {}", expected())]
    Unknown,
    #[error("le style n'est pas lisible : {0}")]
    Xml(#[from] XmlError),
    #[error("le style n'est pas du JSON")]
    Json(#[source] serde_json::Error),
    #[error("le style dépasse {size_bytes_max} octets")]
    TooLarge { size_bytes_max: usize },
    #[error("l'élément « {element} » manque au style")]
    Missing { element: &'static str },
}

/// A language that styles are read from.
pub trait StyleFormat: Sync {
    /// What `f=` says, and the report.
    fn id(&self) -> &'static str;

    /// Of its files, without the dot.
    fn extension(&self) -> &'static str;

    /// By how the file begins.
    fn recognises(&self, head: &str) -> bool;

    /// `latitude`: of the data; where a language speaks of zooms, they are scales there.
    ///
    /// # Errors
    /// Where the file is no style at all; what is merely not understood is a loss.
    fn read(&self, bytes: &[u8], latitude: Latitude) -> Result<Style, StyleError>;
}

/// Every language that is read.
pub const FORMATS: &[&dyn StyleFormat] = &[&qml::Qml, &sld::Sld, &maplibre::MapLibre];

/// Bytes in which a file says what it is: QGIS and GeoServer put comments and a document type in front.
const HEAD_BYTES: usize = 4096;

/// Reads a style by what it contains, whatever its name.
///
/// # Errors
/// `Unknown`, or the format's own.
pub fn read(bytes: &[u8], latitude: Latitude) -> Result<(&'static dyn StyleFormat, Style), StyleError> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD_BYTES)]);
    let format = FORMATS.iter().find(|format| format.recognises(&head)).ok_or(StyleError::Unknown)?;
    Ok((*format, format.read(bytes, latitude)?))
}

fn expected() -> String {
    FORMATS.iter().map(|format| format.extension()).collect::<Vec<&str>>().join(", ")
}

#[cfg(test)]
mod tests;
