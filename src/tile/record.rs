//! A feature on its way through the tiler: what is kept of it in memory, and its record on disk.
//!
//! ```text
//!  codes     u32 a column: numbers of the dictionary, ABSENT for null
//!  rings     u32: how many; none for a single point, whose place is its box
//!  a ring    u32 head (positions × 4 + part), x y i32 each, then a byte each: the zoom from which the position is needed
//!            (low bits) and whether other features meet there (HELD); filled up to a multiple of four bytes
//! ```

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

use memmap2::Mmap;

use crate::tile::world::Part;
use crate::tile::world::Point;

/// Points, lines and areas are cut differently, and MVT gives a feature one of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Point,
    Line,
    Area,
}

/// What is kept of a feature in memory. The world's units; `low` is the north-western corner.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    pub low: Point,
    pub high: Point,
    /// Where its label stands; for a point, anything.
    pub label: Point,
    pub offset: u64,
    /// MVT id.
    pub id: u64,
    /// Area of an area, length of a line, in world units; 0 for a point.
    pub size: f32,
    /// Place in the order of importance, 0 first.
    pub rank: u32,
    pub length: u32,
    pub kind: Kind,
}

impl Feature {
    pub fn centre(&self) -> Point {
        [i32::midpoint(self.low[0], self.high[0]), i32::midpoint(self.low[1], self.high[1])]
    }

    /// The longer side of its box.
    pub fn span(&self) -> i64 {
        (0..2).map(|axis| i64::from(self.high[axis]) - i64::from(self.low[axis])).max().unwrap_or(0)
    }
}

/// Of a position's byte: several features meet here with different neighbours, so it does not move.
pub const HELD: u8 = 0x80;
/// Of a position's byte: the zoom.
pub const ZOOM: u8 = 0x7f;

/// A ring, a line or a multipoint where it lies in a record.
#[derive(Clone, Copy)]
pub struct Ring<'a> {
    pub part: Part,
    points: &'a [[u8; 8]],
    pub needs: &'a [u8],
}

impl Ring<'_> {
    pub fn len(&self) -> usize {
        self.points.len()
    }

    #[inline]
    pub fn point(&self, at: usize) -> Point {
        point(&self.points[at])
    }

    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.points.iter().map(point)
    }
}

#[inline]
fn point(bytes: &[u8; 8]) -> Point {
    let (x, y) = bytes.split_at(4);
    [x, y].map(|half| i32::from_le_bytes(half.try_into().expect("half of eight bytes")))
}

/// A record of a layer with so many columns.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    bytes: &'a [u8],
    columns: usize,
}

impl<'a> Record<'a> {
    pub fn codes(self) -> impl Iterator<Item = u32> + 'a {
        self.bytes[..self.columns * 4].as_chunks::<4>().0.iter().map(|code| u32::from_le_bytes(*code))
    }

    pub fn rings(self) -> Rings<'a> {
        let (count, rest) = number(&self.bytes[self.columns * 4..]);
        Rings { count, rest }
    }
}

fn number(bytes: &[u8]) -> (u32, &[u8]) {
    let (four, rest) = bytes.split_first_chunk::<4>().expect("records are ours and whole");
    (u32::from_le_bytes(*four), rest)
}

pub struct Rings<'a> {
    count: u32,
    rest: &'a [u8],
}

impl<'a> Iterator for Rings<'a> {
    type Item = Ring<'a>;

    fn next(&mut self) -> Option<Ring<'a>> {
        self.count = self.count.checked_sub(1)?;
        let (head, rest) = number(self.rest);
        let count = (head >> 2) as usize;
        let (points, rest) = rest.split_at(count * 8);
        let needs = &rest[..count];
        self.rest = &rest[count.next_multiple_of(4)..];
        let part = [Part::Point, Part::Line, Part::Shell, Part::Hole][(head & 3) as usize];
        Some(Ring { part, points: points.as_chunks::<8>().0, needs })
    }
}

