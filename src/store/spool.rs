//! Rows of a version on their way, in the source's order: on disk, so that a layer may be larger than the memory.
//!
//! A record is the fields (a tag and the value), then the ISO WKB. It is also what the content's hash is made of, so its
//! form belongs to the store's format.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

use memmap2::Mmap;
use sha2::Digest;
use sha2::Sha256;

use crate::model::batch::FeatureBatch;
use crate::model::feature::FeatureId;
use crate::model::feature::Value;
use crate::model::geometry::Envelope;
use crate::model::wkb;
use crate::store::StoreError;
use crate::store::disk::fault;

/// What is kept in memory of a row: 48 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub offset: u64,
    /// Hashes of the whole record and of its geometry (0: none).
    pub content: u64,
    pub geometry: u64,
    /// The source's own row id; `i64::MIN` where it has none.
    pub source_row: i64,
    /// Centre of the envelope, lon, lat; NaN without geometry.
    pub centre: (f32, f32),
    pub length: u32,
}

pub const NO_SOURCE_ROW: i64 = i64::MIN;

pub struct Spool {
    file: BufWriter<File>,
    at: u64,
    pub keys: Vec<Key>,
    pub extent: Envelope,
    buffer: Vec<u8>,
}

impl Spool {
    /// # Errors
    /// `Io`.
    pub fn create(path: &Path) -> Result<Spool, StoreError> {
        let file = File::options().create_new(true).read(true).write(true).open(path).map_err(fault(path))?;
        // A megabyte: rows are small and the disk likes large writes.
        Ok(Spool { file: BufWriter::with_capacity(1 << 20, file), at: 0, keys: Vec::new(), extent: Envelope::NOTHING, buffer: Vec::new() })
    }

    /// # Errors
    /// Those of the disk.
    pub fn write(&mut self, batch: &FeatureBatch) -> std::io::Result<()> {
        for row in 0..batch.rows() {
            self.buffer.clear();
            for column in 0..batch.columns.len() {
                encode(&mut self.buffer, batch.value(row, column));
            }
            let wkb = batch.wkb(row);
            self.buffer.extend_from_slice(wkb.unwrap_or_default());
            let envelope = wkb.and_then(|wkb| wkb::envelope(wkb).ok().flatten());
            let centre =
                envelope.map_or((f32::NAN, f32::NAN), |e| (f64::midpoint(e.west, e.east) as f32, f64::midpoint(e.south, e.north) as f32));
            if let Some(envelope) = &envelope {
                self.extent.join(envelope);
            }
            let source_row = match batch.id(row) {
                Some(FeatureId::Integer(id)) => id,
                _ => NO_SOURCE_ROW,
            };
            let length = u32::try_from(self.buffer.len()).map_err(std::io::Error::other)?;
            let geometry = wkb.map_or(0, hash);
            self.keys.push(Key { offset: self.at, content: hash(&self.buffer), geometry, source_row, centre, length });
            self.file.write_all(&self.buffer)?;
            self.at += u64::from(length);
        }
        Ok(())
    }

    /// The records, mapped; and the keys.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn finish(self) -> std::io::Result<(Records, Vec<Key>)> {
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        if self.at == 0 {
            return Ok((Records { map: None }, self.keys));
        }
        // SAFETY: the file is in a staging folder that only this writer, which holds the lock, knows.
        let map = unsafe { Mmap::map(&file) }?;
        Ok((Records { map: Some(map) }, self.keys))
    }
}

pub struct Records {
    map: Option<Mmap>,
}

impl Records {
    pub fn record(&self, key: &Key) -> &[u8] {
        let start = key.offset as usize;
        self.map.as_ref().map_or(&[], |map| &map[start..start + key.length as usize])
    }
}

/// The first eight bytes of SHA-256: it must be the same for ever, on every machine.
fn hash(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

fn encode(out: &mut Vec<u8>, value: Value<'_>) {
    let mut text = |tag: u8, text: &str| {
        out.push(tag);
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    match value {
        Value::Text(value) => text(1, value),
        Value::Date(value) => text(2, value),
        Value::DateTime(value) => text(3, value),
        Value::Null => out.push(0),
        Value::Integer(value) => {
            out.push(4);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Real(value) => {
            out.push(5);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Boolean(value) => out.extend_from_slice(&[6, u8::from(value)]),
    }
}

/// The values of a record and its WKB. `None`: not a record of so many fields.
pub fn decode<'a>(record: &'a [u8], fields: usize, values: &mut Vec<Value<'a>>) -> Option<Option<&'a [u8]>> {
    values.clear();
    let mut rest = record;
    for _ in 0..fields {
        let (tag, after) = rest.split_first()?;
        rest = after;
        let value = match tag {
            0 => Value::Null,
            1..=3 => {
                let (length, after) = rest.split_first_chunk::<4>()?;
                let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                rest = after;
                let text = std::str::from_utf8(text).ok()?;
                match tag {
                    1 => Value::Text(text),
                    2 => Value::Date(text),
                    _ => Value::DateTime(text),
                }
            }
            4 | 5 => {
                let (eight, after) = rest.split_first_chunk::<8>()?;
                rest = after;
                if *tag == 4 { Value::Integer(i64::from_le_bytes(*eight)) } else { Value::Real(f64::from_le_bytes(*eight)) }
            }
            6 => {
                let (one, after) = rest.split_first()?;
                rest = after;
                Value::Boolean(*one != 0)
            }
            _ => return None,
        };
        values.push(value);
    }
    Some((!rest.is_empty()).then_some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_back_every_kind_of_value() {
        let written = [
            Value::Null,
            Value::Text("Bédée"),
            Value::Date("2026-06-30"),
            Value::DateTime("2026-06-30T10:00:00Z"),
            Value::Integer(-7),
            Value::Real(0.1),
            Value::Boolean(true),
        ];
        let mut record = Vec::new();
        for value in written {
            encode(&mut record, value);
        }
        record.extend_from_slice(&wkb::point(1.0, 2.0));
        let mut values = Vec::new();
        assert_eq!(decode(&record, written.len(), &mut values), Some(Some(&wkb::point(1.0, 2.0)[..])));
        assert_eq!(values, written);
        assert_eq!(decode(&record[..3], written.len(), &mut Vec::new()), None);
    }
}
