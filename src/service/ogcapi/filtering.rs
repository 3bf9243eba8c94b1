//! `filter`, `filter-lang`, `filter-crs` and `sortby` of a request (OGC API - Features Part 3 §8, Part 8 §7).

use std::sync::Arc;

use crate::catalogue::PublishedLayer;
use crate::http::fault::Fault;
use crate::http::params::Params;
use crate::model::crs::CRS84;
use crate::query::SortKey;
use crate::query::cql2_json;
use crate::query::cql2_text;
use crate::query::filter::Filter;
use crate::query::filter::ID;
use crate::query::filter::resolve;
use crate::service::ogcapi::query::refused;
use crate::service::ogcapi::query::served;

/// Languages of filters, the default first (`/req/filter/filter-lang-param`).
pub const LANGUAGES: [&str; 2] = ["cql2-text", "cql2-json"];

/// Fields of one order: more decide nothing.
pub const SORT_KEYS_MAX: usize = 10;

/// # Errors
/// `InvalidParameter` (`/req/features-filter/response` E).
pub fn read_filter(params: &mut Params, layer: &PublishedLayer) -> Result<Option<Arc<Filter>>, Fault> {
    let language = match params.take("filter-lang") {
        None => LANGUAGES[0],
        Some(text) => *LANGUAGES
            .iter()
            .find(|known| **known == text)
            .ok_or_else(|| Fault::parameter("filter-lang", &text, format!("expected one of {}", LANGUAGES.join(", "))))?,
    };
    let crs = match params.take("filter-crs") {
        None => CRS84,
        Some(text) => served(&text, layer).ok_or_else(|| refused("filter-crs", &text, layer))?,
    };
    let Some(text) = params.take("filter") else { return Ok(None) };
    let read = if language == "cql2-json" { cql2_json::parse(&text) } else { cql2_text::parse(&text) };
    let resolved = read.and_then(|filter| resolve::resolve(filter, layer.layer(), crs));
    resolved.map(|filter| Some(Arc::new(filter))).map_err(|expected| Fault::parameter("filter", &text, expected))
}

/// `+name` or `name` upwards, `-name` downwards, commas between (`/req/sorting/sortby-definition`).
///
/// # Errors
/// `InvalidParameter`.
pub fn read_sort(params: &mut Params, layer: &PublishedLayer) -> Result<Vec<SortKey>, Fault> {
    let Some(text) = params.take("sortby") else { return Ok(Vec::new()) };
    let known = sortables(layer);
    let mut keys = Vec::new();
    for part in text.split(',') {
        // A plus that nobody encoded has become a space.
        let (name, is_descending) = match part.strip_prefix('-') {
            Some(name) => (name, true),
            None => (part.strip_prefix(['+', ' ']).unwrap_or(part), false),
        };
        if !known.contains(&name) {
            return Err(Fault::parameter("sortby", part, format!("expected names among {}", known.join(", "))));
        }
        keys.push(SortKey { name: name.to_owned(), is_descending });
    }
    if keys.len() > SORT_KEYS_MAX {
        return Err(Fault::parameter("sortby", &text, format!("expected at most {SORT_KEYS_MAX} names")));
    }
    Ok(keys)
}

/// Names that an answer may be sorted by: the id, and every field.
pub fn sortables(layer: &PublishedLayer) -> Vec<&str> {
    std::iter::once(ID).chain(layer.layer().fields.iter().map(|field| field.name.as_str())).collect()
}
