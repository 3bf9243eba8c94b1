//! The CRS that this house reads and serves, with EPSG's areas of use.

use crate::crs::Transform;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

/// A row of the registry.
#[derive(Debug)]
pub struct RegisteredCrs {
    pub crs: Crs,
    /// Name for people.
    pub name: &'static str,
    /// Lon, lat where the CRS may be used (EPSG's area of use).
    pub area: Envelope,
    /// Clients may ask for it. Every row may be read.
    pub served: bool,
    /// Offered for data without a CRS. Equivalent systems are offered once.
    pub offered: bool,
}

const fn row(crs: Crs, name: &'static str, area: [f64; 4], served: bool, offered: bool) -> RegisteredCrs {
    RegisteredCrs { crs, name, area: Envelope { west: area[0], south: area[1], east: area[2], north: area[3] }, served, offered }
}

const FRANCE: [f64; 4] = [-9.86, 41.15, 10.38, 51.56];

/// Projected systems first within what is offered: an officer's file is rarely in degrees without saying so.
pub const REGISTRY: &[RegisteredCrs] = &[
    row(CRS84, "WGS 84 (longitude, latitude)", [-180.0, -90.0, 180.0, 90.0], true, false),
    row(Crs::Epsg(2154), "RGF93 v1 / Lambert-93", FRANCE, true, true),
    row(Crs::Epsg(3942), "RGF93 v1 / CC42", [-1.06, 41.31, 9.63, 43.07], true, true),
    row(Crs::Epsg(3943), "RGF93 v1 / CC43", [-1.79, 42.33, 7.65, 44.01], true, true),
    row(Crs::Epsg(3944), "RGF93 v1 / CC44", [-1.79, 42.92, 7.71, 45.0], true, true),
    row(Crs::Epsg(3945), "RGF93 v1 / CC45", [-1.46, 44.0, 7.71, 46.0], true, true),
    row(Crs::Epsg(3946), "RGF93 v1 / CC46", [-2.21, 45.0, 7.16, 47.0], true, true),
    row(Crs::Epsg(3947), "RGF93 v1 / CC47", [-4.77, 46.0, 7.63, 48.0], true, true),
    row(Crs::Epsg(3948), "RGF93 v1 / CC48", [-4.87, 47.0, 8.23, 49.0], true, true),
    row(Crs::Epsg(3949), "RGF93 v1 / CC49", [-4.87, 48.0, 8.23, 50.0], true, true),
    row(Crs::Epsg(3950), "RGF93 v1 / CC50", [-2.03, 49.0, 8.08, 51.14], true, true),
    row(Crs::Epsg(27572), "NTF (Paris) / Lambert II étendu", [-4.87, 42.33, 8.23, 51.14], true, true),
    row(Crs::Epsg(27571), "NTF (Paris) / Lambert zone I", [-4.87, 48.14, 8.23, 51.14], false, true),
    row(Crs::Epsg(27573), "NTF (Paris) / Lambert zone III", [-1.79, 42.33, 7.71, 45.46], false, true),
    row(Crs::Epsg(27574), "NTF (Paris) / Lambert zone IV", [8.5, 41.31, 9.63, 43.07], false, true),
    row(Crs::Epsg(27561), "NTF (Paris) / Lambert Nord France", [-4.87, 48.14, 8.23, 51.14], false, true),
    row(Crs::Epsg(27562), "NTF (Paris) / Lambert Centre France", [-4.8, 45.44, 7.63, 48.15], false, true),
    row(Crs::Epsg(27563), "NTF (Paris) / Lambert Sud France", [-1.79, 42.33, 7.71, 45.46], false, true),
    row(Crs::Epsg(27564), "NTF (Paris) / Lambert Corse", [8.5, 41.31, 9.63, 43.07], false, true),
    row(Crs::Epsg(9793), "RGF93 v2 / Lambert-93", FRANCE, false, false),
    row(Crs::Epsg(9794), "RGF93 v2b / Lambert-93", FRANCE, false, false),
    row(Crs::Epsg(4326), "WGS 84 (latitude, longitude)", [-180.0, -90.0, 180.0, 90.0], true, true),
    row(Crs::Epsg(3857), "WGS 84 / Pseudo-Mercator", [-180.0, -85.06, 180.0, 85.06], true, true),
    row(Crs::Epsg(4258), "ETRS89", [-16.1, 32.88, 40.18, 84.73], true, false),
    row(Crs::Epsg(4171), "RGF93 v1", FRANCE, true, false),
    row(Crs::Epsg(4275), "NTF", [-4.87, 41.31, 9.63, 51.14], false, false),
    row(Crs::Epsg(3035), "ETRS89-extended / LAEA Europe", [-35.58, 24.6, 44.83, 84.73], true, false),
    row(Crs::Epsg(25830), "ETRS89 / UTM zone 30N", [-6.0, 35.26, 0.01, 80.49], true, true),
    row(Crs::Epsg(25831), "ETRS89 / UTM zone 31N", [0.0, 37.0, 6.01, 82.45], true, true),
    row(Crs::Epsg(25832), "ETRS89 / UTM zone 32N", [6.0, 38.76, 12.01, 84.33], true, true),
    row(Crs::Epsg(32630), "WGS 84 / UTM zone 30N", [-6.0, 0.0, 0.0, 84.0], true, false),
    row(Crs::Epsg(32631), "WGS 84 / UTM zone 31N", [0.0, 0.0, 6.0, 84.0], true, false),
    row(Crs::Epsg(32632), "WGS 84 / UTM zone 32N", [6.0, 0.0, 12.0, 84.0], true, false),
    row(Crs::Epsg(2972), "RGFG95 / UTM zone 22N (Guyane)", [-54.0, 2.17, -49.45, 8.88], true, true),
    row(Crs::Epsg(2975), "RGR92 / UTM zone 40S (La Réunion)", [54.0, -24.72, 58.24, -18.28], true, true),
    row(Crs::Epsg(4471), "RGM04 / UTM zone 38S (Mayotte)", [43.68, -14.49, 46.7, -11.33], true, true),
    row(Crs::Epsg(5490), "RGAF09 / UTM zone 20N (Antilles)", [-63.66, 14.08, -60.0, 18.31], true, true),
];

