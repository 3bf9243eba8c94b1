//! What the tiler promises, asked of random coverages: nothing lost, no gap, one label, valid rings, areas kept.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use geo::Area;
use geo::BooleanOps;
use geo::Validation;
use geo::unary_union;
use geo_types::Geometry;
use geo_types::LineString;
use geo_types::MultiPolygon;
use geo_types::Polygon;
use geo_types::coord;

use crate::model::batch::batch_of;
use crate::model::crs::LAMBERT_93;
use crate::model::feature::Value;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::tile_matrix_set::TileAddress;
use crate::model::tiling::Tiling;
use crate::tile::Preparation;
use crate::tile::Prepared;
use crate::tile::build;
use crate::tile::decoded::Decoded;
use crate::tile::decoded::tiles;

const MAX_ZOOM: u8 = 12;

struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1u64 << 24) as f64
    }
}

/// A coverage of `side` × `side` cells whose borders are crooked and shared, about some point of Brittany; corners in metres.
fn coverage(seed: u64, side: usize, cell_m: f64, bends: usize) -> Vec<Vec<(f64, f64)>> {
    let mut random = Random(seed);
    let mut jitter = |share: f64| (random.next() - 0.5) * share * cell_m;
    let corners: Vec<Vec<(f64, f64)>> = (0..=side)
        .map(|row| {
            (0..=side).map(|col| (330_000.0 + col as f64 * cell_m + jitter(0.4), 6_790_000.0 + row as f64 * cell_m + jitter(0.4))).collect()
        })
        .collect();
    let mut borders: BTreeMap<(usize, usize, bool), Vec<(f64, f64)>> = BTreeMap::new();
    for (row, col, is_east) in (0..=side).flat_map(|row| (0..=side).flat_map(move |col| [(row, col, true), (row, col, false)])) {
        let (to_row, to_col) = if is_east { (row, col + 1) } else { (row + 1, col) };
        if to_row > side || to_col > side {
            continue;
        }
        let (from, to) = (corners[row][col], corners[to_row][to_col]);
        let between = (1..=bends).map(|at| {
            let part = at as f64 / (bends + 1) as f64;
            // Less than from one bend to the next, so that no border crosses itself.
            let least = 0.8 / (bends + 1) as f64;
            (from.0 + (to.0 - from.0) * part + jitter(least), from.1 + (to.1 - from.1) * part + jitter(least))
        });
        borders.insert((row, col, is_east), std::iter::once(from).chain(between).chain([to]).collect());
    }
    let mut rings = Vec::new();
    for (row, col) in (0..side).flat_map(|row| (0..side).map(move |col| (row, col))) {
        let reversed = |border: &Vec<(f64, f64)>| border.iter().rev().copied().collect::<Vec<_>>();
        let mut ring = borders[&(row, col, true)].clone();
        ring.extend(&borders[&(row, col + 1, false)][1..]);
        ring.extend(&reversed(&borders[&(row + 1, col, true)])[1..]);
        ring.extend(&reversed(&borders[&(row, col, false)])[1..]);
        rings.push(ring);
    }
    rings
}

fn wkb_of(ring: &[(f64, f64)]) -> Vec<u8> {
    let polygon = Geometry::from(Polygon::new(LineString::from(ring.to_vec()), Vec::new()));
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(&mut bytes, &polygon, &wkb::writer::WriteOptions::default()).expect("written");
    bytes
}

/// A layer with these fields, whose ids are integers.
pub fn layer(geometry_type: GeometryType, fields: &[(&str, FieldType)]) -> Layer {
    let field = |(name, field_type): &(&str, FieldType)| Field {
        name: (*name).to_owned(),
        source_name: (*name).to_owned(),
        title: (*name).to_owned(),
        description: None,
        unit: None,
        field_type: *field_type,
        values: Vec::new(),
    };
    Layer {
        id: LayerId::new("zones").expect("an id"),
        title: "Zones".to_owned(),
        description: String::new(),
        fields: fields.iter().map(field).collect(),
        geometry: Some(GeometryColumn { geometry_type, has_z: false, has_m: false }),
        crs: LAMBERT_93,
        id_kind: IdKind::Integer,
        id_field: None,
        time_fields: Vec::new(),
        features: 0,
        extent: None,
        interval: None,
        tiling: Tiling::default(),
        is_tileset: false,
    }
}

