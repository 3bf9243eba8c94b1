//! Real styles, read and written again; what is written lies in a folder where strangers judge it (`tests/conformance`).

mod finding;
mod served;

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use bocage::portrayal;
use bocage::portrayal::Style;
use bocage::portrayal::maplibre;
use bocage::portrayal::scale::Latitude;
use bocage::portrayal::scale::Length;
use bocage::portrayal::sld;
use bocage::portrayal::sld::SldVersion;
use bocage::portrayal::symbol::Dimension;
use bocage::portrayal::symbol::Fill;
use bocage::portrayal::symbol::Paint;

use crate::shared;

/// Where documents lie for `tests/conformance/styles.sh`.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("styles");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn read(path: &Path) -> Style {
    let bytes = std::fs::read(path).expect("read");
    portrayal::read(&bytes, Latitude::degrees(48.1)).unwrap_or_else(|error| panic!("{}: {error}", path.display())).1
}

/// As the server would send it.
fn document(style: &Style, name: &str, dimension: Dimension) -> Value {
    let label_layer = format!("{name}_label");
    let target = maplibre::Target {
        layer_id: name,
        source: name,
        source_layer: name,
        label_layer: (dimension == Dimension::Polygons).then_some(label_layer.as_str()),
        dimension,
        latitude: Latitude::degrees(48.1),
    };
    let written = maplibre::write(style, &target);
    let url = format!("http://127.0.0.1:8080/tiles/{name}.json");
    let addresses = maplibre::Addresses {
        glyphs: "http://127.0.0.1:8080/fonts/{fontstack}/{range}.pbf",
        sprite: (!written.images.is_empty()).then_some("http://127.0.0.1:8080/sprites/town"),
    };
    let document = maplibre::document(name, &[maplibre::Source { id: name, url: &url }], addresses, written.layers);
    std::fs::write(folder().join(format!("{name}.json")), serde_json::to_string_pretty(&document).expect("JSON")).expect("written");
    document
}

fn colours(style: &Style) -> Vec<String> {
    let colour = |paint: &Paint| match paint {
        Paint::Fill(Fill::Solid(colour)) => Some(*colour),
        Paint::Fill(_) => None,
        Paint::Stroke(stroke) => Some(stroke.colour),
        Paint::Marker(marker, _) => marker.fill,
    };
    style.rules.iter().flat_map(|rule| &rule.symbol).filter_map(|part| colour(&part.paint)).map(|colour| colour.hex()).collect()
}

#[test]
fn the_styles_of_qgis_are_read_with_their_classes() {
    let Some(shared) = shared::shared() else { return };
    let of = |name: &str| read(&shared.join("data/styles").join(name));
    let simple = of("polygon_simple.qml");
    assert_eq!(colours(&simple), ["#4bff7e", "#ff070b"]);
    assert_eq!(colours(&read(&shared.join("data/montfort/01_ADMIN/communes.qml"))), colours(&simple));
    let categories = of("point_categories.qml");
    assert_eq!(colours(&categories), ["#8adc38", "#ea5d5d", "#69dbdb", "#9e6ecd"]);
    assert_eq!(categories.rules.iter().map(|rule| rule.title.as_str()).collect::<Vec<&str>>(), ["1", "2", "3", ""]);
    assert_eq!(categories.rules[3].unless.len(), 3);
    let ranges = of("point_ranges.qml");
    assert_eq!(colours(&ranges), ["#ffffff", "#ffbfbf", "#ff8080", "#ff4040", "#ff0000"]);
    let labels = of("line_label_follow_line.qml");
    assert_eq!((labels.rules.len(), labels.labels.len()), (0, 1));
    for style in [simple, categories, ranges, labels] {
        assert!(style.losses.is_empty(), "{:?}", style.losses);
    }
}

#[test]
fn every_style_of_qgis_becomes_a_web_map() {
    let Some(shared) = shared::shared() else { return };
    for (name, dimension, layers) in [
        ("polygon_simple", Dimension::Polygons, 2),
        ("point_categories", Dimension::Points, 1),
        ("point_ranges", Dimension::Points, 1),
        ("line_label_follow_line", Dimension::Lines, 1),
    ] {
        let style = read(&shared.join("data/styles").join(format!("{name}.qml")));
        let document = document(&style, name, dimension);
        assert_eq!(document["layers"].as_array().map(Vec::len), Some(layers), "{name}");
    }
}

