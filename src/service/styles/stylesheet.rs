//! `/styles/{id}`: a style in the language that is asked for, or as a page (OGC 20-009 §7.4).

use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::catalogue::style::LayerStyle;
use crate::catalogue::style::PASSED_THROUGH;
use crate::catalogue::style::SldVersion;
use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::negotiate::representation;
use crate::service::state::AppState;
use crate::service::state::shown;
use crate::service::styles::MAPBOX;
use crate::service::styles::SLD_1_0;
use crate::service::styles::SLD_1_1;
use crate::service::styles::drawn;
use crate::service::styles::metadata;
use crate::service::styles::offered;
use crate::service::styles::with_style;

pub async fn one(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let layer = drawn(&state, &id)?;
    let offered = offered(&layer);
    let wanted = representation(&headers, query.as_deref(), &offered)?;
    let shown = if wanted == "html" {
        metadata::page(&state, &layer).await?
    } else {
        let media_type = offered.iter().find(|(id, _)| *id == wanted).map_or("", |(_, media_type)| *media_type);
        let body = with_style(&state, &layer, |style| written(style, wanted, &state.base)).await?;
        ([(header::CONTENT_TYPE, media_type)], body).into_response()
    };
    Ok(cache::lasting(&headers, Some(&layer.revised), shown).await)
}

fn written(style: &LayerStyle, wanted: &str, base: &str) -> Result<Vec<u8>, Fault> {
    match wanted {
        MAPBOX => Ok(style.maplibre(base).to_string().into_bytes()),
        SLD_1_1 => Ok(style.sld(SldVersion::V1_1).0.into_bytes()),
        SLD_1_0 => Ok(style.sld(SldVersion::V1_0).0.into_bytes()),
        _ => style.passed_through()?.ok_or_else(|| Fault::NotFound { what: "style", id: shown(PASSED_THROUGH) }),
    }
}
