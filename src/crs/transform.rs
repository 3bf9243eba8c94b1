//! The way from one CRS to another: closed forms where there are any, PROJ elsewhere.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::Once;
use std::sync::PoisonError;

use proj::Proj;

use crate::crs::CrsError;
use crate::crs::kernel::Kernel;
use crate::model::crs::Crs;
use crate::model::crs::LAMBERT_93;
use crate::model::geometry::Envelope;
use crate::model::wkb;

/// Positions a batch: two buffers of 16 KB stay in the first cache.
const BATCH_POSITIONS: usize = 2048;
/// Positions an edge of an envelope: what GDAL takes, enough for the bulge of a parallel.
const EDGE_POSITIONS: usize = 21;
/// Kernel against PROJ: a hundredth of a millimetre, in degrees on the ground.
const KERNEL_TOLERANCE_DEG: f64 = 1e-10;
const KERNEL_TOLERANCE_M: f64 = 1e-5;

/// Between one CRS and RGF93 lon, lat.
enum Leg {
    /// The CRS is RGF93, ETRS89 or WGS 84 lon, lat: nothing to do.
    Geographic,
    Kernel(Kernel),
    Proj {
        to_lon_lat: Proj,
        from_lon_lat: Proj,
    },
}

/// A transformation between two CRS, x/east first on both sides. Not `Send`: make one a thread, it is cached.
pub struct Transform {
    from: Crs,
    to: Crs,
    source: Rc<Leg>,
    target: Rc<Leg>,
}

