//! The officer's network share comes out as `expected.json` says: ids, states, counts, CRS, and what is held and why.

use serde_json::Value;

use crate::shared::bocage;
use crate::shared::montfort;
use crate::shared::shared;

/// Formats that are read so far.
fn is_read(file: &str) -> bool {
    ["shp", "gpkg", "geojson", "csv"].iter().any(|extension| file.ends_with(extension))
}

#[test]
fn the_share_comes_out_as_expected() {
    let Some(shared) = shared() else { return };
    let folder = montfort(&shared);
    let site = folder.path();
    let expected: Value = serde_json::from_slice(&std::fs::read(shared.join("data/montfort/expected.json")).expect("read")).expect("JSON");
    let depot = site.join("layers/depot");
    let added = bocage(site, &["add", "--json", depot.to_str().expect("UTF-8")]);
    let published = bocage(site, &["publish", "--json"]);
    let report = |list: &Value, id: &str| list.as_array().expect("a list").iter().find(|report| report["id"] == id).cloned();
    let layers: Vec<&Value> =
        expected["layers"].as_array().expect("layers").iter().filter(|layer| is_read(layer["file"].as_str().unwrap_or(""))).collect();
    assert_eq!(added.as_array().map(Vec::len), Some(layers.len()), "each file once, and no junk");
    for layer in layers {
        let id = layer["id"].as_str().expect("an id");
        let found = report(&published, id).unwrap_or_else(|| panic!("{id} is absent"));
        assert_eq!(found["outcome"], layer["state"], "{id}: {found:#}");
        assert_eq!(found["features"], layer["features"], "{id}");
        for fact in ["geometry", "crs"] {
            if let Some(known) = layer.get(fact) {
                assert_eq!(&found[fact], known, "{id}: {fact}");
            }
        }
        let findings: Vec<&Value> = found["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter(|finding| finding["severity"] == "question" || finding["severity"] == "blocking")
            .collect();
        match layer["reason"].as_str() {
            Some("missing CRS") => {
                assert!(findings.iter().all(|finding| finding["code"] == "crs-missing"), "{id}");
                let offered: Vec<&str> = findings[0]["remedies"].as_array().expect("remedies").iter().filter_map(Value::as_str).collect();
                let candidates: Vec<String> =
                    layer["candidates"].as_array().expect("candidates").iter().map(|crs| format!("crs = {crs}")).collect();
                assert_eq!(offered, candidates, "{id}");
            }
            Some(_) => assert!(!findings.is_empty() && findings.iter().all(|finding| finding["code"] == "personal-data"), "{id}"),
            None => assert!(findings.is_empty(), "{id}: {findings:?}"),
        }
        if let Some(words) = layer["contains"].as_array().filter(|_| layer["state"] == "published") {
            let version = found["version"].as_str().expect("a version");
            let text = std::fs::read_to_string(site.join(format!("var/layers/{id}/{version}/{id}.geojson"))).expect("a download");
            assert!(words.iter().all(|word| text.contains(word.as_str().expect("a word"))), "{id}");
        }
    }
    let again = bocage(site, &["publish", "--json"]);
    for report in again.as_array().expect("a list").iter().filter(|report| report["outcome"] != "held") {
        assert_eq!(report["outcome"], "unchanged", "{report:#}");
    }
}

#[test]
fn a_persons_data_never_reach_the_report() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = shared.join("data/montfort/09_DECHETS/abonnes_dechets_verts_SYNTHETIC.csv");
    let report = bocage(folder.path(), &["check", "--json", file.to_str().expect("UTF-8")]).to_string();
    assert!(report.contains("personal-data"));
    assert!(!report.contains("@example.org") && !report.contains("FR76"), "{report}");
}
