//! Geometries made fit: linear, of the layer's type, finite, valid. GEOS mends what is invalid.

use std::ffi::CStr;

use gdal_sys::OGRGeometryH;
use gdal_sys::OGRwkbByteOrder;
use gdal_sys::OGRwkbGeometryType as Wkb;

use crate::model::geometry::Envelope;
use crate::model::layer::GeometryColumn;
use crate::model::layer::GeometryType;
use crate::model::reading::LIST_MAX;
use crate::model::reading::Outcome;
use crate::model::reading::Repair;
use crate::model::wkb;

/// A geometry of our own, destroyed when dropped.
struct Owned(OGRGeometryH);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle was made by OGR for us and is destroyed once.
        unsafe { gdal_sys::OGR_G_DestroyGeometry(self.0) }
    }
}

/// OGR's type code without Z and M: 1 to 7, or a curve's or surface's.
pub fn flat_code(code: Wkb::Type) -> u32 {
    // SAFETY: a pure function of a number.
    unsafe { gdal_sys::OGR_GT_Flatten(code) }
}

/// What a layer holds, from the codes met in it.
#[derive(Default)]
pub struct Kinds {
    seen: [bool; 8],
    pub has_z: bool,
    pub has_m: bool,
}

impl Kinds {
    pub fn see(&mut self, code: Wkb::Type) {
        // SAFETY: pure functions of a number.
        let (linear, z, m) = unsafe { (gdal_sys::OGR_GT_GetLinear(code), gdal_sys::OGR_GT_HasZ(code), gdal_sys::OGR_GT_HasM(code)) };
        self.has_z |= z != 0;
        self.has_m |= m != 0;
        let base = match flat_code(linear) {
            flat @ 1..=7 => flat,
            // Triangles, TIN and polyhedral surfaces become areas.
            15..=17 => 6,
            _ => 0,
        };
        self.seen[base as usize] = true;
    }

    pub fn joined(mut self, other: &Kinds) -> Kinds {
        self.seen.iter_mut().zip(other.seen).for_each(|(seen, too)| *seen |= too);
        Kinds { has_z: self.has_z || other.has_z, has_m: self.has_m || other.has_m, ..self }
    }

    /// One kind alone stays; single and multi together are multi; points among areas are `Geometry`.
    pub fn geometry_type(&self) -> GeometryType {
        let families = [
            (1, 4, GeometryType::Point, GeometryType::MultiPoint),
            (2, 5, GeometryType::LineString, GeometryType::MultiLineString),
            (3, 6, GeometryType::Polygon, GeometryType::MultiPolygon),
        ];
        let present: Vec<_> = families.iter().filter(|(single, multi, ..)| self.seen[*single] || self.seen[*multi]).collect();
        match present[..] {
            [] if self.seen[7] => GeometryType::GeometryCollection,
            [(_, multi, one, many)] if !self.seen[7] => {
                if self.seen[*multi] {
                    *many
                } else {
                    *one
                }
            }
            _ => GeometryType::Geometry,
        }
    }
}

