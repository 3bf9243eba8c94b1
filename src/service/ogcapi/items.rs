//! `/collections/{id}/items` and `/items/{fid}` (`/req/core/fc-op`, `/req/core/f-op`, `/req/crs/ogc-crs-header`).

use std::io;
use std::sync::Arc;

use axum::extract::Path;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use jiff::Timestamp;
use minijinja::context;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use tokio::sync::OwnedSemaphorePermit;

use crate::catalogue::FoundPage;
use crate::catalogue::PublishedLayer;
use crate::encode::FORMATS;
use crate::encode::geojson;
use crate::encode::geojson::FeatureWriter;
use crate::encode::geojson_lines;
use crate::http::cache::Validator;
use crate::http::fault::Fault;
use crate::http::negotiate::negotiate;
use crate::http::params::Params;
use crate::http::pieces::Pieces;
use crate::http::stream;
use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::feature::Value;
use crate::model::link::Link;
use crate::model::media_type;
use crate::query::After;
use crate::query::Query;
use crate::service::ogcapi::html;
use crate::service::ogcapi::query;
use crate::service::page::page;
use crate::service::state::AppState;
use crate::service::state::shown;

/// Of one feature.
const OFFERED_ONE: [(&str, &str); 2] = [("geojson", media_type::GEOJSON), ("html", media_type::HTML)];

/// GeoJSON first, a page, then every format of the slice.
fn offered() -> Vec<(&'static str, &'static str)> {
    let mut offered = vec![("geojson", media_type::GEOJSON), ("html", media_type::HTML)];
    offered.extend(FORMATS.iter().filter(|format| format.id() != "geojson").map(|format| (format.id(), format.media_type())));
    offered
}

pub async fn list(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Fault> {
    let mut params = Params::parse(raw.as_deref())?;
    let wanted = negotiate(&headers, params.take("f").as_deref(), &offered())?;
    let layer = state.features(&id)?;
    let asked = query::read(params, &layer, &state.catalogue())?;
    let gone = |id: &str| Fault::NotFound { what: "kept version, begin again without `after`:", id: id.to_owned() };
    let layer = match (&asked.version, &asked.query.page.after) {
        (Some(version), _) => layer.at_version(version)?.ok_or_else(|| gone(version.as_str()))?,
        (None, Some(_)) if layer.live().is_none() => return Err(gone("live")),
        (None, _) => layer,
    };
    let validator = validator(&layer, wanted);
    if let Some(unchanged) = validator.as_ref().and_then(|validator| validator.answer(&headers)) {
        return Ok(unchanged);
    }
    let asking = Asking { state: &state, layer: &layer, query: &asked.query, raw: raw.as_deref() };
    // What a table answers has a validator of its own, once it is found.
    let stamped = |found: FoundPage, write: &dyn Fn(FoundPage) -> Result<Response, Fault>| {
        let validator = validator.unwrap_or_else(|| live_validator(found.digest(), wanted));
        match validator.answer(&headers) {
            Some(unchanged) => Ok(unchanged),
            None => write(found).map(|response| validator.stamp(response)),
        }
    };
    let turns = state.turns(&layer);
    match wanted {
        "geojson" => turns.run(|| stamped(layer.page(&asked.query)?, &|found| collection(asking, found))).await,
        "html" => turns.run(|| stamped(layer.page(&asked.query)?, &|found| table(asking, found))).await,
        other => {
            // Found first, so that a fault has its status; then written as it is read.
            let place = state.work.stream()?;
            let found = turns.run(|| Ok(layer.page(&asked.query)?)).await?;
            let place = std::cell::Cell::new(Some(place));
            stamped(found, &|found| streamed(&layer, &asked.query, other, found, place.take()))
        }
    }
}

/// A question, and who asks it.
#[derive(Clone, Copy)]
struct Asking<'a> {
    state: &'a AppState,
    layer: &'a PublishedLayer,
    query: &'a Query,
    raw: Option<&'a str>,
}

