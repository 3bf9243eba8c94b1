//! A PMTiles 3 archive, read where it lies: ours, or one that somebody else made.
//!
//! All directories are read when it is opened; then a tile is a binary search and a slice.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::model::geometry::Envelope;
use crate::model::tile_matrix_set::TileAddress;
use crate::model::tile_matrix_set::ZOOM_MAX;
use crate::tile::archive::HEADER_BYTES;
use crate::tile::gzip;
use crate::tile::varint;

/// Tiles of different content or place: a country to zoom 14 has a third of them. Each takes 36 bytes of memory.
const ENTRIES_MAX: usize = 4_000_000;
/// Of a directory or of the metadata, uncompressed.
const SECTION_BYTES_MAX: usize = 128 << 20;
/// Directories below the root: the format has leaves, and they may have leaves of their own.
const DEPTH_MAX: u8 = 3;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TilesetError {
    #[error("ce n'est pas une archive PMTiles")]
    NotPmtiles,
    #[error("PMTiles version {0} n'est pas lue : attendu la version 3")]
    Version(u8),
    #[error("les tuiles ou les répertoires sont compressés par {0} : attendu gzip, ou rien")]
    Compression(&'static str),
    #[error("le genre de tuiles n'est pas dit")]
    Kind,
    #[error("l'archive est abîmée : {0}")]
    Damaged(&'static str),
    #[error("l'archive a plus de {ENTRIES_MAX} tuiles")]
    TooMany,
    #[error("l'archive ne contient aucune tuile")]
    Empty,
}

/// What the tiles are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileKind {
    Mvt,
    Png,
    Jpeg,
    Webp,
    Avif,
}

/// Rows and columns of one zoom that have tiles, all inclusive (OGC 17-083r4, TileMatrixLimits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub zoom: u8,
    pub min_row: u32,
    pub max_row: u32,
    pub min_col: u32,
    pub max_col: u32,
}

impl Limits {
    pub fn hold(&self, address: TileAddress) -> bool {
        address.zoom == self.zoom
            && (self.min_row..=self.max_row).contains(&address.row)
            && (self.min_col..=self.max_col).contains(&address.col)
    }

    /// The least that hold both; of the same zoom.
    pub fn joined(self, other: Limits) -> Limits {
        Limits {
            zoom: self.zoom,
            min_row: self.min_row.min(other.min_row),
            max_row: self.max_row.max(other.max_row),
            min_col: self.min_col.min(other.min_col),
            max_col: self.max_col.max(other.max_col),
        }
    }
}

struct Entry {
    offset: u64,
    length: u32,
    /// Tiles of following numbers with this content.
    run: u32,
    /// Of the content, once somebody asked; 0: nobody did.
    hash: AtomicU64,
}

pub struct Tileset {
    bytes: Bytes,
    /// First number of each entry, ascending.
    numbers: Vec<u64>,
    entries: Vec<Entry>,
    /// Of every zoom that has tiles, from the shallowest on.
    pub limits: Vec<Limits>,
    pub kind: TileKind,
    /// Whether tiles lie in gzip.
    pub is_gzip: bool,
    /// Lon, lat.
    pub extent: Envelope,
    /// As the archive's maker wrote it: `vector_layers` among others.
    pub metadata: Map<String, Value>,
}

/// A tile that was found, not yet read.
#[derive(Clone, Copy)]
pub struct Place(usize);

