//! A layer made ready to be cut: its features in the order of the Hilbert curve, each with its box, label and importance,
//! each position with the zoom that needs it.
//!
//! Begin once, `take` any number of batches, `finish` once.

use std::path::Path;

use rayon::iter::IntoParallelRefIterator;
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSliceMut;
use xxhash_rust::xxh3::xxh3_64;

use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::crs::Crs;
use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::tiling::Tiling;
use crate::tile::TileError;
use crate::tile::address::hilbert;
use crate::tile::dictionary::ABSENT;
use crate::tile::dictionary::Dictionary;
use crate::tile::held::Held;
use crate::tile::held::mixed;
use crate::tile::label;
use crate::tile::label::Labeller;
use crate::tile::record::Feature;
use crate::tile::record::Kind;
use crate::tile::record::RecordWriter;
use crate::tile::record::Records;
use crate::tile::record::push_ring;
use crate::tile::simplify::Simplifier;
use crate::tile::world::Part;
use crate::tile::world::Point;
use crate::tile::world::Run;
use crate::tile::world::World;
use crate::tile::world::doubled_area;
use crate::tile::world::shift;

/// Ids that are no integers become a hash that a double holds exactly, as JavaScript needs.
const HASH_BITS: u32 = 53;
/// The property that holds an id that is no integer.
const ID_KEY: &str = "id";
/// Tile units of the deepest zoom that a label may be off its pole: half a pixel.
const LABEL_PRECISION: f64 = 4.0;
/// Share of a feature's length that its label may be off: nobody sees it.
const LABEL_PRECISION_SHARE: f64 = 0.01;
/// Features that one thread makes ready at a time.
const FEATURES_A_PIECE: usize = 2_048;
/// Pieces that wait to be written.
const PIECES_AHEAD: usize = 32;

/// A layer that can be cut.
pub struct Prepared {
    pub name: String,
    pub label_name: String,
    /// Names of the columns, and from which zoom on each is there.
    pub keys: Vec<String>,
    pub keys_from: Vec<u8>,
    pub dictionary: Dictionary,
    pub features: Vec<Feature>,
    pub records: Records,
    pub layer: Layer,
    /// Rows of the source, and those whose geometry has no place in Web Mercator or no position.
    pub rows: u64,
    pub unusable: u64,
    pub empty: u64,
    /// North-western and south-eastern corner.
    pub low: Point,
    pub high: Point,
}

impl Prepared {
    /// The first zoom that has the layer: as written, else the deepest at which half a tile's width holds all of it, which is
    /// as wide as a telephone.
    pub fn min_zoom(&self) -> u8 {
        let span = (0..2).map(|axis| i64::from(self.high[axis]) - i64::from(self.low[axis])).max().unwrap_or(0).max(1);
        let derived = (span as u64).leading_zeros().saturating_sub(33) as u8;
        self.tiling().min_zoom.unwrap_or(derived).min(self.tiling().max_zoom)
    }

    pub fn tiling(&self) -> &Tiling {
        &self.layer.tiling
    }
}

pub struct Preparation<'a> {
    layer: Layer,
    folder: Option<&'a Path>,
    world: World,
    keys: Vec<String>,
    has_id_key: bool,
    weight_column: Option<usize>,
    dictionary: Dictionary,
    raw: RecordWriter<'a>,
    features: Vec<Feature>,
    /// As `features`, where a field says what is important.
    weights: Vec<f32>,
    positions: u64,
    rows: u64,
    empty: u64,
    ring: Vec<Point>,
    record: Vec<u8>,
    codes: Vec<u32>,
}

