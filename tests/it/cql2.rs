//! Filters held to OGC's own examples (the package of the `cql2` crate carries them) and to that crate's second opinion.
//!
//! Golden files of our own would prove that nothing changed, not that anything is right.

use std::path::PathBuf;
use std::process::Command;

use bocage::query::cql2_json;
use bocage::query::cql2_text;
use bocage::query::filter::Filter;
use serde_json::Value;

/// `examples/` of OGC 21-065r2, where cargo laid the package.
fn examples() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--locked",
            "--format-version",
            "1",
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "cql2").expect("a dependency of the tests");
    PathBuf::from(package["manifest_path"].as_str().expect("a path")).with_file_name("examples")
}

/// Name, text, JSON where the example has one.
fn corpus() -> Vec<(String, String, Option<Value>)> {
    let examples = examples();
    let mut found: Vec<_> = std::fs::read_dir(examples.join("text"))
        .expect("texts")
        .flatten()
        .map(|entry| {
            let name = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(entry.path()).expect("text");
            let json = std::fs::read(examples.join("json").join(format!("{name}.json"))).ok();
            (name, text, json.map(|bytes| serde_json::from_slice(&bytes).expect("JSON")))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Numbers as numbers: 1 and 1.0 are one.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn ogcs_examples_are_read_in_both_languages_as_the_same_filter() {
    let mut compared = 0;
    for (name, text, json) in corpus() {
        let read = cql2_text::parse(&text).unwrap_or_else(|fault| panic!("{name}: {fault}\n{text}"));
        let Some(json) = json else { continue };
        let other = cql2_json::read(json.clone()).unwrap_or_else(|fault| panic!("{name}: {fault}\n{json}"));
        assert_eq!(plain(&cql2_json::write(&read)), plain(&cql2_json::write(&other)), "{name}\n{text}");
        assert_eq!(plain(&cql2_json::write(&other)), plain(&json), "{name}: what is read is written again");
        compared += 1;
    }
    assert!(compared >= 100, "{compared} examples");
}

#[test]
fn a_filter_survives_every_change_of_language() {
    for (name, text, _) in corpus() {
        let read = cql2_text::parse(&text).expect("read before");
        let written = cql2_text::write(&read);
        assert_eq!(cql2_text::parse(&written).as_ref(), Ok(&read), "{name}: {written}");
        let json = cql2_json::write(&read).to_string();
        let again: Filter = cql2_json::parse(&json).unwrap_or_else(|fault| panic!("{name}: {fault}\n{json}"));
        assert_eq!(cql2_text::write(&again), written, "{name}: {json}");
    }
}

/// The `cql2` crate's reading of a text, as JSON.
fn theirs(text: &str) -> Option<Value> {
    text.parse::<cql2::Expr>().ok()?.to_value().ok()
}

#[test]
fn another_reader_understands_what_we_write() {
    let mut understood = 0;
    for (name, text, _) in corpus() {
        // What it does not read itself, it cannot judge.
        let Some(theirs) = theirs(&text) else { continue };
        let written = cql2_text::write(&cql2_text::parse(&text).expect("read before"));
        let ours = self::theirs(&written).unwrap_or_else(|| panic!("{name}: not understood: {written}"));
        assert_eq!(plain(&ours), plain(&theirs), "{name}: {written}");
        understood += 1;
    }
    assert!(understood >= 90, "{understood} examples");
}

#[test]
fn what_is_no_filter_is_refused_by_its_place() {
    for (text, reason) in [
        ("", "expected a value"),
        ("nom =", "at byte 6, found the end"),
        ("nom = 'a' autre", "expected the end, AND or OR at byte 11"),
        ("nom = 'a' AND", "found the end"),
        ("(nom = 'a'", "expected `,` or `)`"),
        ("nom NOT 'a'", "expected the end"),
        ("nom NOT EQUAL 'a'", "LIKE, BETWEEN or IN"),
        ("nom = DATE('2026-02-30')", "a date such as"),
        ("nom = TIMESTAMP('2026-02-03')", "an instant such as"),
        ("S_INTERSECTS(geometry)", "two operands of S_INTERSECTS, found 1"),
        ("S_INTERSECTS(geometry, POINT(1))", "expected a number"),
        ("nom LIKE", "found the end"),
        ("nom = \"a", "to be closed"),
    ] {
        let fault = cql2_text::parse(text).expect_err(text);
        assert!(fault.contains(reason), "{text}: {fault}");
    }
    for deep in ["(".repeat(5_000), "NOT ".repeat(5_000), "-".repeat(5_000), "CASEI(".repeat(5_000)] {
        assert!(cql2_text::parse(&deep).is_err_and(|fault| fault.contains("inside one another")), "{}", &deep[..8]);
    }
    for (json, reason) in [
        ("{", "expected JSON"),
        ("null", "isNull"),
        (r#"{"op":"="}"#, "`args`"),
        (r#"{"op":"=","args":[1]}"#, "expected 2 arguments of `=`, found 1"),
        (r#"{"op":"and","args":[true]}"#, "at least two"),
        (r#"{"op":"in","args":[1,2]}"#, "an array as second"),
        (r#"{"property":3}"#, "a text in `property`"),
        (r#"{"date":"2026-13-01"}"#, "`date`"),
        (r#"{"interval":["2026-01-01"]}"#, "two ends"),
        (r#"{"type":"Point","coordinates":"x"}"#, "GeoJSON"),
        (r#"{"nom":"a"}"#, "expected an object with"),
    ] {
        let fault = cql2_json::parse(json).expect_err(json);
        assert!(fault.contains(reason), "{json}: {fault}");
    }
}
