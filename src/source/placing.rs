//! Which columns of a table hold positions: by name here, proven by value by `tabular`.

use crate::model::crs::Crs;
use crate::model::layer::Field;
use crate::model::wkb;
use crate::source::judge::number;

#[derive(Clone, Debug, PartialEq)]
pub enum Placing {
    /// x (or longitude), y (or latitude).
    Columns {
        x: usize,
        y: usize,
        crs: Option<Crs>,
    },
    /// Degrees in one column: `48.1, -1.9`, or `[-1.9, 48.1]` as national schemas write it.
    Pair {
        column: usize,
        latitude_first: bool,
    },
    Wkt(usize),
}

/// Endings of column names that tell the system; without one nothing is told.
const SUFFIXES: [(&str, Option<Crs>); 13] = [
    ("l93", Some(Crs::Epsg(2154))),
    ("lambert93", Some(Crs::Epsg(2154))),
    ("2154", Some(Crs::Epsg(2154))),
    ("cc42", Some(Crs::Epsg(3942))),
    ("cc43", Some(Crs::Epsg(3943))),
    ("cc44", Some(Crs::Epsg(3944))),
    ("cc45", Some(Crs::Epsg(3945))),
    ("cc46", Some(Crs::Epsg(3946))),
    ("cc47", Some(Crs::Epsg(3947))),
    ("cc48", Some(Crs::Epsg(3948))),
    ("cc49", Some(Crs::Epsg(3949))),
    ("cc50", Some(Crs::Epsg(3950))),
    ("", None),
];

/// By name, the likeliest first: WKT, longitude and latitude, a pair in one column, x and y.
pub fn candidates(fields: &[Field]) -> Vec<Placing> {
    let named = |names: &[&str]| names.iter().find_map(|name| fields.iter().position(|field| plain(&field.source_name) == *name));
    let mut found = Vec::new();
    found.extend(named(&["wkt", "geom", "geometry", "thegeom", "geometrie", "shape"]).map(Placing::Wkt));
    let lon = named(&["lon", "long", "longitude", "lng", "xlong", "longitudewgs84", "xwgs84", "coordlon", "geolon"]);
    let lat = named(&["lat", "latitude", "ylat", "latitudewgs84", "ywgs84", "coordlat", "geolat"]);
    found.extend(lon.zip(lat).map(|(x, y)| Placing::Columns { x, y, crs: Some(Crs::Crs84) }));
    let pair = |latitude_first: bool| move |column: usize| Placing::Pair { column, latitude_first };
    found.extend(named(&["geopoint2d", "geopoint", "coordonnees", "latlon", "coordonneesgps"]).map(pair(true)));
    found.extend(named(&["coordonneesxy", "lonlat"]).map(pair(false)));
    for (suffix, crs) in SUFFIXES {
        let axis = |axis: &str| {
            [format!("{axis}{suffix}"), format!("coord{axis}{suffix}"), format!("{axis}coord{suffix}")]
                .iter()
                .find_map(|name| named(&[name.as_str()]))
        };
        found.extend(axis("x").zip(axis("y")).map(|(x, y)| Placing::Columns { x, y, crs }));
    }
    let easting = named(&["easting", "est", "xm", "abscisse"]);
    let northing = named(&["northing", "nord", "ym", "ordonnee"]);
    found.extend(easting.zip(northing).map(|(x, y)| Placing::Columns { x, y, crs: None }));
    found
}

/// Lower case, without accents and signs.
fn plain(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    name.nfkd().filter(|sign| sign.is_ascii_alphanumeric()).map(|sign| sign.to_ascii_lowercase()).collect()
}

impl Placing {
    pub fn columns(&self) -> Vec<usize> {
        match self {
            Placing::Columns { x, y, .. } => vec![*x, *y],
            Placing::Pair { column, .. } | Placing::Wkt(column) => vec![*column],
        }
    }

    pub fn is_filled(&self, record: &csv::StringRecord) -> bool {
        let filled = |column: usize| record.get(column).is_some_and(|text| !text.trim().is_empty());
        match self {
            Placing::Columns { x, y, .. } => filled(*x) || filled(*y),
            Placing::Pair { column, .. } | Placing::Wkt(column) => filled(*column),
        }
    }

    /// ISO WKB; `None` where there is no position, or one beyond the degrees there are.
    pub fn position(&self, record: &csv::StringRecord) -> Option<Vec<u8>> {
        let (x, y, is_geographic) = match self {
            Placing::Columns { x, y, crs } => (number(record.get(*x)?)?, number(record.get(*y)?)?, crs.is_some_and(Crs::is_geographic)),
            Placing::Pair { column, latitude_first } => {
                let text = record.get(*column)?.trim().trim_start_matches('[').trim_end_matches(']');
                let (first, second) = text.split_once([',', ' '])?;
                let (first, second) = (number(first)?, number(second.trim_start_matches(','))?);
                if *latitude_first { (second, first, true) } else { (first, second, true) }
            }
            Placing::Wkt(column) => return wkt_to_wkb(record.get(*column)?),
        };
        let is_there = !is_geographic || ((-180.0..=180.0).contains(&x) && (-90.0..=90.0).contains(&y));
        is_there.then(|| wkb::point(x, y))
    }

    /// Why columns that are named as positions are none, in French.
    pub fn passed_over(&self, fields: &[Field]) -> String {
        let name = |column: usize| &fields[column].source_name;
        match self {
            Placing::Columns { x, y, crs: Some(crs) } if crs.is_geographic() => {
                format!("les colonnes « {} » et « {} » ne contiennent pas des degrés décimaux", name(*x), name(*y))
            }
            Placing::Columns { x, y, .. } => {
                format!("les colonnes « {} » et « {} » ne contiennent pas des coordonnées", name(*x), name(*y))
            }
            Placing::Pair { column, .. } => format!("la colonne « {} » ne contient pas des paires de degrés décimaux", name(*column)),
            Placing::Wkt(column) => format!("la colonne « {} » ne contient pas de géométries WKT", name(*column)),
        }
    }
}

fn wkt_to_wkb(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    // `SRID=2154;POINT(…)`, as PostGIS writes it.
    let text = text.split_once(';').filter(|(head, _)| head.starts_with("SRID=")).map_or(text, |(_, rest)| rest);
    if !text.starts_with(|sign: char| sign.is_ascii_alphabetic()) {
        return None;
    }
    let geometry = gdal::vector::Geometry::from_wkt(text).ok()?;
    // SAFETY: the handle is live and the buffer has the size that OGR asks for.
    unsafe {
        let handle = geometry.c_geometry();
        let size = gdal_sys::OGR_G_WkbSize(handle);
        let mut bytes = vec![0u8; usize::try_from(size).ok()?];
        let written = gdal_sys::OGR_G_ExportToIsoWkb(handle, gdal_sys::OGRwkbByteOrder::wkbNDR, bytes.as_mut_ptr());
        (written == gdal_sys::OGRErr::OGRERR_NONE).then_some(bytes)
    }
}
