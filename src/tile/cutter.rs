//! One tile: its features drawn, cut, made valid and written, and thinned where it would grow too heavy.

use crate::model::tile_matrix_set::TileAddress;
use crate::tile::clip::Clipper;
use crate::tile::clip::Frame;
use crate::tile::dictionary::ABSENT;
use crate::tile::gzip::Gzip;
use crate::tile::mvt;
use crate::tile::mvt::Buffers;
use crate::tile::plan::Block;
use crate::tile::plan::tile_of;
use crate::tile::prepare::Prepared;
use crate::tile::record::Feature;
use crate::tile::record::Kind;
use crate::tile::shape::Draughtsman;
use crate::tile::shape::Shape;
use crate::tile::valid::Validator;
use crate::tile::world::EXTENT_BITS;
use crate::tile::world::Point;
use crate::tile::world::rounded;
use crate::tile::world::shift;

/// Tile units that a feature is long from which it has a label, below the deepest zoom: eight pixels, a sign of text.
const LABELLED_UNITS: i64 = 64;

/// A layer's features of a tile, in their order, and their geometries once they were drawn: a tile may be written more than
/// once, with more or fewer of them.
pub struct Leaf<'a> {
    pub layer: &'a Prepared,
    /// With its piece where a feature was cut already.
    pub features: Vec<(u32, Option<&'a Shape>)>,
    /// Features that are too many for any tile, and not among `features`.
    pub left_out: u32,
    geometries: Vec<u8>,
    /// Of each feature: where in `geometries`; nothing is drawn where it has no part in the tile.
    drawn: Vec<Option<(u32, u32)>>,
}

impl<'a> Leaf<'a> {
    pub fn of(layer: &'a Prepared, features: Vec<(u32, Option<&'a Shape>)>, left_out: u32) -> Leaf<'a> {
        Leaf { layer, drawn: vec![None; features.len()], features, left_out, geometries: Vec::new() }
    }

    fn feature(&self, at: usize) -> &'a Feature {
        &self.layer.features[self.features[at].0 as usize]
    }
}

/// Features of a leaf that are in a tile, and those that were left out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub kept: u32,
    pub thinned: u32,
}

/// A tile, compressed, and the count of each leaf.
pub struct Cut {
    pub bytes: Vec<u8>,
    pub counts: Vec<Count>,
}

/// What one thread needs to cut tiles.
pub struct Cutter {
    clipper: Clipper,
    validator: Validator,
    buffers: Buffers,
    fast: Gzip,
    small: Gzip,
    drawn: Shape,
    cut: Shape,
    tile: Vec<u8>,
}

impl Default for Cutter {
    fn default() -> Cutter {
        Cutter {
            clipper: Clipper::default(),
            validator: Validator::default(),
            buffers: Buffers::default(),
            fast: Gzip::fast(),
            small: Gzip::small(),
            drawn: Shape::default(),
            cut: Shape::default(),
            tile: Vec::new(),
        }
    }
}

