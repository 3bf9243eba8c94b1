//! Questions asked of a layer.

pub mod bbox;
pub mod cql2_json;
pub mod cql2_text;
pub mod datetime;
pub mod evaluate;
pub mod fes;
pub mod filter;

use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

/// A question. Spatial parts are lon, lat: `query` has already swapped axes and transformed.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// One envelope; two where the box crosses the antimeridian; empty: anywhere. Touching counts.
    pub bbox: Vec<Envelope>,
    pub datetime: Option<datetime::Interval>,
    /// `field=value` of the request, or [`filter::ID`]`=value`: all must hold. Text compared as written, numbers as numbers.
    pub equals: Vec<(String, String)>,
    /// Resolved for the layer that is asked (`filter::resolve`).
    pub filter: Option<std::sync::Arc<filter::Filter>>,
    /// Features that meet this area (a commune), lon, lat.
    pub area: Option<std::sync::Arc<geo_types::MultiPolygon<f64>>>,
    /// The order of the answer; empty: the store's own. Ties are broken by the store's order, so that pages are stable.
    pub sort: Vec<SortKey>,
    pub page: Page,
    /// Names of the properties to answer; `None`: all.
    pub fields: Option<Vec<String>>,
    pub crs: Crs,
}

/// One field to sort by: texts by their code points, times by the instant, absent values last whichever way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// Of a field of the layer, or [`filter::ID`].
    pub name: String,
    pub is_descending: bool,
}

/// Where a page begins and how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// `None`: to the end.
    pub limit: Option<u64>,
    pub offset: u64,
    /// Only rows behind this one, in the order asked: what a `next` link carries.
    pub after: Option<After>,
}

/// The row that the page before ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// The store's row number.
    Row(i64),
    /// Of a table that changes: the row's values in the order asked, as texts, the one that tells features apart last.
    Values(Vec<Option<String>>),
}

impl Page {
    /// The store's row that the page begins behind; 0 for its first.
    pub fn after_row(&self) -> i64 {
        match self.after {
            Some(After::Row(row)) => row,
            _ => 0,
        }
    }
}

impl Query {
    /// Every feature, all properties, in `crs`.
    pub fn all(crs: Crs) -> Query {
        Query {
            bbox: Vec::new(),
            datetime: None,
            equals: Vec::new(),
            filter: None,
            area: None,
            sort: Vec::new(),
            page: Page { limit: None, offset: 0, after: None },
            fields: None,
            crs,
        }
    }

    /// Where the envelopes of all features that match lie: one of these boxes; empty: anywhere.
    pub fn reach(&self) -> Vec<Envelope> {
        let area = || Some(vec![filter::relate::envelope(&geo_types::Geometry::MultiPolygon((**self.area.as_ref()?).clone()))?]);
        match self.bbox.is_empty() {
            true => area().or_else(|| filter::reach::boxes(self.filter.as_deref()?)).unwrap_or_default(),
            false => self.bbox.clone(),
        }
    }

    /// Whether every feature matches, so that the count is the layer's.
    pub fn is_unfiltered(&self) -> bool {
        self.bbox.is_empty() && self.datetime.is_none() && self.equals.is_empty() && self.filter.is_none() && self.area.is_none()
    }
}
