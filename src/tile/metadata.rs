//! What an archive says of itself: TileJSON's `vector_layers`, and where it lies.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::model::geometry::Envelope;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::tile::prepare::Prepared;
use crate::tile::record::Kind;
use crate::tile::world::lon_lat;

/// Decimals of a degree in a header.
const DECIMALS: i32 = 7;

pub fn json(layers: &[Prepared]) -> String {
    let mut listed = Vec::new();
    for layer in layers {
        listed.push(described(layer, &layer.name));
        if layer.features.iter().any(|feature| feature.kind != Kind::Point) {
            listed.push(described(layer, &layer.label_name));
        }
    }
    let name: Vec<&str> = layers.iter().map(|layer| layer.layer.title.as_str()).collect();
    json!({
        "name": name.join(", "),
        "format": "pbf",
        "type": "overlay",
        "generator": concat!("bocage ", env!("CARGO_PKG_VERSION")),
        "vector_layers": listed,
    })
    .to_string()
}

fn described(layer: &Prepared, id: &str) -> Value {
    let mut fields: Map<String, Value> = layer.layer.fields.iter().map(|field| (field.name.clone(), kind(field).into())).collect();
    // The id of a feature is a property where it is text.
    for key in &layer.keys[layer.layer.fields.len()..] {
        fields.insert(key.clone(), "String".into());
    }
    json!({
        "id": id,
        "description": layer.layer.title,
        "minzoom": layer.min_zoom(),
        "maxzoom": layer.tiling().max_zoom,
        "fields": fields,
    })
}

/// The three kinds that TileJSON's examples know.
fn kind(field: &Field) -> &'static str {
    match field.field_type {
        FieldType::Text | FieldType::Date | FieldType::DateTime => "String",
        FieldType::Integer | FieldType::Real => "Number",
        FieldType::Boolean => "Boolean",
    }
}

/// Lon, lat of all layers; of nothing, the middle of the map.
pub fn extent(layers: &[Prepared]) -> Envelope {
    let mut extent = Envelope::NOTHING;
    for layer in layers.iter().filter(|layer| !layer.features.is_empty()) {
        for corner in [layer.low, layer.high] {
            let (lon, lat) = lon_lat(corner);
            extent.expand(lon, lat);
        }
    }
    if extent.is_nothing() { Envelope { west: 0.0, south: 0.0, east: 0.0, north: 0.0 } } else { extent.rounded_outward(DECIMALS) }
}
