//! Reference systems: their names, their axes, and the way from one to another.

pub mod batch;
pub mod parse;
pub mod registry;

use crate::model::crs::Crs;
use crate::model::geometry::Envelope;
use crate::model::wkb::WkbError;

#[derive(Debug, thiserror::Error)]
pub enum CrsError {
    #[error("no transformation from {from} to {to}")]
    NoTransform { from: Crs, to: Crs },
    #[error("position {east}, {north} cannot be transformed from {from} to {to}")]
    Position { east: f64, north: f64, from: Crs, to: Crs },
    #[error("geometry cannot be read")]
    Wkb(#[from] WkbError),
}

/// A transformation between two CRS, x/east first on both sides. Not `Send`: make one a thread, it is cached.
pub struct Transform {
    from: Crs,
    to: Crs,
}

impl Transform {
    /// # Errors
    /// `NoTransform`.
    pub fn new(from: Crs, to: Crs) -> Result<Transform, CrsError> {
        Ok(Transform { from, to })
    }

    pub fn is_identity(&self) -> bool {
        self.from.epsg() == self.to.epsg()
    }

    /// Transforms positions in place.
    ///
    /// # Errors
    /// `Position` for the first that has no image.
    pub fn positions(&self, _xs: &mut [f64], _ys: &mut [f64]) -> Result<(), CrsError> {
        unimplemented!()
    }

    /// Transforms all positions of an ISO WKB geometry in place; Z and M stay.
    ///
    /// # Errors
    /// `Position`, `Wkb`.
    pub fn wkb(&self, _wkb: &mut [u8]) -> Result<(), CrsError> {
        unimplemented!()
    }

    /// Smallest envelope of the image, by 21 points an edge.
    ///
    /// # Errors
    /// `Position`.
    pub fn envelope(&self, _envelope: &Envelope) -> Result<Envelope, CrsError> {
        unimplemented!()
    }
}
