//! Values of a layer, each once, as the protobuf field that a tile carries (MVT 2.1 §4.4).

use xxhash_rust::xxh3::xxh3_64;

use crate::model::feature::Value;
use crate::tile::varint;

/// What stands for an absent value: MVT has no null, the tag is left out.
pub const ABSENT: u32 = u32::MAX;

/// Field 4 of a layer, length-delimited.
const VALUE_FIELD: u8 = 0x22;

#[derive(Default)]
pub struct Dictionary {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Open addressing, a power of two of places: number of a value plus one, 0 for an empty place.
    places: Vec<u32>,
    scratch: Vec<u8>,
}

impl Dictionary {
    /// The number of a value, the same for equal values.
    pub fn number(&mut self, value: Value<'_>) -> u32 {
        if value == Value::Null {
            return ABSENT;
        }
        if self.ends.len() * 2 >= self.places.len() {
            self.grow();
        }
        let mut field = std::mem::take(&mut self.scratch);
        write(&mut field, value);
        let number = self.find(&field);
        self.scratch = field;
        number
    }

    fn find(&mut self, field: &[u8]) -> u32 {
        let mask = self.places.len() - 1;
        let mut place = xxh3_64(field) as usize & mask;
        loop {
            match self.places[place] {
                0 => break,
                known if self.field(known - 1) == field => return known - 1,
                _ => place = (place + 1) & mask,
            }
        }
        let number = self.ends.len() as u32;
        self.places[place] = number + 1;
        self.bytes.extend_from_slice(field);
        self.ends.push(self.bytes.len());
        number
    }

    fn grow(&mut self) {
        self.places = vec![0; (self.places.len() * 2).max(1024)];
        let mask = self.places.len() - 1;
        for number in 0..self.ends.len() as u32 {
            let mut place = xxh3_64(self.field(number)) as usize & mask;
            while self.places[place] != 0 {
                place = (place + 1) & mask;
            }
            self.places[place] = number + 1;
        }
    }

    /// No more values come: what finds them is let go.
    pub fn close(&mut self) {
        self.places = Vec::new();
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The protobuf field of a value, tag and length included.
    #[inline]
    pub fn field(&self, number: u32) -> &[u8] {
        let at = number as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

fn write(field: &mut Vec<u8>, value: Value<'_>) {
    field.clear();
    field.push(VALUE_FIELD);
    match value {
        Value::Text(text) | Value::Date(text) | Value::DateTime(text) => {
            varint::push(field, (1 + varint::length(text.len() as u64) + text.len()) as u64);
            field.push(0x0a);
            varint::push(field, text.len() as u64);
            field.extend_from_slice(text.as_bytes());
        }
        // A number that single precision holds exactly is the same number in half the bytes.
        Value::Real(real) if f64::from(real as f32) == real => {
            field.extend_from_slice(&[5, 0x15]);
            field.extend_from_slice(&(real as f32).to_le_bytes());
        }
        Value::Real(real) => {
            field.extend_from_slice(&[9, 0x19]);
            field.extend_from_slice(&real.to_le_bytes());
        }
        Value::Integer(integer) => {
            let (kind, number) = if integer < 0 { (0x30, varint::zigzag(integer)) } else { (0x28, integer as u64) };
            varint::push(field, 1 + varint::length(number) as u64);
            field.push(kind);
            varint::push(field, number);
        }
        Value::Boolean(truth) => field.extend_from_slice(&[2, 0x38, u8::from(truth)]),
        Value::Null => field.clear(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_and_kinds_stay_apart() {
        let mut dictionary = Dictionary::default();
        let numbers: Vec<u32> = [
            Value::Text("1"),
            Value::Integer(1),
            Value::Real(1.0),
            Value::Boolean(true),
            Value::Text("1"),
            Value::Real(0.1),
            Value::Integer(-1),
            Value::Null,
        ]
        .into_iter()
        .map(|value| dictionary.number(value))
        .collect();
        assert_eq!(numbers, [0, 1, 2, 3, 0, 4, 5, ABSENT]);
        assert_eq!(dictionary.field(0), [0x22, 3, 0x0a, 1, b'1']);
        assert_eq!(dictionary.field(1), [0x22, 2, 0x28, 1]);
        assert_eq!(dictionary.field(4)[..3], [0x22, 9, 0x19]);
        assert_eq!(dictionary.field(5), [0x22, 2, 0x30, 1]);
    }

    #[test]
    fn many_values_are_found_again() {
        let mut dictionary = Dictionary::default();
        let first: Vec<u32> = (0..5_000).map(|n| dictionary.number(Value::Integer(n))).collect();
        let again: Vec<u32> = (0..5_000).map(|n| dictionary.number(Value::Integer(n))).collect();
        assert_eq!(first, again);
        assert_eq!(dictionary.len(), 5_000);
    }
}