impl Cutter {
    /// The tile without regard to its size; of each leaf those features that `choose` takes.
    pub fn write(&mut self, address: TileAddress, leaves: &mut [Leaf<'_>], choose: impl Fn(usize, &Feature) -> bool) -> Vec<Count> {
        let place = Place::of(address);
        self.tile.clear();
        let mut draughtsman = Draughtsman::new(address.zoom);
        let mut counts = Vec::with_capacity(leaves.len());
        for (number, leaf) in leaves.iter_mut().enumerate() {
            let chosen: Vec<usize> = (0..leaf.features.len()).filter(|at| choose(number, leaf.feature(*at))).collect();
            for at in &chosen {
                if leaf.drawn[*at].is_none() {
                    leaf.drawn[*at] = Some(self.draw(&place, leaf, *at, &mut draughtsman));
                }
            }
            let kept = self.layer(&place, leaf, &chosen);
            self.labels(&place, leaf, &chosen);
            counts.push(Count { kept, thinned: leaf.left_out + (leaf.features.len() - chosen.len()) as u32 });
        }
        counts
    }

    /// What was written, compressed in little time.
    pub fn compressed(&mut self) -> &[u8] {
        self.fast.compress(&self.tile)
    }

    /// What was written, compressed well.
    pub fn compressed_well(&mut self) -> &[u8] {
        self.small.compress(&self.tile)
    }

    /// Adds a feature's geometry to the leaf's: where it is.
    fn draw(&mut self, place: &Place, leaf: &mut Leaf<'_>, at: usize, draughtsman: &mut Draughtsman) -> (u32, u32) {
        let (layer, feature) = (leaf.layer, leaf.feature(at));
        let shape = match leaf.features[at].1 {
            Some(piece) => {
                self.drawn.clone_from(piece);
                &mut self.drawn
            }
            None => {
                draughtsman.draw(feature, layer.records.record(feature, layer.keys.len()), &mut self.drawn);
                if self.drawn.points.iter().all(|point| place.frame.holds(*point)) {
                    &mut self.drawn
                } else {
                    self.clipper.clip(&self.drawn, feature.kind, &place.frame, &mut self.cut);
                    &mut self.cut
                }
            }
        };
        // A triangle needs no proof.
        if feature.kind == Kind::Area && shape.points.len() > 3 {
            self.validator.make_valid(shape);
            if shape.is_empty() && place.frame.holds(feature.centre().map(|axis| rounded(axis, shift(place.zoom)))) {
                draughtsman.dot(feature, shape);
            }
        }
        let start = leaf.geometries.len() as u32;
        if !shape.is_empty() {
            mvt::geometry(&mut leaf.geometries, feature.kind, shape, place.origin);
        }
        (start, leaf.geometries.len() as u32)
    }

    fn layer(&mut self, place: &Place, leaf: &Leaf<'_>, chosen: &[usize]) -> u32 {
        let layer = leaf.layer;
        let drawn = |at: &usize| {
            let (start, end) = leaf.drawn[*at]?;
            (start < end).then(|| (leaf.feature(*at), &leaf.geometries[start as usize..end as usize]))
        };
        let features = chosen.iter().filter_map(drawn);
        let codes = |feature| codes(layer, place.zoom, feature);
        let seen = features.clone().map(|(feature, _)| codes(feature));
        let mut count = 0;
        self.buffers.layer(&mut self.tile, &layer.name, &layer.keys, &layer.dictionary, seen, |writer| {
            features.for_each(|(feature, geometry)| writer.feature(feature.id, codes(feature), feature.kind, geometry));
            count = writer.features;
        });
        count
    }

    /// Labels that stand in the tile itself: each stands in one tile of its zoom.
    fn labels(&mut self, place: &Place, leaf: &Leaf<'_>, chosen: &[usize]) {
        let layer = leaf.layer;
        let least = if place.zoom >= layer.tiling().max_zoom { 0 } else { LABELLED_UNITS << shift(place.zoom) };
        let stands =
            |feature: &&Feature| feature.kind != Kind::Point && feature.span() >= least && tile_of(feature.label, place.zoom) == place.tile;
        let features = chosen.iter().map(|at| leaf.feature(*at)).filter(stands);
        let codes = |feature| codes(layer, place.zoom, feature);
        let seen = features.clone().map(codes);
        let (drawn, mut geometry) = (&mut self.drawn, Vec::new());
        self.buffers.layer(&mut self.tile, &layer.label_name, &layer.keys, &layer.dictionary, seen, |writer| {
            for feature in features {
                drawn.clear();
                geometry.clear();
                // Downward: a label at the far edge stays in its tile.
                drawn.push_part(&[feature.label.map(|axis| axis >> shift(place.zoom))], false);
                mvt::geometry(&mut geometry, Kind::Point, drawn, place.origin);
                writer.feature(feature.id, codes(feature), Kind::Point, &geometry);
            }
        });
    }
}

/// Where a tile is, in the zoom's units.
struct Place {
    zoom: u8,
    tile: Point,
    origin: Point,
    frame: Frame,
}

impl Place {
    fn of(address: TileAddress) -> Place {
        let tile = [address.col as i32, address.row as i32];
        let half = 1i64 << (address.zoom + EXTENT_BITS - 1);
        let origin = tile.map(|axis| ((i64::from(axis) << EXTENT_BITS) - half) as i32);
        Place { zoom: address.zoom, tile, origin, frame: Block { low: tile, high: tile }.frame(address.zoom) }
    }
}

/// The codes of the columns that a zoom has.
fn codes<'a>(layer: &'a Prepared, zoom: u8, feature: &Feature) -> impl Iterator<Item = u32> + use<'a> {
    let codes = layer.records.record(feature, layer.keys.len()).codes();
    codes.zip(&layer.keys_from).map(move |(code, from)| if zoom < *from { ABSENT } else { code })
}
