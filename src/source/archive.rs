//! Zip archives, unpacked with limits: never a path outside, never a bomb, never an archive in an archive.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use zip::ZipArchive;

use crate::source::SourceError;
use crate::source::copy::sidecars;
use crate::source::copy::unrecognised;
use crate::source::extension;
use crate::source::recognise;

/// Members of an archive: a whole PLU has some hundred.
const MEMBERS_MAX: usize = 2_000;

/// Bytes of all members together: the largest departmental layers, unpacked.
const BYTES_MAX: u64 = 8 << 30;

/// A member may be so many times larger than packed; below a megabyte nobody is harmed.
const RATIO_MAX: u64 = 200;
const RATIO_FREE_BYTES: u64 = 1 << 20;

/// By its first bytes.
pub fn is_archive(path: &Path) -> bool {
    let mut head = [0; 4];
    extension(path) == "zip" && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && &head == b"PK\x03\x04"
}

/// Whether an archive names a file that some format may read. One that cannot be opened may: its officer should hear of it.
pub fn is_archive_of_sources(path: &Path) -> bool {
    let names = |archive: ZipArchive<File>| archive.file_names().flatten().any(|name| is_wanted_head(Path::new(name.as_ref())));
    is_archive(path) && File::open(path).is_ok_and(|file| ZipArchive::new(file).map_or(true, names))
}

fn is_wanted_head(path: &Path) -> bool {
    matches!(extension(path).as_str(), "shp" | "gpkg" | "geojson" | "csv" | "tsv" | "json")
}

/// Unpacks into `folder`, each member under its own name in one flat folder per folder of the archive; gives the heads, sorted.
///
/// # Errors
/// `Unreadable` for a damaged, encrypted or hostile archive; `Unrecognised` where it holds nothing that is read.
pub fn unpack(path: &Path, folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let refuse = |reason: String| SourceError::Unreadable { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut archive = ZipArchive::new(file).map_err(|error| refuse(format!("l'archive est abîmée ({error})")))?;
    if archive.len() > MEMBERS_MAX {
        return Err(refuse(format!("l'archive contient {} fichiers, plus que {MEMBERS_MAX}", archive.len())));
    }
    let mut left = BYTES_MAX;
    let mut heads = Vec::new();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).map_err(|error| refuse(format!("l'archive est abîmée ou chiffrée ({error})")))?;
        if member.is_dir() {
            continue;
        }
        let Some(inside) = member.enclosed_name() else {
            return Err(refuse("un fichier sortirait de l'archive".to_owned()));
        };
        let limit = left.min((member.compressed_size().saturating_mul(RATIO_MAX)).max(RATIO_FREE_BYTES));
        let target = target_of(folder, &inside).map_err(|error| refuse(error.to_string()))?;
        let written = File::create(&target).and_then(|mut out| io::copy(&mut member.by_ref().take(limit + 1), &mut out));
        let written = written.map_err(|error| refuse(error.to_string()))?;
        if written > limit {
            return Err(refuse(format!("« {} » se déplie au-delà de ce qu'une donnée occupe", inside.display())));
        }
        left -= written;
        if recognise(&target).is_some() {
            heads.push(target);
        }
    }
    heads.sort();
    for head in &heads {
        name_alike(head).map_err(|error| refuse(error.to_string()))?;
    }
    if heads.is_empty() { Err(unrecognised(path)) } else { Ok(heads) }
}

/// Gives the parts of a Shapefile the stem of its head, letter case too: drivers look for no other.
fn name_alike(head: &Path) -> io::Result<()> {
    for part in sidecars(head)? {
        let wanted = head.with_extension(extension(&part));
        if !wanted.exists() {
            std::fs::rename(&part, &wanted)?;
        }
    }
    Ok(())
}

/// Folders are kept, so that two members of one name do not meet; extensions become lower case, as drivers look for them.
fn target_of(folder: &Path, inside: &Path) -> io::Result<PathBuf> {
    let target = folder.join(inside.with_extension(extension(inside)));
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    Ok(target)
}
