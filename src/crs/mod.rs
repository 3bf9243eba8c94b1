//! Reference systems: their names, their axes, and the way from one to another.
//!
//! Every transformation goes by way of longitude and latitude in RGF93, which is WGS 84 for our purposes. NTF is joined
//! to it by the grid of the IGN and never by three parameters, which are 2 m off.

pub mod batch;
pub mod france;
pub mod kernel;
pub mod parse;
pub mod registry;
mod transform;

pub use transform::Transform;
pub use transform::canonical;
pub use transform::is_ntf;
pub use transform::self_test;

use crate::model::crs::Crs;
use crate::model::wkb::WkbError;

#[derive(Debug, thiserror::Error)]
pub enum CrsError {
    #[error("no transformation from {from} to {to}")]
    NoTransform { from: Crs, to: Crs },
    #[error("position {east}, {north} cannot be transformed from {from} to {to}")]
    Position { east: f64, north: f64, from: Crs, to: Crs },
    #[error("geometry cannot be read")]
    Wkb(#[from] WkbError),
    #[error("PROJ {found} is too old: 9.1 or newer is needed")]
    Version { found: String },
    #[error("{from} to {to}: expected {expected:?}, PROJ answers {found:?} (is proj-data, with ntf_r93.gsb, installed?)")]
    SelfTest { from: Crs, to: Crs, expected: (f64, f64), found: (f64, f64) },
}
