//! `kill -9` at any moment of a publication: what was published is served whole, and the next run recovers.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

use crate::shared::bocage;
use crate::shared::skipped;
use crate::town::Town;

/// At least this many; `BOCAGE_KILLS` asks for more.
const KILLS: u64 = 200;

/// Enough for a publication of some hundred milliseconds, so that kills fall into every step.
const ROWS: u64 = 400;

const SITE: &str = "title = \"Essai\"\nlicence = \"etalab-2.0\"\nkeep = 3\n[publisher]\nname = \"Essai\"\n";
const LAYER: &str = "source = \"arbres.csv\"\nstate = \"published\"\n[fields]\ncode = { title = \"Code\" }\ntour = { title = \"Tour\" }\n";

/// Of a colour that no default style has.
const STYLE: &str = "<StyledLayerDescriptor version='1.0.0'><NamedLayer><UserStyle><FeatureTypeStyle><Rule><PointSymbolizer><Graphic><Mark>
    <WellKnownName>circle</WellKnownName><Fill><CssParameter name='fill'>COLOUR</CssParameter></Fill></Mark></Graphic></PointSymbolizer></Rule>
    </FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>";

/// The data of a round, and its style: every row says which round it is of, and the number of rows tells it too.
fn write_source(site: &Path, round: u64) {
    let mut text = String::from("code;tour;lon;lat\n");
    for row in 0..ROWS + round {
        let (lon, lat) = (-2.0 + (row % 50) as f64 * 1e-3, 48.1 + (row / 50) as f64 * 1e-3);
        writeln!(text, "A{row};{round};{lon};{lat}").expect("text grows");
    }
    let style = STYLE.replace("COLOUR", &format!("#fe{:04x}", round % 0x1_0000));
    std::fs::create_dir_all(site.join("styles")).expect("a folder");
    for (path, text) in [(site.join("layers/depot/arbres.csv"), text), (site.join("styles/arbres.sld"), style)] {
        std::fs::write(path.with_extension("new"), text).expect("written");
        std::fs::rename(path.with_extension("new"), path).expect("renamed");
    }
}

