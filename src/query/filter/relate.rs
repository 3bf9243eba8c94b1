//! How two geometries lie to each other (OGC 06-103r4 §6.1.15, DE-9IM), in lon, lat as in a plane.

use geo::Intersects;
use geo::Relate;
use geo_traits::to_geo::ToGeoGeometry;
use geo_types::Geometry;

use crate::model::geometry::Envelope;
use crate::query::filter::Spatial;

/// Whether `a` has the relation to `b`. A geometry without positions has none but to be disjoint.
pub fn holds(relation: Spatial, a: &Geometry<f64>, b: &Geometry<f64>) -> bool {
    match relation {
        Spatial::Intersects => a.intersects(b),
        Spatial::Disjoint => !a.intersects(b),
        Spatial::Equals => a.relate(b).is_equal_topo(),
        Spatial::Touches => a.relate(b).is_touches(),
        Spatial::Within => a.relate(b).is_within(),
        Spatial::Contains => a.relate(b).is_contains(),
        Spatial::Overlaps => a.relate(b).is_overlaps(),
        Spatial::Crosses => a.relate(b).is_crosses(),
    }
}

/// The geometry of ISO WKB; `None` for what is none.
pub fn of_wkb(bytes: &[u8]) -> Option<Geometry<f64>> {
    ::wkb::reader::read_wkb(bytes).ok()?.try_to_geometry()
}

impl Spatial {
    /// Geometries apart cannot have the relation, so that their envelopes tell most of them from each other.
    pub fn needs_contact(self) -> bool {
        self != Spatial::Disjoint
    }
}

/// Lon, lat of all positions; `None` for a geometry without one.
pub fn envelope(geometry: &Geometry<f64>) -> Option<Envelope> {
    let rect = geo::BoundingRect::bounding_rect(geometry)?;
    Some(Envelope { west: rect.min().x, south: rect.min().y, east: rect.max().x, north: rect.max().y })
}
