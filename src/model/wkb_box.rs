//! Whether a geometry meets a box, decided on its WKB where it lies (OGC 06-103r4, `Intersects`; touching counts).
//!
//! ```text
//!  a vertex inside   ·┼──┐     a side across  ──┼──┼──    the box inside  ┌───────────┐
//!                     │  │                      │  │                      │  ┌──┐     │
//!                     └──┘                      └──┘                      │  └──┘     │
//! ```

use crate::model::geometry::Envelope;
use crate::model::wkb::NESTING_MAX;
use crate::model::wkb::Reader;
use crate::model::wkb::WkbError;
use crate::model::wkb::double;

/// East, north in the axis order of memory, as the box. What cannot be read, and what is empty, meets nothing.
pub fn meets(wkb: &[u8], asked: &Envelope) -> bool {
    geometry(&mut Reader::new(wkb), asked, 0).unwrap_or(false)
}

fn geometry(reader: &mut Reader<'_>, asked: &Envelope, depth: usize) -> Result<bool, WkbError> {
    if depth > NESTING_MAX {
        return Err(WkbError::Nesting);
    }
    let head = reader.head()?;
    let dimensions = head.dimensions();
    match head.code {
        1 => Ok(holds(asked, Line::read(reader, 1, dimensions)?.at(0))),
        2 => {
            let count = reader.u32()? as usize;
            Ok(Line::read(reader, count, dimensions)?.meets(asked))
        }
        3 => {
            let rings = reader.u32()?;
            let mut corner_is_inside = false;
            for _ in 0..rings {
                let count = reader.u32()? as usize;
                let ring = Line::read(reader, count, dimensions)?;
                if ring.meets(asked) {
                    return Ok(true);
                }
                corner_is_inside ^= ring.surrounds((asked.west, asked.south));
            }
            Ok(corner_is_inside)
        }
        _ => {
            // A part is read only where the parts before it did not meet: nothing behind it is needed then.
            for _ in 0..reader.u32()? {
                if geometry(reader, asked, depth + 1)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

fn holds(asked: &Envelope, (x, y): (f64, f64)) -> bool {
    asked.west <= x && x <= asked.east && asked.south <= y && y <= asked.north
}

/// Positions one after another.
#[derive(Clone, Copy)]
struct Line<'a> {
    bytes: &'a [u8],
    dimensions: usize,
}

impl<'a> Line<'a> {
    fn read(reader: &mut Reader<'a>, count: usize, dimensions: usize) -> Result<Line<'a>, WkbError> {
        let bytes = count.checked_mul(dimensions * 8).ok_or(WkbError::Truncated { at: reader.at })?;
        Ok(Line { bytes: reader.take(bytes)?, dimensions })
    }

    fn len(&self) -> usize {
        self.bytes.len() / (self.dimensions * 8)
    }

    fn at(&self, n: usize) -> (f64, f64) {
        (double(self.bytes, n * self.dimensions), double(self.bytes, n * self.dimensions + 1))
    }

    fn meets(&self, asked: &Envelope) -> bool {
        let Some(last) = self.len().checked_sub(1) else { return false };
        let mut from = self.at(0);
        if holds(asked, from) {
            return true;
        }
        for n in 1..=last {
            let to = self.at(n);
            if holds(asked, to) || crosses(from, to, asked) {
                return true;
            }
            from = to;
        }
        false
    }

    /// Even-odd rule; a position on the ring is no question here, for then the ring meets the box.
    fn surrounds(&self, (x, y): (f64, f64)) -> bool {
        let mut inside = false;
        for n in 1..self.len() {
            let ((from_x, from_y), (to_x, to_y)) = (self.at(n - 1), self.at(n));
            if (from_y > y) != (to_y > y) && x < (to_x - from_x) * (y - from_y) / (to_y - from_y) + from_x {
                inside = !inside;
            }
        }
        inside
    }
}

/// Whether a segment with both ends outside passes through the box: their envelopes meet, and the corners of the box do not
/// all lie on one side of it.
fn crosses(from: (f64, f64), to: (f64, f64), asked: &Envelope) -> bool {
    let apart =
        from.0.max(to.0) < asked.west || from.0.min(to.0) > asked.east || from.1.max(to.1) < asked.south || from.1.min(to.1) > asked.north;
    if apart {
        return false;
    }
    let (along_x, along_y) = (to.0 - from.0, to.1 - from.1);
    let side = |x: f64, y: f64| along_x * (y - from.1) - along_y * (x - from.0);
    let corners =
        [side(asked.west, asked.south), side(asked.east, asked.south), side(asked.east, asked.north), side(asked.west, asked.north)];
    !(corners.iter().all(|side| *side > 0.0) || corners.iter().all(|side| *side < 0.0))
}

#[cfg(test)]
mod tests {
    use geo::Intersects;
    use geo_types::Geometry;
    use geo_types::LineString;
    use geo_types::MultiPolygon;
    use geo_types::Point;
    use geo_types::Polygon;
    use geo_types::Rect;
    use geo_types::coord;

    use super::*;

    fn wkb_of(geometry: &Geometry<f64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        ::wkb::writer::write_geometry(&mut bytes, geometry, &::wkb::writer::WriteOptions::default()).expect("written");
        bytes
    }

    /// Small whole coordinates, so that touching happens often and nothing is rounded.
    fn random(seed: &mut u64) -> f64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u8::try_from((*seed >> 33) % 12).expect("small"))
    }

    fn triangle(seed: &mut u64) -> LineString<f64> {
        let corners: Vec<_> = (0..3).map(|_| coord! { x: random(seed), y: random(seed) }).collect();
        LineString::new(vec![corners[0], corners[1], corners[2], corners[0]])
    }

    #[test]
    fn every_answer_is_that_of_the_geo_crate() {
        let mut seed = 35;
        let mut met = 0;
        for turn in 0..20_000 {
            let geometry: Geometry<f64> = match turn % 4 {
                0 => Point::new(random(&mut seed), random(&mut seed)).into(),
                1 => triangle(&mut seed).into(),
                2 => Polygon::new(triangle(&mut seed), Vec::new()).into(),
                _ => MultiPolygon::new(vec![Polygon::new(triangle(&mut seed), Vec::new()), Polygon::new(triangle(&mut seed), Vec::new())])
                    .into(),
            };
            let (a, b) = ((random(&mut seed), random(&mut seed)), (random(&mut seed), random(&mut seed)));
            let asked = Envelope { west: a.0.min(b.0), south: a.1.min(b.1), east: a.0.max(b.0), north: a.1.max(b.1) };
            let rect = Rect::new(coord! { x: asked.west, y: asked.south }, coord! { x: asked.east, y: asked.north });
            let expected = geometry.intersects(&rect);
            assert_eq!(meets(&wkb_of(&geometry), &asked), expected, "{geometry:?} {asked:?}");
            met += u32::from(expected);
        }
        assert!((4_000..16_000).contains(&met), "{met}");
    }

    #[test]
    fn a_box_in_a_hole_meets_nothing_and_half_a_geometry_neither() {
        let square = |low: f64, high: f64| LineString::from(vec![(low, low), (high, low), (high, high), (low, high), (low, low)]);
        let ring = wkb_of(&Polygon::new(square(0.0, 10.0), vec![square(2.0, 8.0)]).into());
        let at = |low: f64, high: f64| Envelope { west: low, south: low, east: high, north: high };
        assert!(!meets(&ring, &at(4.0, 5.0)));
        assert!(meets(&ring, &at(0.5, 1.0)) && meets(&ring, &at(4.0, 8.0)) && meets(&ring, &at(-5.0, 50.0)));
        assert!(!meets(&ring[..20], &at(0.5, 1.0)));
        assert!(!meets(&wkb_of(&LineString::<f64>::new(Vec::new()).into()), &at(0.0, 1.0)));
    }
}
