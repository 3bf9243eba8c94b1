//! The FlatGeobuf 3 download: lon, lat, with its packed Hilbert R-tree, so that a web map reads a box of it by ranges.
//!
//! Written here and not by GDAL, whose driver (3.6) leaves out rows without a geometry and says nothing. A file with such
//! rows has no tree: a tree has a place for a box only.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

use flatbuffers::FlatBufferBuilder;
use flatbuffers::WIPOffset;
use flatgeobuf as fgb;
use flatgeobuf::packed_r_tree::NodeItem;
use flatgeobuf::packed_r_tree::PackedRTree;
use memmap2::Mmap;

use crate::encode::Batches;
use crate::encode::Download;
use crate::encode::columns::Column;
use crate::encode::columns::columns_of;
use crate::encode::columns::row_values;
use crate::model::crs::CRS84;
use crate::model::feature::Value;
use crate::model::layer::FieldType;
use crate::model::layer::Layer;
use crate::model::media_type;
use crate::model::record::Record;
use crate::model::wkb;
use crate::model::wkb::Reader;
use crate::model::wkb::WkbError;

pub struct FlatGeobuf;

/// Version 3, patch 0.
const MAGIC: [u8; 8] = *b"fgb\x03fgb\x00";

/// Boxes of a node of the tree: what every writer of the format uses.
const NODE_SIZE: u16 = 16;

/// Order of the Hilbert curve that features are sorted by: 16 bits an axis.
const HILBERT_ORDER: f64 = 65_535.0;

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
        let mut buffer = FlatBufferBuilder::new();
        let mut properties = Vec::new();
        for batch in batches {
            let batch = batch?;
            for row in 0..batch.rows() {
                properties.clear();
                for (at, value) in (0u16..).zip(row_values(layer, &batch, row)) {
                    write_property(&mut properties, at, value);
                }
                let bytes = batch.wkb(row);
                write_feature(&mut buffer, bytes, &properties).map_err(io::Error::other)?;
                spool.push(buffer.finished_data(), bytes)?;
                buffer.reset();
            }
        }
        let indexed = spool.boxless == 0 && !spool.places.is_empty();
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        out.write_all(&MAGIC)?;
        out.write_all(&header(layer, &columns, &spool, indexed))?;
        spool.write(indexed, &mut out)?;
        out.flush()?;
        let note = "écrit sans index spatial, que ce format refuse dès qu'un objet est sans géométrie".to_owned();
        Ok(if spool.boxless > 0 { vec![note] } else { Vec::new() })
    }
}

/// Features as they come, before their order is known.
struct Spool {
    file: BufWriter<File>,
    places: Vec<Place>,
    bytes: u64,
    extent: NodeItem,
    /// Rows without a position.
    boxless: u64,
}

struct Place {
    offset: u64,
    length: usize,
    bounds: NodeItem,
}

