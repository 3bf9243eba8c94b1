//! Batched Lambert conformal conic and Web Mercator: the hot paths, held to PROJ by tests and at start-up.
//!
//! Over metropolitan France the projections are smooth enough for polynomials (a dozen terms, no call of libm), which
//! the compiler turns into vector instructions. Positions elsewhere take the exact closed form, one by one.
//! Refuses nothing: what has no image becomes NaN, and the caller looks.

/// Terms of a polynomial. The nearest singularity is nine half-widths away or more, so sixteen leave less than 1e-13.
const TERMS: usize = 16;
/// Latitudes for which polynomials stand: metropolitan France and a margin.
const SOUTH_DEG: f64 = 40.5;
const NORTH_DEG: f64 = 52.5;
/// Half width in longitude around the central meridian: reaches from Brest to Corsica, seen from 3° E.
const HALF_WIDTH_DEG: f64 = 13.5;

/// Semi-axis and inverse flattening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipsoid {
    pub a: f64,
    pub rf: f64,
}

pub const GRS80: Ellipsoid = Ellipsoid { a: 6_378_137.0, rf: 298.257_222_101 };
pub const CLARKE_1880_IGN: Ellipsoid = Ellipsoid { a: 6_378_249.2, rf: 293.466_021_293_627 };

impl Ellipsoid {
    fn e(self) -> f64 {
        let f = 1.0 / self.rf;
        (f * (2.0 - f)).sqrt()
    }

    /// Isometric latitude of a latitude in radians.
    fn isometric(self, phi: f64) -> f64 {
        let e = self.e();
        phi.sin().atanh() - e * (e * phi.sin()).atanh()
    }

    /// Latitude in radians of an isometric latitude: the fixed point gains two digits a round.
    fn latitude(self, psi: f64) -> f64 {
        let e = self.e();
        let mut sine = psi.tanh();
        for _ in 0..9 {
            sine = (psi + e * (e * sine).atanh()).tanh();
        }
        // The arcsine loses digits near the poles, the arctangent of sinh does not.
        (psi + e * (e * sine).atanh()).sinh().atan()
    }
}

/// Lambert conformal conic with one or two standard parallels, in degrees and metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LambertParameters {
    pub ellipsoid: Ellipsoid,
    /// East of Greenwich.
    pub lon0_deg: f64,
    pub lat0_deg: f64,
    pub lat1_deg: f64,
    pub lat2_deg: f64,
    pub scale: f64,
    pub east0: f64,
    pub north0: f64,
}

/// A polynomial on [low, high], made by Chebyshev interpolation.
#[derive(Clone, Debug)]
struct Polynomial {
    middle: f64,
    per_half: f64,
    terms: [f64; TERMS],
}

impl Polynomial {
    fn fit(low: f64, high: f64, f: impl Fn(f64) -> f64) -> Polynomial {
        let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
        let count = TERMS as f64;
        let angle = |k: usize| std::f64::consts::PI * (k as f64 + 0.5) / count;
        let values: Vec<f64> = (0..TERMS).map(|k| f(middle + half * angle(k).cos())).collect();
        let mut terms = [0.0; TERMS];
        // T(n) as powers, by T(n+1) = 2uT(n) - T(n-1).
        let (mut before, mut now) = ([0.0; TERMS], [0.0; TERMS]);
        now[0] = 1.0;
        for n in 0..TERMS {
            let sum: f64 = values.iter().enumerate().map(|(k, value)| value * (n as f64 * angle(k)).cos()).sum();
            let coefficient = sum * if n == 0 { 1.0 } else { 2.0 } / count;
            for (term, power) in terms.iter_mut().zip(&now) {
                *term += coefficient * power;
            }
            let mut next = [0.0; TERMS];
            for power in 0..TERMS {
                let shifted = if power == 0 { 0.0 } else { now[power - 1] };
                next[power] = if n == 0 { shifted } else { 2.0 * shifted - before[power] };
            }
            (before, now) = (now, next);
        }
        Polynomial { middle, per_half: 1.0 / half, terms }
    }

    #[inline(always)]
    fn at(&self, value: f64) -> f64 {
        let u = (value - self.middle) * self.per_half;
        let mut sum = self.terms[TERMS - 1];
        for term in self.terms[..TERMS - 1].iter().rev() {
            sum = sum * u + term;
        }
        sum
    }
}

