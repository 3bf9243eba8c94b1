//! Questions asked of a layer.

pub mod bbox;
pub mod datetime;

use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

/// A question. Spatial parts are lon, lat: `query` has already swapped axes and transformed.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// One envelope; two where the box crosses the antimeridian; empty: anywhere. Touching counts.
    pub bbox: Vec<Envelope>,
    pub datetime: Option<datetime::Interval>,
    /// `field=value` of the request: all must hold. Text compared as written, numbers as numbers.
    pub equals: Vec<(String, String)>,
    /// Features that meet this area (a commune), lon, lat.
    pub area: Option<std::sync::Arc<geo_types::MultiPolygon<f64>>>,
    pub page: Page,
    /// Names of the properties to answer; `None`: all.
    pub fields: Option<Vec<String>>,
    pub crs: Crs,
}

/// Where a page begins and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// `None`: to the end.
    pub limit: Option<u64>,
    pub offset: u64,
    /// Only rows after this key (the store's row number): what a `next` link carries.
    pub after: Option<i64>,
}

impl Query {
    /// Every feature, all properties, in `crs`.
    pub fn all(crs: Crs) -> Query {
        Query {
            bbox: Vec::new(),
            datetime: None,
            equals: Vec::new(),
            area: None,
            page: Page { limit: None, offset: 0, after: None },
            fields: None,
            crs,
        }
    }

    /// Whether it asks for a place.
    pub fn is_spatial(&self) -> bool {
        !self.bbox.is_empty() || self.area.is_some()
    }

    /// Whether every feature matches, so that the count is the layer's.
    pub fn is_unfiltered(&self) -> bool {
        self.bbox.is_empty() && self.datetime.is_none() && self.equals.is_empty() && self.area.is_none()
    }
}
