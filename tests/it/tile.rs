//! `bocage tile`: what it says, and what strangers find in the archive.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use gdal::Dataset;
use gdal::DatasetOptions;
use gdal::vector::LayerAccess;
use serde_json::Value;
use serde_json::json;

use crate::shared::shared;
use crate::shared::skipped;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bocage")).arg("tile").args(arguments).output().expect("started")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A town of 200 points, 40 streets and 100 parcels that share their borders, one file a kind.
fn town(folder: &Path) -> Vec<PathBuf> {
    let at = |n: f64| (n * 1e7).round() / 1e7;
    let feature = |id: usize, geometry: Value| {
        let properties = json!({ "numero": id, "nom": format!("n° {}", id % 7), "haut": 1.5 * id as f64, "ouvert": id.is_multiple_of(2) });
        json!({ "type": "Feature", "id": id, "properties": properties, "geometry": geometry })
    };
    let points = (1..=200).map(|id| {
        feature(id, json!({ "type": "Point", "coordinates": [at(-1.96 + (id % 20) as f64 * 1e-3), at(48.13 + (id / 20) as f64 * 1e-3)] }))
    });
    let streets = (1..=40).map(|id| {
        let line: Vec<Value> =
            (0..30).map(|n| json!([at(-1.97 + n as f64 * 1e-3), at(48.12 + id as f64 * 5e-4 + (n % 3) as f64 * 1e-4)])).collect();
        feature(id, json!({ "type": "LineString", "coordinates": line }))
    });
    let parcels = (1..=100).map(|id| {
        let (west, south) = (-1.96 + (id % 10) as f64 * 2e-3, 48.13 + (id / 10) as f64 * 1e-3);
        let ring = [(0.0, 0.0), (2e-3, 0.0), (2e-3, 1e-3), (0.0, 1e-3), (0.0, 0.0)].map(|(x, y)| json!([at(west + x), at(south + y)]));
        feature(id, json!({ "type": "Polygon", "coordinates": [ring] }))
    });
    let write = |name: &str, features: Vec<Value>| {
        let path = folder.join(name);
        std::fs::write(&path, json!({ "type": "FeatureCollection", "features": features }).to_string()).expect("written");
        path
    };
    vec![write("points.geojson", points.collect()), write("rues.geojson", streets.collect()), write("parcelles.geojson", parcels.collect())]
}

