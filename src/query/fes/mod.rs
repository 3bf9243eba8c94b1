//! Filter Encoding 1.0 and 1.1 (OGC 02-059, 04-095), as styles use it: read into a [`Filter`], and written from one.
//!
//! Comparisons, logic, arithmetic and GeoServer's function `in`. What names a geometry is not understood here.
//!
//! A literal has no type: one that is written as a number alone would be is taken for a number, the rest for texts. Whoever
//! knows the layer settles it.

mod reader;
mod writer;

pub use crate::query::fes::reader::read;
pub use crate::query::fes::reader::value;
pub use crate::query::fes::writer::write;
pub use crate::query::fes::writer::write_value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FesVersion {
    V1_0,
    V1_1,
}

/// What stands in the way: an element that is not understood, or an expression that has no element.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not understood in a filter")]
pub struct NotUnderstood {
    pub what: String,
}

impl NotUnderstood {
    fn new(what: &str) -> NotUnderstood {
        NotUnderstood { what: what.chars().take(60).collect() }
    }
}
