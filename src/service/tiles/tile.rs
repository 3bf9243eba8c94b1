//! One tile: found, compared with the client's copy, and only then read.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use crate::catalogue::PublishedLayer;
use crate::http::cache;
use crate::http::cache::EncodedAsItLies;
use crate::http::fault::Fault;
use crate::http::negotiate::accepts_gzip;
use crate::http::params::Params;
use crate::model::media_type;
use crate::model::tile_matrix_set::TileAddress;
use crate::service::state::AppState;
use crate::service::tiles::WEB_MERCATOR_QUAD;
use crate::service::tiles::address;
use crate::service::tiles::known_matrix_set;
use crate::service::tiles::live;
use crate::service::tiles::live::Made;
use crate::tile;
use crate::tile::Place;
use crate::tile::TileKind;
use crate::tile::Tileset;

/// A map asks for a hundred tiles at each move: they are not asked again within a minute, which is as long as a withdrawn
/// layer may still be seen from a copy.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// A copy in gzip is not for those who take none.
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding");

const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Layers that one address may join.
const JOINED_MAX: usize = 100;

/// A layer's part of a tile.
enum Part {
    Lying(Arc<Tileset>, Place),
    Made(Arc<Made>),
}

impl Part {
    fn hash(&self) -> u64 {
        match self {
            Part::Lying(tileset, place) => tileset.hash(*place),
            Part::Made(made) => made.hash,
        }
    }

    /// As it lies, and whether that is gzip.
    fn bytes(&self) -> (Bytes, bool) {
        match self {
            Part::Lying(tileset, place) => (tileset.bytes(*place), tileset.is_gzip),
            Part::Made(made) => (made.gzip.clone(), true),
        }
    }

    fn plain(&self) -> Result<Vec<u8>, Fault> {
        let plain = match self {
            Part::Lying(tileset, place) => tileset.plain(*place),
            Part::Made(made) => tile::plain(&made.gzip),
        };
        plain.ok_or_else(|| Fault::Internal(anyhow::anyhow!("a tile is no gzip")))
    }

    fn kind(&self) -> TileKind {
        match self {
            Part::Lying(tileset, _) => tileset.kind,
            Part::Made(_) => TileKind::Mvt,
        }
    }
}

/// The plain case before the general stack: one layer whose archive has the tile, as it lies, or the client's copy is it.
pub fn quick(state: &AppState, headers: &HeaderMap, path: &str) -> Option<Response> {
    let (id, address) = plain_address(path)?;
    let layer = state.layer(id).ok().filter(|layer| layer.live().is_none())?;
    let tileset = layer.tileset().ok()??;
    let place = tileset.find(address)?;
    if tileset.is_gzip && !accepts_gzip(headers) {
        return None;
    }
    let etag = etag(tileset.hash(place), "");
    if is_known(headers, &etag) {
        return Some(not_modified(etag));
    }
    Some(answer(tileset.bytes(place), tileset.is_gzip, tileset.kind, etag))
}

/// `/tiles/{id}/{z}/{x}/{y}` and `/collections/{id}/tiles/WebMercatorQuad/{matrix}/{row}/{col}`.
fn plain_address(path: &str) -> Option<(&str, TileAddress)> {
    if let Some(rest) = path.strip_prefix("/tiles/") {
        let mut words = rest.splitn(4, '/');
        let (id, zoom, col, row) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let is_plain = id != WEB_MERCATOR_QUAD && !id.contains([',', '%']);
        return Some((id, address::parse(zoom, address::bare(row), col)?)).filter(|_| is_plain);
    }
    let (id, rest) = path.strip_prefix("/collections/")?.split_once("/tiles/WebMercatorQuad/")?;
    let mut words = rest.splitn(3, '/');
    let (matrix, row, col) = (words.next()?, words.next()?, words.next()?);
    Some((id, address::parse(matrix, row, col)?)).filter(|_| !id.contains(['/', '%']))
}

