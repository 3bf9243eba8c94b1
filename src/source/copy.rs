//! Private copies: nothing is locked, and what is read does not change under the reader.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;

use crate::source::FORMATS;
use crate::source::SourceError;
use crate::source::archive;
use crate::source::extension;
use crate::source::recognise;

/// A copy that vanishes when it is dropped.
pub struct Copied {
    _folder: TempDir,
    /// Heads of sources in the copy: one, or several from an archive.
    pub heads: Vec<PathBuf>,
}

/// A GeoPackage that QGIS writes to is copied when it was quiet for so long, and not waited for longer than so.
const QUIET: Duration = Duration::from_millis(300);
const QUIET_WAIT_MAX: Duration = Duration::from_secs(10);

pub fn copy(path: &Path, scratch: &Path) -> Result<Copied, SourceError> {
    let unreadable = |error: io::Error| SourceError::Unreadable { path: path.to_owned(), reason: said(&error) };
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(SourceError::Unreadable { path: path.to_owned(), reason: "ce n'est pas un fichier".to_owned() });
    }
    let folder = TempDir::new_in(scratch).map_err(unreadable)?;
    if archive::is_archive(path) {
        let heads = archive::unpack(path, folder.path())?;
        return Ok(Copied { _folder: folder, heads });
    }
    let is_table = extension(path) == "dbf";
    if recognise(path).is_none() && !is_table {
        return Err(unrecognised(path));
    }
    if extension(path) == "gpkg" {
        wait_for_quiet(path).map_err(unreadable)?;
    }
    for sidecar in sidecars(path).map_err(unreadable)? {
        fs::copy(&sidecar, folder.path().join(plain_name(&sidecar))).map_err(unreadable)?;
    }
    let head = folder.path().join(plain_name(path));
    Ok(Copied { _folder: folder, heads: vec![head] })
}

pub fn unrecognised(path: &Path) -> SourceError {
    let known: Vec<&str> = FORMATS.iter().map(|format| format.id()).collect();
    SourceError::Unrecognised { path: path.to_owned(), known: known.join(", ") }
}

/// The operating system's word in French where it is frequent.
fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "le fichier n'existe pas".to_owned(),
        io::ErrorKind::PermissionDenied => "l'accès est refusé".to_owned(),
        io::ErrorKind::StorageFull => "le disque est plein".to_owned(),
        _ => error.to_string(),
    }
}

/// The extension in lower case, as drivers look for sidecars.
fn plain_name(path: &Path) -> PathBuf {
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    let text = name.to_string_lossy();
    for suffix in ["-wal", "-shm"] {
        if text.ends_with(suffix) {
            return name;
        }
    }
    name.with_extension(extension(path))
}

/// The file and what belongs to it: every sibling of a Shapefile with its stem, in any letter case; the log of a GeoPackage.
///
/// # Errors
/// Those of the disk.
pub fn sidecars(path: &Path) -> io::Result<Vec<PathBuf>> {
    fs::metadata(path)?;
    let mut found = vec![path.to_owned()];
    match extension(path).as_str() {
        "shp" | "dbf" => {
            let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            for entry in fs::read_dir(folder)? {
                let sibling = entry?.path();
                let belongs = ["shp", "shx", "dbf", "prj", "cpg", "cst", "qmd"].contains(&extension(&sibling).as_str());
                if belongs && stem(&sibling) == stem(path) && sibling != path && sibling.is_file() {
                    found.push(sibling);
                }
            }
        }
        "gpkg" => {
            for suffix in ["-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                let sibling = PathBuf::from(name);
                if sibling.is_file() {
                    found.push(sibling);
                }
            }
        }
        _ => {}
    }
    found.sort();
    Ok(found)
}

/// Waits while somebody writes: only where a write-ahead log lies beside the file.
fn wait_for_quiet(path: &Path) -> io::Result<()> {
    let state = || -> io::Result<Vec<(u64, std::time::SystemTime)>> {
        sidecars(path)?.iter().map(|path| fs::metadata(path).and_then(|metadata| Ok((metadata.len(), metadata.modified()?)))).collect()
    };
    let started = Instant::now();
    let mut before = state()?;
    while before.len() > 1 && started.elapsed() < QUIET_WAIT_MAX {
        std::thread::sleep(QUIET);
        let now = state()?;
        if now == before {
            break;
        }
        before = now;
    }
    Ok(())
}
