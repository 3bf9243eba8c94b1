//! All tiles of an archive: cut by as many threads as there are cores, written in the order of their numbers.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;

use rayon::iter::IntoParallelIterator;
use rayon::iter::ParallelIterator;

use crate::model::tile_matrix_set::TileAddress;
use crate::tile::TileError;
use crate::tile::archive::Archive;
use crate::tile::cutter::Cut;
use crate::tile::cutter::Cutter;
use crate::tile::cutter::Leaf;
use crate::tile::plan::Plan;
use crate::tile::plan::Share;
use crate::tile::prepare::Prepared;
use crate::tile::report::Report;
use crate::tile::thin;

/// Tiles that are cut and wait for one before them.
const TILES_AHEAD: usize = 64;
/// Features that are read from disk between two times that memory is given back.
const FEATURES_IN_MEMORY: usize = 400_000;

/// Features of a layer that are looked at where a tile may be thinned: no tile of 500 kB holds so many.
const FEATURES_A_TILE: usize = 1 << 16;

/// One tile to cut.
struct Task {
    address: TileAddress,
    /// Layer, and its share of the tile.
    shares: Vec<(usize, Share)>,
}

/// What became of a task.
struct Done {
    cut: Option<Cut>,
    /// Features that were looked at.
    offered: usize,
}

pub struct Pyramid<'a> {
    layers: &'a [Prepared],
    /// Of each zoom of the archive, of each layer; `None` where the layer is not at the zoom.
    plans: Vec<(u8, Vec<Option<Plan>>)>,
    keep_all: bool,
}

impl<'a> Pyramid<'a> {
    pub fn plan(layers: &'a [Prepared], keep_all: bool) -> Pyramid<'a> {
        let min = layers.iter().map(Prepared::min_zoom).min().unwrap_or(0);
        let max = layers.iter().map(|layer| layer.tiling().max_zoom).max().unwrap_or(0);
        let at = |layer: &Prepared, zoom: u8| (layer.min_zoom()..=layer.tiling().max_zoom).contains(&zoom).then(|| Plan::of(layer, zoom));
        let all: Vec<(u8, usize)> = (min..=max).flat_map(|zoom| (0..layers.len()).map(move |layer| (zoom, layer))).collect();
        let mut made: Vec<Option<Plan>> = all.into_par_iter().map(|(zoom, layer)| at(&layers[layer], zoom)).collect();
        let plans = (min..=max).map(|zoom| (zoom, made.drain(..layers.len()).collect())).collect();
        Pyramid { layers, plans, keep_all }
    }

    fn tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for (_, plans) in &self.plans {
            let mut tiles: Vec<u64> = plans.iter().flatten().flat_map(Plan::tiles).collect();
            tiles.sort_unstable();
            tiles.dedup();
            for number in tiles {
                let share = |(layer, plan): (usize, &Option<Plan>)| {
                    let share = plan.as_ref()?.share(number);
                    (!share.is_empty()).then_some((layer, share))
                };
                tasks.push(Task { address: TileAddress::of_number(number), shares: plans.iter().enumerate().filter_map(share).collect() });
            }
        }
        tasks
    }

    /// Cuts every tile and hands it to the archive.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(&self, archive: &mut Archive, report: &mut Report) -> Result<(), TileError> {
        let tasks = self.tasks();
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(tasks.len().max(1));
        std::thread::scope(|scope| {
            let (sender, done) = sync_channel::<(usize, Done)>(TILES_AHEAD);
            for _ in 0..threads {
                let (sender, next, tasks) = (sender.clone(), &next, &tasks);
                scope.spawn(move || {
                    let mut cutter = Cutter::default();
                    let mut read = 0;
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(task) = tasks.get(number) else { return };
                        let cut = self.cut(&mut cutter, task);
                        read += cut.offered;
                        if read > FEATURES_IN_MEMORY {
                            self.layers.iter().for_each(|layer| layer.records.forget());
                            read = 0;
                        }
                        // Nobody is there to hear it after an error of the disk.
                        if sender.send((number, cut)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let mut waiting = BTreeMap::new();
            let mut expected = 0;
            for (number, cut) in done {
                waiting.insert(number, cut);
                while let Some(done) = waiting.remove(&expected) {
                    self.note(&tasks[expected], done, archive, report)?;
                    expected += 1;
                }
            }
            Ok(())
        })
    }

    fn cut(&self, cutter: &mut Cutter, task: &Task) -> Done {
        let zoom = task.address.zoom;
        let plans = &self.plans[usize::from(zoom - self.plans[0].0)].1;
        let leaf = |(layer, share): &(usize, Share)| {
            let (plan, layer) = (plans[*layer].as_ref()?, &self.layers[*layer]);
            let is_whole = self.keep_all || zoom >= layer.tiling().max_zoom;
            let most = if is_whole { usize::MAX } else { FEATURES_A_TILE };
            let features = plan.features(layer, zoom, *share, most);
            let left_out = if features.len() >= most { share.count() - features.len() } else { 0 };
            Some(Leaf::of(layer, features, left_out as u32))
        };
        let mut leaves: Vec<Leaf<'_>> = task.shares.iter().filter_map(leaf).collect();
        // A layer's deepest zoom is whole, whatever the archive's.
        let is_whole = self.keep_all || leaves.iter().all(|leaf| zoom >= leaf.layer.tiling().max_zoom);
        let cut = if is_whole {
            let counts = cutter.write(task.address, &mut leaves, |_, _| true);
            Cut { bytes: cutter.compressed().to_vec(), counts }
        } else {
            thin::cut(cutter, task.address, &mut leaves)
        };
        let offered = leaves.iter().map(|leaf| leaf.features.len() + leaf.left_out as usize).sum();
        Done { cut: cut.counts.iter().any(|count| count.kept > 0).then_some(cut), offered }
    }

    fn note(&self, task: &Task, done: Done, archive: &mut Archive, report: &mut Report) -> Result<(), TileError> {
        let Some(cut) = done.cut else { return Ok(()) };
        archive.add(task.address, &cut.bytes)?;
        report.tile(task.address, cut.bytes.len(), task.shares.iter().map(|share| share.0).zip(cut.counts));
        Ok(())
    }
}
