//! Tiles as bytes: Mapbox Vector Tile 2.1, written field by field.

use crate::tile::dictionary::ABSENT;
use crate::tile::dictionary::Dictionary;
use crate::tile::record::Kind;
use crate::tile::shape::Shape;
use crate::tile::varint;
use crate::tile::world::EXTENT;
use crate::tile::world::Point;

/// Where the values of a layer stand in the tile that is being written.
#[derive(Default)]
struct Numbering {
    /// Of each value of the dictionary: the layer that it was last used in, and its number there.
    used: Vec<(u32, u32)>,
    layers: u32,
    /// Of each column: the values that were first seen in it, in their order.
    columns: Vec<Vec<u32>>,
}

impl Numbering {
    fn begin(&mut self, values: usize, columns: usize) {
        self.used.resize(values.max(self.used.len()), (0, 0));
        self.layers += 1;
        self.columns.iter_mut().for_each(Vec::clear);
        self.columns.resize(columns.max(self.columns.len()), Vec::new());
    }

    fn see(&mut self, codes: impl Iterator<Item = u32>) {
        for (codes, code) in self.columns.iter_mut().zip(codes) {
            if code != ABSENT && self.used[code as usize].0 != self.layers {
                self.used[code as usize].0 = self.layers;
                codes.push(code);
            }
        }
    }

    /// Values of a column follow each other, which compresses best; columns of few values come first, whose numbers are short.
    fn number(&mut self, mut write: impl FnMut(u32)) {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|column| self.columns[*column].len());
        for (number, code) in order.into_iter().flat_map(|column| &self.columns[column]).enumerate() {
            self.used[*code as usize].1 = number as u32;
            write(*code);
        }
    }
}

/// Writes one layer of one tile: the values of all features are seen first, then each feature is written.
pub struct LayerWriter<'a> {
    name: &'a str,
    keys: &'a [String],
    numbering: &'a Numbering,
    body: &'a mut Vec<u8>,
    values: &'a [u8],
    tags: &'a mut Vec<u8>,
    /// Of each column: its number among the keys of this tile plus one, 0 while it is unused.
    columns: Vec<u32>,
    used_keys: Vec<usize>,
    pub features: u32,
}

/// Bytes that are kept from one layer to the next.
#[derive(Default)]
pub struct Buffers {
    numbering: Numbering,
    body: Vec<u8>,
    values: Vec<u8>,
    tags: Vec<u8>,
}

impl Buffers {
    /// Adds a layer to a tile: `codes` are those of its features, `write` is given its writer. A layer without a feature
    /// is none.
    pub fn layer<Codes: Iterator<Item = u32>>(
        &mut self,
        tile: &mut Vec<u8>,
        name: &str,
        keys: &[String],
        dictionary: &Dictionary,
        codes: impl Iterator<Item = Codes>,
        write: impl FnOnce(&mut LayerWriter<'_>),
    ) {
        self.body.clear();
        self.values.clear();
        let numbering = &mut self.numbering;
        numbering.begin(dictionary.len(), keys.len());
        codes.for_each(|codes| numbering.see(codes));
        let (body, values) = (&mut self.body, &mut self.values);
        numbering.number(|code| values.extend_from_slice(dictionary.field(code)));
        let columns = vec![0; keys.len()];
        let mut writer =
            LayerWriter { name, keys, numbering, body, values, tags: &mut self.tags, columns, used_keys: Vec::new(), features: 0 };
        write(&mut writer);
        if writer.features > 0 {
            writer.finish(tile);
        }
    }
}

impl LayerWriter<'_> {
    /// One feature: its columns' codes, and its geometry as [`geometry`] writes it, which is not empty.
    pub fn feature(&mut self, id: u64, codes: impl Iterator<Item = u32>, kind: Kind, geometry: &[u8]) {
        self.tags(codes);
        let tags = self.tags.len();
        let size = 1 + varint::length(id) + 2 + lengthy(geometry.len()) + if tags == 0 { 0 } else { lengthy(tags) };
        let body = &mut *self.body;
        body.push(0x12);
        varint::push(body, size as u64);
        body.push(0x08);
        varint::push(body, id);
        if tags > 0 {
            field(body, 0x12, self.tags);
        }
        body.extend_from_slice(&[
            0x18,
            match kind {
                Kind::Point => 1,
                Kind::Line => 2,
                Kind::Area => 3,
            },
        ]);
        field(body, 0x22, geometry);
        self.features += 1;
    }

    fn tags(&mut self, codes: impl Iterator<Item = u32>) {
        let tags = &mut *self.tags;
        tags.clear();
        for (column, code) in codes.enumerate() {
            if code == ABSENT {
                continue;
            }
            if self.columns[column] == 0 {
                self.used_keys.push(column);
                self.columns[column] = self.used_keys.len() as u32;
            }
            varint::push(tags, u64::from(self.columns[column] - 1));
            varint::push(tags, u64::from(self.numbering.used[code as usize].1));
        }
    }

