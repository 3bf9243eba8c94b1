//! The only reader of OGR: layers, fields, CRS and features by its C interface, because the safe one gives text lossily.

use std::ffi::CStr;
use std::path::Path;
use std::path::PathBuf;

use gdal::Dataset;
use gdal::DatasetOptions;
use gdal::GdalOpenFlags;
use gdal::Metadata;
use gdal::vector::Layer;
use gdal::vector::LayerAccess;
use gdal_sys::OGRFeatureH;
use gdal_sys::OGRFieldDefnH;
use gdal_sys::OGRFieldSubType;
use gdal_sys::OGRFieldType;

use crate::crs::france;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;
use crate::model::reading::ClaimedCrs;
use crate::model::reading::LIST_MAX;
use crate::model::reading::Outcome;
use crate::model::reading::SourceLayer;
use crate::source::batcher::Batcher;
use crate::source::charset::Charset;
use crate::source::complaints;
use crate::source::geojson;
use crate::source::geometry;
use crate::source::geometry::Kinds;
use crate::source::names;
use crate::source::pipe::Request;
use crate::source::plain;
use crate::source::plain::Plain;
use crate::source::plain::Stop;
use crate::source::shapefile;
use crate::source::values::Column;
use crate::source::values::Text;
use crate::source::worker::Sink;

/// A layer as it was opened.
struct Opened {
    path: PathBuf,
    dataset: Dataset,
    /// The Shapefile's text, undecoded by GDAL; `None` where the format says UTF-8.
    charset: Option<(Charset, crate::model::reading::EncodingEvidence)>,
    is_shapefile: bool,
    is_geopackage: bool,
    /// What is odd about the container as a whole.
    oddities: Vec<String>,
}

fn open(request: &Request, driver: &'static str) -> Result<Opened, String> {
    let (path, options) = (request.path.as_path(), &request.options);
    let is_shapefile = driver == "ESRI Shapefile";
    if is_shapefile {
        shapefile::prepare(path)?;
    }
    let charset = is_shapefile.then(|| shapefile::charset(path, options));
    // Empty: no recoding by GDAL, which believes the .cpg; the bytes are judged here.
    let open_options: &[&str] = match (is_shapefile, request.in_place) {
        (true, _) => &["ENCODING="],
        // SQLite takes no lock on a file that others may want to write.
        (false, true) => &["IMMUTABLE=YES"],
        (false, false) => &[],
    };
    let opened = Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR | GdalOpenFlags::GDAL_OF_READONLY,
            allowed_drivers: Some(&[driver]),
            open_options: Some(open_options),
            sibling_files: None,
        },
    );
    let dataset = opened.map_err(|error| format!("le fichier est abîmé ou n'est pas du format annoncé ({})", complaints::said(&error)))?;
    let oddities = if is_shapefile { shapefile::oddities(path)? } else { Vec::new() };
    let is_geopackage = driver == "GPKG";
    Ok(Opened { path: path.to_owned(), dataset, charset, is_shapefile, is_geopackage, oddities })
}

/// Tables in which QGIS keeps styles and projects: nobody's data.
const OF_QGIS: [&str; 2] = ["layer_styles", "qgis_projects"];

/// The layers; where one of them is called `only`, it alone.
pub fn describe(request: &Request, driver: &'static str, only: Option<&str>) -> Result<Vec<SourceLayer>, String> {
    let opened = open(request, driver)?;
    let mut layers = Vec::new();
    for at in 0..opened.dataset.layer_count() {
        layers.push(opened.dataset.layer(at).map_err(|error| error.to_string())?);
    }
    if opened.is_geopackage {
        layers.retain(|layer| !OF_QGIS.contains(&layer.name().as_str()));
    }
    if layers.iter().any(|layer| only == Some(&decoded_name(&opened, layer))) {
        layers.retain(|layer| only == Some(&decoded_name(&opened, layer)));
    }
    layers.iter_mut().map(|layer| describe_layer(&request.path, driver, &opened, layer)).collect()
}

