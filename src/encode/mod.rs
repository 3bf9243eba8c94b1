//! WRITE: batches of features become a document or a file.

mod columns;
mod csv;
mod flatgeobuf;
mod flatgeobuf_feature;
mod flatgeobuf_spool;
pub mod geojson;
pub mod geojson_lines;
mod geopackage;
pub mod number;
mod ogr;
mod ordered;
mod reproject;
mod shapefile;
mod wkt;

use std::io;
use std::io::Write;
use std::path::Path;

use crate::model::batch::FeatureBatch;
use crate::model::crs::Crs;
use crate::model::layer::Layer;
use crate::model::record::Record;

/// A format that is written as a stream: `f=` of items, and a download.
pub trait OutputFormat: Sync {
    /// `?f=` and extension.
    fn id(&self) -> &'static str;
    fn title(&self) -> &'static str;
    fn media_type(&self) -> &'static str;
    /// GeoJSON downloads: CRS84.
    fn fixed_crs(&self) -> Option<Crs>;
    /// Begin once, write any number of batches (in `crs`, x first), finish once.
    ///
    /// # Errors
    /// Those of `out`.
    fn begin<'a>(&self, layer: &'a Layer, crs: Crs, out: &'a mut dyn Write) -> io::Result<Box<dyn FeatureEncoder + 'a>>;
}

pub trait FeatureEncoder {
    /// # Errors
    /// Those of the output.
    fn write(&mut self, batch: &FeatureBatch) -> io::Result<()>;
    /// # Errors
    /// Those of the output.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

pub const FORMATS: &[&dyn OutputFormat] = &[&geojson::GeoJson, &csv::Csv];

/// A layer's batches, pulled as they are written.
pub type Batches<'a> = &'a mut dyn Iterator<Item = io::Result<FeatureBatch>>;

/// A download made at publication: `{id}{suffix}`.
pub trait Download: Sync {
    /// `.geojson`, `.gpkg`, `.shp.zip`, `.csv`, `.excel.csv`, `.fgb`.
    fn suffix(&self) -> &'static str;
    fn title(&self) -> &'static str;
    fn media_type(&self) -> &'static str;
    /// CPU seconds for a million addresses, about: of several downloads the slowest begins first, so that no core waits for it.
    fn weight(&self) -> u32 {
        1
    }
    /// Whether this layer can be written so (a Shapefile holds one kind of geometry).
    fn suits(&self, layer: &Layer) -> bool;
    /// Writes the whole layer to `path`, pulling batches in lon, lat, store order. Returns what was lost or cut, in French.
    /// `record`: what the publisher says of the layer; `None` for a conversion, which speaks for nobody.
    ///
    /// # Errors
    /// Those of the disk and of GDAL.
    fn write(&self, layer: &Layer, record: Option<&Record>, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>>;
}

pub const DOWNLOADS: &[&dyn Download] = &[
    &geojson_lines::GeoJsonLines,
    &geopackage::GeoPackage,
    &shapefile::ShapefileZip,
    &flatgeobuf::FlatGeobuf,
    &csv::CsvFile,
    &csv::ExcelCsvFile,
];
