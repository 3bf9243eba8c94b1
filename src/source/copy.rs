//! Private copies: nothing is locked, and what is read does not change under the reader.
//!
//! A conversion reads a GeoPackage in its own place, without a lock, and counts only where it did not change.

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
use crate::source::read_head;
use crate::source::recognise;

/// What is read: a copy that vanishes when it is dropped, or a file in its own place.
pub struct Copied {
    folder: Option<TempDir>,
    /// Heads of sources in the copy: one, or several from an archive.
    pub heads: Vec<PathBuf>,
    /// Of a file in its own place, as it was when it was opened.
    held: Option<State>,
}

/// Sizes and times of a file and what belongs to it.
type State = Vec<(PathBuf, u64, std::time::SystemTime)>;

impl Copied {
    /// A copy that was made here.
    pub fn of_our_own(folder: TempDir, head: PathBuf) -> Copied {
        Copied { folder: Some(folder), heads: vec![head], held: None }
    }

    /// Where the copy lies, or the file itself.
    pub fn folder(&self) -> &Path {
        let own = || self.heads.first().and_then(|head| head.parent()).unwrap_or(Path::new(""));
        self.folder.as_ref().map_or_else(own, TempDir::path)
    }

    pub fn is_in_place(&self) -> bool {
        self.held.is_some()
    }

    /// Whether nobody wrote to the file since it was opened; to a copy nobody does.
    pub fn is_as_it_was(&self) -> bool {
        self.held.as_ref().is_none_or(|held| self.heads.first().and_then(|head| state(head).ok()).as_ref() == Some(held))
    }
}

/// A GeoPackage without a log is not copied: what is read of it counts where nothing was written to it meanwhile, which
/// [`Copied::is_as_it_was`] tells in the end. A copy of half a gigabyte costs as much as its reading.
pub fn hold(path: &Path, scratch: &Path) -> Result<Copied, SourceError> {
    let is_settled = || {
        let path = fs::canonicalize(path).ok()?;
        let held = state(&path).ok().filter(|state| state.len() == 1)?;
        let head = read_head(&path)?;
        // Somebody writes, or broke off: SQLite alone knows what counts.
        let mut journal = path.clone().into_os_string();
        journal.push("-journal");
        if Path::new(&journal).exists() {
            return None;
        }
        // Bytes 18 and 19: 1 for a database that keeps no write-ahead log.
        let is_plain = recognise(&path)?.driver() == Some("GPKG") && head.get(18..20) == Some(&[1, 1]);
        is_plain.then(|| Copied { folder: None, heads: vec![path], held: Some(held) })
    };
    is_settled().map_or_else(|| copy(path, scratch), Ok)
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
        return Ok(Copied { folder: Some(folder), heads, held: None });
    }
    let is_table = extension(path) == "dbf";
    if recognise(path).is_none() && !is_table {
        return Err(unrecognised(path));
    }
    if !copy_quietly(path, folder.path()).map_err(unreadable)? {
        return Err(written(path));
    }
    let head = folder.path().join(plain_name(path, path));
    Ok(Copied { folder: Some(folder), heads: vec![head], held: None })
}

/// Copies the file and what belongs to it as they are between two writings: nothing changed while it was copied. `false`
/// where somebody never stopped writing.
fn copy_quietly(path: &Path, folder: &Path) -> io::Result<bool> {
    let started = Instant::now();
    if extension(path) == "gpkg" {
        wait_for_quiet(path)?;
    }
    loop {
        let before = state(path)?;
        for sidecar in sidecars(path)? {
            let copied = fs::copy(&sidecar, folder.join(plain_name(&sidecar, path)));
            // A log that was there a moment ago was taken into its GeoPackage: the state tells.
            copied.map(drop).or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
        }
        if state(path)? == before {
            return Ok(true);
        }
        if started.elapsed() > QUIET_WAIT_MAX {
            return Ok(false);
        }
        std::thread::sleep(QUIET);
        for copied in fs::read_dir(folder)? {
            fs::remove_file(copied?.path())?;
        }
    }
}

