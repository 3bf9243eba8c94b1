//! `bocage tile`: every layer of some files into one archive of vector tiles, with the same readers as a publication.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use anyhow::Context as _;
use anyhow::bail;
use rayon::iter::IntoParallelRefIterator;
use rayon::iter::ParallelIterator;

use crate::model::crs::CRS84;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::model::tiling::Tiling;
use crate::publish::convert::Part;
use crate::publish::convert::outcome_notes;
use crate::source::OpenSource;
use crate::source::Source;
use crate::tile;
use crate::tile::Preparation;
use crate::tile::Prepared;
use crate::tile::Report;

pub struct TileRequest<'a> {
    pub paths: &'a [PathBuf],
    pub out: &'a Path,
    pub min_zoom: u8,
    pub max_zoom: u8,
    /// No tile is thinned, whatever its size.
    pub keep_all: bool,
}

pub struct TileReport {
    pub report: Report,
    /// What was mended or lost on the way in, in French.
    pub notes: Vec<String>,
}

/// A layer that is to be read, and the file that it is in.
struct Wanted {
    file: usize,
    described: SourceLayer,
    layer: Layer,
}

/// # Errors
/// A source cannot be read or has no CRS, nothing in them has a geometry, or the disk refuses.
pub fn tile(source: &Source, request: &TileRequest<'_>) -> anyhow::Result<TileReport> {
    let mut files = Vec::new();
    let mut wanted = Vec::new();
    for path in request.paths {
        let opened = source.open(path, &ReadOptions { crs: None, ..ReadOptions::default() }, None)?;
        look(path, files.len(), &opened, request, &mut wanted)?;
        files.push(Mutex::new(opened));
    }
    if wanted.is_empty() {
        bail!("aucune couche de ces fichiers n'a de géométrie");
    }
    let read: Vec<(Prepared, Vec<String>)> =
        wanted.par_iter().map(|wanted| prepare(&files[wanted.file], wanted, source)).collect::<anyhow::Result<_>>()?;
    let (layers, notes): (Vec<Prepared>, Vec<Vec<String>>) = read.into_iter().unzip();
    let part = Part::of(request.out)?;
    let cut = tile::build(&layers, request.keep_all, part.path());
    let report = cut.with_context(|| format!("« {} » n'a pas pu être écrit", request.out.display()))?;
    part.keep(request.out)?;
    Ok(TileReport { report, notes: notes.concat() })
}

/// Adds the layers of a file that have a geometry.
fn look(path: &Path, file: usize, opened: &OpenSource, request: &TileRequest<'_>, wanted: &mut Vec<Wanted>) -> anyhow::Result<()> {
    let layers = opened.layers();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let is_only = layers.len() == 1;
    for described in layers.into_iter().filter(|layer| layer.geometry.is_some()) {
        let crs = match &described.crs {
            ClaimedCrs::NotApplicable => CRS84,
            ClaimedCrs::Known(known) => *known,
            ClaimedCrs::Missing | ClaimedCrs::Unknown(_) => bail!(
                "« {} », couche « {} » : pas de système de coordonnées ; « bocage check {0} » propose les candidats",
                path.display(),
                described.name
            ),
        };
        let name = if is_only { stem.clone() } else { described.name.clone() };
        let id = unused(&name, wanted).with_context(|| format!("« {name} » ne peut pas nommer une couche"))?;
        let tiling = Tiling { min_zoom: Some(request.min_zoom), max_zoom: request.max_zoom, ..Tiling::default() };
        wanted.push(Wanted { file, layer: Layer { tiling, ..described.to_layer(id, crs) }, described });
    }
    Ok(())
}

/// The id that a name gets; `_2`, `_3` … where other layers have it.
fn unused(name: &str, wanted: &[Wanted]) -> Option<LayerId> {
    let id = LayerId::from_name(name)?;
    let is_free = |id: &LayerId| wanted.iter().all(|other| other.layer.id != *id);
    let numbered = (2..).map(|number| LayerId::from_name(&format!("{id}_{number}")));
    std::iter::once(Some(id.clone())).chain(numbered).find(|id| id.as_ref().is_none_or(is_free))?
}

/// The layer ready to be cut, and what was mended or lost, in French.
fn prepare(file: &Mutex<OpenSource>, wanted: &Wanted, source: &Source) -> anyhow::Result<(Prepared, Vec<String>)> {
    let mut reading = file.lock().unwrap_or_else(PoisonError::into_inner).read_one(&wanted.described)?;
    let mut preparation = Preparation::begin(&wanted.layer, wanted.layer.crs, Some(&source.scratch))?;
    for batch in &mut reading {
        preparation.take(&batch?)?;
    }
    let notes = outcome_notes(&reading.finish()?, &[], wanted.described.rows_claimed);
    let notes = notes.into_iter().map(|note| format!("{} : {note}", wanted.layer.id)).collect();
    Ok((preparation.finish()?, notes))
}
