//! Every download, read again by GDAL, has the count, the extent, the attributes and the areas of its source.

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;

use gdal::Dataset;
use gdal::DatasetOptions;
use gdal::GdalOpenFlags;
use gdal::spatial_ref::AxisMappingStrategy;
use gdal::spatial_ref::CoordTransform;
use gdal::spatial_ref::SpatialRef;
use gdal::vector::Geometry;
use gdal::vector::LayerAccess;
use serde_json::Value;

use crate::shared::bocage;
use crate::shared::copy;
use crate::shared::montfort;
use crate::shared::shared;

/// Seven decimals of a degree are 11 mm; a rounding each way.
const EXTENT_TOLERANCE_DEG: f64 = 1.5e-7;
/// Square metres that seven decimals may cost a metre of outline.
const AREA_TOLERANCE_M: f64 = 0.012;

/// What a stranger sees of a layer, whatever the file and its CRS.
struct Facts {
    features: usize,
    without_geometry: usize,
    /// West, south, east, north in CRS84.
    extent: Option<[f64; 4]>,
    /// Sums in Lambert-93, by GDAL.
    area_m2: f64,
    outline_m: f64,
    /// One line a row: the columns asked for, sorted.
    rows: Vec<String>,
}

fn lon_lat(epsg: u32) -> SpatialRef {
    let mut srs = SpatialRef::from_epsg(epsg).expect("a known CRS");
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    srs
}

fn open(path: &Path) -> Dataset {
    let path = path.to_str().expect("UTF-8");
    let path = if path.ends_with(".zip") { format!("/vsizip/{path}") } else { path.to_owned() };
    // What says nothing of its encoding is CP1252 here.
    let is_mute = path.ends_with(".shp") && !Path::new(&path).with_extension("cpg").exists();
    let csv = ["X_POSSIBLE_NAMES=lon", "Y_POSSIBLE_NAMES=lat", "GEOM_POSSIBLE_NAMES=wkt", "AUTODETECT_TYPE=NO"];
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_VECTOR,
        open_options: match path.rsplit('.').next() {
            Some("csv") => Some(&csv),
            Some("shp") if is_mute => Some(&["ENCODING=CP1252"]),
            _ => None,
        },
        ..DatasetOptions::default()
    };
    Dataset::open_ex(&path, options).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// As every format would write it: one sign for a decimal point, no trailing zeros, dashes in dates.
fn plain(text: &str) -> String {
    let text = text.trim();
    match text {
        "true" | "VRAI" => return "1".into(),
        "false" | "FAUX" => return "0".into(),
        _ => {}
    }
    let number = text.replace(',', ".");
    let is_code = number.len() > 1 && number.starts_with('0') && !number.starts_with("0.");
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() && !is_code => format!("{value}"),
        _ if text.chars().all(|sign| sign.is_ascii_digit() || "/-: TZ+.".contains(sign)) => {
            // FlatGeobuf and GDAL write a day as its midnight.
            text.replace('/', "-").trim_end_matches(" 00:00:00").to_owned()
        }
        _ => text.to_owned(),
    }
}

/// The crate wraps a row's missing geometry as a null pointer.
pub fn is_there(geometry: &Geometry) -> bool {
    // SAFETY: the pointer is compared and not followed.
    !unsafe { geometry.c_geometry() }.is_null()
}

/// Length of every ring.
fn outline(geometry: &Geometry) -> f64 {
    match geometry.geometry_count() {
        0 => (1..geometry.point_count()).map(|end| step(geometry, end)).sum(),
        parts => (0..parts).map(|part| outline(&geometry.get_geometry(part))).sum(),
    }
}

fn step(ring: &Geometry, end: usize) -> f64 {
    let at = |place: usize| ring.get_point(i32::try_from(place).expect("few positions"));
    let ((from_east, from_north, _), (east, north, _)) = (at(end - 1), at(end));
    (east - from_east).hypot(north - from_north)
}

/// The columns `names` of the first layer, by name in any letter case, else (a Shapefile's short names) the last ones.
fn facts(path: &Path, layer: &str, names: &[String]) -> Facts {
    let dataset = open(path);
    let mut layer = dataset.layer_by_name(layer).or_else(|_| dataset.layer(0)).expect("a layer");
    let fields: Vec<String> = layer.defn().fields().map(|field| field.name()).collect();
    let columns: Vec<usize> = names
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let found = fields.iter().position(|field| field.eq_ignore_ascii_case(name));
            found.unwrap_or_else(|| fields.len() - names.len() + place)
        })
        .collect();
    let mut srs = layer.spatial_ref().unwrap_or_else(|| lon_lat(4326));
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let to_lon_lat = CoordTransform::new(&srs, &lon_lat(4171)).expect("a transformation");
    let to_lambert = CoordTransform::new(&srs, &lon_lat(2154)).expect("a transformation");
    let mut facts = Facts { features: 0, without_geometry: 0, extent: None, area_m2: 0.0, outline_m: 0.0, rows: Vec::new() };
    for feature in layer.features() {
        facts.features += 1;
        let values = columns.iter().map(|column| plain(&feature.field_as_string(*column).expect("text").unwrap_or_default()));
        facts.rows.push(values.collect::<Vec<_>>().join("|"));
        let Some(geometry) = feature.geometry().filter(|geometry| is_there(geometry) && !geometry.is_empty()) else {
            facts.without_geometry += 1;
            continue;
        };
        let drawn = geometry.transform(&to_lon_lat).expect("transformed").envelope();
        let before = facts.extent.unwrap_or([f64::MAX, f64::MAX, f64::MIN, f64::MIN]);
        facts.extent = Some([before[0].min(drawn.MinX), before[1].min(drawn.MinY), before[2].max(drawn.MaxX), before[3].max(drawn.MaxY)]);
        let flat = geometry.transform(&to_lambert).expect("transformed");
        if geometry.geometry_name().contains("POLYGON") {
            facts.area_m2 += flat.area();
            facts.outline_m += outline(&flat);
        }
    }
    facts.rows.sort();
    facts
}

