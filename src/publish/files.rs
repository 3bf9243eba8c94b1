//! The downloads of a version, written beside its store before anything is switched.

use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use rayon::iter::IntoParallelRefIterator;
use rayon::iter::ParallelIterator;

use crate::encode::DOWNLOADS;
use crate::encode::Download;
use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::record::Record;
use crate::query::Query;
use crate::store::LayerReader;
use crate::store::Staged;

pub struct Written {
    /// Name, media type, title.
    pub files: Vec<(String, String, String)>,
    /// What a format could not hold, in French.
    pub notes: Vec<String>,
}

/// Every download that suits the layer, several at a time: each reads the store for itself.
///
/// # Errors
/// Those of the disk and of GDAL, with the file's name.
pub fn write_downloads(staged: &Staged, record: &Record) -> anyhow::Result<Written> {
    let reader = Arc::new(staged.reader()?);
    let suited: Vec<&&dyn Download> = DOWNLOADS.iter().filter(|download| download.suits(&staged.layer)).collect();
    let written: Vec<(String, Vec<String>)> = suited
        .par_iter()
        .map(|download| {
            let name = format!("{}{}", staged.layer.id, download.suffix());
            let notes = download
                .write(&staged.layer, record, &mut batches(&reader)?, &staged.folder.join(&name))
                .with_context(|| format!("« {name} » n'a pas pu être écrit"))?;
            Ok((name, notes))
        })
        .collect::<anyhow::Result<_>>()?;
    let mut all = Written { files: Vec::new(), notes: Vec::new() };
    for (download, (name, notes)) in suited.iter().zip(written) {
        all.notes.extend(notes.into_iter().map(|note| format!("{name} : {note}")));
        all.files.push((name, download.media_type().to_owned(), download.title().to_owned()));
    }
    Ok(all)
}

fn batches(reader: &Arc<LayerReader>) -> anyhow::Result<impl Iterator<Item = io::Result<FeatureBatch>> + use<>> {
    let selection = reader.select(&Query::all(CRS84))?;
    Ok(selection.map(|chunk| chunk.map(|chunk| chunk.batch).map_err(io::Error::other)))
}