fn prepared(rings: &[Vec<(f64, f64)>]) -> Prepared {
    let tiling = Tiling { min_zoom: Some(0), max_zoom: MAX_ZOOM, ..Tiling::default() };
    let layer = Layer { tiling, ..layer(GeometryType::Polygon, &[("nom", FieldType::Text)]) };
    let mut preparation = Preparation::begin(&layer, LAMBERT_93, None).expect("known");
    let rows: Vec<_> = rings
        .iter()
        .enumerate()
        .map(|(at, ring)| (Some(at as i64 + 1), vec![Value::Text(if at % 3 == 0 { "A" } else { "N" })], Some(wkb_of(ring))))
        .collect();
    preparation.take(&batch_of(&[FieldType::Text], &rows, true)).expect("taken");
    preparation.finish().expect("made")
}

fn cut(rings: &[Vec<(f64, f64)>]) -> Vec<(TileAddress, Vec<Decoded>)> {
    let out = tempfile::NamedTempFile::new().expect("a file");
    build(&[prepared(rings)], true, out.path()).expect("built");
    tiles(out.path())
}

/// Features of a layer at a zoom, in units of the zoom.
fn at_zoom<'a>(cut: &'a [(TileAddress, Vec<Decoded>)], zoom: u8, layer: &'a str) -> impl Iterator<Item = (TileAddress, &'a Decoded)> {
    let tiles = cut.iter().filter(move |(address, _)| address.zoom == zoom);
    tiles
        .flat_map(|(address, features)| features.iter().map(|feature| (*address, feature)))
        .filter(move |(_, feature)| feature.layer == layer)
}

fn placed(address: TileAddress, feature: &Decoded) -> MultiPolygon<f64> {
    let ring = |points: &Vec<(i32, i32)>| {
        LineString::from_iter(points.iter().map(|(x, y)| {
            coord! { x: f64::from(*x) + f64::from(address.col) * 4096.0, y: f64::from(*y) + f64::from(address.row) * 4096.0 }
        }))
    };
    let mut polygons: Vec<Polygon<f64>> = Vec::new();
    for points in &feature.parts {
        // MVT 2.1: a shell is clockwise on the screen, whose y grows downward.
        let doubled: i64 = points
            .iter()
            .zip(points.iter().cycle().skip(1))
            .map(|(a, b)| i64::from(a.0) * i64::from(b.1) - i64::from(b.0) * i64::from(a.1))
            .sum();
        assert_ne!(doubled, 0, "a ring without an area");
        match polygons.last_mut() {
            Some(last) if doubled < 0 => last.interiors_push(ring(points)),
            None if doubled < 0 => panic!("a hole without a shell"),
            _ => polygons.push(Polygon::new(ring(points), Vec::new())),
        }
    }
    MultiPolygon::new(polygons)
}

/// The tile without its margin.
fn square(address: TileAddress) -> MultiPolygon<f64> {
    let (x, y) = (f64::from(address.col) * 4096.0, f64::from(address.row) * 4096.0);
    Polygon::new(LineString::from(vec![(x, y), (x + 4096.0, y), (x + 4096.0, y + 4096.0), (x, y + 4096.0)]), Vec::new()).into()
}

/// Villages, parcels, regions and plots.
fn trials() -> impl Iterator<Item = Vec<Vec<(f64, f64)>>> {
    let kinds = [(6, 3_000.0, 24), (10, 400.0, 6), (4, 20_000.0, 60), (14, 90.0, 3)];
    (0..12).map(move |seed: u64| {
        let (side, cell_m, bends) = kinds[seed as usize % kinds.len()];
        coverage(seed, side, cell_m, bends)
    })
}

#[test]
fn the_trials_are_valid_themselves() {
    for ring in trials().flatten() {
        assert!(Polygon::new(LineString::from(ring), Vec::new()).is_valid());
    }
}

#[test]
fn nothing_is_lost_at_any_zoom_and_every_ring_is_valid() {
    for rings in trials() {
        let cut = cut(&rings);
        for zoom in 0..=MAX_ZOOM {
            let ids: BTreeSet<u64> = at_zoom(&cut, zoom, "zones").map(|(_, feature)| feature.id).collect();
            assert_eq!(ids.len(), rings.len(), "zoom {zoom}");
            for (address, feature) in at_zoom(&cut, zoom, "zones") {
                let drawn = placed(address, feature);
                assert!(drawn.is_valid(), "zoom {zoom}: {} {drawn:?}", feature.id);
            }
        }
    }
}

