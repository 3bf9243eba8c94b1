//! A batch as bytes on the pipe: its Arrow buffers one after another, written from where they lie and read to where they stay.
//!
//! ```text
//!  rows u32 │ columns u16 │ column …          a column: tag │ has nulls │ validity bits? │ body
//!  body     values (8 bytes each, or bits)  or  offsets (i32, rows + 1) │ bytes
//! ```
//! The reader proves all of it: a worker gone mad sends an error, not text that is none. An Arrow IPC stream, which this
//! replaces, copied each buffer twice more, a fifth of a reading of points.

use std::io;
use std::io::Read;
use std::io::Write;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BinaryArray;
use arrow_array::BooleanArray;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::types::Int64Type;
use arrow_buffer::BooleanBuffer;
use arrow_buffer::Buffer;
use arrow_buffer::MutableBuffer;
use arrow_buffer::NullBuffer;
use arrow_buffer::OffsetBuffer;
use arrow_buffer::ScalarBuffer;

use crate::model::batch::BATCH_ROWS_MAX;
use crate::model::batch::FeatureBatch;
use crate::model::batch::Ids;
use crate::model::layer::FieldType;

/// Bytes of one buffer: no batch of ours comes near.
const BUFFER_BYTES_MAX: usize = 1 << 30;

const IDS: u8 = b'#';
const GEOMETRY: u8 = b'G';
const FIELDS: [(FieldType, u8); 6] = [
    (FieldType::Text, b't'),
    (FieldType::Integer, b'i'),
    (FieldType::Real, b'r'),
    (FieldType::Boolean, b'b'),
    (FieldType::Date, b'd'),
    (FieldType::DateTime, b'D'),
];

/// # Errors
/// Those of the pipe.
pub fn write(out: &mut impl Write, batch: &FeatureBatch) -> io::Result<()> {
    let Ids::Integer(ids) = &batch.ids else { return Err(io::Error::other("a source has integer row ids")) };
    let columns = 1 + batch.columns.len() + usize::from(batch.geometry.is_some());
    out.write_all(&u32::try_from(batch.rows()).map_err(io::Error::other)?.to_le_bytes())?;
    out.write_all(&u16::try_from(columns).map_err(io::Error::other)?.to_le_bytes())?;
    write_column(out, IDS, ids)?;
    for (field_type, column) in &batch.columns {
        let tag = FIELDS.iter().find(|(known, _)| known == field_type).map_or(0, |(_, tag)| *tag);
        write_column(out, tag, column.as_ref())?;
    }
    batch.geometry.as_ref().map_or(Ok(()), |geometry| write_column(out, GEOMETRY, geometry))
}

fn write_column(out: &mut impl Write, tag: u8, column: &dyn Array) -> io::Result<()> {
    out.write_all(&[tag, u8::from(column.nulls().is_some())])?;
    if let Some(nulls) = column.nulls() {
        out.write_all(&nulls.inner().sliced()[..column.len().div_ceil(8)])?;
    }
    match tag {
        IDS | b'i' => out.write_all(column.as_primitive::<Int64Type>().values().inner()),
        b'r' => out.write_all(column.as_primitive::<Float64Type>().values().inner()),
        b'b' => out.write_all(&column.as_boolean().values().sliced()[..column.len().div_ceil(8)]),
        GEOMETRY => write_lists(out, column.as_binary::<i32>().offsets(), column.as_binary::<i32>().values()),
        _ => write_lists(out, column.as_string::<i32>().offsets(), column.as_string::<i32>().values()),
    }
}

fn write_lists(out: &mut impl Write, offsets: &OffsetBuffer<i32>, bytes: &[u8]) -> io::Result<()> {
    if offsets[0] != 0 {
        return Err(io::Error::other("a slice of a batch"));
    }
    out.write_all(offsets.inner().inner())?;
    out.write_all(&bytes[..offsets[offsets.len() - 1] as usize])
}

/// # Errors
/// Those of the pipe; `InvalidData` for what is no batch.
pub fn read(input: &mut impl Read) -> io::Result<FeatureBatch> {
    let rows = u32::from_le_bytes(array(input)?) as usize;
    if rows > BATCH_ROWS_MAX {
        return Err(wrong());
    }
    let (mut ids, mut columns, mut geometry) = (None, Vec::new(), None);
    for _ in 0..u16::from_le_bytes(array(input)?) {
        let [tag, has_nulls] = array(input)?;
        let nulls = if has_nulls == 0 { None } else { Some(NullBuffer::new(bits(input, rows)?)) };
        match (tag, FIELDS.iter().find(|(_, known)| *known == tag)) {
            (IDS, _) => ids = Some(Int64Array::try_new(scalars(input, rows)?, nulls).map_err(io::Error::other)?),
            (GEOMETRY, _) => {
                let (offsets, bytes) = lists(input, rows)?;
                geometry = Some(BinaryArray::try_new(offsets, bytes, nulls).map_err(io::Error::other)?);
            }
            (_, Some((field_type, _))) => columns.push((*field_type, column(input, *field_type, rows, nulls)?)),
            (_, None) => return Err(wrong()),
        }
    }
    Ok(FeatureBatch::new(Ids::Integer(ids.filter(|ids| ids.len() == rows).ok_or_else(wrong)?), columns, geometry))
}

