//! The GeoJSON download: a feature a line, in the store's order, with the offset of each feature beside it.
//!
//! `<file>.offsets` holds n + 1 little-endian 64-bit numbers: where each feature begins, and where the next would. Behind
//! each feature stand exactly two bytes (`,\n`, the last one `\n]`), so feature i is `file[o[i]..o[i + 1] - 2]`.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::encode::Batches;
use crate::encode::Download;
use crate::encode::geojson;
use crate::encode::geojson::FeatureWriter;
use crate::encode::ordered::ordered;
use crate::model::batch::FeatureBatch;
use crate::model::crs::CRS84;
use crate::model::layer::Layer;
use crate::model::media_type;
use crate::model::record::Record;

pub struct GeoJsonLines;

/// What stands between two features.
pub const BETWEEN: &[u8; 2] = b",\n";

/// Bytes gathered before the disk is bothered.
const BUFFER: usize = 1 << 20;

impl Download for GeoJsonLines {
    fn suffix(&self) -> &'static str {
        ".geojson"
    }

    fn title(&self) -> &'static str {
        "GeoJSON"
    }

    fn media_type(&self) -> &'static str {
        media_type::GEOJSON
    }

    fn suits(&self, _layer: &Layer) -> bool {
        true
    }

    fn write(&self, layer: &Layer, _record: Option<&Record>, batches: Batches<'_>, path: &Path) -> io::Result<Vec<String>> {
        let mut out = BufWriter::with_capacity(BUFFER, File::create(path)?);
        let mut offsets = BufWriter::with_capacity(BUFFER, File::create(offsets_path(path))?);
        let writer = FeatureWriter::new(layer, CRS84);
        let mut head = b"{\"type\":\"FeatureCollection\",\"name\":".to_vec();
        geojson::string(&mut head, layer.id.as_str());
        head.extend_from_slice(b",\"features\":[\n");
        out.write_all(&head)?;
        let mut at = head.len() as u64;
        let mut is_first = true;
        let spare = Mutex::new(Vec::new());
        let encode = |batch: FeatureBatch| Lines::of(&writer, &batch, spare.lock().unwrap_or_else(PoisonError::into_inner).pop());
        ordered(batches, encode, |lines: Lines| {
            if lines.starts.is_empty() {
                return Ok(());
            }
            if !std::mem::take(&mut is_first) {
                out.write_all(BETWEEN)?;
                at += BETWEEN.len() as u64;
            }
            for start in &lines.starts {
                offsets.write_all(&(at + *start as u64).to_le_bytes())?;
            }
            at += lines.text.len() as u64;
            out.write_all(&lines.text)?;
            spare.lock().unwrap_or_else(PoisonError::into_inner).push(lines.text);
            Ok(())
        })?;
        out.write_all(b"\n]}\n")?;
        offsets.write_all(&(at + 2).to_le_bytes())?;
        offsets.flush()?;
        out.flush()?;
        Ok(Vec::new())
    }
}

/// The features of a batch.
struct Lines {
    text: Vec<u8>,
    starts: Vec<usize>,
}

impl Lines {
    /// `spare`: room that was used before.
    fn of(writer: &FeatureWriter, batch: &FeatureBatch, spare: Option<Vec<u8>>) -> Lines {
        let mut lines = Lines { text: spare.unwrap_or_default(), starts: Vec::with_capacity(batch.rows()) };
        lines.text.clear();
        for row in 0..batch.rows() {
            if row > 0 {
                lines.text.extend_from_slice(BETWEEN);
            }
            lines.starts.push(lines.text.len());
            writer.feature(&mut lines.text, batch, row);
        }
        lines
    }
}

pub fn offsets_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".offsets");
    PathBuf::from(name)
}

/// Where the nth feature (from 0) lies; `None` beyond the last.
pub fn feature_range(offsets: &[u8], n: u64) -> Option<Range<u64>> {
    let at = |n: u64| -> Option<u64> {
        let start = usize::try_from(n).ok()?.checked_mul(8)?;
        Some(u64::from_le_bytes(offsets.get(start..start.checked_add(8)?)?.try_into().ok()?))
    };
    Some(at(n)?..at(n.checked_add(1)?)?.checked_sub(2)?)
}
