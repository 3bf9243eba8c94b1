//! PMTiles 3: one file that holds all tiles, clustered, each content once, the same bytes for the same tiles.
//!
//! ```text
//!  0        header (127 bytes) and root directory, room for 16 384 bytes
//!  16 384   tiles in the order of their numbers; then leaf directories; then metadata
//! ```
//!
//! The sections' places stand in the header, so directories may follow the tiles and one pass writes all.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use crate::model::geometry::Envelope;
use crate::model::tile_matrix_set::TileAddress;
use crate::tile::gzip::Gzip;
use crate::tile::tileset::TileKind;
use crate::tile::varint;

/// A client fetches header and root directory with one request of so many bytes.
const ROOT_BYTES: u64 = 16_384;
pub const HEADER_BYTES: u64 = 127;
/// Entries of a leaf directory: some 16 kB, a request each.
const LEAF_ENTRIES: usize = 4_096;

struct Entry {
    number: u64,
    offset: u64,
    length: u32,
    /// Tiles of following numbers with this content.
    run: u32,
}

/// Begin once, `add` in the order of numbers, `finish` once.
pub struct Archive {
    out: BufWriter<File>,
    at: u64,
    entries: Vec<Entry>,
    /// Offset and length of each content.
    contents: HashMap<u128, (u64, u32)>,
    tiles: u64,
    gzip: Gzip,
}

/// What the header says beside sizes.
pub struct Summary<'a> {
    pub min_zoom: u8,
    pub max_zoom: u8,
    /// Lon, lat.
    pub extent: Envelope,
    pub kind: TileKind,
    pub metadata: &'a [u8],
}

impl Archive {
    /// # Errors
    /// Those of the disk.
    pub fn create(path: &Path) -> io::Result<Archive> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        out.write_all(&[0; ROOT_BYTES as usize])?;
        Ok(Archive { out, at: 0, entries: Vec::new(), contents: HashMap::new(), tiles: 0, gzip: Gzip::small() })
    }

    /// A tile, compressed as [`Summary::kind`] is.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn add(&mut self, address: TileAddress, bytes: &[u8]) -> io::Result<()> {
        let number = address.number();
        self.tiles += 1;
        let hash = xxh3_128(bytes);
        let known = self.contents.get(&hash).copied();
        if let (Some((offset, _)), Some(last)) = (known, self.entries.last_mut())
            && last.offset == offset
            && last.number + u64::from(last.run) == number
        {
            last.run += 1;
            return Ok(());
        }
        let (offset, length) = match known {
            Some(known) => known,
            None => {
                let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
                self.out.write_all(bytes)?;
                let offset = self.at;
                self.at += u64::from(length);
                self.contents.insert(hash, (offset, length));
                (offset, length)
            }
        };
        self.entries.push(Entry { number, offset, length, run: 1 });
        Ok(())
    }

    /// Bytes of the archive.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn finish(mut self, summary: &Summary<'_>) -> io::Result<u64> {
        let (root, leaves) = self.directories();
        let metadata = self.gzip.compress(summary.metadata).to_vec();
        self.out.write_all(&leaves)?;
        self.out.write_all(&metadata)?;
        let header = self.header(summary, root.len() as u64, leaves.len() as u64, metadata.len() as u64);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.write_all(&root)?;
        self.out.flush()?;
        Ok(ROOT_BYTES + self.at + leaves.len() as u64 + metadata.len() as u64)
    }

    /// The root directory, and leaves where it has no room for all.
    fn directories(&mut self) -> (Vec<u8>, Vec<u8>) {
        let room = (ROOT_BYTES - HEADER_BYTES) as usize;
        let whole = self.gzip.compress(&directory(&self.entries)).to_vec();
        if whole.len() <= room {
            return (whole, Vec::new());
        }
        let mut size = LEAF_ENTRIES;
        loop {
            let mut leaves = Vec::new();
            let mut roots = Vec::new();
            for entries in self.entries.chunks(size) {
                let leaf = self.gzip.compress(&directory(entries)).to_vec();
                // A run of none marks a leaf.
                roots.push(Entry { number: entries[0].number, offset: leaves.len() as u64, length: leaf.len() as u32, run: 0 });
                leaves.extend_from_slice(&leaf);
            }
            let root = self.gzip.compress(&directory(&roots)).to_vec();
            if root.len() <= room {
                return (root, leaves);
            }
            size *= 2;
        }
    }

    fn header(&self, summary: &Summary<'_>, root: u64, leaves: u64, metadata: u64) -> Vec<u8> {
        let mut header = b"PMTiles\x03".to_vec();
        let leaves_at = ROOT_BYTES + self.at;
        for number in [
            HEADER_BYTES,
            root,
            leaves_at + leaves,
            metadata,
            leaves_at,
            leaves,
            ROOT_BYTES,
            self.at,
            self.tiles,
            self.entries.len() as u64,
            self.contents.len() as u64,
        ] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        // Clustered; directories in gzip; tiles of vectors too, pictures as they are.
        let compression = if summary.kind == TileKind::Mvt { 2 } else { 1 };
        header.extend_from_slice(&[1, 2, compression, summary.kind.code(), summary.min_zoom, summary.max_zoom]);
        let Envelope { west, south, east, north } = summary.extent;
        let mut position = |lon: f64, lat: f64| {
            for degrees in [lon, lat] {
                header.extend_from_slice(&((degrees * 1e7).round() as i32).to_le_bytes());
            }
        };
        position(west, south);
        position(east, north);
        let centre_zoom = summary.max_zoom;
        let centre = (f64::midpoint(west, east), f64::midpoint(south, north));
        header.push(centre_zoom);
        for degrees in [centre.0, centre.1] {
            header.extend_from_slice(&((degrees * 1e7).round() as i32).to_le_bytes());
        }
        header
    }
}

/// Numbers as differences, runs, lengths, then offsets (0: right behind the entry before).
fn directory(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    varint::push(&mut out, entries.len() as u64);
    let mut before = 0;
    for entry in entries {
        varint::push(&mut out, entry.number - before);
        before = entry.number;
    }
    entries.iter().for_each(|entry| varint::push(&mut out, u64::from(entry.run)));
    entries.iter().for_each(|entry| varint::push(&mut out, u64::from(entry.length)));
    let mut end = None;
    for entry in entries {
        varint::push(&mut out, if end == Some(entry.offset) { 0 } else { entry.offset + 1 });
        end = Some(entry.offset + u64::from(entry.length));
    }
    out
}
