//! Filters mean one thing: the store's SQL agrees with the reference evaluator, and the relations of geometries with GEOS.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use bocage::model::batch::Row;
use bocage::model::batch::batch_of;
use bocage::model::crs::CRS84;
use bocage::model::feature::Value;
use bocage::model::geometry::Envelope;
use bocage::model::layer::FieldType;
use bocage::model::layer::GeometryColumn;
use bocage::model::layer::GeometryType;
use bocage::model::layer::Layer;
use bocage::query::Page;
use bocage::query::Query;
use bocage::query::SortKey;
use bocage::query::cql2_json;
use bocage::query::cql2_text;
use bocage::query::evaluate;
use bocage::query::filter::Filter;
use bocage::query::filter::Spatial;
use bocage::query::filter::relate;
use bocage::query::filter::resolve::resolve;
use geo_types::Geometry;

use crate::database::Store;
use crate::store::field;
use crate::store::layer;

/// A seed and what it grows into: the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const TEXTS: [&str; 9] = ["", "a", "Bédée", "BEDEE", "be%", "l'eau", "a_b", "100 %", "Œuvre"];
/// SQLite keeps no minus before a zero.
const REALS: [f64; 6] = [-2.5, 0.0, 0.5, 2.0, 9_007_199_254_740_993.0, 1e300];
const WHOLES: [i64; 6] = [-3, 0, 1, 2, 9_007_199_254_740_993, i64::MAX];
const DAYS: [&str; 4] = ["1999-12-31", "2026-02-28", "2026-03-01", "2026-03-02"];
const INSTANTS: [&str; 4] = ["2026-02-28T23:59:59.5Z", "2026-03-01T00:00:00Z", "2026-03-01T01:00:00+01:00", "2026-03-01T12:00:00"];

fn many() -> Layer {
    let fields = [
        ("nom", FieldType::Text),
        ("n", FieldType::Integer),
        ("haut", FieldType::Real),
        ("public", FieldType::Boolean),
        ("pose", FieldType::Date),
        ("vu", FieldType::DateTime),
    ];
    Layer {
        fields: fields.map(|(name, field_type)| field(name, field_type)).to_vec(),
        geometry: Some(GeometryColumn { geometry_type: GeometryType::Geometry, has_z: false, has_m: false }),
        crs: CRS84,
        time_fields: vec!["pose".into()],
        ..layer()
    }
}

/// WKT on a grid of whole degrees, so that touching, lying inside and being equal happen often.
fn shape(random: &mut Random) -> String {
    let mut at = || format!("{} {}", random.below(5), random.below(5));
    let (a, b, c) = (at(), at(), at());
    match random.below(6) {
        0 => format!("POINT({a})"),
        1 => format!("LINESTRING({a}, {b})"),
        2 => format!("LINESTRING({a}, {b}, {c})"),
        3 => format!("MULTIPOINT(({a}), ({b}))"),
        4 => format!("POLYGON(({a}, {b}, {c}, {a}))"),
        _ => {
            let (x, y, wide, high) = (random.below(4), random.below(4), 1 + random.below(2), 1 + random.below(2));
            let (east, north) = (x + wide, y + high);
            format!("POLYGON(({x} {y}, {east} {y}, {east} {north}, {x} {north}, {x} {y}))")
        }
    }
}

