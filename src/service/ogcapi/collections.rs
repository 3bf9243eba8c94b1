//! `/collections` and `/collections/{id}` (`/req/core/fc-md-op`, `/req/core/sfc-md-op`).

use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use minijinja::context;
use serde_json::json;

use crate::catalogue::PublishedLayer;
use crate::encode::FORMATS;
use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::SERVICES;
use crate::service::download;
use crate::service::ogcapi::OFFERED;
use crate::service::ogcapi::html;
use crate::service::ogcapi::items;
use crate::service::ogcapi::json as json_response;
use crate::service::ogcapi::schemas;
use crate::service::page::page;
use crate::service::state::AppState;

/// Features that a layer's page lists: what one sees beside a map.
const ROWS_SHOWN: u64 = 10;

pub async fn list(State(state): State<AppState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let catalogue = state.catalogue();
    if wanted == "html" {
        let items: Vec<_> = catalogue
            .layers
            .iter()
            .map(|layer| context! { title => layer.layer().title.as_str(), href => format!("{}/collections/{}?f=html", state.base, layer.id()), note => layer.manifest.record.producer.name.as_str() })
            .collect();
        let shown = page(&state, "list.html", context! { heading => "Jeux de données", items })?;
        return Ok(cache::lasting(&headers, catalogue.modified(), shown).await);
    }
    let collections: Vec<_> = catalogue.layers.iter().map(|layer| describe(&state, layer, "json")).collect();
    let links = Link::own(&format!("{}/collections", state.base), wanted, &OFFERED);
    let shown = json_response(&json!({ "links": links, "collections": collections }));
    Ok(cache::lasting(&headers, catalogue.modified(), shown).await)
}

pub async fn one(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let layer = state.layer(&id)?;
    if wanted == "html" {
        let files: Vec<_> = layer
            .manifest
            .files
            .iter()
            .map(|file| context! { href => format!("{}/downloads/{}/{}", state.base, layer.id(), file.name), title => file.title.as_str(), size => download::size(file.bytes) })
            .collect();
        let fields: Vec<_> = layer
            .layer()
            .fields
            .iter()
            .map(|field| context! { name => field.name.as_str(), title => field.title.as_str(), description => field.description.as_deref(), unit => field.unit.as_deref() })
            .collect();
        // A table that does not answer takes the rows away, not the page.
        let rows = items::first_rows(&state, &layer, ROWS_SHOWN).await.unwrap_or_default();
        let legend = state.work.run(|| Ok(layer.style().map(|style| style.legend_titles()))).await?;
        let map = html::map(&state.base, &layer);
        let shown = page(&state, "collection.html", context! { layer => html::summary(&layer), legend, files, fields, rows, map })?;
        return Ok(cache::lasting(&headers, Some(&layer.revised), shown).await);
    }
    let shown = json_response(&describe(&state, &layer, wanted));
    Ok(cache::lasting(&headers, Some(&layer.revised), shown).await)
}

/// The storage CRS as a URI: CRS84 where the source is WGS 84 in lon, lat.
pub fn storage_crs(layer: &PublishedLayer) -> Crs {
    if layer.layer().extent.is_none() { CRS84 } else { layer.layer().crs }
}

/// Where features are asked, and what they are like.
fn items_links(address: &str, title: &str) -> Vec<Link> {
    let items = |query: &str, media: &str| Link::new(format!("{address}/items{query}"), "items", media).titled(title);
    let mut links = vec![items("", media_type::GEOJSON), items("?f=html", media_type::HTML)];
    let others = FORMATS.iter().filter(|format| format.media_type() != media_type::GEOJSON);
    links.extend(others.map(|format| items(&format!("?f={}", format.id()), format.media_type())));
    links.extend(schemas::links(address));
    links
}

fn describe(state: &AppState, layer: &PublishedLayer, wanted: &'static str) -> serde_json::Value {
    let (said, record) = (layer.layer(), &layer.manifest.record);
    let address = format!("{}/collections/{}", state.base, said.id);
    let mut links = Link::own(&address, wanted, &OFFERED);
    if !said.is_tileset {
        links.extend(items_links(&address, &said.title));
    }
    links.extend(SERVICES.iter().flat_map(|service| service.layer_links(&state.base, layer)));
    links.push(Link::new(record.licence.url.clone(), "license", media_type::HTML).titled(record.licence.title.clone()));
    for file in &layer.manifest.files {
        let mut link = Link::new(format!("{}/downloads/{}/{}", state.base, said.id, file.name), "enclosure", &file.media_type)
            .titled(file.title.clone());
        link.length = Some(file.bytes);
        links.push(link);
    }
    let mut collection = json!({
        "id": said.id,
        "title": said.title,
        "description": said.description,
        "links": links,
    });
    if !said.is_tileset {
        collection["itemType"] = json!("feature");
        // A table without geometry too: what it answers is in the default CRS, as its `Content-Crs` says.
        collection["crs"] = layer.crs_served().iter().map(|crs| crs.uri()).collect();
    }
    let mut extent = serde_json::Map::new();
    if let Some(envelope) = said.extent {
        extent.insert(
            "spatial".to_owned(),
            json!({ "bbox": [[envelope.west, envelope.south, envelope.east, envelope.north]], "crs": CRS84.uri() }),
        );
        if !said.is_tileset {
            collection["storageCrs"] = json!(storage_crs(layer).uri());
        }
    }
    if let Some((start, end)) = &said.interval {
        let instant = |text: &Option<String>, last: &str| {
            text.as_ref().map(|text| if text.len() == 10 { format!("{text}T{last}Z") } else { text.clone() })
        };
        extent.insert("temporal".to_owned(), json!({ "interval": [[instant(start, "00:00:00"), instant(end, "23:59:59")]] }));
    }
    if !extent.is_empty() {
        collection["extent"] = serde_json::Value::Object(extent);
    }
    collection
}