pub fn find(crs: Crs) -> Option<&'static RegisteredCrs> {
    REGISTRY.iter().find(|row| row.crs == crs)
}

/// Slack around the territory, as a share of its larger side: a layer may reach over the border, a wrong CRS misses by
/// more than its whole width.
const SLACK: f64 = 0.1;

/// A layer may be larger than its territory by so much: a wrong scale is off by a hundred.
const SIZE_RATIO_MAX: f64 = 4.0;

/// The CRS in which `native` (x, y of the data) falls on `territory` (lon, lat), in the registry's order.
pub fn candidates(native: &Envelope, territory: &Envelope) -> Vec<Crs> {
    REGISTRY
        .iter()
        .filter(|row| row.offered && row.area.intersects(territory) && falls_on(row.crs, native, territory))
        .map(|row| row.crs)
        .collect()
}

/// Whether data with this envelope, read in `crs`, lies on the territory.
pub fn falls_on(crs: Crs, native: &Envelope, territory: &Envelope) -> bool {
    if crs.is_geographic() && (native.west < -180.0 || native.east > 180.0 || native.south < -90.0 || native.north > 90.0) {
        return false;
    }
    let Ok(place) = Transform::new(crs, CRS84).and_then(|transform| transform.envelope(native)) else { return false };
    let (width, height) = (territory.east - territory.west, territory.north - territory.south);
    let slack = SLACK * width.max(height);
    let (lon, lat) = (f64::midpoint(place.west, place.east), f64::midpoint(place.south, place.north));
    let inside =
        lon >= territory.west - slack && lon <= territory.east + slack && lat >= territory.south - slack && lat <= territory.north + slack;
    inside && place.east - place.west <= width * SIZE_RATIO_MAX && place.north - place.south <= height * SIZE_RATIO_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTFORT: Envelope = Envelope { west: -2.16, south: 48.02, east: -1.80, north: 48.26 };

    #[test]
    fn an_old_lambert_two_file_is_not_taken_for_another() {
        let native = Envelope { west: 267_630.31, south: 2_348_535.53, east: 289_350.29, north: 2_367_797.18 };
        assert_eq!(candidates(&native, &MONTFORT), [Crs::Epsg(27572)]);
    }

    #[test]
    fn a_cc48_file_has_one_candidate() {
        let native = Envelope { west: 1_318_450.84, south: 7_218_220.43, east: 1_340_195.38, north: 7_237_474.60 };
        assert_eq!(candidates(&native, &MONTFORT), [Crs::Epsg(3948)]);
    }

    #[test]
    fn degrees_have_one_candidate_and_nonsense_has_none() {
        assert_eq!(candidates(&MONTFORT, &MONTFORT), [Crs::Epsg(4326)]);
        let nonsense = Envelope { west: 1.0e9, south: 1.0e9, east: 2.0e9, north: 2.0e9 };
        assert!(candidates(&nonsense, &MONTFORT).is_empty());
    }

    #[test]
    fn rows_are_unique_and_areas_are_areas() {
        for (at, row) in REGISTRY.iter().enumerate() {
            assert!(row.area.west < row.area.east && row.area.south < row.area.north, "{}", row.crs);
            assert!(REGISTRY[at + 1..].iter().all(|other| other.crs != row.crs), "{}", row.crs);
        }
    }
}