thread_local! {
    static LEGS: RefCell<HashMap<u32, Rc<Leg>>> = RefCell::new(HashMap::new());
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

#[derive(Default)]
struct Buffers {
    runs: Vec<(Range<usize>, usize)>,
    xs: Vec<f64>,
    ys: Vec<f64>,
}

/// Codes that differ by no more than a realisation (RGF93 v1, v2, v2b) or by a withdrawn name (27582 and 27572).
pub fn canonical(epsg: u32) -> u32 {
    match epsg {
        9793 | 9794 => 2154,
        9822..=9830 => epsg - 9822 + 3942,
        9842..=9850 => epsg - 9842 + 3942,
        27581..=27584 => epsg - 10,
        4258 | 4171 => 4326,
        _ => epsg,
    }
}

/// Metropolitan systems on the datum NTF.
pub fn is_ntf(epsg: u32) -> bool {
    matches!(epsg, 4275 | 4807 | 27561..=27564 | 27571..=27574 | 27581..=27584)
}

impl Transform {
    /// # Errors
    /// `NoTransform`.
    pub fn new(from: Crs, to: Crs) -> Result<Transform, CrsError> {
        let leg = |crs: Crs| Leg::cached(canonical(crs.epsg())).ok_or(CrsError::NoTransform { from, to });
        Ok(Transform { from, to, source: leg(from)?, target: leg(to)? })
    }

    /// Whether positions stay as they are: the same CRS, or RGF93, ETRS89 and WGS 84 lon, lat among each other.
    pub fn is_identity(&self) -> bool {
        canonical(self.from.epsg()) == canonical(self.to.epsg())
    }

    /// One position, x first on both sides.
    ///
    /// # Errors
    /// As [`Transform::positions`].
    pub fn position(&self, x: f64, y: f64) -> Result<(f64, f64), CrsError> {
        let (mut xs, mut ys) = ([x], [y]);
        self.positions(&mut xs, &mut ys)?;
        Ok((xs[0], ys[0]))
    }

    /// Transforms positions in place. After an error they are of no use.
    ///
    /// # Errors
    /// `Position` for the first that has no image, or is not finite.
    pub fn positions(&self, xs: &mut [f64], ys: &mut [f64]) -> Result<(), CrsError> {
        for (xs, ys) in xs.chunks_mut(BATCH_POSITIONS).zip(ys.chunks_mut(BATCH_POSITIONS)) {
            self.check(xs, ys)?;
            if self.is_identity() {
                continue;
            }
            match &*self.source {
                Leg::Geographic => {}
                Leg::Kernel(kernel) => kernel.inverse(xs, ys),
                Leg::Proj { to_lon_lat, .. } => convert(to_lon_lat, xs, ys),
            }
            self.check(xs, ys)?;
            match &*self.target {
                Leg::Geographic => continue,
                Leg::Kernel(kernel) => kernel.forward(xs, ys),
                Leg::Proj { from_lon_lat, .. } => convert(from_lon_lat, xs, ys),
            }
            self.check(xs, ys)?;
        }
        Ok(())
    }

    fn check(&self, xs: &[f64], ys: &[f64]) -> Result<(), CrsError> {
        // Without an early end the loop is vectorised.
        if xs.iter().chain(ys).fold(true, |finite, value| finite & value.is_finite()) {
            return Ok(());
        }
        let (&east, &north) = xs.iter().zip(ys).find(|(x, y)| !(x.is_finite() && y.is_finite())).unwrap_or((&f64::NAN, &f64::NAN));
        Err(CrsError::Position { east, north, from: self.from, to: self.to })
    }

    /// Transforms all positions of an ISO WKB geometry in place; Z and M stay, an empty point (NaN NaN) too. After an
    /// error the geometry is of no use.
    ///
    /// # Errors
    /// `Position`, `Wkb`.
    pub fn wkb(&self, wkb: &mut [u8]) -> Result<(), CrsError> {
        BUFFERS.with_borrow_mut(|buffers| {
            let Buffers { runs, xs, ys } = buffers;
            runs.clear();
            wkb::walk_runs(wkb, &mut |range, dimensions| runs.push((range, dimensions)))?;
            for (range, dimensions) in runs.iter() {
                let stride = dimensions * 8;
                for run in wkb[range.clone()].chunks_mut(stride * BATCH_POSITIONS) {
                    if run.len() == stride && wkb::double(run, 0).is_nan() && wkb::double(run, 1).is_nan() {
                        continue;
                    }
                    xs.clear();
                    ys.clear();
                    xs.extend(run.chunks_exact(stride).map(|position| wkb::double(position, 0)));
                    ys.extend(run.chunks_exact(stride).map(|position| wkb::double(position, 1)));
                    self.positions(xs, ys)?;
                    for ((position, x), y) in run.chunks_exact_mut(stride).zip(xs.iter()).zip(ys.iter()) {
                        position[..8].copy_from_slice(&x.to_le_bytes());
                        position[8..16].copy_from_slice(&y.to_le_bytes());
                    }
                }
            }
            Ok(())
        })
    }

    /// Smallest envelope of the image, by 21 points an edge. Where an edge runs round the pole of a cone, the whole
    /// range of longitudes up to the pole.
    ///
    /// # Errors
    /// `Position`.
    pub fn envelope(&self, envelope: &Envelope) -> Result<Envelope, CrsError> {
        let last = EDGE_POSITIONS - 1;
        let part = |low: f64, high: f64, step: usize| if step == last { high } else { low + (high - low) * step as f64 / last as f64 };
        let (mut xs, mut ys) = (Vec::with_capacity(4 * EDGE_POSITIONS), Vec::with_capacity(4 * EDGE_POSITIONS));
        for (edge, step) in (0..4).flat_map(|edge| (0..EDGE_POSITIONS).map(move |step| (edge, step))) {
            let Envelope { west, south, east, north } = *envelope;
            let (x, y) = match edge {
                0 => (part(west, east, step), south),
                1 => (east, part(south, north, step)),
                2 => (part(east, west, step), north),
                _ => (west, part(north, south, step)),
            };
            xs.push(x);
            ys.push(y);
        }
        self.positions(&mut xs, &mut ys)?;
        let mut image = Envelope::NOTHING;
        xs.iter().zip(&ys).for_each(|(x, y)| image.expand(*x, *y));
        let jumps = !self.is_identity() && self.to.is_geographic() && xs.windows(2).any(|pair| (pair[1] - pair[0]).abs() > 180.0);
        Ok(if jumps { Envelope { west: -180.0, east: 180.0, north: 90.0, ..image } } else { image })
    }
}

/// What PROJ refuses becomes NaN, which the caller refuses.
fn convert(proj: &Proj, xs: &mut [f64], ys: &mut [f64]) {
    for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
        (*x, *y) = proj.convert((*x, *y)).unwrap_or((f64::NAN, f64::NAN));
    }
}