/// What is asked is in the address; what answers is the version, and the words said of it. `None` where a table answers.
fn validator(layer: &PublishedLayer, wanted: &str) -> Option<Validator> {
    let made_from = [layer.manifest.version.as_str(), &layer.revised, wanted];
    layer.live().is_none().then(|| Validator::weak(&made_from, Some(&layer.revised)))
}

/// Of what a table answers at this moment.
fn live_validator(digest: Option<String>, wanted: &str) -> Validator {
    Validator::weak(&["live", &digest.unwrap_or_default(), wanted], None)
}

fn collection(asking: Asking<'_>, found: FoundPage) -> Result<Response, Fault> {
    let Asking { layer, query, .. } = asking;
    // The members of the envelope, behind the features.
    let mut envelope = serde_json::json!({
        "links": links(asking, found.next.as_ref()),
        "timeStamp": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    // Where they are too many to count, nothing is said (`/rec/core/fc-numberMatched-2`).
    if let Some(matched) = found.matched {
        envelope["numberMatched"] = matched.into();
    }
    envelope["numberReturned"] = found.returned.into();
    let mut body = Pieces::default();
    body.text(b"{\"type\":\"FeatureCollection\",\"features\":[\n");
    let fragments = if query.crs == CRS84 && query.fields.is_none() { found.fragments()? } else { None };
    match fragments {
        Some(pieces) => pieces.into_iter().for_each(|piece| body.piece(piece)),
        None => formatted(layer, found, query, &mut body)?,
    }
    body.text(b"\n],");
    body.text(&envelope.to_string().as_bytes()[1..]);
    Ok(with_crs(([(header::CONTENT_TYPE, media_type::GEOJSON)], body.finish()).into_response(), query.crs))
}

/// Another CRS, chosen properties, or a table's features: written one by one.
fn formatted(layer: &PublishedLayer, found: FoundPage, query: &Query, body: &mut Pieces) -> Result<(), Fault> {
    let names = layer
        .layer()
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .filter(|name| query.fields.as_ref().is_none_or(|fields| fields.iter().any(|field| field == name)));
    let writer = FeatureWriter::with_fields(names, query.crs);
    let mut text = Vec::new();
    for chunk in found.features(query) {
        let batch = chunk?;
        for row in 0..batch.rows() {
            if !text.is_empty() {
                text.extend_from_slice(geojson_lines::BETWEEN);
            }
            writer.feature(&mut text, &batch, row);
        }
    }
    body.piece(text.into());
    Ok(())
}

fn links(Asking { state, layer, query, raw }: Asking<'_>, next: Option<&After>) -> Vec<Link> {
    let address = format!("{}/collections/{}/items", state.base, layer.id());
    let kept: Vec<(String, String)> = form_urlencoded::parse(raw.unwrap_or_default().as_bytes())
        .filter(|(name, _)| name != "f")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let href = |without: &[&str], with: &[(&str, String)]| {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(kept.iter().filter(|(name, _)| !without.contains(&name.as_str())));
        text.extend_pairs(with);
        format!("{address}?{}", text.finish())
    };
    let mut links = Vec::new();
    for (id, media_type) in offered() {
        let rel = if id == "geojson" { "self" } else { "alternate" };
        links.push(Link::new(href(&[], &[("f", id.to_owned())]), rel, media_type));
    }
    links.push(Link::new(format!("{}/collections/{}", state.base, layer.id()), "collection", media_type::JSON));
    if let Some(after) = next {
        let after = query::write_after(after, &layer.manifest.version);
        links.push(Link::new(href(&["offset", "after"], &[("after", after)]), "next", media_type::GEOJSON).titled("Page suivante"));
    }
    if query.page.offset > 0 && query.page.after.is_none() {
        let before = query.page.offset.saturating_sub(query.page.limit.unwrap_or(0));
        links.push(Link::new(href(&["offset"], &[("offset", before.to_string())]), "prev", media_type::GEOJSON));
    }
    links
}

/// `Content-Crs: <uri>` (`/req/crs/ogc-crs-header`).
fn with_crs(mut response: Response, crs: Crs) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("<{}>", crs.uri())) {
        response.headers_mut().insert(HeaderName::from_static("content-crs"), value);
    }
    response
}