fn describe_layer(path: &Path, driver: &str, opened: &Opened, layer: &mut Layer<'_>) -> Result<SourceLayer, String> {
    let plain = opened.is_geopackage.then(|| Plain::open(&opened.path, layer, &[])).flatten();
    let geometry = geometry_column(opened, layer, plain.as_ref());
    let rows = plain.and_then(|plain| plain.count()).or_else(|| {
        // SAFETY: the layer is open; the count may read the whole of a format without an index.
        u64::try_from(unsafe { gdal_sys::OGR_L_GetFeatureCount(layer.c_layer(), 1) }).ok()
    });
    let (fields, _) = fields(opened, layer);
    Ok(SourceLayer {
        name: decoded_name(opened, layer),
        fields,
        geometry,
        crs: if geometry.is_some() { claimed_crs(path, driver, layer) } else { ClaimedCrs::NotApplicable },
        rows_claimed: rows,
        title: metadata(layer, c"IDENTIFIER").filter(|title| *title != layer.name()),
        description: metadata(layer, c"DESCRIPTION"),
        encoding: opened.charset.as_ref().map(|(_, evidence)| evidence.clone()),
        position_fields: Vec::new(),
        is_tileset: false,
        is_keyed: false,
    })
}

fn decoded_name(opened: &Opened, layer: &Layer<'_>) -> String {
    let name = layer.name();
    // A GeoJSON's layer has the name that somebody gave it once; the file's stem is what the officer knows.
    if opened.dataset.layer_count() > 1 {
        return name;
    }
    let path = opened.dataset.description().unwrap_or_default();
    Path::new(&path).file_stem().map_or(name, |stem| stem.to_string_lossy().into_owned())
}

fn metadata(layer: &Layer<'_>, key: &CStr) -> Option<String> {
    // SAFETY: the handle is live, the key ends in NUL, and the text is copied before anything else is asked.
    let text = unsafe {
        let text = gdal_sys::GDALGetMetadataItem(layer.c_layer().cast(), key.as_ptr(), std::ptr::null());
        if text.is_null() {
            return None;
        }
        CStr::from_ptr(text).to_string_lossy().trim().to_owned()
    };
    (!text.is_empty()).then_some(text)
}

/// The type that every geometry fits. Declared multi types and points are believed; others are looked at, row by row.
fn geometry_column(opened: &Opened, layer: &mut Layer<'_>, plain: Option<&Plain>) -> Option<GeometryColumn> {
    // SAFETY: the layer is live.
    let declared = unsafe { gdal_sys::OGR_L_GetGeomType(layer.c_layer()) };
    // wkbNone.
    if declared == 100 {
        return None;
    }
    let (has_z, has_m) = unsafe { (gdal_sys::OGR_GT_HasZ(declared) != 0, gdal_sys::OGR_GT_HasM(declared) != 0) };
    let known = match (geometry::flat_code(declared), opened.is_shapefile) {
        (1, _) => Some(GeometryType::Point),
        (4, _) => Some(GeometryType::MultiPoint),
        (5, _) | (2, true) => Some(GeometryType::MultiLineString),
        (6, _) | (3, true) => Some(GeometryType::MultiPolygon),
        _ => None,
    };
    if let Some(geometry_type) = known {
        return Some(GeometryColumn { geometry_type, has_z, has_m });
    }
    let kinds = match plain.and_then(Plain::kinds) {
        Some(kinds) => kinds,
        None => kinds_by_ogr(layer)?,
    };
    Some(GeometryColumn { geometry_type: kinds.geometry_type(), has_z: has_z || kinds.has_z, has_m: has_m || kinds.has_m })
}

