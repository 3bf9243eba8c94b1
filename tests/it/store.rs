//! The store from outside: versions, ids, questions, and what is left after a fault.

use std::sync::Arc;
use std::time::Duration;

use bocage::model::batch::Row;
use bocage::model::batch::batch_of;
use bocage::model::crs::CRS84;
use bocage::model::crs::Crs;
use bocage::model::feature::FeatureId;
use bocage::model::feature::Value;
use bocage::model::geometry::Envelope;
use bocage::model::layer::Field;
use bocage::model::layer::FieldType;
use bocage::model::layer::GeometryColumn;
use bocage::model::layer::GeometryType;
use bocage::model::layer::IdKind;
use bocage::model::layer::Layer;
use bocage::model::layer::LayerId;
use bocage::model::record::Contact;
use bocage::model::record::Licence;
use bocage::model::record::Record;
use bocage::model::tiling::Tiling;
use bocage::model::version::Version;
use bocage::model::wkb;
use bocage::query::After;
use bocage::query::Page;
use bocage::query::Query;
use bocage::store::LayerReader;
use bocage::store::LayerState;
use bocage::store::Manifest;
use bocage::store::Staged;
use bocage::store::Store;
use bocage::store::StoreError;
use bocage::store::Writer;

use crate::shared::skipped;

const NOW: &str = "2026-06-30T10:00:00Z";
const WAIT: Duration = Duration::from_millis(200);

pub fn field(name: &str, field_type: FieldType) -> Field {
    Field { name: name.into(), source_name: name.into(), title: name.into(), description: None, unit: None, field_type, values: Vec::new() }
}

fn id() -> LayerId {
    LayerId::new("arbres").expect("a valid id")
}

pub fn layer() -> Layer {
    Layer {
        id: id(),
        title: "Arbres".into(),
        description: String::new(),
        fields: vec![field("nom", FieldType::Text), field("haut", FieldType::Real), field("pose", FieldType::Date)],
        geometry: Some(GeometryColumn { geometry_type: GeometryType::Point, has_z: false, has_m: false }),
        crs: Crs::Epsg(3948),
        id_kind: IdKind::Integer,
        id_field: None,
        time_fields: vec!["pose".into()],
        features: 0,
        extent: None,
        interval: None,
        tiling: Tiling::default(),
        is_tileset: false,
    }
}

fn record() -> Record {
    Record {
        title: "Arbres".into(),
        description: String::new(),
        producer: Contact { name: "Ville".into(), siren: None, email: None, homepage: None },
        licence: Licence::from_spdx("etalab-2.0"),
        keywords: Vec::new(),
        theme: None,
        frequency: None,
        lineage: None,
        attribution: None,
        limits: None,
    }
}

/// Trees that lie as a fixed seed says, the last one nowhere.
fn trees(count: i64) -> Vec<Row<'static>> {
    let mut seed = 35u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / f64::from(1u32 << 31)
    };
    let names = ["Chêne", "Hêtre", "Frêne"];
    let days = ["2024-05-02", "2025-05-02", "2026-05-02"];
    (0..count)
        .map(|n| {
            let place = (n + 1 < count).then(|| wkb::point(-2.1 + random() * 0.2, 48.0 + random() * 0.2));
            let kind = (n % 3) as usize;
            (Some(n + 1), vec![Value::Text(names[kind]), Value::Real(n as f64), Value::Date(days[kind])], place)
        })
        .collect()
}

