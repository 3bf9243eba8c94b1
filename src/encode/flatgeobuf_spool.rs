//! Features of a FlatGeobuf as they come, then along Hilbert's curve behind their tree.

use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;

use memmap2::Mmap;
use rayon::slice::ParallelSliceMut;

use crate::encode::flatgeobuf_feature::Features;
use crate::encode::ordered::ordered;
use crate::model::geometry::Envelope;

/// Order of the Hilbert curve that features are sorted by: 16 bits an axis.
const HILBERT_ORDER: f64 = 65_535.0;

/// Bytes of features that wait in memory; more wait on the disk. A department's addresses fit, and the memory of a
/// publication stays what it may be.
const MEMORY_MAX: usize = 256 << 20;

/// Bytes gathered before the disk is bothered.
const PIECE_BYTES: usize = 4 << 20;

/// Features gathered by one core at a time: some megabytes.
const PIECE_FEATURES: usize = 8192;

pub struct Spool {
    chunks: Vec<Chunk>,
    memory: usize,
    file: File,
    file_bytes: u64,
    places: Vec<Place>,
    pub extent: Envelope,
    /// Rows without a position.
    pub boxless: u64,
}

enum Chunk {
    Memory(Vec<u8>),
    /// Where it begins in the file.
    Disk(u64),
}

struct Place {
    chunk: u32,
    offset: u32,
    length: u32,
    bounds: Bounds,
}

/// West, south, east, north.
type Bounds = [f64; 4];

impl Spool {
    /// # Errors
    /// Those of the disk.
    pub fn create(folder: &Path) -> io::Result<Spool> {
        let file = tempfile::tempfile_in(folder)?;
        Ok(Spool { chunks: Vec::new(), memory: 0, file, file_bytes: 0, places: Vec::new(), extent: Envelope::NOTHING, boxless: 0 })
    }

    pub fn features(&self) -> u64 {
        self.places.len() as u64
    }

    /// # Errors
    /// Those of the disk.
    pub fn push(&mut self, features: Features<'_>) -> io::Result<()> {
        let chunk = u32::try_from(self.chunks.len()).map_err(io::Error::other)?;
        let mut offset = 0;
        for (length, envelope) in features.places {
            match &envelope {
                Some(envelope) => self.extent.join(envelope),
                None => self.boxless += 1,
            }
            let bounds = envelope.map_or([0.0; 4], |e| [e.west, e.south, e.east, e.north]);
            let length = u32::try_from(length).map_err(io::Error::other)?;
            self.places.push(Place { chunk, offset, length, bounds });
            offset = offset.checked_add(length).ok_or_else(|| io::Error::other("a batch passes 4 GB"))?;
        }
        let mut bytes = features.bytes;
        if self.memory + bytes.len() <= MEMORY_MAX {
            bytes.shrink_to_fit();
            self.memory += bytes.len();
            self.chunks.push(Chunk::Memory(bytes));
        } else {
            self.file.write_all(&bytes)?;
            self.chunks.push(Chunk::Disk(self.file_bytes));
            self.file_bytes += bytes.len() as u64;
        }
        Ok(())
    }