#[test]
fn the_styles_of_sld_are_read_with_their_classes() {
    let Some(shared) = shared::shared() else { return };
    let of = |name: &str| read(&shared.join("data/styles").join(name));
    let roads = of("1.0_cdata.sld");
    assert_eq!(
        (roads.rules.len(), colours(&roads)[..3].to_vec()),
        (13, vec!["#996089".to_owned(), "#ffd37f".to_owned(), "#b3b300".to_owned()])
    );
    assert_eq!((roads.rules[0].title.as_str(), roads.rules[0].scale.max), ("autosnelweg", 40_000.0));
    let filter = roads.rules[0].filter.as_ref().map(bocage::query::cql2_text::write);
    assert_eq!(filter.as_deref(), Some("visualisatiecode IN (10202, 10200, 10201)"));
    let point = of("1.0_point_simplepoint_filter.sld");
    let filter = point.rules[0].filter.as_ref().map(bocage::query::cql2_text::write).expect("a filter");
    for part in [
        "NAME = 'New York'",
        "TEST IS NULL",
        "TEST2 LIKE '%York%'",
        "NOT POPULATION > 100000",
        "(TEST2 = 1 OR TEST2 = 2)",
        "TEST3 BETWEEN 1 AND 5",
    ] {
        assert!(filter.contains(part), "{part}: {filter}");
    }
    assert_eq!((point.rules[0].scale.min, point.rules[0].scale.max), (10_000.0, 20_000.0));
    let label = &of("1.0_point_styledlabel.sld").labels[0];
    assert_eq!(
        (label.is_bold, label.size, label.angle_deg, label.displacement.1),
        (true, Length::Pixels(12.0), 45.0, Length::Pixels(-5.0))
    );
    let line = of("1.1_line_simpleline.sld");
    assert!(
        matches!(&line.rules[0].symbol[0].paint, Paint::Stroke(stroke) if stroke.dashes == [Length::Pixels(13.0), Length::Pixels(37.0)] && stroke.dash_offset == Length::Pixels(10.0))
    );
    let pattern = of("1.0_polygon_graphicFill.sld");
    assert!(matches!(&pattern.rules[0].symbol[0].paint, Paint::Fill(Fill::Markers { .. })));
    let zones = read(&shared.join("data/montfort/04_URBANISME/zone_urba.sld"));
    assert_eq!(colours(&zones), ["#000080", "#ffffff"]);
    for style in [roads, point, line, pattern, zones] {
        assert!(style.losses.is_empty(), "{:?}", style.losses);
    }
}

#[test]
fn every_style_becomes_a_web_map_and_both_versions_of_sld() {
    let Some(shared) = shared::shared() else { return };
    let town = Path::new(env!("CARGO_MANIFEST_DIR")).join("styles");
    let montfort = shared.join("data/montfort");
    let mut files: Vec<PathBuf> = vec![montfort.join("01_ADMIN/communes.qml"), montfort.join("04_URBANISME/zone_urba.sld")];
    for folder in [shared.join("data/styles"), town] {
        files.extend(std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()));
    }
    assert!(files.len() >= 14, "{files:?}");
    for path in files {
        let style = read(&path);
        let stem = path.file_stem().expect("a name").to_string_lossy().replace('.', "_");
        let dimension = if stem.contains("line") || stem == "voies" {
            Dimension::Lines
        } else if stem.contains("point") || stem.contains("arbres") {
            Dimension::Points
        } else {
            Dimension::Polygons
        };
        let document = document(&style, &stem, dimension);
        assert!(document["layers"].as_array().is_some_and(|layers| !layers.is_empty()), "{stem}");
        let again = portrayal::read(document.to_string().as_bytes(), Latitude::degrees(48.1)).expect("a style").1;
        // A sprite's colours are in its picture.
        if document.get("sprite").is_none() {
            assert_eq!(BTreeSet::from_iter(colours(&again)), BTreeSet::from_iter(colours(&style)), "{stem}");
        }
        assert_eq!(again.rules.len(), style.rules.len(), "{stem}");
        for (version, suffix) in [(SldVersion::V1_0, "1.0"), (SldVersion::V1_1, "1.1")] {
            let written = sld::write(&style, &stem, version);
            let path = folder().join(format!("{stem}.{suffix}.sld"));
            std::fs::write(&path, &written.document).expect("written");
            let again = portrayal::read(written.document.as_bytes(), Latitude::degrees(48.1)).expect("a style").1;
            // Levels of symbols become passes, one after the other.
            let sorted = |style: &Style| {
                let mut colours = colours(style);
                colours.sort();
                colours
            };
            assert_eq!(sorted(&again), sorted(&style), "{stem} {suffix}");
            check_schema(&path, &shared, suffix);
        }
    }
}

/// OGC's own schema of the version.
fn check_schema(path: &Path, shared: &Path, version: &str) {
    let lint = Command::new("xmllint")
        .env("XML_CATALOG_FILES", shared.join("xsd/catalog.xml"))
        .args(["--nonet", "--noout", "--schema"])
        .arg(shared.join(format!("xsd/schemas.opengis.net/sld/{version}.0/StyledLayerDescriptor.xsd")))
        .arg(path)
        .output()
        .expect("xmllint");
    assert!(lint.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&lint.stderr));
}

/// A layer without a style, of each kind of geometry.
#[test]
fn default_styles_become_web_maps_and_sld() {
    let Some(shared) = shared::shared() else { return };
    let kinds =
        [("points", Dimension::Points), ("lignes", Dimension::Lines), ("surfaces", Dimension::Polygons), ("melange", Dimension::Mixed)];
    for (name, dimension) in kinds {
        let style = portrayal::default::style(&bocage::model::layer::LayerId::new(name).expect("an id"), dimension);
        let document = document(&style, &format!("defaut_{name}"), dimension);
        assert!(document["layers"].as_array().is_some_and(|layers| !layers.is_empty()), "{name}");
        let path = folder().join(format!("defaut_{name}.1.1.sld"));
        std::fs::write(&path, sld::write(&style, name, SldVersion::V1_1).document).expect("written");
        check_schema(&path, &shared, "1.1");
    }
}