impl Tileset {
    /// # Errors
    /// Any `TilesetError`; nothing outside the bytes is ever read.
    pub fn open(bytes: Bytes) -> Result<Tileset, TilesetError> {
        let header = bytes.get(..HEADER_BYTES as usize).filter(|header| header.starts_with(b"PMTiles")).ok_or(TilesetError::NotPmtiles)?;
        if header[7] != 3 {
            return Err(TilesetError::Version(header[7]));
        }
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| header[8 + at * 8 + byte]));
        let degrees = |at: usize| f64::from(i32::from_le_bytes(std::array::from_fn(|byte| header[at + byte]))) / 1e7;
        let directories = compression(header[97])?;
        let is_gzip = compression(header[98])?;
        let kind = kind(header[99])?;
        let metadata = match number(3) {
            0 => Map::new(),
            length => {
                let text = section(&bytes, number(2), length, directories)?;
                serde_json::from_slice(&text).map_err(|_| TilesetError::Damaged("les métadonnées ne sont pas du JSON"))?
            }
        };
        let tiles = bytes.get(range(number(6), number(7))?).ok_or(OUTSIDE)?;
        let mut reading =
            Reading { bytes: &bytes, leaves: (number(4), number(5)), is_gzip: directories, numbers: Vec::new(), entries: Vec::new() };
        reading.directory(number(0), number(1), 0)?;
        let Reading { numbers, mut entries, .. } = reading;
        for entry in &mut entries {
            let within = entry.offset.checked_add(u64::from(entry.length)).is_some_and(|end| end <= tiles.len() as u64);
            if !within {
                return Err(OUTSIDE);
            }
            entry.offset += number(6);
        }
        let limits = limits(&numbers, &entries)?;
        let extent = Envelope { west: degrees(102), south: degrees(106), east: degrees(110), north: degrees(114) };
        Ok(Tileset { numbers, entries, limits, kind, is_gzip, extent, metadata, bytes })
    }

    pub fn min_zoom(&self) -> u8 {
        self.limits.first().map_or(0, |limits| limits.zoom)
    }

    pub fn max_zoom(&self) -> u8 {
        self.limits.last().map_or(0, |limits| limits.zoom)
    }

    /// Whether a tile that is not there is merely empty.
    pub fn holds(&self, address: TileAddress) -> bool {
        self.limits.iter().any(|limits| limits.hold(address))
    }

    pub fn find(&self, address: TileAddress) -> Option<Place> {
        let number = address.number();
        let at = self.numbers.partition_point(|first| *first <= number).checked_sub(1)?;
        (number - self.numbers[at] < u64::from(self.entries[at].run)).then_some(Place(at))
    }

    /// The tile as it lies.
    pub fn bytes(&self, place: Place) -> Bytes {
        let entry = &self.entries[place.0];
        self.bytes.slice(entry.offset as usize..entry.offset as usize + entry.length as usize)
    }

    /// Of the tile's bytes as they lie: the same in every version that has the same tile. Read once, then known.
    pub fn hash(&self, place: Place) -> u64 {
        let entry = &self.entries[place.0];
        match entry.hash.load(Ordering::Relaxed) {
            0 => {
                let hash = xxh3_64(&self.bytes(place)).max(1);
                entry.hash.store(hash, Ordering::Relaxed);
                hash
            }
            known => known,
        }
    }

    /// The tile uncompressed; `None` where it is no gzip.
    pub fn plain(&self, place: Place) -> Option<Vec<u8>> {
        let bytes = self.bytes(place);
        if self.is_gzip { gzip::plain(&bytes, SECTION_BYTES_MAX) } else { Some(bytes.to_vec()) }
    }

    /// Tiles that differ in content or do not follow each other.
    pub fn entries(&self) -> usize {
        self.entries.len()
    }
}

const OUTSIDE: TilesetError = TilesetError::Damaged("une partie est hors du fichier");

fn range(offset: u64, length: u64) -> Result<std::ops::Range<usize>, TilesetError> {
    let end = offset.checked_add(length).ok_or(OUTSIDE)?;
    Ok(usize::try_from(offset).map_err(|_| OUTSIDE)?..usize::try_from(end).map_err(|_| OUTSIDE)?)
}

fn section(bytes: &Bytes, offset: u64, length: u64, is_gzip: bool) -> Result<Vec<u8>, TilesetError> {
    let lying = bytes.get(range(offset, length)?).ok_or(OUTSIDE)?;
    if !is_gzip {
        return Ok(lying.to_vec());
    }
    gzip::plain(lying, SECTION_BYTES_MAX).ok_or(TilesetError::Damaged("un répertoire n'est pas du gzip"))
}

/// Whether it is gzip; or nothing.
fn compression(code: u8) -> Result<bool, TilesetError> {
    match code {
        1 => Ok(false),
        2 => Ok(true),
        3 => Err(TilesetError::Compression("Brotli")),
        4 => Err(TilesetError::Compression("Zstandard")),
        _ => Err(TilesetError::Compression("un procédé inconnu")),
    }
}

