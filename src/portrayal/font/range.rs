//! 256 signs as MapLibre asks for them: the `glyphs` message of protocol buffers.
//!
//! ```text
//! glyphs { 1: fontstack { 1: name, 2: range, 3: glyph { 1: id, 2: bitmap, 3: width, 4: height, 5: left, 6: top, 7: advance } … } }
//! ```

use std::fmt;
use std::str::FromStr;

use crate::portrayal::font::Face;
use crate::portrayal::font::glyph::Glyph;

/// Signs in a range.
const SIGNS: u32 = 256;

/// 256 code points from a multiple of 256 on, written `0-255` … `1113856-1114111`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range(u32);

impl FromStr for Range {
    type Err = ();

    fn from_str(text: &str) -> Result<Range, ()> {
        let first: u32 = text.split('-').next().and_then(|first| first.parse().ok()).ok_or(())?;
        let range = Range(first);
        // Its one spelling: neither `+0-255` nor `00-255`, so that a copy is kept once.
        (first.is_multiple_of(SIGNS) && first <= char::MAX.into() && range.to_string() == text).then_some(range).ok_or(())
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.0, self.0 + SIGNS - 1)
    }
}

impl Range {
    /// The message; without a glyph where the face has none of these signs, which MapLibre then draws by itself.
    pub fn of(self, face: &Face) -> Vec<u8> {
        let font = face.font();
        let mut stack = Vec::new();
        bytes(&mut stack, 1, face.name.as_bytes());
        bytes(&mut stack, 2, self.to_string().as_bytes());
        for glyph in (self.0..self.0 + SIGNS).filter_map(|code| Glyph::of(&font, code)) {
            bytes(&mut stack, 3, &message(&glyph));
        }
        let mut glyphs = Vec::with_capacity(stack.len() + 8);
        bytes(&mut glyphs, 1, &stack);
        glyphs
    }
}

fn message(glyph: &Glyph) -> Vec<u8> {
    let mut message = Vec::with_capacity(glyph.field.len() + 24);
    number(&mut message, 1, glyph.code);
    if !glyph.field.is_empty() {
        bytes(&mut message, 2, &glyph.field);
    }
    number(&mut message, 3, glyph.width);
    number(&mut message, 4, glyph.height);
    number(&mut message, 5, zigzag(glyph.left));
    number(&mut message, 6, zigzag(glyph.top));
    number(&mut message, 7, glyph.advance);
    message
}

fn number(out: &mut Vec<u8>, field: u32, value: u32) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, u32::try_from(value.len()).expect("256 glyphs are some ten thousand bytes"));
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut value: u32) {
    while value > 0x7F {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portrayal::font::FACES;

    /// Fields of a message: their number, and a number or bytes.
    fn fields(mut message: &[u8]) -> Vec<(u64, u64, &[u8])> {
        fn varint(message: &mut &[u8]) -> u64 {
            let length = message.iter().position(|byte| byte & 0x80 == 0).expect("an end") + 1;
            let value = message[..length].iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7F));
            *message = &message[length..];
            value
        }
        let mut found = Vec::new();
        while !message.is_empty() {
            let key = varint(&mut message);
            let value = varint(&mut message);
            let (inside, rest) = message.split_at(if key & 7 == 2 { value as usize } else { 0 });
            found.push((key >> 3, value, inside));
            message = rest;
        }
        found
    }

    #[test]
    fn a_range_reads_back_as_it_was_written() {
        let written = Range(0).of(&FACES[0]);
        let stacks = fields(&written);
        assert_eq!((stacks.len(), stacks[0].0), (1, 1));
        let stack = fields(stacks[0].2);
        assert_eq!((stack[0].2, stack[1].2), ("Noto Sans Regular".as_bytes(), "0-255".as_bytes()));
        let glyphs: Vec<_> = stack[2..].iter().map(|(_, _, glyph)| fields(glyph)).collect();
        let named = |glyph: &[(u64, u64, &[u8])], field: u64| glyph.iter().find(|(number, ..)| *number == field).expect("a field").1;
        assert!(glyphs.iter().map(|glyph| named(glyph, 1)).is_sorted());
        let accented = glyphs.iter().find(|glyph| named(glyph, 1) == u64::from('é')).expect("é");
        assert_eq!(named(accented, 2), (named(accented, 3) + 6) * (named(accented, 4) + 6));
        let expected = Glyph::of(&FACES[0].font(), 'é'.into()).expect("é");
        let signed = |value: u64| (value >> 1) as i64 ^ -((value & 1) as i64);
        assert_eq!(signed(named(accented, 6)), i64::from(expected.top));
        assert_eq!(named(accented, 7), u64::from(expected.advance));
    }

    #[test]
    fn a_range_is_the_same_bytes_each_time_and_empty_where_the_font_is() {
        assert_eq!(Range(256).of(&FACES[3]), Range(256).of(&FACES[3]));
        let empty = Range(0x4E00).of(&FACES[0]);
        assert_eq!(fields(fields(&empty)[0].2).len(), 2, "a name and a range");
    }

    #[test]
    fn ranges_have_one_spelling() {
        for good in ["0-255", "256-511", "65280-65535", "1113856-1114111"] {
            assert_eq!(good.parse::<Range>().map(|range| range.to_string()).as_deref(), Ok(good));
        }
        for bad in
            ["", "0", "0-256", "1-256", "00-255", "+0-255", "0-255-511", "-256--1", "1114112-1114367", "a-b", "4294967040-4294967295"]
        {
            assert_eq!(bad.parse::<Range>(), Err(()), "{bad}");
        }
    }
}
