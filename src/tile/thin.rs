//! Which features stay where a tile would grow too heavy: the most important ones, in that tile alone.
//!
//! Light features are many and heavy ones few, so that no layer crowds out another. What a feature weighs is asked of samples
//! first, so that a tile is seldom written more than once.

use crate::model::tile_matrix_set::TileAddress;
use crate::tile::cutter::Cut;
use crate::tile::cutter::Cutter;
use crate::tile::cutter::Leaf;

/// Heaviest tile below the deepest zoom, compressed: what other tilers hold to, and a village's broadband carries in a second.
pub const TILE_BYTES_MAX: usize = 500_000;
/// What is aimed at: the estimate is seldom off by more.
const AIM: f64 = 0.98;
/// A thinned tile that is lighter than this could hold more: it is written again.
const ENOUGH: f64 = 0.955;
/// What compressing well makes of what was compressed fast, and how far that may be off.
const WELL_BY_FAST: f64 = 0.945;
const ENOUGH_ERROR: f64 = 0.03;
/// Weight of the least important features that stay, by that of all.
const MARGINAL: f64 = 0.65;
/// Times that a tile is written; the heaviest that is light enough counts.
const ATTEMPTS: usize = 6;
/// Tiles of fewer features are written outright.
const SAMPLED_MIN: usize = 6_000;
/// Features of the smaller sample; the larger one has twice as many, and the difference is what more of them weigh.
const SAMPLE: usize = 1_000;
/// Bytes of a feature before anything is known: what a point with a few attributes takes.
const FEATURE_BYTES: usize = 20;

/// What a layer weighs: bytes of its head and of each feature, compressed.
#[derive(Clone, Copy)]
struct Weight {
    head: f64,
    feature: f64,
}

const UNKNOWN: Weight = Weight { head: 0.0, feature: 0.0 };

