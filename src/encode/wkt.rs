//! Well-known text (OGC 06-103r4 §7), with the decimals of GeoJSON.

use geo_types::Coord;
use geo_types::Geometry;
use geo_types::LineString;
use geo_types::Polygon;

use crate::encode::number;

/// Appends a geometry. Degrees have seven decimals, metres three.
pub fn write(out: &mut Vec<u8>, geometry: &Geometry<f64>, is_geographic: bool, swapped: bool) {
    Writer { decimals: if is_geographic { 7 } else { 3 }, swapped }.geometry(out, geometry);
}

struct Writer {
    decimals: u32,
    swapped: bool,
}

impl Writer {
    fn geometry(&self, out: &mut Vec<u8>, geometry: &Geometry<f64>) {
        match geometry {
            Geometry::Point(point) => self.named(out, "POINT", &[point.0], |out, at| self.position(out, *at)),
            Geometry::LineString(line) => self.named(out, "LINESTRING", &line.0, |out, at| self.position(out, *at)),
            Geometry::Polygon(polygon) => self.named(out, "POLYGON", &rings(polygon), |out, ring| self.line(out, ring)),
            Geometry::MultiPoint(points) => {
                self.named(out, "MULTIPOINT", &points.0, |out, point| self.list(out, &[point.0], |out, at| self.position(out, *at)))
            }
            Geometry::MultiLineString(lines) => self.named(out, "MULTILINESTRING", &lines.0, |out, line| self.line(out, line)),
            Geometry::MultiPolygon(polygons) => {
                self.named(out, "MULTIPOLYGON", &polygons.0, |out, polygon| {
                    self.list(out, &rings(polygon), |out, ring| self.line(out, ring))
                });
            }
            Geometry::GeometryCollection(parts) => self.named(out, "GEOMETRYCOLLECTION", &parts.0, |out, part| self.geometry(out, part)),
            // ISO WKB has no other kind; geo-types has shorthands that nobody reads from it.
            Geometry::Line(_) | Geometry::Rect(_) | Geometry::Triangle(_) => {}
        }
    }

    fn named<T>(&self, out: &mut Vec<u8>, name: &str, parts: &[T], part: impl Fn(&mut Vec<u8>, &T)) {
        out.extend_from_slice(name.as_bytes());
        out.push(b' ');
        if parts.is_empty() {
            out.extend_from_slice(b"EMPTY");
        } else {
            self.list(out, parts, part);
        }
    }

    fn list<T>(&self, out: &mut Vec<u8>, parts: &[T], part: impl Fn(&mut Vec<u8>, &T)) {
        out.push(b'(');
        for (at, item) in parts.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(b", ");
            }
            part(out, item);
        }
        out.push(b')');
    }

    fn line(&self, out: &mut Vec<u8>, line: &LineString<f64>) {
        self.list(out, &line.0, |out, at| self.position(out, *at));
    }

    fn position(&self, out: &mut Vec<u8>, at: Coord<f64>) {
        let (first, second) = if self.swapped { (at.y, at.x) } else { (at.x, at.y) };
        number::fixed(out, first, self.decimals);
        out.push(b' ');
        number::fixed(out, second, self.decimals);
    }
}

fn rings(polygon: &Polygon<f64>) -> Vec<LineString<f64>> {
    std::iter::once(polygon.exterior().clone()).chain(polygon.interiors().iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::line_string;
    use geo_types::point;

    #[test]
    fn texts_are_those_of_the_standard() {
        let text = |geometry: Geometry<f64>| {
            let mut out = Vec::new();
            write(&mut out, &geometry, true, false);
            String::from_utf8(out).expect("text")
        };
        assert_eq!(text(point! { x: -1.96, y: 48.12 }.into()), "POINT (-1.96 48.12)");
        let ring = line_string![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 1.0), (x: 0.0, y: 0.0)];
        assert_eq!(text(Polygon::new(ring, Vec::new()).into()), "POLYGON ((0 0, 1 0, 1 1, 0 0))");
        assert_eq!(text(geo_types::MultiPoint::new(vec![point! { x: 1.0, y: 2.0 }]).into()), "MULTIPOINT ((1 2))");
        assert_eq!(text(geo_types::MultiPolygon::<f64>::new(Vec::new()).into()), "MULTIPOLYGON EMPTY");
    }
}
