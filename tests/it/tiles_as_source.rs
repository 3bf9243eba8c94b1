//! Tiles that somebody else cut, published as they are.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use crate::shared::bocage;
use crate::town::Town;

fn run(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_bocage")).args(arguments).output().expect("started");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// An archive of points with a name and a number, `lieux.pmtiles`.
fn archive(folder: &Path) -> std::path::PathBuf {
    let csv = folder.join("lieux.csv");
    let rows: Vec<String> = (0..300)
        .map(|n| format!("{n};Lieu n° {n};{:.5};{:.5}", -2.0 + f64::from(n % 20) * 2e-3, 48.1 + f64::from(n / 20) * 2e-3))
        .collect();
    std::fs::write(&csv, format!("numero;nom;lon;lat\n{}\n", rows.join("\n"))).expect("written");
    let out = folder.join("lieux.pmtiles");
    run(&["tile", text(&csv), text(&out), "-Z", "8", "-z", "14"]);
    out
}

fn bytes(town: &Town, path: &str) -> (u16, Vec<u8>) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.get(format!("{}{path}", town.base)).header("Accept-Encoding", "gzip").call().expect("an answer");
    (answer.status().as_u16(), answer.body_mut().with_config().limit(1 << 28).read_to_vec().expect("read"))
}

/// Every tile within the limits, by its path below `/tiles/`.
fn tiles(town: &Town, id: &str) -> Vec<(i64, i64, i64, Vec<u8>)> {
    let set = town.json(&format!("/collections/{id}/tiles/WebMercatorQuad"));
    let mut found = Vec::new();
    for limits in set["tileMatrixSetLimits"].as_array().expect("limits") {
        let number = |name: &str| limits[name].as_i64().expect("a number");
        let zoom: i64 = limits["tileMatrix"].as_str().and_then(|zoom| zoom.parse().ok()).expect("a zoom");
        for row in number("minTileRow")..=number("maxTileRow") {
            for col in number("minTileCol")..=number("maxTileCol") {
                if let (200, bytes) = bytes(town, &format!("/tiles/{id}/{zoom}/{col}/{row}")) {
                    found.push((zoom, col, row, bytes));
                }
            }
        }
    }
    found
}

#[test]
fn an_archive_is_served_as_it_lies_and_mbtiles_as_the_same_tiles() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archive(folder.path());
    let town = Town::start(&["serve", "--listen", "127.0.0.1:0", text(&archive)]);
    let from_pmtiles = tiles(&town, "lieux");
    assert!(from_pmtiles.len() > 10);
    assert_eq!(bytes(&town, "/downloads/lieux/lieux.pmtiles").1, std::fs::read(&archive).expect("read"));
    let json = town.json("/tiles/lieux.json");
    assert_eq!((json["minzoom"].as_i64(), json["maxzoom"].as_i64()), (Some(8), Some(14)));
    assert_eq!(json["vector_layers"][0]["fields"]["nom"], "String");
    // There are no features to ask, and nothing says that there are.
    let collection = town.json("/collections/lieux").to_string();
    assert!(!collection.contains("/items") && collection.contains("/tiles"), "{collection}");
    for path in ["/collections/lieux/items", "/collections/lieux/items/1", "/collections/lieux/schema", "/collections/lieux/queryables"] {
        assert_eq!(bytes(&town, path).0, 404, "{path}");
    }
    for path in ["/collections/lieux?f=html", "/collections/lieux/tiles?f=html", "/downloads/lieux/?f=html", "/api", "/"] {
        assert_eq!(bytes(&town, path).0, 200, "{path}");
    }

    // The same tiles as somebody else keeps them: rows from the south, some not compressed.
    let mbtiles = folder.path().join("plan.mbtiles");
    let database = Connection::open(&mbtiles).expect("created");
    database
        .execute_batch(
            "CREATE TABLE metadata (name text, value text); CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob);
            CREATE UNIQUE INDEX tile_index ON tiles (zoom_level, tile_column, tile_row);
            INSERT INTO metadata VALUES ('name', 'Plan'), ('format', 'pbf'), ('bounds', '-2.0,48.1,-1.9,48.2'),
            ('json', '{\"vector_layers\":[{\"id\":\"lieux\",\"fields\":{\"nom\":\"String\"}}]}');",
        )
        .expect("written");
    for (zoom, col, row, tile) in &from_pmtiles {
        database.execute("INSERT INTO tiles VALUES (?1, ?2, ?3, ?4)", (zoom, col, (1i64 << zoom) - 1 - row, tile)).expect("written");
    }
    drop(database);
    let town = Town::start(&["serve", "--listen", "127.0.0.1:0", text(&mbtiles)]);
    assert_eq!(tiles(&town, "plan"), from_pmtiles);
    assert_eq!(town.json("/tiles/plan.json")["bounds"], serde_json::json!([-2.0, 48.1, -1.9, 48.2]));
}

#[test]
fn a_column_inside_an_archive_goes_out_by_the_officers_word_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site");
    run(&["init", text(&site)]);
    let archive = archive(folder.path());
    std::fs::copy(&archive, site.join("layers/depot/lieux.pmtiles")).expect("copied");
    bocage(&site, &["add", "--json", "lieux.pmtiles"]);
    let file = site.join("layers/lieux.toml");
    let written = std::fs::read_to_string(&file).expect("written");
    assert!(["nom = {", "numero = {", "source = \"lieux.pmtiles\""].iter().all(|line| written.contains(line)), "{written}");
    let report = bocage(&site, &["publish", "--json"]);
    let outcome = |report: &Value| report.as_array().map_or(report["outcome"].clone(), |reports| reports[0]["outcome"].clone());
    assert_eq!(outcome(&report), "published", "{report}");
    assert_eq!(outcome(&bocage(&site, &["publish", "--json"])), "unchanged");
    std::fs::write(&file, written.replace("nom = {", "# nom = {")).expect("written");
    let report = bocage(&site, &["publish", "--json"]);
    assert!(outcome(&report) == "held" && report.to_string().contains("tileset-column"), "{report}");
}

#[test]
fn a_broken_archive_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = archive(folder.path());
    let whole = std::fs::read(&archive).expect("read");
    std::fs::write(&archive, &whole[..whole.len() / 2]).expect("written");
    let output =
        Command::new(env!("CARGO_BIN_EXE_bocage")).args(["serve", "--listen", "127.0.0.1:0", text(&archive)]).output().expect("started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("lieux.pmtiles") && said.contains("hors du fichier"), "{said}");
}
