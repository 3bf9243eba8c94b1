//! The CRS that this house reads and serves.

use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

/// A row of the registry.
#[derive(Debug)]
pub struct RegisteredCrs {
    pub crs: Crs,
    /// French name for people: `RGF93 v1 / Lambert-93`.
    pub name: &'static str,
    /// Lon, lat where the CRS may be used (EPSG's area of use).
    pub area: Envelope,
    /// A source may be in it.
    pub read: bool,
    /// Clients may ask for it.
    pub served: bool,
}

pub const REGISTRY: &[RegisteredCrs] = &[];

pub fn find(crs: Crs) -> Option<&'static RegisteredCrs> {
    REGISTRY.iter().find(|row| row.crs == crs)
}

/// The CRS in which `native` (x, y of the data) falls on `territory` (lon, lat), likeliest first: a tenth of slack around the territory.
pub fn candidates(_native: &Envelope, _territory: &Envelope) -> Vec<Crs> {
    unimplemented!()
}
