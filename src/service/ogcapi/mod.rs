//! OGC API - Features: Part 1 (OGC 17-069r4), Part 2 (OGC 18-058r1), Part 3 (OGC 19-079r2) with CQL2 (OGC 21-065r2),
//! Part 5 (OGC 23-058, schemas) and Part 8 (OGC 24-030, sorting).

mod collections;
mod filtering;
mod html;
pub mod items;
mod openapi;
mod openapi_styles;
mod openapi_tiles;
mod query;
mod schemas;

use axum::Router;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;

use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::SERVICES;
use crate::service::Service;
use crate::service::page::page;
use crate::service::state::AppState;

pub struct OgcApi;

/// Exactly these spellings: suites compare text.
const CONFORMANCE: [&str; 29] = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
    "http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/property-property",
    "http://www.opengis.net/spec/cql2/1.0/conf/arithmetic",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/advanced-property-roles",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/returnables-and-receivables",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/sortables",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sortables",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/sorting",
    "http://www.opengis.net/spec/ogcapi-features-8/1.0/conf/features-sorting",
];

/// Representations of documents: JSON, and a page.
const OFFERED: [(&str, &str); 2] = [("json", media_type::JSON), ("html", media_type::HTML)];

impl Service for OgcApi {
    fn id(&self) -> &'static str {
        "ogcapi"
    }

    fn conformance(&self) -> &'static [&'static str] {
        &CONFORMANCE
    }

    fn links(&self, base: &str) -> Vec<Link> {
        vec![
            Link::new(format!("{base}/api"), "service-desc", media_type::OPENAPI).titled("Description de l'API (OpenAPI 3.0)"),
            Link::new(format!("{base}/api?f=html"), "service-doc", media_type::HTML).titled("Documentation de l'API"),
            Link::new(format!("{base}/conformance"), "conformance", media_type::JSON).titled("Classes de conformité"),
            Link::new(format!("{base}/collections"), "data", media_type::JSON).titled("Jeux de données"),
        ]
    }

    fn routes(&self) -> Router<AppState> {
        Router::new()
            .route("/", get(landing))
            .route("/conformance", get(conformance))
            .route("/api", get(openapi::api))
            .route("/collections", get(collections::list))
            .route("/collections/{id}", get(collections::one))
            .route("/collections/{id}/{kind}", get(schemas::one))
            .route("/collections/{id}/items", get(items::list))
            .route("/collections/{id}/items/{fid}", get(items::one))
    }
}

fn json(value: &serde_json::Value) -> Response {
    ([(header::CONTENT_TYPE, media_type::JSON)], value.to_string()).into_response()
}

async fn landing(State(state): State<AppState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let mut links = Link::own(&format!("{}/", state.base), wanted, &OFFERED);
    links.extend(SERVICES.iter().flat_map(|service| service.links(&state.base)));
    if wanted == "html" {
        let catalogue = state.catalogue();
        let layers: Vec<_> = catalogue.layers.iter().map(|layer| html::summary(layer)).collect();
        let links: Vec<_> = links
            .iter()
            .filter(|link| link.title.is_some())
            .map(|link| context! { href => link.href.as_str(), title => link.title.as_deref(), rel => link.rel.as_str() })
            .collect();
        let shown = page(&state, "landing.html", context! { description => state.site.description.as_str(), layers, links })?;
        return Ok(cache::lasting(&headers, catalogue.modified(), shown).await);
    }
    let shown = json(&serde_json::json!({ "title": state.site.title, "description": state.site.description, "links": links }));
    Ok(cache::lasting(&headers, state.catalogue().modified(), shown).await)
}

async fn conformance(State(state): State<AppState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let classes: Vec<&str> = SERVICES.iter().flat_map(|service| service.conformance()).copied().collect();
    if wanted == "html" {
        let items: Vec<_> = classes.iter().map(|class| context! { title => *class }).collect();
        let shown = page(&state, "list.html", context! { heading => "Classes de conformité", items })?;
        return Ok(cache::lasting(&headers, state.catalogue().modified(), shown).await);
    }
    let links = Link::own(&format!("{}/conformance", state.base), wanted, &OFFERED);
    let shown = json(&serde_json::json!({ "conformsTo": classes, "links": links }));
    Ok(cache::lasting(&headers, state.catalogue().modified(), shown).await)
}
