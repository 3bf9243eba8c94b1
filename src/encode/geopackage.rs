//! The GeoPackage download, in the source's own CRS.

use std::io;
use std::path::Path;

use gdal::spatial_ref::SpatialRef;

use crate::encode::Batches;
use crate::encode::Download;
use crate::encode::reproject;
use crate::geopackage::writer::GeoPackageWriter;
use crate::geopackage::writer::NewRow;
use crate::geopackage::writer::TableSpec;
use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::layer::Layer;
use crate::model::media_type;
use crate::model::record::Record;

pub struct GeoPackage;

impl Download for GeoPackage {
    fn suffix(&self) -> &'static str {
        ".gpkg"
    }

    fn title(&self) -> &'static str {
        "GeoPackage"
    }

    fn media_type(&self) -> &'static str {
        media_type::GEOPACKAGE
    }

    fn suits(&self, _layer: &Layer) -> bool {
        true
    }

    fn write(&self, layer: &Layer, record: Option<&Record>, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>> {
        let system = SpatialRef::from_epsg(layer.crs.epsg()).map_err(io::Error::other)?;
        let said = |record: &Record| {
            let licence = &record.licence;
            format!("{}\nProducteur : {}. Licence : {} ({}).", record.description, record.producer.name, licence.title, licence.url)
        };
        let description = record.map_or_else(|| layer.description.clone(), said);
        let spec = TableSpec {
            table: layer.id.as_str(),
            identifier: &layer.title,
            description: description.trim(),
            fields: &layer.fields,
            geometry: layer.geometry,
            crs: layer.crs,
            srs_wkt: &system.to_wkt().map_err(io::Error::other)?,
            srs_name: &system.name().unwrap_or_default(),
            last_change: None,
            id_column: None,
        };
        let mut writer = GeoPackageWriter::create(path, &spec).map_err(io::Error::other)?;
        let mut next = 1;
        for batch in reproject::reprojected(batches, layer.crs) {
            let batch = batch?;
            for row in 0..batch.rows() {
                let values: Vec<Value<'_>> = (0..batch.columns.len()).map(|column| batch.value(row, column)).collect();
                let fid = match batch.id(row) {
                    Some(FeatureId::Integer(id)) => id,
                    _ => next,
                };
                next += 1;
                writer.write(&NewRow { fid, id: None, values: &values, wkb: batch.wkb(row) }).map_err(io::Error::other)?;
            }
        }
        writer.finish(&[]).map_err(io::Error::other)?;
        Ok(Vec::new())
    }
}
