//! Draft.

use crate::config::DeclaredState;
use crate::model::layer::Field;

pub struct Draft<'a> {
    pub source: &'a str,
    pub layer: Option<&'a str>,
    pub state: DeclaredState,
    pub title: Option<&'a str>,
    pub description: Option<&'a str>,
    pub crs_lines: &'a [String],
    pub crs_missing: bool,
    pub fields: &'a [Field],
    pub suspected: &'a [(String, String)],
}

pub fn draft(_draft: &Draft<'_>) -> String {
    unimplemented!()
}
