//! Well-known text (OGC 06-103r4 §7) from WKB, with the decimals of GeoJSON; `Z`, `M` and `ZM` where the positions have them.

use crate::encode::number;
use crate::model::wkb::Head;
use crate::model::wkb::Reader;
use crate::model::wkb::WkbError;

/// Decimals of degrees (a centimetre), and of metres.
pub const DEGREE_DECIMALS: u32 = 7;
pub const METRE_DECIMALS: u32 = 3;

/// Deeper collections in collections than this are hostile.
const NESTING_MAX: usize = 16;

/// Appends a geometry. `swapped`: y stands before x.
///
/// # Errors
/// Any `WkbError`; what was appended is then no text.
pub fn write(out: &mut Vec<u8>, wkb: &[u8], is_geographic: bool, swapped: bool) -> Result<(), WkbError> {
    let decimals = if is_geographic { DEGREE_DECIMALS } else { METRE_DECIMALS };
    Writer { out, decimals, swapped }.geometry(&mut Reader::new(wkb), 0)
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    decimals: u32,
    swapped: bool,
}

impl Writer<'_> {
    fn geometry(&mut self, reader: &mut Reader<'_>, depth: usize) -> Result<(), WkbError> {
        if depth > NESTING_MAX {
            return Err(WkbError::Nesting);
        }
        let head = reader.head()?;
        let name = ["POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"]
            [head.code as usize - 1];
        let dimension = match (head.has_z, head.has_m) {
            (false, false) => "",
            (true, false) => " Z",
            (false, true) => " M",
            (true, true) => " ZM",
        };
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(dimension.as_bytes());
        self.out.push(b' ');
        self.body(reader, head, depth)
    }

    /// What stands behind the name, which parts of a multi geometry have none of.
    fn body(&mut self, reader: &mut Reader<'_>, head: Head, depth: usize) -> Result<(), WkbError> {
        match head.code {
            1 => {
                let start = self.out.len();
                self.out.push(b'(');
                if self.position(reader, head)? {
                    self.out.push(b')');
                } else {
                    self.out.truncate(start);
                    self.out.extend_from_slice(b"EMPTY");
                }
                Ok(())
            }
            2 => self.list(reader, |writer, reader| writer.position(reader, head).map(drop)),
            3 => self.list(reader, |writer, reader| writer.list(reader, |writer, reader| writer.position(reader, head).map(drop))),
            7 => self.list(reader, |writer, reader| writer.geometry(reader, depth + 1)),
            _ => self.list(reader, |writer, reader| {
                let part = reader.head()?;
                writer.body(reader, part, depth + 1)
            }),
        }
    }

    fn list(
        &mut self,
        reader: &mut Reader<'_>,
        mut item: impl FnMut(&mut Self, &mut Reader<'_>) -> Result<(), WkbError>,
    ) -> Result<(), WkbError> {
        let count = reader.u32()?;
        if count == 0 {
            self.out.extend_from_slice(b"EMPTY");
            return Ok(());
        }
        for at in 0..count {
            self.out.extend_from_slice(if at == 0 { b"(" } else { b", " });
            item(self, reader)?;
        }
        self.out.push(b')');
        Ok(())
    }

    /// `false` for the position of an empty point.
    fn position(&mut self, reader: &mut Reader<'_>, head: Head) -> Result<bool, WkbError> {
        let (x, y) = (reader.f64()?, reader.f64()?);
        let z = head.has_z.then(|| reader.f64()).transpose()?;
        let m = head.has_m.then(|| reader.f64()).transpose()?;
        if !(x.is_finite() && y.is_finite()) {
            return Ok(false);
        }
        let (first, second) = if self.swapped { (y, x) } else { (x, y) };
        number::fixed(self.out, first, self.decimals);
        self.out.push(b' ');
        number::fixed(self.out, second, self.decimals);
        for (value, is_height) in [(z, true), (m, false)].into_iter().filter_map(|(value, is_height)| Some((value?, is_height))) {
            self.out.push(b' ');
            match value {
                value if !value.is_finite() => self.out.push(b'0'),
                value if is_height => number::fixed(self.out, value, METRE_DECIMALS),
                value => number::shortest(self.out, value),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::wkb;

    /// The ISO WKB that OGR makes of a text.
    fn of_ogr(text: &str) -> Vec<u8> {
        let geometry = gdal::vector::Geometry::from_wkt(text).expect("WKT");
        // SAFETY: the handle is live and the buffer has the size that OGR asks for.
        unsafe {
            let mut bytes = vec![0u8; gdal_sys::OGR_G_WkbSize(geometry.c_geometry()) as usize];
            gdal_sys::OGR_G_ExportToIsoWkb(geometry.c_geometry(), gdal_sys::OGRwkbByteOrder::wkbNDR, bytes.as_mut_ptr());
            bytes
        }
    }

    fn text(bytes: &[u8]) -> Result<String, WkbError> {
        let mut out = Vec::new();
        write(&mut out, bytes, true, false)?;
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn texts_are_those_of_the_standard() {
        for wkt in [
            "POINT (-1.96 48.12)",
            "POINT Z (1 2 3.5)",
            "LINESTRING ZM (1 2 3 4.25, 5 6 7 8)",
            "POLYGON M ((0 0 1, 1 0 2, 1 1 3, 0 0 1))",
            "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 1, 2 1, 2 2, 1 1))",
            "MULTIPOINT ((1 2), (3 4))",
            "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))",
            "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
            "MULTIPOLYGON EMPTY",
            "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (1 2, 3 4))",
        ] {
            assert_eq!(text(&of_ogr(wkt)).as_deref(), Ok(wkt));
        }
        assert_eq!(text(&wkb::point(f64::NAN, f64::NAN)).as_deref(), Ok("POINT EMPTY"));
    }

    #[test]
    fn cut_bytes_are_an_error() {
        let whole = of_ogr("LINESTRING (1 2, 3 4)");
        assert!((0..whole.len()).all(|length| text(&whole[..length]).is_err()));
    }
}