fn stage(writer: &Writer, layer: Layer, rows: &[Row<'_>]) -> Staged {
    let types: Vec<FieldType> = layer.fields.iter().map(|field| field.field_type).collect();
    let mut staging = writer.begin(layer, false).expect("begun");
    for piece in rows.chunks(700) {
        staging.write(&batch_of(&types, piece, true)).expect("written");
    }
    staging.finish().expect("finished")
}

fn publish(writer: &Writer, rows: &[Row<'_>], now: &str) -> Manifest {
    let staged = stage(writer, layer(), rows);
    std::fs::write(staged.folder.join("arbres.geojson"), "{}").expect("a download");
    let files = vec![("arbres.geojson".to_owned(), "application/geo+json".to_owned(), "GeoJSON".to_owned())];
    staged.commit(record(), files, now).expect("committed")
}

/// A version of these rows, as it is read. The folder is theirs.
pub fn reader_of(layer: Layer, rows: &[Row<'_>]) -> (tempfile::TempDir, Arc<LayerReader>) {
    let (folder, store) = open();
    let writer = store.writer(WAIT).expect("the lock");
    let id = layer.id.clone();
    let manifest = stage(&writer, layer, rows).commit(record(), Vec::new(), NOW).expect("committed");
    let reader = store.reader(&id, &manifest.version).expect("a reader");
    (folder, Arc::new(reader))
}

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("var")).expect("a store");
    (folder, store)
}

#[test]
fn a_version_is_served_with_its_hashes_and_an_unchanged_source_makes_none() {
    let (_folder, store) = open();
    let writer = store.writer(WAIT).expect("the lock");
    let before = store.generation();
    let manifest = publish(&writer, &trees(100), NOW);
    assert!(store.generation() > before);
    assert_eq!(store.layers().expect("layers"), [(id(), LayerState::Published, Some(manifest.version.clone()))]);
    assert_eq!(manifest.layer.features, 100);
    assert_eq!(manifest.layer.interval, Some((Some("2024-05-02".into()), Some("2026-05-02".into()))));
    let sum = std::fs::read_to_string(store.file(&id(), &manifest.version, "arbres.geojson.sha256")).expect("a sum");
    assert_eq!(sum, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a  arbres.geojson\n");
    assert!(stage(&writer, layer(), &trees(100)).is_unchanged().expect("compared"));
    assert!(!stage(&writer, layer(), &trees(99)).is_unchanged().expect("compared"));
    let mut fewer = layer();
    fewer.fields.truncate(2);
    fewer.time_fields.clear();
    let two: Vec<Row<'_>> = trees(100)
        .into_iter()
        .map(|(id, mut values, place)| {
            (
                id,
                {
                    values.truncate(2);
                    values
                },
                place,
            )
        })
        .collect();
    assert!(!stage(&writer, fewer, &two).is_unchanged().expect("compared"), "other columns are another version");
}

#[test]
fn every_question_is_answered_as_by_looking_at_every_row() {
    let (_folder, store) = open();
    let writer = store.writer(WAIT).expect("the lock");
    let rows = trees(3_000);
    let manifest = publish(&writer, &rows, NOW);
    let reader = Arc::new(store.reader(&id(), &manifest.version).expect("a reader"));
    let place = |row: &Row<'_>| row.2.as_ref().map(|bytes| wkb::envelope(bytes).expect("valid").expect("a point"));
    for step in 0..40 {
        let west = -2.15 + f64::from(step) * 0.005;
        let asked = Envelope { west, south: 48.05, east: west + 0.03, north: 48.16 };
        let mut query = Query { bbox: vec![asked], ..Query::all(CRS84) };
        if step % 2 == 1 {
            query.equals.push(("nom".into(), "Hêtre".into()));
        }
        if step % 3 == 1 {
            query.datetime = Some(bocage::query::datetime::parse("2025-01-01/2025-12-31").expect("an interval"));
        }
        let expected: std::collections::BTreeSet<i64> = rows
            .iter()
            .filter(|row| place(row).is_some_and(|place| place.intersects(&asked)))
            .filter(|row| query.equals.is_empty() || row.1[0] == Value::Text("Hêtre"))
            .filter(|row| query.datetime.is_none() || row.1[2] == Value::Date("2025-05-02"))
            .filter_map(|row| row.0)
            .collect();
        let mut found = std::collections::BTreeSet::new();
        for chunk in reader.select(&query).expect("selected") {
            let chunk = chunk.expect("read");
            for row in 0..chunk.batch.rows() {
                let Some(FeatureId::Integer(id)) = chunk.batch.id(row) else { panic!("an integer id") };
                assert!(found.insert(id), "seen once");
            }
        }
        assert_eq!(found, expected, "step {step}");
        assert_eq!(reader.page(&query).expect("a page").matched, expected.len() as u64);
    }
}

#[test]
fn pages_by_key_and_by_offset_show_each_row_once() {
    let (_folder, store) = open();
    let writer = store.writer(WAIT).expect("the lock");
    let manifest = publish(&writer, &trees(1_050), NOW);
    let reader = store.reader(&id(), &manifest.version).expect("a reader");
    let all = Query::all(CRS84);
    let equals = vec![("nom".to_owned(), "Chêne".to_owned())];
    let bbox = vec![
        Envelope { west: -2.1, south: 48.05, east: -1.95, north: 48.2 },
        Envelope { west: -1.95, south: 48.1, east: -1.9, north: 48.15 },
    ];
    let area = geo_types::Rect::new((-2.1, 48.05), (-1.9, 48.15)).to_polygon();
    let questions = [
        all.clone(),
        Query { equals: equals.clone(), ..all.clone() },
        Query { bbox: bbox.clone(), ..all.clone() },
        Query { bbox, equals, ..all.clone() },
        Query { area: Some(Arc::new(area.into())), ..all.clone() },
        Query { equals: vec![("nom".to_owned(), "Baobab".to_owned())], ..all },
    ];
    for question in questions {
        let all = reader.page(&question).expect("all");
        assert_eq!((all.matched, all.more), (all.rows.len() as u64, false));
        let (mut by_key, mut by_offset, mut after) = (Vec::new(), Vec::new(), None);
        for offset in (0..1_200).step_by(100) {
            let page = |after, offset| {
                let query = Query { page: Page { limit: Some(100), offset, after }, ..question.clone() };
                reader.page(&query).expect("a page")
            };
            let keyed = page(after.clone(), 0);
            assert_eq!(keyed.matched, all.matched);
            after = keyed.rows.last().copied().map(After::Row).or(after);
            by_key.extend(keyed.rows);
            assert_eq!(keyed.more, by_key.len() < all.rows.len());
            let skipped = page(None, offset);
            by_offset.extend(skipped.rows);
            assert_eq!((skipped.matched, skipped.more), (all.matched, by_offset.len() < all.rows.len()));
        }
        assert_eq!(by_key, all.rows);
        assert_eq!(by_offset, all.rows);
    }
}

#[test]
fn a_value_that_cannot_be_the_fields_matches_nothing() {
    let (_folder, store) = open();
    let writer = store.writer(WAIT).expect("the lock");
    let manifest = publish(&writer, &trees(10), NOW);
    let reader = store.reader(&id(), &manifest.version).expect("a reader");
    for (name, value, matches) in [("haut", "3", 1), ("haut", "haut", 0), ("nom", "Chêne' OR 1=1 --", 0)] {
        let query = Query { equals: vec![(name.into(), value.into())], ..Query::all(CRS84) };
        assert_eq!(reader.page(&query).expect("a page").matched, matches, "{name}={value}");
    }
}

#[test]
fn the_past_can_be_served_again_erased_and_pruned() {
    let (_folder, store) = open();
    let writer = store.writer(WAIT).expect("the lock");
    let first = publish(&writer, &trees(10), NOW).version;
    let second = publish(&writer, &trees(11), "2026-07-01T10:00:00Z").version;
    writer.switch(&id(), &first, "2026-07-02T10:00:00Z").expect("rolled back");
    assert_eq!(store.current(&id()).expect("current"), Some(first.clone()));
    let open_reader = store.reader(&id(), &second).expect("a reader");
    writer.purge(&id(), Some(&second), "2026-07-03T10:00:00Z").expect("purged");
    assert!(matches!(store.reader(&id(), &second), Err(StoreError::NoSuchVersion { .. })));
    assert!(!store.file(&id(), &second, "").exists());
    assert_eq!(open_reader.page(&Query::all(CRS84)).expect("still readable by who held it").rows.len(), 11);
    let states: Vec<(bool, bool)> = store.versions(&id()).expect("versions").iter().map(|entry| (entry.purged, entry.current)).collect();
    assert_eq!(states, [(true, false), (false, true)]);
    writer.purge(&id(), None, "2026-07-04T10:00:00Z").expect("purged");
    assert_eq!(store.layers().expect("layers"), [(id(), LayerState::Gone, None)]);
    let unknown = Version::try_from("20200101-00000000".to_owned()).expect("a version");
    assert!(matches!(writer.switch(&id(), &unknown, NOW), Err(StoreError::NoSuchVersion { .. })));
    for count in 20..24 {
        publish(&writer, &trees(count), &format!("2026-08-{count}T10:00:00Z"));
    }
    let kept = || store.versions(&id()).expect("versions").iter().filter(|entry| !entry.purged).count();
    writer.prune(&id(), 1, "2026-08-23T10:00:30Z").expect("pruned");
    assert_eq!(kept(), 2, "the one that was served half a minute ago may still be read");
    writer.prune(&id(), 1, "2026-08-23T10:02:00Z").expect("pruned");
    assert_eq!(kept(), 1);
}

#[test]
fn ids_outlive_their_rows_and_text_ids_must_be_unique() {
    let (_folder, store) = open();
    let writer = store.writer(WAIT).expect("the lock");
    publish(&writer, &trees(10), NOW);
    let fewer: Vec<Row<'_>> =
        trees(10).into_iter().skip(1).enumerate().map(|(n, (_, values, place))| (Some(n as i64 + 1), values, place)).collect();
    let version = publish(&writer, &fewer, "2026-07-01T10:00:00Z").version;
    let reader = store.reader(&id(), &version).expect("a reader");
    assert_eq!(reader.row_of(&FeatureId::Integer(1)).expect("asked"), None, "the first tree was felled");
    for tree in 2..=10 {
        let row = reader.row_of(&FeatureId::Integer(tree)).expect("asked").expect("there");
        let batch = reader.row(row).expect("read").expect("there");
        assert_eq!(batch.value(0, 1), Value::Real(tree as f64 - 1.0));
    }
    let mut named = layer();
    (named.id_kind, named.id_field) = (IdKind::Text, Some("nom".into()));
    let types: Vec<FieldType> = named.fields.iter().map(|field| field.field_type).collect();
    let mut staging = writer.begin(named, false).expect("begun");
    staging.write(&batch_of(&types, &trees(4), true)).expect("written");
    assert!(matches!(staging.finish(), Err(StoreError::DuplicateId { id, .. }) if id == "Chêne"));
}

#[test]
fn what_an_interrupted_writer_left_is_swept_and_found() {
    let (_folder, store) = open();
    let staged;
    {
        let writer = store.writer(WAIT).expect("the lock");
        publish(&writer, &trees(10), NOW);
        staged = store.root.join("layers/arbres/.staging-1");
        std::fs::create_dir_all(&staged).expect("a left-over");
    }
    // As if the writer had been killed between the rename and the register's row.
    let version = store.current(&id()).expect("current").expect("a version");
    let twin = Version::new("20260701", &[1, 2, 3, 4]);
    let (from, to) = (store.root.join("layers/arbres").join(version.as_str()), store.root.join("layers/arbres").join(twin.as_str()));
    std::fs::create_dir_all(&to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
    let _writer = store.writer(WAIT).expect("the lock");
    assert!(!staged.exists());
    assert!(store.versions(&id()).expect("versions").iter().any(|entry| entry.version == twin));
    assert_eq!(store.current(&id()).expect("current"), Some(version), "nothing was switched");
}

#[test]
fn one_writes_at_a_time() {
    let (_folder, store) = open();
    let _writer = store.writer(WAIT).expect("the lock");
    assert!(matches!(store.writer(WAIT), Err(StoreError::Locked { .. })));
}

#[test]
fn an_older_and_a_newer_store_say_so() {
    for found in ["0", "999", "x"] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("format"), found).expect("written");
        let error = Store::open(folder.path()).expect_err("refused");
        assert!(error.to_string().contains(&format!("est au format {found}")), "{error}");
    }
}

#[test]
fn gdal_opens_what_the_store_keeps() {
    let (_folder, store) = open();
    let writer = store.writer(WAIT).expect("the lock");
    let manifest = publish(&writer, &trees(500), NOW);
    let path = store.file(&id(), &manifest.version, "data.gpkg");
    let Ok(output) = std::process::Command::new("ogrinfo").args(["-ro", "-so", "-al"]).arg(&path).output() else {
        skipped("ogrinfo is absent (gdal-bin)");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Feature Count: 500") && said.contains("Geometry: Point") && said.contains("haut: Real"), "{said}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
