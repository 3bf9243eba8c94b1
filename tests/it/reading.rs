//! Files as they come: whole or cut, in any letter case, zipped, held open by another program, in any old encoding.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::shared::bocage;
use crate::shared::shared;

/// The reports of `bocage check`, without a site.
fn check(path: &Path) -> Vec<Value> {
    let empty = tempfile::tempdir().expect("a folder");
    let reports = bocage(empty.path(), &["check", "--json", path.to_str().expect("UTF-8")]);
    reports.as_array().expect("a list").clone()
}

fn check_one(path: &Path) -> Value {
    let mut reports = check(path);
    assert_eq!(reports.len(), 1, "{}", path.display());
    reports.remove(0)
}

fn ogr2ogr(arguments: &[&str]) {
    let output = Command::new("ogr2ogr").args(arguments).output().expect("ogr2ogr");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn codes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().expect("findings").iter().filter_map(|finding| finding["code"].as_str()).collect()
}

/// Copies the parts of a Shapefile, each under a name of its own.
fn parts(from: &Path, to: &Path, names: &[(&str, &str)]) {
    std::fs::create_dir_all(to).expect("a folder");
    for (extension, name) in names {
        std::fs::copy(from.with_extension(extension), to.join(name)).expect("copied");
    }
}

/// GDAL's facts of real files: rows, kinds, CRS, what is null and what is invalid.
#[test]
fn real_files_are_what_gdal_says_they_are() {
    let Some(shared) = shared() else { return };
    let data = shared.join("data");
    let facts: Value = serde_json::from_slice(&std::fs::read(data.join("facts.json")).expect("read")).expect("JSON");
    let mut seen = 0;
    for (file, fact) in facts.as_object().expect("by file") {
        let driver = fact["driver"].as_str().unwrap_or_default();
        if !["GeoJSON", "ESRI Shapefile", "GPKG", "CSV"].contains(&driver) {
            continue;
        }
        let layers = fact["layers"].as_array().expect("layers");
        let reports = check(&data.join(file));
        assert_eq!(reports.len(), layers.len(), "{file}");
        for (known, found) in layers.iter().zip(&reports) {
            assert_eq!(found["features"], known["n"], "{file}");
            let places = |code: &str| {
                let findings = found["findings"].as_array().expect("findings");
                findings.iter().find(|finding| finding["code"] == code).map_or(0, |finding| finding["count"].as_u64().expect("a count"))
            };
            assert_eq!(places("invalid-geometry"), known["bad"].as_u64().expect("a count"), "{file}");
            if driver != "CSV" && found["geometry"].is_string() {
                assert_eq!(places("empty-geometry"), known["nul"].as_u64().expect("a count"), "{file}");
                match known["crs"].as_str().expect("a CRS") {
                    // IGN's name of Lambert-93, known to no client.
                    "IGNF:LAMB93" => assert_eq!(found["crs"], "EPSG:2154", "{file}"),
                    epsg if epsg.starts_with("EPSG:") => assert_eq!(found["crs"], epsg, "{file}"),
                    _ => assert!(codes(found).contains(&"crs-missing"), "{file}"),
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 25, "{seen} layers");
}

#[test]
fn a_shapefile_is_whole_or_refused() {
    let Some(shared) = shared() else { return };
    let communes = shared.join("data/montfort/01_ADMIN/communes.shp");
    let folder = tempfile::tempdir().expect("a folder");
    let mixed = folder.path().join("mixed");
    parts(&communes, &mixed, &[("shp", "COMMUNES.SHP"), ("shx", "communes.shx"), ("dbf", "Communes.DBF"), ("prj", "communes.PRJ")]);
    let report = check_one(&mixed.join("COMMUNES.SHP"));
    assert_eq!((&report["features"], &report["crs"], &report["encoding"]), (&8.into(), &"EPSG:3948".into(), &"CP1252".into()));

    let unindexed = folder.path().join("unindexed");
    parts(&communes, &unindexed, &[("shp", "communes.shp"), ("dbf", "communes.dbf"), ("prj", "communes.prj")]);
    let report = check_one(&unindexed.join("communes.shp"));
    assert_eq!((&report["outcome"], &report["features"]), (&"ready".into(), &8.into()), "{report:#}");

    let bare = folder.path().join("bare");
    parts(&communes, &bare, &[("shp", "communes.shp"), ("shx", "communes.shx")]);
    let report = check_one(&bare.join("communes.shp"));
    assert_eq!(report["outcome"], "failed");
    assert!(report["notes"][0].as_str().expect("a note").contains(".dbf"), "{report:#}");

    for part in ["shp", "shx", "dbf"] {
        let cut = folder.path().join(format!("cut_{part}"));
        parts(&communes, &cut, &[("shp", "communes.shp"), ("shx", "communes.shx"), ("dbf", "communes.dbf"), ("prj", "communes.prj")]);
        let path = cut.join("communes").with_extension(part);
        let whole = std::fs::read(&path).expect("read");
        for length in [whole.len() / 3, whole.len() - 3] {
            std::fs::write(&path, &whole[..length]).expect("written");
            let report = check_one(&cut.join("communes.shp"));
            assert!(["failed", "held"].contains(&report["outcome"].as_str().expect("an outcome")), "{part} {length}: {report:#}");
            assert!(!report.to_string().contains("scratch"), "the private copy is nobody's business: {report:#}");
        }
    }
}

/// Any file cut anywhere is refused or held, and never published as if it were whole.
#[test]
fn half_a_file_is_never_a_whole_one() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["admin/epci-35.geojson", "gpkg/poly_1_4.gpkg", "shp/step41_poly.zip"] {
        let whole = std::fs::read(shared.join("data").join(file)).expect("read");
        let path = folder.path().join(Path::new(file).file_name().expect("a name"));
        for part in [1, 5, 9] {
            std::fs::write(&path, &whole[..whole.len() * part / 10]).expect("written");
            let report = check_one(&path);
            assert_ne!(report["outcome"], "ready", "{file}, {part} tenths: {report:#}");
        }
    }
}

#[test]
fn a_zip_may_hold_several_shapefiles() {
    let Some(shared) = shared() else { return };
    let plu = shared.join("data/plu/41175_PLU_20140603/Donnees_geographiques");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plu.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("created"));
    for (stem, inside) in [("ZONE_URBA", "zones/ZONE_URBA"), ("PRESCRIPTION_LIN", "PRESCRIPTION_LIN")] {
        for extension in ["shp", "shx", "dbf", "prj"] {
            // One part in another letter case than its fellows.
            let inside = if extension == "dbf" { inside.to_lowercase() } else { inside.to_owned() };
            zip.start_file(format!("{inside}.{}", extension.to_uppercase()), zip::write::SimpleFileOptions::default()).expect("begun");
            let part = std::fs::read(plu.join(stem).with_extension(extension)).expect("read");
            std::io::Write::write_all(&mut zip, &part).expect("written");
        }
    }
    zip.finish().expect("finished");
    let found: Vec<(Value, Value, Value)> =
        check(&path).into_iter().map(|report| (report["id"].clone(), report["features"].clone(), report["crs"].clone())).collect();
    let crs = || Value::from("EPSG:2154");
    let expected = [("plu_prescription_lin", 10), ("plu_zone_urba", 118)];
    assert_eq!(found, expected.map(|(id, features)| (id.into(), features.into(), crs())));
}

/// A zip that would leave its folder, or unfold without end, harms nobody.
#[test]
fn a_hostile_zip_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, member: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("created"));
        zip.start_file(member, zip::write::SimpleFileOptions::default()).expect("begun");
        std::io::Write::write_all(&mut zip, bytes).expect("written");
        zip.finish().expect("finished");
        path
    };
    let outside = write("outside.zip", "../../outside.csv", b"a;b\n1;2\n");
    assert_eq!(check_one(&outside)["outcome"], "failed");
    assert!(!folder.path().parent().expect("a parent").join("outside.csv").exists());
    let bomb = write("bomb.zip", "bomb.csv", &vec![b'0'; 300 << 20]);
    let report = check_one(&bomb);
    assert_eq!(report["outcome"], "failed");
    assert!(report["notes"][0].as_str().expect("a note").contains("se déplie au-delà"), "{report:#}");
}

