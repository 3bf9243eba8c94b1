//! Where the features that match a filter can lie at all, so that a spatial index finds them.

use geo_types::Geometry;

use crate::model::geometry::Envelope;
use crate::query::filter::Filter;
use crate::query::filter::GEOMETRY;
use crate::query::filter::relate;
use crate::query::filter::shape::Shape;

/// Boxes of one answer: an index that looks for more of them at once looks at nearly everything.
const BOXES_MAX: usize = 8;

/// Lon, lat: the envelope of every feature that matches meets one of these. `None`: anywhere.
pub fn boxes(filter: &Filter) -> Option<Vec<Envelope>> {
    match filter {
        // The smallest of them: all must hold.
        Filter::And(all) => all.iter().filter_map(boxes).min_by(|a, b| surface(a).total_cmp(&surface(b))),
        Filter::Or(all) => {
            let each: Option<Vec<Vec<Envelope>>> = all.iter().map(boxes).collect();
            each.map(Vec::from_iter).map(|each| each.concat()).filter(|joined| joined.len() <= BOXES_MAX)
        }
        Filter::Spatial(relation, a, b) if relation.needs_contact() => match (&**a, &**b) {
            (Filter::Property(name), Filter::Shape(Shape::Placed(geometry)))
            | (Filter::Shape(Shape::Placed(geometry)), Filter::Property(name))
                if name == GEOMETRY =>
            {
                parts(geometry)
            }
            _ => None,
        },
        _ => None,
    }
}

fn surface(boxes: &[Envelope]) -> f64 {
    boxes.iter().map(|envelope| (envelope.east - envelope.west) * (envelope.north - envelope.south)).sum()
}

/// Few areas apart each have a box of their own: two where a box crosses the antimeridian.
fn parts(geometry: &Geometry<f64>) -> Option<Vec<Envelope>> {
    match geometry {
        Geometry::MultiPolygon(many) if many.0.len() <= BOXES_MAX => {
            many.iter().map(|polygon| relate::envelope(&Geometry::Polygon(polygon.clone()))).collect()
        }
        whole => relate::envelope(whole).map(|envelope| vec![envelope]),
    }
}
