//! Walks ISO WKB where it lies: little-endian, codes 1 to 7, +1000 Z, +2000 M, +3000 ZM (OGC 06-103r4 §8).

use crate::model::geometry::Envelope;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WkbError {
    #[error("WKB ends at byte {at}, inside a geometry")]
    Truncated { at: usize },
    #[error("WKB geometry type {code} is not one of 1 to 7")]
    UnknownType { code: u32 },
    #[error("WKB byte order {order} is not little-endian")]
    ByteOrder { order: u8 },
    #[error("WKB is nested deeper than {NESTING_MAX}")]
    Nesting,
}

/// Collections in collections: no real layer has more, and a hostile one must not exhaust the stack.
pub const NESTING_MAX: usize = 16;

/// Head of one geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// 1 Point … 7 GeometryCollection.
    pub code: u32,
    pub has_z: bool,
    pub has_m: bool,
}

impl Head {
    /// Doubles a position.
    pub fn dimensions(self) -> usize {
        2 + usize::from(self.has_z) + usize::from(self.has_m)
    }
}

/// Reads numbers one after another.
pub struct Reader<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], WkbError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(WkbError::Truncated { at: self.bytes.len() })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, WkbError> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes were taken")))
    }

    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn f64(&mut self) -> Result<f64, WkbError> {
        Ok(f64::from_le_bytes(self.take(8)?.try_into().expect("eight bytes were taken")))
    }

    /// Byte order and type code.
    ///
    /// # Errors
    /// `Truncated`, `ByteOrder`, `UnknownType`.
    pub fn head(&mut self) -> Result<Head, WkbError> {
        let order = self.take(1)?[0];
        if order != 1 {
            return Err(WkbError::ByteOrder { order });
        }
        let code = self.u32()?;
        let (base, dimension) = (code % 1000, code / 1000);
        if !(1..=7).contains(&base) || dimension > 3 {
            return Err(WkbError::UnknownType { code });
        }
        Ok(Head { code: base, has_z: dimension == 1 || dimension == 3, has_m: dimension >= 2 })
    }
}

/// Head of the outermost geometry.
///
/// # Errors
/// As [`Reader::head`].
pub fn head(wkb: &[u8]) -> Result<Head, WkbError> {
    Reader::new(wkb).head()
}

/// Calls `visit` with the byte range of each run of positions (`count × dimensions × 8` bytes) and its dimensions.
/// An empty point (NaN NaN) is visited like any other position.
///
/// # Errors
/// Any `WkbError`.
pub fn walk_runs(wkb: &[u8], visit: &mut dyn FnMut(std::ops::Range<usize>, usize)) -> Result<(), WkbError> {
    walk(&mut Reader::new(wkb), visit, 0)
}

fn walk(reader: &mut Reader<'_>, visit: &mut dyn FnMut(std::ops::Range<usize>, usize), depth: usize) -> Result<(), WkbError> {
    if depth > NESTING_MAX {
        return Err(WkbError::Nesting);
    }
    let head = reader.head()?;
    let dimensions = head.dimensions();
    let mut run = |reader: &mut Reader<'_>, count: usize| -> Result<(), WkbError> {
        let start = reader.at;
        let length = count.checked_mul(dimensions * 8).ok_or(WkbError::Truncated { at: start })?;
        reader.take(length)?;
        visit(start..start + length, dimensions);
        Ok(())
    };
    match head.code {
        1 => run(reader, 1)?,
        2 => {
            let count = reader.u32()? as usize;
            run(reader, count)?;
        }
        3 => {
            for _ in 0..reader.u32()? {
                let count = reader.u32()? as usize;
                run(reader, count)?;
            }
        }
        _ => {
            for _ in 0..reader.u32()? {
                walk(reader, visit, depth + 1)?;
            }
        }
    }
    Ok(())
}

/// Bytes of the geometry that the bytes begin with.
///
/// # Errors
/// Any `WkbError`.
pub fn length(wkb: &[u8]) -> Result<usize, WkbError> {
    let mut reader = Reader::new(wkb);
    walk(&mut reader, &mut |_, _| {}, 0)?;
    Ok(reader.at)
}

/// Calls `visit` with each x, y.
///
/// # Errors
/// Any `WkbError`.
pub fn walk_positions(wkb: &[u8], mut visit: impl FnMut(f64, f64)) -> Result<(), WkbError> {
    walk_runs(wkb, &mut |range, dimensions| {
        for position in wkb[range].chunks_exact(dimensions * 8) {
            visit(double(position, 0), double(position, 1));
        }
    })
}

/// The nth double of a run.
#[inline]
pub fn double(bytes: &[u8], n: usize) -> f64 {
    f64::from_le_bytes(bytes[n * 8..n * 8 + 8].try_into().expect("eight bytes"))
}

/// Smallest envelope of all positions; `None` for an empty geometry.
///
/// # Errors
/// Any `WkbError`.
pub fn envelope(wkb: &[u8]) -> Result<Option<Envelope>, WkbError> {
    let mut envelope = Envelope::NOTHING;
    walk_positions(wkb, |x, y| {
        if x.is_finite() && y.is_finite() {
            envelope.expand(x, y);
        }
    })?;
    Ok((!envelope.is_nothing()).then_some(envelope))
}

/// The z of a point that has one.
pub fn height(wkb: &[u8]) -> Option<f64> {
    let mut reader = Reader::new(wkb);
    let head = reader.head().ok()?;
    (head.code == 1 && head.has_z).then(|| reader.f64().and_then(|_| reader.f64()).and_then(|_| reader.f64()).ok()).flatten()
}

/// ISO WKB of a point.
pub fn point(x: f64, y: f64) -> Vec<u8> {
    let mut wkb = Vec::with_capacity(21);
    wkb.push(1);
    wkb.extend_from_slice(&1u32.to_le_bytes());
    wkb.extend_from_slice(&x.to_le_bytes());
    wkb.extend_from_slice(&y.to_le_bytes());
    wkb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_its_own_envelope() {
        let envelope = envelope(&point(-1.96, 48.12)).expect("valid").expect("not empty");
        assert_eq!((envelope.west, envelope.north), (-1.96, 48.12));
    }

    #[test]
    fn an_empty_point_has_no_envelope() {
        assert_eq!(envelope(&point(f64::NAN, f64::NAN)), Ok(None));
    }

    #[test]
    fn a_geometry_says_where_it_ends() {
        let two = [point(1.0, 2.0), point(3.0, 4.0)].concat();
        assert_eq!(length(&two), Ok(21));
        assert!(length(&two[..20]).is_err());
    }

    #[test]
    fn cut_swapped_or_unknown_wkb_is_refused() {
        let whole = point(1.0, 2.0);
        assert!(matches!(envelope(&whole[..20]), Err(WkbError::Truncated { .. })));
        let mut swapped = whole.clone();
        swapped[0] = 0;
        assert_eq!(envelope(&swapped), Err(WkbError::ByteOrder { order: 0 }));
        let mut curve = whole;
        curve[1] = 8;
        assert_eq!(envelope(&curve), Err(WkbError::UnknownType { code: 8 }));
        assert!(matches!(envelope(&[1, 2, 0, 0, 0, 255, 255, 255, 255]), Err(WkbError::Truncated { .. })));
    }
}