/// `place`: held until the last byte is written.
fn streamed(
    layer: &Arc<PublishedLayer>,
    query: &Query,
    wanted: &str,
    found: FoundPage,
    place: Option<OwnedSemaphorePermit>,
) -> Result<Response, Fault> {
    let nothing = || Fault::parameter("f", wanted, "expected a format of this service");
    let format = *FORMATS.iter().find(|format| format.id() == wanted).ok_or_else(nothing)?;
    let mut shown = layer.layer().clone();
    if let Some(fields) = &query.fields {
        shown.fields.retain(|field| fields.contains(&field.name));
    }
    let (query, crs) = (query.clone(), query.crs);
    let body = stream::body(move |out| {
        let _place = place;
        let mut encoder = format.begin(&shown, crs, out)?;
        for chunk in found.features(&query) {
            encoder.write(&chunk.map_err(io::Error::other)?)?;
        }
        encoder.finish()
    });
    Ok(with_crs(([(header::CONTENT_TYPE, format.media_type())], body).into_response(), crs))
}

fn table(asking: Asking<'_>, found: FoundPage) -> Result<Response, Fault> {
    let Asking { state, layer, query, .. } = asking;
    let names: Vec<String> = layer
        .layer()
        .fields
        .iter()
        .filter(|field| query.fields.as_ref().is_none_or(|fields| fields.contains(&field.name)))
        .map(|field| field.title.clone())
        .collect();
    let (matched, returned) = (found.matched, found.returned);
    let next = links(asking, found.next.as_ref()).into_iter().find(|link| link.rel == "next").map(|link| format!("{}&f=html", link.href));
    let rows = rows(state, layer, query, found)?;
    page(state, "items.html", context! { layer => html::summary(layer), fields => names, returned, rows, matched, next })
}

fn rows(state: &AppState, layer: &PublishedLayer, query: &Query, found: FoundPage) -> Result<Vec<minijinja::Value>, Fault> {
    let mut rows = Vec::new();
    for chunk in found.features(query) {
        let batch = chunk?;
        for row in 0..batch.rows() {
            let id = batch.id(row).map(|id| id.to_string()).unwrap_or_default();
            let values: Vec<String> = (0..batch.columns.len()).map(|column| french(batch.value(row, column))).collect();
            rows.push(context! { href => format!("{}?f=html", item_address(state, layer, &id)), id, values });
        }
    }
    Ok(rows)
}

/// The first rows of a layer, for its page.
///
/// # Errors
/// Those of the question.
pub async fn first_rows(state: &AppState, layer: &Arc<PublishedLayer>, limit: u64) -> Result<Vec<minijinja::Value>, Fault> {
    let mut query = Query::all(CRS84);
    query.page.limit = Some(limit);
    state.turns(layer).run(|| rows(state, layer, &query, layer.page(&query)?)).await
}

fn item_address(state: &AppState, layer: &PublishedLayer, id: &str) -> String {
    format!("{}/collections/{}/items/{}", state.base, layer.id(), utf8_percent_encode(id, NON_ALPHANUMERIC))
}

fn french(value: Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text.to_owned(),
        Value::Date(text) => html::day(text),
        Value::DateTime(text) => text.to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string().replace('.', ","),
        Value::Boolean(value) => if value { "oui" } else { "non" }.to_owned(),
    }
}