/// `/tiles/{ids}/{z}/{x}/{y}`; `/tiles/WebMercatorQuad/{matrix}/{row}/{col}` of the whole dataset, or of `collections`
/// (`/req/core/tc-op`, `/req/dataset-tilesets/tc-op`, `/req/collections-selection/collections-parameter`).
pub async fn of_layers(
    State(state): State<AppState>,
    Path((name, matrix, first, second)): Path<(String, String, String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let mut params = Params::parse(query.as_deref())?;
    wanted_mvt(&mut params)?;
    if name == WEB_MERCATOR_QUAD {
        let chosen = params.take("collections");
        params.finish(&["f", "collections"])?;
        let address = address::parse(&matrix, &first, &second).ok_or_else(|| address::nothing(&matrix, &first, &second))?;
        let layers = match chosen {
            Some(names) => named(&state, &names).map_err(|fault| match fault {
                Fault::NotFound { id, .. } => {
                    Fault::parameter("collections", &id, "expected ids of collections that have vector tiles, by commas")
                }
                fault => fault,
            })?,
            None => state.catalogue().layers.iter().filter(|layer| layer.has_vector_tiles()).cloned().collect(),
        };
        return of(&state, &layers, address, &headers).await;
    }
    params.finish(&["f"])?;
    let row = address::bare(&second);
    let address = address::parse(&matrix, row, &first).ok_or_else(|| address::nothing(&matrix, row, &first))?;
    of(&state, &named(&state, &name)?, address, &headers).await
}

/// `/collections/{id}/tiles/WebMercatorQuad/{matrix}/{row}/{col}` (`/req/geodata-tilesets/tc-op`).
pub async fn of_collection(
    State(state): State<AppState>,
    Path((id, matrix_set, matrix, row, col)): Path<(String, String, String, String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let mut params = Params::parse(query.as_deref())?;
    wanted_mvt(&mut params)?;
    params.finish(&["f"])?;
    known_matrix_set(&matrix_set)?;
    let layers = named(&state, &id)?;
    let address = address::parse(&matrix, &row, &col).ok_or_else(|| address::nothing(&matrix, &row, &col))?;
    of(&state, &layers, address, &headers).await
}

/// A tile has one form, whatever `Accept` prefers; another `f` is refused.
fn wanted_mvt(params: &mut Params) -> Result<(), Fault> {
    match params.take("f") {
        Some(f) if !["mvt", "pbf"].contains(&f.as_str()) => Err(Fault::parameter("f", &f, "expected mvt")),
        _ => Ok(()),
    }
}

/// The layers of an address, in its order, each once.
///
/// # Errors
/// `NotFound`, `Gone`; `InvalidParameter` where they are too many, or pictures are to be joined.
pub fn named(state: &AppState, names: &str) -> Result<Vec<Arc<PublishedLayer>>, Fault> {
    let mut layers: Vec<Arc<PublishedLayer>> = Vec::new();
    for name in names.split(',') {
        let layer = state.layer(name)?;
        if !layer.has_tiles() {
            return Err(Fault::NotFound { what: "tiles of collection", id: layer.id().to_string() });
        }
        if !layers.iter().any(|known| known.id() == layer.id()) {
            layers.push(layer);
        }
    }
    if layers.len() > JOINED_MAX {
        return Err(Fault::parameter("collections", names, format!("expected at most {JOINED_MAX} of them")));
    }
    if let Some(picture) = layers.iter().find(|layer| layers.len() > 1 && !layer.has_vector_tiles()) {
        return Err(Fault::parameter("collections", picture.id().as_str(), "expected vector tiles: pictures cannot be joined"));
    }
    Ok(layers)
}

async fn of(state: &AppState, layers: &[Arc<PublishedLayer>], address: TileAddress, headers: &HeaderMap) -> Result<Response, Fault> {
    let mut parts = Vec::new();
    let mut is_inside = false;
    for layer in layers {
        let Some(tileset) = layer.tileset()? else { continue };
        is_inside |= tileset.holds(address);
        if layer.live().is_some() {
            parts.extend(live::part(state, layer, &tileset, address).await?.map(Part::Made));
        } else {
            parts.extend(tileset.find(address).map(|place| Part::Lying(Arc::clone(&tileset), place)));
        }
    }
    match parts.as_slice() {
        [] if is_inside => Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, CACHE_CONTROL)]).into_response()),
        [] => Err(address::nothing(&address.zoom.to_string(), &address.row.to_string(), &address.col.to_string())),
        [one] => single(one, headers),
        several => joined(state, several, headers).await,
    }
}