impl<'a> Preparation<'a> {
    /// Cut as `layer.tiling` says. `crs`: of the batches. `folder`: where a large layer may wait; `None` keeps it in memory.
    ///
    /// # Errors
    /// `Crs`; `Field` where the field of importance is not there.
    pub fn begin(layer: &Layer, crs: Crs, folder: Option<&'a Path>) -> Result<Preparation<'a>, TileError> {
        let has_id_key = layer.id_kind == IdKind::Text;
        let mut keys: Vec<String> = layer.fields.iter().map(|field| field.name.clone()).collect();
        keys.extend(has_id_key.then(|| ID_KEY.to_owned()));
        let find = |name: &String| {
            let column = layer.fields.iter().position(|field| field.name == *name);
            column.ok_or_else(|| TileError::Field { layer: layer.id.to_string(), field: name.clone() })
        };
        Ok(Preparation {
            weight_column: layer.tiling.importance.as_ref().map(find).transpose()?,
            layer: layer.clone(),
            folder,
            world: World::new(crs)?,
            keys,
            has_id_key,
            dictionary: Dictionary::default(),
            raw: RecordWriter::new(folder),
            features: Vec::new(),
            weights: Vec::new(),
            positions: 0,
            rows: 0,
            empty: 0,
            ring: Vec::new(),
            record: Vec::new(),
            codes: Vec::new(),
        })
    }

    /// # Errors
    /// `Disk`.
    pub fn take(&mut self, batch: &FeatureBatch) -> Result<(), TileError> {
        self.world.take(batch);
        let runs = std::mem::take(&mut self.world.runs);
        let mut rest = runs.as_slice();
        let mut seen = 0;
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|run| run.row == first.row).count();
            let (row, after) = rest.split_at(count);
            rest = after;
            self.row(batch, row)?;
            seen += 1;
        }
        self.world.runs = runs;
        self.rows += batch.rows() as u64;
        self.empty += batch.rows() as u64 - seen;
        Ok(())
    }

    /// One row: a feature for each kind of geometry in it.
    fn row(&mut self, batch: &FeatureBatch, runs: &[Run]) -> Result<(), TileError> {
        let row = runs[0].row as usize;
        self.codes.clear();
        for column in 0..batch.columns.len() {
            self.codes.push(self.dictionary.number(batch.value(row, column)));
        }
        let id = self.id(batch, row);
        self.codes.resize(self.keys.len(), ABSENT);
        let weight = self.weight_column.map(|column| weight(batch.value(row, column)));
        for kind in [Kind::Point, Kind::Line, Kind::Area] {
            let mut of_kind = runs.iter().filter(|run| kind_of(run.part) == kind).peekable();
            if of_kind.peek().is_none() {
                continue;
            }
            let Some(feature) = self.record(id, kind, of_kind) else { continue };
            self.raw.write(&self.record)?;
            self.features.push(feature);
            self.weights.extend(weight);
        }
        Ok(())
    }

    /// Rows without an id are numbered from 1.
    fn id(&mut self, batch: &FeatureBatch, row: usize) -> u64 {
        let own = match &batch.ids {
            Ids::Integer(ids) if !self.has_id_key => u64::try_from(ids.value(row)).ok().filter(|_| arrow_array::Array::is_valid(ids, row)),
            _ => None,
        };
        if let Some(own) = own {
            return own;
        }
        let Some(id) = batch.id(row) else { return self.rows + row as u64 + 1 };
        let text = id.to_string();
        if self.has_id_key {
            self.codes.push(match &id {
                FeatureId::Text(text) => self.dictionary.number(Value::Text(text)),
                FeatureId::Integer(number) => self.dictionary.number(Value::Integer(*number)),
            });
        }
        xxh3_64(text.as_bytes()) & ((1 << HASH_BITS) - 1)
    }

    /// Fills `record`; `None` where nothing of the geometry is left.
    fn record<'r>(&mut self, id: u64, kind: Kind, runs: impl Iterator<Item = &'r Run>) -> Option<Feature> {
        self.record.clear();
        self.codes.iter().for_each(|code| self.record.extend_from_slice(&code.to_le_bytes()));
        let count_at = self.record.len();
        self.record.extend_from_slice(&[0; 4]);
        let (mut low, mut high, mut rings) = ([i32::MAX; 2], [i32::MIN; 2], 0u32);
        let mut points: Vec<Point> = Vec::new();
        for run in runs {
            let positions = &self.world.points[run.start as usize..run.end as usize];
            for point in positions {
                low = [low[0].min(point[0]), low[1].min(point[1])];
                high = [high[0].max(point[0]), high[1].max(point[1])];
            }
            if kind == Kind::Point {
                points.extend_from_slice(positions);
                continue;
            }
            self.ring.clear();
            self.ring.extend_from_slice(positions);
            self.ring.dedup();
            if kind == Kind::Area && !oriented(&mut self.ring, run.part) {
                continue;
            }
            self.push(run.part);
            rings += 1;
        }
        if points.len() > 1 {
            self.ring = points;
            self.push(Part::Point);
            rings = 1;
        }
        if kind != Kind::Point && rings == 0 {
            return None;
        }
        self.record[count_at..count_at + 4].copy_from_slice(&rings.to_le_bytes());
        let (offset, length) = (self.raw.at(), self.record.len() as u32);
        Some(Feature { low, high, label: low, offset, id, size: 0.0, rank: 0, length, kind })
    }

    fn push(&mut self, part: Part) {
        self.positions += self.ring.len() as u64;
        push_ring(&mut self.record, part, &self.ring, &vec![0; self.ring.len()]);
    }

    /// # Errors
    /// `Disk`.
    pub fn finish(mut self) -> Result<Prepared, TileError> {
        self.dictionary.close();
        let raw = self.raw.finish()?;
        let columns = self.keys.len();
        let (low, high) = self.features.iter().fold(([i32::MAX; 2], [i32::MIN; 2]), |(low, high), feature| {
            ([0, 1].map(|axis| feature.low[axis].min(low[axis])), [0, 1].map(|axis| feature.high[axis].max(high[axis])))
        });
        let order = order(&self.features);
        let held = Held::find(self.positions, |visit| {
            let features = self.features.iter().filter(|feature| feature.kind != Kind::Point);
            features.for_each(|feature| raw.record(feature, columns).rings().for_each(&mut *visit));
        });
        raw.forget();
        let zoom_max = self.layer.tiling.max_zoom;
        let mut written = RecordWriter::new(self.folder);
        let mut features: Vec<Feature> = Vec::with_capacity(order.len());
        for pieces in order.chunks(FEATURES_A_PIECE * PIECES_AHEAD) {
            let pieces: Vec<&[u32]> = pieces.chunks(FEATURES_A_PIECE).collect();
            let made: Vec<(Vec<u8>, Vec<Feature>)> =
                pieces.par_iter().map(|piece| Making::new(zoom_max, columns).piece(piece, &self.features, &raw, &held)).collect();
            for (bytes, made) in made {
                let at = written.at();
                features.extend(made.into_iter().map(|feature| Feature { offset: feature.offset + at, ..feature }));
                written.write(&bytes)?;
            }
            raw.forget();
        }
        let weights = order.iter().filter_map(|row| self.weights.get(*row as usize).copied()).collect();
        rank(&mut features, weights);
        let from = |key: &String| self.layer.tiling.fields_from.iter().find(|(name, _)| name == key).map_or(0, |(_, zoom)| *zoom);
        Ok(Prepared {
            name: self.layer.id.to_string(),
            label_name: format!("{}_label", self.layer.id),
            keys_from: self.keys.iter().map(from).collect(),
            keys: self.keys,
            dictionary: self.dictionary,
            features,
            records: written.finish()?,
            layer: self.layer,
            rows: self.rows,
            unusable: self.world.unusable,
            empty: self.empty.saturating_sub(self.world.unusable),
            low,
            high,
        })
    }
}