/// Odd series sum(c[k] x^(2k+1)).
#[inline(always)]
fn odd<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    let square = x * x;
    let mut sum = coefficients[N - 1];
    for term in coefficients[..N - 1].iter().rev() {
        sum = sum * square + term;
    }
    sum * x
}

/// Series of the arctangent: |x| stays under 0.2 here, so ten terms leave 1e-16.
const ATAN: [f64; 10] = [1.0, -1.0 / 3.0, 1.0 / 5.0, -1.0 / 7.0, 1.0 / 9.0, -1.0 / 11.0, 1.0 / 13.0, -1.0 / 15.0, 1.0 / 17.0, -1.0 / 19.0];
/// Series of the sine: |x| stays under 0.2 here, so six terms leave 1e-19.
const SIN: [f64; 6] = [1.0, -1.0 / 6.0, 1.0 / 120.0, -1.0 / 5_040.0, 1.0 / 362_880.0, -1.0 / 39_916_800.0];

#[derive(Clone, Debug)]
pub struct Lambert {
    parameters: LambertParameters,
    /// Sine of the cone.
    n: f64,
    /// a F: radius where the isometric latitude is zero.
    radius: f64,
    apex_north: f64,
    /// Square of the radius to degrees of latitude.
    latitude: Polynomial,
    square_min: f64,
    square_max: f64,
    /// Degrees of latitude to radius.
    radius_of: Polynomial,
    slope_max: f64,
}

impl Lambert {
    pub fn new(parameters: LambertParameters) -> Lambert {
        let ellipsoid = parameters.ellipsoid;
        let e = ellipsoid.e();
        let m = |phi: f64| phi.cos() / (1.0 - (e * phi.sin()).powi(2)).sqrt();
        let (one, two) = (parameters.lat1_deg.to_radians(), parameters.lat2_deg.to_radians());
        let n = if (one - two).abs() < 1e-10 {
            one.sin()
        } else {
            (m(one).ln() - m(two).ln()) / (ellipsoid.isometric(two) - ellipsoid.isometric(one))
        };
        let radius = parameters.scale * ellipsoid.a * m(one) * (n * ellipsoid.isometric(one)).exp() / n;
        let radius_at = |lat_deg: f64| radius * (-n * ellipsoid.isometric(lat_deg.to_radians())).exp();
        let (square_min, square_max) = (radius_at(NORTH_DEG).powi(2), radius_at(SOUTH_DEG).powi(2));
        let latitude =
            Polynomial::fit(square_min, square_max, |square| ellipsoid.latitude(-(square.sqrt() / radius).ln() / n).to_degrees());
        Lambert {
            parameters,
            n,
            radius,
            apex_north: parameters.north0 + radius_at(parameters.lat0_deg),
            latitude,
            square_min,
            square_max,
            radius_of: Polynomial::fit(SOUTH_DEG, NORTH_DEG, radius_at),
            slope_max: (n * HALF_WIDTH_DEG.to_radians()).tan(),
        }
    }