fn column(input: &mut impl Read, field_type: FieldType, rows: usize, nulls: Option<NullBuffer>) -> io::Result<ArrayRef> {
    Ok(match field_type {
        FieldType::Integer => Arc::new(Int64Array::try_new(scalars(input, rows)?, nulls).map_err(io::Error::other)?),
        FieldType::Real => Arc::new(Float64Array::try_new(scalars(input, rows)?, nulls).map_err(io::Error::other)?),
        FieldType::Boolean => Arc::new(BooleanArray::new(bits(input, rows)?, nulls)),
        FieldType::Text | FieldType::Date | FieldType::DateTime => {
            let (offsets, bytes) = lists(input, rows)?;
            // `try_new` proves that each value is UTF-8.
            Arc::new(StringArray::try_new(offsets, bytes, nulls).map_err(io::Error::other)?)
        }
    })
}

fn wrong() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a batch of another shape")
}

fn array<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn bits(input: &mut impl Read, rows: usize) -> io::Result<BooleanBuffer> {
    let mut bytes = MutableBuffer::from_len_zeroed(rows.div_ceil(8));
    input.read_exact(&mut bytes)?;
    Ok(BooleanBuffer::new(bytes.into(), 0, rows))
}

/// Arrow's own memory is aligned for every number.
fn scalars<T: arrow_buffer::ArrowNativeType>(input: &mut impl Read, count: usize) -> io::Result<ScalarBuffer<T>> {
    let mut bytes = MutableBuffer::from_len_zeroed(count * size_of::<T>());
    input.read_exact(&mut bytes)?;
    Ok(ScalarBuffer::new(bytes.into(), 0, count))
}

fn lists(input: &mut impl Read, rows: usize) -> io::Result<(OffsetBuffer<i32>, Buffer)> {
    let offsets = scalars::<i32>(input, rows + 1)?;
    let is_sound = offsets[0] == 0 && offsets.windows(2).fold(true, |sound, pair| sound & (pair[0] <= pair[1]));
    let length = usize::try_from(offsets[rows]).ok().filter(|length| is_sound && *length <= BUFFER_BYTES_MAX).ok_or_else(wrong)?;
    let mut bytes = Vec::with_capacity(length);
    if input.take(length as u64).read_to_end(&mut bytes)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((OffsetBuffer::new(offsets), Buffer::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::batch::batch_of;
    use crate::model::feature::Value;
    use crate::model::wkb;

    fn sample() -> FeatureBatch {
        let types = FIELDS.map(|(field_type, _)| field_type);
        let full = vec![
            Value::Text("Bédée"),
            Value::Integer(-7),
            Value::Real(0.1),
            Value::Boolean(true),
            Value::Date("2026-06-30"),
            Value::DateTime("2026-06-30T10:00:00Z"),
        ];
        let rows = [(Some(3), full, Some(wkb::point(1.0, 2.0))), (None, vec![Value::Null; 6], None)];
        batch_of(&types, &rows, true)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let batch = sample();
        let mut bytes = Vec::new();
        write(&mut bytes, &batch).expect("written");
        let found = read(&mut bytes.as_slice()).expect("read");
        for row in 0..2 {
            assert_eq!((found.id(row), found.wkb(row)), (batch.id(row), batch.wkb(row)));
            (0..6).for_each(|column| assert_eq!(found.value(row, column), batch.value(row, column)));
        }
        let empty = batch_of(&[FieldType::Text], &[], false);
        let mut bytes = Vec::new();
        write(&mut bytes, &empty).expect("written");
        assert_eq!(read(&mut bytes.as_slice()).expect("read").rows(), 0);
    }

    #[test]
    fn bytes_of_any_sort_are_a_batch_or_an_error() {
        let mut whole = Vec::new();
        write(&mut whole, &sample()).expect("written");
        for end in 0..whole.len() {
            assert!(read(&mut &whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7F, 0x80, 0xFF, whole[at] ^ 0x55] {
                let mut broken = whole.clone();
                broken[at] = byte;
                if let Ok(batch) = read(&mut broken.as_slice()) {
                    for (row, column) in (0..batch.rows()).flat_map(|row| (0..batch.columns.len()).map(move |column| (row, column))) {
                        if let Value::Text(text) | Value::Date(text) | Value::DateTime(text) = batch.value(row, column) {
                            assert!(std::str::from_utf8(text.as_bytes()).is_ok(), "{at} {byte}");
                        }
                    }
                }
            }
        }
    }
}
