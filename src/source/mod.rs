//! READ: a stranger's file becomes batches of features, in a child process of its own.
//!
//! The parent makes a private copy, the worker (`bocage worker`) opens it with a driver from a closed list, under limits
//! on memory, time and files, and sends what it read over a pipe. A crash there is an error here, with its reason.

mod archive;
mod batcher;
mod charset;
mod complaints;
mod copy;
mod csv;
mod geojson;
mod geometry;
mod geopackage;
mod judge;
mod names;
mod ogr;
mod pipe;
mod placing;
mod shapefile;
mod tabular;
mod worker;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::source::copy::Copied;
pub use crate::source::pipe::Reading;
use crate::source::pipe::Request;
use crate::source::pipe::Worker;
pub use crate::source::worker::worker_main;

/// A format that is read: one file, one struct, one line in [`FORMATS`].
pub trait SourceFormat: Sync {
    /// As help and messages name it.
    fn id(&self) -> &'static str;
    /// The GDAL driver, from a closed list; `None` for a format that this house reads itself.
    fn driver(&self) -> Option<&'static str>;
    /// Whether a file is the head of a source of this format, by its name and its first bytes.
    fn recognises(&self, path: &Path, head: &[u8]) -> bool;
}

pub const FORMATS: &[&dyn SourceFormat] = &[&geopackage::GeoPackage, &shapefile::Shapefile, &geojson::GeoJson, &csv::Csv];

/// Reads files through workers. `program` is this executable (tests give theirs); it is started as `program worker`.
#[derive(Clone, Debug)]
pub struct Source {
    pub program: PathBuf,
    /// Private copies are made below it.
    pub scratch: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("« {path} » ne peut pas être lu : {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error("« {path} » : aucun format reconnu ; formats lus : {known}")]
    Unrecognised { path: PathBuf, known: String },
    #[error("« {path} » n'a pas de couche « {layer} » ; ses couches : {layers}")]
    NoSuchLayer { path: PathBuf, layer: String, layers: String },
    #[error("la lecture de « {path} » s'est interrompue : {reason}")]
    Crashed { path: PathBuf, reason: String },
}

/// Bytes of a file's head that tell its format.
const HEAD_BYTES: usize = 4096;

/// The format of a file, by name and first bytes.
pub(crate) fn recognise(path: &Path) -> Option<&'static dyn SourceFormat> {
    let head = read_head(path)?;
    FORMATS.iter().copied().find(|format| format.recognises(path, &head))
}

fn read_head(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::new();
    fs::File::open(path).ok()?.take(HEAD_BYTES as u64).read_to_end(&mut head).ok()?;
    Some(head)
}

/// The extension in lower case; empty without one.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

impl Source {
    /// The layers of a file, without their features.
    ///
    /// # Errors
    /// Any `SourceError`.
    pub fn describe(&self, path: &Path, options: &ReadOptions) -> Result<Vec<SourceLayer>, SourceError> {
        let copied = self.copy(path)?;
        let mut layers = Vec::new();
        for head in &copied.heads {
            let request = Request { path: head.clone(), layer: None, options: options.clone() };
            let found = Worker::start(self, path, &request)?.describe()?;
            layers.extend(found);
        }
        Ok(layers)
    }

    /// # Errors
    /// Any `SourceError`.
    pub fn read(&self, path: &Path, layer: &str, options: &ReadOptions) -> Result<Reading, SourceError> {
        let copied = self.copy(path)?;
        let mut known = Vec::new();
        for head in &copied.heads {
            let described = Request { path: head.clone(), layer: None, options: options.clone() };
            let found = Worker::start(self, path, &described)?.describe()?;
            if found.iter().any(|found| found.name == layer) {
                let request = Request { path: head.clone(), layer: Some(layer.to_owned()), options: options.clone() };
                return Worker::start(self, path, &request)?.read(copied);
            }
            known.extend(found.into_iter().map(|found| found.name));
        }
        Err(SourceError::NoSuchLayer { path: path.to_owned(), layer: layer.to_owned(), layers: known.join(", ") })
    }

    fn copy(&self, path: &Path) -> Result<Copied, SourceError> {
        copy::copy(path, &self.scratch)
    }

    /// Files below a folder that are heads of sources, sorted; hidden files and lock files of office programs left out.
    ///
    /// # Errors
    /// `Unreadable` where the folder cannot be listed.
    pub fn find(&self, folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let unreadable = |error: std::io::Error| SourceError::Unreadable { path: folder.clone(), reason: error.to_string() };
            for entry in fs::read_dir(&folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with('.') || name.starts_with("~$") {
                    continue;
                }
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else if recognise(&path).is_some() || archive::is_archive_of_sources(&path) {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// A text that changes when the file or one of its sidecars changes (names, sizes, times), `None` where the source is away.
    pub fn fingerprint(&self, path: &Path) -> Option<String> {
        let mut parts = Vec::new();
        for sidecar in copy::sidecars(path).ok()? {
            let metadata = fs::metadata(&sidecar).ok()?;
            let time = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            parts.push(format!("{} {} {}", sidecar.file_name()?.to_string_lossy(), metadata.len(), time.as_nanos()));
        }
        parts.sort();
        Some(parts.join("\n"))
    }
}
