//! What is chosen: features where a tile is too heavy, fields by zoom, ids; and that one tile is the archive's.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::model::batch::ColumnBuilder;
use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::batch::batch_of;
use crate::model::crs::CRS84;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::tile_matrix_set::TileAddress;
use crate::model::tiling::Tiling;
use crate::model::wkb;
use crate::tile::Preparation;
use crate::tile::Prepared;
use crate::tile::Report;
use crate::tile::TILE_BYTES_MAX;
use crate::tile::TileError;
use crate::tile::build;
use crate::tile::decoded;
use crate::tile::one;
use crate::tile::properties::layer;

const MAX_ZOOM: u8 = 6;
const POINTS: i64 = 40_000;

fn tiling() -> Tiling {
    Tiling { min_zoom: Some(4), max_zoom: MAX_ZOOM, importance: None, fields_from: Vec::new() }
}

/// Points whose names no compression makes short, spread over Brittany.
fn heavy(tiling: &Tiling) -> Prepared {
    let fields = [("nom", FieldType::Text), ("rang", FieldType::Integer)];
    let layer = Layer { tiling: tiling.clone(), ..layer(GeometryType::Point, &fields) };
    let mut preparation = Preparation::begin(&layer, CRS84, None).expect("known");
    for first in (0..POINTS).step_by(8_000) {
        let ids: Vec<i64> = (first..first + 8_000).collect();
        let mixed = |id: i64| crate::tile::held::mixed(id as u64);
        let names: Vec<String> = ids.iter().map(|id| format!("{:016x}{:016x}", mixed(*id), mixed(!*id))).collect();
        let row = |(id, name): (&i64, &'_ String)| {
            let (x, y) = ((mixed(*id) % 1_000) as f64, (mixed(*id) / 1_000 % 1_000) as f64);
            (*id, name.clone(), wkb::point(-4.0 + x * 3e-3, 47.5 + y * 1e-3))
        };
        let rows: Vec<(i64, String, Vec<u8>)> = ids.iter().zip(&names).map(row).collect();
        let rows: Vec<_> = rows
            .iter()
            .map(|(id, name, wkb)| (Some(*id), vec![Value::Text(name), Value::Integer(POINTS - id)], Some(wkb.clone())))
            .collect();
        preparation.take(&batch_of(&[FieldType::Text, FieldType::Integer], &rows, true)).expect("taken");
    }
    preparation.finish().expect("made")
}

/// Ids of the features at each zoom, and the report.
fn cut(layers: &[Prepared], keep_all: bool) -> (BTreeMap<u8, BTreeSet<u64>>, Report) {
    let out = tempfile::NamedTempFile::new().expect("a file");
    let report = build(layers, keep_all, out.path()).expect("built");
    let mut ids: BTreeMap<u8, BTreeSet<u64>> = BTreeMap::new();
    for (address, features) in decoded::tiles(out.path()) {
        ids.entry(address.zoom).or_default().extend(features.iter().map(|feature| feature.id));
    }
    (ids, report)
}

#[test]
fn a_heavy_tile_is_thinned_and_the_deepest_zoom_is_whole() {
    let (ids, report) = cut(&[heavy(&tiling())], false);
    for zoom in &report.zooms {
        assert!(zoom.zoom == MAX_ZOOM || zoom.heaviest <= TILE_BYTES_MAX as u64, "{zoom:?}");
    }
    let at = |zoom: u8| report.layers[0].zooms.iter().find(|at| at.zoom == zoom).copied().expect("a zoom");
    assert!(at(4).thinned > 0 && at(4).features > 10_000, "{:?}", at(4));
    assert!(at(4).features + at(4).thinned >= POINTS as u64);
    assert_eq!((ids[&MAX_ZOOM].len() as i64, at(MAX_ZOOM).thinned), (POINTS, 0));
    assert!(report.zooms.last().is_some_and(|last| last.zoom == MAX_ZOOM && last.heavy > 0), "{report:?}");
}

#[test]
fn with_everything_kept_nothing_is_thinned() {
    let (ids, report) = cut(&[heavy(&tiling())], true);
    assert!(ids.values().all(|ids| ids.len() as i64 == POINTS));
    assert!(report.layers[0].zooms.iter().all(|zoom| zoom.thinned == 0));
}