/// QGIS holds a GeoPackage open and its last edits lie in the log: they are read, and the file is left as it was.
#[test]
fn a_geopackage_in_use_is_read_with_its_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bancs.gpkg");
    let csv = folder.path().join("bancs.csv");
    std::fs::write(&csv, "WKT,nom\n\"POINT (-1.95 48.12)\",a\n\"POINT (-1.96 48.13)\",b\n").expect("written");
    ogr2ogr(&["-f", "GPKG", path.to_str().expect("UTF-8"), csv.to_str().expect("UTF-8"), "-a_srs", "EPSG:4326", "-nln", "bancs"]);
    let editor = rusqlite::Connection::open(&path).expect("opened");
    editor.pragma_update(None, "journal_mode", "wal").expect("WAL");
    editor.pragma_update(None, "wal_autocheckpoint", 0).expect("no checkpoint");
    // The spatial index has triggers with functions that only SpatiaLite and OGR have.
    let triggers: Vec<String> = editor
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'bancs'")
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .expect("triggers");
    for trigger in triggers {
        editor.execute(&format!("DROP TRIGGER \"{trigger}\""), []).expect("dropped");
    }
    editor.execute("INSERT INTO bancs (geom, nom) SELECT geom, 'c' FROM bancs LIMIT 1", []).expect("inserted");
    let log = folder.path().join("bancs.gpkg-wal");
    let before = (std::fs::read(&path).expect("read"), std::fs::read(&log).expect("a log"));
    let report = check_one(&path);
    assert_eq!(report["features"], 3, "{report:#}");
    assert_eq!((std::fs::read(&path).expect("read"), std::fs::read(&log).expect("a log")), before, "no lock, no checkpoint");

    // Somebody saves all the time: what is read is a state that was, and the saving goes on.
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop = &stop;
        scope.spawn(move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                editor.execute("UPDATE bancs SET nom = nom || 'x'", []).expect("nobody holds a lock");
                std::thread::sleep(std::time::Duration::from_millis(900));
            }
        });
        let report = check_one(&path);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let is_clear = report["features"] == 3 || report["notes"].to_string().contains("en train de l'écrire");
        assert!(is_clear, "{report:#}");
    });
}

