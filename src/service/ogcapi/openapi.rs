//! `/api`: OpenAPI 3.0, self-contained, made from what is published (`/req/oas30/oas-definition-2`).

use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use minijinja::context;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::catalogue::PublishedLayer;
use crate::encode::FORMATS;
use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::model::media_type;
use crate::query::filter::ID;
use crate::service::ogcapi::filtering;
use crate::service::ogcapi::openapi_styles;
use crate::service::ogcapi::openapi_tiles;
use crate::service::ogcapi::query;
use crate::service::ogcapi::schemas;
use crate::service::page::page;
use crate::service::state::AppState;

pub async fn api(State(state): State<AppState>, headers: HeaderMap, RawQuery(raw): RawQuery) -> Result<Response, Fault> {
    let wanted = representation(&headers, raw.as_deref(), &[("json", media_type::OPENAPI), ("html", media_type::HTML)])?;
    let document = document(&state);
    if wanted == "html" {
        let paths = document["paths"].as_object().cloned().unwrap_or_default();
        let items: Vec<_> = paths
            .iter()
            .map(|(path, item)| context! { title => format!("GET {path}"), note => item["get"]["summary"].as_str().unwrap_or_default() })
            .collect();
        let shown = page(&state, "list.html", context! { heading => "API", items })?;
        return Ok(cache::lasting(&headers, state.catalogue().modified(), shown).await);
    }
    let shown = ([(header::CONTENT_TYPE, media_type::OPENAPI)], document.to_string()).into_response();
    Ok(cache::lasting(&headers, state.catalogue().modified(), shown).await)
}

fn document(state: &AppState) -> Value {
    let catalogue = state.catalogue();
    let mut paths = Map::new();
    let documents = f(&["json", "html"]);
    for (path, id, summary) in [
        ("/", "getLandingPage", "Landing page"),
        ("/conformance", "getConformance", "Conformance classes"),
        ("/api", "getApi", "This document"),
        ("/collections", "getCollections", "Collections"),
        ("/styles", "getStyles", "Styles of the collections"),
        ("/checks", "getChecks", "Checks made on the data"),
    ] {
        let media = if path == "/api" { media_type::OPENAPI } else { media_type::JSON };
        paths.insert(
            path.to_owned(),
            operation(id, "Capabilities", summary, vec![documents.clone()], &[media, media_type::HTML], json!({ "type": "object" })),
        );
    }
    for layer in &catalogue.layers {
        let id = layer.id();
        let title = &layer.layer().title;
        let address = format!("/collections/{id}");
        paths.insert(
            address.clone(),
            operation(
                &format!("{id}.getCollection"),
                "Collections",
                title,
                vec![documents.clone()],
                &[media_type::JSON, media_type::HTML],
                json!({ "type": "object" }),
            ),
        );
        if layer.has_tiles() {
            openapi_tiles::layer(&mut paths, &documents, layer);
        }
        if layer.layer().is_tileset {
            continue;
        }
        for kind in &schemas::KINDS {
            let media = [media_type::JSON_SCHEMA, media_type::HTML];
            let id = format!("{id}.get{}", kind.name);
            paths.insert(
                format!("{address}/{}", kind.name),
                operation(&id, "Collections", title, vec![documents.clone()], &media, json!({ "type": "object" })),
            );
        }
        let mut formats = vec!["geojson", "json", "html"];
        formats.extend(FORMATS.iter().map(|format| format.id()).filter(|id| *id != "geojson"));
        let mut parameters = vec![f(&formats)];
        parameters.extend(items_parameters(layer, catalogue.has_communes()));
        let mut media = vec![media_type::GEOJSON, media_type::HTML];
        media.extend(FORMATS.iter().map(|format| format.media_type()).filter(|media| *media != media_type::GEOJSON));
        paths.insert(
            format!("{address}/items"),
            operation(&format!("{id}.getFeatures"), "Features", title, parameters, &media, collection_schema()),
        );
        let fid = json!({ "name": "featureId", "in": "path", "required": true, "schema": { "type": "string" }, "description": "Id of a feature." });
        let parameters = vec![fid, f(&["geojson", "json", "html"]), crs_parameter("crs", layer)];
        let mut item = operation(
            &format!("{id}.getFeature"),
            "Features",
            title,
            parameters,
            &[media_type::GEOJSON, media_type::HTML],
            feature_schema(),
        );
        item["get"]["responses"]["404"] = problem("There is no such feature.");
        paths.insert(format!("{address}/items/{{featureId}}"), item);
        if layer.is_drawn() {
            paths.extend(openapi_styles::of_layer(layer));
        }
    }
    let tiled: Vec<&PublishedLayer> = catalogue.layers.iter().map(AsRef::as_ref).filter(|layer| layer.has_vector_tiles()).collect();
    openapi_tiles::dataset(&mut paths, &documents, &tiled);
    paths.extend(openapi_styles::sprites(catalogue.layers.iter().filter(|layer| layer.is_drawn()).map(|layer| layer.id().as_str())));
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": state.site.title,
            "description": if state.site.description.is_empty() { &state.site.title } else { &state.site.description },
            "version": env!("CARGO_PKG_VERSION"),
            "contact": { "name": state.site.publisher.name },
            "license": { "name": state.site.licence.title, "url": state.site.licence.url },
        },
        "servers": [{ "url": &*state.base }],
        "security": [],
        "tags": [
            { "name": "Capabilities", "description": "What this service is and does." },
            { "name": "Collections", "description": "The collections." },
            { "name": "Features", "description": "The features of a collection." },
            { "name": "Tiles", "description": "Vector tiles of the collections." },
            { "name": "Styles", "description": "How collections are drawn." },
        ],
        "paths": paths,
    })
}