    fn finish(self, tile: &mut Vec<u8>) {
        let mut head = vec![0x78, 2];
        field(&mut head, 0x0a, self.name.as_bytes());
        let mut tail = Vec::new();
        for column in &self.used_keys {
            field(&mut tail, 0x1a, self.keys[*column].as_bytes());
        }
        let mut extent = vec![0x28];
        varint::push(&mut extent, EXTENT as u64);
        let pieces: [&[u8]; 5] = [&head, self.body, &tail, self.values, &extent];
        tile.push(0x1a);
        varint::push(tile, pieces.iter().map(|piece| piece.len() as u64).sum());
        pieces.iter().for_each(|piece| tile.extend_from_slice(piece));
    }
}

/// Bytes of a length-delimited field.
fn lengthy(bytes: usize) -> usize {
    1 + varint::length(bytes as u64) + bytes
}

fn field(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    varint::push(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

const MOVE_TO: u64 = 1;
const LINE_TO: u64 = 2;
/// A close-path command, once.
const CLOSE_PATH: u8 = 15;

/// Adds the commands and steps of a shape that is not empty, MVT 2.1 §4.3; `origin` is the tile's corner in the zoom's units.
pub fn geometry(out: &mut Vec<u8>, kind: Kind, shape: &Shape, origin: Point) {
    let mut cursor = origin;
    if kind == Kind::Point {
        command(out, MOVE_TO, shape.points.len());
        shape.points.iter().for_each(|point| step(out, &mut cursor, *point));
        return;
    }
    for (part, _) in shape.parts() {
        let Some((first, rest)) = part.split_first() else { continue };
        command(out, MOVE_TO, 1);
        step(out, &mut cursor, *first);
        command(out, LINE_TO, rest.len());
        rest.iter().for_each(|point| step(out, &mut cursor, *point));
        if kind == Kind::Area {
            out.push(CLOSE_PATH);
        }
    }
}

fn command(out: &mut Vec<u8>, command: u64, count: usize) {
    varint::push(out, command | (count as u64) << 3);
}

#[inline]
fn step(out: &mut Vec<u8>, cursor: &mut Point, to: Point) {
    for axis in 0..2 {
        varint::push(out, varint::zigzag(i64::from(to[axis]) - i64::from(cursor[axis])));
    }
    *cursor = to;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::feature::Value;

    /// The examples of MVT 2.1 §4.3.5.
    #[test]
    fn geometries_are_those_of_the_specification() {
        let draw = |kind: Kind, parts: &[&[Point]]| {
            let mut shape = Shape::default();
            parts.iter().for_each(|part| shape.push_part(part, false));
            let mut out = Vec::new();
            geometry(&mut out, kind, &shape, [0, 0]);
            out
        };
        assert_eq!(draw(Kind::Point, &[&[[25, 17]]]), [9, 50, 34]);
        assert_eq!(draw(Kind::Point, &[&[[5, 7], [3, 2]]]), [17, 10, 14, 3, 9]);
        assert_eq!(draw(Kind::Line, &[&[[2, 2], [2, 10], [10, 10]]]), [9, 4, 4, 18, 0, 16, 16, 0]);
        assert_eq!(draw(Kind::Area, &[&[[3, 6], [8, 12], [20, 34]]]), [9, 6, 12, 18, 10, 12, 24, 44, 15]);
    }

    #[test]
    fn a_layer_names_its_keys_and_values_once_and_only_those_in_use() {
        let mut dictionary = Dictionary::default();
        let [oak, lime, _, tall] =
            [Value::Text("chêne"), Value::Text("tilleul"), Value::Text("frêne"), Value::Integer(12)].map(|value| dictionary.number(value));
        let keys = ["essence".to_owned(), "vide".to_owned(), "hauteur".to_owned()];
        let mut shape = Shape::default();
        shape.push_part(&[[4, 5]], false);
        let mut drawn = Vec::new();
        geometry(&mut drawn, Kind::Point, &shape, [0, 0]);
        let rows = [(1, [lime, ABSENT, tall]), (300, [oak, ABSENT, ABSENT]), (3, [lime, ABSENT, ABSENT])];
        let mut tile = Vec::new();
        let mut buffers = Buffers::default();
        buffers.layer(&mut tile, "arbres", &keys, &dictionary, rows.iter().map(|row| row.1.into_iter()), |layer| {
            for (id, codes) in rows {
                layer.feature(id, codes.into_iter(), Kind::Point, &drawn);
            }
        });
        let text = String::from_utf8_lossy(&tile);
        assert!(["arbres", "essence", "hauteur", "tilleul", "chêne"].iter().all(|word| text.matches(word).count() == 1));
        assert!(!text.contains("vide") && !text.contains("frêne"));
        // Id, tags, kind and geometry of the first feature.
        // Height has one value, species have two: its value comes first.
        let first = [0x12, 13, 0x08, 1, 0x12, 4, 0, 1, 1, 0, 0x18, 1, 0x22, 3, 9, 8, 10];
        assert!(tile.windows(first.len()).any(|window| window[..1] == first[..1] && window[2..] == first[2..]), "{tile:?}");
        buffers.layer(&mut tile, "rien", &keys, &dictionary, std::iter::empty::<std::iter::Empty<u32>>(), |_| {});
        assert!(!String::from_utf8_lossy(&tile).contains("rien"), "a layer has a feature");
    }
}