/// Layers of one container, a table without geometry among them, under names that need care.
#[test]
fn a_geopackage_of_several_layers_and_a_table() {
    let Some(shared) = shared() else { return };
    let data = shared.join("data");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tout.gpkg");
    let target = path.to_str().expect("UTF-8");
    for (at, (source, name)) in
        [("admin/epci-35.geojson", "Équipements publics"), ("bal/sample.csv", "table sans géométrie")].into_iter().enumerate()
    {
        let source = data.join(source);
        let mut arguments = vec!["-f", "GPKG", target, source.to_str().expect("UTF-8"), "-nln", name];
        if at > 0 {
            arguments.push("-update");
        }
        ogr2ogr(&arguments);
    }
    let reports = check(&path);
    let found: Vec<_> =
        reports.iter().map(|report| (report["id"].as_str(), report["features"].as_u64(), report["geometry"].as_str())).collect();
    let expected =
        [(Some("tout_equipements_publics"), Some(17), Some("MultiPolygon")), (Some("tout_table_sans_geometrie"), Some(15), None)];
    assert_eq!(found, expected);
}

/// Curves become lines within OGR's four degrees of arc; heights and measures go where a format has a place for them.
#[test]
fn curves_are_lines_and_heights_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    let csv = site.join("a.csv");
    let arc =
        "CURVEPOLYGON (COMPOUNDCURVE (CIRCULARSTRING (351000 6789000,351050 6789050,351100 6789000),(351100 6789000,351000 6789000)))";
    std::fs::write(
        &csv,
        format!("WKT,nom\n\"{arc}\",arc\n\"POLYGON ((351200 6789000,351300 6789000,351300 6789100,351200 6789000))\",droit\n"),
    )
    .expect("written");
    let gpkg = site.join("courbes.gpkg");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    ogr2ogr(&["-f", "GPKG", &path(&gpkg), &path(&csv), "-a_srs", "EPSG:2154", "-nlt", "CURVEPOLYGON", "-nln", "courbes"]);
    let report = check_one(&gpkg);
    assert_eq!((&report["geometry"], codes(&report).contains(&"reader-said")), (&"Polygon".into(), true), "{report:#}");
    let out = site.join("droites.gpkg");
    convert(&gpkg, &out, &["--crs", "EPSG:2154"]);
    let area: f64 = sql(&out, "SELECT ST_Area(geom) FROM droites WHERE nom = 'arc'").parse().expect("an area");
    let half_circle = std::f64::consts::PI * 50.0 * 50.0 / 2.0;
    assert!((area - half_circle).abs() < half_circle * 1e-3, "{area}");
    // Through lon, lat and home again: as it was drawn.
    assert_eq!(
        sql(&out, "SELECT ST_AsText(geom) FROM droites WHERE nom = 'droit'"),
        "POLYGON((351200 6789000, 351300 6789000, 351300 6789100, 351200 6789000))"
    );

    std::fs::write(&csv, "WKT;nom\nPOINT ZM (-1.95 48.12 10.5 3);a\nPOINT ZM (-1.96 48.13 20 4);b\n").expect("written");
    let points = site.join("points.csv");
    convert(&csv, &points, &["--source-crs", "EPSG:4326"]);
    let text = std::fs::read_to_string(&points).expect("text");
    assert_eq!(text.lines().nth(1), Some("1,POINT ZM (-1.95 48.12 10.5 3),a,-1.95,48.12,10.5"), "{text}");
    for (name, dimension) in [("p.gpkg", "POINT ZM"), ("p.fgb", "POINT ZM"), ("p.shp.zip", "POINT ZM")] {
        let out = site.join(name);
        convert(&csv, &out, &["--source-crs", "EPSG:4326"]);
        let read = if name.ends_with("zip") { format!("/vsizip/{}/p.shp", out.display()) } else { path(&out) };
        let told = Command::new("ogrinfo").args(["-q", "-al", &read]).output().expect("ogrinfo");
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains(&format!("{dimension} (-1.95 48.12 10.5 3)")), "{name}: {told}");
    }
}

/// A conversion speaks for nobody: no producer, no licence.
#[test]
fn a_conversion_claims_no_licence() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("epci.gpkg");
    convert(&shared.join("data/admin/epci-35.geojson"), &out, &[]);
    let bytes = std::fs::read(&out).expect("read");
    assert!(!String::from_utf8_lossy(&bytes).contains("Licence"));
}

fn convert(from: &Path, to: &Path, options: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_bocage")).arg("convert").args([from, to]).args(options).output().expect("started");
    assert!(output.status.success(), "{}: {}", from.display(), String::from_utf8_lossy(&output.stderr));
}

/// One value by GDAL's SpatiaLite dialect.
fn sql(path: &Path, statement: &str) -> String {
    let output = Command::new("ogr2ogr")
        .args(["-f", "CSV", "/vsistdout/"])
        .arg(path)
        .args(["-dialect", "sqlite", "-sql", statement])
        .output()
        .expect("ogr2ogr");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().nth(1).unwrap_or_else(|| panic!("{statement}: {text}")).trim_matches('"').to_owned()
}
