//! A whole batch from one CRS to another.

use arrow_array::Array;
use arrow_array::BinaryArray;
use arrow_buffer::Buffer;

use crate::crs::Transform;
use crate::model::batch::FeatureBatch;

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
