//! From the store's lon, lat to the CRS that a download is in.

use std::io;

use crate::crs::batch;
use crate::encode::Batches;
use crate::model::batch::FeatureBatch;
use crate::model::crs::Crs;

/// The batches in `crs`.
pub fn reprojected<'a>(batches: Batches<'a>, crs: Crs) -> impl Iterator<Item = io::Result<FeatureBatch>> + 'a {
    batches.map(move |batch| {
        let (batch, lost) = batch::home(batch?, crs).map_err(io::Error::other)?;
        // What came from this CRS goes back to it: a loss here would be a fault of ours, not of the data.
        if lost.is_empty() { Ok(batch) } else { Err(io::Error::other(format!("{} positions have no image in {crs}", lost.len()))) }
    })
}
