//! Closed forms of the hot systems: Lambert conformal conic with two parallels on GRS 80, and spherical Mercator.
//!
//! EPSG Guidance Note 7-2, methods 9802 and 1024. They agree with PROJ within 1e-10° (ten micrometres) where the registry says a system
//! may be used; `crs::leg` compares them with PROJ before it takes them.

use std::f64::consts::FRAC_PI_2;
use std::f64::consts::FRAC_PI_4;

use crate::model::crs::Crs;

#[derive(Clone, Copy, Debug)]
pub enum Kernel {
    Lambert(Lambert),
    Mercator,
}

/// Lambert conformal conic; angles in radians, lengths in metres.
#[derive(Clone, Copy, Debug)]
pub struct Lambert {
    n: f64,
    /// a·F: the cone's radius where the isometric latitude is zero.
    radius: f64,
    /// The cone's radius at the latitude of origin.
    radius_origin: f64,
    lon_origin: f64,
    false_east: f64,
    false_north: f64,
}

/// GRS 80: semi-major axis, metres.
const A: f64 = 6_378_137.0;
/// GRS 80: flattening.
const F: f64 = 1.0 / 298.257_222_101;
const E2: f64 = F * (2.0 - F);

impl Kernel {
    /// `None` for a system without a closed form here.
    pub fn of(crs: Crs) -> Option<Kernel> {
        match crs {
            Crs::Epsg(3857) => Some(Kernel::Mercator),
            Crs::Epsg(2154 | 9793 | 9794) => Some(Kernel::Lambert(Lambert::new(46.5, 49.0, 44.0, 700_000.0, 6_600_000.0))),
            // Nine zones, one a degree: parallels three quarters of a degree on either side.
            Crs::Epsg(code @ 3942..=3950) => {
                let lat = f64::from(code - 3900);
                let false_north = (lat - 41.0) * 1_000_000.0 + 200_000.0;
                Some(Kernel::Lambert(Lambert::new(lat, lat - 0.75, lat + 0.75, 1_700_000.0, false_north)))
            }
            _ => None,
        }
    }

    /// East, north to lon, lat (degrees).
    pub fn inverse(&self, xs: &mut [f64], ys: &mut [f64]) {
        match self {
            Kernel::Lambert(lambert) => lambert.inverse(xs, ys),
            Kernel::Mercator => {
                for (x, y) in xs.iter_mut().zip(ys) {
                    *x = (*x / A).to_degrees();
                    *y = (*y / A).sinh().atan().to_degrees();
                }
            }
        }
    }

    /// Lon, lat (degrees) to east, north.
    pub fn forward(&self, xs: &mut [f64], ys: &mut [f64]) {
        match self {
            Kernel::Lambert(lambert) => lambert.forward(xs, ys),
            Kernel::Mercator => {
                for (x, y) in xs.iter_mut().zip(ys) {
                    *x = A * x.to_radians();
                    *y = A * y.to_radians().tan().asinh();
                }
            }
        }
    }
}

/// Isometric latitude of a latitude in radians.
fn isometric(lat: f64) -> f64 {
    let e = E2.sqrt();
    lat.tan().asinh() - e * (e * lat.sin()).atanh()
}

/// Radius of the parallel, divided by a.
fn parallel(lat: f64) -> f64 {
    lat.cos() / (1.0 - E2 * lat.sin().powi(2)).sqrt()
}

impl Lambert {
    fn new(lat_origin: f64, lat_1: f64, lat_2: f64, false_east: f64, false_north: f64) -> Lambert {
        let (lat_1, lat_2) = (lat_1.to_radians(), lat_2.to_radians());
        let (iso_1, iso_2) = (isometric(lat_1), isometric(lat_2));
        let n = (parallel(lat_1) / parallel(lat_2)).ln() / (iso_2 - iso_1);
        let radius = A * parallel(lat_1) * (n * iso_1).exp() / n;
        let radius_origin = radius * (-n * isometric(lat_origin.to_radians())).exp();
        Lambert { n, radius, radius_origin, lon_origin: 3.0, false_east, false_north }
    }

    fn inverse(&self, xs: &mut [f64], ys: &mut [f64]) {
        // Snyder 3-5: latitude from the conformal one by a series in sin 2χ; e⁸ leaves 1e-12 radians.
        const E4: f64 = E2 * E2;
        const E6: f64 = E4 * E2;
        const E8: f64 = E4 * E4;
        const S2: f64 = E2 / 2.0 + 5.0 * E4 / 24.0 + E6 / 12.0 + 13.0 * E8 / 360.0;
        const S4: f64 = 7.0 * E4 / 48.0 + 29.0 * E6 / 240.0 + 811.0 * E8 / 11_520.0;
        const S6: f64 = 7.0 * E6 / 120.0 + 81.0 * E8 / 1_120.0;
        const S8: f64 = 4_279.0 * E8 / 161_280.0;
        let (inverse_n, half_inverse_n) = (1.0 / self.n, 0.5 / self.n);
        let ln_radius = self.radius.ln();
        for (x, y) in xs.iter_mut().zip(ys) {
            let east = *x - self.false_east;
            let north = self.radius_origin - (*y - self.false_north);
            // t = exp(-isometric latitude): the square of the radius saves a root.
            let t = (half_inverse_n * (east * east + north * north).ln() - inverse_n * ln_radius).exp();
            let square = t * t;
            let (sine, cosine) = ((1.0 - square) / (1.0 + square), 2.0 * t / (1.0 + square));
            let (sine_2, cosine_2) = (2.0 * sine * cosine, 1.0 - 2.0 * sine * sine);
            // Clenshaw's sum of S2 sin 2χ + S4 sin 4χ + …
            let b4 = S8;
            let b3 = S6 + 2.0 * cosine_2 * b4;
            let b2 = S4 + 2.0 * cosine_2 * b3 - b4;
            let b1 = S2 + 2.0 * cosine_2 * b2 - b3;
            let conformal = FRAC_PI_2 - 2.0 * t.atan();
            *x = self.lon_origin + (east.atan2(north) * inverse_n).to_degrees();
            *y = (conformal + sine_2 * b1).to_degrees();
        }
    }

    fn forward(&self, xs: &mut [f64], ys: &mut [f64]) {
        let e = E2.sqrt();
        for (x, y) in xs.iter_mut().zip(ys) {
            let lat = y.to_radians();
            let angle = self.n * (*x - self.lon_origin).to_radians();
            let sine = lat.sin();
            // exp(-n·ψ) with ψ = ln tan(π/4 + φ/2) − e·atanh(e·sin φ).
            let isometric = (FRAC_PI_4 + lat / 2.0).tan().ln() - e * (e * sine).atanh();
            let radius = self.radius * (-self.n * isometric).exp();
            *x = self.false_east + radius * angle.sin();
            *y = self.false_north + self.radius_origin - radius * angle.cos();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_lambert_93_is_where_ign_says() {
        let kernel = Kernel::of(Crs::Epsg(2154)).expect("a kernel");
        let (mut xs, mut ys) = ([3.0], [46.5]);
        kernel.forward(&mut xs, &mut ys);
        assert!((xs[0] - 700_000.0).abs() < 1e-6 && (ys[0] - 6_600_000.0).abs() < 1e-6, "{xs:?} {ys:?}");
    }

    #[test]
    fn systems_without_a_closed_form_have_no_kernel() {
        for code in [27572, 4326, 3941, 3951, 2975] {
            assert!(Kernel::of(Crs::Epsg(code)).is_none(), "{code}");
        }
    }
}
