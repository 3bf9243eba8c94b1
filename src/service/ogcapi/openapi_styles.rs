//! The styles' part of `/api` (OGC API - Styles, draft).

use serde_json::Value;
use serde_json::json;

use crate::catalogue::PublishedLayer;
use crate::model::media_type;
use crate::service::ogcapi::openapi::f;
use crate::service::ogcapi::openapi::operation;
use crate::service::ogcapi::openapi::problem;
use crate::service::styles;

/// A layer's style, in the languages that it is served in.
pub fn of_layer(layer: &PublishedLayer) -> Vec<(String, Value)> {
    let (id, title) = (layer.id(), &layer.layer().title);
    let offered = styles::offered(layer);
    let (codes, media): (Vec<&str>, Vec<&str>) = offered.into_iter().unzip();
    let documents = [media_type::JSON, media_type::HTML];
    let object = || json!({ "type": "object" });
    let described = |name: &str, parameters: Vec<Value>, media: &[&str]| {
        operation(&format!("{id}.{name}"), "Styles", title, parameters, media, object())
    };
    vec![
        (format!("/collections/{id}/styles"), described("getStyles", vec![f(&["json", "html"])], &documents)),
        (format!("/styles/{id}"), described("getStyle", vec![f(&codes)], &media)),
        (format!("/styles/{id}/metadata"), described("getStyleMetadata", vec![f(&["json", "html"])], &documents)),
        (format!("/styles/{id}/legend.svg"), described("getLegend", Vec::new(), &[media_type::SVG])),
    ]
}

/// Sprite sheets by their files' names; `None` where nothing is drawn.
pub fn sprites<'a>(drawn: impl Iterator<Item = &'a str>) -> Option<(String, Value)> {
    let files: Vec<String> =
        drawn.flat_map(|id| ["", "@2x"].map(|sharp| [format!("{id}{sharp}.json"), format!("{id}{sharp}.png")])).flatten().collect();
    let file = json!({ "name": "file", "in": "path", "required": true, "description": "Index or picture of a sprite sheet.", "schema": { "type": "string", "enum": files } });
    let media = [media_type::JSON, media_type::PNG];
    let mut sprite = operation("getSprite", "Styles", "Sprite sheets of the styles", vec![file], &media, json!({ "type": "object" }));
    sprite["get"]["responses"]["404"] = problem("There is no such sheet.");
    (!files.is_empty()).then(|| ("/sprites/{file}".to_owned(), sprite))
}
