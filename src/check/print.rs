//! Prints of values: what tells a repetition in 16 bytes, whatever the value's length.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::hash::DefaultHasher;
use std::hash::Hasher;

/// Prints seen.
pub type PrintSet = HashSet<u128, BuildHasherDefault<Half>>;

/// 128 bits of a hash: two of a thousand million different values share it with a chance of 10^-21.
pub fn print(bytes: &[u8]) -> u128 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    let upper = hasher.finish();
    // The hasher's state is wider than what it gives: one more byte draws another half from it.
    hasher.write_u8(1);
    (u128::from(upper) << 64) | u128::from(hasher.finish())
}

/// A print is a hash already: its lower half serves as it is.
#[derive(Default)]
pub struct Half(u64);

impl Hasher for Half {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u128(&mut self, print: u128) {
        self.0 = print as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_prints_and_others_have_not() {
        assert_eq!(print(b"A-104"), print(b"A-104"));
        let prints: PrintSet = (0..10_000u32).map(|n| print(&n.to_le_bytes())).collect();
        assert_eq!(prints.len(), 10_000);
        assert_ne!(print(b""), print(&[0]));
    }
}
