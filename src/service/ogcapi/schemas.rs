//! `/collections/{id}/schema`, `/queryables` and `/sortables`: JSON Schemas of what is answered, asked and sorted by
//! (OGC API - Features Part 3 §6, Part 5 §7 to §12, Part 8 §6).

use axum::extract::Path;
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
use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::layer::Field;
use crate::model::layer::FieldType;
use crate::model::layer::GeometryType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::link::Link;
use crate::model::media_type;
use crate::query::filter::GEOMETRY;
use crate::query::filter::ID;
use crate::service::ogcapi::html;
use crate::service::page::page;
use crate::service::state::AppState;

/// One of the three.
pub struct Kind {
    /// The last part of the address.
    pub name: &'static str,
    rel: &'static str,
    title: &'static str,
    has_geometry: bool,
}

pub const KINDS: [Kind; 3] = [
    Kind { name: "schema", rel: "http://www.opengis.net/def/rel/ogc/1.0/schema", title: "Schéma des objets", has_geometry: true },
    Kind {
        name: "queryables",
        rel: "http://www.opengis.net/def/rel/ogc/1.0/queryables",
        title: "Ce qui peut être filtré",
        has_geometry: true,
    },
    Kind {
        name: "sortables",
        rel: "http://www.opengis.net/def/rel/ogc/1.0/sortables",
        title: "Ce qui peut être trié",
        has_geometry: false,
    },
];

/// `/req/queryables/queryables-link`, `/req/sortables/link`, `/req/returnables-and-receivables/link`.
pub fn links(address: &str) -> impl Iterator<Item = Link> + '_ {
    KINDS.iter().map(move |kind| Link::new(format!("{address}/{}", kind.name), kind.rel, media_type::JSON_SCHEMA).titled(kind.title))
}

const OFFERED: [(&str, &str); 2] = [("json", media_type::JSON_SCHEMA), ("html", media_type::HTML)];

pub async fn one(
    State(state): State<AppState>,
    Path((id, kind)): Path<(String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let nothing = || Fault::NotFound { what: "resource of a collection", id: crate::service::state::shown(&kind) };
    let kind = KINDS.iter().find(|known| known.name == kind).ok_or_else(nothing)?;
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let layer = state.features(&id)?;
    let schema = schema(&state, &layer, kind);
    let shown = if wanted == "html" {
        let members = schema["properties"].as_object().cloned().unwrap_or_default();
        let fields: Vec<_> = members
            .iter()
            .map(|(name, said)| {
                let format = said["format"].as_str().or(said["type"].as_str());
                context! { name, title => said["title"].as_str(), description => said["description"].as_str(), format }
            })
            .collect();
        page(&state, "schema.html", context! { layer => html::summary(&layer), heading => kind.title, fields })?
    } else {
        ([(header::CONTENT_TYPE, media_type::JSON_SCHEMA)], schema.to_string()).into_response()
    };
    Ok(cache::lasting(&headers, Some(&layer.revised), shown).await)
}

fn schema(state: &AppState, layer: &PublishedLayer, kind: &Kind) -> Value {
    let said = layer.layer();
    let mut properties = Map::new();
    properties.insert(ID.to_owned(), id_schema(said, kind));
    if let Some(column) = said.geometry.filter(|_| kind.has_geometry) {
        let format = geometry_format(column.geometry_type);
        properties.insert(GEOMETRY.to_owned(), json!({ "title": "Géométrie", "format": format, "x-ogc-role": "primary-geometry" }));
    }
    for field in &said.fields {
        properties.insert(field.name.clone(), field_schema(field, role(said, field)));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{}/collections/{}/{}", state.base, said.id, kind.name),
        "type": "object",
        "title": said.title,
        "description": said.description,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn id_schema(layer: &Layer, kind: &Kind) -> Value {
    let type_name = if layer.id_kind == IdKind::Integer { "integer" } else { "string" };
    let mut schema = json!({ "title": "Identifiant de l'objet", "type": type_name, "x-ogc-role": "id" });
    if kind.name == "schema" {
        schema["readOnly"] = json!(true);
    }
    schema
}

/// What Part 5 calls it; single and multi together, where the layer has multi geometries.
fn geometry_format(geometry_type: GeometryType) -> &'static str {
    match geometry_type {
        GeometryType::Point => "geometry-point",
        GeometryType::LineString => "geometry-linestring",
        GeometryType::Polygon => "geometry-polygon",
        GeometryType::MultiPoint => "geometry-multipoint",
        GeometryType::MultiLineString => "geometry-multilinestring",
        GeometryType::MultiPolygon => "geometry-multipolygon",
        GeometryType::GeometryCollection => "geometry-geometrycollection",
        GeometryType::Geometry => "geometry-any",
    }
}

/// The field's part in time (`/req/advanced-property-roles/temporal`).
fn role(layer: &Layer, field: &Field) -> Option<&'static str> {
    match (layer.time_fields.as_slice(), layer.time_fields.iter().position(|name| *name == field.name)) {
        ([_], Some(_)) => Some("primary-instant"),
        (_, Some(0)) => Some("primary-interval-start"),
        (_, Some(_)) => Some("primary-interval-end"),
        (_, None) => None,
    }
}

/// A field as JSON Schema: its type, and what the officer says of it.
pub fn field_schema(field: &Field, role: Option<&str>) -> Value {
    let (type_name, format) = match field.field_type {
        FieldType::Text => ("string", None),
        FieldType::Integer => ("integer", Some("int64")),
        FieldType::Real => ("number", Some("double")),
        FieldType::Boolean => ("boolean", None),
        FieldType::Date => ("string", Some("date")),
        FieldType::DateTime => ("string", Some("date-time")),
    };
    let mut schema = json!({ "title": field.title, "type": type_name });
    let codes: Vec<String> = field.values.iter().map(|(code, meaning)| format!("{code} : {meaning}")).collect();
    let description =
        field.description.iter().cloned().chain((!codes.is_empty()).then(|| codes.join(" ; "))).collect::<Vec<_>>().join(" — ");
    for (name, value) in [
        ("description", Some(description).filter(|text| !text.is_empty())),
        ("format", format.map(str::to_owned)),
        ("x-ogc-unit", field.unit.clone()),
        ("x-ogc-role", role.map(str::to_owned)),
    ] {
        if let Some(value) = value {
            schema[name] = json!(value);
        }
    }
    schema
}
