//! Numbers as text, fast: a coordinate is rounded to an integer of the last decimal and its digits are cut.

/// Appends a value with at most `decimals` decimals and no trailing zeros. The value is finite.
pub fn fixed(out: &mut Vec<u8>, value: f64, decimals: u32) {
    let unit = 10u64.pow(decimals);
    let scaled = (value * unit as f64).round();
    // Beyond this a double has no decimals left, and an integer would overflow.
    if scaled.abs() >= 9.0e15 {
        out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
        return;
    }
    let digits = scaled.abs() as u64;
    if scaled < 0.0 {
        out.push(b'-');
    }
    let (whole, mut fraction) = (digits / unit, digits % unit);
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    if fraction == 0 {
        return;
    }
    let mut places = decimals as usize;
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        places -= 1;
    }
    out.push(b'.');
    let start = out.len();
    out.resize(start + places, b'0');
    for at in (start..start + places).rev() {
        out[at] = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
}

/// Appends the shortest text that reads back as the same double; a whole number without its point.
pub fn shortest(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format(value);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64, decimals: u32) -> String {
        let mut out = Vec::new();
        fixed(&mut out, value, decimals);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn coordinates_are_rounded_and_trimmed() {
        for (value, expected) in [
            (-1.963_951_23, "-1.9639512"),
            (48.0, "48"),
            (0.1, "0.1"),
            (-0.000_000_01, "0"),
            (1.000_000_1, "1.0000001"),
            (-0.5, "-0.5"),
            (179.999_999_96, "180"),
        ] {
            assert_eq!(text(value, 7), expected);
        }
        assert_eq!(text(1_318_450.840_4, 3), "1318450.84");
        assert_eq!(text(1e300, 7).parse(), Ok(1e300));
    }

    #[test]
    fn reals_read_back_as_themselves() {
        for value in [0.1, 1.0 / 3.0, 12.0, -7.5e-9, 1e21] {
            let mut out = Vec::new();
            shortest(&mut out, value);
            assert_eq!(String::from_utf8(out).expect("digits").parse::<f64>(), Ok(value));
        }
    }
}
