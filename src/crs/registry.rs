//! The CRS that this house reads and serves.

use crate::crs::Transform;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

/// A row of the registry.
#[derive(Debug)]
pub struct RegisteredCrs {
    pub crs: Crs,
    /// French name for people: `RGF93 v1 / Lambert-93`.
    pub name: &'static str,
    /// Lon, lat where the CRS may be used (EPSG's area of use).
    pub area: Envelope,
    /// A source may be in it.
    pub read: bool,
    /// Clients may ask for it.
    pub served: bool,
}

/// In order of likelihood: of two rows that put data on the same place, the first is offered. Overseas systems are read
/// only: asked for a layer of Brittany, they would answer nonsense without an error.
pub const REGISTRY: &[RegisteredCrs] = &[
    both(CRS84, "WGS 84 (longitude, latitude)", WORLD),
    both(Crs::Epsg(4326), "WGS 84", WORLD),
    both(Crs::Epsg(4258), "ETRS89", [-16.1, 32.88, 40.18, 84.73]),
    both(Crs::Epsg(4171), "RGF93 v1", FRANCE),
    both(Crs::Epsg(3857), "WGS 84 / Pseudo-Mercator", [-180.0, -85.06, 180.0, 85.06]),
    both(Crs::Epsg(2154), "RGF93 v1 / Lambert-93", FRANCE),
    both(Crs::Epsg(3942), "RGF93 v1 / CC42", [-1.06, 41.31, 9.63, 43.07]),
    both(Crs::Epsg(3943), "RGF93 v1 / CC43", [-1.79, 42.33, 7.65, 44.01]),
    both(Crs::Epsg(3944), "RGF93 v1 / CC44", [-1.79, 42.92, 7.71, 45.0]),
    both(Crs::Epsg(3945), "RGF93 v1 / CC45", [-1.46, 44.0, 7.71, 46.0]),
    both(Crs::Epsg(3946), "RGF93 v1 / CC46", [-2.21, 45.0, 7.16, 47.0]),
    both(Crs::Epsg(3947), "RGF93 v1 / CC47", [-4.77, 46.0, 7.63, 48.0]),
    both(Crs::Epsg(3948), "RGF93 v1 / CC48", [-4.87, 47.0, 8.23, 49.0]),
    both(Crs::Epsg(3949), "RGF93 v1 / CC49", [-4.87, 48.0, 8.23, 50.0]),
    both(Crs::Epsg(3950), "RGF93 v1 / CC50", [-2.03, 49.0, 8.08, 51.14]),
    // NTF is read, and given back only where it is a layer's own: public bodies publish in RGF93 (décret n° 2006-272), and
    // clients without the grid would misplace it by metres.
    read(27572, "NTF (Paris) / Lambert II étendu", [-4.87, 42.33, 8.23, 51.14]),
    read(9794, "RGF93 v2b / Lambert-93", FRANCE),
    read(9793, "RGF93 v2 / Lambert-93", FRANCE),
    read(27561, "NTF (Paris) / Lambert Nord France", [-4.87, 48.14, 8.23, 51.14]),
    read(27562, "NTF (Paris) / Lambert Centre France", [-4.8, 45.44, 7.63, 48.15]),
    read(27563, "NTF (Paris) / Lambert Sud France", [-1.79, 42.33, 7.71, 45.46]),
    read(27564, "NTF (Paris) / Lambert Corse", [8.5, 41.31, 9.63, 43.07]),
    read(27571, "NTF (Paris) / Lambert zone I", [-4.87, 48.14, 8.23, 51.14]),
    read(27573, "NTF (Paris) / Lambert zone III", [-1.79, 42.33, 7.71, 45.46]),
    read(27574, "NTF (Paris) / Lambert zone IV", [8.5, 41.31, 9.63, 43.07]),
    read(4275, "NTF", [-4.87, 41.31, 9.63, 51.14]),
    read(4807, "NTF (Paris)", [-4.87, 41.31, 9.63, 51.14]),
    read(3035, "ETRS89 / LAEA Europe", [-35.58, 24.6, 44.83, 84.73]),
    read(25830, "ETRS89 / UTM fuseau 30N", [-6.0, 35.26, 0.01, 80.49]),
    read(25831, "ETRS89 / UTM fuseau 31N", [0.0, 37.0, 6.01, 82.45]),
    read(25832, "ETRS89 / UTM fuseau 32N", [6.0, 38.76, 12.01, 84.33]),
    read(5490, "RGAF09 / UTM fuseau 20N (Guadeloupe, Martinique)", [-63.66, 14.08, -60.0, 18.31]),
    read(2972, "RGFG95 / UTM fuseau 22N (Guyane)", [-54.0, 2.17, -49.45, 8.88]),
    read(2975, "RGR92 / UTM fuseau 40S (La Réunion)", [54.0, -24.72, 58.24, -18.28]),
    read(4471, "RGM04 / UTM fuseau 38S (Mayotte)", [43.68, -14.49, 46.7, -11.33]),
    read(32620, "WGS 84 / UTM fuseau 20N", [-66.0, 0.0, -60.0, 84.0]),
    read(32630, "WGS 84 / UTM fuseau 30N", [-6.0, 0.0, 0.0, 84.0]),
    read(32631, "WGS 84 / UTM fuseau 31N", [0.0, 0.0, 6.0, 84.0]),
    read(32632, "WGS 84 / UTM fuseau 32N", [6.0, 0.0, 12.0, 84.0]),
];