fn near(a: Option<[f64; 4]>, b: Option<[f64; 4]>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.iter().zip(b).all(|(a, b)| (a - b).abs() <= EXTENT_TOLERANCE_DEG),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Each published layer's downloads against its source. Layers read are counted, so that nothing passes by being absent.
fn compare(site: &Path, published: &Value) -> BTreeSet<String> {
    let mut compared = BTreeSet::new();
    for report in published.as_array().expect("a list").iter().filter(|report| report["outcome"] == "published") {
        let id = report["id"].as_str().expect("an id");
        let layer_file = std::fs::read_to_string(site.join(format!("layers/{id}.toml"))).expect("a layer file");
        let layer_file: toml::Table = layer_file.parse().expect("TOML");
        let source = site.join("layers/depot").join(layer_file["source"].as_str().expect("text"));
        let folder = site.join(format!("var/layers/{id}/{}", report["version"].as_str().expect("a version")));
        let inside = layer_file.get("layer").and_then(toml::Value::as_str).unwrap_or(id);
        let (listed, names) = columns(&folder, id);
        let is_table = source.extension().is_some_and(|extension| extension == "csv");
        // GDAL would have to be told a CSV's columns of coordinates: there the GeoPackage is held against the other files.
        let expected = if is_table { facts(&folder.join(format!("{id}.gpkg")), id, &names) } else { facts(&source, inside, &listed) };
        for suffix in ["geojson", "gpkg", "shp.zip", "fgb", "csv", "excel.csv"] {
            let path: PathBuf = folder.join(format!("{id}.{suffix}"));
            if !path.exists() {
                let may_lack =
                    expected.without_geometry == expected.features || report["geometry"].as_str().is_some_and(|kind| kind == "Geometry");
                assert!(may_lack, "{id}.{suffix} is absent");
                continue;
            }
            let found = facts(&path, id, &names);
            assert_eq!(found.features, expected.features, "{id}.{suffix}");
            assert_eq!(found.rows, expected.rows, "{id}.{suffix}");
            if suffix == "excel.csv" {
                continue; // Its decimal commas are for spreadsheets.
            }
            assert_eq!(found.without_geometry, expected.without_geometry, "{id}.{suffix}");
            assert!(near(found.extent, expected.extent), "{id}.{suffix}: {:?} {:?}", found.extent, expected.extent);
            let allowed = expected.outline_m * AREA_TOLERANCE_M;
            assert!((found.area_m2 - expected.area_m2).abs() <= allowed, "{id}.{suffix}: {} {}", found.area_m2, expected.area_m2);
        }
        compared.insert(id.to_owned());
    }
    compared
}

/// The columns' names in the source and as published, in order.
fn columns(folder: &Path, id: &str) -> (Vec<String>, Vec<String>) {
    let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("layer.json")).expect("read")).expect("JSON");
    let fields = manifest["layer"]["fields"].as_array().unwrap_or_else(|| panic!("{id}: {manifest:#}"));
    let text = |field: &Value, key: &str| field[key].as_str().expect("text").to_owned();
    fields.iter().map(|field| (text(field, "source_name"), text(field, "name"))).unzip()
}

#[test]
fn the_towns_downloads_agree_with_their_sources() {
    let folder = tempfile::tempdir().expect("a folder");
    let town = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&town.join("layers"), &folder.path().join("layers"));
    copy(&town.join("styles"), &folder.path().join("styles"));
    let published = bocage(folder.path(), &["publish", "--json"]);
    let compared = compare(folder.path(), &published);
    assert_eq!(compared.len(), 8, "{compared:?}");
}

#[test]
fn montforts_downloads_agree_with_their_sources() {
    let Some(shared) = shared() else { return };
    let folder = montfort(&shared);
    let depot = folder.path().join("layers/depot");
    bocage(folder.path(), &["add", "--json", depot.to_str().expect("UTF-8")]);
    let published = bocage(folder.path(), &["publish", "--json"]);
    let compared = compare(folder.path(), &published);
    assert!(compared.len() >= 7, "{compared:?}");
}