fn kinds_by_ogr(layer: &mut Layer<'_>) -> Option<Kinds> {
    let mut kinds = Kinds::default();
    each_feature(layer, |feature| {
        // SAFETY: the feature lives for the length of the call.
        unsafe {
            let geometry = gdal_sys::OGR_F_GetGeometryRef(feature);
            if !geometry.is_null() && gdal_sys::OGR_G_IsEmpty(geometry) == 0 {
                kinds.see(gdal_sys::OGR_G_GetGeometryType(geometry));
            }
        }
        Ok(())
    })
    .ok()?;
    Some(kinds)
}

/// Calls `see` with every feature, from the first. Gives what the driver failed at on the way: a file cut short ends the
/// reading, or empties its features, without another word.
fn each_feature(layer: &mut Layer<'_>, mut see: impl FnMut(OGRFeatureH) -> Result<(), String>) -> Result<Vec<String>, String> {
    let mut failures = Vec::new();
    complaints::forget();
    // SAFETY: the layer is live; each feature is destroyed once, after it was seen.
    unsafe {
        gdal_sys::OGR_L_ResetReading(layer.c_layer());
        loop {
            let feature = gdal_sys::OGR_L_GetNextFeature(layer.c_layer());
            note_failure(&mut failures);
            if feature.is_null() {
                return Ok(failures);
            }
            let seen = see(feature);
            gdal_sys::OGR_F_Destroy(feature);
            seen?;
        }
    }
}

fn note_failure(failures: &mut Vec<String>) {
    if let Some(failure) = complaints::take_failure()
        && failures.len() < LIST_MAX
        && !failures.contains(&failure)
    {
        failures.push(failure);
    }
}

fn fields(opened: &Opened, layer: &Layer<'_>) -> (Vec<Field>, Vec<Column>) {
    let mut sources = Vec::new();
    let mut columns = Vec::new();
    // SAFETY: definitions live as long as the layer.
    unsafe {
        let definition = gdal_sys::OGR_L_GetLayerDefn(layer.c_layer());
        for at in 0..gdal_sys::OGR_FD_GetFieldCount(definition) {
            let field = gdal_sys::OGR_FD_GetFieldDefn(definition, at);
            let Some((field_type, is_date_time)) = type_of(field) else { continue };
            let name = CStr::from_ptr(gdal_sys::OGR_Fld_GetNameRef(field)).to_bytes();
            sources.push(opened.charset.as_ref().map_or(Charset::Utf8, |(charset, _)| *charset).decode(name).0);
            columns.push(Column { at, field_type, is_date_time });
        }
    }
    let safe = names::safe_names(&sources);
    let fields = sources.into_iter().zip(safe).zip(&columns).map(|((source, name), column)| Field {
        name,
        title: source.clone(),
        source_name: source,
        description: None,
        unit: None,
        field_type: column.field_type,
        values: Vec::new(),
    });
    (fields.collect(), columns)
}

/// `None` for binary columns, which no output shows.
unsafe fn type_of(field: OGRFieldDefnH) -> Option<(FieldType, bool)> {
    // SAFETY: the caller's definition is live.
    let (kind, subtype) = unsafe { (gdal_sys::OGR_Fld_GetType(field), gdal_sys::OGR_Fld_GetSubType(field)) };
    Some(match kind {
        OGRFieldType::OFTInteger if subtype == OGRFieldSubType::OFSTBoolean => (FieldType::Boolean, false),
        OGRFieldType::OFTInteger | OGRFieldType::OFTInteger64 => (FieldType::Integer, false),
        OGRFieldType::OFTReal => (FieldType::Real, false),
        OGRFieldType::OFTDate => (FieldType::Date, false),
        OGRFieldType::OFTDateTime => (FieldType::DateTime, true),
        OGRFieldType::OFTBinary => return None,
        _ => (FieldType::Text, false),
    })
}

