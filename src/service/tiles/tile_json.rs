//! TileJSON 3.0.0 of one layer, or of several that an address joins by commas.

use std::sync::Arc;

use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;

use crate::catalogue::PublishedLayer;
use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::params::Params;
use crate::model::geometry::Envelope;
use crate::service::page::escaped;
use crate::service::state::AppState;
use crate::service::state::shown;
use crate::service::tiles::WEB_MERCATOR_QUAD;
use crate::service::tiles::tile;
use crate::service::tiles::tilesets;
use crate::tile::Tileset;

/// `/tiles/{ids}.json`; and `/tiles/WebMercatorQuad`, the dataset's tile set.
pub async fn one(
    State(state): State<AppState>,
    Path(name): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    if name == WEB_MERCATOR_QUAD {
        return tilesets::dataset_in(&state, &headers, query.as_deref()).await;
    }
    let Some(names) = name.strip_suffix(".json") else {
        return Err(Fault::NotFound { what: "tile set, expected `<collection>.json` or a tile matrix set:", id: shown(&name) });
    };
    Params::parse(query.as_deref())?.finish(&[])?;
    let layers = tile::named(&state, names)?;
    let modified = layers.iter().map(|layer| layer.revised.as_str()).max().map(str::to_owned);
    let document = document(&state, &layers)?;
    Ok(cache::lasting(&headers, modified.as_deref(), axum::Json(document).into_response()).await)
}

/// # Errors
/// Those of opening archives.
fn document(state: &AppState, layers: &[Arc<PublishedLayer>]) -> Result<Value, Fault> {
    let ids: Vec<&str> = layers.iter().map(|layer| layer.id().as_str()).collect();
    let title = |layer: &Arc<PublishedLayer>| layer.layer().title.clone();
    let mut document = json!({
        "tilejson": "3.0.0",
        "name": layers.iter().map(title).collect::<Vec<_>>().join(", "),
        "attribution": attribution(layers),
        "scheme": "xyz",
        "tiles": [format!("{}/tiles/{}/{{z}}/{{x}}/{{y}}", state.base, ids.join(","))],
    });
    if let [only] = layers {
        document["description"] = only.layer().description.as_str().into();
    }
    let mut zooms: Option<(u8, u8)> = None;
    let mut bounds = Envelope::NOTHING;
    let mut vector_layers = Vec::new();
    for layer in layers {
        let Some(tileset) = layer.tileset()? else { continue };
        let (least, most) = (tileset.min_zoom(), tileset.max_zoom());
        zooms = Some(zooms.map_or((least, most), |(min, max)| (min.min(least), max.max(most))));
        let Envelope { west, south, east, north } = tileset.extent;
        bounds.expand(west, south);
        bounds.expand(east, north);
        vector_layers.extend(layers_in(&tileset));
    }
    if let Some((min, max)) = zooms {
        document["minzoom"] = min.into();
        document["maxzoom"] = max.into();
        document["bounds"] = json!([bounds.west, bounds.south, bounds.east, bounds.north]);
        document["center"] = json!([f64::midpoint(bounds.west, bounds.east), f64::midpoint(bounds.south, bounds.north), min]);
    }
    document["vector_layers"] = vector_layers.into();
    Ok(document)
}

/// What the archive says of its layers.
pub fn layers_in(tileset: &Tileset) -> Vec<Value> {
    tileset.metadata.get("vector_layers").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// HTML, as maps show it: each producer and licence once.
fn attribution(layers: &[Arc<PublishedLayer>]) -> String {
    let mut said: Vec<String> = Vec::new();
    for layer in layers {
        let record = &layer.manifest.record;
        let who = escaped(record.attribution.as_deref().unwrap_or(&record.producer.name));
        let licence = format!("<a href=\"{}\">{}</a>", escaped(&record.licence.url), escaped(&record.licence.title));
        let one = format!("{who}, {licence}");
        if !said.contains(&one) {
            said.push(one);
        }
    }
    said.join(" ; ")
}
