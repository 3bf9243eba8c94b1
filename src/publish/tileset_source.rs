//! A source that is tiles already: `.pmtiles`, or `.mbtiles`, which becomes one. It is copied, proven, and published as it is.
//!
//! Nothing can be taken out of it, so a column of it that is not to go out holds it back (check `tileset-column`).

use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::bail;
use memmap2::Mmap;
use serde_json::Map;
use serde_json::Value;
use tempfile::TempDir;

use crate::mbtiles::Mbtiles;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::SourceLayer;
use crate::tile;
use crate::tile::ArchiveWriter;
use crate::tile::Summary;
use crate::tile::TileKind;
use crate::tile::Tileset;

/// An archive of our own, whatever the source was.
pub struct TilesetSource {
    pub described: SourceLayer,
    /// Lon, lat.
    pub extent: Envelope,
    pub zooms: (u8, u8),
    /// The copy; gone when this is dropped.
    pub archive: PathBuf,
    _folder: TempDir,
}

/// By the name alone.
pub fn is_tileset(path: &Path) -> bool {
    is(path, "pmtiles") || is(path, "mbtiles")
}

fn is(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

impl TilesetSource {
    /// `scratch`: where the copy is made.
    ///
    /// # Errors
    /// In French: the file cannot be read, or is no archive that can be served.
    pub fn open(path: &Path, scratch: &Path) -> anyhow::Result<TilesetSource> {
        let folder = TempDir::new_in(scratch)?;
        let archive = folder.path().join("tuiles.pmtiles");
        let unreadable = || format!("« {} » ne peut pas être lu", path.display());
        if is(path, "mbtiles") {
            let copy = folder.path().join("tuiles.mbtiles");
            fs::copy(path, &copy).with_context(unreadable)?;
            archived(&Mbtiles::open(&copy)?, &archive).with_context(unreadable)?;
            fs::remove_file(&copy)?;
        } else {
            fs::copy(path, &archive).with_context(unreadable)?;
        }
        // SAFETY: the copy is ours, and nobody else knows its name.
        let mapped = unsafe { Mmap::map(&File::open(&archive)?) }.with_context(unreadable)?;
        let tileset = Tileset::open(bytes::Bytes::from_owner(mapped)).with_context(unreadable)?;
        let named = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(TilesetSource {
            described: described(named, &tileset),
            extent: tileset.extent,
            zooms: (tileset.min_zoom(), tileset.max_zoom()),
            archive,
            _folder: folder,
        })
    }
}

fn described(name: String, tileset: &Tileset) -> SourceLayer {
    let text = |key: &str| tileset.metadata.get(key).and_then(Value::as_str).map(str::to_owned).filter(|text| !text.is_empty());
    let mut fields: Vec<Field> = Vec::new();
    let layers = tileset.metadata.get("vector_layers").and_then(Value::as_array);
    for (name, kind) in layers.into_iter().flatten().filter_map(|layer| layer["fields"].as_object()).flatten() {
        if !fields.iter().any(|field| field.name == *name) {
            fields.push(Field {
                name: name.clone(),
                source_name: name.clone(),
                title: name.clone(),
                description: None,
                unit: None,
                field_type: match kind.as_str() {
                    Some("Number") => FieldType::Real,
                    Some("Boolean") => FieldType::Boolean,
                    _ => FieldType::Text,
                },
                values: Vec::new(),
            });
        }
    }
    SourceLayer {
        title: text("name").filter(|title| *title != name),
        name,
        fields,
        geometry: None,
        crs: ClaimedCrs::NotApplicable,
        rows_claimed: None,
        description: text("description"),
        encoding: None,
        position_fields: Vec::new(),
        is_keyed: false,
        is_tileset: true,
    }
}

/// The same tiles as PMTiles; those of vectors in gzip.
fn archived(tiles: &Mbtiles, out: &Path) -> anyhow::Result<()> {
    let metadata = tiles.metadata()?;
    let said = |name: &str| metadata.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let kind = match said("format") {
        Some("pbf" | "mvt" | "application/x-protobuf") => TileKind::Mvt,
        Some("png" | "image/png") => TileKind::Png,
        Some("jpg" | "jpeg" | "image/jpeg") => TileKind::Jpeg,
        Some("webp" | "image/webp") => TileKind::Webp,
        other => bail!("le format des tuiles, « {} », n'est pas lu : attendu pbf, png, jpg ou webp", other.unwrap_or_default()),
    };
    let mut addresses = tiles.addresses()?;
    addresses.sort_by_key(|address| address.number());
    let (Some(first), Some(last)) = (addresses.first(), addresses.last()) else { bail!("il ne contient aucune tuile") };
    let (min_zoom, max_zoom) = (first.zoom, last.zoom);
    let mut archive = ArchiveWriter::create(out)?;
    for address in &addresses {
        let bytes = tiles.tile(*address)?;
        let is_gzip = bytes.starts_with(&[0x1f, 0x8b]);
        if kind == TileKind::Mvt && !is_gzip {
            archive.add(*address, &tile::gzip(&bytes))?;
        } else {
            archive.add(*address, &bytes)?;
        }
    }
    let mut told: Map<String, Value> = Map::new();
    for (name, value) in &metadata {
        if name == "json" {
            told.extend(serde_json::from_str::<Map<String, Value>>(value).unwrap_or_default());
        } else {
            told.insert(name.clone(), value.as_str().into());
        }
    }
    let bounds: Vec<f64> = said("bounds").unwrap_or_default().split(',').filter_map(|degrees| degrees.trim().parse().ok()).collect();
    let extent = match bounds.as_slice() {
        [west, south, east, north] if west < east && south < north => Envelope { west: *west, south: *south, east: *east, north: *north },
        _ => around(&addresses),
    };
    let told = Value::Object(told).to_string();
    archive.finish(&Summary { min_zoom, max_zoom, extent, kind, metadata: told.as_bytes() })?;
    Ok(())
}

/// Lon, lat of the deepest tiles.
fn around(addresses: &[crate::model::tile_matrix_set::TileAddress]) -> Envelope {
    let deepest = addresses.iter().map(|address| address.zoom).max().unwrap_or(0);
    let mut extent = Envelope::NOTHING;
    for Envelope { west, south, east, north } in
        addresses.iter().filter(|address| address.zoom == deepest).map(|address| tile::reach(*address))
    {
        extent.expand(west, south);
        extent.expand(east, north);
    }
    extent
}