fn kind_of(part: Part) -> Kind {
    match part {
        Part::Point => Kind::Point,
        Part::Line => Kind::Line,
        Part::Shell | Part::Hole => Kind::Area,
    }
}

fn weight(value: Value<'_>) -> f32 {
    match value {
        Value::Integer(integer) => integer as f32,
        Value::Real(real) => real as f32,
        Value::Boolean(truth) => f32::from(u8::from(truth)),
        _ => f32::NEG_INFINITY,
    }
}

/// Takes the closing position off and turns shells clockwise on the map, holes not; false for a hole without an area.
fn oriented(ring: &mut Vec<Point>, part: Part) -> bool {
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    let area = doubled_area(ring);
    if (area < 0) == (part == Part::Shell) {
        ring.reverse();
    }
    part == Part::Shell || area != 0
}

/// Rows along the Hilbert curve: by the centres of their boxes, then by their own order.
fn order(features: &[Feature]) -> Vec<u32> {
    let cell = |axis: i32| (i64::from(axis) + (1 << 31)) as u32;
    let mut keys: Vec<(u64, u32)> = features
        .iter()
        .enumerate()
        .map(|(row, feature)| {
            let [x, y] = feature.centre().map(cell);
            (hilbert(32, x, y), row as u32)
        })
        .collect();
    keys.par_sort_unstable();
    keys.into_iter().map(|(_, row)| row).collect()
}

