//! MapLibre style JSON (style specification v8), written and read.
//!
//! What is written stands on its own: sources, glyphs and sprites are this server's. Pictures that layers name (markers
//! that are no circles, hatches) are listed with the layers, to be drawn by [`sprite`](crate::portrayal::sprite).

mod classes;
mod expression;
mod paint;
mod text;
mod write;

pub use crate::portrayal::maplibre::write::Addresses;
pub use crate::portrayal::maplibre::write::Source;
pub use crate::portrayal::maplibre::write::Target;
pub use crate::portrayal::maplibre::write::Written;
pub use crate::portrayal::maplibre::write::document;
pub use crate::portrayal::maplibre::write::write;

#[cfg(test)]
mod tests;
