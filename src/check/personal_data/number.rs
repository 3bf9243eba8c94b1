//! Numbers with a key that names a person: IBAN (ISO 13616) and NIR, the French social security number.

/// Lengths of IBANs that a French administration meets.
const IBAN_LENGTHS: [(&[u8; 2], usize); 10] =
    [(b"FR", 27), (b"MC", 27), (b"BE", 16), (b"DE", 22), (b"ES", 24), (b"IT", 27), (b"LU", 20), (b"CH", 21), (b"GB", 22), (b"PT", 25)];

/// Whether an IBAN with a right key stands in the text, its groups set apart by spaces or not.
pub fn has_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(15)).any(|at| {
        let starts = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let Some((_, length)) = IBAN_LENGTHS.iter().find(|(country, _)| bytes[at..].starts_with(*country)) else { return false };
        if !starts || !bytes[at + 2].is_ascii_digit() || !bytes[at + 3].is_ascii_digit() {
            return false;
        }
        let signs: Vec<u8> =
            bytes[at..].iter().copied().filter(|b| *b != b' ').take_while(u8::is_ascii_alphanumeric).take(*length).collect();
        signs.len() == *length && iban_remainder(&signs) == 1
    })
}

fn iban_remainder(signs: &[u8]) -> u32 {
    let (head, tail) = signs.split_at(4);
    tail.iter().chain(head).fold(0, |rest, sign| match sign {
        b'0'..=b'9' => (rest * 10 + u32::from(sign - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter.to_ascii_uppercase() - b'A') + 10) % 97,
    })
}

/// What a text of fifteen digits is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nir {
    No,
    /// Fifteen digits whose key is wrong: other codes of that length.
    Shaped,
    Yes,
}

/// Looks for 13 digits and a key of 2 (`1 85 05 78 006 084 91`), Corsica's 2A and 2B among them.
pub fn nir(text: &str) -> Nir {
    let bytes = text.as_bytes();
    let mut best = Nir::No;
    for at in 0..bytes.len() {
        let starts = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'.' | b','));
        if !starts || !bytes[at].is_ascii_digit() {
            continue;
        }
        let mut signs: Vec<u8> = Vec::with_capacity(16);
        for (n, &byte) in bytes[at..].iter().enumerate() {
            match byte {
                b'0'..=b'9' => signs.push(byte),
                b'A' | b'B' if signs.len() == 6 && signs[5] == b'2' => signs.push(byte),
                b' ' if n > 0 => continue,
                _ => break,
            }
            if signs.len() > 15 {
                break;
            }
        }
        match signs.as_slice().try_into() {
            Ok(signs) if is_nir(signs) => return Nir::Yes,
            Ok(_) => best = Nir::Shaped,
            Err(_) => {}
        }
    }
    best
}

fn is_nir(signs: &[u8; 15]) -> bool {
    // Months above 20 stand for unknown ones.
    let month = (signs[3].wrapping_sub(b'0')) * 10 + signs[4].wrapping_sub(b'0');
    if !matches!(signs[0], b'1' | b'2') || !matches!(month, 1..=12 | 20..=42 | 50..=99) {
        return false;
    }
    let mut number = *signs;
    // The key of Corsica is reckoned with 19 and 18 for 2A and 2B.
    match number[6] {
        b'A' => number[5..7].copy_from_slice(b"19"),
        b'B' => number[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    let value = |digits: &[u8]| digits.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    value(&number[13..]) == 97 - value(&number[..13]) % 97
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iban_is_found_by_its_key() {
        assert!(has_iban("FR76 3000 6000 0112 3456 7890 189"));
        assert!(has_iban("IBAN : FR7630006000011234567890189, merci"));
        assert!(has_iban("DE89370400440532013000"));
    }

    #[test]
    fn a_wrong_key_or_a_tax_number_is_no_iban() {
        for text in ["FR76 3000 6000 0112 3456 7890 188", "FR12 123456789", "FR", "FRANCE 2026 programme national", "é", ""] {
            assert!(!has_iban(text), "{text}");
        }
    }

    #[test]
    fn a_nir_is_found_by_its_key() {
        assert_eq!(nir("1 85 05 78 006 084 91"), Nir::Yes);
        assert_eq!(nir("185057800608491"), Nir::Yes);
        let key = 97 - 1_850_519_006_084_u64 % 97;
        assert_eq!(nir(&format!("185052A006084{key:02}")), Nir::Yes);
    }

    #[test]
    fn a_siret_a_wrong_key_or_a_decimal_is_no_nir() {
        assert_eq!(nir("45164849700019"), Nir::No);
        assert_eq!(nir("185057800608492"), Nir::Shaped);
        assert_eq!(nir("0.185057800608491"), Nir::No);
        assert_eq!(nir("1850578006084912"), Nir::No);
    }
}
