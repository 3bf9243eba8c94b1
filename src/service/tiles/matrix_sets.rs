//! `/tileMatrixSets`: WebMercatorQuad as OGC 17-083r4 defines it (annex D.1).

use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::Response;
use minijinja::context;
use serde_json::Value;
use serde_json::json;

use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::model::crs::WEB_MERCATOR;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::page::page;
use crate::service::state::AppState;
use crate::service::tiles::WEB_MERCATOR_QUAD;
use crate::service::tiles::WEB_MERCATOR_QUAD_URI;
use crate::service::tiles::known_matrix_set;

const OFFERED: [(&str, &str); 2] = [("json", media_type::JSON), ("html", media_type::HTML)];

/// Half the circumference of the earth as Web Mercator has it, in metres.
const HALF_WORLD_M: f64 = 20_037_508.342_789_244;
/// Of zoom 0, at 0.28 mm a pixel.
const SCALE_DENOMINATOR: f64 = 559_082_264.028_717_8;
/// Of zoom 0, metres.
const CELL_SIZE_M: f64 = 156_543.033_928_040_97;
const TILE_PIXELS: u32 = 256;
/// The definition ends here.
const MATRIX_MAX: u8 = 24;

pub async fn list(State(state): State<AppState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    let address = format!("{}/tileMatrixSets/{WEB_MERCATOR_QUAD}", state.base);
    let shown = if wanted == "html" {
        let items = [context! { title => WEB_MERCATOR_QUAD, href => format!("{address}?f=html"), note => "Web Mercator, EPSG:3857" }];
        page(&state, "list.html", context! { heading => "Découpages des tuiles", items })?
    } else {
        let links = Link::own(&format!("{}/tileMatrixSets", state.base), wanted, &OFFERED);
        let one = json!({
            "id": WEB_MERCATOR_QUAD,
            "title": "Google Maps Compatible for the World",
            "uri": WEB_MERCATOR_QUAD_URI,
            "crs": WEB_MERCATOR.uri(),
            "links": [Link::new(address, "self", media_type::JSON)],
        });
        axum::Json(json!({ "links": links, "tileMatrixSets": [one] })).into_response()
    };
    Ok(cache::lasting(&headers, None, shown).await)
}

pub async fn one(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let wanted = representation(&headers, query.as_deref(), &OFFERED)?;
    known_matrix_set(&id)?;
    let shown = if wanted == "html" {
        let item = |zoom: u8| context! { title => format!("Zoom {zoom}"), note => format!("1 : {:.0}", halved(SCALE_DENOMINATOR, zoom)) };
        let items: Vec<_> = (0..=MATRIX_MAX).map(item).collect();
        page(&state, "list.html", context! { heading => WEB_MERCATOR_QUAD, items })?
    } else {
        axum::Json(definition()).into_response()
    };
    Ok(cache::lasting(&headers, None, shown).await)
}

fn definition() -> Value {
    let matrix = |zoom: u8| {
        json!({
            "id": zoom.to_string(),
            "scaleDenominator": halved(SCALE_DENOMINATOR, zoom),
            "cellSize": halved(CELL_SIZE_M, zoom),
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": [-HALF_WORLD_M, HALF_WORLD_M],
            "tileWidth": TILE_PIXELS,
            "tileHeight": TILE_PIXELS,
            "matrixWidth": 1u32 << zoom,
            "matrixHeight": 1u32 << zoom,
        })
    };
    json!({
        "id": WEB_MERCATOR_QUAD,
        "title": "Google Maps Compatible for the World",
        "uri": WEB_MERCATOR_QUAD_URI,
        "crs": WEB_MERCATOR.uri(),
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": (0..=MATRIX_MAX).map(matrix).collect::<Vec<_>>(),
    })
}

fn halved(of_zoom_0: f64, zoom: u8) -> f64 {
    of_zoom_0 / f64::from(1u32 << zoom)
}
