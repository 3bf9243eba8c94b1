//! A coordinate reference system by its EPSG code, and the order of its axes.

use serde::Deserialize;
use serde::Serialize;

/// A CRS as the registry (`crate::crs::registry`) knows it. CRS84 is a code of its own: it differs from EPSG:4326 by axis order only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Crs {
    /// `http://www.opengis.net/def/crs/OGC/1.3/CRS84`: WGS 84 as lon, lat.
    Crs84,
    Epsg(u32),
}

pub const CRS84: Crs = Crs::Crs84;
pub const WGS_84: Crs = Crs::Epsg(4326);
pub const WEB_MERCATOR: Crs = Crs::Epsg(3857);
pub const LAMBERT_93: Crs = Crs::Epsg(2154);

/// The order in which the authority writes a position. In memory it is always east, north.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisOrder {
    EastNorth,
    NorthEast,
}

impl Crs {
    /// Axis order by the authority's definition: north, east for EPSG's geographic systems and 3035.
    pub fn axis_order(self) -> AxisOrder {
        match self {
            Crs::Epsg(
                4326 | 4258 | 4171 | 4275 | 4807 | 3035 | 4979 | 4937 | 9776 | 9777 | 9781 | 9782 | 5489 | 4624 | 4627 | 4470 | 4463,
            ) => AxisOrder::NorthEast,
            Crs::Crs84 | Crs::Epsg(_) => AxisOrder::EastNorth,
        }
    }

    /// Whether coordinates are degrees.
    pub fn is_geographic(self) -> bool {
        matches!(self, Crs::Crs84) || (self.axis_order() == AxisOrder::NorthEast && self != Crs::Epsg(3035))
    }

    /// `http://www.opengis.net/def/crs/EPSG/0/2154`, the form of OGC API.
    pub fn uri(self) -> String {
        match self {
            Crs::Crs84 => "http://www.opengis.net/def/crs/OGC/1.3/CRS84".to_owned(),
            Crs::Epsg(code) => format!("http://www.opengis.net/def/crs/EPSG/0/{code}"),
        }
    }

    /// The EPSG code for formats that know nothing else; CRS84 is 4326 there.
    pub fn epsg(self) -> u32 {
        match self {
            Crs::Crs84 => 4326,
            Crs::Epsg(code) => code,
        }
    }
}

/// `EPSG:2154` or `OGC:CRS84`: the short form of configuration, reports and GDAL.
impl std::fmt::Display for Crs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Crs::Crs84 => f.write_str("OGC:CRS84"),
            Crs::Epsg(code) => write!(f, "EPSG:{code}"),
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("« {text} » n'est pas un système de coordonnées : attendu par exemple « EPSG:2154 »")]
pub struct InvalidCrs {
    pub text: String,
}

impl TryFrom<String> for Crs {
    type Error = InvalidCrs;
    fn try_from(text: String) -> Result<Crs, InvalidCrs> {
        if text.eq_ignore_ascii_case("OGC:CRS84") || text.eq_ignore_ascii_case("CRS84") {
            return Ok(Crs::Crs84);
        }
        let digits = match text.split_once(':') {
            Some((authority, digits)) if authority.eq_ignore_ascii_case("EPSG") => digits,
            _ => return Err(InvalidCrs { text }),
        };
        digits.parse().map(Crs::Epsg).map_err(|_| InvalidCrs { text: text.clone() })
    }
}

impl From<Crs> for String {
    fn from(crs: Crs) -> String {
        crs.to_string()
    }
}