pub async fn one(
    State(state): State<AppState>,
    Path((id, fid)): Path<(String, String)>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Fault> {
    let mut params = Params::parse(raw.as_deref())?;
    let wanted = negotiate(&headers, params.take("f").as_deref(), &OFFERED_ONE)?;
    let layer = state.features(&id)?;
    let crs = query::read_crs(&mut params, &layer)?;
    params.finish(&["f", "crs"])?;
    let nothing = || Fault::NotFound { what: "feature", id: shown(&fid) };
    let feature_id = layer.feature_id(&fid).ok_or_else(nothing)?;
    let Some(validator) = validator(&layer, wanted) else {
        let turns = state.turns(&layer);
        return turns
            .run(|| {
                let found = layer.feature(&feature_id, crs)?.ok_or_else(nothing)?;
                let validator = live_validator(layer.digest(&found), wanted);
                let unchanged = validator.answer(&headers);
                unchanged.map_or_else(|| written(&state, &layer, &fid, crs, wanted, &found).map(|answer| validator.stamp(answer)), Ok)
            })
            .await;
    };
    if let Some(unchanged) = validator.answer(&headers) {
        return Ok(unchanged);
    }
    // One look-up by an index, some microseconds: cheaper here than on another thread.
    if wanted == "geojson" && crs == CRS84 {
        let fragment = layer.fragment(&feature_id)?.ok_or_else(nothing)?;
        return Ok(validator.stamp(item(&state, &layer, &fid, crs, &fragment)));
    }
    let found = layer.feature(&feature_id, crs)?.ok_or_else(nothing)?;
    written(&state, &layer, &fid, crs, wanted, &found).map(|response| validator.stamp(response))
}

fn written(state: &AppState, layer: &PublishedLayer, fid: &str, crs: Crs, wanted: &str, found: &FeatureBatch) -> Result<Response, Fault> {
    if wanted == "html" {
        return item_page(state, layer, fid, found);
    }
    let mut text = Vec::new();
    FeatureWriter::new(layer.layer(), crs).feature(&mut text, found, 0);
    Ok(item(state, layer, fid, crs, &text))
}

/// The same without a detour, for the plain case: at most `room` bytes. `None` where anything is out of the ordinary.
pub fn quick(state: &AppState, headers: &HeaderMap, f: Option<&str>, (id, fid): (&str, &str), room: usize) -> Option<Response> {
    if negotiate(headers, f, &OFFERED_ONE).ok()? != "geojson" {
        return None;
    }
    let layer = state.features(id).ok()?;
    let validator = validator(&layer, "geojson")?;
    let fragment = layer.fragment(&layer.feature_id(fid)?).ok()??;
    if fragment.len() > room {
        return None;
    }
    let unchanged = validator.answer(headers);
    Some(unchanged.unwrap_or_else(|| validator.stamp(item(state, &layer, fid, CRS84, &fragment))))
}

/// A feature with its links (`/req/core/f-links`).
fn item(state: &AppState, layer: &PublishedLayer, fid: &str, crs: Crs, feature: &[u8]) -> Response {
    let address = item_address(state, layer, fid);
    let collection = format!("{}/collections/{}", state.base, layer.id());
    let links = [
        (address.as_str(), "?f=geojson", "self", media_type::GEOJSON),
        (address.as_str(), "?f=html", "alternate", media_type::HTML),
        (collection.as_str(), "", "collection", media_type::JSON),
    ];
    let mut body = Vec::with_capacity(feature.len() + 3 * (address.len() + 80));
    body.extend_from_slice(feature.strip_suffix(b"}").unwrap_or(feature));
    body.extend_from_slice(b",\"links\":[");
    for (at, (address, query, rel, media_type)) in links.into_iter().enumerate() {
        body.extend_from_slice(if at == 0 { b"{\"href\":" } else { b",{\"href\":" });
        geojson::string(&mut body, address);
        // The query goes inside the closing quote; it and the names need no escape.
        body.pop();
        for part in [query, "\",\"rel\":\"", rel, "\",\"type\":\"", media_type, "\"}"] {
            body.extend_from_slice(part.as_bytes());
        }
    }
    body.extend_from_slice(b"]}");
    with_crs(([(header::CONTENT_TYPE, media_type::GEOJSON)], body).into_response(), crs)
}

fn item_page(state: &AppState, layer: &PublishedLayer, fid: &str, batch: &FeatureBatch) -> Result<Response, Fault> {
    let pairs: Vec<(String, String)> =
        layer.layer().fields.iter().enumerate().map(|(column, field)| (field.title.clone(), french(batch.value(0, column)))).collect();
    page(state, "item.html", context! { layer => html::summary(layer), id => fid, pairs })
}
