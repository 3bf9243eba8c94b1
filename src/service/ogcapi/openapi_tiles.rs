//! The tiles' part of `/api` (OGC API - Tiles `/req/oas30/oas-definition`).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::catalogue::PublishedLayer;
use crate::model::media_type;
use crate::model::tile_matrix_set::ZOOM_MAX;
use crate::service::ogcapi::openapi::f;
use crate::service::ogcapi::openapi::operation;
use crate::service::ogcapi::openapi::problem;

const MATRIX_SET: &str = "WebMercatorQuad";

/// Of the dataset and of the matrix sets.
pub fn dataset(paths: &mut Map<String, Value>, documents: &Value, layers: &[&PublishedLayer]) {
    let document = |id: &str, summary: &str, parameters: Vec<Value>| {
        operation(id, "Tiles", summary, parameters, &[media_type::JSON, media_type::HTML], json!({ "type": "object" }))
    };
    let documents = || vec![documents.clone()];
    paths.insert("/tileMatrixSets".to_owned(), document("getTileMatrixSetsList", "Tile matrix sets", documents()));
    let matrix_set = json!({ "name": "tileMatrixSetId", "in": "path", "required": true, "description": "Id of a tile matrix set.", "schema": { "type": "string", "enum": [MATRIX_SET] } });
    let mut parameters = documents();
    parameters.push(matrix_set);
    paths.insert("/tileMatrixSets/{tileMatrixSetId}".to_owned(), document("getTileMatrixSet", "A tile matrix set", parameters));
    paths.insert("/tiles".to_owned(), document("dataset.vector.getTileSetsList", "Tile sets of the dataset", documents()));
    paths.insert(format!("/tiles/{MATRIX_SET}"), document("dataset.vector.getTileSet", "The dataset's tile set", documents()));
    let ids: Vec<&str> = layers.iter().map(|layer| layer.id().as_str()).collect();
    let mut parameters = address(["tileMatrix", "tileRow", "tileCol"]);
    if !ids.is_empty() {
        parameters.push(json!({ "name": "collections", "in": "query", "required": false, "style": "form", "explode": false,
            "description": "Collections whose layers the tile has; all of them where nobody says.",
            "schema": { "type": "array", "minItems": 1, "items": { "type": "string", "enum": ids } } }));
    }
    let path = format!("/tiles/{MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}");
    paths.insert(path, tile("dataset.vector.getTile", "A tile of the dataset", parameters));
}

/// Of one layer that has tiles.
pub fn layer(paths: &mut Map<String, Value>, documents: &Value, layer: &PublishedLayer) {
    let (id, title) = (layer.id(), &layer.layer().title);
    let document = |operation_id: String, media: &[&str], parameters: Vec<Value>| {
        operation(&operation_id, "Tiles", title, parameters, media, json!({ "type": "object" }))
    };
    let both = [media_type::JSON, media_type::HTML];
    let tiles = format!("/collections/{id}/tiles");
    paths.insert(tiles.clone(), document(format!("{id}.collection.vector.getTileSetsList"), &both, vec![documents.clone()]));
    paths.insert(format!("{tiles}/{MATRIX_SET}"), document(format!("{id}.collection.vector.getTileSet"), &both, vec![documents.clone()]));
    paths.insert(
        format!("{tiles}/{MATRIX_SET}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"),
        tile(&format!("{id}.collection.vector.getTile"), title, address(["tileMatrix", "tileRow", "tileCol"])),
    );
    paths.insert(format!("/tiles/{id}.json"), document(format!("{id}.getTileJson"), &[media_type::JSON], Vec::new()));
    paths.insert(format!("/tiles/{id}/{{z}}/{{x}}/{{y}}"), tile(&format!("{id}.getXyzTile"), title, address(["z", "x", "y"])));
}

fn address(names: [&str; 3]) -> Vec<Value> {
    let meanings = ["Zoom.", "Row from the north, or column from the west.", "Column from the west, or row from the north."];
    let most = [i64::from(ZOOM_MAX), (1 << ZOOM_MAX) - 1, (1 << ZOOM_MAX) - 1];
    let parameter = |at: usize| {
        json!({ "name": names[at], "in": "path", "required": true, "description": meanings[at],
            "schema": { "type": "integer", "minimum": 0, "maximum": most[at] } })
    };
    (0..3).map(parameter).collect()
}

fn tile(id: &str, summary: &str, mut parameters: Vec<Value>) -> Value {
    parameters.push(f(&["mvt", "pbf"]));
    let mut tile = operation(id, "Tiles", summary, parameters, &[media_type::MVT], json!({}));
    tile["get"]["responses"]["200"]["content"][media_type::MVT]["schema"] = json!({ "type": "string", "format": "binary" });
    tile["get"]["responses"]["204"] = json!({ "description": "Nothing is there." });
    tile["get"]["responses"]["404"] = problem("Outside of the limits.");
    tile
}
