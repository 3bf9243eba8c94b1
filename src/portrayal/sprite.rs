//! Pictures of markers and hatches, for the sprite sheets of web maps.

use crate::portrayal::symbol::Fill;
use crate::portrayal::symbol::Marker;

/// A picture that layers name.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub name: String,
    pub picture: Picture,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Picture {
    Marker(Marker),
    /// Repeats without a seam.
    Tile(Fill),
}