/// EPSG's code where the file gives it, else our own table of French systems, else what PROJ is sure of.
fn claimed_crs(path: &Path, driver: &str, layer: &Layer<'_>) -> ClaimedCrs {
    if driver == "GeoJSON" && lies_beyond_degrees(layer) {
        let head = std::fs::read(path).unwrap_or_default();
        // Without a `crs` member the standard says degrees, and the values say otherwise.
        if !geojson::names_its_crs(&head[..head.len().min(65_536)]) {
            return ClaimedCrs::Missing;
        }
    }
    let Some(system) = layer.spatial_ref() else { return ClaimedCrs::Missing };
    let wkt = system.to_wkt().unwrap_or_default();
    if system.auth_name().is_some_and(|name| name == "EPSG")
        && let Ok(code) = system.auth_code()
        && let Ok(code) = u32::try_from(code)
    {
        return ClaimedCrs::Known(Crs::Epsg(code));
    }
    match france::identify(&wkt).or_else(|| best_match(&system)) {
        Some(crs) => ClaimedCrs::Known(crs),
        None if wkt.is_empty() || wkt.starts_with("LOCAL_CS") || wkt.starts_with("ENGCRS") => ClaimedCrs::Missing,
        None => ClaimedCrs::Unknown(system.name().unwrap_or_else(|| wkt.chars().take(60).collect())),
    }
}

fn lies_beyond_degrees(layer: &Layer<'_>) -> bool {
    layer
        .try_get_extent()
        .ok()
        .flatten()
        .is_some_and(|extent| extent.MinX < -180.0 || extent.MaxX > 180.0 || extent.MinY < -90.0 || extent.MaxY > 90.0)
}

/// PROJ's own comparison, believed from this confidence (percent): below, two systems of one country are confused.
const CONFIDENCE_MIN: i32 = 90;

fn best_match(system: &gdal::spatial_ref::SpatialRef) -> Option<Crs> {
    let mut count = 0;
    let mut confidences: *mut i32 = std::ptr::null_mut();
    // SAFETY: the arrays are OGR's and freed by its functions; the first entry is the best and lives until then.
    unsafe {
        let matches = gdal_sys::OSRFindMatches(system.to_c_hsrs(), std::ptr::null_mut(), &mut count, &mut confidences);
        let mut found = None;
        if count > 0 && *confidences >= CONFIDENCE_MIN {
            let name = gdal_sys::OSRGetAuthorityName(*matches, std::ptr::null());
            let code = gdal_sys::OSRGetAuthorityCode(*matches, std::ptr::null());
            if !name.is_null() && !code.is_null() && CStr::from_ptr(name) == c"EPSG" {
                found = CStr::from_ptr(code).to_str().ok().and_then(|code| code.parse().ok()).map(Crs::Epsg);
            }
        }
        gdal_sys::OSRFreeSRSArray(matches);
        gdal_sys::VSIFree(confidences.cast());
        found
    }
}

/// `geometry`: as it was described.
pub fn read(
    request: &Request,
    driver: &'static str,
    name: &str,
    geometry: Option<GeometryColumn>,
    sink: Sink<'_>,
) -> Result<Outcome, String> {
    let opened = open(request, driver)?;
    for at in 0..opened.dataset.layer_count() {
        let mut layer = opened.dataset.layer(at).map_err(|error| error.to_string())?;
        if decoded_name(&opened, &layer) == name {
            return read_layer(&opened, &mut layer, geometry, sink);
        }
    }
    Err(format!("pas de couche « {name} »"))
}

fn read_layer(opened: &Opened, layer: &mut Layer<'_>, geometry: Option<GeometryColumn>, sink: Sink<'_>) -> Result<Outcome, String> {
    let (fields, columns) = fields(opened, layer);
    let charset = opened.charset.as_ref().map_or(Charset::Utf8, |(charset, _)| *charset);
    let types: Vec<FieldType> = columns.iter().map(|column| column.field_type).collect();
    let mut rows = Rows {
        batcher: Batcher::new(&types, geometry.is_some()),
        text: Text { charset, buffer: String::new() },
        outcome: Outcome::default(),
        fields,
        columns,
        geometry,
        sink,
    };
    let places: Vec<i32> = rows.columns.iter().map(|column| column.at).collect();
    let plain = opened.is_geopackage.then(|| Plain::open(&opened.path, layer, &places)).flatten();
    let failures = match plain {
        Some(plain) => rows.read_plain(&plain, layer)?,
        None => each_feature(layer, |feature| rows.take(feature))?,
    };
    let Rows { mut batcher, mut outcome, sink, .. } = rows;
    batcher.flush(sink).map_err(|error| error.to_string())?;
    outcome.failures.extend(opened.oddities.iter().cloned().chain(failures));
    Ok(outcome)
}

