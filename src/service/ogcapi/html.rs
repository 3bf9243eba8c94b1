//! Values for pages.

use minijinja::Value;
use minijinja::context;

use crate::catalogue::PublishedLayer;

/// `30/06/2026`, as French writes a day.
pub fn day(rfc3339: &str) -> String {
    let mut parts = rfc3339.get(..10).unwrap_or_default().split('-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(day)) => format!("{day}/{month}/{year}"),
        _ => rfc3339.to_owned(),
    }
}

/// What pages say of a layer.
pub fn summary(layer: &PublishedLayer) -> Value {
    let (said, record) = (layer.layer(), &layer.manifest.record);
    context! {
        id => said.id.as_str(),
        title => said.title.as_str(),
        description => said.description.as_str(),
        features => said.features,
        is_tileset => said.is_tileset,
        geometry => said.geometry.map(|geometry| geometry.geometry_type.name()),
        producer => record.producer.name.as_str(),
        licence => record.licence.title.as_str(),
        licence_url => record.licence.url.as_str(),
        published => day(&layer.manifest.published),
        crs => said.crs.to_string(),
    }
}

/// What the script of the map is told (`assets/map.mjs`). `None` for a layer without a place.
pub fn map(base: &str, layer: &PublishedLayer) -> Option<Value> {
    let said = layer.layer();
    let extent = said.extent.filter(|_| said.geometry.is_some())?;
    let id = said.id.as_str();
    let fields: Vec<[String; 2]> = said.fields.iter().map(|field| [field.name.clone(), field.title.clone()]).collect();
    Some(context! {
        title => said.title.as_str(),
        style => format!("{base}/styles/{id}?f=mapbox"),
        legend => format!("{base}/styles/{id}/legend.svg"),
        items => format!("{base}/collections/{id}/items"),
        bounds => [extent.west, extent.south, extent.east, extent.north],
        fields,
    })
}