fn single(part: &Part, headers: &HeaderMap) -> Result<Response, Fault> {
    let (bytes, is_gzip) = part.bytes();
    let as_it_lies = !is_gzip || accepts_gzip(headers);
    let etag = etag(part.hash(), if as_it_lies { "" } else { "-plain" });
    if is_known(headers, &etag) {
        return Ok(not_modified(etag));
    }
    if as_it_lies {
        return Ok(answer(bytes, is_gzip, part.kind(), etag));
    }
    Ok(answer(part.plain()?.into(), false, part.kind(), etag))
}

/// Layers of an MVT stand one behind the other, so joined tiles are their bytes joined.
async fn joined(state: &AppState, parts: &[Part], headers: &HeaderMap) -> Result<Response, Fault> {
    let hashes: Vec<u8> = parts.iter().flat_map(|part| part.hash().to_le_bytes()).collect();
    let hash = xxh3_64(&hashes);
    let is_gzip = accepts_gzip(headers);
    let etag = etag(hash, if is_gzip { "" } else { "-plain" });
    if is_known(headers, &etag) {
        return Ok(not_modified(etag));
    }
    let made = match state.made_tiles.joined(hash) {
        Some(made) => made,
        None => {
            let made = state.work.run(|| {
                let plain: Vec<Vec<u8>> = parts.iter().map(Part::plain).collect::<Result<_, _>>()?;
                Ok(tile::gzip(&plain.concat()))
            });
            state.made_tiles.keep_joined(hash, made.await?.into())
        }
    };
    if is_gzip {
        return Ok(answer(made, true, TileKind::Mvt, etag));
    }
    let plain = tile::plain(&made).ok_or_else(|| Fault::Internal(anyhow::anyhow!("a joined tile is no gzip")))?;
    Ok(answer(plain.into(), false, TileKind::Mvt, etag))
}

/// Strong: of the tile's bytes, and how they are sent.
fn etag(hash: u64, form: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{hash:016x}{form}\"")).expect("digits are a header's value")
}

fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let asked = headers.get(header::IF_NONE_MATCH).and_then(|asked| asked.to_str().ok());
    asked.zip(etag.to_str().ok()).is_some_and(|(asked, etag)| cache::matches(asked, etag))
}

fn not_modified(etag: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(header::ETAG, etag);
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE_CONTROL);
    response.headers_mut().insert(header::VARY, VARY);
    response
}

fn answer(bytes: Bytes, is_gzip: bool, kind: TileKind, etag: HeaderValue) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.extensions_mut().insert(EncodedAsItLies);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type_of(kind)));
    if is_gzip {
        headers.insert(header::CONTENT_ENCODING, GZIP);
    }
    headers.insert(header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    headers.insert(header::VARY, VARY);
    response
}

pub fn media_type_of(kind: TileKind) -> &'static str {
    match kind {
        TileKind::Mvt => media_type::MVT,
        TileKind::Png => "image/png",
        TileKind::Jpeg => "image/jpeg",
        TileKind::Webp => "image/webp",
        TileKind::Avif => "image/avif",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_known_without_the_router() {
        let tile = TileAddress { zoom: 3, row: 2, col: 1 };
        for path in ["/tiles/a/3/1/2", "/tiles/a/3/1/2.mvt", "/tiles/a/3/1/2.pbf", "/collections/a/tiles/WebMercatorQuad/3/2/1"] {
            assert_eq!(plain_address(path), Some(("a", tile)), "{path}");
        }
        for path in [
            "/tiles/a,b/3/1/2",
            "/tiles/WebMercatorQuad/3/2/1",
            "/tiles/a/3/1/2/4",
            "/tiles/a/3/1",
            "/collections/a/tiles/X/3/2/1",
            "/tiles/a%2C/3/1/2",
        ] {
            assert_eq!(plain_address(path), None, "{path}");
        }
    }
}