impl Leg {
    fn cached(epsg: u32) -> Option<Rc<Leg>> {
        if let Some(leg) = LEGS.with_borrow(|legs| legs.get(&epsg).cloned()) {
            return Some(leg);
        }
        let leg = Rc::new(Leg::new(epsg)?);
        LEGS.with_borrow_mut(|legs| legs.insert(epsg, leg.clone()));
        Some(leg)
    }

    fn new(epsg: u32) -> Option<Leg> {
        if epsg == 4326 {
            return Some(Leg::Geographic);
        }
        if let Some(kernel) = Kernel::of(epsg).filter(|kernel| agrees(epsg, kernel)) {
            return Some(Leg::Kernel(kernel));
        }
        Leg::by_proj(epsg)
    }

    fn by_proj(epsg: u32) -> Option<Leg> {
        stay_offline();
        let hub = if is_ntf(epsg) { "EPSG:4171" } else { "EPSG:4326" };
        let code = format!("EPSG:{epsg}");
        Some(Leg::Proj {
            to_lon_lat: Proj::new_known_crs(&code, hub, None).ok()?,
            from_lon_lat: Proj::new_known_crs(hub, &code, None).ok()?,
        })
    }
}

/// A grid that is not installed must be an error here and not a download. New contexts inherit from the default one.
fn stay_offline() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a null context is PROJ's default context; `Once` keeps other threads from reading it meanwhile.
        unsafe { proj_sys::proj_context_set_enable_network(std::ptr::null_mut(), 0) };
    });
}

/// Whether a kernel agrees with PROJ, asked once a CRS and process (PROJ needs some milliseconds for an answer).
fn agrees(epsg: u32, kernel: &Kernel) -> bool {
    static VERDICTS: Mutex<Vec<(u32, bool)>> = Mutex::new(Vec::new());
    let mut verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, verdict)) = verdicts.iter().find(|(known, _)| *known == epsg) {
        return *verdict;
    }
    let verdict = match Leg::by_proj(epsg) {
        Some(Leg::Proj { to_lon_lat, from_lon_lat }) => {
            [(-4.5, 48.4), (3.0, 46.5), (9.4, 42.0), (55.5, -21.0)].iter().all(|&(lon, lat)| {
                let (mut xs, mut ys) = ([lon], [lat]);
                kernel.forward(&mut xs, &mut ys);
                let forward = from_lon_lat.convert((lon, lat)).is_ok_and(|(east, north): (f64, f64)| {
                    (east - xs[0]).abs() < KERNEL_TOLERANCE_M && (north - ys[0]).abs() < KERNEL_TOLERANCE_M
                });
                let by_proj = to_lon_lat.convert((xs[0], ys[0]));
                kernel.inverse(&mut xs, &mut ys);
                forward
                    && by_proj.is_ok_and(|(lon, lat): (f64, f64)| {
                        (lon - xs[0]).abs() < KERNEL_TOLERANCE_DEG && (lat - ys[0]).abs() < KERNEL_TOLERANCE_DEG
                    })
            })
        }
        _ => false,
    };
    verdicts.push((epsg, verdict));
    verdict
}

/// Proves at start-up that libproj, its database and the NTF grid are the right ones.
///
/// # Errors
/// `Version`, `SelfTest`, `NoTransform`.
pub fn self_test() -> Result<(), CrsError> {
    stay_offline();
    // SAFETY: `proj_info` answers a structure of static strings and numbers.
    let (major, minor) = unsafe {
        let info = proj_sys::proj_info();
        (info.major, info.minor)
    };
    if (major, minor) < (9, 1) {
        return Err(CrsError::Version { found: format!("{major}.{minor}") });
    }
    let rgf93 = Crs::Epsg(4171);
    // A point in Paris by the grid, and the same in Lambert-93: by three parameters it would be 1.4 m off. Then
    // Lambert-93's origin, by definition.
    golden(Crs::Epsg(27572), rgf93, (600_000.0, 2_428_000.0), (2.336_524_141, 48.850_349_483), 2e-8)?;
    golden(Crs::Epsg(27572), LAMBERT_93, (600_000.0, 2_428_000.0), (651_313.026, 6_861_349.810), 2e-3)?;
    golden(LAMBERT_93, rgf93, (700_000.0, 6_600_000.0), (3.0, 46.5), 1e-9)
}