fn state(path: &Path) -> io::Result<State> {
    let mut state = Vec::new();
    for path in sidecars(path)? {
        match fs::metadata(&path) {
            Ok(metadata) => state.push((path, metadata.len(), metadata.modified()?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(state)
}

/// The refusal of a file that changes while it is read.
pub fn written(path: &Path) -> SourceError {
    let reason = "quelqu'un est en train de l'écrire ; réessayez quand l'enregistrement ou la copie est terminé";
    SourceError::Unreadable { path: path.to_owned(), reason: reason.to_owned() }
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

/// The stem of the head and the extension in lower case, as drivers look for sidecars.
fn plain_name(path: &Path, head: &Path) -> PathBuf {
    let named = |extension: &str| PathBuf::from(head.file_name().unwrap_or_default()).with_extension(extension);
    match LOG_SUFFIXES.iter().find(|suffix| path.to_string_lossy().ends_with(*suffix)) {
        Some(suffix) => named(&format!("{}{suffix}", extension(head))),
        None => named(&extension(path)),
    }
}

/// What SQLite keeps beside a database that is being written.
const LOG_SUFFIXES: [&str; 2] = ["-wal", "-shm"];

/// What belongs to a Shapefile.
const SHAPEFILE_PARTS: [&str; 7] = ["shp", "shx", "dbf", "prj", "cpg", "cst", "qmd"];

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
            let mut parts: Vec<PathBuf> = Vec::new();
            for entry in fs::read_dir(folder)? {
                let sibling = entry?.path();
                if SHAPEFILE_PARTS.contains(&extension(&sibling).as_str()) && stem(&sibling) == stem(path) && sibling.is_file() {
                    parts.push(sibling);
                }
            }
            // Two Shapefiles whose names differ by letter case alone: to each its own, by the same spelling.
            let own = |part: &PathBuf| part.file_stem() == path.file_stem();
            let (same, other): (Vec<PathBuf>, Vec<PathBuf>) = parts.into_iter().partition(own);
            for part in same.into_iter().chain(other) {
                if !found.iter().any(|known| extension(known) == extension(&part)) {
                    found.push(part);
                }
            }
        }
        "gpkg" => {
            for suffix in LOG_SUFFIXES {
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
    let started = Instant::now();
    let mut before = state(path)?;
    while before.len() > 1 && started.elapsed() < QUIET_WAIT_MAX {
        std::thread::sleep(QUIET);
        let now = state(path)?;
        if now == before {
            break;
        }
        before = now;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a GeoPackage, with or without a write-ahead log.
    fn head(log: u8) -> Vec<u8> {
        let mut head = vec![0; 100];
        head[..16].copy_from_slice(b"SQLite format 3\0");
        (head[18], head[19]) = (log, log);
        head
    }

    #[test]
    fn only_a_settled_geopackage_is_held_and_a_change_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.gpkg");
        fs::write(&path, head(1)).expect("written");
        let held = hold(&path, folder.path()).expect("held");
        assert!(held.is_in_place() && held.is_as_it_was());
        fs::write(&path, [head(1), vec![0]].concat()).expect("written");
        assert!(!held.is_as_it_was());
        let is_held = || hold(&path, folder.path()).expect("held or copied").is_in_place();
        assert!(is_held());
        fs::write(folder.path().join("a.gpkg-journal"), b"").expect("written");
        assert!(!is_held(), "somebody writes");
        fs::remove_file(folder.path().join("a.gpkg-journal")).expect("removed");
        fs::write(&path, head(2)).expect("written");
        assert!(!is_held(), "a file that keeps a log");
        fs::write(folder.path().join("a.geojson"), b"{\"type\":\"FeatureCollection\"}").expect("written");
        let copied = hold(&folder.path().join("a.geojson"), folder.path()).expect("copied");
        assert!(!copied.is_in_place() && copied.is_as_it_was());
    }
}
