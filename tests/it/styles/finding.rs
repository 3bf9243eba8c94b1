//! Where a layer's style is found, in which order, and what a change of it changes.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::shared::bocage;
use crate::town::Town;

const SITE: &str = "title = \"Essai\"\nlicence = \"etalab-2.0\"\n[publisher]\nname = \"Essai\"\n";
const LAYER: &str = "source = \"bancs.gpkg\"\nstate = \"published\"\naliases = \"sieges\"\nSTYLE\n[fields]\nnom = { title = \"Nom\" }\n";

/// What a reader may wait for a change that an officer made.
const SEEN_WITHIN: Duration = Duration::from_secs(5);

/// As QGIS 3 makes it.
const LAYER_STYLES: &str = "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
    f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO layer_styles (f_table_name, styleQML, useAsDefault) VALUES ('bancs', '@other', 0), ('bancs', '@default', 1)";

fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    std::fs::create_dir_all(site.join("layers/depot")).expect("a folder");
    std::fs::create_dir_all(site.join("styles")).expect("a folder");
    std::fs::write(site.join("layers/site.toml"), SITE).expect("written");
    let csv = site.join("bancs.csv");
    std::fs::write(&csv, "nom,WKT\na,POINT (-1.91 48.11)\nb,POINT (-1.92 48.12)\n").expect("written");
    let made = Command::new("ogr2ogr")
        .args(["-f", "GPKG", "-a_srs", "EPSG:4326", "-nln", "bancs"])
        .args([site.join("layers/depot/bancs.gpkg"), csv])
        .status()
        .expect("ogr2ogr");
    assert!(made.success());
    named(site, "");
    folder
}

/// The layer file, with or without the name of a style.
fn named(site: &Path, name: &str) {
    let style = if name.is_empty() { String::new() } else { format!("style = \"{name}\"") };
    std::fs::write(site.join("layers/bancs.toml"), LAYER.replace("STYLE", &style)).expect("written");
}

fn qml(red: u8) -> String {
    format!(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\r\n<qgis version=\"3.34\"><!-- à moi --><renderer-v2 type=\"singleSymbol\"><symbols><symbol name=\"0\" type=\"marker\" alpha=\"1\"><layer class=\"SimpleMarker\" enabled=\"1\" pass=\"0\"><Option type=\"Map\"><Option name=\"name\" value=\"circle\" type=\"QString\"/><Option name=\"color\" value=\"{red},0,1,255\" type=\"QString\"/></Option></layer></symbol></symbols></renderer-v2></qgis>\n"
    )
}

fn sld(colour: &str) -> String {
    format!(
        "<StyledLayerDescriptor version='1.0.0'><NamedLayer><UserStyle><FeatureTypeStyle><Rule><PointSymbolizer><Graphic><Mark><WellKnownName>circle</WellKnownName><Fill><CssParameter name='fill'>{colour}</CssParameter></Fill></Mark></Graphic></PointSymbolizer></Rule></FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>"
    )
}

fn publish(site: &Path) -> Value {
    bocage(site, &["publish", "--json"])[0].clone()
}

fn style_notes(report: &Value) -> Vec<&str> {
    let notes = report["notes"].as_array().expect("notes").iter().filter_map(Value::as_str);
    notes.filter(|note| note.starts_with("style")).collect()
}

fn serve(site: &Path) -> Town {
    Town::start(&["--site", site.to_str().expect("UTF-8"), "serve", "--listen", "127.0.0.1:0"])
}