/// The geometry of a WKT, if it is valid.
fn placed(wkt: &str) -> Option<Geometry<f64>> {
    let filter = cql2_text::parse(&format!("S_INTERSECTS(geometry, {wkt})")).expect("WKT");
    match resolve(filter, &many(), CRS84).ok()? {
        Filter::Spatial(_, _, literal) => match *literal {
            Filter::Shape(bocage::query::filter::shape::Shape::Placed(geometry)) => Some(geometry),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn wkb_of(geometry: &Geometry<f64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(&mut bytes, geometry, &wkb::writer::WriteOptions::default()).expect("written");
    bytes
}

fn rows(random: &mut Random, count: i64) -> Vec<Row<'static>> {
    let mut made = Vec::new();
    for id in 1..=count {
        let mut values = vec![
            Value::Text(random.of(&TEXTS)),
            Value::Integer(random.of(&WHOLES)),
            Value::Real(random.of(&REALS)),
            Value::Boolean(random.below(2) == 0),
            Value::Date(random.of(&DAYS)),
            Value::DateTime(random.of(&INSTANTS)),
        ];
        for value in &mut values {
            if random.below(4) == 0 {
                *value = Value::Null;
            }
        }
        let geometry = placed(&shape(random)).filter(|_| random.below(8) > 0).map(|geometry| wkb_of(&geometry));
        made.push((Some(id), values, geometry));
    }
    made
}

/// A condition in CQL2 text: every operator, every kind of operand, on either side.
fn condition(random: &mut Random, depth: usize) -> String {
    let comparison = |random: &mut Random| random.of(&["=", "<>", "<", ">", "<=", ">="]);
    match random.below(if depth == 0 { 9 } else { 13 }) {
        0 => format!("{} {} {}", number(random, 1), comparison(random), number(random, 1)),
        1 => format!("{} {} {}", text(random, 1), comparison(random), text(random, 1)),
        2 => format!("{} {} {}", moment(random), comparison(random), moment(random)),
        3 => {
            format!("{} LIKE {}", text(random, 1), random.of(&["'%e%'", "'_'", "'B_d%'", "CASEI('bé%')", "ACCENTI('Be%')", "''", "'%\\%'"]))
        }
        4 => format!("{} NOT BETWEEN {} AND {}", number(random, 1), number(random, 0), number(random, 0)),
        5 => format!("{} IN ({}, {}, {})", number(random, 0), number(random, 0), number(random, 1), number(random, 0)),
        6 => format!("{} IS NULL", random.of(&["nom", "n", "haut", "public", "pose", "vu", "geometry", "id", "(n + 1)", "CASEI(nom)"])),
        7 => {
            let relation = random.of(Spatial::ALL).word();
            let literal = if random.below(3) == 0 { "BBOX(0.5, 0.5, 3, 2.5)".to_owned() } else { shape(random) };
            if random.below(4) == 0 { format!("{relation}({literal}, geometry)") } else { format!("{relation}(geometry, {literal})") }
        }
        8 => temporal(random),
        9 | 10 => format!("({} AND {})", condition(random, depth - 1), condition(random, depth - 1)),
        11 => format!("({} OR {})", condition(random, depth - 1), condition(random, depth - 1)),
        _ => match random.below(4) {
            0 => "public".to_owned(),
            1 => format!("public = ({})", condition(random, depth - 1)),
            _ => format!("NOT ({})", condition(random, depth - 1)),
        },
    }
}

fn number(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 => random.of(&WHOLES).to_string(),
        1 => format!("{:?}", random.of(&REALS)),
        2 => "n".to_owned(),
        3 => "haut".to_owned(),
        4 => "id".to_owned(),
        _ => format!("({} {} {})", number(random, depth - 1), random.of(&["+", "-", "*", "/", "%", "div", "^"]), number(random, depth - 1)),
    }
}

fn text(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 2 } else { 4 }) {
        0 => format!("'{}'", random.of(&TEXTS).replace('\'', "''")),
        1 => "nom".to_owned(),
        2 => format!("CASEI({})", text(random, depth - 1)),
        _ => format!("ACCENTI({})", text(random, depth - 1)),
    }
}

fn moment(random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("DATE('{}')", random.of(&DAYS)),
        1 => format!("TIMESTAMP('{}')", random.of(&INSTANTS[..3])),
        2 => "pose".to_owned(),
        _ => "vu".to_owned(),
    }
}

fn interval(random: &mut Random) -> String {
    let mut end = || match random.below(4) {
        0 => "'..'".to_owned(),
        1 => format!("'{}'", random.of(&DAYS)),
        2 => format!("'{}'", random.of(&INSTANTS[..3])),
        _ => random.of(&["pose", "vu"]).to_owned(),
    };
    format!("INTERVAL({}, {})", end(), end())
}

fn temporal(random: &mut Random) -> String {
    let relation = random.of(bocage::query::filter::Temporal::ALL);
    if relation.takes_instants() && random.below(2) == 0 {
        return format!(
            "{}({}, {})",
            relation.word(),
            moment(random),
            if random.below(2) == 0 { moment(random) } else { interval(random) }
        );
    }
    format!("{}({}, {})", relation.word(), interval(random), interval(random))
}