/// The archive of some files at these zooms, and the report.
fn archive(files: &[PathBuf], out: &Path, options: &[&str]) -> Value {
    let mut arguments: Vec<&str> = options.to_vec();
    arguments.push("--json");
    arguments.extend(files.iter().map(|file| text(file)));
    arguments.push(text(out));
    let output = run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What pmtiles and mapbox-vector-tile find; tiles are left in `folder`.
fn strangers(archive: &Path, folder: &Path) -> Option<Value> {
    let Some(python) = std::env::var_os("BOCAGE_PYTHON") else {
        skipped("pmtiles and mapbox-vector-tile are set up by `make test` (BOCAGE_PYTHON)");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/tiles.py");
    let output = Command::new(python).arg(script).arg(archive).arg(folder).output().expect("started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn strangers_find_every_feature_at_every_zoom_and_one_label_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("ville.pmtiles");
    let report = archive(&town(folder.path()), &out, &["-Z", "3", "-z", "15"]);
    assert!(
        report["layers"]
            .as_array()
            .expect("layers")
            .iter()
            .all(|layer| { layer["zooms"].as_array().expect("zooms").iter().all(|zoom| zoom["thinned"] == 0) })
    );
    let Some(found) = strangers(&out, &folder.path().join("tuiles")) else { return };
    assert_eq!((&found["header"]["min_zoom"], &found["header"]["max_zoom"]), (&json!(3), &json!(15)));
    assert_eq!(found["header"]["clustered"], true);
    let described: Vec<&str> =
        found["metadata"]["vector_layers"].as_array().expect("layers").iter().filter_map(|layer| layer["id"].as_str()).collect();
    assert_eq!(described, ["points", "rues", "rues_label", "parcelles", "parcelles_label"]);
    for zoom in 3..=15 {
        let layers = &found["zooms"][zoom.to_string()];
        for (layer, count) in [("points", 200), ("rues", 40), ("parcelles", 100)] {
            let features = layers[layer].as_object().expect("a layer");
            assert_eq!(features.len(), count, "zoom {zoom}, {layer}");
            let kept = |id: usize| &features[&id.to_string()];
            assert_eq!(kept(7)["properties"], json!({ "numero": 7, "nom": "n° 0", "haut": 10.5, "ouvert": false }));
            assert!(features.values().all(|feature| feature["inside"].as_u64().expect("a count") > 0));
        }
    }
    for (layer, count) in [("rues_label", 40), ("parcelles_label", 100)] {
        let labels = found["zooms"]["15"][layer].as_object().expect("a layer");
        assert!(labels.len() == count && labels.values().all(|label| label["inside"] == 1), "{layer}");
    }
}

#[test]
fn gdal_reads_the_deepest_zoom_and_finds_the_towns_areas() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (out, tiles) = (folder.path().join("communes.pmtiles"), folder.path().join("tuiles"));
    let communes = shared.join("data/montfort/01_ADMIN/communes.shp");
    archive(&[communes], &out, &["-Z", "8", "-z", "12"]);
    if strangers(&out, &tiles).is_none() {
        return;
    }
    let clip = DatasetOptions { open_options: Some(&["CLIP=YES"]), allowed_drivers: Some(&["MVT"]), ..DatasetOptions::default() };
    let dataset = Dataset::open_ex(format!("MVT:{}", text(&tiles.join("12"))), clip).expect("opened by MVT");
    let mut layer = dataset.layer_by_name("communes").expect("a layer");
    // In Web Mercator at 48.1° N a square is 2.24 times as large as on the ground.
    let drawn: f64 = layer.features().filter_map(|feature| feature.geometry().map(|geometry| geometry.area())).sum();
    let ground = drawn * 48.135_f64.to_radians().cos().powi(2) / 1e6;
    assert!((ground - 196.41).abs() < 1.5, "{ground} km²");
    let labels = dataset.layer_by_name("communes_label").expect("a layer").feature_count();
    assert_eq!(labels, 8);
}

#[test]
fn the_same_files_make_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = town(folder.path());
    let bytes = ["une.pmtiles", "autre.pmtiles"].map(|name| {
        let out = folder.path().join(name);
        archive(&files, &out, &["-z", "13"]);
        std::fs::read(out).expect("read")
    });
    assert!(bytes[0] == bytes[1] && bytes[0].starts_with(b"PMTiles\x03"));
}

#[test]
fn the_report_is_for_people_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = town(folder.path());
    let out = folder.path().join("ville.pmtiles");
    let output = run(&[text(&files[0]), text(&out), "-Z", "6", "-z", "10"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("points : 200 objets\n  rien n'est perdu, du zoom 6 au zoom 10") && said.contains("zoom 10 : "), "{said}");
}

#[test]
fn wrong_use_says_what_was_expected_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = town(folder.path());
    let table = folder.path().join("table.csv");
    std::fs::write(&table, "nom;valeur\nA;1\n").expect("written");
    let (points, table, out) = (text(&files[0]), text(&table), folder.path().join("rien.pmtiles"));
    let out = text(&out);
    for (arguments, said) in [
        (vec![points, text(&files[1])], ".pmtiles"),
        (vec![points, out, "-Z", "9", "-z", "8"], "-Z 9 dépasse -z 8"),
        (vec![points, out, "-z", "21"], "0..=20"),
        (vec![table, out], "géométrie"),
        (vec![points, "absent.shp", out], "absent.shp"),
    ] {
        let output = run(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(said), "{arguments:?}: {errors}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 4);
}
