//! `bbox` and `bbox-crs` (OGC API - Features `/req/core/fc-bbox-definition`, `/req/crs/bbox-crs-action`).

use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

/// Reads four or six numbers in the axis order of `crs` into lon, lat envelopes (two across the antimeridian).
///
/// # Errors
/// What was expected, for the client: `expected 4 or 6 numbers, found 3`.
pub fn parse(_text: &str, _crs: Crs) -> Result<Vec<Envelope>, String> {
    unimplemented!()
}