impl Spool {
    fn create(folder: &Path) -> io::Result<Spool> {
        let file = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(folder)?);
        Ok(Spool { file, places: Vec::new(), bytes: 0, extent: NodeItem::create(0), boxless: 0 })
    }

    fn push(&mut self, feature: &[u8], geometry: Option<&[u8]>) -> io::Result<()> {
        let envelope = geometry.and_then(|geometry| wkb::envelope(geometry).ok().flatten());
        let bounds = match envelope {
            Some(envelope) => NodeItem::bounds(envelope.west, envelope.south, envelope.east, envelope.north),
            None => {
                self.boxless += 1;
                NodeItem::create(0)
            }
        };
        if envelope.is_some() {
            self.extent.expand(&bounds);
        }
        self.places.push(Place { offset: self.bytes, length: feature.len(), bounds });
        self.bytes += feature.len() as u64;
        self.file.write_all(feature)
    }

    /// The tree, where there is one, and the features in the order of the curve.
    fn write(&mut self, indexed: bool, out: &mut impl Write) -> io::Result<()> {
        self.file.flush()?;
        if self.bytes == 0 {
            return Ok(());
        }
        // SAFETY: the file has no name, and is written no more.
        let features = unsafe { Mmap::map(self.file.get_ref()) }?;
        if indexed {
            let (extent, unit) = (self.extent.clone(), |length: f64| if length > 0.0 { HILBERT_ORDER / length } else { 0.0 });
            let (scale_x, scale_y) = (unit(extent.width()), unit(extent.height()));
            self.places.sort_by_cached_key(|place| {
                let middle = |low: f64, high: f64, from: f64, scale: f64| ((low + (high - low) / 2.0 - from) * scale) as u16;
                let x = middle(place.bounds.min_x, place.bounds.max_x, extent.min_x, scale_x);
                let y = middle(place.bounds.min_y, place.bounds.max_y, extent.min_y, scale_y);
                fast_hilbert::xy2h(x, y, 16)
            });
            let mut offset = 0;
            let nodes: Vec<NodeItem> = self
                .places
                .iter()
                .map(|place| {
                    let node = NodeItem { offset, ..place.bounds.clone() };
                    offset += place.length as u64;
                    node
                })
                .collect();
            PackedRTree::build(&nodes, &extent, NODE_SIZE).map_err(io::Error::other)?.stream_write(out)?;
        }
        for place in &self.places {
            let start = usize::try_from(place.offset).map_err(io::Error::other)?;
            out.write_all(&features[start..start + place.length])?;
        }
        Ok(())
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
    let envelope = (spool.boxless < spool.places.len() as u64)
        .then(|| buffer.create_vector(&[extent.min_x, extent.min_y, extent.max_x, extent.max_y]));
    let args = fgb::HeaderArgs {
        name: Some(buffer.create_string(layer.id.as_str())),
        envelope,
        geometry_type: layer.geometry.map_or(fgb::GeometryType::Unknown, |column| fgb::GeometryType(column.geometry_type.wkb_code())),
        has_z: layer.geometry.is_some_and(|column| column.has_z),
        has_m: layer.geometry.is_some_and(|column| column.has_m),
        columns: Some(columns),
        features_count: spool.places.len() as u64,
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

/// Column number and value, little-endian; what is null is not there.
fn write_property(out: &mut Vec<u8>, at: u16, value: Value<'_>) {
    if matches!(value, Value::Null) {
        return;
    }
    out.extend_from_slice(&at.to_le_bytes());
    let mut text = |text: &str, end: &str| {
        // A column of 4 GB of text does not pass the reader.
        out.extend_from_slice(&u32::try_from(text.len() + end.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(end.as_bytes());
    };
    match value {
        Value::Null => {}
        Value::Text(value) | Value::DateTime(value) => text(value, ""),
        // The format knows instants only, and a day is written as GDAL does.
        Value::Date(value) => text(value, "T00:00:00"),
        Value::Integer(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Real(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Boolean(value) => out.push(u8::from(value)),
    }
}

fn write_feature<'b>(buffer: &mut FlatBufferBuilder<'b>, geometry: Option<&[u8]>, properties: &[u8]) -> Result<(), WkbError> {
    let geometry = geometry.map(|bytes| write_geometry(buffer, &mut Reader::new(bytes), 0)).transpose()?;
    let properties = Some(buffer.create_vector(properties));
    let feature = fgb::Feature::create(buffer, &fgb::FeatureArgs { geometry, properties, columns: None });
    buffer.finish_size_prefixed(feature, None);
    Ok(())
}

/// Coordinates of one geometry: x y pairs, and z and m apart.
#[derive(Default)]
struct Coordinates {
    xy: Vec<f64>,
    z: Vec<f64>,
    m: Vec<f64>,
    /// Positions at the end of each ring or line.
    ends: Vec<u32>,
}

impl Coordinates {
    fn run(&mut self, reader: &mut Reader<'_>, head: wkb::Head, count: usize) -> Result<(), WkbError> {
        for _ in 0..count {
            let (x, y) = (reader.f64()?, reader.f64()?);
            // An empty point: no position at all.
            let is_there = x.is_finite() && y.is_finite();
            if is_there {
                self.xy.extend([x, y]);
            }
            if head.has_z {
                self.z.extend(Some(reader.f64()?).filter(|_| is_there));
            }
            if head.has_m {
                self.m.extend(Some(reader.f64()?).filter(|_| is_there));
            }
        }
        self.ends.push(u32::try_from(self.xy.len() / 2).unwrap_or(u32::MAX));
        Ok(())
    }
}

fn write_geometry<'b>(
    buffer: &mut FlatBufferBuilder<'b>,
    reader: &mut Reader<'_>,
    depth: usize,
) -> Result<WIPOffset<fgb::Geometry<'b>>, WkbError> {
    if depth > wkb::NESTING_MAX {
        return Err(WkbError::Nesting);
    }
    let head = reader.head()?;
    let mut coordinates = Coordinates::default();
    let mut parts = Vec::new();
    match head.code {
        1 => coordinates.run(reader, head, 1)?,
        2 => {
            let count = reader.u32()? as usize;
            coordinates.run(reader, head, count)?;
        }
        3 => {
            for _ in 0..reader.u32()? {
                let count = reader.u32()? as usize;
                coordinates.run(reader, head, count)?;
            }
        }
        // Points and lines of one dimension lie flat; what has holes, or mixes, is kept in parts.
        4 | 5 => {
            for _ in 0..reader.u32()? {
                let member = reader.head()?;
                let count = if member.code == 2 { reader.u32()? as usize } else { 1 };
                coordinates.run(reader, member, count)?;
            }
        }
        _ => {
            for _ in 0..reader.u32()? {
                parts.push(write_geometry(buffer, reader, depth + 1)?);
            }
        }
    }
    let flat = !matches!(head.code, 6 | 7);
    // The format lets a single part go without its end; GDAL demands it of MultiLineString.
    let several = head.code == 5 || (head.code == 3 && coordinates.ends.len() > 1);
    let args = fgb::GeometryArgs {
        ends: several.then(|| buffer.create_vector(&coordinates.ends)),
        xy: flat.then(|| buffer.create_vector(&coordinates.xy)),
        z: (!coordinates.z.is_empty()).then(|| buffer.create_vector(&coordinates.z)),
        m: (!coordinates.m.is_empty()).then(|| buffer.create_vector(&coordinates.m)),
        type_: fgb::GeometryType(u8::try_from(head.code).unwrap_or(0)),
        parts: (!flat).then(|| buffer.create_vector(&parts)),
        ..Default::default()
    };
    Ok(fgb::Geometry::create(buffer, &args))
}
