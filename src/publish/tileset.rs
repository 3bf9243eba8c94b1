//! The tiles of a version: cut from its store beside the other downloads, and what the report says of them.

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::model::crs::CRS84;
use crate::model::tile_matrix_set::ZOOM_MAX;
use crate::publish::report::counted;
use crate::publish::report::grouped;
use crate::publish::report::kilobytes;
use crate::store::Staged;
use crate::tile;
use crate::tile::LayerReport;
use crate::tile::LayerZoom;
use crate::tile::Preparation;
use crate::tile::Report;
use crate::tile::TILE_BYTES_MAX;

/// Of the archive's file.
pub const SUFFIX: &str = ".pmtiles";
pub const TITLE: &str = "Tuiles vectorielles (PMTiles)";

/// A layer's tiles keep every core at work and take memory by the feature: one layer at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Cuts the layer into `{id}.pmtiles` in the version's folder.
///
/// # Errors
/// Those of the disk and of the store.
pub fn write(staged: &Staged) -> anyhow::Result<Report> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut preparation = Preparation::begin(&staged.layer, CRS84, Some(&staged.folder))?;
    for batch in staged.batches()? {
        preparation.take(&batch?)?;
    }
    let path = staged.folder.join(format!("{}{SUFFIX}", staged.layer.id));
    Ok(tile::build(&[preparation.finish()?], false, &path)?)
}

/// For a publication's report, in French: where the tiles are, and every feature that some of them lack.
pub fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    for layer in &report.layers {
        let mut sum = format!(
            "tuiles : zooms {} à {}, {}, {}",
            layer.min_zoom,
            layer.max_zoom,
            counted(report.tiles, "tuile", "tuiles"),
            kilobytes(report.bytes)
        );
        let thinned = thinned(layer);
        if thinned.is_empty() {
            sum.push_str(" ; aucun objet n'y manque");
        }
        notes.push(sum);
        notes.extend(thinned.into_iter().map(|line| format!("tuiles, {line}")));
        if layer.unusable > 0 {
            notes.push(format!("tuiles : {} hors de la carte du monde", counted(layer.unusable, "objet", "objets")));
        }
    }
    notes.extend(heavy(report).map(|(tiles, zoom)| format!("tuiles : {tiles} ; pour les alléger, dans [tiles] : max_zoom = {zoom}")));
    notes
}

/// A line for each zoom that lacks features of the layer.
pub fn thinned(layer: &LayerReport) -> Vec<String> {
    let line = |zoom: &LayerZoom| {
        let of = grouped(zoom.features + zoom.thinned);
        let tiles = counted(zoom.thinned_tiles, "tuile", "tuiles");
        format!("zoom {} : {} sur {of} laissés de côté, dans {tiles}", zoom.zoom, grouped(zoom.thinned))
    };
    layer.zooms.iter().filter(|zoom| zoom.thinned > 0).map(line).collect()
}

/// Tiles of the last zoom that weigh too much, and the zoom to raise it to; `None` where there is none such, or none deeper.
pub fn heavy(report: &Report) -> Option<(String, u8)> {
    let last = report.zooms.last().filter(|last| last.heavy > 0 && last.zoom < ZOOM_MAX)?;
    let (tiles, limit) = (counted(last.heavy, "tuile", "tuiles"), kilobytes(TILE_BYTES_MAX as u64));
    Some((format!("{tiles} de plus de {limit} au zoom {}", last.zoom), last.zoom + 1))
}
