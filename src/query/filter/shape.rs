//! Geometries of filters: as a client wrote them, and in lon, lat (`/req/basic-spatial-functions-plus`).

use geo::Area;
use geo::Validation;
use geo_types::Coord;
use geo_types::Geometry;
use geo_types::LineString;
use geo_types::MultiPolygon;
use geo_types::Polygon;
use geojson::GeometryValue;

use crate::crs::Transform;
use crate::model::crs::AxisOrder;
use crate::model::crs::CRS84;
use crate::model::crs::Crs;
use crate::model::geometry::Envelope;

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Positions of two or three numbers, in the axis order of the filter's CRS.
    Written(GeometryValue),
    /// Four or six numbers; across the antimeridian the first is greater than the fourth (third).
    Box(Vec<f64>),
    /// Lon, lat, valid.
    Placed(Geometry<f64>),
}

/// Degrees of longitude, and of latitude.
const LON_MAX: f64 = 180.0;
const LAT_MAX: f64 = 90.0;

/// Pieces that a side of a box is cut into on its way to another CRS, where it is bent: PROJ cuts into 21.
const PIECES: u32 = 21;

impl Shape {
    /// Positions that were written.
    pub fn vertices(&self) -> usize {
        match self {
            Shape::Written(value) => vertices(value),
            Shape::Box(_) => 4,
            Shape::Placed(geometry) => geo::CoordsIter::coords_count(geometry),
        }
    }

    /// In lon, lat. `crs`: what the client's numbers are in.
    ///
    /// # Errors
    /// What was expected, for the client.
    pub fn placed(self, crs: Crs) -> Result<Geometry<f64>, String> {
        let way = Transform::new(crs, CRS84).map_err(|_| format!("expected a CRS that is served, found {crs}"))?;
        let geometry = match self {
            Shape::Placed(geometry) => return Ok(geometry),
            Shape::Written(value) => written(value)?,
            Shape::Box(numbers) => boxed(&numbers, crs, &way)?,
        };
        let placed = geo::MapCoords::try_map_coords(&geometry, |position| place(position, crs, &way))?;
        match placed.check_validation() {
            Ok(()) if has_flat_area(&placed) => Err("expected areas, found one without a surface".to_owned()),
            Ok(()) => Ok(placed),
            Err(fault) => Err(format!("expected a valid geometry: {fault}")),
        }
    }
}

/// A ring that runs back on itself has no inside, and no relation that means anything.
fn has_flat_area(geometry: &Geometry<f64>) -> bool {
    match geometry {
        Geometry::Polygon(polygon) => polygon.unsigned_area() == 0.0,
        Geometry::MultiPolygon(many) => many.iter().any(|polygon| polygon.unsigned_area() == 0.0),
        Geometry::GeometryCollection(many) => many.iter().any(has_flat_area),
        _ => false,
    }
}

fn place(position: Coord<f64>, crs: Crs, way: &Transform) -> Result<Coord<f64>, String> {
    let (east, north) = match crs.axis_order() {
        AxisOrder::EastNorth => (position.x, position.y),
        AxisOrder::NorthEast => (position.y, position.x),
    };
    let shown = || format!("{} {}", position.x, position.y);
    if crs.is_geographic() && !(east.abs() <= LON_MAX && north.abs() <= LAT_MAX) {
        return Err(format!("expected degrees in the axis order of {crs}, found {}", shown()));
    }
    let (lon, lat) = way.position(east, north).map_err(|_| format!("expected positions inside the area of {crs}, found {}", shown()))?;
    Ok(Coord { x: lon, y: lat })
}

fn written(value: GeometryValue) -> Result<Geometry<f64>, String> {
    is_whole(&value)?;
    Geometry::try_from(value).map_err(|error| format!("expected a geometry ({error})"))
}

/// What a type cannot say: enough positions, rings that end where they begin, numbers that are finite.
fn is_whole(value: &GeometryValue) -> Result<(), String> {
    let position = |at: &geojson::Position| {
        let numbers = at.as_slice();
        let fits = (2..=3).contains(&numbers.len()) && numbers.iter().all(|number| number.is_finite());
        if fits { Ok(()) } else { Err(format!("expected positions of two or three numbers, found {}", numbers.len())) }
    };
    let line = |positions: &Vec<geojson::Position>, least: usize| {
        if positions.len() < least {
            return Err(format!("expected at least {least} positions, found {}", positions.len()));
        }
        positions.iter().try_for_each(position)
    };
    let area = |rings: &Vec<Vec<geojson::Position>>| {
        for ring in rings {
            line(ring, 4)?;
            if ring.first().map(|at| &at.as_slice()[..2]) != ring.last().map(|at| &at.as_slice()[..2]) {
                return Err("expected rings that end where they begin".to_owned());
            }
        }
        if rings.is_empty() { Err("expected a ring".to_owned()) } else { Ok(()) }
    };
    match value {
        GeometryValue::Point { coordinates } => position(coordinates),
        GeometryValue::MultiPoint { coordinates } => line(coordinates, 1),
        GeometryValue::LineString { coordinates } => line(coordinates, 2),
        GeometryValue::MultiLineString { coordinates } => coordinates.iter().try_for_each(|part| line(part, 2)),
        GeometryValue::Polygon { coordinates } => area(coordinates),
        GeometryValue::MultiPolygon { coordinates } => coordinates.iter().try_for_each(area),
        GeometryValue::GeometryCollection { geometries } => geometries.iter().try_for_each(|part| is_whole(&part.value)),
    }
}

