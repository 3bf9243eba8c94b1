//! READ: a stranger's file becomes batches of features, in a child process of its own.

use std::path::Path;
use std::path::PathBuf;

use crate::model::batch::FeatureBatch;
use crate::model::reading::Outcome;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;

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

/// A reading under way: batches in the source's order and CRS, then the outcome.
pub struct Reading {}

impl Iterator for Reading {
    type Item = Result<FeatureBatch, SourceError>;
    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}

impl Reading {
    /// Call once, after the last batch.
    ///
    /// # Errors
    /// `Crashed` where the worker ended before its word.
    pub fn finish(self) -> Result<Outcome, SourceError> {
        unimplemented!()
    }
}

impl Source {
    /// The layers of a file, without their features.
    ///
    /// # Errors
    /// Any `SourceError`.
    pub fn describe(&self, _path: &Path, _options: &ReadOptions) -> Result<Vec<SourceLayer>, SourceError> {
        unimplemented!()
    }

    /// # Errors
    /// Any `SourceError`.
    pub fn read(&self, _path: &Path, _layer: &str, _options: &ReadOptions) -> Result<Reading, SourceError> {
        unimplemented!()
    }

    /// Files below a folder that some format recognises as the head of a source, sorted; junk (`~$…`, `Thumbs.db`, orphans) left out.
    ///
    /// # Errors
    /// `Unreadable` where the folder cannot be listed.
    pub fn find(&self, _folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
        unimplemented!()
    }

    /// A number that changes when the file or one of its sidecars changes (names, sizes, times to the nanosecond), or `None` where the source is away.
    pub fn fingerprint(&self, _path: &Path) -> Option<String> {
        unimplemented!()
    }
}

/// Body of `bocage worker`: reads one request on standard input, answers on standard output, exits.
pub fn worker_main() -> std::process::ExitCode {
    unimplemented!()
}
