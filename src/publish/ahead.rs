//! A reading whose batches are moved to another CRS on a thread of their own, while those before are checked or written.

use std::sync::mpsc::sync_channel;

use crate::crs::Transform;
use crate::crs::batch;
use crate::model::batch::FeatureBatch;
use crate::model::crs::Crs;
use crate::source::Reading;

/// A batch in the CRS asked, and its rows (from 0) whose geometry has no image there.
pub type Moved = anyhow::Result<(FeatureBatch, Vec<usize>)>;

/// Batches that are moved and wait.
const BATCHES_AHEAD: usize = 1;

/// Calls `take` with the batches of a reading; after an error there are no more. `from`: `None` where nothing is moved.
pub fn moved<T>(reading: &mut Reading, from: Option<Crs>, to: Crs, take: impl FnOnce(&mut dyn Iterator<Item = Moved>) -> T) -> T {
    std::thread::scope(|scope| {
        let (sender, batches) = sync_channel::<Moved>(BATCHES_AHEAD);
        scope.spawn(move || {
            let transform = match from.map(|from| Transform::new(from, to)).transpose() {
                Ok(transform) => transform,
                Err(error) => {
                    // Nobody is there to hear it after an error of the disk.
                    let _ = sender.send(Err(error.into()));
                    return;
                }
            };
            for batch in reading {
                let moved = batch.map_err(anyhow::Error::from).map(|batch| match &transform {
                    Some(transform) => batch::transform(batch, transform),
                    None => (batch, Vec::new()),
                });
                let is_last = moved.is_err();
                if sender.send(moved).is_err() || is_last {
                    return;
                }
            }
        });
        take(&mut batches.into_iter())
    })
}
