//! Tile sets of the dataset and of collections: lists, and one in its matrix set with its limits
//! (`/req/tilesets-list/tileset-links`, `/req/tileset/description`; OGC 17-083r4, TileSet metadata).

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
use crate::model::crs::WEB_MERCATOR;
use crate::model::geometry::Envelope;
use crate::model::layer::GeometryType;
use crate::model::link::Link;
use crate::model::media_type;
use crate::service::page::page;
use crate::service::state::AppState;
use crate::service::tiles::REL_TILING_SCHEME;
use crate::service::tiles::WEB_MERCATOR_QUAD;
use crate::service::tiles::WEB_MERCATOR_QUAD_URI;
use crate::service::tiles::known_matrix_set;
use crate::service::tiles::tile;
use crate::service::tiles::tile_json;
use crate::tile::Limits;
use crate::tile::Tileset;

const OFFERED: [(&str, &str); 2] = [("json", media_type::JSON), ("html", media_type::HTML)];

/// A layer and its tiles.
type Tiled = (Arc<PublishedLayer>, Arc<Tileset>);

/// Of whom tiles are asked: `/tiles`, or `/collections/{id}/tiles`.
struct Subject {
    title: String,
    description: String,
    /// Without `/WebMercatorQuad`.
    address: String,
    layers: Vec<Tiled>,
    modified: Option<String>,
    /// The TileJSON of the same tiles.
    tile_json: Option<String>,
}

impl Subject {
    fn dataset(state: &AppState) -> Result<Subject, Fault> {
        let catalogue = state.catalogue();
        Ok(Subject {
            title: state.site.title.clone(),
            description: state.site.description.clone(),
            address: format!("{}/tiles", state.base),
            layers: opened(catalogue.layers.iter().filter(|layer| layer.has_vector_tiles()))?,
            modified: catalogue.modified().map(str::to_owned),
            tile_json: None,
        })
    }

    fn collection(state: &AppState, id: &str) -> Result<Subject, Fault> {
        let layer = tile::named(state, id)?.swap_remove(0);
        Ok(Subject {
            title: layer.layer().title.clone(),
            description: layer.layer().description.clone(),
            address: format!("{}/collections/{}/tiles", state.base, layer.id()),
            modified: Some(layer.revised.clone()),
            tile_json: Some(format!("{}/tiles/{}.json", state.base, layer.id())),
            layers: opened(std::iter::once(&layer))?,
        })
    }

    /// What the entry of a list and the whole description share.
    fn summary(&self) -> Value {
        json!({
            "title": self.title,
            "dataType": self.data_type(),
            "crs": WEB_MERCATOR.uri(),
            "tileMatrixSetId": WEB_MERCATOR_QUAD,
            "tileMatrixSetURI": WEB_MERCATOR_QUAD_URI,
            "tileMatrixSetLimits": self.limits().iter().map(limits_json).collect::<Vec<_>>(),
        })
    }

    fn data_type(&self) -> &'static str {
        if self.layers.iter().all(|(layer, _)| layer.has_vector_tiles()) { "vector" } else { "map" }
    }

    /// Of each zoom, of all layers together.
    fn limits(&self) -> Vec<Limits> {
        let mut joined: Vec<Limits> = Vec::new();
        for limits in self.layers.iter().flat_map(|(_, tileset)| &tileset.limits) {
            match joined.iter_mut().find(|known| known.zoom == limits.zoom) {
                Some(known) => *known = known.joined(*limits),
                None => joined.push(*limits),
            }
        }
        joined.sort_by_key(|limits| limits.zoom);
        joined
    }

    fn extent(&self) -> Option<Envelope> {
        let mut extent = Envelope::NOTHING;
        for Envelope { west, south, east, north } in self.layers.iter().map(|(_, tileset)| tileset.extent) {
            extent.expand(west, south);
            extent.expand(east, north);
        }
        (!extent.is_nothing()).then_some(extent)
    }

    /// The tiles themselves, the matrix set, and other descriptions.
    fn links(&self, state: &AppState) -> Vec<Link> {
        let media = match self.layers.as_slice() {
            [(_, tileset)] => tile::media_type_of(tileset.kind),
            _ => media_type::MVT,
        };
        let template = format!("{}/{WEB_MERCATOR_QUAD}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", self.address);
        let mut links = vec![
            Link::templated(template, "item", media).titled("Tuiles"),
            Link::new(format!("{}/tileMatrixSets/{WEB_MERCATOR_QUAD}", state.base), REL_TILING_SCHEME, media_type::JSON)
                .titled(WEB_MERCATOR_QUAD),
        ];
        links.extend(self.tile_json.iter().map(|address| Link::new(address.clone(), "describedby", media_type::JSON).titled("TileJSON")));
        links
    }
}

fn opened<'a>(layers: impl Iterator<Item = &'a Arc<PublishedLayer>>) -> Result<Vec<Tiled>, Fault> {
    let mut opened = Vec::new();
    for layer in layers {
        opened.extend(layer.tileset()?.map(|tileset| (Arc::clone(layer), tileset)));
    }
    Ok(opened)
}

fn limits_json(limits: &Limits) -> Value {
    json!({
        "tileMatrix": limits.zoom.to_string(),
        "minTileRow": limits.min_row,
        "maxTileRow": limits.max_row,
        "minTileCol": limits.min_col,
        "maxTileCol": limits.max_col,
    })
}

pub async fn of_dataset(State(state): State<AppState>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    list(&state, &Subject::dataset(&state)?, &headers, query.as_deref()).await
}

