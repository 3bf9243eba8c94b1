//! `/styles/{id}/metadata`: what a style is made of, and what it could not carry over (OGC 20-009 §7.5); the page of a style.

use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::Response;
use minijinja::context;
use serde_json::Value;
use serde_json::json;

use crate::catalogue::PublishedLayer;
use crate::catalogue::style::LayerStyle;
use crate::catalogue::style::SldVersion;
use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::layer::GeometryType;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::page;
use crate::service::state::AppState;
use crate::service::styles::Encoding;
use crate::service::styles::drawn;
use crate::service::styles::encodings;
use crate::service::styles::with_style;

const OFFERED: [(&str, &str); 2] = [("json", media_type::JSON), ("html", media_type::HTML)];

pub async fn one(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let layer = drawn(&state, &id)?;
    let shown = if wanted == "html" {
        page(&state, &layer).await?
    } else {
        let document = with_style(&state, &layer, |style| Ok(document(&state, &layer, style))).await?;
        axum::Json(document).into_response()
    };
    Ok(cache::lasting(&headers, Some(&layer.revised), shown).await)
}

fn document(state: &AppState, layer: &PublishedLayer, style: &LayerStyle) -> Value {
    let (said, record) = (layer.layer(), &layer.manifest.record);
    let address = format!("{}/styles/{}", state.base, said.id);
    let items = Link::new(format!("{}/collections/{}/items", state.base, said.id), "items", media_type::GEOJSON);
    let links = [
        Link::new(format!("{address}/metadata?f=json"), "self", media_type::JSON),
        Link::new(format!("{address}/metadata?f=html"), "alternate", media_type::HTML),
        Link::new(format!("{address}/legend.svg"), "preview", media_type::SVG).titled("Légende"),
    ];
    json!({
        "id": said.id,
        "title": said.title,
        "description": said.description,
        "keywords": record.keywords,
        "pointOfContact": record.producer.name,
        "license": record.licence.id,
        "updated": layer.revised,
        "scope": "style",
        "stylesheets": encodings(layer).map(|encoding| stylesheet(&address, encoding, style)).collect::<Vec<Value>>(),
        "layers": [{ "id": said.id, "type": said.geometry.map(|column| kind(column.geometry_type)), "sampleData": items }],
        "links": links,
        // Ours: what the original said and is not drawn so.
        "losses": style.losses_told(),
    })
}

fn stylesheet(address: &str, encoding: &Encoding, style: &LayerStyle) -> Value {
    let is_native = style.original.as_ref().is_some_and(|original| original.format == encoding.id);
    json!({
        "title": encoding.title,
        "version": encoding.version,
        "specification": encoding.specification,
        "native": is_native,
        "link": Link::new(format!("{address}?f={}", encoding.id), "stylesheet", encoding.media_type),
    })
}

/// As the draft lists them.
fn kind(geometry: GeometryType) -> &'static str {
    match geometry {
        GeometryType::Point | GeometryType::MultiPoint => "point",
        GeometryType::LineString | GeometryType::MultiLineString => "line",
        GeometryType::Polygon | GeometryType::MultiPolygon => "polygon",
        GeometryType::GeometryCollection | GeometryType::Geometry => "geometry",
    }
}

/// The page of a style: its legend, its languages, its losses.
///
/// # Errors
/// `Internal`.
pub async fn page(state: &AppState, layer: &PublishedLayer) -> Result<Response, Fault> {
    let address = format!("{}/styles/{}", state.base, layer.id());
    let values = with_style(state, layer, |style| {
        let sld = |version: SldVersion, title: &str| {
            let (_, losses) = style.sld(version);
            losses.into_iter().map(|loss| format!("en {title}, {loss}")).collect::<Vec<String>>()
        };
        let mut losses = style.losses_told();
        losses.extend(sld(SldVersion::V1_1, "SLD 1.1"));
        losses.extend(sld(SldVersion::V1_0, "SLD 1.0"));
        let files: Vec<_> =
            encodings(layer).map(|encoding| context! { href => format!("{address}?f={}", encoding.id), title => encoding.title }).collect();
        Ok(context! {
            id => layer.id().as_str(),
            title => layer.layer().title.as_str(),
            origin => style.original.as_ref().map(|original| original.origin.as_str()),
            legend => format!("{address}/legend.svg"),
            entries => style.legend_titles(),
            files,
            losses,
        })
    });
    page::page(state, "style.html", values.await?)
}