#[test]
fn a_field_says_which_features_stay() {
    let (ids, _) = cut(&[heavy(&Tiling { importance: Some("rang".to_owned()), ..tiling() })], false);
    let stayed = &ids[&4];
    // `rang` falls as the id rises: the first ids stay, all of them up to the last.
    let last = stayed.last().copied().expect("some stay");
    assert!(last + 1 < POINTS as u64 && stayed.len() as u64 == last + 1, "{} up to {last}", stayed.len());
    let none = Tiling { importance: Some("absent".to_owned()), ..tiling() };
    let layer = Layer { tiling: none, ..layer(GeometryType::Point, &[("nom", FieldType::Text)]) };
    assert!(matches!(Preparation::begin(&layer, CRS84, None), Err(TileError::Field { .. })));
}

#[test]
fn one_tile_is_the_tile_of_the_archive() {
    let layers = [heavy(&tiling())];
    let out = tempfile::NamedTempFile::new().expect("a file");
    build(&layers, false, out.path()).expect("built");
    for (address, features) in decoded::tiles(out.path()) {
        let alone = decoded::features(&decoded::gunzip(&one(address, &layers)));
        let ids = |features: &[decoded::Decoded]| features.iter().map(|feature| feature.id).collect::<Vec<_>>();
        assert_eq!(ids(&alone), ids(&features), "{address:?}");
    }
    assert!(one(TileAddress { zoom: 5, row: 0, col: 0 }, &layers).is_empty());
}

fn few(tiling: &Tiling, ids: Ids, id_kind: IdKind) -> Prepared {
    let layer = Layer { id_kind, tiling: tiling.clone(), ..layer(GeometryType::Point, &[("nom", FieldType::Text)]) };
    let mut names = ColumnBuilder::new(FieldType::Text);
    ["chêne", "frêne"].into_iter().for_each(|name| names.push(Value::Text(name)));
    let points = [wkb::point(-1.9, 48.1), wkb::point(-1.8, 48.2)];
    let geometry = arrow_array::BinaryArray::from_iter(points.iter().map(Some));
    let mut preparation = Preparation::begin(&layer, CRS84, None).expect("known");
    preparation.take(&FeatureBatch::new(ids, vec![names.finish()], Some(geometry))).expect("taken");
    preparation.finish().expect("made")
}

#[test]
fn an_id_that_is_text_is_a_hash_of_it_and_a_property() {
    let whole = few(&tiling(), Ids::Integer(vec![Some(7), None].into()), IdKind::Integer);
    assert_eq!(whole.features.iter().map(|feature| feature.id).collect::<BTreeSet<_>>(), BTreeSet::from([2, 7]));
    let text = || few(&tiling(), Ids::Text(vec![Some("A-1"), Some("A-2")].into()), IdKind::Text);
    let ids: BTreeSet<u64> = text().features.iter().map(|feature| feature.id).collect();
    assert!(ids.len() == 2 && ids.iter().all(|id| *id < 1 << 53));
    assert_eq!(ids, text().features.iter().map(|feature| feature.id).collect());
    let tile = tile_at(&[text()], 6);
    assert!(["id", "A-1", "A-2", "chêne"].iter().all(|word| tile.contains(word)), "{tile}");
}

#[test]
fn a_field_may_begin_at_a_zoom() {
    let layers = [few(&Tiling { fields_from: vec![("nom".to_owned(), 6)], ..tiling() }, Ids::Integer(vec![1, 2].into()), IdKind::Integer)];
    assert!(tile_at(&layers, 6).contains("frêne") && !tile_at(&layers, 5).contains("frêne"));
}

#[test]
fn the_first_zoom_is_the_last_that_shows_all_on_a_telephone() {
    let derived = Tiling { min_zoom: None, max_zoom: 14, ..tiling() };
    let span_deg = 0.1;
    let layer = few(&derived, Ids::Integer(vec![1, 2].into()), IdKind::Integer);
    let width_deg = 360.0 / f64::from(1 << layer.min_zoom());
    assert!(width_deg > 2.0 * span_deg && width_deg < 12.0 * span_deg, "{}", layer.min_zoom());
}

/// The tile of the two points, as far as it is text.
fn tile_at(layers: &[Prepared], zoom: u8) -> String {
    let side = f64::from(1 << zoom);
    let lat = 48.15_f64.to_radians();
    let (col, row) = ((-1.85 + 180.0) / 360.0 * side, (1.0 - lat.tan().asinh() / std::f64::consts::PI) / 2.0 * side);
    let address = TileAddress { zoom, row: row as u32, col: col as u32 };
    String::from_utf8_lossy(&decoded::gunzip(&one(address, layers))).into_owned()
}
