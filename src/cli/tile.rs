//! `tile`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;
use clap::Args;

use crate::model::tile_matrix_set::ZOOM_MAX;
use crate::publish::report::counted;
use crate::publish::report::grouped;
use crate::publish::report::kilobytes;
use crate::publish::tile;
use crate::publish::tile::TileRequest;
use crate::publish::tileset;
use crate::source::Source;
use crate::tile::Report;

#[derive(Args)]
#[command(
    after_help = "Chaque couche des fichiers devient une couche de l'archive, avec une couche <id>_label : une étiquette par surface ou ligne.\nÀ partir du zoom -Z aucun objet n'est perdu, sauf dans une tuile qui dépasserait 500 ko : les plus grands y restent, et le rapport\ncompte les autres. Au zoom -z tout y est.\n\nExemples :\n  bocage tile communes.shp communes.pmtiles\n  bocage tile reseau.gpkg arbres.geojson carte.pmtiles -Z 6 -z 15"
)]
pub struct Tile {
    /// Les fichiers à lire, puis l'archive à écrire (OUT.pmtiles)
    #[arg(required = true, num_args = 2.., value_names = ["SOURCE", "OUT.pmtiles"])]
    files: Vec<PathBuf>,
    /// Le premier zoom
    #[arg(short = 'Z', long, value_name = "ZOOM", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=i64::from(ZOOM_MAX)))]
    min_zoom: u8,
    /// Le dernier zoom : tous les objets y sont, entiers
    #[arg(short = 'z', long, value_name = "ZOOM", default_value_t = 14, value_parser = clap::value_parser!(u8).range(0..=i64::from(ZOOM_MAX)))]
    max_zoom: u8,
    /// Garde tous les objets à tous les zooms, quelle que soit la taille des tuiles
    #[arg(long)]
    keep_all: bool,
    /// Écrit le rapport en JSON
    #[arg(long)]
    json: bool,
}

impl Tile {
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let (min_zoom, max_zoom) = (self.min_zoom, self.max_zoom);
        if min_zoom > max_zoom {
            bail!("-Z {min_zoom} dépasse -z {max_zoom}");
        }
        let Some((out, paths)) = self.files.split_last() else { bail!("attendu des fichiers à lire, puis l'archive à écrire") };
        if !out.to_string_lossy().to_lowercase().ends_with(".pmtiles") {
            bail!("« {} » : le dernier nom est celui de l'archive à écrire, en .pmtiles", out.display());
        }
        let scratch = tempfile::tempdir().context("dossier temporaire")?;
        let source = Source { program: std::env::current_exe()?, scratch: scratch.path().to_owned(), in_place: true };
        let done = tile::tile(&source, &TileRequest { paths, out, min_zoom, max_zoom, keep_all: self.keep_all })?;
        for note in &done.notes {
            eprintln!("{note}");
        }
        let said = if self.json { serde_json::to_string(&done.report)? } else { told(&out.display().to_string(), &done.report) };
        super::say(said.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn told(out: &str, report: &Report) -> String {
    let mut text = String::new();
    let tiles = |count| counted(count, "tuile", "tuiles");
    let _ = writeln!(text, "{out} : {}, {}", tiles(report.tiles), kilobytes(report.bytes));
    for layer in &report.layers {
        let _ = writeln!(text, "\n{} : {}", layer.id, counted(layer.rows, "objet", "objets"));
        for (count, what) in [(layer.empty, "sans géométrie"), (layer.unusable, "hors de la carte du monde ou illisibles")] {
            if count > 0 {
                let _ = writeln!(text, "  {what} : {}", grouped(count));
            }
        }
        let thinned = tileset::thinned(layer);
        if thinned.is_empty() {
            let _ = writeln!(text, "  rien n'est perdu, du zoom {} au zoom {}", layer.min_zoom, layer.max_zoom);
        }
        for line in thinned {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(text);
    for zoom in &report.zooms {
        let _ = writeln!(text, "zoom {} : {}, la plus lourde {}", zoom.zoom, tiles(zoom.tiles), kilobytes(zoom.heaviest));
    }
    if let Some((heavy, zoom)) = tileset::heavy(report) {
        let _ = writeln!(text, "\n{heavy} : -z {zoom} les allège");
    }
    text
}