/// The parameter `f`.
pub fn f(values: &[&str]) -> Value {
    json!({ "name": "f", "in": "query", "required": false, "style": "form", "explode": false, "description": "Representation.", "schema": { "type": "string", "enum": values } })
}

pub fn operation(id: &str, tag: &str, summary: &str, parameters: Vec<Value>, media: &[&str], schema: Value) -> Value {
    let content: Map<String, Value> = media
        .iter()
        .map(|media| {
            let is_json = media.contains("json");
            ((*media).to_owned(), json!({ "schema": if is_json { schema.clone() } else { json!({ "type": "string" }) } }))
        })
        .collect();
    json!({ "get": {
        "operationId": id,
        "tags": [tag],
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": { "description": "The answer.", "content": content },
            "400": problem("A parameter is unknown or has a wrong value."),
            "default": problem("Another fault."),
        },
    } })
}

/// RFC 9457.
pub fn problem(description: &str) -> Value {
    json!({ "description": description, "content": { media_type::PROBLEM: { "schema": {
        "type": "object",
        "required": ["title", "status"],
        "properties": { "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" }, "detail": { "type": "string" } },
    } } } })
}

fn crs_parameter(name: &str, layer: &PublishedLayer) -> Value {
    let uris: Vec<String> = layer.crs_served().iter().map(|crs| crs.uri()).collect();
    json!({ "name": name, "in": "query", "required": false, "style": "form", "explode": false, "description": "Reference system, by its URI.",
        "schema": { "type": "string", "enum": uris, "default": uris[0] } })
}

