//! Spellings met in the wild, and near misses.

use crate::crs::france::identify;
use crate::model::crs::Crs;

const RGF: &str = r#"GEOGCS["GCS_RGF_1993",DATUM["D_RGF_1993",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;
const NTF: &str = r#"GEOGCS["GCS_NTF_Paris",DATUM["D_NTF",SPHEROID["Clarke_1880_IGN",6378249.2,293.466021293627]],PRIMEM["Paris",2.33722917],UNIT["Grad",0.0157079632679489]]"#;
const NTF_GREENWICH: &str = r#"GEOGCS["GCS_NTF",DATUM["D_NTF",SPHEROID["Clarke_1880_IGN",6378249.2,293.46602]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;

fn conic(name: &str, base: &str, east0: f64, north0: f64, lon0: f64, parallels: &str, lat0: f64) -> String {
    format!(
        r#"PROJCS["{name}",{base},PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",{east0}],PARAMETER["False_Northing",{north0}],PARAMETER["Central_Meridian",{lon0}],{parallels},PARAMETER["Latitude_Of_Origin",{lat0}],UNIT["Meter",1.0]]"#
    )
}

fn parallels(one: f64, two: f64) -> String {
    format!(r#"PARAMETER["Standard_Parallel_1",{one}],PARAMETER["Standard_Parallel_2",{two}]"#)
}

fn scaled(one: f64, scale: f64) -> String {
    format!(r#"PARAMETER["Standard_Parallel_1",{one}],PARAMETER["Scale_Factor",{scale}]"#)
}

fn cc(name: &str, zone: u32) -> String {
    let lat0 = f64::from(zone);
    conic(name, RGF, 1_700_000.0, f64::from(zone - 41) * 1e6 + 2e5, 3.0, &parallels(lat0 - 0.75, lat0 + 0.75), lat0)
}

#[test]
fn lambert_93_is_known_by_its_parameters_under_any_name() {
    for name in ["RGF93_Lambert_93", "RGF_1993_Lambert_93", "LAMB93", "Lambert_Conformal_Conic"] {
        for (one, two) in [(49.0, 44.0), (44.0, 49.0)] {
            assert_eq!(identify(&conic(name, RGF, 7e5, 6.6e6, 3.0, &parallels(one, two), 46.5)), Some(Crs::Epsg(2154)), "{name}");
        }
    }
}

#[test]
fn every_conic_zone_is_known() {
    for zone in 42..=50 {
        assert_eq!(identify(&cc(&format!("RGF93_CC{zone}"), zone)), Some(Crs::Epsg(3900 + zone)));
    }
}

#[test]
fn lambert_ii_etendu_is_known_in_grads_in_degrees_and_with_two_parallels() {
    let spellings = [
        conic("NTF_Lambert_II_etendu", NTF, 6e5, 2.2e6, 0.0, &scaled(52.0, 0.99987742), 52.0),
        conic("Lambert_II_etendu", NTF, 6e5, 2.2e6, 0.0, &scaled(46.8, 0.99987742), 46.8),
        conic("Lambert_Conformal_Conic", NTF_GREENWICH, 6e5, 2.2e6, 2.337229166666667, &scaled(46.8, 0.99987742), 46.8),
        conic("NTF_Lambert_II_etendu", NTF_GREENWICH, 6e5, 2.2e6, 2.337229166666667, &parallels(45.898918964419, 47.696014502038), 46.8),
    ];
    for wkt in spellings {
        assert_eq!(identify(&wkt), Some(Crs::Epsg(27572)), "{wkt}");
    }
    assert_eq!(identify(&conic("x", NTF, 6e5, 2e5, 0.0, &scaled(52.0, 0.99987742), 52.0)), Some(Crs::Epsg(27562)));
}

#[test]
fn web_mercator_utm_and_lon_lat_are_known() {
    let wgs = RGF.replace("GCS_RGF_1993", "GCS_WGS_1984").replace("D_RGF_1993", "D_WGS_1984").replace("298.257222101", "298.257223563");
    let etrs = RGF.replace("GCS_RGF_1993", "ETRS89").replace("D_RGF_1993", "European_Terrestrial_Reference_System_1989");
    for (wkt, code) in [(wgs.as_str(), 4326), (RGF, 4171), (etrs.as_str(), 4258), (NTF, 4807), (NTF_GREENWICH, 4275)] {
        assert_eq!(identify(wkt), Some(Crs::Epsg(code)), "{wkt}");
    }
    let mercator = r#"PARAMETER["False_Easting",0.0],PARAMETER["Central_Meridian",0.0],UNIT["Meter",1.0]"#;
    let web = format!(r#"PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",{wgs},PROJECTION["Mercator_Auxiliary_Sphere"],{mercator}]"#);
    assert_eq!(identify(&web), Some(Crs::Epsg(3857)));
    assert_eq!(identify(&web.replace("_Auxiliary_Sphere", "")), None, "Mercator on the ellipsoid is another");
    let utm = r#"PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",-3],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1]"#;
    assert_eq!(identify(&format!(r#"PROJCS["x",{etrs},{utm}]"#)), Some(Crs::Epsg(25830)));
    assert_eq!(identify(&format!(r#"PROJCS["x",{wgs},{utm}]"#)), Some(Crs::Epsg(32630)));
}

#[test]
fn a_text_that_contradicts_itself_is_not_recognised() {
    assert_eq!(identify(&cc("RGF93_CC48", 47)), None, "the name says CC48, the parameters CC47");
    assert_eq!(identify(&cc("RGF93_Lambert_93", 47)), None);
    let coded = cc("x", 47).replace(r#"UNIT["Meter",1.0]]"#, r#"UNIT["Meter",1.0],AUTHORITY["EPSG","3948"]]"#);
    assert_eq!(identify(&coded), None);
    assert_eq!(identify(&coded.replace("3948", "3947")), Some(Crs::Epsg(3947)));
}

#[test]
fn near_misses_and_broken_texts_are_refused() {
    let lambert = cc("x", 48);
    let cut = &lambert[..lambert.len() - 3];
    for wkt in [
        "",
        "x",
        "PROJCS[",
        cut,
        &lambert.replace("7200000", "7200010"),
        &lambert.replace("GCS_RGF_1993", "GCS_North").replace("D_RGF_1993", "D_North_American_1983"),
        &lambert.replace(r#"["Meter",1.0]"#, r#"["Kilometer",1000.0]"#),
        &lambert.replace("6378137.0,298.257222101", "6378388.0,297.0"),
        &"A[".repeat(10_000),
    ] {
        assert_eq!(identify(wkt), None, "{}", &wkt[..wkt.len().min(60)]);
    }
}
