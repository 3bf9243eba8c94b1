//! Gzip of whole buffers, the same bytes on every machine: no time and no name stand in its head.

use libdeflater::CompressionLvl;
use libdeflater::Compressor;
use libdeflater::Decompressor;

/// Of what is whole anyway: level 6 takes twice the time for a twentieth of the bytes.
const FAST: i32 = 1;
/// Of what is thinned: each byte that is saved is room for a feature. Beyond it the time doubles for one byte in a hundred.
const SMALL: i32 = 6;

/// Head and tail of a member.
const MEMBER_BYTES_MIN: usize = 18;
/// How many times longer than itself the content of a member can be.
const DEFLATE_BEST: usize = 1_032;

pub struct Gzip {
    compressor: Compressor,
    out: Vec<u8>,
}

impl Gzip {
    pub fn fast() -> Gzip {
        Gzip::of(FAST)
    }

    pub fn small() -> Gzip {
        Gzip::of(SMALL)
    }

    fn of(level: i32) -> Gzip {
        let level = CompressionLvl::new(level).expect("the level is one of libdeflate's");
        Gzip { compressor: Compressor::new(level), out: Vec::new() }
    }

    pub fn compress(&mut self, bytes: &[u8]) -> &[u8] {
        self.out.resize(self.compressor.gzip_compress_bound(bytes.len()).max(self.out.len()), 0);
        let length = self.compressor.gzip_compress(bytes, &mut self.out).expect("the buffer is as large as the bound");
        &self.out[..length]
    }
}

/// The content of one gzip member; `None` where it is none, is damaged, or claims more than `bytes_max`.
pub fn plain(bytes: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    // The length stands in the last four bytes.
    let claimed = u32::from_le_bytes(bytes.last_chunk().copied()?) as usize;
    // Deflate makes a thousandth of its content at best.
    if bytes.len() < MEMBER_BYTES_MIN || claimed > bytes_max || claimed / DEFLATE_BEST > bytes.len() {
        return None;
    }
    let mut out = vec![0; claimed];
    let written = Decompressor::new().gzip_decompress(bytes, &mut out).ok()?;
    (written == claimed).then_some(out)
}