pub async fn of_collection(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    list(&state, &Subject::collection(&state, &id)?, &headers, query.as_deref()).await
}

pub async fn of_collection_in(
    State(state): State<AppState>,
    Path((id, matrix_set)): Path<(String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let subject = Subject::collection(&state, &id)?;
    known_matrix_set(&matrix_set)?;
    describe(&state, &subject, &headers, query.as_deref()).await
}

/// `/tiles/WebMercatorQuad`.
pub async fn dataset_in(state: &AppState, headers: &HeaderMap, query: Option<&str>) -> Result<Response, Fault> {
    describe(state, &Subject::dataset(state)?, headers, query).await
}

async fn list(state: &AppState, subject: &Subject, headers: &HeaderMap, query: Option<&str>) -> Result<Response, Fault> {
    let wanted = representation(headers, query, &OFFERED)?;
    let address = format!("{}/{WEB_MERCATOR_QUAD}", subject.address);
    let shown = if wanted == "html" {
        let items = [context! { title => WEB_MERCATOR_QUAD, href => format!("{address}?f=html"), note => "Web Mercator, EPSG:3857" }];
        page(state, "list.html", context! { heading => format!("Tuiles : {}", subject.title), items })?
    } else {
        let mut summary = subject.summary();
        let mut links = vec![Link::new(address, "self", media_type::JSON).titled(subject.title.clone())];
        links.extend(subject.links(state));
        summary["links"] = json!(links);
        // A town without any layer has tile sets of nothing.
        let tilesets: Vec<Value> = Some(summary).filter(|_| !subject.layers.is_empty()).into_iter().collect();
        let links = Link::own(&subject.address, wanted, &OFFERED);
        axum::Json(json!({ "links": links, "tilesets": tilesets })).into_response()
    };
    Ok(cache::lasting(headers, subject.modified.as_deref(), shown).await)
}

async fn describe(state: &AppState, subject: &Subject, headers: &HeaderMap, query: Option<&str>) -> Result<Response, Fault> {
    let wanted = representation(headers, query, &OFFERED)?;
    let shown =
        if wanted == "html" { describe_page(state, subject)? } else { axum::Json(description(state, subject, wanted)).into_response() };
    Ok(cache::lasting(headers, subject.modified.as_deref(), shown).await)
}

fn description(state: &AppState, subject: &Subject, wanted: &str) -> Value {
    let mut description = subject.summary();
    description["description"] = subject.description.as_str().into();
    if let Some(Envelope { west, south, east, north }) = subject.extent() {
        description["boundingBox"] = json!({
            "lowerLeft": [west, south],
            "upperRight": [east, north],
            "crs": crate::model::crs::CRS84.uri(),
        });
    }
    description["layers"] = subject.layers.iter().flat_map(|(layer, tileset)| layers_json(layer, tileset)).collect();
    let mut links = Link::own(&format!("{}/{WEB_MERCATOR_QUAD}", subject.address), wanted, &OFFERED);
    links.extend(subject.links(state));
    description["links"] = json!(links);
    description
}

/// The layers inside the tiles.
fn layers_json(layer: &PublishedLayer, tileset: &Tileset) -> Vec<Value> {
    let said = layer.layer();
    tile_json::layers_in(tileset)
        .into_iter()
        .map(|listed| {
            let id = listed["id"].clone();
            let mut one = json!({
                "id": id,
                "title": said.title,
                "dataType": "vector",
                "minTileMatrix": listed["minzoom"].as_u64().unwrap_or_else(|| tileset.min_zoom().into()).to_string(),
                "maxTileMatrix": listed["maxzoom"].as_u64().unwrap_or_else(|| tileset.max_zoom().into()).to_string(),
            });
            // Labels are points whatever they name; of a stranger's archive nobody says what it draws.
            let dimension =
                if id == format!("{}_label", said.id) { Some(0) } else { said.geometry.and_then(|column| dimension(column.geometry_type)) };
            if let Some(dimension) = dimension {
                one["geometryDimension"] = dimension.into();
            }
            one
        })
        .collect()
}

fn dimension(geometry: GeometryType) -> Option<u8> {
    match geometry {
        GeometryType::Point | GeometryType::MultiPoint => Some(0),
        GeometryType::LineString | GeometryType::MultiLineString => Some(1),
        GeometryType::Polygon | GeometryType::MultiPolygon => Some(2),
        GeometryType::Geometry | GeometryType::GeometryCollection => None,
    }
}

fn describe_page(state: &AppState, subject: &Subject) -> Result<Response, Fault> {
    let mut items = vec![context! {
        title => format!("{}/{WEB_MERCATOR_QUAD}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", subject.address),
        note => "OGC API – Tiles : ligne, puis colonne",
    }];
    if let Some(tile_json) = &subject.tile_json {
        let xyz = format!("{}/{{z}}/{{x}}/{{y}}", tile_json.trim_end_matches(".json"));
        items.push(context! { title => xyz, note => "XYZ, pour QGIS et les cartes web : colonne, puis ligne" });
        items.push(context! { title => tile_json, href => tile_json, note => "TileJSON" });
    }
    for limits in subject.limits() {
        let note = format!("lignes {} à {}, colonnes {} à {}", limits.min_row, limits.max_row, limits.min_col, limits.max_col);
        items.push(context! { title => format!("Zoom {}", limits.zoom), note });
    }
    page(state, "list.html", context! { heading => format!("Tuiles : {}", subject.title), items })
}