/// In the order of their numbers, from 1.
const KINDS: [TileKind; 5] = [TileKind::Mvt, TileKind::Png, TileKind::Jpeg, TileKind::Webp, TileKind::Avif];

impl TileKind {
    /// Its number in the header.
    pub fn code(self) -> u8 {
        (1..).zip(KINDS).find(|(_, kind)| *kind == self).map_or(0, |(code, _)| code)
    }
}

fn kind(code: u8) -> Result<TileKind, TilesetError> {
    (1..).zip(KINDS).find(|(known, _)| *known == code).map(|(_, kind)| kind).ok_or(TilesetError::Kind)
}

/// Directories on their way into one list.
struct Reading<'a> {
    bytes: &'a Bytes,
    /// Offset and length of the section of leaves.
    leaves: (u64, u64),
    is_gzip: bool,
    numbers: Vec<u64>,
    entries: Vec<Entry>,
}

impl Reading<'_> {
    fn directory(&mut self, offset: u64, length: u64, depth: u8) -> Result<(), TilesetError> {
        const SHORT: TilesetError = TilesetError::Damaged("un répertoire s'arrête trop tôt");
        if depth > DEPTH_MAX {
            return Err(TilesetError::Damaged("ses répertoires sont trop profonds"));
        }
        let text = section(self.bytes, offset, length, self.is_gzip)?;
        let mut rest = text.as_slice();
        let mut next = || varint::take(&mut rest).ok_or(SHORT);
        let count = usize::try_from(next()?).map_err(|_| TilesetError::TooMany)?;
        // Four numbers an entry, of a byte at least.
        if count > text.len() / 4 + 1 {
            return Err(SHORT);
        }
        if self.entries.len() + count > ENTRIES_MAX {
            return Err(TilesetError::TooMany);
        }
        let mut numbers = Vec::with_capacity(count);
        let mut number = 0u64;
        for _ in 0..count {
            number = number.checked_add(next()?).ok_or(OUTSIDE)?;
            numbers.push(number);
        }
        let runs: Vec<u64> = (0..count).map(|_| next()).collect::<Result<_, _>>()?;
        let lengths: Vec<u64> = (0..count).map(|_| next()).collect::<Result<_, _>>()?;
        let mut end = 0u64;
        for at in 0..count {
            let offset = match next()? {
                0 if at > 0 => end,
                0 => return Err(SHORT),
                written => written - 1,
            };
            end = offset.checked_add(lengths[at]).ok_or(OUTSIDE)?;
            if runs[at] == 0 {
                if end > self.leaves.1 {
                    return Err(OUTSIDE);
                }
                self.directory(self.leaves.0.checked_add(offset).ok_or(OUTSIDE)?, lengths[at], depth + 1)?;
                continue;
            }
            let (length, run) = (u32::try_from(lengths[at]).map_err(|_| OUTSIDE)?, u32::try_from(runs[at]).map_err(|_| OUTSIDE)?);
            if self.numbers.last().is_some_and(|last| numbers[at] <= *last) {
                return Err(TilesetError::Damaged("ses tuiles ne se suivent pas"));
            }
            self.numbers.push(numbers[at]);
            self.entries.push(Entry { offset, length, run, hash: AtomicU64::new(0) });
        }
        Ok(())
    }
}

