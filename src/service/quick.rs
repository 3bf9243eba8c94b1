//! The answers that are asked most, before the general stack: one feature by its id, one tile.
//!
//! Only the plain case is answered here: GET, JSON by `f` or by `Accept`, no other parameter, few bytes. Everything else (faults, pages, other CRS,
//! compression) is `None` and goes the general way, which gives the same bytes. A boxed layer costs a microsecond a
//! request, the whole stack more than the feature itself.

use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::Request;
use axum::http::header;
use axum::response::Response;

use crate::service::ogcapi::items;
use crate::service::state::AppState;
use crate::service::tiles;

/// Below this, compressing costs more than it spares: the answer is two packets at most.
pub const PLAIN_BYTES_MAX: usize = 2 * 1024;

/// `None`: to be answered by the router.
pub fn answer<B>(state: &AppState, request: &Request<B>) -> Option<Response> {
    if request.method() != Method::GET {
        return None;
    }
    let path = request.uri().path();
    if request.uri().query().is_none()
        && let Some(tile) = tiles::quick(state, request.headers(), path)
    {
        return Some(tile);
    }
    let f = match request.uri().query() {
        None => None,
        Some("f=json" | "f=geojson") => Some("geojson"),
        Some(_) => return None,
    };
    let (layer, feature) = path.strip_prefix("/collections/")?.split_once("/items/")?;
    if layer.contains('/') || feature.contains(['/', '%']) {
        return None;
    }
    let room = if is_compressed(request.headers()) { PLAIN_BYTES_MAX } else { usize::MAX };
    items::quick(state, request.headers(), f, (layer, feature), room)
}

fn is_compressed(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ACCEPT_ENCODING)
}
