//! `convert`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;
use clap::Args;

use crate::crs::parse;
use crate::model::crs::Crs;
use crate::publish::convert;
use crate::publish::convert::ConvertRequest;
use crate::publish::report::grouped;
use crate::source::Source;

#[derive(Args)]
#[command(
    after_help = "Exemples :\n  bocage convert communes.shp communes.geojson\n  bocage convert reseau.gpkg conduites.gpkg --layer conduites --crs EPSG:2154"
)]
pub struct Convert {
    /// Le fichier à lire
    source: PathBuf,
    /// Le fichier à écrire
    out: PathBuf,
    /// La couche, dans un fichier qui en a plusieurs
    #[arg(long)]
    layer: Option<String>,
    /// Le format (geojson, gpkg, shp.zip, fgb, csv, excel.csv) ; sinon d'après l'extension
    #[arg(long, value_name = "FORMAT")]
    to: Option<String>,
    /// Le système de coordonnées de sortie ; sinon longitude, latitude
    #[arg(long, value_name = "CRS")]
    crs: Option<String>,
    /// Celui de la source, quand le fichier ne le dit pas
    #[arg(long, value_name = "CRS")]
    source_crs: Option<String>,
}

impl Convert {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let crs = understood("--crs", self.crs.as_deref())?;
        let source_crs = understood("--source-crs", self.source_crs.as_deref())?;
        let same = |a: &PathBuf, b: &PathBuf| a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b);
        if same(&self.source, &self.out) {
            bail!("« {} » serait écrasé par lui-même", self.out.display());
        }
        let scratch = tempfile::tempdir().context("dossier temporaire")?;
        let source = Source { program: std::env::current_exe()?, scratch: scratch.path().to_owned(), in_place: true };
        let (layer, to) = (self.layer.as_deref(), self.to.as_deref());
        let request = ConvertRequest { path: &self.source, layer, to, out: &self.out, crs, source_crs };
        let report = convert::convert(&source, &request)?;
        for note in &report.notes {
            eprintln!("{note}");
        }
        let noun = if report.features < 2 { "objet" } else { "objets" };
        super::say(&format!("{} : {} {noun}", self.out.display(), grouped(report.features)))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn understood(option: &str, text: Option<&str>) -> anyhow::Result<Option<Crs>> {
    text.map(|text| parse::parse(text).with_context(|| format!("{option} {text} : attendu par exemple EPSG:2154"))).transpose()
}