/// Writes a ring at the end of a record.
pub fn push_ring(record: &mut Vec<u8>, part: Part, points: &[Point], needs: &[u8]) {
    record.extend_from_slice(&((points.len() as u32) << 2 | part as u32).to_le_bytes());
    for point in points {
        record.extend_from_slice(&point[0].to_le_bytes());
        record.extend_from_slice(&point[1].to_le_bytes());
    }
    record.extend_from_slice(needs);
    record.resize(record.len().next_multiple_of(4), 0);
}

/// Records one after another.
pub enum Records {
    Memory(Vec<u8>),
    Disk(Mmap),
}

impl Records {
    pub fn record(&self, feature: &Feature, columns: usize) -> Record<'_> {
        let all: &[u8] = match self {
            Records::Memory(bytes) => bytes,
            Records::Disk(map) => map,
        };
        let start = feature.offset as usize;
        Record { bytes: &all[start..start + feature.length as usize], columns }
    }

    /// Lets the memory go that pages read so far take; they stay in the system's cache.
    pub fn forget(&self) {
        #[cfg(target_os = "linux")]
        if let Records::Disk(map) = self {
            // SAFETY: the map is of a file that is only read: what is dropped is read again, the same.
            let advised = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
            // A kernel that refuses keeps the pages, which costs memory and nothing else.
            drop(advised);
        }
    }
}

/// Bytes of records that wait in memory before a file is begun: a village's layers never see the disk.
const MEMORY_BYTES: usize = 12 << 20;

/// Writes records, in memory first.
pub struct RecordWriter<'a> {
    folder: Option<&'a Path>,
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
    at: u64,
}

impl<'a> RecordWriter<'a> {
    /// `folder`: where a file may be; `None`: all stays in memory.
    pub fn new(folder: Option<&'a Path>) -> RecordWriter<'a> {
        RecordWriter { folder, memory: Vec::new(), file: None, at: 0 }
    }

    /// The offset of the next record.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// # Errors
    /// Those of the disk.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        match (&mut self.file, self.folder) {
            (Some(file), _) => file.write_all(bytes),
            (None, Some(folder)) if self.memory.len() + bytes.len() > MEMORY_BYTES => {
                let mut file = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(folder)?);
                file.write_all(&self.memory)?;
                file.write_all(bytes)?;
                self.memory = Vec::new();
                self.file = Some(file);
                Ok(())
            }
            _ => {
                self.memory.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// # Errors
    /// Those of the disk.
    pub fn finish(self) -> io::Result<Records> {
        let Some(file) = self.file else { return Ok(Records::Memory(self.memory)) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        // SAFETY: the file has no name, so nobody else can change it.
        Ok(Records::Disk(unsafe { Mmap::map(&file) }?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_back_its_rings() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&7u32.to_le_bytes());
        bytes.extend_from_slice(&2u32.to_le_bytes());
        push_ring(&mut bytes, Part::Shell, &[[1, -2], [3, 4], [i32::MIN, i32::MAX]], &[0, 3 | HELD, 14]);
        push_ring(&mut bytes, Part::Hole, &[[9, 9]], &[5]);
        let record = Record { bytes: &bytes, columns: 1 };
        assert_eq!(record.codes().collect::<Vec<_>>(), [7]);
        let rings: Vec<Ring<'_>> = record.rings().collect();
        assert_eq!((rings[0].part, rings[1].part, rings.len()), (Part::Shell, Part::Hole, 2));
        assert_eq!(rings[0].points().collect::<Vec<_>>(), [[1, -2], [3, 4], [i32::MIN, i32::MAX]]);
        assert_eq!((rings[0].needs, rings[1].point(0)), (&[0, 3 | HELD, 14][..], [9, 9]));
    }

    #[test]
    fn what_does_not_fit_in_memory_goes_to_disk_and_is_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = RecordWriter::new(Some(folder.path()));
        let piece = vec![7; 1 << 20];
        for _ in 0..20 {
            writer.write(&piece).expect("written");
        }
        assert_eq!(writer.at(), 20 << 20);
        let Records::Disk(map) = writer.finish().expect("mapped") else { panic!("still in memory") };
        assert!(map.len() == 20 << 20 && map.iter().all(|byte| *byte == 7));
    }
}
