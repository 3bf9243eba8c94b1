//! The time machine by its commands, seen at the addresses of a running server.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::shared::bocage;
use crate::town::Town;

const SITE: &str = "title = \"Essai\"\nlicence = \"etalab-2.0\"\n[publisher]\nname = \"Essai\"\n";
const LAYER: &str = "source = \"bancs.csv\"\nstate = \"published\"\n[fields]\nnom = { title = \"Nom\" }\n";

/// What a reader may wait for a change that an officer made.
const SEEN_WITHIN: Duration = Duration::from_secs(5);

fn write_source(site: &Path, names: &[&str]) {
    let rows: String = names.iter().enumerate().map(|(at, name)| format!("{name};-1.9{at};48.1{at}\n")).collect();
    std::fs::write(site.join("layers/depot/bancs.csv"), format!("nom;lon;lat\n{rows}")).expect("written");
}

fn run(site: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bocage")).arg("--site").arg(site).args(arguments).output().expect("started");
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Ids and names of what is served; `Err` with the status where nothing is.
fn served(town: &Town) -> Result<Vec<(i64, String)>, u16> {
    let mut answer = town.get("/collections/bancs/items?f=json");
    if answer.status() != 200 {
        return Err(answer.status().as_u16());
    }
    let collection: Value = serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON");
    let features = collection["features"].as_array().expect("features");
    let told =
        |feature: &Value| (feature["id"].as_i64().expect("an id"), feature["properties"]["nom"].as_str().expect("a name").to_owned());
    let mut told: Vec<(i64, String)> = features.iter().map(told).collect();
    told.sort();
    Ok(told)
}

/// Waits until the server shows what is expected; the last that it showed otherwise.
fn becomes(town: &Town, expected: &Result<Vec<(i64, String)>, u16>) {
    let began = Instant::now();
    loop {
        let found = served(town);
        if found == *expected {
            return;
        }
        assert!(began.elapsed() < SEEN_WITHIN, "{found:?} instead of {expected:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_was_published_can_be_taken_back_and_given_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    std::fs::create_dir_all(site.join("layers/depot")).expect("a folder");
    std::fs::write(site.join("layers/site.toml"), SITE).expect("written");
    std::fs::write(site.join("layers/bancs.toml"), LAYER).expect("written");
    let named = |names: &[(i64, &str)]| Ok(names.iter().map(|(id, name)| (*id, (*name).to_owned())).collect());
    let (one, two) = (named(&[(1, "a"), (2, "b")]), named(&[(1, "a"), (2, "b"), (3, "Mme Le Goff")]));

    write_source(site, &["a", "b"]);
    let first = bocage(site, &["publish", "--json"])[0]["version"].as_str().expect("a version").to_owned();
    let town = Town::start(&["--site", site.to_str().expect("UTF-8"), "serve", "--listen", "127.0.0.1:0"]);
    becomes(&town, &one);
    write_source(site, &["a", "b", "Mme Le Goff"]);
    let second = bocage(site, &["publish", "--json"])[0]["version"].as_str().expect("a version").to_owned();
    becomes(&town, &two);

    // Back, and it stays so until the source changes.
    let began = Instant::now();
    run(site, &["rollback", "bancs"]);
    becomes(&town, &one);
    assert!(began.elapsed() < SEEN_WITHIN);
    assert_eq!(bocage(site, &["publish", "--json"])[0]["outcome"], "unchanged");
    becomes(&town, &one);
    run(site, &["rollback", "bancs", "--to", &second]);
    becomes(&town, &two);

    // Withdrawn and quarantined, and back with the same ids.
    for (away, status) in [("withdraw", 404), ("quarantine", 404)] {
        run(site, &[away, "bancs"]);
        becomes(&town, &Err(status));
        let listed = town.json("/collections?f=json");
        assert_eq!(listed["collections"].as_array().map(Vec::len), Some(0), "{away}");
        for path in ["/downloads/bancs/bancs.csv".to_owned(), format!("/downloads/bancs/{second}/bancs.csv")] {
            assert_eq!(town.get(&path).status(), 404, "{away}: {path}");
        }
        run(site, &["restore-layer", "bancs"]);
        becomes(&town, &two);
    }

    // Somebody's name: gone everywhere, at once, and not back with the next publication.
    let held = format!("/downloads/bancs/{second}/bancs.csv");
    assert_eq!(town.get(&held).status(), 200);
    run(site, &["purge", "bancs", "--version", &second]);
    let began = Instant::now();
    while town.get(&held).status() != 410 {
        assert!(began.elapsed() < SEEN_WITHIN, "the erased version answers {}", town.get(&held).status());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(bytes_with(&site.join("var"), b"Le Goff"), Vec::<String>::new());
    // And it stays so once the server took the new picture.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(town.get(&held).status(), 410);
    let report = &bocage(site, &["publish", "--json"])[0];
    assert_eq!((&report["outcome"], &report["findings"][0]["code"]), (&"held".into(), &"erased-content".into()), "{report:#}");
    assert_eq!(town.get(&held).status(), 410);
    assert_eq!(bytes_with(&site.join("var"), b"Le Goff"), Vec::<String>::new());
    run(site, &["rollback", "bancs", "--to", &first]);
    becomes(&town, &one);

    // The officer's own word brings it back, with the id that it had.
    std::fs::write(site.join("layers/bancs.toml"), format!("{LAYER}[checks]\nignore = [\"erased-content\"]\n")).expect("written");
    assert_eq!(bocage(site, &["publish", "--json"])[0]["outcome"], "published");
    becomes(&town, &two);
}

/// A column that was listed when nothing in it spoke of persons is no licence for what somebody types into it later.
#[test]
fn persons_that_appear_in_a_served_column_hold_the_next_version() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    std::fs::create_dir_all(site.join("layers/depot")).expect("a folder");
    std::fs::write(site.join("layers/site.toml"), SITE).expect("written");
    write_source(site, &["a", "b"]);
    bocage(site, &["add", "--json", "bancs.csv"]);
    let layer = std::fs::read_to_string(site.join("layers/bancs.toml")).expect("written by add");
    let publish = || bocage(site, &["publish", "--json"])[0].clone();
    assert_eq!(publish()["outcome"], "published");
    write_source(site, &["a", "yann.morvan@example.org"]);
    let held = publish();
    assert_eq!((&held["outcome"], &held["findings"][0]["code"]), (&"held".into(), &"personal-data".into()), "{held:#}");
    assert_eq!(bytes_with(&site.join("var"), b"morvan"), Vec::<String>::new());
    // Confirmed once, it is known from then on.
    std::fs::write(site.join("layers/bancs.toml"), format!("{layer}[checks]\nignore = [\"personal-data\"]\n")).expect("written");
    assert_eq!(publish()["outcome"], "published");
    std::fs::write(site.join("layers/bancs.toml"), &layer).expect("written");
    assert_eq!(publish()["outcome"], "unchanged");
    write_source(site, &["a", "b", "yann.morvan@example.org"]);
    assert_eq!(publish()["outcome"], "published");
    // Or kept back: the rest goes out.
    std::fs::write(site.join("layers/bancs.toml"), layer.replace("[fields]", "left_out = [\"nom\"]\n[fields]")).expect("written");
    let version = publish()["version"].as_str().expect("a version").to_owned();
    assert_eq!(bytes_with(&site.join("var/layers/bancs").join(version), b"morvan"), Vec::<String>::new());
}

/// What the officer's own hand listed goes out, and is told.
#[test]
fn a_layer_file_written_by_hand_is_the_officers_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    std::fs::create_dir_all(site.join("layers/depot")).expect("a folder");
    std::fs::write(site.join("layers/site.toml"), SITE).expect("written");
    std::fs::write(site.join("layers/bancs.toml"), LAYER).expect("written");
    write_source(site, &["a", "yann.morvan@example.org"]);
    let report = &bocage(site, &["publish", "--json"])[0];
    assert_eq!(report["outcome"], "published", "{report:#}");
    let told = report["findings"].as_array().expect("findings").iter().any(|finding| finding["code"] == "personal-data");
    assert!(told, "{report:#}");
}

/// `where` chooses rows by any column of the source, listed or not, under the name that the officer knows.
#[test]
fn rows_that_the_officer_keeps_back_stay_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    std::fs::create_dir_all(site.join("layers/depot")).expect("a folder");
    std::fs::write(site.join("layers/site.toml"), SITE).expect("written");
    let rows = "nom;État du projet;lon;lat\na;réalisé;-1.91;48.11\nb;projet;-1.92;48.12\nc;;-1.93;48.13\nd;Réalisé;-1.80;48.14\n";
    std::fs::write(site.join("layers/depot/bancs.csv"), rows).expect("written");
    let publish = |rows: &str| {
        std::fs::write(site.join("layers/bancs.toml"), LAYER.replace("state", &format!("where = \"{rows}\"\nstate"))).expect("written");
        bocage(site, &["publish", "--json"])[0].clone()
    };
    for (rows, expected) in [
        ("\\\"État du projet\\\" <> 'projet'", vec!["a", "d"]),
        ("casei(État_du_projet) = 'réalisé' AND S_INTERSECTS(geometry, BBOX(-2, 48, -1.9, 49))", vec!["a"]),
        ("\\\"État du projet\\\" IS NULL OR nom = 'b'", vec!["b", "c"]),
    ] {
        let report = publish(rows);
        assert_eq!((&report["outcome"], &report["features"]), (&"published".into(), &expected.len().into()), "{report:#}");
        assert!(report["notes"].to_string().contains(&format!("{} ligne", expected.len())), "{report:#}");
        let text =
            std::fs::read_to_string(site.join("var/layers/bancs").join(report["version"].as_str().expect("a version")).join("bancs.csv"));
        let text = text.expect("a download");
        let mut names: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{text}");
        assert!(!text.contains("projet"), "the column itself is not listed");
    }
    let wrong = publish("avancement = 3");
    assert_eq!(wrong["outcome"], "failed");
    assert!(wrong["notes"][0].as_str().expect("a note").contains("unknown property `avancement`"), "{wrong:#}");
}

/// Files below a folder that hold these bytes.
fn bytes_with(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(bytes_with(&path, wanted));
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted)) {
            found.push(path.display().to_string());
        }
    }
    found
}