/// The ids of the rows of which the filter holds, as the evaluator says.
fn judged(filter: &Filter, layer: &Layer, rows: &[Row<'_>]) -> Vec<i64> {
    let types: Vec<FieldType> = layer.fields.iter().map(|field| field.field_type).collect();
    let batch = batch_of(&types, rows, true);
    let holds = |row: &usize| evaluate::evaluate(filter, evaluate::Row { layer, batch: &batch, row: *row }) == Some(true);
    (0..rows.len()).filter(holds).filter_map(|row| rows[row].0).collect()
}

#[test]
fn the_stores_and_the_evaluator_agree_on_every_filter() {
    let mut random = Random(35);
    let rows = rows(&mut random, 120);
    let layer = many();
    let stores = Store::both("filters", &layer, &rows);
    let (mut asked, mut telling) = (0, 0);
    while asked < 3_000 {
        let text = condition(&mut random, 3);
        let read = cql2_text::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        // A triangle of three equal corners is no geometry.
        let Ok(filter) = resolve(read.clone(), &layer, CRS84) else { continue };
        let written = cql2_text::write(&read);
        assert_eq!(cql2_text::parse(&written).as_ref(), Ok(&read), "{text}: {written}");
        let again = cql2_json::read(cql2_json::write(&read)).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert_eq!(cql2_text::write(&again), written, "{text}");
        let expected: BTreeSet<i64> = judged(&filter, &layer, &rows).into_iter().collect();
        let query = Query { filter: Some(Arc::new(filter)), ..Query::all(CRS84) };
        for store in &stores {
            let page = store.page(&query);
            assert_eq!(page.ids.into_iter().collect::<BTreeSet<i64>>(), expected, "{}: {text}", store.name());
            assert_eq!(page.matched, Some(expected.len() as u64), "{}: {text}", store.name());
        }
        asked += 1;
        telling += u32::from(!expected.is_empty() && expected.len() < rows.len());
    }
    assert!(telling > 1_500, "{telling} of {asked} filters chose some rows and left others");
}

#[test]
fn what_an_index_finds_is_what_every_row_says() {
    let mut random = Random(56);
    // Enough for indexes; without geometry, rows keep their order.
    let layer = Layer { geometry: None, ..many() };
    let rows: Vec<Row<'_>> = rows(&mut random, 500).into_iter().cycle().take(24_000).collect();
    let rows: Vec<Row<'_>> = rows.into_iter().zip(1..).map(|((_, values, _), id)| (Some(id), values, None)).collect();
    let stores = Store::both("indexed", &layer, &rows);
    let Store::Stored(_, folder) = &stores[0] else { panic!("the version is the first") };
    let version = std::fs::read_dir(folder.path().join("var/layers/arbres")).expect("versions").flatten().map(|entry| entry.path());
    let data = version.map(|version| version.join("data.gpkg")).find(|data| data.is_file()).expect("the data");
    let connection = rusqlite::Connection::open(data).expect("a database");
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
    assert_eq!(verdict, "ok");
    let mut indexes = connection.prepare("SELECT idx FROM sqlite_stat1 WHERE tbl = 'arbres' ORDER BY idx").expect("analyzed");
    let indexes: Vec<String> = indexes.query_map([], |row| row.get(0)).expect("listed").map(|name| name.expect("a name")).collect();
    for column in ["haut", "n", "nom", "pose"] {
        assert!(indexes.contains(&format!("index_arbres_{column}")), "{indexes:?}");
    }
    assert!(!indexes.iter().any(|index| index.ends_with("public") || index.ends_with("vu")), "{indexes:?}");
    for text in [
        "nom = 'Bédée'",
        "n >= 0",
        "NOT (nom = 'a')",
        "nom IN ('', 'a_b') AND haut > 0",
        "pose = DATE('2026-03-01') OR n = 2",
        "pose > DATE('2026-03-02')",
        "haut BETWEEN 0.25 AND 0.75 AND nom = '100 %'",
        "id BETWEEN 4000 AND 23990 AND public",
    ] {
        let filter = resolve(cql2_text::parse(text).expect("a filter"), &layer, CRS84).expect("resolved");
        let expected = judged(&filter, &layer, &rows);
        let question = Query { filter: Some(Arc::new(filter)), ..Query::all(CRS84) };
        for store in &stores {
            assert_eq!(store.ids(&question), expected, "{}: {text}", store.name());
            let (mut by_key, mut by_offset, mut after) = (Vec::new(), Vec::new(), None);
            loop {
                let page = |offset, after| Query { page: Page { limit: Some(3_989), offset, after }, ..question.clone() };
                by_offset.extend(store.page(&page(by_key.len() as u64, None)).ids);
                let found = store.page(&page(0, after));
                assert_eq!(found.matched, Some(expected.len() as u64), "{}: {text}", store.name());
                by_key.extend(found.ids);
                after = found.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(by_key, expected, "{}: {text}", store.name());
            assert_eq!(by_offset, expected, "{}: {text}", store.name());
        }
    }
}

/// GEOS's word for a relation.
fn geos(relation: Spatial, a: &str, b: &str) -> bool {
    let (a, b) = (gdal::vector::Geometry::from_wkt(a).expect("WKT"), gdal::vector::Geometry::from_wkt(b).expect("WKT"));
    // SAFETY: both geometries live as long as the call.
    let answer = unsafe {
        let (a, b) = (a.c_geometry(), b.c_geometry());
        match relation {
            Spatial::Intersects => gdal_sys::OGR_G_Intersects(a, b),
            Spatial::Equals => gdal_sys::OGR_G_Equals(a, b),
            Spatial::Disjoint => gdal_sys::OGR_G_Disjoint(a, b),
            Spatial::Touches => gdal_sys::OGR_G_Touches(a, b),
            Spatial::Within => gdal_sys::OGR_G_Within(a, b),
            Spatial::Overlaps => gdal_sys::OGR_G_Overlaps(a, b),
            Spatial::Crosses => gdal_sys::OGR_G_Crosses(a, b),
            Spatial::Contains => gdal_sys::OGR_G_Contains(a, b),
        }
    };
    answer != 0
}

#[test]
fn every_relation_is_the_one_that_geos_finds() {
    let mut random = Random(7);
    let mut held = [0; 8];
    for _ in 0..4_000 {
        let a = shape(&mut random);
        let b = if random.below(30) == 0 { a.clone() } else { shape(&mut random) };
        let (Some(first), Some(second)) = (placed(&a), placed(&b)) else { continue };
        for relation in Spatial::ALL {
            // OGR compares the order of positions too; the standard asks for equal sets of points.
            let expected = match relation {
                Spatial::Equals => geos(Spatial::Within, &a, &b) && geos(Spatial::Contains, &a, &b),
                relation => geos(*relation, &a, &b),
            };
            assert_eq!(relate::holds(*relation, &first, &second), expected, "{} {a} {b}", relation.word());
            held[*relation as usize] += u32::from(expected);
        }
    }
    assert!(held.iter().all(|count| *count > 20), "{held:?}");
}

#[test]
fn an_order_is_kept_from_page_to_page_with_absent_values_last() {
    let mut random = Random(12);
    let rows = rows(&mut random, 150);
    let stores = Store::both("ordered", &many(), &rows);
    let worth = |id: i64, name: &str| {
        let column = ["nom", "n", "haut", "public", "pose", "vu"].iter().position(|known| *known == name);
        column.map_or(Value::Integer(id), |column| rows[usize::try_from(id - 1).expect("from 1")].1[column])
    };
    let micros = |text: &str| bocage::query::filter::moment::micros_of(text).expect("a moment");
    let compare = |a: Value<'_>, b: Value<'_>, down: bool| {
        let upwards = match (a, b) {
            (Value::Null, Value::Null) => return Ordering::Equal,
            (Value::Null, _) => return Ordering::Greater,
            (_, Value::Null) => return Ordering::Less,
            (Value::Text(a), Value::Text(b)) | (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Integer(a), Value::Integer(b)) => a.cmp(&b),
            (Value::Real(a), Value::Real(b)) => a.partial_cmp(&b).expect("finite"),
            (Value::Boolean(a), Value::Boolean(b)) => a.cmp(&b),
            (Value::DateTime(a), Value::DateTime(b)) => micros(a).cmp(&micros(b)),
            other => panic!("{other:?}"),
        };
        if down { upwards.reverse() } else { upwards }
    };
    let filter = resolve(cql2_text::parse("n IS NOT NULL OR public").expect("a filter"), &many(), CRS84).expect("resolved");
    let boxes = vec![Envelope { west: 0.5, south: 0.5, east: 3.5, north: 3.5 }];
    for keys in [
        vec![("nom", false)],
        vec![("haut", true), ("nom", false)],
        vec![("vu", false), ("pose", true)],
        vec![("public", true), ("id", true)],
    ] {
        let sort: Vec<SortKey> = keys.iter().map(|(name, down)| SortKey { name: (*name).to_owned(), is_descending: *down }).collect();
        let plain = Query { sort, ..Query::all(CRS84) };
        for question in [
            plain.clone(),
            Query { filter: Some(Arc::new(filter.clone())), ..plain.clone() },
            Query { bbox: boxes.clone(), ..plain.clone() },
        ] {
            for store in &stores {
                let unsorted = Query { sort: Vec::new(), ..question.clone() };
                // Ties keep the store's order, as a stable sort does.
                let mut expected = store.ids(&unsorted);
                expected.sort_by(|a, b| {
                    let each = keys.iter().map(|(name, down)| compare(worth(*a, name), worth(*b, name), *down));
                    each.fold(Ordering::Equal, Ordering::then)
                });
                assert_eq!(store.ids(&question), expected, "{}: {keys:?}", store.name());
                let (mut by_key, mut after) = (Vec::new(), None);
                loop {
                    let found = store.page(&Query { page: Page { limit: Some(7), offset: 0, after }, ..question.clone() });
                    assert_eq!(found.matched, Some(expected.len() as u64), "{}: {keys:?}", store.name());
                    by_key.extend(found.ids);
                    after = found.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(by_key, expected, "{}: {keys:?}", store.name());
                let skipped = Query { page: Page { limit: Some(5), offset: 3, after: None }, ..question.clone() };
                assert_eq!(store.page(&skipped).ids, expected[3.min(expected.len())..8.min(expected.len())], "{}: {keys:?}", store.name());
            }
        }
    }
}