/// The ISO WKB of a feature's geometry as the layer's column wants it; `None` for null, empty and unusable ones, which
/// `outcome` counts.
pub fn fit(handle: OGRGeometryH, column: &GeometryColumn, row: u64, outcome: &mut Outcome) -> Option<Vec<u8>> {
    if handle.is_null() {
        outcome.note_null(row);
        return None;
    }
    // SAFETY: `handle` is a live geometry of the feature being read; every geometry made here is destroyed by `Owned`.
    let geometry = unsafe {
        if gdal_sys::OGR_G_IsEmpty(handle) != 0 {
            outcome.note_empty(row);
            return None;
        }
        let curved = gdal_sys::OGR_G_HasCurveGeometry(handle, 0) != 0;
        outcome.linearised += u64::from(curved);
        // Zero: OGR's default step of four degrees of arc.
        let mut geometry = Owned(if curved {
            gdal_sys::OGR_G_GetLinearGeometry(handle, 0.0, std::ptr::null_mut())
        } else {
            gdal_sys::OGR_G_Clone(handle)
        });
        gdal_sys::OGR_G_Set3D(geometry.0, i32::from(column.has_z));
        gdal_sys::OGR_G_SetMeasured(geometry.0, i32::from(column.has_m));
        if is_areal(geometry.0) {
            geometry = mend(geometry, row, outcome)?;
        }
        force(geometry, column.geometry_type)
    };
    let bytes = export(&geometry)?;
    let mut finite = true;
    let mut extent = Envelope::NOTHING;
    let walked = wkb::walk_positions(&bytes, |x, y| {
        finite &= x.is_finite() && y.is_finite();
        extent.expand(x, y);
    });
    let fits = wkb::head(&bytes).is_ok_and(|head| fits(head.code, column.geometry_type));
    if walked.is_err() || !finite || !fits {
        outcome.note_unusable(row);
        return None;
    }
    outcome.native_extent.get_or_insert(Envelope::NOTHING).join(&extent);
    Some(bytes)
}

/// Whether a geometry of a flat code may stand in a column.
pub fn fits(code: u32, wanted: GeometryType) -> bool {
    match wanted {
        GeometryType::Point => code == 1,
        GeometryType::LineString => code == 2,
        GeometryType::Polygon => code == 3,
        GeometryType::MultiPoint => code == 4,
        GeometryType::MultiLineString => code == 5,
        GeometryType::MultiPolygon => code == 6,
        GeometryType::GeometryCollection => code == 7,
        GeometryType::Geometry => true,
    }
}

unsafe fn is_areal(geometry: OGRGeometryH) -> bool {
    // SAFETY: the caller's handle is live.
    matches!(flat_code(unsafe { gdal_sys::OGR_G_GetGeometryType(geometry) }), 3 | 6 | 7 | 15..=17)
}

/// Valid geometries pass; others are mended by GEOS, and only the areas of the result stay where areas came in.
unsafe fn mend(geometry: Owned, row: u64, outcome: &mut Outcome) -> Option<Owned> {
    // SAFETY: live handles; results of OGR are owned at once.
    unsafe {
        gdal_sys::CPLErrorReset();
        if gdal_sys::OGR_G_IsValid(geometry.0) != 0 {
            return Some(geometry);
        }
        let reason = CStr::from_ptr(gdal_sys::CPLGetLastErrorMsg()).to_string_lossy().into_owned();
        let before = gdal_sys::OGR_G_Area(geometry.0);
        let was_collection = flat_code(gdal_sys::OGR_G_GetGeometryType(geometry.0)) == 7;
        let mended = gdal_sys::OGR_G_MakeValid(geometry.0);
        if mended.is_null() {
            outcome.note_unusable(row);
            return None;
        }
        let mended = Owned(mended);
        let mended = if was_collection { mended } else { areas_of(mended) };
        let after = gdal_sys::OGR_G_Area(mended.0);
        outcome.repaired += 1;
        if outcome.repairs.len() < LIST_MAX {
            let (reason, position) = split_reason(&reason);
            outcome.repairs.push(Repair { row, reason, position, area_change: (after - before).abs(), area_before: before });
        }
        if gdal_sys::OGR_G_IsEmpty(mended.0) != 0 {
            outcome.note_unusable(row);
            return None;
        }
        Some(mended)
    }
}

/// The polygons of a collection: what MakeValid leaves as lines and points had no area.
unsafe fn areas_of(mended: Owned) -> Owned {
    // SAFETY: live handles; `OGR_G_AddGeometry` copies.
    unsafe {
        if flat_code(gdal_sys::OGR_G_GetGeometryType(mended.0)) != 7 {
            return mended;
        }
        let areas = Owned(gdal_sys::OGR_G_CreateGeometry(Wkb::wkbMultiPolygon));
        for at in 0..gdal_sys::OGR_G_GetGeometryCount(mended.0) {
            let part = gdal_sys::OGR_G_GetGeometryRef(mended.0, at);
            match flat_code(gdal_sys::OGR_G_GetGeometryType(part)) {
                3 => {
                    gdal_sys::OGR_G_AddGeometry(areas.0, part);
                }
                6 => {
                    for inner in 0..gdal_sys::OGR_G_GetGeometryCount(part) {
                        gdal_sys::OGR_G_AddGeometry(areas.0, gdal_sys::OGR_G_GetGeometryRef(part, inner));
                    }
                }
                _ => {}
            }
        }
        areas
    }
}