fn vertices(value: &GeometryValue) -> usize {
    match value {
        GeometryValue::Point { .. } => 1,
        GeometryValue::MultiPoint { coordinates } | GeometryValue::LineString { coordinates } => coordinates.len(),
        GeometryValue::MultiLineString { coordinates } | GeometryValue::Polygon { coordinates } => coordinates.iter().map(Vec::len).sum(),
        GeometryValue::MultiPolygon { coordinates } => coordinates.iter().flatten().map(Vec::len).sum(),
        GeometryValue::GeometryCollection { geometries } => geometries.iter().map(|part| vertices(&part.value)).sum(),
    }
}

/// The corners in the axis order of the CRS; two areas across the antimeridian. Heights have no effect.
fn boxed(numbers: &[f64], crs: Crs, way: &Transform) -> Result<Geometry<f64>, String> {
    let (low, high) = match *numbers {
        [a, b, c, d] => ((a, b), (c, d)),
        [a, b, _, c, d, _] => ((a, b), (c, d)),
        _ => return Err(format!("expected a box of 4 or 6 numbers, found {}", numbers.len())),
    };
    let is_north_first = crs.axis_order() == AxisOrder::NorthEast;
    let turned = |(first, second): (f64, f64)| if is_north_first { (second, first) } else { (first, second) };
    let ((west, south), (east, north)) = (turned(low), turned(high));
    if south > north {
        return Err(format!("expected a box with south before north in the axis order of {crs}, found {south} and {north}"));
    }
    let pieces = if way.is_identity() { 1 } else { PIECES };
    let area = |west: f64, east: f64| {
        let ring = ring(&Envelope { west, south, east, north }, pieces);
        Polygon::new(ring.into_iter().map(turned).collect::<LineString<f64>>(), Vec::new())
    };
    match (west <= east, crs.is_geographic()) {
        (true, _) if west == east || south == north => Err("expected a box with an area".to_owned()),
        (true, _) => Ok(area(west, east).into()),
        (false, true) => Ok(MultiPolygon::new(vec![area(west, LON_MAX), area(-LON_MAX, east)]).into()),
        (false, false) => Err(format!("expected a box with west before east in {crs}, found {west} and {east}")),
    }
}

/// Counter-clockwise, each side in `pieces`, ending where it begins.
fn ring(envelope: &Envelope, pieces: u32) -> Vec<(f64, f64)> {
    let Envelope { west, south, east, north } = *envelope;
    let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
    let mut ring = Vec::new();
    for side in corners.windows(2) {
        let ((from_x, from_y), (to_x, to_y)) = (side[0], side[1]);
        let part = |piece: u32| f64::from(piece) / f64::from(pieces);
        ring.extend((0..pieces).map(|piece| (from_x + (to_x - from_x) * part(piece), from_y + (to_y - from_y) * part(piece))));
    }
    ring.push(corners[0]);
    ring
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::crs::LAMBERT_93;
    use crate::model::crs::WGS_84;

    #[test]
    fn axes_follow_the_filters_crs() {
        let point = |x: f64, y: f64| Shape::Written(GeometryValue::new_point([x, y]));
        let lon_lat = point(-1.96, 48.12).placed(CRS84).expect("lon, lat");
        assert_eq!(point(48.12, -1.96).placed(WGS_84), Ok(lon_lat));
        assert!(point(90.0, 180.0).placed(CRS84).is_err_and(|fault| fault.contains("degrees")));
    }

    #[test]
    fn boxes_become_areas_two_across_the_antimeridian() {
        let placed = |numbers: &[f64], crs| Shape::Box(numbers.to_vec()).placed(crs);
        assert!(matches!(placed(&[0.0, 40.0, 10.0, 50.0], CRS84), Ok(Geometry::Polygon(_))));
        assert_eq!(placed(&[0.0, 40.0, -5.0, 10.0, 50.0, 5.0], CRS84), placed(&[0.0, 40.0, 10.0, 50.0], CRS84));
        assert_eq!(placed(&[40.0, 0.0, 50.0, 10.0], WGS_84).map(|g| vertices_of(&g)), Ok(5));
        assert!(matches!(placed(&[160.0, -55.0, -170.0, -25.0], CRS84), Ok(Geometry::MultiPolygon(two)) if two.0.len() == 2));
        assert!(placed(&[0.0, 50.0, 10.0, 40.0], CRS84).is_err() && placed(&[0.0, 1.0, 2.0], CRS84).is_err());
        // A box of Lambert-93 is bent in lon, lat.
        assert_eq!(placed(&[330_000.0, 6_780_000.0, 340_000.0, 6_790_000.0], LAMBERT_93).map(|g| vertices_of(&g)), Ok(4 * 21 + 1));
    }

    fn vertices_of(geometry: &Geometry<f64>) -> usize {
        geo::CoordsIter::coords_count(geometry)
    }

    #[test]
    fn what_is_no_geometry_is_refused() {
        let ring = |positions: &[[f64; 2]]| Shape::Written(GeometryValue::new_polygon([positions.to_vec()]));
        let bow_tie = [[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0], [0.0, 0.0]];
        assert!(ring(&bow_tie).placed(CRS84).is_err_and(|fault| fault.starts_with("expected a valid geometry")));
        assert!(ring(&[[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [1.0, 1.0]]).placed(CRS84).is_err_and(|fault| fault.contains("end where")));
        assert!(ring(&[[0.0, 0.0], [2.0, 2.0], [0.0, 0.0]]).placed(CRS84).is_err());
    }
}