/// Of each zoom. A run is followed tile by tile: it is seldom long, and its tiles lie together.
fn limits(numbers: &[u64], entries: &[Entry]) -> Result<Vec<Limits>, TilesetError> {
    // Hilbert's curve ends in the last column of the first row.
    let last = TileAddress { zoom: ZOOM_MAX, row: 0, col: (1 << ZOOM_MAX) - 1 }.number();
    let mut found: Vec<Limits> = Vec::new();
    let mut followed = 0usize;
    for (first, entry) in numbers.iter().zip(entries) {
        let end = first.checked_add(u64::from(entry.run)).filter(|end| *end <= last + 1);
        let end = end.ok_or(TilesetError::Damaged("une tuile est plus profonde que le zoom 20"))?;
        for number in *first..end {
            followed += 1;
            // The sea, in one content: its zoom's limits are all there is.
            if followed > ENTRIES_MAX {
                return Err(TilesetError::TooMany);
            }
            let TileAddress { zoom, row, col } = TileAddress::of_number(number);
            let one = Limits { zoom, min_row: row, max_row: row, min_col: col, max_col: col };
            match found.last_mut().filter(|last| last.zoom == zoom) {
                Some(last) => *last = last.joined(one),
                None => found.push(one),
            }
        }
    }
    if found.is_empty() { Err(TilesetError::Empty) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::archive::Archive;
    use crate::tile::archive::Summary;

    const EXTENT: Envelope = Envelope { west: -2.0, south: 48.0, east: -1.9, north: 48.1 };

    /// Every tile of zoom 9 and half of zoom 8; so many that the directory has leaves. One content in four is the sea.
    fn written() -> (Vec<u8>, Vec<(TileAddress, Vec<u8>)>) {
        let out = tempfile::NamedTempFile::new().expect("a file");
        let mut archive = Archive::create(out.path()).expect("created");
        let mut tiles = Vec::new();
        let numbers = (0..4u64.pow(8)).step_by(2).map(|at| above(8) + at).chain((0..4u64.pow(9)).map(|at| above(9) + at));
        for number in numbers {
            let content = if number % 4 < 1 {
                b"mer".to_vec()
            } else {
                crate::tile::held::mixed(number).to_le_bytes().repeat(1 + (number % 3) as usize)
            };
            let gzipped = crate::tile::gzip(&content);
            archive.add(TileAddress::of_number(number), &gzipped).expect("added");
            tiles.push((TileAddress::of_number(number), content));
        }
        archive
            .finish(&Summary { min_zoom: 8, max_zoom: 9, extent: EXTENT, kind: TileKind::Mvt, metadata: br#"{"name":"x"}"# })
            .expect("finished");
        (std::fs::read(out.path()).expect("read"), tiles)
    }

    fn above(zoom: u32) -> u64 {
        (4u64.pow(zoom) - 1) / 3
    }

    #[test]
    fn every_tile_is_found_again_and_no_other() {
        let (bytes, tiles) = written();
        let tileset = Tileset::open(bytes.into()).expect("opened");
        assert!(tileset.entries() > 4_096, "the directory has leaves");
        for (address, content) in &tiles {
            let place = tileset.find(*address).expect("there");
            assert_eq!(tileset.plain(place).as_ref(), Some(content));
            assert_eq!(tileset.hash(place), xxh3_64(&tileset.bytes(place)));
        }
        assert!(tileset.find(TileAddress { zoom: 7, row: 0, col: 0 }).is_none());
        assert!(tileset.find(TileAddress::of_number(above(8) + 1)).is_none() && tileset.holds(TileAddress::of_number(above(8) + 1)));
        assert_eq!((tileset.min_zoom(), tileset.max_zoom()), (8, 9));
        assert_eq!(tileset.limits[1], Limits { zoom: 9, min_row: 0, max_row: 511, min_col: 0, max_col: 511 });
        assert_eq!(tileset.extent, EXTENT);
        assert_eq!(tileset.metadata["name"], "x");
    }

    #[test]
    fn a_damaged_archive_is_refused_and_reads_nothing_beyond_itself() {
        let (bytes, _) = written();
        let open = |bytes: Vec<u8>| Tileset::open(bytes.into()).map(|_| ());
        assert_eq!(open(b"PMTiles\x03".to_vec()), Err(TilesetError::NotPmtiles));
        assert_eq!(open(b"GPKG".repeat(100)), Err(TilesetError::NotPmtiles));
        let with = |at: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            bytes
        };
        assert_eq!(open(with(7, 2)), Err(TilesetError::Version(2)));
        assert_eq!(open(with(98, 3)), Err(TilesetError::Compression("Brotli")));
        assert_eq!(open(with(99, 0)), Err(TilesetError::Kind));
        for cut in [130, 16_384, bytes.len() / 2, bytes.len() - 1] {
            assert!(open(bytes[..cut].to_vec()).is_err(), "{cut}");
        }
        // Whatever a byte of the header or of the root says, it is an archive or it is refused.
        for at in (8..127).step_by(3).chain((127..1_000).step_by(97)) {
            for value in [0, 0xff] {
                if let Ok(tileset) = Tileset::open(with(at, value).into()) {
                    let last = tileset.entries() - 1;
                    let _ = (tileset.bytes(Place(0)), tileset.bytes(Place(last)));
                }
            }
        }
    }
}
