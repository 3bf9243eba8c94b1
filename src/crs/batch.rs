//! A whole batch from one CRS to another.

use std::ops::Range;

use arrow_array::Array;
use arrow_array::BinaryArray;
use arrow_buffer::Buffer;
use arrow_buffer::MutableBuffer;

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

/// Positions that are transformed at once: as many as stay in the nearest cache with what is around them.
const POSITIONS: usize = 2_048;

/// The batch with its geometry transformed, and the rows whose geometry has no image: theirs is null now.
pub fn transform(mut batch: FeatureBatch, transform: &Transform) -> (FeatureBatch, Vec<usize>) {
    let Some(geometry) = batch.geometry.take_if(|_| !transform.is_identity()) else {
        return (batch, Vec::new());
    };
    let (offsets, values, nulls) = geometry.into_parts();
    // In place where nobody else holds the batch.
    let mut bytes = values.into_mutable().unwrap_or_else(|shared| {
        let mut copy = MutableBuffer::with_capacity(shared.len());
        copy.extend_from_slice(&shared);
        copy
    });
    let is_valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    let mut lost = Vec::new();
    let rows: Vec<usize> = (0..offsets.len() - 1).filter(|row| is_valid(*row)).collect();
    let range = |row: usize| offsets[row] as usize..offsets[row + 1] as usize;
    let mut pending = Pending::default();
    let mut first = 0;
    for (at, row) in rows.iter().enumerate() {
        pending.add(&bytes, range(*row));
        if pending.xs.len() < POSITIONS && at + 1 < rows.len() {
            continue;
        }
        if !pending.flush(&mut bytes, transform) {
            // One of these rows has no image, or is no WKB: which one, each says for itself.
            let without = rows[first..=at].iter().filter(|row| transform.wkb(&mut bytes[range(**row)]).is_err());
            lost.extend(without);
        }
        first = at + 1;
    }
    let moved = BinaryArray::new(offsets, bytes.into(), nulls);
    let moved = if lost.is_empty() {
        moved
    } else {
        BinaryArray::from_iter((0..moved.len()).map(|row| (moved.is_valid(row) && !lost.contains(&row)).then(|| moved.value(row))))
    };
    (FeatureBatch::new(batch.ids, batch.columns, Some(moved)), lost)
}

/// Positions of several rows, gathered: a kernel takes as long for seven as for sixteen.
#[derive(Default)]
struct Pending {
    /// Where the bytes of a run of positions begin, how many there are, and the bytes of each.
    runs: Vec<(usize, usize, usize)>,
    xs: Vec<f64>,
    ys: Vec<f64>,
    is_odd: bool,
}

impl Pending {
    fn add(&mut self, bytes: &[u8], row: Range<usize>) {
        let Pending { runs, xs, ys, is_odd } = self;
        let walked = wkb::walk_runs(&bytes[row.clone()], &mut |run, dimensions| {
            let (start, size) = (row.start + run.start, dimensions * 8);
            let positions = bytes[start..row.start + run.end].chunks_exact(size);
            runs.push((start, positions.len(), size));
            xs.extend(positions.clone().map(|position| wkb::double(position, 0)));
            ys.extend(positions.map(|position| wkb::double(position, 1)));
        });
        *is_odd |= walked.is_err();
    }

    /// Writes the images in the places of the positions; `false`, and nothing written, where one has none.
    fn flush(&mut self, bytes: &mut [u8], transform: &Transform) -> bool {
        let is_done = !self.is_odd && transform.positions(&mut self.xs, &mut self.ys).is_ok();
        if is_done {
            let mut images = self.xs.iter().zip(&self.ys);
            for &(start, count, size) in &self.runs {
                for (position, (x, y)) in bytes[start..start + count * size].chunks_exact_mut(size).zip(images.by_ref()) {
                    position[..8].copy_from_slice(&x.to_le_bytes());
                    position[8..16].copy_from_slice(&y.to_le_bytes());
                }
            }
        }
        self.runs.clear();
        self.xs.clear();
        self.ys.clear();
        self.is_odd = false;
        is_done
    }
}
