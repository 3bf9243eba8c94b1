//! The FlatGeobuf 3 download: lon, lat, with its packed Hilbert R-tree, so that a web map reads a box of it by ranges.
//!
//! Written here and not by GDAL, whose driver (3.6) leaves out rows without a geometry and says nothing. A file with such
//! rows has no tree: a tree has a place for a box only.

use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;

use flatbuffers::FlatBufferBuilder;
use flatgeobuf as fgb;

use crate::encode::Batches;
use crate::encode::Download;
use crate::encode::columns::Column;
use crate::encode::columns::columns_of;
use crate::encode::columns::row_values;
use crate::encode::flatgeobuf_feature::Features;
use crate::encode::flatgeobuf_spool::Spool;
use crate::encode::ordered::ordered;
use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::layer::FieldType;
use crate::model::layer::Layer;
use crate::model::media_type;
use crate::model::record::Record;

pub struct FlatGeobuf;

/// Version 3, patch 0.
const MAGIC: [u8; 8] = *b"fgb\x03fgb\x00";

/// Boxes of a node of the tree: what every writer of the format uses.
const NODE_SIZE: u16 = 16;

impl Download for FlatGeobuf {
    fn suffix(&self) -> &'static str {
        ".fgb"
    }

    fn title(&self) -> &'static str {
        "FlatGeobuf"
    }

    fn media_type(&self) -> &'static str {
        media_type::FLATGEOBUF
    }

    fn suits(&self, layer: &Layer) -> bool {
        layer.geometry.is_some()
    }

    fn write(&self, layer: &Layer, _record: Option<&Record>, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>> {
        let columns = columns_of(layer);
        let mut spool = Spool::create(path.parent().unwrap_or(Path::new(".")))?;
        let encode = |batch: FeatureBatch| {
            let mut features = Features::default();
            let pushed = (0..batch.rows()).try_for_each(|row| features.push(batch.wkb(row), row_values(layer, &batch, row)));
            pushed.map(|()| features)
        };
        ordered(batches, encode, |features| spool.push(features?))?;
        let (indexed, boxless) = (spool.boxless == 0 && spool.features() > 0, spool.boxless);
        let mut out = File::create(path)?;
        out.write_all(&MAGIC)?;
        out.write_all(&header(layer, &columns, &spool, indexed))?;
        spool.write(indexed.then_some(usize::from(NODE_SIZE)), &mut out)?;
        let note = "écrit sans index spatial, que ce format refuse dès qu'un objet est sans géométrie".to_owned();
        Ok(if boxless > 0 { vec![note] } else { Vec::new() })
    }
}

fn header(layer: &Layer, columns: &[Column], spool: &Spool, indexed: bool) -> Vec<u8> {
    let mut buffer = FlatBufferBuilder::new();
    let columns: Vec<_> = columns
        .iter()
        .map(|column| {
            let name = buffer.create_string(&column.name);
            let title = buffer.create_string(&column.title);
            let type_ = match column.field_type {
                FieldType::Text => fgb::ColumnType::String,
                FieldType::Integer => fgb::ColumnType::Long,
                FieldType::Real => fgb::ColumnType::Double,
                FieldType::Boolean => fgb::ColumnType::Bool,
                FieldType::Date | FieldType::DateTime => fgb::ColumnType::DateTime,
            };
            fgb::Column::create(&mut buffer, &fgb::ColumnArgs { name: Some(name), title: Some(title), type_, ..Default::default() })
        })
        .collect();
    let columns = buffer.create_vector(&columns);
    let organisation = buffer.create_string("EPSG");
    let crs = fgb::CrsArgs { org: Some(organisation), code: i32::from(u16::try_from(CRS84.epsg()).unwrap_or(0)), ..Default::default() };
    let crs = fgb::Crs::create(&mut buffer, &crs);
    let extent = &spool.extent;
    let envelope =
        (spool.boxless < spool.features()).then(|| buffer.create_vector(&[extent.west, extent.south, extent.east, extent.north]));
    let args = fgb::HeaderArgs {
        name: Some(buffer.create_string(layer.id.as_str())),
        envelope,
        geometry_type: layer.geometry.map_or(fgb::GeometryType::Unknown, |column| fgb::GeometryType(column.geometry_type.wkb_code())),
        has_z: layer.geometry.is_some_and(|column| column.has_z),
        has_m: layer.geometry.is_some_and(|column| column.has_m),
        columns: Some(columns),
        features_count: spool.features(),
        index_node_size: if indexed { NODE_SIZE } else { 0 },
        crs: Some(crs),
        title: Some(buffer.create_string(&layer.title)),
        description: Some(buffer.create_string(&layer.description)),
        ..Default::default()
    };
    let header = fgb::Header::create(&mut buffer, &args);
    buffer.finish_size_prefixed(header, None);
    buffer.finished_data().to_vec()
}
