//! `/styles` and `/collections/{id}/styles`: which styles there are, and in which languages (OGC 20-009 §7.3).

use std::sync::Arc;

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
use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::page::page;
use crate::service::state::AppState;
use crate::service::styles::drawn;
use crate::service::styles::encodings;

const OFFERED: [(&str, &str); 2] = [("json", media_type::JSON), ("html", media_type::HTML)];

pub async fn all(State(state): State<AppState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let catalogue = state.catalogue();
    let layers: Vec<&Arc<PublishedLayer>> = catalogue.layers.iter().filter(|layer| layer.is_drawn()).collect();
    let shown = list(&state, &layers, "styles", wanted, None)?;
    Ok(cache::lasting(&headers, catalogue.modified(), shown).await)
}

/// The one that draws it.
pub async fn of_collection(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let layer = drawn(&state, &id)?;
    let path = format!("collections/{}/styles", layer.id());
    let shown = list(&state, &[&layer], &path, wanted, Some(layer.id().as_str()))?;
    Ok(cache::lasting(&headers, Some(&layer.revised), shown).await)
}

/// `path`: of the list, below the base. `default`: the style that is recommended.
fn list(state: &AppState, layers: &[&Arc<PublishedLayer>], path: &str, wanted: &str, default: Option<&str>) -> Result<Response, Fault> {
    if wanted == "html" {
        let items: Vec<_> = layers
            .iter()
            .map(|layer| context! { title => layer.layer().title.as_str(), href => format!("{}/styles/{}?f=html", state.base, layer.id()) })
            .collect();
        return page(state, "list.html", context! { heading => "Styles", items });
    }
    let links: Vec<Link> = OFFERED
        .iter()
        .map(|(id, media_type)| {
            let rel = if *id == wanted { "self" } else { "alternate" };
            Link::new(format!("{}/{path}?f={id}", state.base), rel, media_type)
        })
        .collect();
    let styles: Vec<Value> = layers.iter().map(|layer| entry(state, layer)).collect();
    let mut document = json!({ "styles": styles, "links": links });
    if let Some(default) = default {
        document["default"] = json!(default);
    }
    Ok(axum::Json(document).into_response())
}

fn entry(state: &AppState, layer: &PublishedLayer) -> Value {
    let address = format!("{}/styles/{}", state.base, layer.id());
    let mut links: Vec<Link> = encodings(layer)
        .map(|encoding| Link::new(format!("{address}?f={}", encoding.id), "stylesheet", encoding.media_type).titled(encoding.title))
        .collect();
    links.push(Link::new(format!("{address}?f=html"), "alternate", media_type::HTML));
    links.push(Link::new(format!("{address}/metadata"), "describedby", media_type::JSON));
    links.push(Link::new(format!("{address}/legend.svg"), "preview", media_type::SVG).titled("Légende"));
    json!({ "id": layer.id(), "title": layer.layer().title, "links": links })
}