    /// East, north to lon, lat in degrees, in place.
    pub fn inverse(&self, xs: &mut [f64], ys: &mut [f64]) {
        let mut near = true;
        for (x, y) in xs.iter().zip(ys.iter()) {
            let (dx, dy) = (x - self.parameters.east0, self.apex_north - y);
            let square = dx * dx + dy * dy;
            near &= (square >= self.square_min) & (square <= self.square_max) & (dx.abs() <= self.slope_max * dy);
        }
        if !near {
            each(xs, ys, |xs, ys| self.inverse(xs, ys), |x, y| self.inverse_exact(x, y));
            return;
        }
        let degrees_per_radian = 1f64.to_degrees() / self.n;
        for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
            let (dx, dy) = (*x - self.parameters.east0, self.apex_north - *y);
            *x = self.parameters.lon0_deg + odd(dx / dy, &ATAN) * degrees_per_radian;
            *y = self.latitude.at(dx * dx + dy * dy);
        }
    }

    /// Lon, lat in degrees to east, north, in place.
    pub fn forward(&self, xs: &mut [f64], ys: &mut [f64]) {
        let mut near = true;
        for (x, y) in xs.iter().zip(ys.iter()) {
            near &= (*y >= SOUTH_DEG) & (*y <= NORTH_DEG) & ((x - self.parameters.lon0_deg).abs() <= HALF_WIDTH_DEG);
        }
        if !near {
            each(xs, ys, |xs, ys| self.forward(xs, ys), |x, y| self.forward_exact(x, y));
            return;
        }
        let angle_per_degree = self.n * 1f64.to_radians();
        for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
            let angle = (*x - self.parameters.lon0_deg) * angle_per_degree;
            let radius = self.radius_of.at(*y);
            let half_sine = odd(angle * 0.5, &SIN);
            *x = self.parameters.east0 + radius * odd(angle, &SIN);
            *y = self.apex_north - radius * (1.0 - 2.0 * half_sine * half_sine);
        }
    }

    /// The closed form, anywhere.
    pub fn inverse_exact(&self, east: f64, north: f64) -> (f64, f64) {
        let (dx, dy) = (east - self.parameters.east0, self.apex_north - north);
        let psi = -(dx.hypot(dy) / self.radius).ln() / self.n;
        let lon = self.parameters.lon0_deg + (dx.atan2(dy) / self.n).to_degrees();
        (wrap(lon), self.parameters.ellipsoid.latitude(psi).to_degrees())
    }

    /// The closed form, anywhere but beyond a pole.
    pub fn forward_exact(&self, lon: f64, lat: f64) -> (f64, f64) {
        if lat.abs() > 90.0 {
            return (f64::NAN, f64::NAN);
        }
        let radius = self.radius * (-self.n * self.parameters.ellipsoid.isometric(lat.to_radians())).exp();
        let angle = self.n * wrap(lon - self.parameters.lon0_deg).to_radians();
        (self.parameters.east0 + radius * angle.sin(), self.apex_north - radius * angle.cos())
    }
}

/// Positions of which some are far away: each by itself, so that what becomes of one depends on no other. `one` is exact for
/// a position that is far, and is asked of it alone.
fn each(xs: &mut [f64], ys: &mut [f64], many: impl Fn(&mut [f64], &mut [f64]), one: impl Fn(f64, f64) -> (f64, f64)) {
    if let ([x], [y]) = (&mut *xs, &mut *ys) {
        (*x, *y) = one(*x, *y);
        return;
    }
    for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
        many(std::slice::from_mut(x), std::slice::from_mut(y));
    }
}

/// A longitude brought into ±180.
fn wrap(lon: f64) -> f64 {
    if lon.abs() <= 180.0 { lon } else { (lon + 180.0).rem_euclid(360.0) - 180.0 }
}

/// Web Mercator: the sphere of the ellipsoid's semi-axis.
#[derive(Clone, Debug)]
pub struct Mercator {
    north_of: Polynomial,
    lat_of: Polynomial,
    north_min: f64,
    north_max: f64,
}

const METRES_PER_DEGREE: f64 = GRS80.a * std::f64::consts::PI / 180.0;

impl Default for Mercator {
    fn default() -> Mercator {
        let north = |lat: f64| GRS80.a * lat.to_radians().sin().atanh();
        let (north_min, north_max) = (north(SOUTH_DEG), north(NORTH_DEG));
        Mercator {
            north_of: Polynomial::fit(SOUTH_DEG, NORTH_DEG, north),
            lat_of: Polynomial::fit(north_min, north_max, |north| (north / GRS80.a).sinh().atan().to_degrees()),
            north_min,
            north_max,
        }
    }
}

impl Mercator {
    pub fn inverse(&self, xs: &mut [f64], ys: &mut [f64]) {
        xs.iter_mut().for_each(|x| *x /= METRES_PER_DEGREE);
        if ys.iter().fold(true, |near, y| near & (*y >= self.north_min) & (*y <= self.north_max)) {
            ys.iter_mut().for_each(|y| *y = self.lat_of.at(*y));
        } else {
            ys.iter_mut().for_each(|y| *y = self.latitude(*y));
        }
    }

    pub fn forward(&self, xs: &mut [f64], ys: &mut [f64]) {
        xs.iter_mut().for_each(|x| *x *= METRES_PER_DEGREE);
        if ys.iter().fold(true, |near, y| near & (*y >= SOUTH_DEG) & (*y <= NORTH_DEG)) {
            ys.iter_mut().for_each(|y| *y = self.north_of.at(*y));
        } else {
            ys.iter_mut().for_each(|y| *y = self.north(*y));
        }
    }

