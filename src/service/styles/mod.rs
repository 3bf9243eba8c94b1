//! Styles: OGC API - Styles Part 1 (OGC 20-009, draft), read only; sprites and legends beside them.
//!
//! A layer has one style, which is called as the layer. Tables are not drawn and have none.

mod list;
mod metadata;
mod pictures;
mod stylesheet;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::catalogue::PublishedLayer;
use crate::catalogue::style::LayerStyle;
use crate::catalogue::style::PASSED_THROUGH;
use crate::http::fault::Fault;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::Service;
use crate::service::state::AppState;
use crate::service::state::shown;

pub struct Styles;

/// The relation of a list of styles.
const REL_STYLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/styles";

const CONFORMANCE: [&str; 5] = [
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/mapbox-styles",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/sld-10",
    "http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/sld-11",
];

impl Service for Styles {
    fn id(&self) -> &'static str {
        "styles"
    }

    fn conformance(&self) -> &'static [&'static str] {
        &CONFORMANCE
    }

    fn links(&self, base: &str) -> Vec<Link> {
        vec![Link::new(format!("{base}/styles"), REL_STYLES, media_type::JSON).titled("Styles des couches")]
    }

    fn layer_links(&self, base: &str, layer: &PublishedLayer) -> Vec<Link> {
        let styles = format!("{base}/collections/{}/styles", layer.id());
        layer.is_drawn().then(|| Link::new(styles, REL_STYLES, media_type::JSON).titled("Styles")).into_iter().collect()
    }

    fn routes(&self) -> Router<AppState> {
        Router::new()
            .route("/styles", get(list::all))
            .route("/collections/{id}/styles", get(list::of_collection))
            .route("/styles/{id}", get(stylesheet::one))
            .route("/styles/{id}/metadata", get(metadata::one))
            .route("/styles/{id}/legend.svg", get(pictures::legend))
            .route("/sprites/{file}", get(pictures::sprite))
    }
}

/// A language that styles are served in.
pub struct Encoding {
    /// `f=`
    pub id: &'static str,
    pub media_type: &'static str,
    pub title: &'static str,
    /// As metadata name it.
    specification: &'static str,
    version: &'static str,
}

pub const MAPBOX: &str = "mapbox";
pub const SLD_1_1: &str = "sld11";
pub const SLD_1_0: &str = "sld10";

/// The default first; the last only where it was given.
const ENCODINGS: [Encoding; 4] = [
    Encoding {
        id: MAPBOX,
        media_type: media_type::MAPBOX_STYLE,
        title: "MapLibre",
        specification: "https://maplibre.org/maplibre-style-spec/",
        version: "8",
    },
    Encoding {
        id: SLD_1_1,
        media_type: media_type::SLD_1_1,
        title: "SLD 1.1",
        specification: "https://www.ogc.org/standard/sld/",
        version: "1.1.0",
    },
    Encoding {
        id: SLD_1_0,
        media_type: media_type::SLD_1_0,
        title: "SLD 1.0",
        specification: "https://www.ogc.org/standard/sld/",
        version: "1.0.0",
    },
    Encoding {
        id: PASSED_THROUGH,
        media_type: media_type::QML,
        title: "QGIS (QML)",
        specification: "https://docs.qgis.org/",
        version: "3",
    },
];

/// What a layer's style is served in.
pub fn encodings(layer: &PublishedLayer) -> impl Iterator<Item = &'static Encoding> {
    let is_passed = layer.has_original_style();
    ENCODINGS.iter().filter(move |encoding| is_passed || encoding.id != PASSED_THROUGH)
}

/// `f=` and media types of a layer's style, a page among them.
pub fn offered(layer: &PublishedLayer) -> Vec<(&'static str, &'static str)> {
    encodings(layer).map(|encoding| (encoding.id, encoding.media_type)).chain([("html", media_type::HTML)]).collect()
}

/// A layer that is drawn, by its id or an alias.
///
/// # Errors
/// `NotFound`, `Gone`.
fn drawn(state: &AppState, id: &str) -> Result<Arc<PublishedLayer>, Fault> {
    let nothing = || Fault::NotFound { what: "style", id: shown(id) };
    match state.layer(id) {
        Ok(layer) if layer.is_drawn() => Ok(layer),
        Ok(_) | Err(Fault::NotFound { .. }) => Err(nothing()),
        Err(fault) => Err(fault),
    }
}

/// Does something with a layer's style where turns are kept: it is read when it is first asked for.
///
/// # Errors
/// Those of `work`; `NotFound` for a table.
async fn with_style<T>(state: &AppState, layer: &PublishedLayer, work: impl FnOnce(&LayerStyle) -> Result<T, Fault>) -> Result<T, Fault> {
    let nothing = || Fault::NotFound { what: "style", id: layer.id().to_string() };
    state.work.run(|| layer.style().ok_or_else(nothing).and_then(|style| work(&style))).await
}
