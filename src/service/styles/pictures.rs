//! `/styles/{id}/legend.svg`, and the sprite sheets of web maps: `/sprites/{id}.json`, `.png`, `@2x.json`, `@2x.png`.

use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;

use crate::http::cache;
use crate::http::fault::Fault;
use crate::http::params::Params;
use crate::model::media_type;
use crate::service::state::AppState;
use crate::service::state::shown;
use crate::service::styles::drawn;
use crate::service::styles::with_style;

pub async fn legend(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    Params::parse(query.as_deref())?.finish(&[])?;
    let layer = drawn(&state, &id)?;
    let svg = with_style(&state, &layer, |style| Ok(style.legend_svg())).await?;
    let shown = ([(header::CONTENT_TYPE, media_type::SVG)], svg).into_response();
    Ok(cache::lasting(&headers, Some(&layer.revised), shown).await)
}

pub async fn sprite(
    State(state): State<AppState>,
    Path(file): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    Params::parse(query.as_deref())?.finish(&[])?;
    let nothing = || Fault::NotFound { what: "sprite", id: shown(&file) };
    let (name, is_index) = match (file.strip_suffix(".json"), file.strip_suffix(".png")) {
        (Some(name), _) => (name, true),
        (_, Some(name)) => (name, false),
        _ => return Err(nothing()),
    };
    let (id, sharpness) = name.strip_suffix("@2x").map_or((name, 1), |id| (id, 2));
    let layer = drawn(&state, id)?;
    let (media_type, bytes) = with_style(&state, &layer, |style| {
        let sheet = style.sprites(sharpness);
        Ok(if is_index { (media_type::JSON, sheet.index.to_string().into_bytes()) } else { (media_type::PNG, sheet.png.clone()) })
    })
    .await?;
    let shown = ([(header::CONTENT_TYPE, media_type)], bytes).into_response();
    Ok(cache::lasting(&headers, Some(&layer.revised), shown).await)
}