/// The most important first: by weight, else by size; points without either as a hash of their ids scatters them, so that
/// what is thinned stays spread like the whole.
fn rank(features: &mut [Feature], weights: Vec<f32>) {
    let key = |at: usize| {
        let feature = &features[at];
        let scattered = mixed(feature.id ^ 0x9e37_79b9_7f4a_7c15);
        (weights.get(at).copied().unwrap_or(feature.size), scattered)
    };
    let mut order: Vec<((f32, u64), u32)> = (0..features.len()).map(|at| (key(at), at as u32)).collect();
    order.par_sort_unstable_by(|(a, one), (b, other)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(one.cmp(other)));
    for (rank, (_, at)) in order.into_iter().enumerate() {
        features[at as usize].rank = rank as u32;
    }
}

/// Makes features ready, one piece of a layer after another.
struct Making {
    columns: usize,
    precision: f64,
    simplifier: Simplifier,
    labeller: Labeller,
    rings: Vec<Vec<Point>>,
    needs: Vec<u8>,
}

impl Making {
    fn new(zoom_max: u8, columns: usize) -> Making {
        let precision = (1u64 << shift(zoom_max)) as f64 * LABEL_PRECISION;
        let (simplifier, labeller) = (Simplifier::new(zoom_max), Labeller::default());
        Making { columns, precision, simplifier, labeller, rings: Vec::new(), needs: Vec::new() }
    }

    fn piece(mut self, rows: &[u32], features: &[Feature], raw: &Records, held: &Held) -> (Vec<u8>, Vec<Feature>) {
        let mut bytes = Vec::new();
        let mut made = Vec::with_capacity(rows.len());
        for row in rows {
            let mut feature = features[*row as usize];
            let start = bytes.len();
            self.feature(&mut feature, raw, held, &mut bytes);
            feature.offset = start as u64;
            feature.length = (bytes.len() - start) as u32;
            made.push(feature);
        }
        (bytes, made)
    }

    fn feature(&mut self, feature: &mut Feature, raw: &Records, held: &Held, bytes: &mut Vec<u8>) {
        let record = raw.record(feature, self.columns);
        record.codes().for_each(|code| bytes.extend_from_slice(&code.to_le_bytes()));
        let count_at = bytes.len();
        bytes.extend_from_slice(&[0; 4]);
        let mut parts = Vec::new();
        for (number, ring) in record.rings().enumerate() {
            if self.rings.len() == number {
                self.rings.push(Vec::new());
            }
            let points = &mut self.rings[number];
            points.clear();
            points.extend(ring.points());
            parts.push(ring.part);
            match ring.part {
                Part::Point => {
                    self.needs.clear();
                    self.needs.resize(points.len(), 0);
                }
                Part::Line => self.simplifier.line(points, |at| held.holds(points[at]), &mut self.needs),
                Part::Shell | Part::Hole => self.simplifier.ring(points, |point| held.holds(point), &mut self.needs),
            }
            push_ring(bytes, ring.part, points, &self.needs);
        }
        bytes[count_at..count_at + 4].copy_from_slice(&(parts.len() as u32).to_le_bytes());
        match feature.kind {
            Kind::Point => {}
            Kind::Line => self.measure_line(feature, parts.len()),
            Kind::Area => self.measure_area(feature, &parts),
        }
    }

    fn measure_line(&self, feature: &mut Feature, count: usize) {
        let lines = &self.rings[..count];
        let length = |line: &Vec<Point>| label::length(line);
        feature.size = lines.iter().map(length).sum::<f64>() as f32;
        let longest = lines.iter().max_by(|a, b| length(a).total_cmp(&length(b)));
        feature.label = longest.map_or(feature.low, |line| label::middle(line));
    }

    fn measure_area(&mut self, feature: &mut Feature, parts: &[Part]) {
        let area = |ring: &Vec<Point>| doubled_area(ring) as f64 / 2.0;
        feature.size = self.rings[..parts.len()].iter().map(area).sum::<f64>().abs() as f32;
        let shells = (0..parts.len()).filter(|at| parts[*at] == Part::Shell);
        let Some(largest) = shells.max_by(|a, b| area(&self.rings[*a]).total_cmp(&area(&self.rings[*b]))) else { return };
        let end = (largest + 1..parts.len()).find(|at| parts[*at] == Part::Shell).unwrap_or(parts.len());
        let precision = self.precision.max(feature.span() as f64 * LABEL_PRECISION_SHARE);
        feature.label = self.labeller.pole(self.rings[largest..end].iter().map(Vec::as_slice), precision);
    }
}
