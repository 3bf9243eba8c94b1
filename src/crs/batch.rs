//! A whole batch from one CRS to another.

use arrow_array::Array;
use arrow_array::BinaryArray;
use arrow_buffer::Buffer;

use crate::crs::CrsError;
use crate::crs::Transform;
use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::wkb;

/// Steps a metre that [`home`] rounds to: a hundred times what the way through lon, lat leaves of error, and a thousandth of
/// what any survey measures.
const STEPS_A_METRE: f64 = 1e6;

/// From lon, lat back to the CRS that the data came from: metres come out as they went in, to the micrometre; degrees as
/// they are. As [`transform`].
///
/// # Errors
/// `NoTransform`.
pub fn home(batch: FeatureBatch, crs: Crs) -> Result<(FeatureBatch, Vec<usize>), CrsError> {
    let (batch, lost) = transform(batch, &Transform::new(CRS84, crs)?);
    let geometry = match &batch.geometry {
        Some(geometry) if !crs.is_geographic() => geometry,
        _ => return Ok((batch, lost)),
    };
    let offsets = geometry.offsets().clone();
    let mut bytes = geometry.values().to_vec();
    let mut runs = Vec::new();
    for row in (0..geometry.len()).filter(|row| geometry.is_valid(*row)) {
        let wkb = &mut bytes[offsets[row] as usize..offsets[row + 1] as usize];
        runs.clear();
        // Bytes that are no WKB stay as they are: whoever reads them says so.
        if wkb::walk_runs(wkb, &mut |range, dimensions| runs.push((range, dimensions))).is_err() {
            continue;
        }
        for (range, dimensions) in runs.drain(..) {
            for position in wkb[range].chunks_exact_mut(dimensions * 8) {
                for axis in [0, 8] {
                    let rounded = (wkb::double(&position[axis..], 0) * STEPS_A_METRE).round() / STEPS_A_METRE;
                    position[axis..axis + 8].copy_from_slice(&rounded.to_le_bytes());
                }
            }
        }
    }
    let rounded = BinaryArray::new(offsets, Buffer::from_vec(bytes), geometry.nulls().cloned());
    Ok((FeatureBatch::new(batch.ids, batch.columns, Some(rounded)), lost))
}

/// The batch with its geometry transformed, and the rows whose geometry has no image: theirs is null now.
pub fn transform(batch: FeatureBatch, transform: &Transform) -> (FeatureBatch, Vec<usize>) {
    let Some(geometry) = batch.geometry.as_ref().filter(|_| !transform.is_identity()) else {
        return (batch, Vec::new());
    };
    let offsets = geometry.offsets().clone();
    let mut bytes = geometry.values().to_vec();
    let mut lost = Vec::new();
    for row in 0..geometry.len() {
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        if geometry.is_valid(row) && transform.wkb(&mut bytes[range]).is_err() {
            lost.push(row);
        }
    }
    let moved = BinaryArray::new(offsets, Buffer::from_vec(bytes), geometry.nulls().cloned());
    let moved = if lost.is_empty() {
        moved
    } else {
        BinaryArray::from_iter((0..moved.len()).map(|row| (moved.is_valid(row) && !lost.contains(&row)).then(|| moved.value(row))))
    };
    (FeatureBatch::new(batch.ids, batch.columns, Some(moved)), lost)
}