fn items_parameters(layer: &PublishedLayer, has_communes: bool) -> Vec<Value> {
    let plain = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "required": false, "style": "form", "explode": false, "description": description, "schema": schema });
    let mut parameters = vec![
        plain(
            "limit",
            "Features of a page; a larger number is lowered to the maximum.",
            json!({ "type": "integer", "minimum": 1, "maximum": query::LIMIT_MAX, "default": query::LIMIT_DEFAULT }),
        ),
        plain(
            "offset",
            "Features to leave out first.",
            json!({ "type": "integer", "minimum": 0, "maximum": query::OFFSET_MAX, "default": 0 }),
        ),
        plain(
            "after",
            "Where a page begins: taken from a `next` link.",
            json!({ "type": "string", "pattern": "^[0-9]{8}-[0-9a-f]{8}\\.[0-9]{1,18}$" }),
        ),
        plain(
            "bbox",
            "Box that features meet: four numbers, or six.",
            json!({ "type": "array", "minItems": 4, "maxItems": 6, "items": { "type": "number" } }),
        ),
        crs_parameter("bbox-crs", layer),
        crs_parameter("crs", layer),
        plain(
            "datetime",
            "Instant, day or interval that features meet (RFC 3339).",
            json!({ "type": "string", "minLength": 1, "example": "2024-01-01/.." }),
        ),
        plain(
            "properties",
            "Properties to answer.",
            json!({ "type": "array", "minItems": 1, "items": { "type": "string", "enum": layer.layer().fields.iter().map(|field| &field.name).collect::<Vec<_>>() } }),
        ),
    ];
    if layer.layer().fields.is_empty() {
        parameters.pop();
    }
    parameters.extend(filtering_parameters(layer));
    if has_communes {
        parameters.push(plain(
            "commune",
            "INSEE code of a commune that features meet.",
            json!({ "type": "string", "pattern": "^[0-9][0-9AB][0-9]{3}$" }),
        ));
    }
    let id_type = if layer.layer().id_kind == IdKind::Integer { FieldType::Integer } else { FieldType::Text };
    parameters.push(plain(ID, "Id of a feature.", schema_of(id_type)));
    for field in layer.layer().fields.iter().filter(|field| !query::KNOWN.contains(&field.name.as_str())) {
        parameters.push(plain(&field.name, &field.title, schema_of(field.field_type)));
    }
    parameters
}

fn schema_of(field_type: FieldType) -> Value {
    match field_type {
        FieldType::Integer => json!({ "type": "integer", "format": "int64" }),
        FieldType::Real => json!({ "type": "number" }),
        FieldType::Boolean => json!({ "type": "boolean" }),
        FieldType::Date => json!({ "type": "string", "format": "date" }),
        FieldType::Text | FieldType::DateTime => json!({ "type": "string" }),
    }
}

/// `/req/filter/filter-param`, `/req/filter/filter-lang-param`, `/req/filter/filter-crs-param`, `/req/sorting/sortby-definition`.
fn filtering_parameters(layer: &PublishedLayer) -> Vec<Value> {
    let names = filtering::sortables(layer);
    let signed: Vec<String> = ["", "+", "-"].iter().flat_map(|sign| names.iter().map(move |name| format!("{sign}{name}"))).collect();
    let parameter = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "required": false, "style": "form", "explode": false, "description": description, "schema": schema });
    vec![
        parameter(
            "filter",
            "Condition that features meet, in the language of `filter-lang`.",
            json!({ "type": "string", "minLength": 1, "example": "id IS NOT NULL" }),
        ),
        parameter(
            "filter-lang",
            "Language of `filter`.",
            json!({ "type": "string", "enum": filtering::LANGUAGES, "default": filtering::LANGUAGES[0] }),
        ),
        crs_parameter("filter-crs", layer),
        parameter(
            "sortby",
            "Names to sort by: upwards, or downwards behind a minus.",
            json!({ "type": "array", "minItems": 1, "maxItems": filtering::SORT_KEYS_MAX, "items": { "type": "string", "enum": signed } }),
        ),
    ]
}

fn feature_schema() -> Value {
    json!({ "type": "object", "required": ["type", "geometry", "properties"], "properties": {
        "type": { "type": "string", "enum": ["Feature"] },
        "id": { "oneOf": [{ "type": "string" }, { "type": "integer" }] },
        "geometry": { "type": "object", "nullable": true },
        "properties": { "type": "object", "nullable": true },
        "links": { "type": "array", "items": { "type": "object" } },
    } })
}

fn collection_schema() -> Value {
    json!({ "type": "object", "required": ["type", "features"], "properties": {
        "type": { "type": "string", "enum": ["FeatureCollection"] },
        "features": { "type": "array", "items": feature_schema() },
        "links": { "type": "array", "items": { "type": "object" } },
        "timeStamp": { "type": "string", "format": "date-time" },
        "numberMatched": { "type": "integer", "minimum": 0 },
        "numberReturned": { "type": "integer", "minimum": 0 },
    } })
}
