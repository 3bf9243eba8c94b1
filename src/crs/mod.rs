//! Reference systems: their names, their axes, and the way from one to another.
//!
//! Every way goes by lon, lat of RGF93, which this house takes for WGS 84 (EPSG:1671, a null operation). Data in NTF
//! thus goes through the national grid and never through the three-parameter operation, which is metres off.

pub mod batch;
pub mod france;
mod kernel;
pub mod parse;
pub mod registry;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use proj::Proj;

use crate::crs::kernel::Kernel;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;
use crate::model::wkb;
use crate::model::wkb::WkbError;

#[derive(Debug, thiserror::Error)]
pub enum CrsError {
    #[error("no transformation from {from} to {to}")]
    NoTransform { from: Crs, to: Crs },
    #[error("position {east}, {north} cannot be transformed from {from} to {to}")]
    Position { east: f64, north: f64, from: Crs, to: Crs },
    #[error("geometry cannot be read")]
    Wkb(#[from] WkbError),
    #[error("PROJ gives {found:?} where {expected:?} is known: is the package proj-data installed?")]
    SelfTest { expected: (f64, f64), found: (f64, f64) },
}

/// A transformation between two CRS, x/east first on both sides. Not `Send`: make one a thread, it is cached.
#[derive(Clone)]
pub struct Transform {
    from: Crs,
    to: Crs,
    /// Towards lon, lat.
    inverse: Step,
    /// From lon, lat.
    forward: Step,
}

/// One leg of the way.
#[derive(Clone)]
enum Step {
    Nothing,
    Inverse(Kernel),
    Forward(Kernel),
    Proj(Rc<Proj>),
}

/// Points of an edge when an envelope is transformed: enough for the bow of a parallel over a department, as GDAL does.
const EDGE_POINTS: usize = 21;

/// Positions moved at once: two arrays that stay in the first-level cache.
const RUN: usize = 512;

/// A kernel that differs from PROJ by more, in degrees, is not used: 1e-9° is a tenth of a millimetre.
const KERNEL_TOLERANCE_DEG: f64 = 1e-9;

impl Transform {
    /// # Errors
    /// `NoTransform`.
    pub fn new(from: Crs, to: Crs) -> Result<Transform, CrsError> {
        if same_place(from, to) {
            return Ok(Transform { from, to, inverse: Step::Nothing, forward: Step::Nothing });
        }
        let missing = || CrsError::NoTransform { from, to };
        let inverse = leg(from, Way::ToLonLat).ok_or_else(missing)?;
        let forward = leg(to, Way::FromLonLat).ok_or_else(missing)?;
        Ok(Transform { from, to, inverse, forward })
    }

    pub fn is_identity(&self) -> bool {
        matches!((&self.inverse, &self.forward), (Step::Nothing, Step::Nothing))
    }

    /// Transforms positions in place. The two slices are equally long.
    ///
    /// # Errors
    /// `Position` for the first that has no image: outside the domain, NaN or infinite.
    pub fn positions(&self, xs: &mut [f64], ys: &mut [f64]) -> Result<(), CrsError> {
        let first = xs.first().copied().zip(ys.first().copied()).unwrap_or_default();
        let fault = |(east, north): (f64, f64)| CrsError::Position { east, north, from: self.from, to: self.to };
        for step in [&self.inverse, &self.forward] {
            match step {
                Step::Nothing => {}
                Step::Inverse(kernel) => kernel.inverse(xs, ys),
                Step::Forward(kernel) => kernel.forward(xs, ys),
                Step::Proj(proj) => {
                    let mut points: Vec<(f64, f64)> = xs.iter().copied().zip(ys.iter().copied()).collect();
                    proj.convert_array(&mut points).map_err(|_| fault(first))?;
                    for (at, (x, y)) in points.into_iter().enumerate() {
                        (xs[at], ys[at]) = (x, y);
                    }
                }
            }
        }
        match xs.iter().zip(ys.iter()).all(|(x, y)| x.is_finite() && y.is_finite()) {
            true => Ok(()),
            false => Err(fault(first)),
        }
    }

