//! Envelopes, and the shape of well-known binary that travels between rooms.
//!
//! Geometry travels as ISO WKB (little-endian, type codes 1 to 7, +1000 Z, +2000 M, +3000 ZM), linear, finite, in
//! east, north order. `GeometryCollection` is allowed; curves and surfaces are linearised on the way in.

use serde::Deserialize;
use serde::Serialize;

/// West, south, east, north in the axis order of memory (x first). Across the antimeridian `west > east`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl Envelope {
    /// Holds nothing; grows by [`Envelope::expand`].
    pub const NOTHING: Envelope = Envelope { west: f64::INFINITY, south: f64::INFINITY, east: f64::NEG_INFINITY, north: f64::NEG_INFINITY };

    pub fn is_nothing(&self) -> bool {
        self.west == f64::INFINITY
    }

    pub fn expand(&mut self, east: f64, north: f64) {
        self.west = self.west.min(east);
        self.south = self.south.min(north);
        self.east = self.east.max(east);
        self.north = self.north.max(north);
    }

    pub fn join(&mut self, other: &Envelope) {
        self.west = self.west.min(other.west);
        self.south = self.south.min(other.south);
        self.east = self.east.max(other.east);
        self.north = self.north.max(other.north);
    }

    /// Neither envelope crosses the antimeridian. Touching counts.
    pub fn intersects(&self, other: &Envelope) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }

    /// Rounded outward at `decimals`, so that no position falls outside by rounding (features10 #199).
    pub fn rounded_outward(&self, decimals: i32) -> Envelope {
        let unit = 10f64.powi(decimals);
        Envelope {
            west: (self.west * unit).floor() / unit,
            south: (self.south * unit).floor() / unit,
            east: (self.east * unit).ceil() / unit,
            north: (self.north * unit).ceil() / unit,
        }
    }
}
