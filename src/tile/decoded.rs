//! Reads an archive back, for tests: PMTiles 3 and MVT 2.1 by their specifications, apart from what writes them.

use std::path::Path;

use crate::model::tile_matrix_set::TileAddress;
use crate::tile::gzip;

pub struct Decoded {
    pub layer: String,
    pub id: u64,
    pub parts: Vec<Vec<(i32, i32)>>,
}

struct Message<'a> {
    bytes: &'a [u8],
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Message<'a> {
    fn varint(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = self.bytes.split_first().expect("a whole varint");
            self.bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        taken
    }

    fn fields(mut self) -> Vec<(u64, Field<'a>)> {
        let mut fields = Vec::new();
        while !self.bytes.is_empty() {
            let tag = self.varint();
            let field = match tag & 7 {
                0 => Field::Number(self.varint()),
                1 => Field::Bytes(self.take(8)),
                2 => {
                    let length = self.varint() as usize;
                    Field::Bytes(self.take(length))
                }
                _ => Field::Bytes(self.take(4)),
            };
            fields.push((tag >> 3, field));
        }
        fields
    }
}

pub fn gunzip(bytes: &[u8]) -> Vec<u8> {
    gzip::plain(bytes, usize::MAX).expect("gzip")
}

/// Every tile of an archive.
pub fn tiles(path: &Path) -> Vec<(TileAddress, Vec<Decoded>)> {
    let archive = std::fs::read(path).expect("read");
    assert_eq!(&archive[..8], b"PMTiles\x03");
    let number = |at: usize| u64::from_le_bytes(archive[8 + at * 8..16 + at * 8].try_into().expect("eight bytes")) as usize;
    let mut found = Vec::new();
    let mut directories = vec![(number(0), number(1))];
    while let Some((offset, length)) = directories.pop() {
        for (tile, run, offset, length) in directory(&gunzip(&archive[offset..offset + length])) {
            if run == 0 {
                directories.push((number(4) + offset, length));
                continue;
            }
            let bytes = gunzip(&archive[number(6) + offset..number(6) + offset + length]);
            found.extend((tile..tile + run).map(|tile| (TileAddress::of_number(tile), features(&bytes))));
        }
    }
    found
}

fn directory(bytes: &[u8]) -> Vec<(u64, u64, usize, usize)> {
    let mut message = Message { bytes };
    let count = message.varint() as usize;
    let mut read = || (0..count).map(|_| message.varint()).collect::<Vec<u64>>();
    let (mut numbers, runs, lengths, offsets) = (read(), read(), read(), read());
    for at in 1..count {
        numbers[at] += numbers[at - 1];
    }
    let mut end = 0;
    (0..count)
        .map(|at| {
            let offset = if offsets[at] == 0 { end } else { offsets[at] as usize - 1 };
            end = offset + lengths[at] as usize;
            (numbers[at], runs[at], offset, lengths[at] as usize)
        })
        .collect()
}

pub fn features(tile: &[u8]) -> Vec<Decoded> {
    let mut found = Vec::new();
    for (_, layer) in (Message { bytes: tile }).fields() {
        let Field::Bytes(layer) = layer else { continue };
        let fields = Message { bytes: layer }.fields();
        let name = fields.iter().find_map(|(number, field)| match field {
            Field::Bytes(name) if *number == 1 => Some(String::from_utf8(name.to_vec()).expect("UTF-8")),
            _ => None,
        });
        for (number, field) in &fields {
            if let (2, Field::Bytes(feature)) = (number, field) {
                found.push(feature_of(name.clone().expect("a name"), feature));
            }
        }
    }
    found
}

fn feature_of(layer: String, feature: &[u8]) -> Decoded {
    let mut decoded = Decoded { layer, id: 0, parts: Vec::new() };
    for (number, field) in (Message { bytes: feature }).fields() {
        match (number, field) {
            (1, Field::Number(id)) => decoded.id = id,
            (4, Field::Bytes(geometry)) => decoded.parts = parts(geometry),
            _ => {}
        }
    }
    decoded
}

fn parts(geometry: &[u8]) -> Vec<Vec<(i32, i32)>> {
    let mut message = Message { bytes: geometry };
    let (mut parts, mut x, mut y): (Vec<Vec<(i32, i32)>>, i32, i32) = (Vec::new(), 0, 0);
    while !message.bytes.is_empty() {
        let command = message.varint();
        if command & 7 == 7 {
            continue;
        }
        for _ in 0..command >> 3 {
            let mut step = || {
                let number = message.varint();
                (number >> 1) as i32 ^ -((number & 1) as i32)
            };
            (x, y) = (x + step(), y + step());
            if command & 7 == 1 {
                parts.push(Vec::new());
            }
            parts.last_mut().expect("a line begins with a move").push((x, y));
        }
    }
    parts
}
