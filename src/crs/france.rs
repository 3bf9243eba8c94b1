//! French CRS by their parameters: what a `.prj` (OGC or ESRI WKT 1) means, whatever it calls itself.
//!
//! Parameters decide. A name or a code that says something else makes the text contradictory, and nothing is recognised.

mod wkt;

use crate::crs::france::wkt::Node;
use crate::crs::kernel::CLARKE_1880_IGN;
use crate::crs::kernel::Ellipsoid;
use crate::crs::kernel::GRS80;
use crate::crs::kernel::Lambert;
use crate::crs::kernel::LambertParameters;
use crate::crs::kernel::lambert_rgf93;
use crate::crs::transform::canonical;
use crate::model::crs::Crs;
use crate::model::crs::WEB_MERCATOR;

/// The meridian of Paris, east of Greenwich (IGN: 2.5969213 grads).
const PARIS_DEG: f64 = 2.337_229_17;
const DEGREES_PER_GRAD: f64 = 0.9;
/// Two definitions are one where they agree so well over France: secant and tangent cones differ by rounding only.
const SAME_M: f64 = 0.5;
/// Parameters are one where they agree so well.
const SAME_PARAMETER: f64 = 1e-6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Datum {
    Rgf93,
    Etrs89,
    Wgs84,
    Ntf,
    Reunion,
    Guyane,
    Mayotte,
    Antilles,
    /// The text does not say: the ellipsoid decides.
    Unnamed,
}

/// The CRS that a WKT 1 describes, where it is one of ours and does not contradict itself.
pub fn identify(wkt: &str) -> Option<Crs> {
    let root = wkt::parse(wkt)?;
    match root.keyword.as_str() {
        "GEOGCS" => geographic(&root),
        "PROJCS" => {
            let found = projected(&root)?;
            (!contradicts(&root, found)).then_some(found)
        }
        "COMPD_CS" => root.children.iter().find_map(|child| match child.keyword.as_str() {
            "PROJCS" => projected(child).filter(|found| !contradicts(child, *found)),
            "GEOGCS" => geographic(child),
            _ => None,
        }),
        _ => None,
    }
}

fn geographic(node: &Node) -> Option<Crs> {
    let (datum, _) = datum(node)?;
    let (paris, grads) = (meridian(node)? != 0.0, (angle_unit(node)? - DEGREES_PER_GRAD).abs() < SAME_PARAMETER);
    let code = match datum {
        Datum::Ntf if paris && grads => return Some(Crs::Epsg(4807)),
        _ if paris || grads => return None,
        Datum::Wgs84 => 4326,
        Datum::Rgf93 => 4171,
        Datum::Etrs89 => 4258,
        Datum::Ntf => 4275,
        Datum::Reunion | Datum::Guyane | Datum::Mayotte | Datum::Antilles | Datum::Unnamed => return None,
    };
    Some(Crs::Epsg(code))
}

/// Datum by its name, and its ellipsoid; `None` where they do not fit or are none of ours.
fn datum(geographic: &Node) -> Option<(Datum, Ellipsoid)> {
    let node = geographic.child("DATUM")?;
    let spheroid = node.child("SPHEROID")?;
    let ellipsoid = Ellipsoid { a: *spheroid.numbers.first()?, rf: *spheroid.numbers.get(1)? };
    // Half a metre and a hundredth: ESRI writes 6378249.145 and 293.465 for the IGN's ellipsoid.
    let is = |other: Ellipsoid| (ellipsoid.a - other.a).abs() < 0.5 && (ellipsoid.rf - other.rf).abs() < 0.01;
    let name = format!("{} {}", node.name, geographic.name).to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let datum = match () {
        () if says(&["ntf", "nouvelle_triangulation", "nouvelle triangulation"]) => Datum::Ntf,
        () if says(&["rgfg", "guyane"]) => Datum::Guyane,
        () if says(&["rgr", "reunion"]) => Datum::Reunion,
        () if says(&["rgm04", "mayotte"]) => Datum::Mayotte,
        () if says(&["rgaf", "antilles"]) => Datum::Antilles,
        () if says(&["rgf", "reseau_geodesique_francais", "reseau geodesique francais"]) => Datum::Rgf93,
        () if says(&["etrs", "european_terrestrial", "european terrestrial"]) => Datum::Etrs89,
        () if says(&["wgs", "world geodetic"]) => Datum::Wgs84,
        () if says(&["unknown", "unnamed", "not_specified", "not specified"]) => Datum::Unnamed,
        () => return None,
    };
    match datum {
        Datum::Ntf => is(CLARKE_1880_IGN).then_some((datum, CLARKE_1880_IGN)),
        Datum::Unnamed if is(CLARKE_1880_IGN) => Some((Datum::Ntf, CLARKE_1880_IGN)),
        _ => is(GRS80).then_some((datum, GRS80)),
    }
}