    /// Transforms all positions of an ISO WKB geometry in place; Z and M stay. An empty point stays empty.
    ///
    /// # Errors
    /// `Position`, `Wkb`; the geometry is then half transformed.
    pub fn wkb(&self, bytes: &mut [u8]) -> Result<(), CrsError> {
        if self.is_identity() {
            return Ok(());
        }
        let mut runs = Vec::new();
        wkb::walk_runs(bytes, &mut |range, dimensions| runs.push((range, dimensions)))?;
        let (mut xs, mut ys) = ([0.0; RUN], [0.0; RUN]);
        for (range, dimensions) in runs {
            for piece in bytes[range].chunks_mut(RUN * dimensions * 8) {
                let count = piece.len() / (dimensions * 8);
                for (at, position) in piece.chunks_exact(dimensions * 8).enumerate() {
                    xs[at] = wkb::double(position, 0);
                    ys[at] = wkb::double(position, 1);
                }
                if count == 1 && xs[0].is_nan() && ys[0].is_nan() {
                    continue;
                }
                self.positions(&mut xs[..count], &mut ys[..count])?;
                for (at, position) in piece.chunks_exact_mut(dimensions * 8).enumerate() {
                    position[..8].copy_from_slice(&xs[at].to_le_bytes());
                    position[8..16].copy_from_slice(&ys[at].to_le_bytes());
                }
            }
        }
        Ok(())
    }

