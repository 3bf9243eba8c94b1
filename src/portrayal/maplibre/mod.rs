//! MapLibre style JSON (style specification v8), written and read.
//!
//! What is written stands on its own: sources, glyphs and sprites are this server's. Pictures that layers name (markers
//! that are no circles, hatches) are listed with the layers, to be drawn by [`sprite`](crate::portrayal::sprite).

mod classes;
mod expression;
mod paint;
mod reader;
mod text;
mod write;

use crate::portrayal::Style;
use crate::portrayal::StyleError;
use crate::portrayal::StyleFormat;
pub use crate::portrayal::maplibre::write::Addresses;
pub use crate::portrayal::maplibre::write::Source;
pub use crate::portrayal::maplibre::write::Target;
pub use crate::portrayal::maplibre::write::Written;
pub use crate::portrayal::maplibre::write::document;
pub use crate::portrayal::maplibre::write::write;
use crate::portrayal::scale::Latitude;

/// MapLibre lets a circle fade within the last pixel of its radius, others around its edge: half a pixel more in its words.
const FADE_PX: f64 = 0.5;

/// Read by its tiles' layer names; a sprite sheet of somebody else's is not opened.
pub struct MapLibre;

impl StyleFormat for MapLibre {
    fn id(&self) -> &'static str {
        "mapbox"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn recognises(&self, head: &str) -> bool {
        head.trim_start_matches('\u{feff}').trim_start().starts_with('{')
    }

    fn read(&self, bytes: &[u8], latitude: Latitude) -> Result<Style, StyleError> {
        reader::read(bytes, latitude)
    }
}

#[cfg(test)]
mod tests;
