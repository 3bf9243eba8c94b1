//! `bocage convert`: one file to another with the same readers, checks and writers as a publication.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::bail;
use arrow_array::Array;
use arrow_array::Int64Array;

use crate::encode::Batches;
use crate::encode::DOWNLOADS;
use crate::encode::Download;
use crate::encode::FORMATS;
use crate::encode::OutputFormat;
use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::layer::GeometryType;
use crate::model::layer::Layer;
use crate::model::layer::LayerId;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::Outcome;
use crate::model::reading::ReadOptions;
use crate::model::reading::SourceLayer;
use crate::publish::ahead;
use crate::publish::ahead::Moved;
use crate::source::Source;

pub struct ConvertRequest<'a> {
    pub path: &'a Path,
    /// Inside a container with several layers.
    pub layer: Option<&'a str>,
    /// `geojson`, `gpkg`, `shp.zip`, `csv`, `excel.csv`, `fgb`; `None`: by the extension of `out`.
    pub to: Option<&'a str>,
    pub out: &'a Path,
    /// `None`: CRS84, or 4326 where a format knows only EPSG codes.
    pub crs: Option<Crs>,
    /// Of the source, where the file says none.
    pub source_crs: Option<Crs>,
}

pub struct ConvertReport {
    pub features: u64,
    /// What was mended, cut or lost, in French.
    pub notes: Vec<String>,
}