#[test]
fn each_feature_has_one_label_and_it_lies_inside() {
    for rings in trials() {
        let cut = cut(&rings);
        for zoom in 0..=MAX_ZOOM {
            let mut ids: Vec<u64> = at_zoom(&cut, zoom, "zones_label").map(|(_, feature)| feature.id).collect();
            let labels = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), labels, "zoom {zoom}");
            assert!(zoom < MAX_ZOOM || labels == rings.len());
        }
        for (address, label) in at_zoom(&cut, MAX_ZOOM, "zones_label") {
            let (x, y) = label.parts[0][0];
            assert!((0..4096).contains(&x) && (0..4096).contains(&y), "in its own tile");
            let shapes = at_zoom(&cut, MAX_ZOOM, "zones").filter(|(at, feature)| *at == address && feature.id == label.id);
            let point =
                geo_types::Point::new(f64::from(x) + f64::from(address.col) * 4096.0, f64::from(y) + f64::from(address.row) * 4096.0);
            let inside = shapes.map(|(at, feature)| placed(at, feature)).any(|drawn| geo::Intersects::intersects(&drawn, &point));
            assert!(inside, "{} {point:?}", label.id);
        }
    }
}

/// About the width of a narrow ring: its area by half of its length.
fn width(ring: &LineString<f64>) -> f64 {
    let length: f64 = ring.lines().map(|line| line.dx().hypot(line.dy())).sum();
    2.0 * Polygon::new(ring.clone(), Vec::new()).unsigned_area() / length
}

/// The union of all features has no hole and the area of all: no gap, no overlap, but where arcs that leave a corner cross
/// each other by less than a unit.
#[test]
fn shared_borders_have_no_gap_and_no_overlap() {
    for rings in trials() {
        let cut = cut(&rings);
        for zoom in 0..=MAX_ZOOM {
            let mut tiles: BTreeMap<(u32, u32), Vec<MultiPolygon<f64>>> = BTreeMap::new();
            for (address, feature) in at_zoom(&cut, zoom, "zones") {
                tiles.entry((address.row, address.col)).or_default().push(placed(address, feature));
            }
            for ((row, col), drawn) in tiles {
                let sum: f64 = drawn.iter().map(Area::unsigned_area).sum();
                if sum < 16.0 * drawn.len() as f64 {
                    // Smaller than the grid: the smallest shapes are not a coverage any more.
                    continue;
                }
                let union = unary_union(&drawn);
                for hole in union.iter().flat_map(|polygon| polygon.interiors()) {
                    let width = width(hole);
                    assert!(width <= 1.0, "zoom {zoom} {row}/{col}: a gap of {width} units");
                }
                assert!(
                    (union.unsigned_area() - sum).abs() < 1e-3 * sum + 1.0,
                    "zoom {zoom} {row}/{col}: {} and {sum}",
                    union.unsigned_area()
                );
            }
        }
    }
}

#[test]
fn a_class_keeps_its_area() {
    for rings in trials() {
        let cut = cut(&rings);
        let layer = prepared(&rings);
        for zoom in 0..=MAX_ZOOM {
            for class in ["A", "N"] {
                let of_class = |id: u64| ((id - 1).is_multiple_of(3)) == (class == "A");
                let world: f64 = layer.features.iter().filter(|feature| of_class(feature.id)).map(|feature| f64::from(feature.size)).sum();
                let source = world / 4f64.powi(i32::from(20 - zoom));
                let count = layer.features.iter().filter(|feature| of_class(feature.id)).count();
                if source < 10_000.0 || source / (count as f64) < 16.0 {
                    continue;
                }
                let features = at_zoom(&cut, zoom, "zones").filter(|(_, feature)| of_class(feature.id));
                let drawn: f64 = features.map(|(at, feature)| placed(at, feature).intersection(&square(at)).unsigned_area()).sum();
                assert!((drawn / source - 1.0).abs() < 0.005, "zoom {zoom}, class {class}: {drawn} of {source}");
            }
        }
    }
}

#[test]
fn the_same_features_make_the_same_bytes_whatever_their_order() {
    let rings = coverage(9, 8, 700.0, 9);
    let bytes = |rings: &[Vec<(f64, f64)>]| {
        let out = tempfile::NamedTempFile::new().expect("a file");
        build(&[prepared(rings)], false, out.path()).expect("built");
        std::fs::read(out.path()).expect("read")
    };
    assert_eq!(bytes(&rings), bytes(&rings));
}