/// Waits until the style that is served has this colour.
fn is_drawn(town: &Town, colour: &str) {
    let began = Instant::now();
    loop {
        let style = town.json("/styles/bancs").to_string();
        if style.contains(&format!("\"{colour}\"")) {
            return;
        }
        assert!(began.elapsed() < SEEN_WITHIN, "{colour}: {style}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn each_place_is_looked_at_in_its_order() {
    let folder = site();
    let site = folder.path();
    let report = publish(site);
    assert_eq!((&report["outcome"], style_notes(&report)), (&"published".into(), vec!["style : par défaut"]), "{report:#}");
    let town = serve(site);
    let default = town.json("/styles/bancs");
    assert_eq!(town.get("/styles/bancs?f=qml").status(), 400);
    assert_eq!(town.json("/styles/sieges"), default, "an alias answers too");
    assert_eq!(town.get("/sprites/sieges@2x.png").status(), 200);

    // Each new one is preferred to those before.
    let gpkg = rusqlite::Connection::open(site.join("layers/depot/bancs.gpkg")).expect("opened");
    let styles = LAYER_STYLES.replace("@other", &qml(9).replace('\'', "''")).replace("@default", &qml(10).replace('\'', "''"));
    gpkg.execute_batch(&styles).expect("written");
    drop(gpkg);
    let steps: [(&str, &str, String, &str); 5] = [
        ("", "", String::new(), "#0a0001"),
        ("layers/depot/BANCS.SLD", "", sld("#0b0000"), "#0b0000"),
        ("layers/depot/bancs.qml", "", qml(12), "#0c0001"),
        ("styles/bancs.sld", "", sld("#0d0000"), "#0d0000"),
        ("styles/mobilier.qml", "mobilier", qml(14), "#0e0001"),
    ];
    for (path, name, text, colour) in steps {
        if !path.is_empty() {
            std::fs::write(site.join(path), text).expect("written");
        }
        named(site, name);
        let report = publish(site);
        // GDAL says nothing else of the file: its data did not change.
        assert_eq!(report["outcome"], "unchanged", "{path}: {report:#}");
        let origin = match path {
            "" => "bancs.gpkg (layer_styles)",
            path => path.strip_prefix("layers/depot/").unwrap_or(path),
        };
        assert_eq!(style_notes(&report), [format!("style : {origin}")], "{path}");
        is_drawn(&town, colour);
        assert_eq!(bocage(site, &["versions", "--json", "bancs"]).as_array().map(Vec::len), Some(1), "{path}");
    }
    // And back again, the other way round.
    for (path, colour) in [("styles/mobilier.qml", "#0d0000"), ("styles/bancs.sld", "#0c0001"), ("layers/depot/bancs.qml", "#0b0000")] {
        named(site, "");
        std::fs::remove_file(site.join(path)).expect("removed");
        publish(site);
        is_drawn(&town, colour);
    }
    assert_ne!(town.json("/styles/bancs"), default);
}

/// What QGIS saved while the file is open there stands in its log.
#[test]
fn a_style_is_found_in_a_file_that_is_open_elsewhere() {
    let folder = site();
    let site = folder.path();
    let editor = rusqlite::Connection::open(site.join("layers/depot/bancs.gpkg")).expect("opened");
    editor.pragma_update(None, "journal_mode", "wal").expect("set");
    let styles = LAYER_STYLES.replace("@other", "<qgis/>").replace("@default", &qml(50).replace('\'', "''"));
    editor.execute_batch(&styles).expect("written");
    assert!(site.join("layers/depot/bancs.gpkg-wal").metadata().expect("a log").len() > 0);
    let report = publish(site);
    assert_eq!((&report["outcome"], style_notes(&report)), (&"published".into(), vec!["style : bancs.gpkg (layer_styles)"]), "{report:#}");
    assert_eq!(serve(site).get("/styles/bancs?f=qml").body_mut().read_to_vec().expect("bytes"), qml(50).into_bytes());
}

/// A new revision: dated anew, of the same data.
#[test]
fn a_changed_style_is_a_revision_and_qml_goes_out_as_it_came_in() {
    let folder = site();
    let site = folder.path();
    std::fs::write(site.join("styles/bancs.qml"), qml(20)).expect("written");
    let first = publish(site);
    let town = serve(site);
    let updated = || town.json("/styles/bancs/metadata")["updated"].as_str().expect("a date").to_owned();
    let bytes = || town.get("/styles/bancs?f=qml").body_mut().read_to_vec().expect("bytes");
    assert_eq!(bytes(), qml(20).into_bytes());
    let before = updated();
    assert_eq!(publish(site)["outcome"], "unchanged");
    assert_eq!(updated(), before, "nothing changed");
    let etag = town.get("/styles/bancs").headers()["etag"].clone();
    // The register counts seconds.
    std::thread::sleep(Duration::from_millis(1_100));
    std::fs::write(site.join("styles/bancs.qml"), qml(21)).expect("written");
    let second = publish(site);
    assert_eq!((&second["outcome"], &second["version"]), (&"unchanged".into(), &first["version"]), "{second:#}");
    is_drawn(&town, "#150001");
    assert_eq!(bytes(), qml(21).into_bytes());
    assert!(updated() > before, "{} {before}", updated());
    assert_ne!(town.get("/styles/bancs").headers()["etag"], etag);
    let answer = town.get("/collections/bancs");
    assert!(answer.headers()["last-modified"].to_str().is_ok_and(|date| !date.is_empty()));

    // New data keep the style; a style that is gone gives way to the default.
    std::fs::write(site.join("layers/bancs.toml"), LAYER.replace("STYLE", "where = \"nom = 'a'\"")).expect("written");
    assert_eq!(publish(site)["outcome"], "published");
    assert_eq!(bytes(), qml(21).into_bytes());
    std::fs::remove_file(site.join("styles/bancs.qml")).expect("removed");
    assert_eq!(style_notes(&publish(site)), ["style : par défaut"]);
    let began = Instant::now();
    while town.get("/styles/bancs?f=qml").status() != 400 {
        assert!(began.elapsed() < SEEN_WITHIN, "the style is served still");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn losses_stand_in_the_report_and_on_the_page() {
    let folder = site();
    let site = folder.path();
    let rules = "<FeatureTypeStyle><Rule><Title>Privé</Title><Filter><PropertyIsEqualTo><PropertyName>proprietaire</PropertyName><Literal>x</Literal></PropertyIsEqualTo></Filter><PointSymbolizer><Graphic/></PointSymbolizer></Rule>";
    std::fs::write(site.join("styles/bancs.sld"), sld("#0f0000").replacen("<FeatureTypeStyle>", rules, 1)).expect("written");
    let loss = "règle « Privé » : le champ « proprietaire » n'est pas publié : elle n'est pas dessinée";
    let expected = vec!["style : styles/bancs.sld".to_owned(), format!("style « styles/bancs.sld » : {loss}")];
    for report in [bocage(site, &["check", "--json"])[0].clone(), publish(site), publish(site)] {
        assert_eq!(style_notes(&report), expected, "{report:#}");
    }
    let town = serve(site);
    assert_eq!(town.json("/styles/bancs/metadata")["losses"][0], loss);
    let page = town.get("/styles/bancs?f=html").body_mut().read_to_string().expect("text");
    assert!(page.contains("Ce qui n&#39;est pas repris") || page.contains("Ce qui n'est pas repris"), "{page}");
    assert!(page.contains("« proprietaire »"), "{page}");
}

/// Classes of a column that stays in would tell what is in it.
#[test]
fn a_file_that_speaks_of_columns_that_stay_in_is_not_handed_out() {
    let folder = site();
    let site = folder.path();
    let classes = "<renderer-v2 type=\"categorizedSymbol\" attr=\"WKT\"><categories><category value=\"Mme Le Goff\" symbol=\"0\" label=\"Mme Le Goff\"/></categories>";
    let private = qml(60).replace("<renderer-v2 type=\"singleSymbol\">", classes);
    std::fs::write(site.join("styles/bancs.qml"), private).expect("written");
    let report = publish(site);
    let notes = style_notes(&report);
    assert!(notes.iter().any(|note| note.ends_with("il parle de colonnes qui ne sont pas publiées (« WKT »)")), "{notes:?}");
    let town = serve(site);
    assert_eq!(town.get("/styles/bancs?f=qml").status(), 400);
    for path in [
        "/styles/bancs",
        "/styles/bancs?f=sld11",
        "/styles/bancs?f=sld10",
        "/styles/bancs?f=html",
        "/styles/bancs/metadata",
        "/styles/bancs/legend.svg",
    ] {
        let document = town.get(path).body_mut().read_to_string().expect("text");
        assert!(!document.contains("Le Goff"), "{path}: {document}");
    }
    // Once the column goes out, so does the file.
    let listed = LAYER.replace("STYLE", "").replace("[fields]", "[fields]\nWKT = { title = \"WKT\" }");
    std::fs::write(site.join("layers/bancs.toml"), listed).expect("written");
    publish(site);
    let began = Instant::now();
    while town.get("/styles/bancs?f=qml").status() != 200 {
        assert!(began.elapsed() < SEEN_WITHIN, "the file is held back still");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_style_that_is_absent_or_no_style_stops_nothing() {
    let folder = site();
    let site = folder.path();
    std::fs::write(site.join("styles/rouge.qml"), "couleur = rouge").expect("written");
    std::fs::write(site.join("styles/ouvert.qml"), "<qgis><renderer-v2>").expect("written");
    std::fs::write(site.join("styles/long.sld"), vec![b' '; 16 * 1024 * 1024 + 2]).expect("written");
    for (name, reason) in [
        ("absent", "style = \"absent\" ne désigne aucun fichier (cherchés : styles/absent.qml, styles/absent.sld, styles/absent.json)"),
        ("../site", "style = \"../site\" n'est pas le nom d'un fichier de styles/"),
        ("rouge", "« styles/rouge.qml » ne convient pas : le fichier n'est pas un style connu ; attendu : qml, sld, json"),
        ("ouvert", "« styles/ouvert.qml » ne convient pas : le style n'est pas lisible : "),
        ("long", "« styles/long.sld » ne convient pas : "),
    ] {
        named(site, name);
        let report = publish(site);
        assert!(["published", "unchanged"].contains(&report["outcome"].as_str().expect("text")), "{report:#}");
        let notes = style_notes(&report);
        assert!(notes.len() == 1 && notes[0].starts_with(&format!("style : par défaut, car {reason}")), "{notes:?}");
    }
    // A broken table of styles is none.
    let gpkg = rusqlite::Connection::open(site.join("layers/depot/bancs.gpkg")).expect("opened");
    gpkg.execute_batch("CREATE TABLE layer_styles (a)").expect("made");
    drop(gpkg);
    named(site, "");
    let report = publish(site);
    let notes = style_notes(&report);
    assert!(
        notes.len() == 1 && notes[0].starts_with("style : par défaut, car les styles de « bancs.gpkg » ne sont pas lisibles"),
        "{report:#}"
    );
    let town = serve(site);
    assert_eq!(town.get("/styles/bancs").status(), 200);
}

/// A class may be named after somebody.
#[test]
fn what_is_erased_takes_its_style_along() {
    let folder = site();
    let site = folder.path();
    std::fs::write(site.join("styles/bancs.qml"), qml(30).replace("à moi", "Mme Le Goff")).expect("written");
    publish(site);
    let styles = site.join("var/layers/bancs/styles");
    assert_eq!(std::fs::read_dir(&styles).expect("a folder").count(), 1);
    let purged = Command::new(env!("CARGO_BIN_EXE_bocage")).arg("--site").arg(site).args(["purge", "bancs"]).status().expect("started");
    assert!(purged.success());
    assert!(!styles.exists());
    let town = serve(site);
    assert_eq!(town.get("/styles/bancs").status(), 410);
    assert_eq!(town.get("/sprites/bancs.json").status(), 410);
}

/// A file of several layers: each has the style that is called as it.
#[test]
fn layers_of_one_file_have_their_own_styles() {
    let folder = site();
    let site = folder.path();
    let depot = site.join("layers/depot");
    let more = Command::new("ogr2ogr")
        .args(["-update", "-nln", "poubelles"])
        .args([depot.join("bancs.gpkg"), site.join("bancs.csv")])
        .args(["-a_srs", "EPSG:4326"])
        .status()
        .expect("ogr2ogr");
    assert!(more.success());
    std::fs::remove_file(site.join("layers/bancs.toml")).expect("removed");
    for layer in ["bancs", "poubelles"] {
        let text = LAYER.replace("STYLE", &format!("layer = \"{layer}\""));
        std::fs::write(site.join(format!("layers/{layer}.toml")), text).expect("written");
    }
    std::fs::write(depot.join("poubelles.qml"), qml(40)).expect("written");
    let reports = bocage(site, &["publish", "--json"]);
    assert_eq!(style_notes(&reports[0]), ["style : par défaut"]);
    assert_eq!(style_notes(&reports[1]), ["style : poubelles.qml"]);
}
