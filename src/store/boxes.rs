//! `data.boxes`: the envelopes of a version's rows as a packed tree, read where it lies.
//!
//! Rows lie along Hilbert's curve, so sixteen neighbours make a node without further sorting, and the n-th leaf is row
//! n + 1: no row number is stored. Level after level from the leaves to the root, four 32-bit floats a box (west, south,
//! east, north, lon/lat, little-endian, rounded outward), behind a head of sixteen bytes.
//!
//! ```text
//!  head │ leaf leaf … leaf │ node … node │ … │ root
//! ```

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::ops::ControlFlow;
use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;

use crate::geopackage::rtree::Entry;
use crate::model::geometry::Envelope;

/// Boxes of a node: four cache lines.
const FAN: usize = 16;
const BOX_BYTES: usize = 16;
const HEAD_BYTES: usize = 16;
const MAGIC: [u8; 8] = *b"bocagebx";

/// Writes the tree of rows 1 to n, in that order. Rows without geometry come after and have no box.
///
/// # Errors
/// Those of the disk; `InvalidData` where the rows are not 1 to n.
pub fn write(path: &Path, entries: &[Entry]) -> io::Result<()> {
    if entries.iter().zip(1..).any(|(entry, row)| entry.row != row) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "rows with a geometry do not come first"));
    }
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(&MAGIC)?;
    out.write_all(&(entries.len() as u64).to_le_bytes())?;
    let mut level: Vec<[f32; 4]> = entries.iter().map(Entry::bounds).collect();
    while !level.is_empty() {
        for bound in level.iter().flatten() {
            out.write_all(&bound.to_le_bytes())?;
        }
        level = if level.len() == 1 { Vec::new() } else { level.chunks(FAN).map(joined).collect() };
    }
    out.flush()
}

fn joined(boxes: &[[f32; 4]]) -> [f32; 4] {
    boxes.iter().skip(1).fold(boxes[0], |all, one| [all[0].min(one[0]), all[1].min(one[1]), all[2].max(one[2]), all[3].max(one[3])])
}

/// An open tree.
pub struct Boxes {
    map: Mmap,
    /// Where each level begins in the file, and its boxes; the leaves first.
    levels: Vec<(usize, usize)>,
}

impl Boxes {
    /// # Errors
    /// Those of the disk; `InvalidData` where the file is not whole.
    pub fn open(path: &Path) -> io::Result<Boxes> {
        // SAFETY: files of a version are never changed in place, and a mapping keeps the bytes of an unlinked file.
        let map = unsafe { Mmap::map(&File::open(path)?) }?;
        let torn = || io::Error::new(io::ErrorKind::InvalidData, format!("{}: not whole", path.display()));
        let head = map.get(..HEAD_BYTES).filter(|head| head.starts_with(&MAGIC)).ok_or_else(torn)?;
        let leaves = u64::from_le_bytes(head[MAGIC.len()..].try_into().map_err(|_| torn())?);
        let mut levels = Vec::new();
        let (mut at, mut count) = (HEAD_BYTES, usize::try_from(leaves).map_err(|_| torn())?);
        while count > 0 {
            levels.push((at, count));
            at = count.checked_mul(BOX_BYTES).and_then(|bytes| at.checked_add(bytes)).ok_or_else(torn)?;
            count = if count == 1 { 0 } else { count.div_ceil(FAN) };
        }
        if at == map.len() { Ok(Boxes { map, levels }) } else { Err(torn()) }
    }

    /// Calls `visit` with rows in ascending order, and whether their envelopes lie inside one of the boxes: then their
    /// geometries meet it; else their envelopes, rounded outward, touch one.
    pub fn visit(&self, asked: &[Envelope], visit: &mut dyn FnMut(Range<i64>, bool) -> ControlFlow<()>) -> ControlFlow<()> {
        match self.levels.len().checked_sub(1) {
            Some(root) => self.descend(root, 0, asked, visit),
            None => ControlFlow::Continue(()),
        }
    }

    fn descend(
        &self,
        level: usize,
        node: usize,
        asked: &[Envelope],
        visit: &mut dyn FnMut(Range<i64>, bool) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let bounds = self.bounds(level, node);
        if !asked.iter().any(|asked| asked.intersects(&bounds)) {
            return ControlFlow::Continue(());
        }
        let inside = asked.iter().any(|asked| {
            bounds.west >= asked.west && bounds.east <= asked.east && bounds.south >= asked.south && bounds.north <= asked.north
        });
        if inside || level == 0 {
            let leaves = FAN.pow(u32::try_from(level).unwrap_or(u32::MAX));
            let first = node * leaves;
            let last = (first + leaves).min(self.levels[0].1);
            return visit(first as i64 + 1..last as i64 + 1, inside);
        }
        for child in node * FAN..((node + 1) * FAN).min(self.levels[level - 1].1) {
            self.descend(level - 1, child, asked, visit)?;
        }
        ControlFlow::Continue(())
    }

    fn bounds(&self, level: usize, node: usize) -> Envelope {
        let at = self.levels[level].0 + node * BOX_BYTES;
        let bytes = &self.map[at..at + BOX_BYTES];
        let bound = |n: usize| f64::from(f32::from_le_bytes([bytes[n], bytes[n + 1], bytes[n + 2], bytes[n + 3]]));
        Envelope { west: bound(0), south: bound(4), east: bound(8), north: bound(12) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Vec<Envelope> {
        (0..1_000)
            .map(|n| (f64::from(n % 40), f64::from(n / 40)))
            .map(|(x, y)| Envelope { west: x, south: y, east: x + 0.5, north: y + 0.5 })
            .collect()
    }

    #[test]
    fn the_tree_finds_what_looking_at_every_box_finds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.boxes");
        let envelopes = grid();
        let entries: Vec<Entry> = envelopes.iter().zip(1..).map(|(envelope, row)| Entry::new(row, envelope)).collect();
        write(&path, &entries).expect("written");
        let tree = Boxes::open(&path).expect("opened");
        let at = |west, south, east, north| Envelope { west, south, east, north };
        for asked in [
            vec![at(3.2, 3.2, 9.0, 9.9)],
            vec![at(0.0, 0.0, 0.1, 0.1), at(38.0, 20.0, 50.0, 50.0)],
            vec![at(-9.0, -9.0, 99.0, 99.0)],
            vec![at(60.0, 0.0, 61.0, 1.0)],
        ] {
            let mut found = Vec::new();
            let _ = tree.visit(&asked, &mut |rows, _| {
                found.extend(rows);
                ControlFlow::Continue(())
            });
            let expected: Vec<i64> = (1..)
                .zip(&envelopes)
                .filter(|(_, envelope)| asked.iter().any(|asked| asked.intersects(envelope)))
                .map(|(row, _)| row)
                .collect();
            assert_eq!(found, expected, "{asked:?}");
        }
    }

    #[test]
    fn an_empty_tree_is_a_tree_and_a_torn_one_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.boxes");
        write(&path, &[]).expect("written");
        let all = Envelope { west: -180.0, south: -90.0, east: 180.0, north: 90.0 };
        assert!(Boxes::open(&path).expect("opened").visit(&[all], &mut |_, _| ControlFlow::Break(())).is_continue());
        let entries: Vec<Entry> = grid().iter().zip(1..).map(|(envelope, row)| Entry::new(row, envelope)).collect();
        write(&path, &entries).expect("written");
        let whole = std::fs::read(&path).expect("read");
        std::fs::write(&path, &whole[..whole.len() - 7]).expect("written");
        assert!(Boxes::open(&path).is_err());
        assert!(write(&path, &entries[1..]).is_err(), "the first row is missing");
    }
}
