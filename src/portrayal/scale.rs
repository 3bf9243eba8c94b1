//! Lengths on the screen and on the ground, scales, and the zooms of a web map.
//!
//! Two pixels are at work. A length that a style gives in millimetres, points or inches becomes CSS pixels, 96 to the inch:
//! that is the screen QGIS draws for. A scale denominator counts OGC's standard pixel of 0.28 mm (SE 1.1, WMTS 1.0);
//! QGIS, with its 96 dots to the inch, speaks of the same picture with another number.

use std::f64::consts::PI;

/// CSS pixels of an inch, and of a millimetre.
pub const DPI: f64 = 96.0;
pub const MM_PX: f64 = DPI / 25.4;

/// OGC's standard pixel.
pub const PIXEL_M: f64 = 0.000_28;

/// Ground metres of a pixel on the equator at zoom 0 of a map whose tiles are 512 pixels wide, as MapLibre counts zooms.
pub const ZOOM_0_M: f64 = 2.0 * PI * 6_378_137.0 / 512.0;

/// The same picture: OGC's denominator is QGIS's times this.
pub const QGIS_TO_OGC: f64 = 0.0254 / DPI / PIXEL_M;

/// A length of a symbol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    Pixels(f64),
    /// Grows with the zoom.
    GroundMetres(f64),
}

impl Length {
    pub const ZERO: Length = Length::Pixels(0.0);

    pub fn millimetres(value: f64) -> Length {
        Length::Pixels(value * MM_PX)
    }

    pub fn points(value: f64) -> Length {
        Length::Pixels(value * DPI / 72.0)
    }

    pub fn value(self) -> f64 {
        match self {
            Length::Pixels(value) | Length::GroundMetres(value) => value,
        }
    }

    pub fn times(self, factor: f64) -> Length {
        match self {
            Length::Pixels(value) => Length::Pixels(value * factor),
            Length::GroundMetres(value) => Length::GroundMetres(value * factor),
        }
    }

    pub fn is_zero(self) -> bool {
        self.value() == 0.0
    }

    /// On a map of that many ground metres a pixel.
    pub fn px(self, metres_per_pixel: f64) -> f64 {
        match self {
            Length::Pixels(value) => value,
            Length::GroundMetres(value) => value / metres_per_pixel,
        }
    }
}

/// OGC scale denominators between which something is drawn; both ends open by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleRange {
    /// The closest look: drawn at this denominator and above.
    pub min: f64,
    /// The widest look: drawn below this denominator.
    pub max: f64,
}

impl ScaleRange {
    pub const ALL: ScaleRange = ScaleRange { min: 0.0, max: f64::INFINITY };

    /// Absent, zero and nonsense ends are open.
    pub fn new(min: Option<f64>, max: Option<f64>) -> ScaleRange {
        let known = |end: Option<f64>| end.filter(|end| end.is_finite() && *end > 0.0);
        ScaleRange { min: known(min).unwrap_or(0.0), max: known(max).unwrap_or(f64::INFINITY) }
    }

    /// `None`: nowhere.
    pub fn and(self, other: ScaleRange) -> Option<ScaleRange> {
        let both = ScaleRange { min: self.min.max(other.min), max: self.max.min(other.max) };
        (both.min < both.max).then_some(both)
    }

    pub fn contains(self, other: ScaleRange) -> bool {
        self.min <= other.min && other.max <= self.max
    }

    /// As QGIS writes denominators.
    pub fn of_qgis(min: Option<f64>, max: Option<f64>) -> ScaleRange {
        ScaleRange::new(min.map(|min| min * QGIS_TO_OGC), max.map(|max| max * QGIS_TO_OGC))
    }
}

/// Where on the globe a web map is looked at. Web Mercator stretches: at 48° a pixel is a third less than on the equator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latitude {
    cosine: f64,
}

impl Latitude {
    /// What WMTS counts its scales for.
    pub const EQUATOR: Latitude = Latitude { cosine: 1.0 };

    /// Zooms then show what the officer saw on a map of the national projection.
    pub fn degrees(latitude_deg: f64) -> Latitude {
        // Where Web Mercator ends.
        Latitude { cosine: latitude_deg.clamp(-85.06, 85.06).to_radians().cos() }
    }

    pub fn metres_per_pixel(self, zoom: f64) -> f64 {
        ZOOM_0_M * self.cosine / zoom.exp2()
    }

    /// The zoom at which the map has that denominator.
    pub fn zoom(self, denominator: f64) -> f64 {
        (ZOOM_0_M * self.cosine / (denominator * PIXEL_M)).log2()
    }

    pub fn denominator(self, zoom: f64) -> f64 {
        self.metres_per_pixel(zoom) / PIXEL_M
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_of_qgis_is_the_96th_of_an_inch() {
        assert!((Length::millimetres(25.4).value() - 96.0).abs() < 1e-9);
        assert!((Length::points(72.0).value() - 96.0).abs() < 1e-9);
        assert!((QGIS_TO_OGC - 0.944_940).abs() < 1e-6);
    }

    #[test]
    fn zooms_are_those_of_wmts() {
        // WMTS 1.0 annex E.4: GoogleMapsCompatible 0 is 1:559 082 264.03 with tiles of 256 pixels, MapLibre's zoom -1.
        assert!((Latitude::EQUATOR.denominator(-1.0) - 559_082_264.028_717_8).abs() < 1e-3);
        assert!((Latitude::EQUATOR.zoom(Latitude::EQUATOR.denominator(12.3)) - 12.3).abs() < 1e-12);
        assert!((Latitude::degrees(60.0).denominator(5.0) * 2.0 - Latitude::EQUATOR.denominator(5.0)).abs() < 1e-3);
    }

    #[test]
    fn ranges_meet_or_do_not() {
        let near = ScaleRange::new(None, Some(5_000.0));
        let far = ScaleRange::new(Some(5_000.0), Some(0.0));
        assert_eq!(near.and(far), None);
        assert_eq!(near.and(ScaleRange::ALL), Some(near));
        assert!(ScaleRange::ALL.contains(far) && !far.contains(ScaleRange::ALL));
    }

    #[test]
    fn ground_lengths_grow_with_the_zoom() {
        let ten = Length::GroundMetres(10.0);
        let at = |zoom| ten.px(Latitude::EQUATOR.metres_per_pixel(zoom));
        assert!((at(15.0) - 2.0 * at(14.0)).abs() < 1e-9);
    }
}
