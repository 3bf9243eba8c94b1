//! Clients that others wrote read the served town.

use std::collections::BTreeMap;
use std::process::Command;

use gdal::Dataset;
use gdal::DatasetOptions;
use gdal::vector::LayerAccess;

use crate::downloads::is_there;
use crate::shared::shared;
use crate::shared::skipped;
use crate::town::Town;
use crate::town::in_both_towns;

/// Positions of one feature by its id, in degrees.
type Places = BTreeMap<String, Option<Vec<(f64, f64)>>>;

/// Both sides round to seven decimals.
const TOLERANCE_DEG: f64 = 1.1e-7;

fn places(dataset: &Dataset, layer: Option<&str>) -> Places {
    let mut layer = match layer {
        Some(name) => dataset.layer_by_name(name).expect("a layer"),
        None => dataset.layer(0).expect("a layer"),
    };
    let id = layer.defn().fields().position(|field| field.name() == "id");
    let mut places = Places::new();
    for feature in layer.features() {
        let key = match id {
            Some(column) => feature.field_as_string(column).expect("text").expect("an id"),
            None => feature.fid().expect("an id").to_string(),
        };
        let positions = feature.geometry().filter(|geometry| is_there(geometry)).map(|geometry| {
            let drawn = geometry.envelope();
            vec![(drawn.MinX, drawn.MinY), (drawn.MaxX, drawn.MaxY)]
        });
        assert!(places.insert(key.clone(), positions).is_none(), "{key} is seen twice");
    }
    places
}

fn gdals_oapif_driver_sees_each_feature_once_and_in_its_place(town: &Town) {
    let options = DatasetOptions { open_options: Some(&["PAGE_SIZE=7"]), allowed_drivers: Some(&["OAPIF"]), ..DatasetOptions::default() };
    let served = Dataset::open_ex(format!("OAPIF:{}", town.base), options).expect("opened by OAPIF");
    let layers = town.layers();
    assert_eq!(served.layer_count(), layers.len());
    for id in layers {
        let mut file = tempfile::Builder::new().suffix(".geojson").tempfile().expect("a file");
        let mut answer = town.get(&format!("/downloads/{id}/{id}.geojson"));
        std::io::copy(&mut answer.body_mut().as_reader(), file.as_file_mut()).expect("copied");
        let expected = places(&Dataset::open(file.path()).expect("opened"), None);
        let found = places(&served, Some(&id));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{id}");
        for (key, place) in &found {
            let near = match (place, &expected[key]) {
                (Some(a), Some(b)) => {
                    a.iter().zip(b).all(|(a, b)| (a.0 - b.0).abs() <= TOLERANCE_DEG && (a.1 - b.1).abs() <= TOLERANCE_DEG)
                }
                (a, b) => a.is_none() && b.is_none(),
            };
            assert!(near, "{id} {key}: {place:?} {:?}", expected[key]);
        }
    }
}

fn owslib_pages_through_the_town_in_each_spelling_of_a_crs(town: &Town) {
    let Some(python) = std::env::var_os("BOCAGE_PYTHON") else {
        skipped("OWSLib is set up by `make test` (BOCAGE_PYTHON)");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/owslib_features.py");
    let output = Command::new(python).args([script, &town.base, "7"]).output().expect("started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.lines().count(), town.layers().len(), "{said}");
}

#[test]
fn gdal_reads_the_feed_of_downloads_and_its_addresses_answer() {
    let town = Town::demo();
    for id in town.layers() {
        let mut answer = town.get(&format!("/downloads/{id}/?f=atom"));
        assert_eq!(answer.headers()["content-type"], "application/atom+xml", "{id}");
        let mut file = tempfile::Builder::new().suffix(".xml").tempfile().expect("a file");
        std::io::copy(&mut answer.body_mut().as_reader(), file.as_file_mut()).expect("copied");
        let lint = Command::new("xmllint").args(["--nonet", "--noout"]).arg(file.path()).output().expect("xmllint");
        assert!(lint.status.success(), "{id}: {}", String::from_utf8_lossy(&lint.stderr));
        let options = DatasetOptions { allowed_drivers: Some(&["GeoRSS"]), ..DatasetOptions::default() };
        let feed = Dataset::open_ex(file.path(), options).expect("opened by GeoRSS");
        let mut entries = feed.layer(0).expect("a layer");
        let listed = town.json(&format!("/downloads/{id}/"));
        let files = listed["files"].as_array().expect("files");
        assert_eq!(usize::try_from(entries.feature_count()).expect("few"), files.len(), "{id}");
        for (entry, file) in entries.features().zip(files) {
            let text = |name: &str| {
                let column = entry.field_index(name).unwrap_or_else(|_| panic!("{name} is absent"));
                entry.field_as_string(column).expect("text").unwrap_or_else(|| panic!("{name} is null"))
            };
            assert_eq!(text("link2_rel"), "enclosure");
            assert_eq!(
                (text("link2_type").as_str(), text("link2_length").as_str()),
                (file["type"].as_str().expect("a type"), file["bytes"].to_string().as_str())
            );
            assert!(text("summary").contains(file["sha256"].as_str().expect("a hash")), "{id}");
            let path = text("link2_href").strip_prefix(&town.base).expect("an address of the town").to_owned();
            assert_eq!(town.get(&path).headers()["content-length"], file["bytes"].to_string().as_str(), "{path}");
        }
    }
}

/// OGC's own schema of SLD 1.1.
#[test]
fn the_towns_styles_are_valid_by_their_schema() {
    let Some(shared) = shared() else { return };
    let styles = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("styles");
    let paths: Vec<_> = std::fs::read_dir(styles).expect("a folder").flatten().map(|entry| entry.path()).collect();
    let paths: Vec<_> = paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "sld")).collect();
    assert!(!paths.is_empty());
    let lint = Command::new("xmllint")
        .env("XML_CATALOG_FILES", shared.join("xsd/catalog.xml"))
        .args(["--nonet", "--noout", "--schema"])
        .arg(shared.join("xsd/schemas.opengis.net/sld/1.1.0/StyledLayerDescriptor.xsd"))
        .args(paths)
        .output()
        .expect("xmllint");
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stderr));
}

in_both_towns! {
    gdals_oapif_driver_sees_each_feature_once_and_in_its_place,
    owslib_pages_through_the_town_in_each_spelling_of_a_crs,
}