/// Degrees east of Greenwich of the prime meridian: 0 or that of Paris.
fn meridian(geographic: &Node) -> Option<f64> {
    let Some(node) = geographic.child("PRIMEM") else { return Some(0.0) };
    match *node.numbers.first()? {
        0.0 => Some(0.0),
        // In degrees, or (against the standard) in the grads of its system.
        value if (value - PARIS_DEG).abs() < 1e-5 || (value - PARIS_DEG / DEGREES_PER_GRAD).abs() < 1e-5 => Some(PARIS_DEG),
        _ => None,
    }
}

/// Degrees of one unit of angle.
fn angle_unit(geographic: &Node) -> Option<f64> {
    geographic.child("UNIT")?.numbers.first().map(|radians| radians.to_degrees())
}

fn projected(node: &Node) -> Option<Crs> {
    let base = node.child("GEOGCS")?;
    let (datum, ellipsoid) = datum(base)?;
    if *node.child("UNIT")?.numbers.first()? != 1.0 {
        return None;
    }
    let projection: String =
        node.child("PROJECTION")?.name.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect();
    match projection.as_str() {
        name if name.starts_with("lambertconformalconic") => {
            // Angles stand in the system's own unit; some writers give degrees all the same.
            [angle_unit(base)?, 1.0].into_iter().find_map(|unit| lambert(node, base, datum, ellipsoid, unit))
        }
        "transversemercator" | "gausskruger" => transverse_mercator(node, base, datum),
        "lambertazimuthalequalarea" => {
            let wanted = [(&["latitude_of_center", "latitude_of_origin"], 52.0), (&["longitude_of_center", "central_meridian"], 10.0)];
            let centred = wanted.iter().all(|(names, value)| is(node.parameter(*names), *value));
            let fits =
                centred && is(node.parameter(&["false_easting"]), 4_321_000.0) && is(node.parameter(&["false_northing"]), 3_210_000.0);
            (fits && datum != Datum::Ntf).then_some(Crs::Epsg(3035))
        }
        "mercatorauxiliarysphere" | "popularvisualisationpseudomercator" => web_mercator(node, datum),
        // Ordinary Mercator differs by kilometres: only a word for the sphere makes it Web Mercator.
        "mercator1sp" | "mercator" if node.says("+b=6378137") || node.name.to_lowercase().contains("pseudo") => web_mercator(node, datum),
        _ => None,
    }
}

fn is(parameter: Option<f64>, value: f64) -> bool {
    parameter.is_some_and(|parameter| (parameter - value).abs() < SAME_PARAMETER)
}

fn web_mercator(node: &Node, datum: Datum) -> Option<Crs> {
    let zero = ["false_easting", "false_northing", "central_meridian", "standard_parallel_1", "latitude_of_origin"]
        .iter()
        .all(|name| is(Some(node.parameter(&[name]).unwrap_or(0.0)), 0.0));
    (zero && datum == Datum::Wgs84).then_some(WEB_MERCATOR)
}

fn transverse_mercator(node: &Node, base: &Node, datum: Datum) -> Option<Crs> {
    let utm = is(node.parameter(&["false_easting"]), 500_000.0)
        && is(node.parameter(&["scale_factor"]), 0.9996)
        && is(Some(node.parameter(&["latitude_of_origin"]).unwrap_or(0.0)), 0.0)
        && meridian(base)? == 0.0;
    if !utm {
        return None;
    }
    let zone = (node.parameter(&["central_meridian"])? + 183.0) / 6.0;
    let north = is(node.parameter(&["false_northing"]), 0.0);
    if zone.fract() != 0.0 || !(north || is(node.parameter(&["false_northing"]), 10_000_000.0)) {
        return None;
    }
    let code = match (datum, zone as u32, north) {
        (Datum::Etrs89 | Datum::Rgf93, zone @ 30..=32, true) => 25_800 + zone,
        (Datum::Wgs84, zone @ (20 | 30..=32), true) => 32_600 + zone,
        (Datum::Antilles, 20, true) => 5490,
        (Datum::Guyane, 22, true) => 2972,
        (Datum::Reunion, 40, false) => 2975,
        (Datum::Mayotte, 38, false) => 4471,
        _ => return None,
    };
    Some(Crs::Epsg(code))
}

