//! Vector tiles: TileJSON 3 and XYZ for web maps, OGC API - Tiles Part 1 (OGC 20-057) for the rest.
//!
//! One tile matrix set is served, WebMercatorQuad (OGC 17-083r4). XYZ addresses name column before row, OGC's row before
//! column.

mod address;
mod live;
mod matrix_sets;
mod tile;
mod tile_json;
mod tilesets;

use axum::Router;
use axum::routing::get;

use crate::catalogue::PublishedLayer;
use crate::http::fault::Fault;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::Service;
use crate::service::state::AppState;
pub use crate::service::tiles::live::MadeTiles;
pub use crate::service::tiles::tile::quick;

pub struct Tiles;

const CONFORMANCE: [&str; 9] = [
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
];

/// The id of the tile matrix set.
const WEB_MERCATOR_QUAD: &str = "WebMercatorQuad";
const WEB_MERCATOR_QUAD_URI: &str = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad";

const REL_TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";
const REL_TILING_SCHEME: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme";
const REL_TILING_SCHEMES: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes";

impl Service for Tiles {
    fn id(&self) -> &'static str {
        "tiles"
    }

    fn conformance(&self) -> &'static [&'static str] {
        &CONFORMANCE
    }

    fn links(&self, base: &str) -> Vec<Link> {
        vec![
            Link::new(format!("{base}/tiles?f=json"), REL_TILESETS, media_type::JSON).titled("Tuiles vectorielles de toutes les couches"),
            Link::new(format!("{base}/tileMatrixSets"), REL_TILING_SCHEMES, media_type::JSON).titled("Découpages des tuiles"),
        ]
    }

    fn layer_links(&self, base: &str, layer: &PublishedLayer) -> Vec<Link> {
        if !layer.has_tiles() {
            return Vec::new();
        }
        let id = layer.id();
        vec![
            Link::new(format!("{base}/collections/{id}/tiles?f=json"), REL_TILESETS, media_type::JSON).titled("Tuiles vectorielles"),
            Link::new(format!("{base}/tiles/{id}.json"), "describedby", media_type::JSON).titled("TileJSON"),
        ]
    }

    fn routes(&self) -> Router<AppState> {
        Router::new()
            .route("/tiles", get(tilesets::of_dataset))
            .route("/tiles/{name}", get(tile_json::one))
            .route("/tiles/{name}/{matrix}/{first}/{second}", get(tile::of_layers))
            .route("/collections/{id}/tiles", get(tilesets::of_collection))
            .route("/collections/{id}/tiles/{matrix_set}", get(tilesets::of_collection_in))
            .route("/collections/{id}/tiles/{matrix_set}/{matrix}/{row}/{col}", get(tile::of_collection))
            .route("/tileMatrixSets", get(matrix_sets::list))
            .route("/tileMatrixSets/{id}", get(matrix_sets::one))
    }
}

/// # Errors
/// `Unsupported` for another tile matrix set.
fn known_matrix_set(id: &str) -> Result<(), Fault> {
    if id == WEB_MERCATOR_QUAD { Ok(()) } else { Err(Fault::unsupported("tile matrix set", id, &[WEB_MERCATOR_QUAD])) }
}