const WORLD: [f64; 4] = [-180.0, -90.0, 180.0, 90.0];
const FRANCE: [f64; 4] = [-9.86, 41.15, 10.38, 51.56];

/// Around the territory, in parts of its size: data of a town reach a little beyond it.
const SLACK: f64 = 0.1;
/// Data may be so many times as wide or high as the territory: those of a department, whose centre lies elsewhere, are not meant.
const SIZE_MAX: f64 = 4.0;
/// Images nearer than this are one answer: no territory can tell them apart, and the officer must not have to.
const TWIN_DEG: f64 = 0.005;

const fn row(crs: Crs, name: &'static str, [west, south, east, north]: [f64; 4], served: bool) -> RegisteredCrs {
    RegisteredCrs { crs, name, area: Envelope { west, south, east, north }, read: true, served }
}

const fn both(crs: Crs, name: &'static str, area: [f64; 4]) -> RegisteredCrs {
    row(crs, name, area, true)
}

const fn read(epsg: u32, name: &'static str, area: [f64; 4]) -> RegisteredCrs {
    row(Crs::Epsg(epsg), name, area, false)
}

pub fn find(crs: Crs) -> Option<&'static RegisteredCrs> {
    REGISTRY.iter().find(|row| row.crs == crs)
}

/// The CRS in which `native` (x, y of the data) falls on `territory` (lon, lat), likeliest first: a tenth of slack around the territory.
///
/// Projected ones before lon, lat; of several that put the data on the same place (2154 and 9794, 4326 and 4171) one.
pub fn candidates(native: &Envelope, territory: &Envelope) -> Vec<Crs> {
    let mut found: Vec<(Crs, Envelope)> = Vec::new();
    // CRS84 is no candidate: the line to paste is EPSG:4326, which is the same.
    for row in REGISTRY.iter().filter(|row| row.read && row.crs != CRS84) {
        let Some(image) = Transform::new(row.crs, CRS84).ok().and_then(|way| way.envelope(native).ok()) else { continue };
        let twin = found.iter().any(|(_, other)| is_near(&image, other));
        if !twin && falls_on(&image, territory) && row.area.intersects(&image) {
            found.push((row.crs, image));
        }
    }
    found.sort_by_key(|(crs, _)| crs.is_geographic());
    found.into_iter().map(|(crs, _)| crs).collect()
}

fn falls_on(image: &Envelope, territory: &Envelope) -> bool {
    let (width, height) = (territory.east - territory.west, territory.north - territory.south);
    let (lon, lat) = ((image.west + image.east) / 2.0, (image.south + image.north) / 2.0);
    let inside = lon >= territory.west - SLACK * width
        && lon <= territory.east + SLACK * width
        && lat >= territory.south - SLACK * height
        && lat <= territory.north + SLACK * height;
    inside && image.east - image.west <= SIZE_MAX * width && image.north - image.south <= SIZE_MAX * height
}

fn is_near(one: &Envelope, other: &Envelope) -> bool {
    [one.west - other.west, one.south - other.south, one.east - other.east, one.north - other.north].iter().all(|gap| gap.abs() < TWIN_DEG)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTFORT: Envelope = Envelope { west: -2.16, south: 48.02, east: -1.80, north: 48.26 };

    fn offered(west: f64, south: f64, east: f64, north: f64) -> Vec<Crs> {
        candidates(&Envelope { west, south, east, north }, &MONTFORT)
    }

    #[test]
    fn montforts_communes_are_offered_in_their_own_system_only() {
        assert_eq!(offered(267630.31, 2348535.53, 289350.29, 2367797.18), [Crs::Epsg(27572)]);
        assert_eq!(offered(1318450.84, 7218220.43, 1340195.38, 7237474.60), [Crs::Epsg(3948)]);
        assert_eq!(offered(-2.1, 48.05, -1.85, 48.2), [Crs::Epsg(4326)]);
    }

    #[test]
    fn data_of_elsewhere_or_of_a_plan_have_no_candidate() {
        assert_eq!(offered(0.0, 0.0, 100.0, 100.0), []);
        assert_eq!(offered(700_000.0, 6_600_000.0, 701_000.0, 6_601_000.0), []);
        assert_eq!(offered(f64::NAN, 0.0, 1.0, 1.0), []);
    }

    #[test]
    fn every_row_can_be_transformed_and_is_listed_once() {
        for (place, row) in REGISTRY.iter().enumerate() {
            assert!(Transform::new(row.crs, CRS84).is_ok(), "{}", row.crs);
            assert!(REGISTRY[place + 1..].iter().all(|other| other.crs != row.crs), "{}", row.crs);
        }
        assert!(find(Crs::Epsg(1)).is_none());
    }
}
