//! Real test data that lie beside the repository.

use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The shared test data; `None`, said loudly, where they are absent.
pub fn shared() -> Option<PathBuf> {
    let shared = std::env::var_os("BOCAGE_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    if shared.join("data/montfort/expected.json").is_file() {
        return Some(shared.canonicalize().expect("a folder"));
    }
    skipped(&format!("the shared test data are absent at {} (BOCAGE_SHARED)", shared.display()));
    None
}

/// Said on standard error itself: what `eprintln!` says in a test that passes is kept from the reader.
pub fn skipped(why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

const SITE: &str = r#"
title = "Montfort"
crs = "EPSG:3948"
extent = [-2.16, 48.02, -1.80, 48.26]
[publisher]
name = "Montfort Communauté"
siren = "243500550"
"#;

/// The officer's network share as a site whose layers wait to be added.
pub fn montfort(shared: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&shared.join("data/montfort"), &folder.path().join("layers/depot"));
    std::fs::write(folder.path().join("layers/site.toml"), SITE).expect("written");
    folder
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::write(&target, std::fs::read(entry.path()).expect("read")).expect("written");
        }
    }
}

/// Standard output as JSON. Code 1 is a refusal, not a fault.
pub fn bocage(site: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_bocage")).arg("--site").arg(site).args(arguments).output().expect("started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {errors}"))
}