fn golden(from: Crs, to: Crs, position: (f64, f64), expected: (f64, f64), tolerance: f64) -> Result<(), CrsError> {
    let (mut xs, mut ys) = ([position.0], [position.1]);
    Transform::new(from, to)?.positions(&mut xs, &mut ys)?;
    let found = (xs[0], ys[0]);
    let close = (found.0 - expected.0).abs() <= tolerance && (found.1 - expected.1).abs() <= tolerance;
    if close { Ok(()) } else { Err(CrsError::SelfTest { from, to, expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::crs::CRS84;
    use crate::model::crs::WGS_84;

    fn transform(from: u32, to: u32, position: (f64, f64)) -> Result<(f64, f64), CrsError> {
        let (mut xs, mut ys) = ([position.0], [position.1]);
        Transform::new(Crs::Epsg(from), Crs::Epsg(to))?.positions(&mut xs, &mut ys)?;
        Ok((xs[0], ys[0]))
    }

    #[test]
    fn the_installed_proj_passes_the_self_test() {
        self_test().expect("PROJ, its database and the grid");
    }

    #[test]
    fn every_kernel_is_held_to_proj() {
        for epsg in (3942..=3950).chain([2154, 3857]) {
            assert!(agrees(epsg, &Kernel::of(epsg).expect("listed")), "{epsg}");
        }
        assert!(!agrees(32631, &Kernel::of(2154).expect("listed")), "another projection is found out");
    }

    #[test]
    fn lon_lat_systems_are_one_and_a_lone_point_stays() {
        assert!(Transform::new(CRS84, WGS_84).expect("known").is_identity());
        assert!(Transform::new(Crs::Epsg(4171), CRS84).expect("known").is_identity());
        assert!(!Transform::new(LAMBERT_93, CRS84).expect("known").is_identity());
    }

    #[test]
    fn what_is_not_finite_or_unknown_is_refused() {
        assert!(matches!(transform(2154, 4326, (f64::NAN, 0.0)), Err(CrsError::Position { .. })));
        assert!(matches!(transform(4326, 4171, (f64::INFINITY, 0.0)), Err(CrsError::Position { .. })));
        assert!(matches!(transform(27572, 4326, (f64::INFINITY, 0.0)), Err(CrsError::Position { .. })));
        assert!(matches!(transform(4326, 2154, (3.0, 95.0)), Err(CrsError::Position { .. })));
        assert!(matches!(transform(4326, 1, (3.0, 45.0)), Err(CrsError::NoTransform { .. })));
    }

    #[test]
    fn wkb_keeps_its_height_and_an_empty_point() {
        let mut wkb = vec![1];
        wkb.extend_from_slice(&1001u32.to_le_bytes());
        for value in [700_000f64, 6_600_000.0, 31.5] {
            wkb.extend_from_slice(&value.to_le_bytes());
        }
        let way = Transform::new(LAMBERT_93, CRS84).expect("known");
        way.wkb(&mut wkb).expect("valid");
        assert!((wkb::double(&wkb[5..], 0) - 3.0).abs() < 1e-12 && (wkb::double(&wkb[5..], 1) - 46.5).abs() < 1e-12);
        assert_eq!(wkb::double(&wkb[5..], 2), 31.5);
        let mut empty = wkb::point(f64::NAN, f64::NAN);
        way.wkb(&mut empty).expect("empty points are points");
        assert!(matches!(way.wkb(&mut wkb[..12]), Err(CrsError::Wkb(_))));
    }

    #[test]
    fn an_envelope_bulges_with_the_parallel() {
        let way = Transform::new(CRS84, LAMBERT_93).expect("known");
        let image = way.envelope(&Envelope { west: -1.0, south: 46.0, east: 7.0, north: 47.0 }).expect("inside");
        let (_, corner) = transform(4326, 2154, (-1.0, 46.0)).expect("inside");
        assert!(image.south < corner - 1_000.0, "the southern edge sags below its corners");
    }
}