    /// One by one where some are far away: what becomes of one depends on no other.
    fn latitude(&self, north: f64) -> f64 {
        let is_near = north >= self.north_min && north <= self.north_max;
        if is_near { self.lat_of.at(north) } else { (north / GRS80.a).sinh().atan().to_degrees() }
    }

    /// Beyond a pole the sine comes back, so the latitude itself is asked.
    fn north(&self, lat: f64) -> f64 {
        match lat {
            _ if (SOUTH_DEG..=NORTH_DEG).contains(&lat) => self.north_of.at(lat),
            _ if lat.abs() < 90.0 => GRS80.a * lat.to_radians().tan().asinh(),
            _ => f64::NAN,
        }
    }
}

/// One projection's kernel.
#[derive(Clone, Debug)]
pub enum Kernel {
    Lambert(Box<Lambert>),
    Mercator(Box<Mercator>),
}

impl Kernel {
    /// The kernel of an EPSG code, where there is one.
    pub fn of(epsg: u32) -> Option<Kernel> {
        if epsg == 3857 {
            return Some(Kernel::Mercator(Box::default()));
        }
        lambert_rgf93(epsg).map(|parameters| Kernel::Lambert(Box::new(Lambert::new(parameters))))
    }

    pub fn inverse(&self, xs: &mut [f64], ys: &mut [f64]) {
        match self {
            Kernel::Lambert(lambert) => lambert.inverse(xs, ys),
            Kernel::Mercator(mercator) => mercator.inverse(xs, ys),
        }
    }

    pub fn forward(&self, xs: &mut [f64], ys: &mut [f64]) {
        match self {
            Kernel::Lambert(lambert) => lambert.forward(xs, ys),
            Kernel::Mercator(mercator) => mercator.forward(xs, ys),
        }
    }
}

/// Lambert-93 and the nine conic zones (arrêté du 5 mars 2019, decree 2000-1276).
pub fn lambert_rgf93(epsg: u32) -> Option<LambertParameters> {
    let common = LambertParameters {
        ellipsoid: GRS80,
        lon0_deg: 3.0,
        lat0_deg: 46.5,
        lat1_deg: 49.0,
        lat2_deg: 44.0,
        scale: 1.0,
        east0: 700_000.0,
        north0: 6_600_000.0,
    };
    match epsg {
        2154 => Some(common),
        3942..=3950 => {
            let lat0_deg = f64::from(epsg - 3900);
            let north0 = f64::from(epsg - 3941) * 1_000_000.0 + 200_000.0;
            Some(LambertParameters { lat0_deg, lat1_deg: lat0_deg - 0.75, lat2_deg: lat0_deg + 0.75, east0: 1_700_000.0, north0, ..common })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_agree_with_the_closed_form() {
        for epsg in (3942..=3950).chain([2154]) {
            let lambert = Lambert::new(lambert_rgf93(epsg).expect("listed"));
            for step in 0..400 {
                let (lon, lat) = (-10.0 + f64::from(step % 20) * 1.3, 40.6 + f64::from(step / 20) * 0.59);
                let (mut xs, mut ys) = ([lon], [lat]);
                lambert.forward(&mut xs, &mut ys);
                let (east, north) = lambert.forward_exact(lon, lat);
                assert!((xs[0] - east).abs() < 1e-6 && (ys[0] - north).abs() < 1e-6, "{epsg} {lon} {lat}");
                lambert.inverse(&mut xs, &mut ys);
                assert!((xs[0] - lon).abs() < 1e-11 && (ys[0] - lat).abs() < 1e-11, "{epsg} {lon} {lat}: {} {}", xs[0], ys[0]);
            }
        }
    }

    #[test]
    fn a_latitude_beyond_the_pole_and_nan_have_no_image() {
        let kernels = [Kernel::of(2154).expect("listed"), Kernel::of(3857).expect("listed")];
        for kernel in kernels {
            for lat in [91.0, f64::NAN] {
                let (mut xs, mut ys) = ([3.0], [lat]);
                kernel.forward(&mut xs, &mut ys);
                assert!(!ys[0].is_finite());
            }
        }
        assert!(Kernel::of(27572).is_none());
    }
}
