//! From the parameters of a request to a question.

use crate::catalogue::Catalogue;
use crate::catalogue::PublishedLayer;
use crate::crs::parse;
use crate::http::fault::Fault;
use crate::http::params::Params;
use crate::http::params::unknown;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::layer::FieldType;
use crate::model::layer::IdKind;
use crate::model::layer::Layer;
use crate::model::version::Version;
use crate::query::After;
use crate::query::Page;
use crate::query::Query;
use crate::query::bbox;
use crate::query::datetime;
use crate::query::filter::ID;
use crate::service::ogcapi::filtering;

/// Features of a page where nobody says. As GeoServer and ldproxy: enough to look at.
pub const LIMIT_DEFAULT: u64 = 100;
/// Features of a page at most; a larger wish is lowered to it (`/req/core/fc-limit-response-1` C).
pub const LIMIT_MAX: u64 = 10_000;

/// The largest whole number that every JSON reader holds exactly (RFC 8259 §6).
pub const OFFSET_MAX: u64 = (1 << 53) - 1;

/// Parameters of `/items`, beside the layer's own fields.
pub const KNOWN: [&str; 14] = [
    "f",
    "limit",
    "offset",
    "after",
    "bbox",
    "bbox-crs",
    "crs",
    "datetime",
    "properties",
    "sortby",
    "filter",
    "filter-lang",
    "filter-crs",
    "commune",
];

/// A question about a version: a `next` link names the version that its page was cut from, or says that a table answered.
pub struct Asked {
    pub query: Query,
    pub version: Option<Version>,
}

/// Reads every parameter but `f`, which the caller took.
///
/// # Errors
/// `InvalidParameter`.
pub fn read(mut params: Params, layer: &PublishedLayer, catalogue: &Catalogue) -> Result<Asked, Fault> {
    let limit = params.lowered("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    let offset = params.number("offset", 0, OFFSET_MAX)?.unwrap_or(0);
    let (version, after) = params.take("after").map(|text| read_after(&text)).transpose()?.unzip();
    let version = version.flatten();
    let crs = read_crs(&mut params, layer)?;
    let bbox_crs = match params.take("bbox-crs") {
        None => CRS84,
        Some(text) => served(&text, layer).ok_or_else(|| refused("bbox-crs", &text, layer))?,
    };
    let bbox = params
        .take("bbox")
        .map(|text| bbox::parse(&text, bbox_crs).map_err(|expected| Fault::parameter("bbox", &text, expected)))
        .transpose()?;
    let datetime = params
        .take("datetime")
        .map(|text| datetime::parse(&text).map_err(|expected| Fault::parameter("datetime", &text, expected)))
        .transpose()?;
    let area =
        match params.take("commune") {
            None => None,
            Some(code) => Some(catalogue.commune(&code).ok_or_else(|| {
                Fault::parameter("commune", &code, "expected the INSEE code of a commune of the territory, such as 35188")
            })?),
        };
    let filter = filtering::read_filter(&mut params, layer)?;
    let sort = filtering::read_sort(&mut params, layer)?;
    let fields = params.take("properties").map(|text| read_properties(&text, layer)).transpose()?;
    let mut equals = Vec::new();
    for (name, value) in params.rest() {
        let Some(field_type) = type_of(&name, layer.layer()) else {
            let mut known: Vec<&str> = KNOWN.to_vec();
            known.extend(filtering::sortables(layer));
            return Err(unknown(&name, &value, &known));
        };
        if let Some(expected) = misfit(field_type, &value) {
            return Err(Fault::parameter(&name, &value, expected));
        }
        equals.push((name, value));
    }
    // A layer without times is not filtered by time (`/req/core/fc-time-response` A).
    let datetime = datetime.filter(|_| !layer.layer().time_fields.is_empty());
    let page = Page { limit: Some(limit), offset, after };
    let query = Query { bbox: bbox.unwrap_or_default(), datetime, equals, filter, area, sort, page, fields, crs };
    Ok(Asked { query, version })
}

/// Of a field, or of the id (`/req/queryables-query-parameters/parameters`).
fn type_of(name: &str, layer: &Layer) -> Option<FieldType> {
    match name {
        ID if layer.id_kind == IdKind::Integer => Some(FieldType::Integer),
        ID => Some(FieldType::Text),
        name => layer.field(name).map(|field| field.field_type),
    }
}

/// What a field's value would be, where `value` cannot be one.
fn misfit(field_type: FieldType, value: &str) -> Option<&'static str> {
    let (fits, expected) = match field_type {
        FieldType::Text | FieldType::DateTime => (true, ""),
        FieldType::Integer => (value.trim().parse::<i64>().is_ok(), "expected a whole number"),
        FieldType::Real => (value.trim().parse::<f64>().is_ok_and(f64::is_finite), "expected a number"),
        FieldType::Boolean => (["true", "false", "1", "0"].contains(&value), "expected true or false"),
        FieldType::Date => (value.parse::<jiff::civil::Date>().is_ok(), "expected a date such as 2024-12-31"),
    };
    (!fits).then_some(expected)
}

/// `crs` (`/req/crs/fc-crs-valid-value`).
///
/// # Errors
/// `InvalidParameter` for a CRS that the collection does not list.
pub fn read_crs(params: &mut Params, layer: &PublishedLayer) -> Result<Crs, Fault> {
    match params.take("crs") {
        None => Ok(CRS84),
        Some(text) => served(&text, layer).ok_or_else(|| refused("crs", &text, layer)),
    }
}

/// The CRS that a text names, if the layer answers in it.
pub fn served(text: &str, layer: &PublishedLayer) -> Option<Crs> {
    parse::parse(text).filter(|crs| layer.crs_served().contains(crs))
}

pub fn refused(name: &str, text: &str, layer: &PublishedLayer) -> Fault {
    let known: Vec<String> = layer.crs_served().iter().map(|crs| crs.uri()).collect();
    Fault::parameter(name, text, format!("expected one of {}", known.join(", ")))
}

/// What a page of a table that changes begins with: no version.
const LIVE: &str = "live.";

fn read_after(text: &str) -> Result<(Option<Version>, After), Fault> {
    let read = || match text.strip_prefix(LIVE) {
        Some(values) => Some((None, After::Values(serde_json::from_str(values).ok()?))),
        None => {
            let (version, row) = text.split_once('.')?;
            let row = row.parse::<i64>().ok().filter(|row| *row >= 0)?;
            Some((Some(Version::try_from(version.to_owned()).ok()?), After::Row(row)))
        }
    };
    read().ok_or_else(|| Fault::parameter("after", text, "expected the value of a `next` link"))
}

/// The value of `after` in a `next` link.
pub fn write_after(after: &After, version: &Version) -> String {
    match after {
        After::Row(row) => format!("{version}.{row}"),
        After::Values(values) => format!("{LIVE}{}", serde_json::json!(values)),
    }
}

fn read_properties(text: &str, layer: &PublishedLayer) -> Result<Vec<String>, Fault> {
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    match names.iter().find(|name| layer.layer().field(name).is_none()) {
        None => Ok(names),
        Some(name) => {
            let known: Vec<&str> = layer.layer().fields.iter().map(|field| field.name.as_str()).collect();
            Err(Fault::parameter("properties", name, format!("expected names among {}", known.join(", "))))
        }
    }
}
