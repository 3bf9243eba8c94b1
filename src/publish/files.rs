//! The downloads of a version, written beside its store before anything is switched.

use std::io;

use anyhow::Context as _;
use rayon::iter::IntoParallelRefIterator;
use rayon::iter::ParallelIterator;

use crate::encode::DOWNLOADS;
use crate::encode::Download;
use crate::model::record::Record;
use crate::store::Staged;

pub struct Written {
    /// Name, media type, title.
    pub files: Vec<(String, String, String)>,
    /// What a format could not hold, in French.
    pub notes: Vec<String>,
}

/// Every download that suits the layer, several at a time: each reads the store for itself.
///
/// A format too small for the layer (a Shapefile over 2 GB) is left out, with a note.
///
/// # Errors
/// Those of the disk and of GDAL, with the file's name.
pub fn write_downloads(staged: &Staged, record: &Record) -> anyhow::Result<Written> {
    let suited: Vec<&&dyn Download> = DOWNLOADS.iter().filter(|download| download.suits(&staged.layer)).collect();
    let written: Vec<(String, Option<Vec<String>>)> = suited
        .par_iter()
        .map(|download| {
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
        })
        .collect::<anyhow::Result<_>>()?;
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
