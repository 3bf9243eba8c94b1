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
mod frame;
mod geojson;
mod geometry;
mod geopackage;
mod judge;
mod names;
mod ogr;
mod pipe;
mod placing;
mod plain;
mod postgis;
mod shapefile;
mod simple;
mod tabular;
mod values;
mod worker;

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::model::reading::Outcome;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::postgis::PostgisError;
use crate::postgis::Table;
use crate::source::copy::Copied;
use crate::source::pipe::Question;
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
    /// A GeoPackage that nobody writes is read where it lies, and the reading is refused where it changed meanwhile.
    pub in_place: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("« {path} » ne peut pas être lu : {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error("« {path} » : aucun format reconnu ; formats lus : {known}")]
    Unrecognised { path: PathBuf, known: String },
    #[error("« {path} » n'a pas de couche « {layer} » ; ses couches : {layers}")]
    NoSuchLayer { path: PathBuf, layer: String, layers: String },
    #[error("« {path} » contient plusieurs couches ({layers}) : choisissez avec {choose}")]
    SeveralLayers { path: PathBuf, layers: String, choose: &'static str },
    #[error("« {path} » ne contient aucune couche")]
    NoLayer { path: PathBuf },
    #[error("la lecture de « {path} » s'est interrompue : {reason}")]
    Crashed { path: PathBuf, reason: String },
    #[error(transparent)]
    Database(#[from] PostgisError),
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
    /// Copies a file and looks at its layers; where one of them is called `only`, at it alone.
    ///
    /// # Errors
    /// Any `SourceError`.
    pub fn open(&self, path: &Path, options: &ReadOptions, only: Option<&str>) -> Result<OpenSource, SourceError> {
        let copied = if self.in_place { copy::hold(path, &self.scratch) } else { copy::copy(path, &self.scratch) }?;
        // In an archive a layer's name may have its folder in front.
        let only = only.filter(|_| copied.heads.len() == 1);
        let mut worker = None;
        let mut layers = Vec::new();
        for head in &copied.heads {
            let question = Question::Layers(only.map(str::to_owned));
            let request = Request { path: head.clone(), in_place: copied.is_in_place(), question, options: options.clone() };
            let mut describing = Worker::start(self, path)?;
            let found = describing.describe(&request)?;
            // The only one goes on to read; others, of which an archive may have hundreds, are started again.
            worker = Some(describing).filter(|_| copied.heads.len() == 1);
            layers.extend(found.into_iter().map(|layer| FoundLayer { head: head.clone(), inner: layer.name.clone(), layer }));
        }
        // Two folders of an archive may each hold a file of one name.
        let shared = |name: &String| layers.iter().filter(|found: &&FoundLayer| found.inner == *name).count() > 1;
        let names: Vec<String> = layers.iter().map(|found| found.name(copied.folder(), shared(&found.inner))).collect();
        for (found, name) in layers.iter_mut().zip(names) {
            found.layer.name = name;
        }
        Ok(OpenSource {
            source: self.clone(),
            path: path.to_owned(),
            options: options.clone(),
            copied: Arc::new(copied),
            layers,
            worker,
            table: None,
            noted: Outcome::default(),
        })
    }

    /// The layers of a file, without their features.
    ///
    /// # Errors
    /// Any `SourceError`.
    pub fn describe(&self, path: &Path, options: &ReadOptions) -> Result<Vec<SourceLayer>, SourceError> {
        Ok(self.open(path, options, None)?.layers())
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

/// A file that was copied and looked at. What is read is the copy that was described, whatever became of the file since.
pub struct OpenSource {
    source: Source,
    /// As the officer knows it.
    path: PathBuf,
    options: ReadOptions,
    copied: Arc<Copied>,
    layers: Vec<FoundLayer>,
    /// That described the file, and waits.
    worker: Option<Worker>,
    /// Of a database, what was copied.
    table: Option<Table>,
    /// What the copying did that the outcome of the reading must say.
    noted: Outcome,
}

struct FoundLayer {
    head: PathBuf,
    /// As the container names it.
    inner: String,
    /// Under a name of its own.
    layer: SourceLayer,
}

impl FoundLayer {
    /// With its folder in the archive in front, where other layers have the same name.
    fn name(&self, root: &Path, is_shared: bool) -> String {
        let folder =
            self.head.parent().and_then(|parent| parent.strip_prefix(root).ok()).filter(|folder| is_shared && *folder != Path::new(""));
        folder.map_or_else(|| self.inner.clone(), |folder| format!("{}/{}", folder.display(), self.inner))
    }
}

impl OpenSource {
    pub fn layers(&self) -> Vec<SourceLayer> {
        self.layers.iter().map(|found| found.layer.clone()).collect()
    }

    /// The table that was copied; `None` for a file.
    pub fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// The layer of this name, or the only one where none is named. `choose`: how the officer names one, for the refusal.
    ///
    /// # Errors
    /// `NoSuchLayer`, `SeveralLayers`, `NoLayer`.
    pub fn layer(&self, name: Option<&str>, choose: &'static str) -> Result<SourceLayer, SourceError> {
        let path = self.path.clone();
        let names = || self.layers.iter().map(|found| found.layer.name.as_str()).collect::<Vec<_>>().join(", ");
        match (name, self.layers.as_slice()) {
            (_, []) => Err(SourceError::NoLayer { path }),
            (None, [only]) => Ok(only.layer.clone()),
            (None, _) => Err(SourceError::SeveralLayers { path, layers: names(), choose }),
            (Some(name), layers) => {
                let found = layers.iter().find(|found| found.layer.name == name).map(|found| found.layer.clone());
                found.ok_or_else(|| SourceError::NoSuchLayer { path, layer: name.to_owned(), layers: names() })
            }
        }
    }

    /// The style that the file itself keeps for a layer, as it was stored: a GeoPackage of QGIS may have one. `None` where
    /// there is none.
    ///
    /// # Errors
    /// Any `SourceError`.
    pub fn style(&mut self, layer: &SourceLayer) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(found) = self.layers.iter().find(|found| found.layer.name == layer.name) else { return Ok(None) };
        if self.table.is_some() || recognise(&found.head).and_then(|format| format.driver()) != Some("GPKG") {
            return Ok(None);
        }
        let question = Question::Style(found.inner.clone());
        let request = Request { path: found.head.clone(), in_place: self.copied.is_in_place(), question, options: self.options.clone() };
        // Only a worker that answered goes on to read.
        let mut worker = self.worker.take().map_or_else(|| Worker::start(&self.source, &self.path), Ok)?;
        let style = worker.style(&request)?;
        self.worker = Some(worker).filter(|_| self.copied.heads.len() == 1);
        Ok(Some(style).filter(|style| !style.is_empty()))
    }

    /// # Errors
    /// Any `SourceError`.
    pub fn read(mut self, layer: &SourceLayer) -> Result<Reading, SourceError> {
        self.read_one(layer)
    }

    /// Of several layers, one: all are read from the same copy.
    ///
    /// # Errors
    /// Any `SourceError`.
    pub fn read_one(&mut self, layer: &SourceLayer) -> Result<Reading, SourceError> {
        let nothing = || SourceError::NoSuchLayer { path: self.path.clone(), layer: layer.name.clone(), layers: String::new() };
        let found = self.layers.iter().find(|found| found.layer.name == layer.name).ok_or_else(nothing)?;
        let question = Question::Features(found.inner.clone(), found.layer.geometry);
        let in_place = self.copied.is_in_place();
        let request = Request { path: found.head.clone(), in_place, question, options: self.options.clone() };
        let worker = self.worker.take().map_or_else(|| Worker::start(&self.source, &self.path), Ok)?;
        worker.read(&request, Arc::clone(&self.copied), std::mem::take(&mut self.noted))
    }
}