    /// Smallest envelope of the image of the edges, by 21 points an edge.
    ///
    /// # Errors
    /// `Position`.
    pub fn envelope(&self, envelope: &Envelope) -> Result<Envelope, CrsError> {
        let mut xs = Vec::with_capacity(4 * EDGE_POINTS);
        let mut ys = Vec::with_capacity(4 * EDGE_POINTS);
        for point in 0..EDGE_POINTS {
            let share = point as f64 / (EDGE_POINTS - 1) as f64;
            let x = envelope.west + share * (envelope.east - envelope.west);
            let y = envelope.south + share * (envelope.north - envelope.south);
            xs.extend([x, x, envelope.west, envelope.east]);
            ys.extend([envelope.south, envelope.north, y, y]);
        }
        self.positions(&mut xs, &mut ys)?;
        let mut image = Envelope::NOTHING;
        xs.into_iter().zip(ys).for_each(|(x, y)| image.expand(x, y));
        Ok(image)
    }
}

/// Systems whose lon, lat this house takes for the same: WGS 84, ETRS89, RGF93.
fn is_lon_lat(crs: Crs) -> bool {
    matches!(crs, Crs::Crs84 | Crs::Epsg(4326 | 4258 | 4171))
}

fn same_place(from: Crs, to: Crs) -> bool {
    from == to || (is_lon_lat(from) && is_lon_lat(to)) || (is_lambert_93(from) && is_lambert_93(to))
}

/// RGF93 v2 and v2b differ from v1 by nothing that a published layer shows.
fn is_lambert_93(crs: Crs) -> bool {
    matches!(crs, Crs::Epsg(2154 | 9793 | 9794))
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    ToLonLat,
    FromLonLat,
}

thread_local! {
    /// Making one takes PROJ milliseconds; using one takes nanoseconds.
    static LEGS: RefCell<HashMap<(Crs, Way), Step>> = RefCell::default();
}

fn leg(crs: Crs, way: Way) -> Option<Step> {
    if is_lon_lat(crs) {
        return Some(Step::Nothing);
    }
    if let Some(known) = LEGS.with_borrow(|legs| legs.get(&(crs, way)).cloned()) {
        return Some(known);
    }
    let step = make_leg(crs, way)?;
    LEGS.with_borrow_mut(|legs| legs.insert((crs, way), step.clone()));
    Some(step)
}

fn make_leg(crs: Crs, way: Way) -> Option<Step> {
    // From 4171, not 4326: PROJ takes NTF's grid for RGF93 alone.
    let (here, lon_lat) = (format!("EPSG:{}", crs.epsg()), "EPSG:4171");
    let lon_lat = if is_french(crs) { lon_lat } else { "EPSG:4326" };
    let proj = match way {
        Way::ToLonLat => Proj::new_known_crs(&here, lon_lat, None),
        Way::FromLonLat => Proj::new_known_crs(lon_lat, &here, None),
    };
    let proj = proj.ok()?;
    match Kernel::of(crs).filter(|kernel| agrees(kernel, crs, way, &proj)) {
        Some(kernel) if way == Way::ToLonLat => Some(Step::Inverse(kernel)),
        Some(kernel) => Some(Step::Forward(kernel)),
        None => Some(Step::Proj(Rc::new(proj))),
    }
}

/// Metropolitan systems, whose geographic base is RGF93 or reaches it by the grid.
fn is_french(crs: Crs) -> bool {
    matches!(crs, Crs::Epsg(2154 | 3942..=3950 | 27561..=27564 | 27571..=27574 | 4275 | 4807 | 9793 | 9794))
}

/// Compares a kernel with PROJ on a grid over the area of use.
fn agrees(kernel: &Kernel, crs: Crs, way: Way, proj: &Proj) -> bool {
    let Some(row) = registry::find(crs) else { return false };
    let area = &row.area;
    let shares = [0.1, 0.5, 0.9];
    shares.iter().flat_map(|x| shares.iter().map(move |y| (x, y))).all(|(x, y)| {
        let lon_lat = (area.west + x * (area.east - area.west), area.south + y * (area.north - area.south));
        let (mut xs, mut ys) = ([lon_lat.0], [lon_lat.1]);
        kernel.forward(&mut xs, &mut ys);
        match way {
            Way::FromLonLat => proj.convert(lon_lat).is_ok_and(|(x, y): (f64, f64)| {
                let metres = KERNEL_TOLERANCE_DEG * 111_320.0;
                (x - xs[0]).abs() < metres && (y - ys[0]).abs() < metres
            }),
            Way::ToLonLat => {
                let projected = (xs[0], ys[0]);
                kernel.inverse(&mut xs, &mut ys);
                proj.convert(projected).is_ok_and(|(lon, lat): (f64, f64)| {
                    (lon - xs[0]).abs() < KERNEL_TOLERANCE_DEG && (lat - ys[0]).abs() < KERNEL_TOLERANCE_DEG
                })
            }
        }
    })
}

/// Known positions through this machine's PROJ: Lambert-93, and NTF by its grid (golden values of IGN's circé).
///
/// # Errors
/// `SelfTest` where the grid or the definitions are missing.
pub fn self_test() -> Result<(), CrsError> {
    let ntf = (600_000.0, 2_428_000.0);
    for (from, point, to, expected, tolerance) in [
        (Crs::Epsg(27572), ntf, CRS84, (2.336_524_141, 48.850_349_483), 1e-8),
        (Crs::Epsg(27572), ntf, Crs::Epsg(2154), (651_313.026, 6_861_349.810), 0.002),
        (Crs::Epsg(2154), (700_000.0, 6_600_000.0), CRS84, (3.0, 46.5), 1e-9),
    ] {
        let (mut xs, mut ys) = ([point.0], [point.1]);
        Transform::new(from, to)?.positions(&mut xs, &mut ys)?;
        if (xs[0] - expected.0).abs() > tolerance || (ys[0] - expected.1).abs() > tolerance {
            return Err(CrsError::SelfTest { expected, found: (xs[0], ys[0]) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(from: Crs, to: Crs, point: (f64, f64)) -> (f64, f64) {
        let (mut xs, mut ys) = ([point.0], [point.1]);
        Transform::new(from, to).expect("a known pair").positions(&mut xs, &mut ys).expect("inside");
        (xs[0], ys[0])
    }

    #[test]
    fn this_machines_proj_knows_the_golden_values() {
        self_test().expect("PROJ with its grids");
    }

    #[test]
    fn the_hot_systems_go_by_kernels_and_come_back() {
        for code in [2154, 3942, 3943, 3944, 3945, 3946, 3947, 3948, 3949, 3950, 3857] {
            let crs = Crs::Epsg(code);
            assert!(matches!(leg(crs, Way::ToLonLat), Some(Step::Inverse(_))), "{crs}");
            assert!(matches!(leg(crs, Way::FromLonLat), Some(Step::Forward(_))), "{crs}");
            let there = convert(CRS84, crs, (-1.96, 48.13));
            let back = convert(crs, CRS84, there);
            assert!((back.0 + 1.96).abs() < 1e-10 && (back.1 - 48.13).abs() < 1e-10, "{crs}: {back:?}");
        }
    }

    #[test]
    fn a_position_that_is_not_finite_is_an_error() {
        let transform = Transform::new(Crs::Epsg(2154), CRS84).expect("a known pair");
        for value in [f64::NAN, f64::INFINITY] {
            assert!(matches!(transform.positions(&mut [value], &mut [6_600_000.0]), Err(CrsError::Position { .. })));
        }
    }

    #[test]
    fn heights_and_empty_points_stay() {
        let mut bytes = vec![1, 0xE9, 3, 0, 0];
        for value in [700_000.0f64, 6_600_000.0, 42.5] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        let transform = Transform::new(Crs::Epsg(2154), CRS84).expect("a known pair");
        transform.wkb(&mut bytes).expect("a point");
        assert!((wkb::double(&bytes[5..], 0) - 3.0).abs() < 1e-12);
        assert!((wkb::double(&bytes[5..], 2) - 42.5).abs() < f64::EPSILON);
        let mut empty = wkb::point(f64::NAN, f64::NAN);
        transform.wkb(&mut empty).expect("an empty point");
    }

    #[test]
    fn an_unknown_code_has_no_way() {
        assert!(matches!(Transform::new(Crs::Epsg(999_999), CRS84), Err(CrsError::NoTransform { .. })));
    }
}
