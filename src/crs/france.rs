//! Recognises the CRS of France in a WKT 1 text, in ESRI's spellings and OGC's, by its parameters.
//!
//! Names lie more often than numbers: parameters decide, and a name that speaks of another system makes it unknown.

use crate::model::crs::Crs;

/// What a WKT says, in degrees and metres.
#[derive(Debug, Default, PartialEq)]
struct Parameters {
    name: String,
    datum: String,
    projection: Option<String>,
    false_east: f64,
    false_north: f64,
    /// From Greenwich.
    central_meridian: f64,
    parallels: Vec<f64>,
    lat_origin: f64,
}

/// Longitude of Paris from Greenwich, degrees (2.5969213 gon).
const PARIS: f64 = 2.337_229_17;

/// Two spellings of one angle differ by less.
const ANGLE_TOLERANCE_DEG: f64 = 1e-4;

/// The CRS that a WKT 1 text describes; `None` where it is none of ours or contradicts itself.
pub fn identify(wkt: &str) -> Option<Crs> {
    let said = read(wkt)?;
    let found = match &said.projection {
        None => geographic(&said.datum)?,
        Some(projection) => projected(projection, &said)?,
    };
    (!contradicts(&said.name, found)).then_some(found)
}

fn geographic(datum: &str) -> Option<Crs> {
    let datum = datum.to_ascii_lowercase().replace(['_', ' ', '-'], "");
    if datum.contains("wgs84") || datum.contains("wgs1984") {
        Some(Crs::Epsg(4326))
    } else if datum.contains("rgf") || datum.contains("reseaugeodesiquefrancais1993") || datum.contains("réseaugéodésiquefrançais1993")
    {
        Some(Crs::Epsg(4171))
    } else if datum.contains("etrs89") || datum.contains("etrs1989") || datum.contains("europeanterrestrial") {
        Some(Crs::Epsg(4258))
    } else if datum.contains("ntf") || datum.contains("nouvelletriangulation") {
        Some(Crs::Epsg(4275))
    } else {
        None
    }
}

fn projected(projection: &str, said: &Parameters) -> Option<Crs> {
    let projection = projection.to_ascii_lowercase();
    if projection.contains("mercator_auxiliary_sphere") || projection.contains("popular_visualisation") {
        return Some(Crs::Epsg(3857));
    }
    if !projection.contains("lambert_conformal_conic") {
        return None;
    }
    let base = geographic(&said.datum)?;
    match base {
        Crs::Epsg(4171 | 4258 | 4326) => rgf93(said),
        Crs::Epsg(4275) => ntf(said),
        _ => None,
    }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() < tolerance
}

fn has_parallels(said: &Parameters, first: f64, second: f64) -> bool {
    let has = |wanted: f64| said.parallels.iter().any(|parallel| near(*parallel, wanted, ANGLE_TOLERANCE_DEG));
    has(first) && has(second)
}

fn rgf93(said: &Parameters) -> Option<Crs> {
    if !near(said.central_meridian, 3.0, ANGLE_TOLERANCE_DEG) {
        return None;
    }
    if near(said.false_east, 700_000.0, 0.5) && near(said.false_north, 6_600_000.0, 0.5) && near(said.lat_origin, 46.5, ANGLE_TOLERANCE_DEG)
    {
        return has_parallels(said, 44.0, 49.0).then_some(Crs::Epsg(2154));
    }
    (42..=50u32).find_map(|zone| {
        let lat = f64::from(zone);
        let fits = near(said.false_east, 1_700_000.0, 0.5)
            && near(said.false_north, (lat - 41.0) * 1_000_000.0 + 200_000.0, 0.5)
            && near(said.lat_origin, lat, ANGLE_TOLERANCE_DEG)
            && has_parallels(said, lat - 0.75, lat + 0.75);
        fits.then_some(Crs::Epsg(3900 + zone))
    })
}

/// Latitude of origin, false north, code: zones I to IV with the `étendu` norths, then the plain ones.
const NTF_ZONES: [(f64, f64, f64, u32); 8] = [
    (49.5, 600_000.0, 1_200_000.0, 27571),
    (46.8, 600_000.0, 2_200_000.0, 27572),
    (44.1, 600_000.0, 3_200_000.0, 27573),
    (42.165, 234.358, 4_185_861.369, 27574),
    (49.5, 600_000.0, 200_000.0, 27561),
    (46.8, 600_000.0, 200_000.0, 27562),
    (44.1, 600_000.0, 200_000.0, 27563),
    (42.165, 234.358, 185_861.369, 27564),
];

fn ntf(said: &Parameters) -> Option<Crs> {
    if !near(said.central_meridian, PARIS, ANGLE_TOLERANCE_DEG) {
        return None;
    }
    let fits = |zone: &&(f64, f64, f64, u32)| {
        near(said.lat_origin, zone.0, ANGLE_TOLERANCE_DEG) && near(said.false_east, zone.1, 0.5) && near(said.false_north, zone.2, 0.5)
    };
    NTF_ZONES.iter().find(fits).map(|zone| Crs::Epsg(zone.3))
}

/// Whether a name such as `RGF93_CC47` speaks of another zone than the parameters.
fn contradicts(name: &str, found: Crs) -> bool {
    let name = name.to_ascii_uppercase();
    let zone = (42..=50u32).find(|zone| name.contains(&format!("CC{zone}")));
    match (zone, found) {
        (Some(zone), Crs::Epsg(code)) => code != 3900 + zone,
        _ => false,
    }
}

