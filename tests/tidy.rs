//! The code about the code: floors, absences, and the size of rooms.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Rooms from the ground up; a room uses rooms of lower floors only.
const FLOORS: [&[&str]; 9] = [
    &["model"],
    &["crs", "xml"],
    &["query", "geopackage", "mbtiles", "postgis"],
    &["source", "check", "store", "live", "tile", "portrayal", "encode", "config"],
    &["catalogue", "publish"],
    &["http"],
    &["service"],
    &["server"],
    &["cli"],
];

/// Words that belong to some rooms only.
const ABSENCES: [(&str, &[&str]); 9] = [
    ("gdal::", &["source", "encode"]),
    ("gdal_sys::", &["source", "encode"]),
    ("use proj::", &["crs"]),
    ("axum::", &["http", "service", "server"]),
    ("tower", &["http", "service", "server"]),
    ("rusqlite::", &["geopackage", "mbtiles", "store"]),
    ("pq_sys::", &["postgis"]),
    ("quick_xml::", &["xml"]),
    ("env::var", &["config"]),
];

/// `publish` lays a revision of the record over what the catalogue shows: the one way between the two.
const PASSAGES: [(&str, &str); 1] = [("publish", "catalogue")];

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("read");
                found.push((path, text));
            }
        }
    }
    found
}

fn room(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
    let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The lines before the tests of a file.
fn code(text: &str) -> &str {
    text.split("[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn rooms_use_lower_floors_only() {
    for (path, text) in sources() {
        let here = room(&path);
        let Some(own) = floor(&here) else { continue };
        for line in text.lines().filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("use crate::")) {
            let there = line.split([':', ';']).next().unwrap_or_default();
            let allowed = there == here || floor(there).is_some_and(|floor| floor < own) || PASSAGES.contains(&(here.as_str(), there));
            assert!(allowed, "{}: `use crate::{line}`: {here} may not use {there}", path.display());
        }
    }
}

#[test]
fn words_stay_in_their_rooms() {
    for (path, text) in sources() {
        for (word, rooms) in ABSENCES {
            let used = code(&text).lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word));
            assert!(!used || rooms.contains(&room(&path).as_str()), "{}: `{word}` belongs to {rooms:?}", path.display());
        }
    }
}

#[test]
fn files_say_what_they_are_for_and_stay_small() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{}: begins without `//!`", path.display());
        assert!(text.lines().count() <= 500, "{}: {} lines, more than 500", path.display(), text.lines().count());
    }
}

#[test]
fn nothing_is_left_for_later() {
    for (path, text) in sources() {
        for word in ["TODO", "FIXME", "todo!(", "unimplemented!(", "dbg!("] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
        assert!(!code(&text).contains(".unwrap()"), "{}: .unwrap()", path.display());
        assert!(
            !text.lines().any(|line| line.trim_start().starts_with("use ") && line.contains("::*;") && !line.contains("super::*")),
            "{}: a glob",
            path.display()
        );
    }
}

#[test]
fn the_map_lists_rooms_from_the_ground_up() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("read");
    let floors: Vec<usize> = map
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(|room| floor(room).unwrap_or_else(|| panic!("{room} has no floor")))
        .collect();
    assert!(floors.is_sorted(), "{floors:?}");
}
