//! Styled Layer Descriptor 1.0 (OGC 02-070) and 1.1 with Symbology Encoding 1.1 (OGC 05-078r4, 05-077r4), read and written.
//!
//! A length without a unit is a pixel here and there. What GeoServer and QGIS add is understood as far as the model goes:
//! marks named `shape://…`, hatches as graphic fills, functions that take the ends of a line.

mod graphic;
mod reader;
mod symbolizer;
mod text;
mod write_symbol;
mod writer;

use crate::portrayal::Style;
use crate::portrayal::StyleError;
use crate::portrayal::StyleFormat;
use crate::portrayal::scale::Latitude;
use crate::portrayal::sld::reader::Reader;
pub use crate::portrayal::sld::writer::Written;
pub use crate::portrayal::sld::writer::write;
use crate::query::fes::FesVersion;
use crate::xml;

pub struct Sld;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SldVersion {
    V1_0,
    V1_1,
}

impl SldVersion {
    fn fes(self) -> FesVersion {
        match self {
            SldVersion::V1_0 => FesVersion::V1_0,
            SldVersion::V1_1 => FesVersion::V1_1,
        }
    }
}

impl StyleFormat for Sld {
    fn id(&self) -> &'static str {
        "sld"
    }

    fn extension(&self) -> &'static str {
        "sld"
    }

    fn recognises(&self, head: &str) -> bool {
        head.contains("StyledLayerDescriptor") || head.contains("FeatureTypeStyle")
    }

    fn read(&self, bytes: &[u8], _: Latitude) -> Result<Style, StyleError> {
        Reader::default().read(&xml::parse(bytes)?)
    }
}

#[cfg(test)]
mod tests;