/// Reads the members that matter. The text may be cut or odd: what is missing stays at its default.
fn read(wkt: &str) -> Option<Parameters> {
    let text = wkt.trim_start();
    let mut said = Parameters::default();
    let (kind, rest) = text.split_once(['[', '('])?;
    if !["PROJCS", "GEOGCS"].contains(&kind.trim().to_ascii_uppercase().as_str()) {
        return None;
    }
    said.name = quoted(rest)?.to_owned();
    said.datum = member(text, "DATUM").and_then(quoted).unwrap_or_default().to_owned();
    said.projection = member(text, "PROJECTION").and_then(quoted).map(str::to_owned);
    let greenwich = member(text, "PRIMEM").and_then(number_after_name).unwrap_or(0.0);
    // Angles are in the geographic system's unit: degrees, or gons with Paris.
    let unit = member(text, "GEOGCS").and_then(|geographic| member(geographic, "UNIT")).and_then(number_after_name);
    let degree = unit.map_or(1.0, |radians| radians.to_degrees());
    let paris = if near(greenwich * degree, PARIS, 1e-3) || near(greenwich, PARIS, 1e-3) { PARIS } else { greenwich };
    let mut rest = text;
    while let Some(inner) = member(rest, "PARAMETER") {
        let (name, value) = (quoted(inner)?.to_ascii_lowercase(), number_after_name(inner)?);
        match name.as_str() {
            "false_easting" => said.false_east = value,
            "false_northing" => said.false_north = value,
            "central_meridian" | "longitude_of_origin" | "longitude_of_center" => said.central_meridian = value * degree + paris,
            "standard_parallel_1" | "standard_parallel_2" => said.parallels.push(value * degree),
            "latitude_of_origin" | "latitude_of_center" => said.lat_origin = value * degree,
            _ => {}
        }
        rest = inner;
    }
    Some(said)
}

/// The text after `KEY[`.
fn member<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let upper = text.to_ascii_uppercase();
    let at = [format!("{key}["), format!("{key}(")].iter().filter_map(|opening| upper.find(opening.as_str())).min()?;
    text.get(at + key.len() + 1..)
}

fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

/// `"name",value…`
fn number_after_name(text: &str) -> Option<f64> {
    let after = text.splitn(3, '"').nth(2)?;
    after.trim_start_matches([',', ' ']).split([',', ']', ')']).next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESRI_CC48: &str = r#"PROJCS["RGF93_CC48",GEOGCS["GCS_RGF_1993",DATUM["D_RGF_1993",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",1700000.0],PARAMETER["False_Northing",7200000.0],PARAMETER["Central_Meridian",3.0],PARAMETER["Standard_Parallel_1",47.25],PARAMETER["Standard_Parallel_2",48.75],PARAMETER["Latitude_Of_Origin",48.0],UNIT["Meter",1.0]]"#;
    const ESRI_L2E: &str = r#"PROJCS["NTF_Lambert_II_etendu",GEOGCS["GCS_NTF",DATUM["D_NTF",SPHEROID["Clarke_1880_IGN",6378249.2,293.46602]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",600000.0],PARAMETER["False_Northing",2200000.0],PARAMETER["Central_Meridian",2.337229166667],PARAMETER["Standard_Parallel_1",45.89891888888889],PARAMETER["Standard_Parallel_2",47.69601444444444],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",46.8],UNIT["Meter",1.0]]"#;

    #[test]
    fn esri_spellings_are_recognised_by_their_parameters() {
        assert_eq!(identify(ESRI_CC48), Some(Crs::Epsg(3948)));
        assert_eq!(identify(ESRI_L2E), Some(Crs::Epsg(27572)));
        let renamed = ESRI_CC48.replace("RGF93_CC48", "Projection_locale");
        assert_eq!(identify(&renamed), Some(Crs::Epsg(3948)));
        assert_eq!(
            identify(r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]]]"#),
            Some(Crs::Epsg(4326))
        );
    }

    #[test]
    fn a_paris_meridian_in_gons_is_the_same_system() {
        let paris = r#"PROJCS["NTF (Paris) / Lambert zone II",GEOGCS["NTF (Paris)",DATUM["Nouvelle_Triangulation_Francaise_Paris",SPHEROID["Clarke 1880 (IGN)",6378249.2,293.466021293627]],PRIMEM["Paris",2.33722917],UNIT["grad",0.0157079632679489]],PROJECTION["Lambert_Conformal_Conic_1SP"],PARAMETER["latitude_of_origin",52],PARAMETER["central_meridian",0],PARAMETER["scale_factor",0.99987742],PARAMETER["false_easting",600000],PARAMETER["false_northing",2200000],UNIT["metre",1]]"#;
        assert_eq!(identify(paris), Some(Crs::Epsg(27572)));
    }

    #[test]
    fn a_name_of_another_zone_makes_it_unknown() {
        assert_eq!(identify(&ESRI_CC48.replace("RGF93_CC48", "RGF93_CC47")), None);
    }

    #[test]
    fn other_parameters_cut_texts_and_nonsense_are_unknown() {
        assert_eq!(identify(&ESRI_CC48.replace("7200000.0", "7200001.0")), None);
        for text in ["", "PROJCS", "PROJCS[", r#"LOCAL_CS["x"]"#, &ESRI_CC48[..200], r#"PROJCS["é"#] {
            assert_eq!(identify(text), None, "{text}");
        }
    }
}
