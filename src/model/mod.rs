//! The nouns that every room shares. No input or output, no clock, no async.

pub mod batch;
pub mod code_column;
pub mod code_insee;
pub mod crs;
pub mod feature;
pub mod finding;
pub mod geometry;
pub mod layer;
pub mod link;
pub mod media_type;
pub mod reading;
pub mod record;
pub mod siren;
pub mod tile_matrix_set;
pub mod tiling;
pub mod version;
pub mod wkb;
pub mod wkb_box;