    /// The tree, where there is one, and the features in the order of the curve.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(mut self, node_size: Option<usize>, out: &mut impl Write) -> io::Result<()> {
        if let Some(node_size) = node_size {
            self.sort();
            self.write_tree(node_size, out)?;
        }
        // SAFETY: the file has no name, and is written no more.
        let map = if self.file_bytes > 0 { Some(unsafe { Mmap::map(&self.file) }?) } else { None };
        let bytes_of = |place: &Place| {
            let (offset, length) = (place.offset as usize, place.length as usize);
            match (&self.chunks[place.chunk as usize], &map) {
                (Chunk::Memory(bytes), _) => &bytes[offset..offset + length],
                (Chunk::Disk(start), Some(map)) => &map[*start as usize + offset..][..length],
                (Chunk::Disk(_), None) => &[],
            }
        };
        let gather = |places: &[Place]| {
            let mut piece = Vec::with_capacity(places.iter().map(|place| place.length as usize).sum());
            places.iter().for_each(|place| piece.extend_from_slice(bytes_of(place)));
            piece
        };
        // Features lie all over the memory: gathering them waits for it, on every core.
        let mut pieces = self.places.chunks(PIECE_FEATURES).map(Ok);
        ordered(&mut pieces, gather, |piece| out.write_all(&piece))
    }

    fn sort(&mut self) {
        let extent = self.extent;
        let unit = |length: f64| if length > 0.0 { HILBERT_ORDER / length } else { 0.0 };
        let (scale_x, scale_y) = (unit(extent.east - extent.west), unit(extent.north - extent.south));
        self.places.par_sort_by_cached_key(|place| {
            let [west, south, east, north] = place.bounds;
            let middle = |low: f64, high: f64, from: f64, scale: f64| ((low + (high - low) / 2.0 - from) * scale) as u16;
            fast_hilbert::xy2h(middle(west, east, extent.west, scale_x), middle(south, north, extent.south, scale_y), 16)
        });
    }

    /// Levels from the root to the leaves; a node is its box and where its first child, or its feature, begins.
    fn write_tree(&self, node_size: usize, out: &mut impl Write) -> io::Result<()> {
        let mut levels: Vec<Vec<Bounds>> = vec![self.places.iter().map(|place| place.bounds).collect()];
        while let Some(level) = levels.last().filter(|level| level.len() > 1 || levels.len() == 1) {
            let next = level.chunks(node_size).map(joined).collect();
            levels.push(next);
        }
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let mut first = 0;
        for (depth, level) in levels.iter().enumerate().rev() {
            first += level.len() as u64;
            let mut feature = 0u64;
            for (at, bounds) in (0u64..).zip(level) {
                bounds.iter().for_each(|bound| piece.extend_from_slice(&bound.to_le_bytes()));
                let offset = if depth == 0 { feature } else { first + at * node_size as u64 };
                piece.extend_from_slice(&offset.to_le_bytes());
                if depth == 0 {
                    feature += u64::from(self.places[at as usize].length);
                }
                if piece.len() + 40 > PIECE_BYTES {
                    out.write_all(&piece)?;
                    piece.clear();
                }
            }
        }
        out.write_all(&piece)
    }
}

fn joined(boxes: &[Bounds]) -> Bounds {
    boxes.iter().skip(1).fold(boxes[0], |all, one| [all[0].min(one[0]), all[1].min(one[1]), all[2].max(one[2]), all[3].max(one[3])])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::wkb;
    use flatgeobuf::packed_r_tree::NodeItem;
    use flatgeobuf::packed_r_tree::PackedRTree;

    #[test]
    fn the_tree_is_the_one_that_the_library_builds() {
        let folder = tempfile::tempdir().expect("a folder");
        for count in [1u32, 2, 16, 17, 256, 257, 3_000] {
            let mut spool = Spool::create(folder.path()).expect("created");
            let mut features = Features::default();
            for n in 0..count {
                let place = f64::from(n * 7_919 % 3_001);
                features.push(Some(&wkb::point(place, 48.0 - place * 1e-3)), std::iter::empty()).expect("WKB");
            }
            spool.push(features).expect("kept");
            spool.sort();
            let mut offset = 0;
            let nodes: Vec<NodeItem> = spool
                .places
                .iter()
                .map(|place| {
                    let [west, south, east, north] = place.bounds;
                    let node = NodeItem { offset, ..NodeItem::bounds(west, south, east, north) };
                    offset += u64::from(place.length);
                    node
                })
                .collect();
            let e = spool.extent;
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            spool.write_tree(16, &mut ours).expect("written");
            let tree = PackedRTree::build(&nodes, &NodeItem::bounds(e.west, e.south, e.east, e.north), 16).expect("built");
            tree.stream_write(&mut theirs).expect("written");
            assert!(ours == theirs, "{count}");
        }
    }
}