/// The rows of one layer on their way out.
struct Rows<'a> {
    fields: Vec<Field>,
    columns: Vec<Column>,
    geometry: Option<GeometryColumn>,
    text: Text,
    batcher: Batcher,
    outcome: Outcome,
    sink: Sink<'a>,
}

impl Rows<'_> {
    fn take(&mut self, feature: OGRFeatureH) -> Result<(), String> {
        self.outcome.rows_read += 1;
        let row = self.outcome.rows_read;
        for (at, column) in self.columns.iter().enumerate() {
            let (value, lost) = self.text.value(feature, *column);
            self.batcher.push(at, value);
            if lost {
                self.outcome.note_lost(row, &self.fields[at].source_name);
            }
        }
        // SAFETY: the feature lives for the length of the call.
        let (fid, handle) = unsafe { (gdal_sys::OGR_F_GetFID(feature), gdal_sys::OGR_F_GetGeometryRef(feature)) };
        let wkb = self.geometry.as_ref().and_then(|column| geometry::fit(handle, column, row, &mut self.outcome));
        self.batcher.end_row((fid >= 0).then_some(fid), wkb.as_deref());
        self.batcher.flush_full(self.sink).map_err(|error| error.to_string())
    }

    /// Plain rows as they lie, odd ones by OGR; where the file is damaged, OGR reads the rest and says what is wrong.
    fn read_plain(&mut self, plain: &Plain, layer: &mut Layer<'_>) -> Result<Vec<String>, String> {
        let (mut last, geometry, mut failures) = (None, self.geometry, Vec::new());
        complaints::forget();
        let walked = plain.each(geometry.as_ref(), &mut |key, row| {
            match row {
                Some(row) => self.take_plain(key, row)?,
                None => {
                    // SAFETY: the layer is live; the feature is destroyed once, after it was seen.
                    unsafe {
                        let feature = gdal_sys::OGR_L_GetFeature(layer.c_layer(), key);
                        note_failure(&mut failures);
                        if feature.is_null() {
                            return Err(Stop::Torn);
                        }
                        let taken = self.take(feature);
                        gdal_sys::OGR_F_Destroy(feature);
                        taken?;
                    }
                }
            }
            last = Some(key);
            Ok(())
        });
        match walked {
            Ok(()) => {}
            Err(Stop::Said(reason)) => return Err(reason),
            Err(Stop::Torn) => {
                if let Some(last) = last {
                    layer.set_attribute_filter(&plain.after(last)).map_err(|error| error.to_string())?;
                }
                failures.extend(each_feature(layer, |feature| self.take(feature))?);
            }
        }
        Ok(failures)
    }

    fn take_plain(&mut self, key: i64, row: plain::Row<'_>) -> Result<(), String> {
        self.outcome.rows_read += 1;
        for (at, value) in row.values.into_iter().enumerate() {
            self.batcher.push(at, value);
        }
        match &row.geometry {
            Some((_, bounds)) => self.outcome.native_extent.get_or_insert(Envelope::NOTHING).join(bounds),
            None if self.geometry.is_some() => self.outcome.note_null(self.outcome.rows_read),
            None => {}
        }
        self.batcher.end_row((key >= 0).then_some(key), row.geometry.map(|(wkb, _)| wkb));
        self.batcher.flush_full(self.sink).map_err(|error| error.to_string())
    }
}