/// `Self-intersection at or near point 3.5 4.5`: the reason, and the place where there is one.
fn split_reason(text: &str) -> (String, Option<(f64, f64)>) {
    let Some((reason, place)) = text.split_once(" at or near point ") else { return (text.to_owned(), None) };
    let mut numbers = place.split_whitespace().filter_map(|number| number.parse().ok());
    (reason.to_owned(), numbers.next().zip(numbers.next()))
}

fn force(mut geometry: Owned, wanted: GeometryType) -> Owned {
    // SAFETY: the forcing functions take the handle and give another that is ours; `Owned` must not destroy the old one.
    unsafe {
        let forced = |handle: OGRGeometryH| match wanted {
            GeometryType::MultiPolygon => gdal_sys::OGR_G_ForceToMultiPolygon(handle),
            GeometryType::MultiLineString => gdal_sys::OGR_G_ForceToMultiLineString(handle),
            GeometryType::MultiPoint => gdal_sys::OGR_G_ForceToMultiPoint(handle),
            GeometryType::Polygon => gdal_sys::OGR_G_ForceToPolygon(handle),
            _ => handle,
        };
        let needs = !fits(flat_code(gdal_sys::OGR_G_GetGeometryType(geometry.0)), wanted) && wanted != GeometryType::Polygon;
        // A polygon that was mended into one part comes back as a multipolygon of one.
        let one_part = wanted == GeometryType::Polygon
            && gdal_sys::OGR_G_GetGeometryCount(geometry.0) == 1
            && !fits(flat_code(gdal_sys::OGR_G_GetGeometryType(geometry.0)), wanted);
        if needs || one_part {
            geometry.0 = forced(geometry.0);
        }
    }
    geometry
}

fn export(geometry: &Owned) -> Option<Vec<u8>> {
    // SAFETY: the buffer has the size that OGR asks for.
    unsafe {
        let size = gdal_sys::OGR_G_WkbSize(geometry.0);
        let mut bytes = vec![0u8; usize::try_from(size).ok()?];
        let written = gdal_sys::OGR_G_ExportToIsoWkb(geometry.0, OGRwkbByteOrder::wkbNDR, bytes.as_mut_ptr());
        (written == gdal_sys::OGRErr::OGRERR_NONE).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_become_one_type() {
        let of = |codes: &[u32]| {
            let mut kinds = Kinds::default();
            codes.iter().for_each(|code| kinds.see(*code));
            (kinds.geometry_type(), kinds.has_z)
        };
        assert_eq!(of(&[3, 3]), (GeometryType::Polygon, false));
        assert_eq!(of(&[3, 6]), (GeometryType::MultiPolygon, false));
        assert_eq!(of(&[10, 3]), (GeometryType::Polygon, false));
        assert_eq!(of(&[1003]), (GeometryType::Polygon, true));
        assert_eq!(of(&[1, 3]), (GeometryType::Geometry, false));
        assert_eq!(of(&[7]), (GeometryType::GeometryCollection, false));
        assert_eq!(of(&[]), (GeometryType::Geometry, false));
    }

    #[test]
    fn a_reason_is_split_from_its_place() {
        assert_eq!(split_reason("Self-intersection at or near point 3.5 4.5"), ("Self-intersection".to_owned(), Some((3.5, 4.5))));
        assert_eq!(split_reason("Too few points"), ("Too few points".to_owned(), None));
    }
}
