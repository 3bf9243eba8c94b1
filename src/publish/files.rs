//! The downloads of a version, written beside its store before anything is switched.

use std::io;
use std::sync::OnceLock;

use anyhow::Context as _;

use crate::encode::DOWNLOADS;
use crate::encode::Download;
use crate::model::media_type;
use crate::model::record::Record;
use crate::publish::tileset;
use crate::store::Staged;

pub struct Written {
    /// Name, media type, title.
    pub files: Vec<(String, String, String)>,
    /// What a format could not hold, in French.
    pub notes: Vec<String>,
}

/// The tiles, then every download that suits the layer.
///
/// # Errors
/// Those of the disk and of GDAL, with the file's name.
pub fn write_all(staged: &Staged, record: &Record) -> anyhow::Result<Written> {
    if staged.layer.is_tileset {
        return Ok(Written { files: vec![tiles_file(staged)], notes: Vec::new() });
    }
    let tiles = staged.layer.geometry.map(|_| tileset::write(staged)).transpose();
    let tiles = tiles.with_context(|| format!("« {}{} » n'a pas pu être écrit", staged.layer.id, tileset::SUFFIX))?;
    let mut written = write_downloads(staged, record)?;
    if let Some(report) = tiles {
        written.notes.extend(tileset::notes(&report));
        written.files.push(tiles_file(staged));
    }
    Ok(written)
}

fn tiles_file(staged: &Staged) -> (String, String, String) {
    let name = format!("{}{}", staged.layer.id, tileset::SUFFIX);
    (name, media_type::PMTILES.to_owned(), tileset::TITLE.to_owned())
}

/// Several at a time, the slowest first: each reads the store for itself.
///
/// A format too small for the layer (a Shapefile over 2 GB) is left out, with a note.
///
/// # Errors
/// Those of the disk and of GDAL, with the file's name.
fn write_downloads(staged: &Staged, record: &Record) -> anyhow::Result<Written> {
    let suited: Vec<&&dyn Download> = DOWNLOADS.iter().filter(|download| download.suits(&staged.layer)).collect();
    let written: Vec<OnceLock<anyhow::Result<Named>>> = suited.iter().map(|_| OnceLock::new()).collect();
    let mut order: Vec<usize> = (0..suited.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(suited[*at].weight()));
    rayon::scope_fifo(|scope| {
        for at in order {
            let (download, written) = (suited[at], &written[at]);
            scope.spawn_fifo(move |_| {
                written.get_or_init(|| write(staged, record, *download));
            });
        }
    });
    let written: Vec<Named> = written.into_iter().filter_map(OnceLock::into_inner).collect::<anyhow::Result<_>>()?;
    let mut all = Written { files: Vec::new(), notes: Vec::new() };
    for (download, (name, notes)) in suited.iter().zip(written) {
        let Some(notes) = notes else {
            all.notes.push(format!("{name} : non proposé, la couche dépasse la taille que ce format admet."));
            continue;
        };
        all.notes.extend(notes.into_iter().map(|note| format!("{name} : {note}")));
        all.files.push((name, download.media_type().to_owned(), download.title().to_owned()));
    }
    Ok(all)
}

/// A file's name and what it lost; `None` where the layer is too large for its format.
type Named = (String, Option<Vec<String>>);

fn write(staged: &Staged, record: &Record, download: &dyn Download) -> anyhow::Result<Named> {
    let name = format!("{}{}", staged.layer.id, download.suffix());
    let path = staged.folder.join(&name);
    let mut batches = staged.batches()?.map(|batch| batch.map_err(io::Error::other));
    match download.write(&staged.layer, Some(record), &mut batches, &path) {
        Ok(notes) => Ok((name, Some(notes))),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            if path.exists() {
                std::fs::remove_file(&path)?;
            }
            Ok((name, None))
        }
        Err(error) => Err(error).with_context(|| format!("« {name} » n'a pas pu être écrit")),
    }
}
