//! The header that GeoPackage puts before a geometry's WKB (`/req/core` 19: StandardGeoPackageBinary).

use crate::model::geometry::Envelope;
use crate::model::wkb;

/// `GP`, version 0, flags, srs_id.
const FIXED: usize = 8;

/// Appends header and WKB: little-endian, with an XY envelope where the geometry is not a point and not empty.
pub fn encode(out: &mut Vec<u8>, srs_id: i32, bytes: &[u8], envelope: Option<&Envelope>) {
    let is_point = wkb::head(bytes).is_ok_and(|head| head.code == 1);
    let shown = envelope.filter(|_| !is_point);
    // Bit 0: little-endian; bits 1-3: envelope kind; bit 4: empty.
    let flags = 1 | if shown.is_some() { 1 << 1 } else { 0 } | if envelope.is_none() { 1 << 4 } else { 0 };
    out.extend_from_slice(&[b'G', b'P', 0, flags]);
    out.extend_from_slice(&srs_id.to_le_bytes());
    if let Some(envelope) = shown {
        for value in [envelope.west, envelope.east, envelope.south, envelope.north] {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

/// The WKB behind the header, and the envelope where the header has one; `None` for what is no such blob.
pub fn decode(blob: &[u8]) -> Option<(&[u8], Option<Envelope>)> {
    if blob.len() < FIXED || &blob[..2] != b"GP" || blob[3] & 1 == 0 {
        return None;
    }
    let doubles = match (blob[3] >> 1) & 7 {
        0 => 0,
        1 => 4,
        2 | 3 => 6,
        4 => 8,
        _ => return None,
    };
    let start = FIXED + doubles * 8;
    let wkb = blob.get(start..)?;
    let at = |n: usize| wkb::double(&blob[FIXED..], n);
    let envelope = (doubles >= 4).then(|| Envelope { west: at(0), east: at(1), south: at(2), north: at(3) });
    Some((wkb, envelope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let line: Vec<u8> = [&[1u8, 2, 0, 0, 0, 2, 0, 0, 0][..], &[0; 32]].concat();
        let envelope = Envelope { west: 0.0, south: 0.0, east: 0.0, north: 0.0 };
        let mut blob = Vec::new();
        encode(&mut blob, 4326, &line, Some(&envelope));
        assert_eq!(decode(&blob), Some((&line[..], Some(envelope))));
        let point = wkb::point(1.0, 2.0);
        let mut blob = Vec::new();
        encode(&mut blob, 4326, &point, Some(&envelope));
        assert_eq!((blob.len(), decode(&blob)), (FIXED + 21, Some((&point[..], None))));
    }

    #[test]
    fn other_blobs_are_refused() {
        for blob in [&b""[..], b"GP", b"XX\0\x01\0\0\0\0", b"GP\0\x03\0\0\0\0", b"GP\0\x0f\0\0\0\0"] {
            assert_eq!(decode(blob), None);
        }
    }
}