/// How the output is written: a download of its own, or a stream in any CRS.
enum Writing {
    File(&'static dyn Download),
    Stream(&'static dyn OutputFormat),
}

/// # Errors
/// The source cannot be read or has no CRS, the format is unknown, or the disk refuses.
pub fn convert(source: &Source, request: &ConvertRequest<'_>) -> anyhow::Result<ConvertReport> {
    let crs = request.crs.unwrap_or(CRS84);
    let writing = writing_of(request, crs)?;
    let options = ReadOptions { crs: None, ..ReadOptions::default() };
    let opened = source.open(request.path, &options, request.layer)?;
    let described = opened.layer(request.layer, "--layer")?;
    let from = source_crs(&described, request)?;
    let layer = layer_of(&described, request, crs)?;
    if let Writing::File(download) = writing
        && !download.suits(&layer)
    {
        bail!("« {} » : ce format ne peut pas contenir cette couche ({})", request.out.display(), kind_of(&layer));
    }
    let mut reading = opened.read(&described)?;
    let mut rows = Rows::default();
    let part = Part::of(request.out)?;
    let to = if matches!(writing, Writing::File(_)) { CRS84 } else { crs };
    let written = ahead::moved(&mut reading, from, to, |batches| {
        let failed = RefCell::new(None);
        let mut batches = batches.map(|moved| rows.take(moved, &failed));
        let notes = match writing {
            Writing::File(download) => download.write(&layer, None, &mut batches, &part.path),
            Writing::Stream(format) => stream(format, &layer, crs, &mut batches, &part.path),
        };
        // What the source failed at says more than what the writer made of it.
        match failed.into_inner() {
            Some(error) => Err(error),
            None => notes.map_err(anyhow::Error::from),
        }
    });
    let mut notes = written.with_context(|| format!("« {} » n'a pas pu être écrit", request.out.display()))?;
    let (features, lost) = (rows.seen, rows.lost);
    notes.extend(outcome_notes(&reading.finish()?, &lost, described.rows_claimed));
    part.keep(request.out)?;
    Ok(ConvertReport { features, notes })
}

/// The file's own word, else the officer's; where they differ neither is believed.
fn source_crs(described: &SourceLayer, request: &ConvertRequest<'_>) -> anyhow::Result<Option<Crs>> {
    let path = request.path.display();
    match (&described.crs, request.source_crs) {
        (ClaimedCrs::NotApplicable, _) => Ok(None),
        (ClaimedCrs::Known(known), Some(said)) if known.epsg() != said.epsg() => {
            bail!("« {path} » dit être en {known}, et non en {said}")
        }
        (ClaimedCrs::Known(known), _) => Ok(Some(*known)),
        (ClaimedCrs::Missing | ClaimedCrs::Unknown(_), Some(said)) => Ok(Some(said)),
        (ClaimedCrs::Missing | ClaimedCrs::Unknown(_), None) => {
            bail!("« {path} » ne dit pas son système de coordonnées : ajoutez --source-crs ; « bocage check {path} » propose les candidats")
        }
    }
}

fn writing_of(request: &ConvertRequest<'_>, crs: Crs) -> anyhow::Result<Writing> {
    let name = request.out.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let wanted = request.to.map(|to| to.trim_start_matches('.').to_lowercase());
    let means = |suffix: &str| {
        let suffix = suffix.trim_start_matches('.');
        let short = suffix.split('.').next().unwrap_or(suffix);
        match &wanted {
            Some(wanted) => wanted == suffix || (wanted == "shp" && short == "shp"),
            None => name.ends_with(&format!(".{suffix}")),
        }
    };
    // The longest suffix first: `.excel.csv` before `.csv`.
    let download = DOWNLOADS.iter().filter(|download| means(download.suffix())).max_by_key(|download| download.suffix().len());
    let Some(download) = download else {
        let known: Vec<&str> = DOWNLOADS.iter().map(|download| download.suffix().trim_start_matches('.')).collect();
        bail!("format de sortie inconnu pour « {} » : formats écrits : {}", request.out.display(), known.join(", "));
    };
    let stream = FORMATS.iter().find(|format| format.id() == download.suffix().trim_start_matches('.'));
    // A download such as GeoJSON is in lon, lat by its own rule; another CRS is the officer's wish here.
    match stream {
        Some(format) if request.crs.is_some() && crs != CRS84 => Ok(Writing::Stream(*format)),
        _ => Ok(Writing::File(*download)),
    }
}

fn layer_of(described: &SourceLayer, request: &ConvertRequest<'_>, crs: Crs) -> anyhow::Result<Layer> {
    let stem = request.out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or("couche").to_owned();
    let id = LayerId::from_name(&stem).or_else(|| LayerId::from_name("couche")).context("le fichier de sortie n'a pas de nom")?;
    Ok(described.to_layer(id, crs))
}

fn kind_of(layer: &Layer) -> &'static str {
    layer.geometry.map_or("table sans géométrie", |column| match column.geometry_type {
        GeometryType::Geometry | GeometryType::GeometryCollection => "géométries de plusieurs sortes",
        kind => kind.name(),
    })
}

fn stream(format: &dyn OutputFormat, layer: &Layer, crs: Crs, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut encoder = format.begin(layer, crs, &mut out)?;
    for batch in batches {
        encoder.write(&batch?)?;
    }
    encoder.finish()?;
    out.flush()?;
    Ok(Vec::new())
}

/// Rows of a reading, all with an id.
#[derive(Default)]
struct Rows {
    seen: u64,
    /// Rows, from 1, whose geometry has no image in the CRS asked.
    lost: Vec<u64>,
}

impl Rows {
    fn take(&mut self, moved: Moved, failed: &RefCell<Option<anyhow::Error>>) -> io::Result<FeatureBatch> {
        let (batch, lost) = moved.map_err(|error| {
            let told = io::Error::other(error.to_string());
            *failed.borrow_mut() = Some(error);
            told
        })?;
        let first = self.seen;
        self.seen += batch.rows() as u64;
        self.lost.extend(lost.into_iter().map(|row| first + row as u64 + 1));
        Ok(numbered(batch, first))
    }
}

/// Rows without an id of their own are numbered from 1 in the source's order.
fn numbered(batch: FeatureBatch, before: u64) -> FeatureBatch {
    match &batch.ids {
        Ids::Integer(ids) if ids.null_count() > 0 => {
            let first = i64::try_from(before).unwrap_or(i64::MAX - i64::from(u32::MAX)) + 1;
            let ids: Int64Array = (first..).take(batch.rows()).map(Some).collect();
            FeatureBatch::new(Ids::Integer(ids), batch.columns, batch.geometry)
        }
        _ => batch,
    }
}

/// What a reading mended or lost, in French. `lost`: rows whose geometry has no image.
pub fn outcome_notes(outcome: &Outcome, lost: &[u64], claimed: Option<u64>) -> Vec<String> {
    let mut notes: Vec<String> = outcome.failures.iter().chain(&outcome.messages).cloned().collect();
    let mut note = |count: u64, text: &str| {
        if count > 0 {
            notes.push(format!("{text} : {count}"));
        }
    };
    note(outcome.repaired, "géométries invalides réparées");
    note(outcome.unusable + lost.len() as u64, "géométries inutilisables, laissées vides");
    note(outcome.values_lost, "valeurs perdues");
    note(claimed.map_or(0, |claimed| claimed.saturating_sub(outcome.rows_read)), "lignes perdues");
    notes
}

/// A file being written beside its final place; erased unless kept.
pub struct Part {
    path: PathBuf,
    kept: bool,
}

impl Part {
    /// # Errors
    /// `out` names no file.
    pub fn of(out: &Path) -> anyhow::Result<Part> {
        let name = out.file_name().with_context(|| format!("« {} » ne nomme pas un fichier", out.display()))?;
        let path = out.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        Ok(Part { path, kept: false })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// # Errors
    /// Those of the disk.
    pub fn keep(mut self, out: &Path) -> anyhow::Result<()> {
        std::fs::rename(&self.path, out).with_context(|| out.display().to_string())?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What a download keeps beside its file (offsets of the GeoJSON) serves the store alone.
        let mut offsets = self.path.clone().into_os_string();
        offsets.push(".offsets");
        let _ = std::fs::remove_file(offsets);
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