fn lambert(node: &Node, base: &Node, datum: Datum, ellipsoid: Ellipsoid, unit: f64) -> Option<Crs> {
    let lat0_deg = node.parameter(&["latitude_of_origin"])? * unit;
    let lat1_deg = node.parameter(&["standard_parallel_1"]).map_or(lat0_deg, |lat| lat * unit);
    let written = LambertParameters {
        ellipsoid,
        lon0_deg: meridian(base)? + node.parameter(&["central_meridian", "longitude_of_origin"])? * unit,
        lat0_deg,
        lat1_deg,
        lat2_deg: node.parameter(&["standard_parallel_2"]).map_or(lat1_deg, |lat| lat * unit),
        scale: node.parameter(&["scale_factor"]).unwrap_or(1.0),
        east0: node.parameter(&["false_easting"])?,
        north0: node.parameter(&["false_northing"])?,
    };
    let codes: &[u32] = match datum {
        Datum::Ntf => &[27572, 27571, 27573, 27574, 27561, 27562, 27563, 27564],
        Datum::Rgf93 | Datum::Etrs89 | Datum::Wgs84 | Datum::Unnamed => &[2154, 3942, 3943, 3944, 3945, 3946, 3947, 3948, 3949, 3950],
        Datum::Reunion | Datum::Guyane | Datum::Mayotte | Datum::Antilles => return None,
    };
    let written = Lambert::new(written);
    codes.iter().find(|code| definition(**code).is_some_and(|known| same(&written, &Lambert::new(known)))).map(|code| Crs::Epsg(*code))
}

fn definition(epsg: u32) -> Option<LambertParameters> {
    // Latitude of origin in grads, scale, false northing (IGN, NT/G 73; the zone IV has a false easting of its own).
    let (lat0_grad, scale, zone) = match epsg {
        27561 | 27571 => (55.0, 0.999_877_341, 1.0),
        27562 | 27572 => (52.0, 0.999_877_42, 2.0),
        27563 | 27573 => (49.0, 0.999_877_499, 3.0),
        27564 | 27574 => (46.85, 0.999_944_71, 4.0),
        _ => return lambert_rgf93(epsg),
    };
    let lat0_deg = lat0_grad * DEGREES_PER_GRAD;
    let corsica = zone == 4.0;
    let carried = if epsg >= 27571 { zone * 1_000_000.0 } else { 0.0 };
    Some(LambertParameters {
        ellipsoid: CLARKE_1880_IGN,
        lon0_deg: PARIS_DEG,
        lat0_deg,
        lat1_deg: lat0_deg,
        lat2_deg: lat0_deg,
        scale,
        east0: if corsica { 234.358 } else { 600_000.0 },
        north0: if corsica { 185_861.369 } else { 200_000.0 } + carried,
    })
}

fn same(one: &Lambert, other: &Lambert) -> bool {
    [(-4.0, 48.0), (2.0, 50.5), (6.0, 44.0), (9.0, 42.0)].iter().all(|&(lon, lat)| {
        let (a, b) = (one.forward_exact(lon, lat), other.forward_exact(lon, lat));
        (a.0 - b.0).abs() < SAME_M && (a.1 - b.1).abs() < SAME_M
    })
}

/// Whether the text's own code, or a plain name (CC48, Lambert-93), is that of another CRS.
fn contradicts(node: &Node, found: Crs) -> bool {
    if let Some(authority) = node.child("AUTHORITY")
        && authority.name.eq_ignore_ascii_case("EPSG")
        && authority.code.is_some_and(|code| canonical(code) != found.epsg())
    {
        return true;
    }
    let name: String = node.name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let zone = name.rfind("cc").and_then(|at| name.get(at + 2..at + 4)).and_then(|digits| digits.parse::<u32>().ok());
    let claimed = match zone {
        Some(zone @ 42..=50) => 3900 + zone,
        _ if name.contains("lambert93") || name.contains("lamb93") => 2154,
        _ => return false,
    };
    claimed != found.epsg()
}

#[cfg(test)]
mod tests;