fn publish(site: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bocage"));
    command.arg("--site").arg(site).arg("publish").stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// One round's features and no other's: each says the round that the number of rows tells.
fn is_whole(collection: &Value) -> bool {
    let Some(features) = collection["features"].as_array() else { return false };
    let round = features.len() as u64 - ROWS;
    features.iter().all(|feature| feature["properties"]["tour"] == round)
}

/// Every file of the version being served has the hash that was published with it.
fn damage(site: &Path) -> Option<String> {
    let folder = site.join("var/layers/arbres");
    let current = std::fs::read_to_string(folder.join("current")).ok()?;
    let version = folder.join(current.trim());
    let manifest = std::fs::read(version.join("layer.json")).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let Some(manifest) = manifest else { return Some(format!("{}: no manifest", version.display())) };
    for file in manifest["files"].as_array().expect("files") {
        let name = file["name"].as_str().expect("a name");
        let Ok(bytes) = std::fs::read(version.join(name)) else { return Some(format!("{name} is absent")) };
        let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if file["sha256"].as_str() != Some(&found) {
            return Some(format!("{name} has another hash"));
        }
    }
    None
}

#[test]
fn kills_at_random_points_of_a_publication_damage_nothing_and_fail_no_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    std::fs::create_dir_all(site.join("layers/depot")).expect("a folder");
    std::fs::write(site.join("layers/site.toml"), SITE).expect("written");
    std::fs::write(site.join("layers/arbres.toml"), LAYER).expect("written");
    write_source(site, 0);
    let began = Instant::now();
    assert!(publish(site).status().expect("ran").success());
    let whole_ms = u64::try_from(began.elapsed().as_millis()).expect("short") + 20;

    let town = Town::start(&["--site", site.to_str().expect("UTF-8"), "serve", "--listen", "127.0.0.1:0"]);
    let (done, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let reader = {
        let (done, reads, base) = (Arc::clone(&done), Arc::clone(&reads), town.base.clone());
        thread::spawn(move || {
            let mut failures = Vec::new();
            let paths = ["/collections/arbres/items?limit=10000", "/downloads/arbres/arbres.geojson"];
            while !done.load(Ordering::Relaxed) {
                for path in paths {
                    let text = ureq::get(format!("{base}{path}")).call().and_then(|mut answer| answer.body_mut().read_to_string());
                    match text.map(|text| serde_json::from_str::<Value>(&text)) {
                        Ok(Ok(collection)) if is_whole(&collection) => {}
                        Ok(Ok(_)) => failures.push(format!("{path}: features of two rounds")),
                        Ok(Err(error)) => failures.push(format!("{path}: {error}")),
                        Err(error) => failures.push(format!("{path}: {error}")),
                    }
                    reads.fetch_add(1, Ordering::Relaxed);
                }
                let style = ureq::get(format!("{base}/styles/arbres")).call().and_then(|mut answer| answer.body_mut().read_to_string());
                if !style.as_ref().is_ok_and(|style| style.contains("\"#fe")) {
                    failures.push(format!("the style is lost: {style:?}"));
                }
            }
            failures
        })
    };

    let kills = std::env::var("BOCAGE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut seed = 35u64;
    let mut finished = 0;
    for round in 1..=kills {
        write_source(site, round);
        let mut child = publish(site).spawn().expect("started");
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis((seed >> 33) % whole_ms));
        let _ = child.kill();
        finished += u64::from(child.wait().expect("waited").success());
        assert_eq!(damage(site), None, "after kill {round}");
    }
    done.store(true, Ordering::Relaxed);
    let failures = reader.join().expect("the reader ends");
    assert_eq!(failures, Vec::<String>::new());
    assert!(reads.load(Ordering::Relaxed) >= kills / 4, "{} reads", reads.load(Ordering::Relaxed));
    assert!(finished < kills / 2, "{finished} of {kills} publications were over before their kill");

    // The next run recovers, and leaves nothing behind of those before.
    let report = bocage(site, &["publish", "--json"]);
    assert!(["published", "unchanged"].contains(&report[0]["outcome"].as_str().expect("an outcome")), "{report:#}");
    assert_eq!(report[0]["features"], ROWS + kills);
    assert_eq!(damage(site), None);
    let left: Vec<String> = std::fs::read_dir(site.join("var/layers/arbres"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "current" && name != "styles" && !name.starts_with("20"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    assert!(std::fs::read_dir(site.join("var/layers/arbres/styles")).expect("a folder").count() <= 2, "the style, and the one before");
    // The server's own folder lives, and is empty.
    let copies = std::fs::read_dir(site.join("var/scratch")).expect("a folder").flatten();
    let copies: Vec<_> =
        copies.filter_map(|owner| std::fs::read_dir(owner.path()).ok()).flatten().flatten().map(|entry| entry.file_name()).collect();
    assert!(copies.iter().all(|name| name == ".held"), "private copies of killed publications: {copies:?}");
    eprintln!("{kills} kills, {finished} too late, {} reads", reads.load(Ordering::Relaxed));
}

#[test]
fn two_publications_at_once_both_end_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    std::fs::create_dir_all(site.join("layers/depot")).expect("a folder");
    std::fs::write(site.join("layers/site.toml"), SITE).expect("written");
    std::fs::write(site.join("layers/arbres.toml"), LAYER).expect("written");
    write_source(site, 0);
    let children: Vec<_> = (0..3).map(|_| publish(site).spawn().expect("started")).collect();
    for mut child in children {
        assert!(child.wait().expect("waited").success());
    }
    assert_eq!(damage(site), None);
    assert_eq!(bocage(site, &["versions", "--json", "arbres"]).as_array().map(Vec::len), Some(1));
}

/// A small file system of its own, filled up, publication after publication. Prints what each said; copies `var` out of it.
const FULL_DISK: &str = r#"
set -e
mkdir -p "$SITE/var"
mount -t tmpfs -o size=4m tmpfs "$SITE/var"
"$BOCAGE" --site "$SITE" publish >/dev/null
cp "$SITE/wide.csv" "$SITE/layers/depot/arbres.csv"
used=$(du -sk "$SITE/var" | cut -f1)
for more in 4 40 200 600 1100; do
  mount -o remount,size=$((used + more))k "$SITE/var"
  code=0; "$BOCAGE" --site "$SITE" publish 2>&1 || code=$?
  echo "code $code"
  rm -rf "$SITE/seen"; mkdir "$SITE/seen"; cp -r "$SITE/var" "$SITE/seen/var"
  [ "$(cat "$SITE/var/layers/arbres/current")" = "$(cat "$SITE/seen/var/layers/arbres/current")" ]
done
mount -o remount,size=64m "$SITE/var"
"$BOCAGE" --site "$SITE" publish
echo "code $?"
rm -rf "$SITE/after"; mkdir "$SITE/after"; cp -r "$SITE/var" "$SITE/after/var"
"#;

#[test]
fn a_full_disk_stops_a_publication_and_nothing_else() {
    let may = Command::new("unshare").args(["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        skipped("this machine lets nobody mount a small file system (unshare -rm)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path();
    std::fs::create_dir_all(site.join("layers/depot")).expect("a folder");
    std::fs::write(site.join("layers/site.toml"), SITE).expect("written");
    std::fs::write(site.join("layers/arbres.toml"), LAYER).expect("written");
    write_source(site, 3_000);
    std::fs::rename(site.join("layers/depot/arbres.csv"), site.join("wide.csv")).expect("renamed");
    write_source(site, 0);
    let output = Command::new("unshare")
        .args(["-rm", "bash", "-c", FULL_DISK])
        .env("SITE", site)
        .env("BOCAGE", env!("CARGO_BIN_EXE_bocage"))
        .output()
        .expect("started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let codes: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("code ")).collect();
    assert_eq!(codes.len(), 6, "{said}");
    assert!(codes[..3].iter().all(|code| *code == "1" || *code == "2"), "{said}");
    assert_eq!(codes[5], "0", "{said}");
    assert_eq!(said.matches("le disque est plein").count(), codes.iter().filter(|code| **code != "0").count(), "{said}");
    for seen in ["seen", "after"] {
        assert_eq!(damage(&site.join(seen)), None, "{said}");
    }
    let rows = |seen: &str| {
        let version = std::fs::read_to_string(site.join(seen).join("var/layers/arbres/current")).expect("read");
        let text = std::fs::read(site.join(seen).join("var/layers/arbres").join(version.trim()).join("arbres.geojson")).expect("read");
        let collection: Value = serde_json::from_slice(&text).expect("JSON");
        assert!(is_whole(&collection), "{seen}");
        collection["features"].as_array().map_or(0, Vec::len) as u64
    };
    assert_eq!(rows("after"), ROWS + 3_000);
}
