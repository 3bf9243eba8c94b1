//! Transformations against PROJ's own `cs2cs`, on a grid over each registered CRS's area, both ways.

use std::io::Write;
use std::process::Command;
use std::process::Stdio;

use bocage::crs::Transform;
use bocage::crs::registry::REGISTRY;
use bocage::model::crs::AxisOrder;
use bocage::model::crs::Crs;

use crate::shared::skipped;

/// Positions along each side of the grid.
const SIDE: u32 = 7;
/// One millimetre, and one centimetre where the grid of NTF takes part.
const TOLERANCE_M: f64 = 1e-3;
const TOLERANCE_NTF_M: f64 = 1e-2;
const METRES_PER_DEGREE: f64 = 111_320.0;

fn is_ntf(crs: Crs) -> bool {
    matches!(crs.epsg(), 4275 | 4807 | 27561..=27574)
}

/// `None` where the program is not installed. East, north on both sides.
fn cs2cs(from: Crs, to: Crs, positions: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    // cs2cs speaks degrees where 4807 is in grads.
    let degrees = |crs: Crs| if crs == Crs::Epsg(4807) { 0.9 } else { 1.0 };
    let swap = |crs: Crs, (a, b): (f64, f64)| if crs.axis_order() == AxisOrder::NorthEast { (b, a) } else { (a, b) };
    let mut child = Command::new("cs2cs")
        .env("PROJ_NETWORK", "OFF")
        .args(["-f", "%.12f", &from.to_string(), &to.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut lines = String::new();
    for position in positions {
        let (first, second) = swap(from, (position.0 * degrees(from), position.1 * degrees(from)));
        lines += &format!("{first:.12} {second:.12}\n");
    }
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("cs2cs reads");
    let output = child.wait_with_output().expect("cs2cs ends");
    let text = String::from_utf8(output.stdout).expect("numbers are ASCII");
    let answers = text.lines().map(|line| {
        let numbers: Vec<f64> = line.split_whitespace().take(2).map(|word| word.parse().unwrap_or(f64::NAN)).collect();
        swap(to, (numbers[0] / degrees(to), numbers[1] / degrees(to)))
    });
    Some(answers.collect())
}

fn compare(from: Crs, to: Crs, positions: &[(f64, f64)]) -> Option<Vec<(f64, f64)>> {
    let expected = cs2cs(from, to, positions)?;
    assert_eq!(expected.len(), positions.len(), "{from} {to}");
    let way = Transform::new(from, to).expect("registered");
    let tolerance = if is_ntf(from) || is_ntf(to) { TOLERANCE_NTF_M } else { TOLERANCE_M };
    let unit = if to.is_geographic() { METRES_PER_DEGREE } else { 1.0 };
    for (position, (east, north)) in positions.iter().zip(&expected) {
        let (mut xs, mut ys) = ([position.0], [position.1]);
        way.positions(&mut xs, &mut ys).expect("inside the area of use");
        let off = ((xs[0] - east).abs() * unit).max((ys[0] - north).abs() * unit);
        assert!(off <= tolerance, "{from} to {to} at {position:?}: {off} m off ({}, {}) ({east}, {north})", xs[0], ys[0]);
    }
    Some(expected)
}

#[test]
fn every_registered_crs_agrees_with_cs2cs_both_ways() {
    for row in REGISTRY.iter().filter(|row| row.crs != Crs::Crs84) {
        let hub = Crs::Epsg(if is_ntf(row.crs) { 4171 } else { 4326 });
        // NTF's grid ends near the coast, and a degree of EPSG's box may lie in Spain: a margin keeps to the land.
        let margin = if is_ntf(row.crs) { 0.2 } else { 0.0 };
        let part =
            |low: f64, high: f64, step: u32| low + (high - low) * (margin + (1.0 - 2.0 * margin) * f64::from(step) / f64::from(SIDE - 1));
        let (south, north) = (row.area.south.max(-85.0), row.area.north.min(85.0));
        let grid: Vec<(f64, f64)> = (0..SIDE * SIDE)
            .map(|n| (part(row.area.west.max(-179.0), row.area.east.min(179.0), n % SIDE), part(south, north, n / SIDE)))
            .collect();
        let Some(native) = compare(hub, row.crs, &grid) else {
            skipped("cs2cs is not installed (apt-get install proj-bin)");
            return;
        };
        compare(row.crs, hub, &native);
    }
}

#[test]
fn axis_order_is_what_the_projection_database_says() {
    for row in REGISTRY {
        let Ok(output) = Command::new("projinfo").args([&row.crs.to_string(), "-o", "WKT2:2019", "-q", "--single-line"]).output() else {
            skipped("projinfo is not installed (apt-get install proj-bin)");
            return;
        };
        let wkt = String::from_utf8_lossy(&output.stdout).into_owned();
        let (east, north) = (wkt.rfind(",east,"), wkt.rfind(",north,"));
        let expected = if north < east { AxisOrder::NorthEast } else { AxisOrder::EastNorth };
        assert_eq!(row.crs.axis_order(), expected, "{}", row.crs);
    }
}

/// `cargo test --release --test it crs -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, meant for release builds"]
fn kernels_cost_a_fraction_of_proj() {
    let count = 200_000;
    for (from, to) in [(2154, 4326), (3948, 4326), (4326, 2154), (4326, 3857), (3857, 4326), (27572, 4326), (32630, 4326)] {
        let (to_native, way) = (Transform::new(Crs::Epsg(4326), Crs::Epsg(from)), Transform::new(Crs::Epsg(from), Crs::Epsg(to)));
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) =
            (0..count).map(|n| (-2.1 + f64::from(n % 1000) * 3e-4, 48.0 + f64::from(n / 1000) * 1e-3)).unzip();
        to_native.expect("registered").positions(&mut xs, &mut ys).expect("inside");
        let begun = std::time::Instant::now();
        way.expect("registered").positions(&mut xs, &mut ys).expect("inside");
        println!("EPSG:{from} to EPSG:{to}: {:.1} ns a position", begun.elapsed().as_secs_f64() * 1e9 / f64::from(count));
    }
}