/// A tile of at most `TILE_BYTES_MAX` bytes; but a layer at its deepest zoom stays whole.
pub fn cut(cutter: &mut Cutter, address: TileAddress, leaves: &mut [Leaf<'_>]) -> Cut {
    let all: Vec<usize> = leaves.iter().map(|leaf| leaf.features.len()).collect();
    let limit = TILE_BYTES_MAX as f64;
    let mut weights = vec![UNKNOWN; leaves.len()];
    if all.iter().sum::<usize>() >= SAMPLED_MIN {
        weights = (0..leaves.len())
            .map(|at| sampled(cutter, address, &mut leaves[at..=at], TILE_BYTES_MAX / FEATURE_BYTES / all.len()))
            .collect();
    }
    let mut best: Option<Cut> = None;
    let mut aim = limit * AIM;
    let mut search = Search { light: (0.0, 0.0), heavy: None };
    for _ in 0..ATTEMPTS {
        let wanted = shared(&all, &weights, aim);
        let is_whole = wanted == all;
        let limits = limits(address.zoom, leaves, &wanted);
        let counts = cutter.write(address, leaves, |leaf, feature| feature.rank <= limits[leaf]);
        let fast = cutter.compressed();
        if is_whole && fast.len() <= TILE_BYTES_MAX {
            return Cut { bytes: fast.to_vec(), counts };
        }
        // Only what may be the tile in the end is worth the time of compressing it well.
        let mut weight = fast.len() as f64 * WELL_BY_FAST;
        if is_whole || (ENOUGH - ENOUGH_ERROR..1.0 + ENOUGH_ERROR).contains(&(weight / limit)) {
            let bytes = cutter.compressed_well();
            weight = bytes.len() as f64;
            if weight <= limit {
                best = Some(Cut { bytes: bytes.to_vec(), counts });
                if is_whole || weight >= ENOUGH * limit {
                    break;
                }
            }
        }
        if weights.iter().all(|weight| weight.feature == 0.0) {
            // It was written outright and is too heavy.
            weights = vec![Weight { head: 0.0, feature: weight / all.iter().sum::<usize>() as f64 }; leaves.len()];
            continue;
        }
        aim = search.next(aim, weight);
    }
    best.unwrap_or_else(|| fewer(cutter, address, leaves, &weights, search.light.0))
}

/// What was aimed at and what it came to: the heaviest that was too light, the lightest that was too heavy.
struct Search {
    light: (f64, f64),
    heavy: Option<(f64, f64)>,
}

impl Search {
    /// What to aim at next.
    fn next(&mut self, aim: f64, weight: f64) -> f64 {
        let wanted = AIM * TILE_BYTES_MAX as f64;
        if weight <= TILE_BYTES_MAX as f64 {
            self.light = (aim, weight)
        } else {
            self.heavy = Some((aim, weight))
        }
        let rise = match self.heavy {
            // The features at the margin are lighter than the mean.
            Some(heavy) if self.light.0 == 0.0 => MARGINAL * heavy.1 / heavy.0,
            Some(heavy) => (heavy.1 - self.light.1) / (heavy.0 - self.light.0),
            None => weight / aim,
        };
        let next = aim + (wanted - weight) / rise;
        let (low, high) = (self.light.0, self.heavy.map_or(f64::INFINITY, |heavy| heavy.0));
        if next > low && next < high { next } else { f64::midpoint(low, high.min(2.0 * aim)) }
    }
}

/// What is known to be light enough.
fn fewer(cutter: &mut Cutter, address: TileAddress, leaves: &mut [Leaf<'_>], weights: &[Weight], bytes: f64) -> Cut {
    let all: Vec<usize> = leaves.iter().map(|leaf| leaf.features.len()).collect();
    let limits = limits(address.zoom, leaves, &shared(&all, weights, bytes));
    let counts = cutter.write(address, leaves, |leaf, feature| feature.rank <= limits[leaf]);
    Cut { bytes: cutter.compressed_well().to_vec(), counts }
}

/// How many features of each layer fit when together they may weigh so much: shares are inverse to the cube of what a feature weighs, so
/// that light features are many and no layer is crowded out; what one does not need goes to the others.
fn shared(all: &[usize], weights: &[Weight], bytes: f64) -> Vec<usize> {
    let mut wanted = all.to_vec();
    let mut order: Vec<usize> = (0..all.len()).collect();
    // Those that need the least of their share come first.
    let hunger = |at: usize| all[at] as f64 * weights[at].feature.powi(4);
    order.sort_by(|a, b| hunger(*a).total_cmp(&hunger(*b)));
    let mut left = bytes - weights.iter().map(|weight| weight.head).sum::<f64>();
    for (number, at) in order.iter().enumerate() {
        let weight = weights[*at].feature;
        let parts: f64 = order[number..].iter().map(|other| weights[*other].feature.powi(-3)).sum();
        let count = left.max(0.0) / (parts * weight.powi(4));
        // Before anything is known of weights, all are wanted.
        if weight > 0.0 && count < all[*at] as f64 {
            wanted[*at] = (count as usize).max(1);
        }
        left -= weight * wanted[*at] as f64;
    }
    wanted
}

/// What a layer's most important features weigh, as many as a tile may hold.
fn sampled(cutter: &mut Cutter, address: TileAddress, leaf: &mut [Leaf<'_>], most: usize) -> Weight {
    let count = leaf[0].features.len().min(most);
    let limits = limits(address.zoom, leaf, &[count]);
    let mut sample = |step: usize| {
        let counts = cutter.write(address, leaf, |_, feature| feature.rank <= limits[0] && (feature.rank as usize).is_multiple_of(step));
        (f64::from(counts[0].kept), cutter.compressed_well().len() as f64)
    };
    let step = (count / (2 * SAMPLE)).max(1);
    let ((more, heavier), (fewer, lighter)) = (sample(step), sample(2 * step));
    if more <= fewer {
        return Weight { head: 0.0, feature: heavier / more.max(1.0) };
    }
    let feature = ((heavier - lighter) / (more - fewer)).max(1.0);
    Weight { head: (heavier - feature * more).max(0.0), feature }
}

/// The last rank that stays, of each leaf.
fn limits(zoom: u8, leaves: &[Leaf<'_>], wanted: &[usize]) -> Vec<u32> {
    let limit = |(leaf, wanted): (&Leaf<'_>, &usize)| {
        if *wanted >= leaf.features.len() || zoom >= leaf.layer.tiling().max_zoom {
            return u32::MAX;
        }
        let mut ranks: Vec<u32> = leaf.features.iter().map(|(at, _)| leaf.layer.features[*at as usize].rank).collect();
        *ranks.select_nth_unstable(wanted.saturating_sub(1)).1
    };
    leaves.iter().zip(wanted).map(limit).collect()
}
